//! The gateway as a process, and what it uses.

use std::{
    fs,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

pub struct Gateway {
    process: Child,
    _directory: TempDir,
    pub tls: SocketAddr,
    pub plain: SocketAddr,
    admin: SocketAddr,
}

/// CPU time and proportional memory of the process so far.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub cpu: Duration,
    /// Bytes.
    pub memory: u64,
}

impl Gateway {
    pub async fn start(upstream: SocketAddr) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("sluice.yaml");
        let threads = std::env::var("THREADS").unwrap_or("2".into());
        let configuration = format!(
            "server: {{ threads: {threads} }}
listeners:
  - {{ address: '127.0.0.1:0', tls: {{ self_signed: [localhost] }} }}
  - {{ address: '127.0.0.1:0' }}
admin: {{ address: '127.0.0.1:0' }}
upstreams: {{ site: {{ address: '{upstream}' }} }}
routes: [{{ path: '/*', upstream: site, sse: {{ heartbeat: 60s }} }}]
"
        );
        fs::write(&file, configuration).expect("write the configuration");
        let log = directory.path().join("log");
        let output = fs::File::create(&log).expect("a log file");
        let process = Command::new(env!("CARGO_BIN_EXE_sluice"))
            .args(["run", "--config"])
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(output)
            .spawn()
            .expect("start the gateway");
        // Owned from here on, so that it is ended whatever happens.
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut gateway =
            Self { process, _directory: directory, tls: unknown, plain: unknown, admin: unknown };
        for _ in 0..500 {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if let [tls, plain, admin] = addresses(&text)[..] {
                (gateway.tls, gateway.plain, gateway.admin) = (tls, plain, admin);
                return gateway;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the gateway did not start: {}", fs::read_to_string(&log).unwrap_or_default());
    }

    /// A quantile of the gateway's own delay histogram, in milliseconds: the upper bound of the
    /// bucket that it falls into.
    pub async fn delivery_delay_ms(&self, quantile: f64) -> f64 {
        let metrics = self.metrics().await;
        let buckets: Vec<(f64, f64)> = metrics
            .lines()
            .filter_map(|line| line.strip_prefix("sluice_delivery_delay_seconds_bucket{le=\""))
            .filter_map(|line| line.split_once("\"} "))
            .map(|(bound, count)| (bound.parse().unwrap_or(f64::INFINITY), number(count)))
            .collect();
        let all = buckets.last().expect("buckets").1;
        let bucket = buckets.iter().find(|(_, count)| *count >= all * quantile);
        bucket.expect("a bucket").0 * 1e3
    }

    /// Streams that were ended for lagging.
    pub async fn lagging(&self) -> f64 {
        let metrics = self.metrics().await;
        let mut ends = metrics.lines().filter(|line| line.contains("reason=\"lagging\""));
        ends.next().and_then(|line| line.rsplit_once(' ')).map_or(0.0, |(_, n)| number(n))
    }

    async fn metrics(&self) -> String {
        let mut socket = TcpStream::connect(self.admin).await.expect("the admin listener");
        let request = b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
        socket.write_all(request).await.expect("ask");
        let mut text = String::new();
        socket.read_to_string(&mut text).await.expect("metrics");
        text
    }

    pub fn usage(&self) -> Usage {
        let id = self.process.id();
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).expect("a running gateway");
        let fields: Vec<&str> =
            stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<u64>().expect("a number");
        // utime and stime, in hundredths of a second (proc(5)).
        let cpu = Duration::from_millis((ticks(11) + ticks(12)) * 10);
        let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).expect("smaps");
        let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).expect("a Pss line");
        let kilobytes: u64 =
            pss.split_whitespace().next().and_then(|n| n.parse().ok()).expect("a number");
        Usage { cpu, memory: kilobytes * 1024 }
    }
}

impl Usage {
    pub fn since(&self, before: &Self) -> Self {
        Self { cpu: self.cpu - before.cpu, memory: self.memory.saturating_sub(before.memory) }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn number(text: &str) -> f64 {
    text.trim().parse().expect("a sample")
}

fn addresses(log: &str) -> Vec<SocketAddr> {
    log.lines()
        .filter_map(|line| line.split_once(" on ")?.1.split_whitespace().next())
        .filter_map(|address| address.trim_end_matches('.').parse().ok())
        .collect()
}
