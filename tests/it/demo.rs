//! The demo of `make run`: it shows what it says, ends without leaving anything behind, and says
//! what to do about a port that is taken.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use sluice::config::Config;
use tempfile::TempDir;

use crate::{
    browser::Browser,
    client::eventually,
    origin::{
        port::{free_port, is_free},
        process::Process,
    },
};

/// Generous: a loaded machine must not fail a test.
const SOON: Duration = Duration::from_secs(60);

const VARIABLES: [&str; 4] = ["HTTPS_PORT", "HTTP_PORT", "PHP_PORT", "ADMIN_PORT"];

/// The demo's script, on ports of its own.
struct Demo {
    process: Process,
    directory: TempDir,
    https: u16,
    http: u16,
    php: u16,
    admin: u16,
}

impl Demo {
    /// Runs the script with one port for each variable.
    fn spawn(ports: [u16; 4]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(project("deploy/demo/run.sh"));
        command.env("SLUICE", env!("CARGO_BIN_EXE_sluice")).env("TMPDIR", directory.path());
        command.envs(VARIABLES.iter().zip(ports.map(|port| port.to_string())));
        let process = Process::spawn(command, &directory.path().join("output"));
        let [https, http, php, admin] = ports;
        Self { process, directory, https, http, php, admin }
    }

    /// The same, and waits until the script has said what to open.
    async fn start() -> Self {
        let mut demo = Self::spawn(VARIABLES.map(|_| free_port()));
        let output = demo.directory.path().join("output");
        let said = async || {
            std::fs::read_to_string(&output).is_ok_and(|text| text.contains("Ctrl-C ends it all"))
        };
        demo.process.wait_until("the demo runs", said).await;
        demo
    }

    async fn wait_for_end(&mut self) {
        eventually("the demo's end", SOON, async || self.process.has_ended()).await;
    }
}

impl Drop for Demo {
    /// Lets the script end its servers, which a kill would leave behind.
    fn drop(&mut self) {
        let until = Instant::now() + SOON;
        if !self.process.has_ended() {
            self.process.signal(Signal::SIGTERM);
        }
        while !self.process.has_ended() && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

#[test]
fn the_demos_configuration_loads_as_it_is() {
    Config::from_file(&project("deploy/demo/sluice.yaml")).expect("a good file");
}

#[tokio::test]
async fn sixty_streams_take_one_connection_over_http_2_and_only_six_open_over_http_1() {
    let (demo, browser) = (Demo::start().await, Browser::start().await);
    let summary = "document.querySelector('#summary').textContent";

    let page = browser.page().await;
    page.goto(&format!("https://app.test:{}/", demo.https)).await;
    let all = "This page holds 60 streams over 1 connection; PHP runs 4 scripts.";
    page.wait_for(&format!("{summary} === '{all}'"), SOON).await;
    page.wait_for("document.querySelectorAll('#orders li').length > 0", SOON).await;
    page.wait_for("document.querySelectorAll('.tile:empty').length === 0", SOON).await;
    assert!(page.console().is_empty(), "{:?}", page.console());
    page.close().await;

    let page = browser.page().await;
    page.goto(&format!("http://app.test:{}/", demo.http)).await;
    page.wait_for(&format!("{summary}.startsWith('This page holds 6 streams;')"), SOON).await;
    let link = format!("'https://localhost:{}/'", demo.https);
    page.wait_for(&format!("document.querySelector('#notice a').href === {link}"), SOON).await;
    assert_eq!(page.eval("document.querySelector('#notice').hidden").await, false);
    assert_eq!(page.eval("document.querySelector('#waiting').textContent").await, "54");
}

#[tokio::test]
async fn every_signal_that_ends_the_demo_ends_all_of_it() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut demo = Demo::start().await;
        demo.process.signal(signal);
        demo.wait_for_end().await;
        // Every server of the demo, and every worker of PHP's, holds one of these.
        for port in [demo.https, demo.http, demo.php, demo.admin] {
            assert!(is_free(port), "after {signal} somebody listens on {port}");
        }
        let left = std::fs::read_dir(demo.directory.path()).expect("the directory").count();
        assert_eq!(left, 1, "after {signal} only the output is left");
    }
}

#[tokio::test]
async fn a_taken_port_is_named_together_with_the_way_to_choose_another() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    let mut demo = Demo::spawn([port, free_port(), free_port(), free_port()]);
    demo.wait_for_end().await;
    let said = demo.process.output();
    assert_eq!(
        said,
        format!(
            "HTTPS_PORT={port}: cannot listen there: Address already in use. \
             Choose another: make run HTTPS_PORT=8443\n"
        )
    );
}
