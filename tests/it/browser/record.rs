//! What a page has reported: the documents it loaded, its console, and its network requests.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

/// One request, as the browser's network stack saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub url: String,
    /// A CORS preflight is an `OPTIONS` that no page asked for.
    pub method: String,
    /// Chromium's resource type: `Document`, `EventSource`, `Fetch` and so on.
    pub kind: String,
    /// `h2` or `http/1.1`, known once the response's head is there.
    pub protocol: Option<String>,
    /// Requests that ran over one connection have the same number here.
    pub connection: Option<u64>,
    pub status: Option<u16>,
    /// What the page's EventSource says that it has.
    pub last_event_id: Option<String>,
    pub outcome: Outcome,
    /// Of a chain of redirects, all requests have the same.
    id: String,
}

/// How far a request has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits for a connection or for its response, or it streams.
    Pending,
    /// The response has come to its regular end.
    Finished,
    /// The browser's name for the trouble, such as `net::ERR_CONNECTION_REFUSED`.
    Failed(String),
}

/// Everything that one page has reported since it was opened.
#[derive(Default)]
pub struct Record {
    pub console: Vec<String>,
    pub requests: Vec<Request>,
    /// The loader IDs of the documents whose `load` event has fired.
    pub loaded: HashSet<String>,
    /// Last event IDs of requests that are told of only after their headers.
    early_ids: HashMap<String, String>,
}

impl Record {
    /// Takes in one CDP event.
    pub fn event(&mut self, method: &str, params: &Value) {
        match method {
            "Page.lifecycleEvent" if params["name"] == "load" => {
                self.loaded.insert(text(&params["loaderId"]));
            }
            "Runtime.consoleAPICalled" => self.console.push(console_line(&params["args"])),
            "Runtime.exceptionThrown" => {
                self.console.push(exception(&params["exceptionDetails"]));
            }
            "Log.entryAdded" => {
                let entry = &params["entry"];
                self.console.push(format!("{} {}", text(&entry["text"]), text(&entry["url"])));
            }
            "Network.requestWillBeSent" => self.request_sent(params),
            "Network.requestWillBeSentExtraInfo" => self.headers_sent(params),
            "Network.responseReceived" => self.response(params, &params["response"]),
            "Network.loadingFinished" => self.ended(params, Outcome::Finished),
            "Network.loadingFailed" => {
                self.ended(params, Outcome::Failed(text(&params["errorText"])));
            }
            _ => {}
        }
    }

    fn request_sent(&mut self, params: &Value) {
        let mut kind = text(&params["type"]);
        // A redirect is told only by the request that follows it, which has the same ID.
        if let Some(redirect) = params.get("redirectResponse") {
            self.response(params, redirect);
            self.ended(params, Outcome::Finished);
            // Chromium calls what follows `Other`; it still is what the page asked for.
            if let Some(redirected) = self.latest(params) {
                kind = redirected.kind.clone();
            }
        }
        self.requests.push(Request {
            url: text(&params["request"]["url"]),
            method: text(&params["request"]["method"]),
            kind,
            protocol: None,
            connection: None,
            status: None,
            last_event_id: self.early_ids.remove(&text(&params["requestId"])),
            outcome: Outcome::Pending,
            id: text(&params["requestId"]),
        });
    }

    /// The headers as they went out. They are told before or after the request itself.
    fn headers_sent(&mut self, params: &Value) {
        let Some(sent) = last_event_id(&params["headers"]) else { return };
        match self.latest(params) {
            Some(request) => request.last_event_id = Some(sent),
            None => {
                self.early_ids.insert(text(&params["requestId"]), sent);
            }
        }
    }

    fn response(&mut self, params: &Value, response: &Value) {
        if let Some(request) = self.latest(params) {
            request.protocol = response["protocol"].as_str().map(str::to_owned);
            // CDP numbers are doubles.
            request.connection = response["connectionId"].as_f64().map(|number| number as u64);
            request.status = response["status"].as_u64().and_then(|code| code.try_into().ok());
        }
    }

    fn ended(&mut self, params: &Value, outcome: Outcome) {
        if let Some(request) = self.latest(params) {
            request.outcome = outcome;
        }
    }

    fn latest(&mut self, params: &Value) -> Option<&mut Request> {
        let id = params["requestId"].as_str()?;
        self.requests.iter_mut().rev().find(|request| request.id == id)
    }
}

/// The text of a JavaScript exception, as CDP describes it.
pub fn exception(details: &Value) -> String {
    let description = &details["exception"]["description"];
    text(if description.is_string() { description } else { &details["text"] })
}

/// What `console.log` and its kin were given, separated by spaces.
fn console_line(arguments: &Value) -> String {
    let one = |argument: &Value| match argument.get("value") {
        Some(value) => text(value),
        None => text(&argument["description"]),
    };
    let arguments = arguments.as_array().map(Vec::as_slice).unwrap_or_default();
    arguments.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn last_event_id(headers: &Value) -> Option<String> {
    let mut headers = headers.as_object()?.iter();
    let (_, id) = headers.find(|(name, _)| name.eq_ignore_ascii_case("last-event-id"))?;
    id.as_str().map(str::to_owned)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
