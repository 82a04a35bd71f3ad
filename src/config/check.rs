//! What was typed to what is meant: fills in the defaults and finds the contradictions.
//!
//! Nothing here stops at a fault: each check puts what it finds on record, leaves the thing out
//! or takes its default, and goes on. Nothing here reads YAML, opens files or resolves names.

use std::path::Path;

use log::LevelFilter;

use super::{
    Admin, Config, Log, Server, address, bounds, file,
    findings::{At, shown},
};
use listeners::{Placed, free_of};
use values::choice;

mod cors;
mod listeners;
mod path;
mod routes;
mod sse;
mod upstreams;
mod values;
mod vary;

/// The whole file; of use only if nothing was found. Certificates are looked for in `folder`.
pub(super) fn config(file: &file::File, folder: &Path, at: &At<'_>) -> Config {
    let listeners = listeners::listeners(&file.listeners, folder, &at.key("listeners"));
    let admin = admin(&file.admin, &listeners, &at.key("admin"));
    let upstreams = upstreams::upstreams(&file.upstreams, &listeners, &at.key("upstreams"));
    let routes = routes::routes(&file.routes, &upstreams, &at.key("routes"));
    Config {
        server: server(&file.server, &at.key("server")),
        listeners: listeners.into_iter().map(|placed| placed.listener).collect(),
        admin,
        upstreams: upstreams.into_usable(),
        routes,
        log: log(&file.log, &at.key("log")),
    }
}

fn server(field: &file::Field<file::Server>, at: &At<'_>) -> Server {
    let typed = field.given().and_then(|server| server.threads.given());
    let threads = match typed {
        None => None,
        Some(file::Scalar(text)) if text == "auto" => None,
        Some(file::Scalar(text)) => {
            let most = bounds::THREADS_MOST;
            let number = text.parse().ok().filter(|threads| (1..=most).contains(threads));
            if number.is_none() {
                at.key("threads").fault(
                    format!("{} is no number of threads", shown(text)),
                    format!("write auto, or 1 to {most}"),
                );
            }
            number
        }
    };
    Server { threads }
}

fn admin(field: &file::Field<file::Admin>, listeners: &[Placed], at: &At<'_>) -> Option<Admin> {
    let admin = field.given()?;
    let at = at.key("address");
    if admin.address.is_absent() {
        at.missing("write one, such as 127.0.0.1:9180, or remove admin");
    }
    let file::Scalar(text) = admin.address.given()?;
    let address = address::listen(text).map_err(|wrong| at.wrong(wrong)).ok()?;
    free_of(listeners, address, "give the admin pages a port of their own", &at);
    Some(Admin { address })
}

fn log(field: &file::Field<file::Log>, at: &At<'_>) -> Log {
    const LEVELS: &[(&str, LevelFilter)] = &[
        ("off", LevelFilter::Off),
        ("error", LevelFilter::Error),
        ("warn", LevelFilter::Warn),
        ("info", LevelFilter::Info),
        ("debug", LevelFilter::Debug),
        ("trace", LevelFilter::Trace),
    ];
    let info = LevelFilter::Info;
    let level = field.given().map(|log| choice(&log.level, info, LEVELS, &at.key("level")));
    Log { level: level.unwrap_or(info) }
}
