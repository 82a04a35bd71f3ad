//! Paths of routes: `/sse.php` exactly, or everything below `/events/*`.

use crate::config::{
    PathPattern, bounds,
    findings::{Wrong, shown},
};

pub(super) fn path(text: &str) -> Result<PathPattern, Wrong> {
    let wrong = |what: &str, fix: String| Wrong::new(format!("{} {what}", shown(text)), fix);
    if !text.starts_with('/') {
        let rest = text.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        let path = rest.map_or(text, |(_, path)| path);
        return Err(wrong(
            "does not begin with '/'",
            format!("write {}", shown(&format!("/{path}"))),
        ));
    }
    if text.len() > bounds::PATH_BYTES {
        let most = bounds::PATH_BYTES;
        return Err(wrong("is too long", format!("keep it within {most} bytes")));
    }
    if let Some(end) = text.find(['?', '#']) {
        let fix = format!("write {}; vary.query names what to share by", shown(&text[..end]));
        return Err(wrong("holds a query or fragment", fix));
    }
    let (fixed, prefix) = match text.strip_suffix('*') {
        Some(fixed) if fixed.ends_with('/') => (fixed, true),
        _ => (text, false),
    };
    if fixed.contains('*') {
        let fix = "write the whole path, or a folder and '/*', such as /events/*".to_owned();
        return Err(wrong("has a '*' that is not its final '/*'", fix));
    }
    if !fixed.bytes().all(|b| b.is_ascii_graphic()) || !escapes_are_whole(fixed) {
        let fix = "write it as a browser sends it: %20 for a space, %25 for '%'".to_owned();
        return Err(wrong("is not how a path is sent", fix));
    }
    if fixed.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(wrong(
            "has a dot segment, which browsers resolve before they ask",
            "write the path without it".to_owned(),
        ));
    }
    let fixed = fixed.to_owned();
    Ok(if prefix { PathPattern::Prefix(fixed) } else { PathPattern::Exact(fixed) })
}

/// Whether every path that `later` matches is matched by `earlier` too.
pub(super) fn covers(earlier: &PathPattern, later: &PathPattern) -> bool {
    match (earlier, later) {
        (PathPattern::Exact(one), PathPattern::Exact(other)) => one == other,
        (PathPattern::Exact(_), PathPattern::Prefix(_)) => false,
        (PathPattern::Prefix(one), PathPattern::Exact(other) | PathPattern::Prefix(other)) => {
            other.starts_with(one.as_str())
        }
    }
}

fn escapes_are_whole(path: &str) -> bool {
    path.split('%').skip(1).all(|after| {
        let digits = after.as_bytes();
        digits.len() >= 2 && digits[..2].iter().all(u8::is_ascii_hexdigit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_star_makes_a_prefix() {
        assert_eq!(path("/events/*"), Ok(PathPattern::Prefix("/events/".into())));
        assert_eq!(path("/*"), Ok(PathPattern::Prefix("/".into())));
        assert_eq!(path("/sse.php"), Ok(PathPattern::Exact("/sse.php".into())));
        assert_eq!(path("/a%20b"), Ok(PathPattern::Exact("/a%20b".into())));
    }

    #[test]
    fn paths_that_no_request_has_are_refused() {
        for text in [
            "",
            "x",
            "*",
            "/a*",
            "/*/b",
            "/**",
            "/a?b=c",
            "/a#b",
            "/a b",
            "/ä",
            "/%2",
            "/%zz",
            "/a/../b",
            "/./*",
            "http://host/a",
        ] {
            assert!(path(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_prefix_covers_what_begins_with_it_and_a_path_only_itself() {
        let covers =
            |one, other| super::covers(&path(one).expect("a path"), &path(other).expect("a path"));
        assert!(covers("/*", "/a") && covers("/*", "/*") && covers("/a/*", "/a/b/*"));
        assert!(covers("/a", "/a"));
        assert!(!covers("/a", "/a/*") && !covers("/a/*", "/a") && !covers("/a/*", "/*"));
        assert!(!covers("/a/*", "/ab"));
    }
}
