//! One tab: it goes to URLs, runs JavaScript, and tells what it logged and requested.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::cdp::Connection;
use super::record::{Record, Request, exception};

/// How long a page may take until its `load` event.
const LOAD_DEADLINE: Duration = Duration::from_secs(30);

/// Short beside what is awaited, long beside what one evaluation costs.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// An open tab; [`Page::close`] or the end of its browser closes it.
pub struct Page {
    connection: Arc<Connection>,
    target: String,
    session: String,
    record: watch::Receiver<Record>,
}

impl Page {
    /// Goes to a URL and waits for the document's `load` event.
    pub async fn goto(&self, url: &str) {
        let reply = self.call("Page.navigate", json!({ "url": url })).await;
        assert!(reply.get("errorText").is_none(), "Cannot go to {url}: {}", reply["errorText"]);
        let Some(loader) = reply["loaderId"].as_str() else {
            return; // Only the fragment differs: the document is the one already loaded.
        };
        let mut record = self.record.clone();
        let loaded = record.wait_for(|record| record.loaded.contains(loader));
        match timeout(LOAD_DEADLINE, loaded).await {
            Ok(loaded) => drop(loaded.expect("Chromium has ended while it loaded a page.")),
            Err(_) => panic!("{url} has not loaded in {LOAD_DEADLINE:?}. {}", self.story()),
        }
    }

    /// Evaluates an expression, awaits it if it is a promise, and gives its value as JSON.
    pub async fn eval(&self, expression: &str) -> Value {
        match self.try_eval(expression).await {
            Ok(value) => value,
            Err(error) => panic!("`{expression}` fails: {error} {}", self.story()),
        }
    }

    /// Waits until an expression is truthy; panics when it is not in time.
    pub async fn wait_for(&self, predicate: &str, deadline: Duration) {
        let expression = format!("(async () => Boolean(await ({predicate})))()");
        let end = Instant::now() + deadline;
        loop {
            // An error may be a document that is just being replaced: it counts as not yet.
            let last = self.try_eval(&expression).await;
            if last == Ok(Value::Bool(true)) {
                return;
            }
            if Instant::now() >= end {
                panic!("`{predicate}` is {last:?} after {deadline:?}. {}", self.story());
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// What the page and the browser wrote to the console, uncaught exceptions among it.
    pub fn console(&self) -> Vec<String> {
        self.record.borrow().console.clone()
    }

    /// Every request of this page, oldest first.
    pub fn network(&self) -> Vec<Request> {
        self.record.borrow().requests.clone()
    }

    /// Waits until the requests are as wanted, and gives them; panics when they are not in time.
    pub async fn wait_for_network(
        &self,
        wanted: impl Fn(&[Request]) -> bool,
        deadline: Duration,
    ) -> Vec<Request> {
        let mut record = self.record.clone();
        let changed = record.wait_for(|record| wanted(&record.requests));
        match timeout(deadline, changed).await {
            Ok(Ok(record)) => record.requests.clone(),
            Ok(Err(_)) => panic!("Chromium has ended while requests were awaited."),
            Err(_) => panic!("After {deadline:?} the requests are {:#?}.", self.network()),
        }
    }

    /// Writes a PNG of what the tab shows.
    pub async fn screenshot(&self, path: impl AsRef<Path>) {
        // A tab in the background is not painted.
        self.call("Page.bringToFront", json!({})).await;
        let reply = self.call("Page.captureScreenshot", json!({ "format": "png" })).await;
        let png = reply["data"].as_str().expect("a screenshot is a string");
        let png = BASE64_STANDARD.decode(png).expect("a screenshot is Base64");
        fs::write(path, png).expect("the screenshot's path can be written");
    }

    /// Closes the tab, as its user would.
    pub async fn close(self) {
        self.call("Target.closeTarget", json!({ "targetId": self.target })).await;
    }

    pub(super) async fn open(connection: &Arc<Connection>, target: Value) -> Page {
        let call = async |method, params| {
            let reply = connection.call(None, method, params).await;
            reply.unwrap_or_else(|error| panic!("No new page: {error}"))
        };
        let target = call("Target.createTarget", target).await;
        let target = target["targetId"].as_str().expect("a target has an ID").to_owned();
        let attach = json!({ "targetId": target, "flatten": true });
        let session = call("Target.attachToTarget", attach).await;
        let session = session["sessionId"].as_str().expect("a session has an ID").to_owned();
        let record = connection.record(&session);
        let page = Page { connection: Arc::clone(connection), target, session, record };
        for domain in ["Page", "Runtime", "Network", "Log"] {
            page.call(&format!("{domain}.enable"), json!({})).await;
        }
        page.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true })).await;
        page
    }

    async fn try_eval(&self, expression: &str) -> Result<Value, String> {
        let params =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let call = self.connection.call(Some(&self.session), "Runtime.evaluate", params);
        let mut reply = call.await?;
        match reply.get("exceptionDetails") {
            Some(details) => Err(exception(details)),
            None => Ok(reply["result"]["value"].take()),
        }
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        match self.connection.call(Some(&self.session), method, params).await {
            Ok(result) => result,
            Err(error) => panic!("{method} fails: {error} {}", self.story()),
        }
    }

    /// What a failed test should know of the page.
    fn story(&self) -> String {
        format!("The console says {:#?}.", self.console())
    }
}
