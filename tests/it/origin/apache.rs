//! Apache with PHP inside: a process per request, the oldest of the ways.

use std::{fs, net::SocketAddr, process::Command};

use super::{
    home::Home,
    php::Php,
    port::{free_port, local},
    process::Process,
    program::{program, versioned},
    request_log::RequestLog,
};

const MODULES: &str = "/usr/lib/apache2/modules";

/// A site behind Apache's prefork and mod_php.
pub struct Apache {
    process: Process,
    home: Home,
    log: RequestLog,
    port: u16,
}

impl Apache {
    /// Starts a server that can serve ten requests at a time.
    pub async fn mod_php() -> Self {
        Self::mod_php_with(Php::production()).await
    }

    /// The same with other settings.
    pub async fn mod_php_with(php: Php) -> Self {
        let home = Home::with_site();
        let log = RequestLog::new(home.path("log/requests"));
        let settings = php.at(&home, &log).lines(
            |name, value| format!("php_admin_value {name} \"{value}\""),
            |name, value| format!("SetEnv {name} \"{value}\""),
        );
        let port = free_port();
        // Apache refuses to serve as root.
        let user = if home.is_root() { "User www-data\nGroup www-data" } else { "" };
        fs::write(home.path("mime.types"), "text/html html\n").expect("write the types");
        let module = versioned(&[MODULES], "libphp", "libapache2-mod-php");
        let (port_text, root) = (port.to_string(), home.site());
        let values = [
            ("port", &*port_text),
            ("root", &*root.to_string_lossy()),
            ("user", user),
            ("modules", MODULES),
            ("php_module", &*module.to_string_lossy()),
            ("settings", &*settings),
        ];
        let config = home.configure("apache.conf", &values);
        let mut command = Command::new(program("apache2", "apache2"));
        command.arg("-f").arg(config).arg("-DFOREGROUND");
        let mut process = Process::spawn(command, &home.path("log/output"));
        process.wait_for_port(port).await;
        Self { process, home, log, port }
    }

    pub fn address(&self) -> SocketAddr {
        local(self.port)
    }

    /// What the scripts saw.
    pub fn requests(&self) -> &RequestLog {
        &self.log
    }

    /// Adds a script or page to the site.
    pub fn add_page(&self, name: &str, content: &str) {
        self.home.add_page(name, content.as_bytes());
    }

    /// Ends the server and with it all its streams; nobody listens there then.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Starts it again, on the same port, after ending it if it still runs.
    pub async fn restart(&mut self) {
        self.process.restart(self.port).await;
    }
}
