//! A child process and all that it starts.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use tokio::net::{TcpStream, UnixStream};

use super::{
    START_DEADLINE,
    port::{is_free, local},
};
use crate::client::eventually;

/// A server in a process group of its own. The whole group ends with it: the workers of `php -S`,
/// for one, would outlive their parent and go on listening.
pub struct Process {
    command: Command,
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts a server whose output goes to a file.
    pub fn spawn(mut command: Command, output: &Path) -> Self {
        let file = File::options().create(true).append(true).open(output).expect("an output file");
        let stdout = file.try_clone().expect("a second handle");
        command.stdin(Stdio::null()).stdout(stdout).stderr(file).process_group(0);
        let child = start(&mut command);
        Self { command, child, output: output.to_owned() }
    }

    /// Starts the server again, on the same port, after ending it if it still runs.
    pub async fn restart(&mut self, port: u16) {
        self.stop();
        let what = format!("port {port} is free again");
        eventually(&what, START_DEADLINE, async || is_free(port)).await;
        self.child = start(&mut self.command);
        self.wait_for_port(port).await;
    }

    /// The process that was started; its workers have other ids.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the server wrote to its terminal.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Signals the process that was started, not its workers.
    pub fn signal(&self, signal: Signal) {
        kill(self.group(), signal).expect("signal a running server");
    }

    /// Whether the process has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("ask for a child's state").is_some()
    }

    /// Waits for a condition; panics with the server's own words when it ends instead.
    pub async fn wait_until(&mut self, what: &str, mut ready: impl AsyncFnMut() -> bool) {
        let since = Instant::now();
        // The deadline that counts is the inner one: it quotes the server.
        eventually(what, START_DEADLINE * 2, async || {
            if self.has_ended() || since.elapsed() > START_DEADLINE {
                panic!("the server did not get so far: {what}. It said: {}", self.output());
            }
            ready().await
        })
        .await;
    }

    /// Waits until the server listens on a port of 127.0.0.1.
    pub async fn wait_for_port(&mut self, port: u16) {
        let what = format!("listening on port {port}");
        self.wait_until(&what, async || TcpStream::connect(local(port)).await.is_ok()).await;
    }

    /// Waits until the server listens on a Unix socket.
    pub async fn wait_for_socket(&mut self, socket: &Path) {
        let what = format!("listening on {}", socket.display());
        self.wait_until(&what, async || UnixStream::connect(socket).await.is_ok()).await;
    }

    /// Ends the whole group at once. Origins keep all they have in their directory, so there is
    /// nothing that a gentler signal would save.
    pub fn stop(&mut self) {
        // The group exists as long as its leader is not waited for, so the id is still ours. It
        // fails only where that was done already.
        let _ = killpg(self.group(), Signal::SIGKILL);
        let _ = self.child.wait();
    }

    fn group(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"))
    }
}

fn start(command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| panic!("start {command:?}: {error}"))
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}
