//! What goes wrong upstream.

use std::time::Duration;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::{Instant, sleep};

use crate::origin::{Nginx, PhpFpm};

/// A site that is about to have a bad minute.
pub struct Trouble {
    pub fpm: PhpFpm,
    pub nginx: Nginx,
    /// The script whose workers are killed.
    pub script: &'static str,
}

impl Trouble {
    /// Makes trouble for so long, then calls `last` and leaves the site as it is, running.
    pub async fn make(mut self, run: Duration, last: impl AsyncFnOnce()) {
        let until = Instant::now() + run;
        let mut round = 0;
        while Instant::now() < until {
            sleep(Duration::from_millis(fastrand::u64(300..1500))).await;
            match round % 3 {
                0 => self.fpm.reload().await,
                1 => self.nginx.restart().await,
                _ => self.kill_a_worker(),
            }
            round += 1;
        }
        assert!(round >= 3, "each kind of trouble was made");
        last().await;
        // The site lives on until the test's runtime ends.
        tokio::spawn(async move {
            let _site = self;
            std::future::pending::<()>().await;
        });
    }

    /// As the kernel does when memory runs out.
    fn kill_a_worker(&self) {
        let requests = self.fpm.requests().of(self.script);
        if let Some(request) = requests.iter().rfind(|request| !request.ended) {
            let pid = Pid::from_raw(i32::try_from(request.pid).expect("a process id"));
            // It may have died a moment ago: that is what it does.
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}
