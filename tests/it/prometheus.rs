//! A real Prometheus that scrapes what a test serves, and the linter that comes with it.
//!
//! ```text
//! let prometheus = Prometheus::scraping(admin_address).await;
//! prometheus.wait_for("sum(sluice_subscribers)", |value| value == 30.0, DEADLINE).await;
//! promtool_check_metrics(&text).expect("promtool has nothing to say");
//! ```

use std::error::Error;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

const START_DEADLINE: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running Prometheus with one target. It ends, and its data goes, when this is dropped.
pub struct Prometheus {
    child: Child,
    home: TempDir,
    address: SocketAddr,
}

impl Prometheus {
    /// Starts Prometheus and waits until it has scraped `/metrics` of the target.
    ///
    /// Prometheus itself takes about five seconds before it turns to a new target.
    pub async fn scraping(target: SocketAddr) -> Prometheus {
        let home = tempfile::Builder::new().prefix("prometheus-").tempdir().expect("a directory");
        fs::write(home.path().join("prometheus.yml"), config(target)).expect("a configuration");
        let child = spawn(&home);
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut prometheus = Prometheus { child, home, address };
        prometheus.address = prometheus.listening().await;
        let end = Instant::now() + START_DEADLINE;
        while prometheus.target_health().await != "up" {
            assert!(Instant::now() < end, "{target} is not scraped. {}", prometheus.log());
            sleep(POLL_INTERVAL).await;
        }
        prometheus
    }

    /// The value of a PromQL expression, now; `None` when it selects nothing.
    ///
    /// Panics when it selects several series: then it is ambiguous which one was meant.
    pub async fn query(&self, promql: &str) -> Option<f64> {
        let samples = self.samples(promql).await;
        assert!(samples.len() <= 1, "`{promql}` selects several series: {samples:?}");
        let sample = samples.into_iter().next()?;
        let value = sample["value"][1].as_str().expect("a sample's value is a string");
        Some(value.parse().expect("a sample's value is a number"))
    }

    /// The series that a PromQL expression selects: `{"metric": {labels}, "value": [time, "1"]}`.
    pub async fn samples(&self, promql: &str) -> Vec<Value> {
        let reply = self.get(&format!("/api/v1/query?query={}", percent_encoded(promql))).await;
        let reply = reply.unwrap_or_else(|error| panic!("`{promql}`: {error}. {}", self.log()));
        match reply["data"]["result"].as_array() {
            Some(samples) => samples.clone(),
            None => panic!("`{promql}` gets {reply}"),
        }
    }

    /// Waits until the value is as wanted, and gives it; panics when it is not in time.
    pub async fn wait_for(
        &self,
        promql: &str,
        wanted: impl Fn(f64) -> bool,
        deadline: Duration,
    ) -> f64 {
        let end = Instant::now() + deadline;
        loop {
            let last = self.query(promql).await;
            if let Some(value) = last.filter(|value| wanted(*value)) {
                return value;
            }
            assert!(Instant::now() < end, "`{promql}` is {last:?} after {deadline:?}.");
            sleep(POLL_INTERVAL).await;
        }
    }

    /// `up`, `down`, or `unknown` before the first scrape.
    pub async fn target_health(&self) -> String {
        // It refuses requests while it starts.
        let reply = self.get("/api/v1/targets").await.unwrap_or_default();
        let health = &reply["data"]["activeTargets"][0]["health"];
        health.as_str().unwrap_or("unknown").to_owned()
    }

    /// It picks a free port by itself, and says in its log which.
    async fn listening(&mut self) -> SocketAddr {
        let end = Instant::now() + START_DEADLINE;
        loop {
            let log = self.log();
            let line = log.lines().find(|line| line.contains("Listening on"));
            if let Some((_, address)) = line.and_then(|line| line.split_once("address=")) {
                return address.trim().parse().expect("Prometheus logs an address");
            }
            let ended = self.child.try_wait().expect("the child is ours").is_some();
            assert!(!ended && Instant::now() < end, "Prometheus does not start. {log}");
            sleep(POLL_INTERVAL).await;
        }
    }

