//! Routes: where each leads, and that each can be reached.

use std::{net::Ipv6Addr, sync::Arc};

use super::{
    path, sse,
    upstreams::Upstreams,
    values::{items, need_items},
};
use crate::config::{
    PathPattern, Route, Upstream, address, bounds,
    file::{self, Field},
    findings::{At, Wrong, shown},
    key_path::KeyPath,
    nearest::did_you_mean,
};

/// What a route matches.
struct Matches {
    host: Option<String>,
    path: PathPattern,
}

pub(super) fn routes(
    field: &Field<Vec<Field<file::Route>>>,
    upstreams: &Upstreams,
    at: &At<'_>,
) -> Vec<Arc<Route>> {
    need_items(field, "write at least one, such as '- { path: /*, upstream: php }'", at);
    let mut earlier: Vec<(KeyPath, Matches)> = Vec::new();
    let mut usable = Vec::new();
    for (typed, at) in items(field, bounds::ROUTES, at) {
        let upstream = upstream(&typed.upstream, upstreams, &at.key("upstream"));
        let sse = typed.sse.given().map(|typed| sse::sse(typed, &at.key("sse")));
        let Some(matches) = matches(typed, &at) else {
            continue;
        };
        can_be_reached(&matches, &earlier, &at);
        if let Some(upstream) = upstream {
            let Matches { host, path } = &matches;
            let name = format!("{}{}", host.as_deref().unwrap_or(""), written(path));
            let (host, path) = (host.clone(), path.clone());
            usable.push(Arc::new(Route { name, path, host, upstream, sse }));
        }
        earlier.push((at.path().clone(), matches));
    }
    usable
}

fn upstream(field: &Field<String>, upstreams: &Upstreams, at: &At<'_>) -> Option<Arc<Upstream>> {
    let names = upstreams.names();
    if names.is_empty() {
        // That there are none at all is on record; each route need not say so too.
        return None;
    }
    let known = format!("Upstreams: {}", names.join(", "));
    if field.is_absent() {
        at.missing(format!("name one. {known}"));
    }
    let name = field.given()?;
    if !names.contains(&name.as_str()) {
        let fix = format!("{}{known}", did_you_mean(name, &names));
        at.fault(format!("there is no upstream {}", shown(name)), fix);
    }
    upstreams.usable(name)
}

fn matches(typed: &file::Route, at: &At<'_>) -> Option<Matches> {
    let host = match typed.host.given() {
        Some(text) => Some(host(text).map_err(|wrong| at.key("host").wrong(wrong))),
        None if typed.host.is_absent() => None,
        None => Some(Err(())),
    };
    let at = at.key("path");
    if typed.path.is_absent() {
        at.missing("write one, such as /sse.php or /*");
    }
    let text = typed.path.given()?;
    let path = path::path(text).map_err(|wrong| at.wrong(wrong)).ok()?;
    Some(Matches { host: host.transpose().ok()?, path })
}

/// The host of a request's `Host` header without its port, in lower case.
fn host(text: &str) -> Result<String, Wrong> {
    let wrong = |what: &str, fix: String| Wrong::new(format!("{} {what}", shown(text)), fix);
    if let Some((_, rest)) = text.split_once("://") {
        return Err(wrong(
            "holds a scheme",
            format!("write {}", shown(rest.trim_end_matches('/'))),
        ));
    }
    if text.contains('*') {
        let fix = "write one route for each host, or leave host out".to_owned();
        return Err(wrong("holds a '*', but a host is compared whole", fix));
    }
    if let Some((name, port)) = text.rsplit_once(':')
        && port.bytes().all(|b| b.is_ascii_digit())
        && (name.ends_with(']') || !name.contains(':'))
    {
        return Err(wrong("holds a port, which is not compared", format!("write {}", shown(name))));
    }
    if text.contains([':', '[', ']']) {
        let v6 = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let known = v6.and_then(|v6| v6.parse::<Ipv6Addr>().ok());
        return known.map(|ip| format!("[{ip}]")).ok_or_else(|| {
            wrong("is no IPv6 address", "write it as browsers do, such as [::1]".to_owned())
        });
    }
    address::host_name(text)
}

fn can_be_reached(matches: &Matches, earlier: &[(KeyPath, Matches)], at: &At<'_>) {
    let covering = earlier.iter().find(|(_, other)| {
        (other.host.is_none() || other.host == matches.host)
            && path::covers(&other.path, &matches.path)
    });
    if let Some((place, other)) = covering {
        let name = written(&other.path);
        at.key("path").fault(
            format!("{place} ({name}) already takes every request that this route would"),
            format!("put it above {place}, or remove it"),
        );
    }
}

fn written(path: &PathPattern) -> String {
    match path {
        PathPattern::Exact(path) => path.clone(),
        PathPattern::Prefix(folder) => format!("{folder}*"),
    }
}
