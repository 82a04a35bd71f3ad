//! PHP's own development server, `php -S`.

use std::{net::SocketAddr, process::Command};

use super::{
    home::Home,
    php::Php,
    port::{free_port, local},
    process::Process,
    program::program,
    request_log::RequestLog,
};

/// A site behind `php -S`: no chunks, no lengths, one connection per request.
pub struct PhpServer {
    process: Process,
    home: Home,
    log: RequestLog,
    port: u16,
}

impl PhpServer {
    /// Starts a server that can serve so many requests at a time.
    pub async fn start(workers: usize) -> Self {
        Self::start_with(workers, Php::production()).await
    }

    /// The same with other settings.
    pub async fn start_with(workers: usize, php: Php) -> Self {
        let home = Home::with_site();
        let log = RequestLog::new(home.path("log/requests"));
        let php = php.at(&home, &log);
        let port = free_port();
        let mut command = Command::new(program("php", "php-cli"));
        command
            .args(php.arguments())
            .args(["-S", &local(port).to_string(), "-t"])
            .arg(home.site())
            .envs(php.variables());
        // The parent serves as well as its children, and it refuses to have only one.
        assert!(workers != 2, "php -S serves one request at a time, or at least three");
        if workers > 1 {
            command.env("PHP_CLI_SERVER_WORKERS", (workers - 1).to_string());
        }
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
