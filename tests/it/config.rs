//! The configuration as operators meet it: good files mean what they say, bad ones are answered
//! with every fault at once, and the reference tells the truth about keys and defaults.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_yaml::Value;
use sluice::config::{
    Address, Config, ConfigError, Ids, LateJoin, Names, PathPattern, Sse, Tls, UpstreamTls,
};

const SMALLEST: &str = "\
listeners:
  - address: 127.0.0.1:8080
upstreams:
  php:
    address: 127.0.0.1:8000
routes:
  - path: /sse.php
    upstream: php
    sse:
";

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn load(text: &str) -> Config {
    Config::from_yaml(text, "test.yaml").unwrap_or_else(|error| panic!("{error}"))
}

fn shared(config: &Config, route: usize) -> &Sse {
    config.routes[route].sse.as_ref().expect("a shared route")
}

/// The YAML files of a folder; never none, lest a test of all of them test nothing.
fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(project(folder)).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    assert!(!files.is_empty(), "no YAML files in {folder}");
    files
}

// === what is said of bad files ===

#[test]
fn every_bad_file_is_answered_with_exactly_its_message() {
    let files = yaml_files("tests/config/bad");
    assert!(files.len() >= 25);
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let expected = text_of(&file.with_extension("txt"));
        match Config::from_yaml(&text_of(&file), name) {
            Ok(_) => panic!("{name} loads"),
            Err(error) => assert_eq!(format!("{error}\n"), expected, "{name}"),
        }
    }
}

#[test]
fn every_expected_message_has_its_bad_file() {
    for entry in fs::read_dir(project("tests/config/bad")).expect("the folder is there") {
        let path = entry.expect("readable").path();
        assert!(path.with_extension("yaml").exists(), "{} has no YAML", path.display());
        assert!(path.with_extension("txt").exists(), "{} has no message", path.display());
    }
}

#[test]
fn faults_are_told_in_the_order_of_their_lines_and_bounded_in_number() {
    let keys: String = (0..150).rev().map(|n| format!("wrong{n}: 1\n")).collect();
    let error = Config::from_yaml(&format!("{SMALLEST}{keys}"), "f").expect_err("unknown keys");
    let ConfigError::Faults(faults) = &error else { panic!("{error}") };
    assert_eq!(faults.iter().count(), 100);
    let message = error.to_string();
    assert!(message.starts_with("f:10:1: wrong149: unknown key;"), "{message}");
    assert!(message.ends_with("\nand 50 more; mend these first"), "{message}");
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_cause_and_the_fix() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("none.yaml");
    let message = Config::from_file(&missing).expect_err("no file").to_string();
    assert!(message.starts_with(&format!("{}: cannot be read: ", missing.display())));
    assert!(message.ends_with("; name the file with -c FILE"), "{message}");

    let latin = folder.path().join("latin.yaml");
    fs::write(&latin, b"log:\n  level: \xe4\n").expect("written");
    let message = Config::from_file(&latin).expect_err("not UTF-8").to_string();
    assert!(message.ends_with("latin.yaml:2:1: this line is not UTF-8; save the file as UTF-8"));
}

#[test]
fn a_file_too_large_is_refused_unread() {
    let text = "#".repeat(1024 * 1024 + 1);
    let message = Config::from_yaml(&text, "f").expect_err("too large").to_string();
    assert_eq!(message, "f: the file is too large; keep the file within 1024 KiB");
}

#[test]
fn text_that_nests_without_end_is_refused_and_not_followed() {
    let open = "[".repeat(1000);
    for text in [format!("{open}{}", "]".repeat(1000)), format!("a: {}", "{a: ".repeat(1000)), open]
    {
        let message = Config::from_yaml(&text, "f").expect_err("too deep").to_string();
        assert!(message.ends_with("nested too deeply; write it flat, without YAML aliases"));
    }
}

// === what good files mean ===

