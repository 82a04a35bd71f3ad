//! The Chromium process: found in PATH, started with an empty profile, ended with all its children.

use std::env;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::process::{ChildStdin, ChildStdout};

/// Chromium speaks CDP over its file descriptors 3 and 4; what is started here has 0 and 1 piped.
///
/// Pipes need no port, no WebSocket and no waiting for either; and when this process dies, however
/// suddenly, Chromium sees them close and ends by itself.
const WITH_PIPES_AT_3_AND_4: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >&2"#;

const FLAGS: &[&str] = &[
    "--headless=new",
    "--remote-debugging-pipe",
    "--window-size=1280,800",
    // Chromium's sandbox cannot be set up by root or inside most containers.
    "--no-sandbox",
    "--disable-gpu",
    // Some containers have a /dev/shm of 64 MiB, in which tabs crash.
    "--disable-dev-shm-usage",
    // Connections are counted: none may be HTTP/3, go through a proxy, or be Chromium's own.
    "--disable-quic",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    // A tab in the background keeps the pace of the one in front.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    // The listeners under test have self-signed certificates, and some have no TLS at all.
    "--ignore-certificate-errors",
    "--disable-features=HttpsUpgrades",
    "--host-resolver-rules=MAP *.test 127.0.0.1",
];

/// How long the last files of killed processes may take to vanish.
const CLEANUP: Duration = Duration::from_secs(5);

/// Commands go in, replies and events come out: each a JSON text that ends with a NUL.
pub struct Pipes {
    pub commands: ChildStdin,
    pub replies: ChildStdout,
}

/// The leader of a process group, killed as a whole on drop.
pub struct Process {
    child: Child,
    home: TempDir,
}

impl Process {
    pub fn start() -> (Process, Pipes) {
        let home = tempfile::Builder::new().prefix("browser-").tempdir().expect("a directory");
        let log = File::create(home.path().join("log")).expect("a log file");
        let mut child = Command::new("sh")
            .args(["-c", WITH_PIPES_AT_3_AND_4])
            .arg(chromium())
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", home.path().join("profile").display()))
            // Caches, certificate databases and sockets land in there too.
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("a POSIX shell");
        let commands = child.stdin.take().expect("stdin is piped");
        let replies = child.stdout.take().expect("stdout is piped");
        let pipes = Pipes {
            commands: ChildStdin::from_std(commands).expect("a pipe"),
            replies: ChildStdout::from_std(replies).expect("a pipe"),
        };
        (Process { child, home }, pipes)
    }

    /// What Chromium has written to its standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// The directory of everything that Chromium writes.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The process group that Chromium and its children are in.
    pub fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it is gone already; the directory still has to go.
        let _ = killpg(self.group(), Signal::SIGKILL);
        let _ = self.child.wait();
        // Killed children may still finish a write, which makes a removal fail half-way.
        let deadline = Instant::now() + CLEANUP;
        while fs::remove_dir_all(self.home.path()).is_err() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn chromium() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|directory| directory.join("chromium"))
        .find(|file| file.is_file())
        .expect("These tests drive a real browser: install the Debian package `chromium`.")
}
