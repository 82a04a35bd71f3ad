//! What a topic is shared by. A slip here shows one user's events to another, so each list left
//! out keeps its own safe default, and nothing is taken for `[]` that is not written so.

use super::values::{items_of, no_repeats};
use crate::config::{
    Names, Vary, bounds,
    file::{self, Field, NamesOrWord},
    findings::{At, Wrong, shown},
};

pub(super) fn vary(typed: &file::Vary, at: &At<'_>) -> Vary {
    let authorization = Names::Listed(vec!["authorization".to_owned()]);
    Vary {
        query: names(&typed.query, Names::All, query, &at.key("query")),
        cookies: names(&typed.cookies, Names::All, cookie, &at.key("cookies")),
        headers: names(&typed.headers, authorization, header, &at.key("headers")),
    }
}

fn names(
    field: &Field<NamesOrWord>,
    default: Names,
    check: fn(&str) -> Result<String, Wrong>,
    at: &At<'_>,
) -> Names {
    let list = match field.given() {
        None => return default,
        Some(NamesOrWord::Word(word)) if word == "all" => return Names::All,
        Some(NamesOrWord::Word(word)) => {
            at.fault(
                format!("{} is neither 'all' nor a list", shown(word)),
                match check(word) {
                    _ if word.eq_ignore_ascii_case("all") => "write all".to_owned(),
                    Ok(_) if !["none", "off", "no"].contains(&word.as_str()) => {
                        format!("write [{word}]")
                    }
                    _ => "write all, [] for none, or names in brackets".to_owned(),
                },
            );
            return default;
        }
        Some(NamesOrWord::List(list)) => list,
    };
    if matches!(list.as_slice(), [Field::Given(word)] if word == "all") {
        at.fault("'all' in brackets would be the one name 'all'", "write all without brackets");
    }
    let mut found = Vec::new();
    for (name, at) in items_of(list, bounds::VARY_NAMES, at) {
        match check(name) {
            Ok(name) => found.push((name, at)),
            Err(wrong) => at.wrong(wrong),
        }
    }
    no_repeats(&found);
    Names::Listed(found.into_iter().map(|(name, _)| name).collect())
}

fn query(name: &str) -> Result<String, Wrong> {
    if name == "lastEventId" {
        return Err(Wrong::new(
            "lastEventId resumes a stream and is never part of what it is shared by",
            "remove it",
        ));
    }
    let fits = |b: u8| b.is_ascii_graphic() && !b"&=#+".contains(&b);
    if name.is_empty() || !name.bytes().all(fits) {
        return Err(Wrong::new(
            format!("{} is no name of a query parameter", shown(name)),
            "write the name alone, as it stands in the URL before '='",
        ));
    }
    Ok(name.to_owned())
}

fn cookie(name: &str) -> Result<String, Wrong> {
    if is_token(name) {
        return Ok(name.to_owned());
    }
    let fix = "write the name alone, such as PHPSESSID";
    Err(Wrong::new(format!("{} is no name of a cookie", shown(name)), fix))
}

fn header(name: &str) -> Result<String, Wrong> {
    if !is_token(name) {
        let fix = "write the name alone, such as accept-language";
        return Err(Wrong::new(format!("{} is no name of a header", shown(name)), fix));
    }
    let lower = name.to_ascii_lowercase();
    let never = |why: &str, fix: &str| Err(Wrong::new(format!("{} {why}", shown(name)), fix));
    match lower.as_str() {
        "host" => never("is always part of what a stream is shared by", "remove it"),
        "last-event-id" => never("resumes a stream and never separates topics", "remove it"),
        "cookie" => never("is not listed whole", "list the cookies in vary.cookies"),
        "accept" | "accept-encoding" | "cache-control" | "user-agent" | "via" => {
            never("is set by the gateway", "remove it")
        }
        "connection"
        | "content-length"
        | "expect"
        | "keep-alive"
        | "proxy-authenticate"
        | "proxy-authorization"
        | "proxy-connection"
        | "te"
        | "trailer"
        | "transfer-encoding"
        | "upgrade" => never("belongs to one connection, not to a stream", "remove it"),
        _ => Ok(lower),
    }
}

/// RFC 9110, section 5.6.2.
fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
