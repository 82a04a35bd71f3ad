//! Guards the floors of the house: who may import whom, and which crate may be named where.
//!
//! The table below is the architecture. A file that is in no room of it fails the test, so that
//! a new room is a decision.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A module of the crate: its floor, and the modules of other rooms on its own floor that it may
/// import besides all lower floors.
struct Room {
    name: &'static str,
    floor: u8,
    neighbours: &'static [&'static str],
}

const fn room(name: &'static str, floor: u8, neighbours: &'static [&'static str]) -> Room {
    Room { name, floor, neighbours }
}

const ROOMS: &[Room] = &[
    room("main", 5, &[]),
    room("app", 4, &["gateway", "proxy", "admin"]),
    room("gateway", 4, &["proxy"]),
    room("proxy", 4, &[]),
    room("admin", 4, &[]),
    room("downstream", 3, &["route", "cors"]),
    room("route", 3, &[]),
    room("cors", 3, &[]),
    room("upstream", 3, &[]),
    room("hub", 2, &[]),
    room("config", 1, &[]),
    room("metrics", 1, &[]),
    room("drain", 1, &[]),
    room("sse", 0, &[]),
    room("topic_key", 0, &[]),
    room("refusal", 0, &[]),
];

/// Crates that only some rooms may name.
const CRATES: &[(&str, &[&str])] = &[
    ("pingora", &["app", "gateway", "proxy", "admin", "downstream", "upstream", "route"]),
    ("h2", &["downstream"]),
    ("http", &["proxy", "admin", "downstream", "route", "cors", "upstream"]),
    ("rustls", &["downstream"]),
    ("rcgen", &["downstream"]),
    ("serde", &["config"]),
    ("serde_yaml", &["config"]),
    ("prometheus", &["metrics"]),
    ("clap", &["main"]),
    ("env_logger", &["main"]),
    ("arc_swap", &["app", "downstream"]),
    (
        "tokio",
        &["main", "app", "gateway", "proxy", "admin", "downstream", "upstream", "hub", "drain"],
    ),
];

#[test]
fn no_file_imports_a_room_above_or_beside_its_own() {
    let faults: Vec<String> = sources().iter().flat_map(imports_out_of_place).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_file_names_a_crate_that_its_room_must_not_know() {
    let faults: Vec<String> = sources().iter().flat_map(crates_out_of_place).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_guard_sees_an_import_that_breaks_a_floor() {
    let broken = |room, text: &str| Source { room, file: "x.rs".into(), text: text.into() };
    let hub = broken("hub", "use crate::{\n    downstream::Listen,\n    sse,\n};");
    assert_eq!(imports_out_of_place(&hub).len(), 1);
    let nested = broken("upstream", "fn f() { crate::route::key(); }");
    assert_eq!(imports_out_of_place(&nested).len(), 1);
    let http = broken("hub", "fn f(head: http::HeaderMap) {}");
    assert_eq!(crates_out_of_place(&http).len(), 1);
    let fine = broken("downstream", "use crate::{hub::Hub, route::Route};\nuse http::Method;");
    assert!(imports_out_of_place(&fine).is_empty() && crates_out_of_place(&fine).is_empty());
}

struct Source {
    room: &'static str,
    file: PathBuf,
    text: String,
}

/// Every source file with its room; the library's face, `lib.rs`, is in none.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 40, "only {} source files were found", files.len());
    let found: BTreeSet<&str> = files.iter().filter_map(|f| room_of(&root, f)).collect();
    let known: BTreeSet<&str> = ROOMS.iter().map(|room| room.name).collect();
    assert_eq!(found, known, "the table names each room, and each room exists");
    files
        .into_iter()
        .filter_map(|file| {
            let room = room_of(&root, &file)?;
            let text = without_comments(&fs::read_to_string(&file).expect("a source file"));
            Some(Source { room, file, text })
        })
        .collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a source directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

fn room_of(root: &Path, file: &Path) -> Option<&'static str> {
    let inside = file.strip_prefix(root).expect("a file of src");
    let first = inside.components().next()?.as_os_str().to_str()?;
    let name = first.trim_end_matches(".rs");
    if name == "lib" {
        return None;
    }
    let room = ROOMS.iter().find(|room| room.name == name);
    Some(room.unwrap_or_else(|| panic!("{name} is in no room: give it a floor")).name)
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    )
}

fn imports_out_of_place(source: &Source) -> Vec<String> {
    let own = ROOMS.iter().find(|room| room.name == source.room).expect("a room");
    let allowed = |name: &str| {
        let Some(room) = ROOMS.iter().find(|room| room.name == name) else { return true };
        room.name == own.name || room.floor < own.floor || own.neighbours.contains(&name)
    };
    imported_rooms(&source.text)
        .into_iter()
        .filter(|name| !allowed(name))
        .map(|name| format!("{}: {} must not import {name}", source.file.display(), own.name))
        .collect()
}

/// The first names after `crate::` and, in main, `sluice::`, of single paths and of braced lists.
fn imported_rooms(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for start in ["crate::", "sluice::"] {
        for (at, _) in text.match_indices(start) {
            let rest = &text[at + start.len()..];
            match rest.strip_prefix('{') {
                Some(list) => names.extend(top_level_names(list)),
                None => names.push(leading_name(rest)),
            }
        }
    }
    names
}

/// The names that begin each item of a braced list, up to its closing brace.
fn top_level_names(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut item) = (0, Vec::new(), String::new());
    for character in list.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(leading_name(&std::mem::take(&mut item))),
            _ if depth == 0 => item.push(character),
            _ => {}
        }
    }
    names.push(leading_name(&item));
    names.retain(|name| !name.is_empty());
    names
}

fn leading_name(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn crates_out_of_place(source: &Source) -> Vec<String> {
    CRATES
        .iter()
        .filter(|(name, rooms)| !rooms.contains(&source.room) && names_crate(&source.text, name))
        .map(|(name, _)| format!("{}: {} must not name {name}", source.file.display(), source.room))
        .collect()
}

/// Whether a path begins with this crate's name: not as part of a longer name or path.
fn names_crate(text: &str, name: &str) -> bool {
    text.match_indices(&format!("{name}::")).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}
