use super::*;

fn request(target: &str, headers: &[(&'static str, &str)]) -> RequestHeader {
    let mut request = RequestHeader::build("GET", target.as_bytes(), None).unwrap();
    for (name, value) in headers {
        request.append_header(*name, *value).unwrap();
    }
    request
}

fn listed(names: &[&str]) -> Names {
    Names::Listed(names.iter().map(|name| name.to_string()).collect())
}

fn vary(query: Names, cookies: Names, headers: Names) -> Vary {
    Vary { query, cookies, headers }
}

fn public() -> Vary {
    vary(Names::All, listed(&[]), listed(&[]))
}

#[test]
fn a_public_route_forgets_cookies_and_credentials() {
    let bare = request("/s?a=1", &[]);
    let personal = request("/s?a=1", &[("cookie", "id=1"), ("authorization", "x")]);
    let key = |r| topic_key(r, "example.com", &public());
    assert_eq!(key(&bare), key(&personal));
}

#[test]
fn all_cookies_are_one_key_however_http2_split_them() {
    let vary = vary(Names::All, Names::All, listed(&[]));
    let whole = request("/s", &[("cookie", "a=1; b=2")]);
    let split = request("/s", &[("cookie", "a=1"), ("cookie", "b=2")]);
    let other = request("/s", &[("cookie", "a=1; b=3")]);
    let key = |r| topic_key(r, "example.com", &vary);
    assert_eq!(key(&whole), key(&split));
    assert_eq!(key(&split).parts().cookie, b"a=1; b=2");
    assert_ne!(key(&whole), key(&other));
}

#[test]
fn listed_names_go_into_the_key_in_the_listed_order_and_no_other_does() {
    let vary = vary(listed(&["b", "a"]), listed(&["sid"]), listed(&["x-tenant"]));
    let request = request(
        "/s?a=1&c=3&b=2&a=4&ab=5",
        &[("cookie", "x=1; sid=7; sidx=8"), ("x-tenant", "t"), ("authorization", "no")],
    );
    let key = topic_key(&request, "Example.COM:8443", &vary);
    assert_eq!(key.parts().query.as_deref(), Some("b=2&a=1&a=4"));
    assert_eq!(key.parts().cookie, b"sid=7");
    assert_eq!(key.parts().headers, [("x-tenant".to_owned(), b"t".to_vec())]);
    assert_eq!(key.parts().host, "example.com:8443");
}

#[test]
fn the_resume_parameter_is_never_part_of_a_key() {
    for (target, query) in [
        ("/s?lastEventId=5", None),
        ("/s?a=1&lastEventId=5&b=%20", Some("a=1&b=%20")),
        ("/s?a=1", Some("a=1")),
        ("/s?", Some("")),
        ("/s", None),
    ] {
        let key = topic_key(&request(target, &[]), "h", &public());
        assert_eq!(key.parts().query.as_deref(), query, "{target}");
    }
    let vary = vary(listed(&["lastEventId"]), listed(&[]), listed(&["last-event-id"]));
    let resumed = request("/s?lastEventId=5", &[("last-event-id", "6")]);
    assert_eq!(topic_key(&resumed, "h", &vary), topic_key(&request("/s", &[]), "h", &vary));
}

#[test]
fn all_headers_leave_out_the_hop_by_hop_ones_and_do_not_depend_on_their_order() {
    let vary = vary(Names::All, listed(&[]), Names::All);
    let one = request("/s", &[("x-b", "2"), ("connection", "close"), ("x-a", "1")]);
    let two = request("/s", &[("x-a", "1"), ("te", "trailers"), ("x-b", "2")]);
    assert_eq!(topic_key(&one, "h", &vary), topic_key(&two, "h", &vary));
}

#[test]
fn all_headers_leave_out_what_anybody_can_claim() {
    let vary = vary(Names::All, listed(&[]), Names::All);
    let honest = request("/s", &[("x-a", "1")]);
    let forged = request("/s", &[("X-Forwarded-For", "127.0.0.1"), ("x-a", "1")]);
    assert_eq!(topic_key(&forged, "h", &vary), topic_key(&honest, "h", &vary));
}

#[test]
fn the_header_beats_the_parameter_and_an_empty_id_is_no_resume() {
    let resume = |id: &'static str| StartFrom::Resume(Bytes::from_static(id.as_bytes()));
    let of = |target, headers| start_from(&request(target, headers));
    assert_eq!(of("/s?lastEventId=5", &[("last-event-id", "6")]), resume("6"));
    assert_eq!(of("/s?lastEventId=%EA%B0%80+b", &[]), resume("가 b"));
    assert_eq!(of("/s?lastEventId=", &[]), StartFrom::Fresh);
    assert_eq!(of("/s?lastEventId=5", &[("last-event-id", "")]), StartFrom::Fresh);
    assert_eq!(of("/s?lastEventId=a%0Ab", &[]), StartFrom::Fresh);
    assert_eq!(of("/s?lastEventId=100%", &[]), resume("100%"));
}