#[test]
fn every_good_file_loads() {
    for file in yaml_files("tests/config/good").into_iter().chain(yaml_files("conf")) {
        Config::from_file(&file).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn what_is_left_out_is_the_documented_default() {
    let config = load(SMALLEST);
    assert_eq!((config.server.threads, config.admin.clone()), (None, None));
    assert_eq!(config.log.level, log::LevelFilter::Info);
    assert_eq!((config.listeners[0].max_streams, config.listeners[0].tls.clone()), (256, None));
    let php = &config.upstreams["php"];
    assert_eq!((php.max_streams, php.tls.clone(), php.read_timeout), (4, None, None));
    assert_eq!(php.connect_stagger, Duration::from_millis(20));
    assert_eq!(php.connect_timeout, Duration::from_secs(5));
    let sse = shared(&config, 0);
    assert_eq!((sse.heartbeat, sse.retry), (Duration::from_secs(15), Duration::from_secs(3)));
    assert_eq!((sse.linger, sse.open_wait), (Duration::from_secs(10), Duration::from_secs(1)));
    assert_eq!((sse.replay.events, sse.replay.bytes), (1000, 1024 * 1024));
    assert_eq!(sse.replay.age, Duration::from_secs(600));
    assert_eq!((sse.ids, sse.late_join), (Ids::Assign, LateJoin::Live));
    assert_eq!((sse.force, sse.dedupe, sse.cors.clone()), (false, false, None));
}

#[test]
fn left_out_vary_separates_every_credential_and_each_list_keeps_its_own_default() {
    let safe_headers = Names::Listed(vec!["authorization".to_owned()]);
    let config = load(SMALLEST);
    let vary = &shared(&config, 0).vary;
    assert_eq!(
        (&vary.query, &vary.cookies, &vary.headers),
        (&Names::All, &Names::All, &safe_headers)
    );

    let config = load(&format!("{SMALLEST}      vary: {{ query: [a] }}\n"));
    let vary = &shared(&config, 0).vary;
    assert_eq!(vary.query, Names::Listed(vec!["a".to_owned()]));
    assert_eq!((&vary.cookies, &vary.headers), (&Names::All, &safe_headers));
}

#[test]
fn every_allowed_form_means_what_it_says() {
    let config = Config::from_file(&project("tests/config/good/all_forms.yaml")).expect("good");
    assert_eq!(config.server.threads, Some(2));
    assert_eq!(config.log.level, log::LevelFilter::Off);
    let names = ["localhost", "::1", "127.0.0.1"].map(str::to_owned).to_vec();
    assert_eq!(config.listeners[1].tls, Some(Tls::SelfSigned(names)));
    assert_eq!(config.upstreams["fpm"].addresses, [Address::Unix("/run/php/site.sock".into())]);
    let v6 = &config.upstreams["v6"];
    assert_eq!(v6.addresses, [Address::Tcp { host: "::1".to_owned(), port: 8000 }]);
    assert_eq!(v6.read_timeout, Some(Duration::from_secs(90)));
    assert_eq!(v6.connect_stagger, Duration::ZERO);
    let tls = UpstreamTls { sni: "app.example.com".to_owned(), verify: false };
    assert_eq!(config.upstreams["many"].tls, Some(tls));

    let names: Vec<&str> = config.routes.iter().map(|route| route.name.as_str()).collect();
    let expected = ["www.example.com/sse.php", "/sse.php", "/events/*", "/bare", "/empty", "/*"];
    assert_eq!(names, expected);
    assert_eq!(config.routes[0].host.as_deref(), Some("www.example.com"));
    assert_eq!(config.routes[2].path, PathPattern::Prefix("/events/".to_owned()));
    assert_eq!(config.routes[0].sse, config.routes[1].sse);
    assert_eq!(shared(&config, 3), shared(&config, 4));
    assert_eq!(config.routes[5].sse, None);
    let vary = &shared(&config, 0).vary;
    assert_eq!(vary.cookies, Names::Listed(Vec::new()));
    assert_eq!(vary.headers, Names::Listed(vec!["accept-language".to_owned()]));
}

#[test]
fn certificates_are_looked_for_from_the_files_folder() {
    let text = format!("{SMALLEST}  - path: /*\n    upstream: php\n")
        .replace("127.0.0.1:8080", "127.0.0.1:8080\n    tls: { cert: a.pem, key: /keys/a.key }");
    let config = Config::from_yaml(&text, "/etc/sluice/sluice.yaml").expect("good");
    let Some(Tls::Files(files)) = &config.listeners[0].tls else { panic!("no files") };
    assert_eq!(files[0].cert, Path::new("/etc/sluice/a.pem"));
    assert_eq!(files[0].key, Path::new("/keys/a.key"));
}

// === the reference ===

fn reference() -> String {
    text_of(&project("conf/reference.yaml"))
}

/// A line with a key and its final word: `heartbeat: 15s # default`.
struct Documented {
    line: usize,
    word: String,
}

fn documented(text: &str) -> Vec<Documented> {
    let mut keys = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let content = content.trim_start().trim_start_matches("- ");
        let Some((key, _)) = content.split_once(':') else {
            continue;
        };
        if content.starts_with('#') || !key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            continue;
        }
        let word = content.rsplit_once("# ").map(|(_, word)| word.to_owned());
        keys.push(Documented { line, word: word.unwrap_or_default() });
    }
    assert!(keys.len() > 40, "the reference names its keys");
    keys
}

