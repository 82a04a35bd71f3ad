//! nginx: before php-fpm, buffering or not, and as a server of static files.

use std::{fs, net::SocketAddr, path::Path, process::Command};

use super::{
    PhpFpm,
    home::Home,
    port::{free_port, local},
    process::Process,
    program::program,
};

/// Whether nginx collects what a script sends. It does unless it is told not to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffering {
    On,
    Off,
}

/// An nginx with a prefix directory of its own.
pub struct Nginx {
    process: Process,
    home: Home,
    port: u16,
}

impl Nginx {
    /// A site whose scripts are served by a php-fpm pool. The pool must outlive its use here.
    pub async fn before_fpm(fpm: &PhpFpm, buffering: Buffering) -> Self {
        let locations = fs::read_to_string(super::home::source("conf/nginx_fpm.conf"));
        let buffering = match buffering {
            Buffering::On => "on",
            Buffering::Off => "off",
        };
        let values = [
            ("locations", locations.expect("a template")),
            ("socket", fpm.socket().to_string_lossy().into_owned()),
            ("status_socket", fpm.status_socket().to_string_lossy().into_owned()),
            ("buffering", buffering.to_owned()),
        ];
        Self::serve(&fpm.root(), &values).await
    }

    /// A site of static files, with byte ranges and entity tags.
    pub async fn static_site(dir: &Path) -> Self {
        Self::serve(dir, &[("locations", String::new())]).await
    }

    pub fn address(&self) -> SocketAddr {
        local(self.port)
    }

    /// The requests that have ended: `"GET /page.php HTTP/1.1" 200 123 "-"`, the last of which is
    /// the Last-Event-ID.
    pub fn access_log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.home.path("log/access.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// How many requests for a path have ended, whatever their query.
    pub fn count(&self, path: &str) -> usize {
        let log = self.access_log();
        let targets = log.iter().filter_map(|line| line.split(' ').nth(1));
        targets.filter(|target| target.split('?').next() == Some(path)).count()
    }

    /// Ends the server and with it all its streams; nobody listens there then.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Starts the server again, on the same port, after ending it if it still runs.
    pub async fn restart(&mut self) {
        self.process.restart(self.port).await;
    }

    async fn serve(root: &Path, values: &[(&str, String)]) -> Self {
        let home = Home::new();
        let port = free_port();
        let port_text = port.to_string();
        let root = root.to_string_lossy();
        let user = if home.is_root() { "user root root;" } else { "" };
        let mut all: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend([("port", &*port_text), ("root", &*root), ("user", user)]);
        let config = home.configure("nginx.conf", &all);
        let mut command = Command::new(program("nginx", "nginx"));
        // Its own error log from the first line on, or it would look for the system's.
        command.arg("-p").arg(home.dir()).arg("-e").arg(home.path("log/error.log"));
        command.arg("-c").arg(config);
        let mut process = Process::spawn(command, &home.path("log/output"));
        process.wait_for_port(port).await;
        Self { process, home, port }
    }
}
