//! Node applications: Express in two versions, and plain Node.

use std::{net::SocketAddr, process::Command};

use super::{
    home::{Home, source},
    port::{free_port, local},
    process::Process,
    program::program,
    request_log::RequestLog,
};

/// A running application.
pub struct NodeApp {
    process: Process,
    log: RequestLog,
    port: u16,
    /// Where its logs are.
    #[expect(dead_code, reason = "held to be removed with the application")]
    home: Home,
}

impl NodeApp {
    /// `GET /api/users/event` greets every `pace_ms`.
    pub async fn express_v1(pace_ms: u32) -> Self {
        Self::start("express_v1.js", pace_ms).await
    }

    /// `GET /api/users/event` tells of users; `POST /api/users` with JSON makes one.
    pub async fn express_v2() -> Self {
        Self::start("express_v2.js", 0).await
    }

    /// `GET /events` tells the time every `pace_ms`; no framework.
    pub async fn events(pace_ms: u32) -> Self {
        Self::start("events.js", pace_ms).await
    }

    pub fn address(&self) -> SocketAddr {
        local(self.port)
    }

    /// What the application saw.
    pub fn requests(&self) -> &RequestLog {
        &self.log
    }

    /// Ends the application and with it all its streams; nobody listens there then.
    pub fn stop(&mut self) {
        self.process.stop();
    }

    /// Starts it again, on the same port, after ending it if it still runs.
    pub async fn restart(&mut self) {
        self.process.restart(self.port).await;
    }

    async fn start(script: &str, pace_ms: u32) -> Self {
        let node = source("node");
        assert!(
            node.join("node_modules/express").is_dir(),
            "\n\n    EXPRESS IS NOT INSTALLED. Run tests/install.sh, or `npm ci` in {}.\n",
            node.display()
        );
        let home = Home::new();
        let log = RequestLog::new(home.path("log/requests"));
        let port = free_port();
        let mut command = Command::new(program("node", "nodejs"));
        command.arg("--require").arg(node.join("request_log.js")).arg(node.join(script));
        command
            .env("HOST", "127.0.0.1")
            .env("PORT", port.to_string())
            .env("PACE_MS", pace_ms.to_string())
            .env("ORIGIN_LOG", log.file());
        let mut process = Process::spawn(command, &home.path("log/output"));
        process.wait_for_port(port).await;
        Self { process, log, port, home }
    }
}
