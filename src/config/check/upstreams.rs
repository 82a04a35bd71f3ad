//! Upstreams: where the site is, and how gently it is to be asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use super::{
    listeners::{Placed, overlap},
    values::{count, duration, duration_or_off, is_name, items, need_items, no_repeats},
};
use crate::config::{
    Address, Listener, Upstream, UpstreamTls, address, bounds,
    file::{self, Field, Scalar},
    findings::At,
};

/// The upstreams of the file: those that can be used, and the names of all.
pub(super) struct Upstreams {
    usable: BTreeMap<String, Arc<Upstream>>,
    names: BTreeSet<String>,
}

pub(super) fn upstreams(
    field: &Field<BTreeMap<String, Field<file::Upstream>>>,
    listeners: &[Placed],
    at: &At<'_>,
) -> Upstreams {
    let mut found = Upstreams { usable: BTreeMap::new(), names: BTreeSet::new() };
    let fix = "name at least one, with its address";
    match field {
        Field::Absent => at.missing(fix),
        Field::Given(named) if named.is_empty() => at.fault("names nothing", fix),
        Field::Given(_) | Field::Faulty => {}
    }
    for (name, typed) in field.given().into_iter().flatten() {
        let at = at.key(name);
        found.names.insert(name.clone());
        if !is_name(name) {
            let most = bounds::NAME_BYTES;
            at.fault(
                "this name would be hard to read in logs and metrics",
                format!("use letters, digits, '-', '_' and '.', at most {most}"),
            );
        }
        if let Some(upstream) = typed.given().and_then(|u| upstream(name, u, listeners, &at)) {
            found.usable.insert(name.clone(), Arc::new(upstream));
        }
    }
    found
}

impl Upstreams {
    pub(super) fn usable(&self, name: &str) -> Option<Arc<Upstream>> {
        self.usable.get(name).cloned()
    }

    /// Every name that the file gives, also of those that were refused.
    pub(super) fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    pub(super) fn into_usable(self) -> BTreeMap<String, Arc<Upstream>> {
        self.usable
    }
}

fn upstream(
    name: &str,
    typed: &file::Upstream,
    listeners: &[Placed],
    at: &At<'_>,
) -> Option<Upstream> {
    let addresses = addresses(typed, listeners, at);
    let tls = typed.tls.given().and_then(|tls| self::tls(tls, &addresses, &at.key("tls")));
    let max_streams = count(&typed.max_streams, &bounds::UPSTREAM_STREAMS, &at.key("max_streams"));
    let stagger = &bounds::CONNECT_STAGGER;
    let connect_stagger = duration(&typed.connect_stagger, stagger, &at.key("connect_stagger"));
    let timeout = &bounds::CONNECT_TIMEOUT;
    let connect_timeout = duration(&typed.connect_timeout, timeout, &at.key("connect_timeout"));
    let read_timeout = duration_or_off(
        &typed.read_timeout,
        bounds::READ_TIMEOUT_LEAST,
        bounds::READ_TIMEOUT_MOST,
        &at.key("read_timeout"),
    );
    (!addresses.is_empty()).then(|| Upstream {
        name: name.to_owned(),
        addresses,
        tls,
        max_streams,
        connect_stagger,
        connect_timeout,
        read_timeout,
    })
}

fn addresses(typed: &file::Upstream, listeners: &[Placed], at: &At<'_>) -> Vec<Address> {
    match (typed.address.is_absent(), typed.addresses.is_absent()) {
        (true, true) => at.key("address").missing("write one, such as 127.0.0.1:8000"),
        (false, false) => {
            at.key("addresses").fault("address is given as well", "keep one of the two");
        }
        _ => {}
    }
    let list_at = at.key("addresses");
    if !typed.addresses.is_absent() {
        need_items(&typed.addresses, "write at least one, such as [127.0.0.1:8000]", &list_at);
    }
    let single = typed.address.given().map(|text| (text, at.key("address")));
    let listed = items(&typed.addresses, bounds::LIST_ITEMS, &list_at);
    let mut found = Vec::new();
    for (Scalar(text), at) in single.into_iter().chain(listed) {
        match address::connect(text) {
            Ok(address) => {
                not_ourselves(&address, listeners, &at);
                found.push((address, at));
            }
            Err(wrong) => at.wrong(wrong),
        }
    }
    no_repeats(&found);
    found.into_iter().map(|(address, _)| address).collect()
}

/// A gateway that is its own upstream would send every request in circles.
fn not_ourselves(address: &Address, listeners: &[Placed], at: &At<'_>) {
    let Address::Tcp { host, port } = address else {
        return;
    };
    let host = if host == "localhost" { "127.0.0.1" } else { host };
    let Ok(ip) = host.parse::<IpAddr>() else {
        return;
    };
    let ours = |own: &Listener| {
        let same = own.address.ip() == ip;
        let all = own.address.ip().is_unspecified() && (ip.is_loopback() || ip.is_unspecified());
        *port == own.address.port() && (same || all) && overlap(own.address, (ip, *port).into())
    };
    if let Some(Placed { place, .. }) = listeners.iter().find(|own| ours(&own.listener)) {
        at.fault(
            format!("this is the gateway itself ({place}), so requests would go in circles"),
            "write the site's address",
        );
    }
}

fn tls(typed: &file::UpstreamTls, addresses: &[Address], at: &At<'_>) -> Option<UpstreamTls> {
    let verify = typed.verify.given().copied().unwrap_or(true);
    let at = at.key("sni");
    let sni = match typed.sni.given() {
        Some(name) => match name.parse::<IpAddr>() {
            Ok(ip) => ip.to_string(),
            Err(_) => address::host_name(name).map_err(|wrong| at.wrong(wrong)).ok()?,
        },
        None if typed.sni.is_absent() => match only_host(addresses) {
            Some(host) => host,
            None if addresses.is_empty() => return None,
            None => {
                at.missing("write the name that the upstream's certificate is for");
                return None;
            }
        },
        None => return None,
    };
    Some(UpstreamTls { sni, verify })
}

/// The one host name that all addresses share, if they do.
fn only_host(addresses: &[Address]) -> Option<String> {
    let mut hosts = addresses.iter().map(|address| match address {
        Address::Tcp { host, .. } if host.parse::<IpAddr>().is_err() => Some(host),
        Address::Tcp { .. } | Address::Unix(_) => None,
    });
    let first = hosts.next()??;
    hosts.all(|host| host == Some(first)).then(|| first.clone())
}