    async fn get(&self, path: &str) -> Result<Value, Box<dyn Error>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let request = hyper::Request::get(path).header("Host", "localhost");
        let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
        Ok(serde_json::from_slice(&response.into_body().collect().await?.to_bytes())?)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `promtool check metrics` on a text exposition; the error is what it complains about.
pub fn promtool_check_metrics(text: &str) -> Result<(), String> {
    let mut promtool = Command::new("promtool");
    let promtool = promtool.args(["check", "metrics"]).stdin(Stdio::piped());
    let mut child = started(promtool.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // It reads all of it before it writes anything, so neither side can block the other.
    stdin.write_all(text.as_bytes()).expect("promtool reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("promtool ends");
    let complaints = [output.stdout, output.stderr].concat();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&complaints).into_owned()),
    }
}

fn config(target: SocketAddr) -> String {
    format!(
        "global: {{ scrape_interval: 500ms, scrape_timeout: 500ms }}\n\
         scrape_configs: [{{ job_name: test, static_configs: [{{ targets: ['{target}'] }}] }}]\n"
    )
}

fn spawn(home: &TempDir) -> Child {
    let log = File::create(home.path().join("log")).expect("a log file");
    let option = |name: &str, file: &str| format!("--{name}={}", home.path().join(file).display());
    started(
        Command::new("prometheus")
            .arg(option("config.file", "prometheus.yml"))
            .arg(option("storage.tsdb.path", "data"))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log),
    )
}

fn started(command: &mut Command) -> Child {
    match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "These tests run a real {}: install the Debian package `prometheus`.",
            command.get_program().display(),
        ),
        Err(error) => panic!("{} does not start: {error}", command.get_program().display()),
    }
}

fn percent_encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

// === tests ===

const DEADLINE: Duration = Duration::from_secs(20);

const METRICS: &str = "# HELP cats_total How many cats have been seen.\n\
    # TYPE cats_total counter\n\
    cats_total{colour=\"black\"} 3\n\
    cats_total{colour=\"white\"} 4\n";

/// Serves `METRICS` to one connection after the other, once each.
async fn serve_metrics(listener: TcpListener) {
    let length = METRICS.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n");
    while let Ok((mut stream, _)) = listener.accept().await {
        let _ = stream.read(&mut [0; 4096]).await;
        let response = format!("{head}Content-Type: text/plain; version=0.0.4\r\n\r\n{METRICS}");
        let _ = stream.write_all(response.as_bytes()).await;
    }
}

#[tokio::test]
async fn a_served_metric_is_scraped_and_queried_until_its_target_goes_down() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    let mut server = JoinSet::new();
    server.spawn(serve_metrics(listener));

    let prometheus = Prometheus::scraping(address).await;
    assert_eq!(prometheus.target_health().await, "up");
    assert_eq!(prometheus.wait_for("sum(cats_total)", |sum| sum > 6.0, DEADLINE).await, 7.0);
    assert_eq!(prometheus.query(r#"cats_total{colour="white"}"#).await, Some(4.0));
    assert_eq!(prometheus.query("dogs_total").await, None);
    let mut samples = prometheus.samples("cats_total").await.into_iter();
    assert!(samples.any(|sample| sample["metric"]["colour"] == "black"));

    server.shutdown().await;
    prometheus.wait_for("up", |up| up == 0.0, DEADLINE).await;
    assert_eq!(prometheus.target_health().await, "down");
}

#[test]
fn promtool_accepts_good_metrics_and_says_what_is_wrong_with_bad_ones() {
    assert_eq!(promtool_check_metrics(METRICS), Ok(()));
    let complaint = promtool_check_metrics("# TYPE cats counter\ncats 1\n").unwrap_err();
    assert!(complaint.contains("_total"), "{complaint}");
    assert!(promtool_check_metrics("cats{ 1\n").is_err());
}
