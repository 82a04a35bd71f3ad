//! Listeners: addresses that do not collide, and TLS that says one thing.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use super::values::{count, items, need_items, no_repeats};
use crate::config::{
    CertificateFiles, Listener, Tls, address, bounds,
    file::{self, Field},
    findings::{At, Wrong},
    key_path::KeyPath,
};

const TLS_KEYS: [&str; 4] = ["cert", "key", "certs", "self_signed"];

/// A usable listener, and where the file has it.
pub(super) struct Placed {
    pub(super) listener: Listener,
    pub(super) place: KeyPath,
}

pub(super) fn listeners(
    field: &Field<Vec<Field<file::Listener>>>,
    folder: &Path,
    at: &At<'_>,
) -> Vec<Placed> {
    need_items(field, "write at least one, such as '- address: 127.0.0.1:8080'", at);
    let mut usable: Vec<Placed> = Vec::new();
    for (typed, at) in items(field, bounds::LIST_ITEMS, at) {
        let Some(listener) = listener(typed, folder, &at) else {
            continue;
        };
        free_of(&usable, listener.address, "give each listener its own", &at.key("address"));
        usable.push(Placed { listener, place: at.path().clone() });
    }
    usable
}

/// Says so if a listener has the address already.
pub(super) fn free_of(listeners: &[Placed], address: SocketAddr, fix: &str, at: &At<'_>) {
    let taken = listeners.iter().find(|other| overlap(other.listener.address, address));
    if let Some(Placed { listener, place }) = taken {
        at.fault(format!("{place} has this address ({})", listener.address), fix);
    }
}

/// Whether both cannot be bound at once. Two free ports are two ports.
///
/// A wildcard of the other family is left alone: whether `[::]` takes IPv4 too is the system's.
pub(super) fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let wildcard = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port()
        && one.port() != 0
        && (one.ip() == other.ip() || (wildcard && one.is_ipv4() == other.is_ipv4()))
}

fn listener(typed: &file::Listener, folder: &Path, at: &At<'_>) -> Option<Listener> {
    let max_streams = count(&typed.max_streams, &bounds::LISTENER_STREAMS, &at.key("max_streams"));
    let tls = typed.tls.given().map(|tls| self::tls(tls, folder, &at.key("tls")));
    let at = at.key("address");
    if typed.address.is_absent() {
        at.missing("write one, such as 127.0.0.1:8080");
    }
    let file::Scalar(text) = typed.address.given()?;
    let address = address::listen(text).map_err(|wrong| at.wrong(wrong)).ok()?;
    Some(Listener { address, tls: tls.flatten(), max_streams })
}

fn tls(typed: &file::Tls, folder: &Path, at: &At<'_>) -> Option<Tls> {
    let pair = !(typed.cert.is_absent() && typed.key.is_absent());
    let ways = [pair, !typed.certs.is_absent(), !typed.self_signed.is_absent()];
    match ways.iter().filter(|given| **given).count() {
        0 if TLS_KEYS.iter().any(|key| at.key(key).is_meant()) => {}
        0 => at.fault(
            "says nothing of a certificate",
            "write cert and key, or certs, or self_signed: [localhost] for a try-out",
        ),
        1 => {}
        _ => at.fault(
            "names its certificate in more than one way",
            "keep one of cert and key, certs, self_signed",
        ),
    }
    if pair {
        let files = files(&typed.cert, &typed.key, folder, at);
        return files.map(|files| Tls::Files(vec![files]));
    }
    if !typed.certs.is_absent() {
        return certs(&typed.certs, folder, &at.key("certs"));
    }
    typed.self_signed.given()?;
    self_signed(&typed.self_signed, &at.key("self_signed"))
}

fn certs(field: &Field<Vec<Field<file::Certificate>>>, folder: &Path, at: &At<'_>) -> Option<Tls> {
    need_items(field, "write at least one '- { cert: …, key: … }'", at);
    let list: Vec<_> = items(field, bounds::LIST_ITEMS, at)
        .into_iter()
        .filter_map(|(typed, at)| files(&typed.cert, &typed.key, folder, &at))
        .collect();
    Some(Tls::Files(list))
}

fn files(
    cert: &Field<String>,
    key: &Field<String>,
    folder: &Path,
    at: &At<'_>,
) -> Option<CertificateFiles> {
    let cert = pem(cert, folder, &at.key("cert"), "the PEM file of the certificate chain");
    let key = pem(key, folder, &at.key("key"), "the PEM file of the private key");
    Some(CertificateFiles { cert: cert?, key: key? })
}

fn pem(field: &Field<String>, folder: &Path, at: &At<'_>, what: &str) -> Option<PathBuf> {
    if field.is_absent() {
        at.missing(format!("name {what}"));
    }
    let name = field.given()?;
    if name.is_empty() {
        at.fault("names no file", format!("name {what}"));
    }
    Some(folder.join(name))
}

fn self_signed(field: &Field<Vec<Field<String>>>, at: &At<'_>) -> Option<Tls> {
    need_items(field, "write [localhost]", at);
    let mut names = Vec::new();
    for (typed, at) in items(field, bounds::LIST_ITEMS, at) {
        match host_or_ip(typed) {
            Ok(name) => names.push((name, at)),
            Err(wrong) => at.wrong(wrong),
        }
    }
    no_repeats(&names);
    Some(Tls::SelfSigned(names.into_iter().map(|(name, _)| name).collect()))
}

fn host_or_ip(text: &str) -> Result<String, Wrong> {
    match text.parse::<IpAddr>() {
        Ok(ip) => Ok(ip.to_string()),
        Err(_) => address::host_name(text),
    }
}
