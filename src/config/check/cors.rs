//! Which pages of other sites may read a route's streams.

use super::values::{items, need_items, no_repeats};
use crate::config::{
    Cors, address, bounds, file,
    findings::{At, Wrong, shown},
};

pub(super) fn cors(typed: &file::Cors, at: &At<'_>) -> Cors {
    let credentials = typed.credentials.given().copied().unwrap_or(false);
    let at = at.key("origins");
    let fix = "list at least one, such as [\"https://app.example.com\"], or remove cors";
    need_items(&typed.origins, fix, &at);
    let mut found = Vec::new();
    for (text, at) in items(&typed.origins, bounds::ORIGINS, &at) {
        match origin(text) {
            Ok(()) => found.push((text.clone(), at)),
            Err(wrong) => at.wrong(wrong),
        }
    }
    no_repeats(&found);
    if let Some((_, star)) = found.iter().find(|(origin, _)| origin == "*") {
        if credentials {
            star.fault("browsers refuse '*' with credentials", "list the origins one by one");
        } else if found.len() > 1 {
            star.fault("'*' already lets every origin in", "keep it alone, or remove it");
        }
    }
    Cors { origins: found.into_iter().map(|(origin, _)| origin).collect(), credentials }
}

/// Origins are compared whole, so each must be written just as browsers send it.
fn origin(text: &str) -> Result<(), Wrong> {
    if text == "*" {
        return Ok(());
    }
    let wrong = |fix: String| Wrong::new(format!("{} is no origin", shown(text)), fix);
    let Some((scheme, rest)) = text.split_once("://") else {
        let fix = match address::host_name(text.split([':', '/']).next().unwrap_or("")) {
            Ok(host) if host != "null" => format!("write https://{host}"),
            _ => "write scheme and host, such as https://app.example.com".to_owned(),
        };
        return Err(wrong(fix));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
        _ => (authority, None),
    };
    let port = port.filter(|port| !matches!((scheme, *port), ("https", "443") | ("http", "80")));
    let known_host = host == "[::1]" || address::host_name(host).is_ok();
    let known_scheme = !scheme.is_empty()
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let known_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if !(known_host && known_scheme && known_port) {
        return Err(wrong("write scheme and host, such as https://app.example.com".to_owned()));
    }
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    let meant = format!("{scheme}://{host}{port}").to_ascii_lowercase();
    if meant == text {
        return Ok(());
    }
    Err(wrong(format!("browsers send it as {meant}: write that")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_taken_as_browsers_send_them() {
        for text in [
            "*",
            "https://app.example.com",
            "http://localhost:3000",
            "capacitor://localhost",
            "http://127.0.0.1:8080",
            "http://[::1]:3000",
        ] {
            assert_eq!(origin(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn all_other_writings_are_answered_with_the_right_one() {
        let fix = |text| origin(text).expect_err(text).fix;
        assert_eq!(fix("https://a.b/"), "browsers send it as https://a.b: write that");
        assert_eq!(fix("https://a.b/x?y"), fix("https://a.b/"));
        assert_eq!(fix("https://a.b:443"), fix("https://a.b/"));
        assert_eq!(fix("HTTPS://A.b"), fix("https://a.b/"));
        assert_eq!(fix("a.b"), "write https://a.b");
        for text in ["", "null", "https://", "https://*.a.b", "https://a.b:0", "//a.b", "a b"] {
            assert!(fix(text).starts_with("write scheme and host"), "{text}");
        }
    }
}