/// The text without a key and all that stands below it.
fn without(text: &str, line: usize) -> String {
    let depth = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let lines: Vec<&str> = text.lines().collect();
    let key = lines[line];
    let below = lines[line + 1..].iter().take_while(|below| {
        let dash = below.trim_start().starts_with('-');
        below.trim().is_empty() || (depth(below) > depth(key) && (!dash || !key.contains("- ")))
    });
    let end = line + 1 + below.count();
    let mut kept: Vec<&str> = lines[..line].to_vec();
    if key.trim_start().starts_with('-') {
        // The item stays, without its first key.
        kept.push(&key[..=key.find('-').expect("a dash")]);
    }
    kept.extend(&lines[end..]);
    kept.join("\n")
}

#[test]
fn what_the_reference_calls_a_default_is_one_and_what_it_calls_required_is_required() {
    let text = reference();
    let whole = load(&text);
    for Documented { line, word } in documented(&text) {
        let shown = format!("line {} ({word})", line + 1);
        let loaded = Config::from_yaml(&without(&text, line), "reference.yaml");
        match (word.as_str(), loaded) {
            ("default", Ok(config)) => assert!(config == whole, "{shown}: the real one differs"),
            ("none", Ok(config)) => assert!(config != whole, "{shown}: it is there anyway"),
            ("required", Err(_)) => {}
            (_, Ok(_)) => panic!("{shown}: loads without it"),
            (_, Err(error)) => panic!("{shown}: {error}"),
        }
    }
}

#[test]
fn the_reference_names_every_known_key() {
    let mut tree: Value = serde_yaml::from_str(&reference()).expect("YAML");
    let mut named = BTreeMap::new();
    name_keys(&mut tree, "", &mut named);
    // A key that no section knows makes each section tell the ones it does know.
    let text = serde_yaml::to_string(&tree).expect("YAML");
    let message = Config::from_yaml(&text, "f").expect_err("unknown keys").to_string();
    let mut sections = 0;
    for fault in message.lines() {
        let Some((place, known)) = fault.split_once(": unknown key; Known keys here: ") else {
            continue;
        };
        let place = place.rsplit(": ").next().expect("a key path");
        let section = general(place.trim_end_matches("zzzz").trim_end_matches('.'));
        let named = &named[&section];
        for key in known.split(", ") {
            assert!(named.contains(key), "conf/reference.yaml has no {section}.{key}");
        }
        sections += 1;
    }
    assert!(sections >= 15, "{message}");
}

/// Collects the keys of each section, and puts an unknown one into each.
fn name_keys(node: &mut Value, path: &str, named: &mut BTreeMap<String, BTreeSet<String>>) {
    match node {
        Value::Sequence(items) => {
            items.iter_mut().for_each(|item| name_keys(item, &format!("{path}[0]"), named));
        }
        Value::Mapping(section) => {
            for (key, value) in section.iter_mut() {
                let key = key.as_str().expect("a text");
                named.entry(general(path)).or_default().insert(key.to_owned());
                let dot = if path.is_empty() { "" } else { "." };
                name_keys(value, &format!("{path}{dot}{key}"), named);
            }
            section.insert("zzzz".into(), Value::Null);
        }
        _ => {}
    }
}

/// `upstreams.php.tls` and `upstreams.app.tls` are one kind of section; so are all items.
fn general(path: &str) -> String {
    let path: String = path.chars().filter(|c| !c.is_ascii_digit()).collect();
    path.replace("upstreams.php", "upstreams.NAME").replace("upstreams.app", "upstreams.NAME")
}
