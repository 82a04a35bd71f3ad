//! PHP's FastCGI process manager, with a pool of its own on a Unix socket.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use nix::sys::signal::Signal;

use super::{home::Home, php::Php, process::Process, program::php_fpm, request_log::RequestLog};

/// A pool with a fixed number of workers: what a legacy site runs out of.
pub struct PhpFpm {
    process: Process,
    home: Home,
    log: RequestLog,
}

impl PhpFpm {
    /// Starts a pool of so many workers.
    pub async fn start(max_children: usize) -> Self {
        Self::start_with(max_children, Php::production()).await
    }

    /// The same with other settings.
    pub async fn start_with(max_children: usize, php: Php) -> Self {
        let home = Home::with_site();
        let log = RequestLog::new(home.path("log/requests"));
        let settings = php.at(&home, &log).lines(
            |name, value| format!("php_admin_value[{name}] = {value}"),
            |name, value| format!("env[{name}] = {value}"),
        );
        let user = if home.is_root() { "user = root\ngroup = root" } else { "" };
        let children = max_children.to_string();
        let values = [("children", &*children), ("user", user), ("settings", &*settings)];
        let config = home.configure("php_fpm.conf", &values);
        let mut command = Command::new(php_fpm());
        command.args(["--nodaemonize", "--allow-to-run-as-root", "--fpm-config"]).arg(config);
        let mut process = Process::spawn(command, &home.path("log/output"));
        process.wait_for_socket(&home.path("fpm.sock")).await;
        Self { process, home, log }
    }

    /// Where the pool takes FastCGI requests.
    pub fn socket(&self) -> PathBuf {
        self.home.path("fpm.sock")
    }

    /// Where the status page is, also while every worker is taken.
    pub fn status_socket(&self) -> PathBuf {
        self.home.path("status.sock")
    }

    /// The document root, for SCRIPT_FILENAME.
    pub fn root(&self) -> PathBuf {
        self.home.site()
    }

    /// What the scripts saw.
    pub fn requests(&self) -> &RequestLog {
        &self.log
    }

    /// Adds a script or page to the site.
    pub fn add_page(&self, name: &str, content: &str) {
        self.home.add_page(name, content.as_bytes());
    }

    /// Reloads the pool, as a deploy does: all running scripts are cut off.
    pub async fn reload(&mut self) {
        let log = self.home.path("log/fpm.log");
        let starts = starts_in(&log);
        self.process.signal(Signal::SIGUSR2);
        self.process.wait_until("reloaded", async || starts_in(&log) > starts).await;
    }
}

/// How often the pool has reported that it is ready.
fn starts_in(log: &Path) -> usize {
    let log = fs::read_to_string(log).unwrap_or_default();
    log.matches("ready to handle connections").count()
}
