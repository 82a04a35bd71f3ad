//! A real headless Chromium, driven by tests over the Chrome DevTools Protocol (CDP).
//!
//! A [`Browser`] is one process with an empty profile; a [`Page`] is one of its tabs. Whatever a
//! test asks for either happens before its deadline or the test fails with a panic that says what
//! was awaited and what the page logged meanwhile.
//!
//! ```text
//! let browser = Browser::start().await;
//! let page = browser.page().await;
//! page.goto(&format!("https://app.test:{port}/many.html?count=30&url=/sse.php?id={{i}}")).await;
//! page.wait_for("state.open === 30", DEADLINE).await;
//! let streams = page.network().into_iter().filter(|request| request.kind == "EventSource");
//! let connections: HashSet<_> = streams.map(|request| request.connection).collect();
//! assert_eq!(connections.len(), 1);
//! ```
//!
//! The protocol is spoken here by a few dozen lines: six domains are used, and the crates that
//! know all of it bring megabytes of generated code which has to be kept in step with Chromium.

mod cdp;
mod page;
mod process;
mod record;
mod self_test;
mod sse_server;

use std::sync::Arc;

use serde_json::json;

use cdp::Connection;
use process::Process;

pub use page::Page;
pub use record::{Outcome, Request};

/// A running Chromium. It and all its pages end when this is dropped.
pub struct Browser {
    connection: Arc<Connection>,
    process: Process,
}

impl Browser {
    /// Starts Chromium and waits until it answers.
    ///
    /// Every name under `.test` is 127.0.0.1 for it, and it accepts any certificate.
    pub async fn start() -> Browser {
        let (process, pipes) = Process::start();
        let browser = Browser { connection: Arc::new(Connection::over(pipes)), process };
        if let Err(error) = browser.connection.call(None, "Browser.getVersion", json!({})).await {
            panic!("Chromium does not start: {error}\n{}", browser.process.log());
        }
        browser
    }

    /// Opens a tab. The tabs of one browser share cookies and connections, as one user's do.
    pub async fn page(&self) -> Page {
        Page::open(&self.connection, json!({ "url": "about:blank" })).await
    }

    /// Opens a tab that shares neither cookies nor connections: another user.
    pub async fn private_page(&self) -> Page {
        let context = self.connection.call(None, "Target.createBrowserContext", json!({})).await;
        let context = context.unwrap_or_else(|error| panic!("No new context: {error}"));
        let context = &context["browserContextId"];
        let target = json!({ "url": "about:blank", "browserContextId": context });
        Page::open(&self.connection, target).await
    }
}
