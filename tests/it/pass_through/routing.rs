//! Which route a request takes: the first that covers its host and its path, as it was sent.

use http::Request;
use http_body_util::Full;

use super::{WAYS, Way};
use crate::{
    origin::{RawOrigin, Step},
    sluice::Sluice,
};

/// A gateway whose upstreams answer with their own names.
struct Crossroads {
    sluice: Sluice,
    #[expect(dead_code, reason = "held to be aborted with the test")]
    upstreams: Vec<RawOrigin>,
}

impl Crossroads {
    async fn start(names: &[&str], routes: &str) -> Self {
        let mut upstreams = Vec::new();
        let mut addresses = String::new();
        for name in names {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
            let upstream = RawOrigin::start(vec![Step::send(answer), Step::Finish]).await;
            addresses += &format!("  {name}: {{ address: '{}' }}\n", upstream.address());
            upstreams.push(upstream);
        }
        let sluice = Sluice::start(&format!("upstreams:\n{addresses}routes:\n{routes}")).await;
        Self { sluice, upstreams }
    }

    /// Who answers; the status if it is the gateway itself.
    async fn ask(&self, way: Way, host: &str, path: &str) -> String {
        let asked = Request::get(path).header("host", host).body(Full::default());
        let (head, body) = way.fetch(&self.sluice, asked.expect("a request")).await;
        match head.status.as_u16() {
            200 => String::from_utf8(body.into()).expect("text"),
            status => status.to_string(),
        }
    }

    async fn assert(&self, wanted: &[(&str, &str, &str)]) {
        for (host, path, name) in wanted {
            for way in WAYS {
                assert_eq!(self.ask(way, host, path).await, *name, "{host}{path} over {way:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_first_route_that_matches_wins() {
    let routes = "
  - { path: /a/page, upstream: exact }
  - { path: '/a/b/*', upstream: deeper, host: other.test }
  - { path: '/a/*', upstream: prefix }
  - { path: '/*', upstream: rest }
";
    let crossroads = Crossroads::start(&["exact", "prefix", "deeper", "rest"], routes).await;
    crossroads
        .assert(&[
            ("a.test", "/a/page", "exact"),
            ("a.test", "/a/page?q=1", "exact"),
            ("a.test", "/a/page/", "prefix"),
            ("a.test", "/a/pages", "prefix"),
            ("a.test", "/a/", "prefix"),
            ("other.test", "/a/b/c", "deeper"),
            ("other.test", "/a/page", "exact"),
            ("a.test", "/a/b/c", "prefix"),
            ("a.test", "/a", "rest"),
            ("a.test", "/ab", "rest"),
            ("a.test", "/", "rest"),
            ("a.test", "/A/page", "rest"),
        ])
        .await;
}

#[tokio::test]
async fn a_host_narrows_a_route_whatever_its_port_case_and_final_dot() {
    let routes = "
  - { path: '/*', host: one.test, upstream: one }
  - { path: '/*', host: two.test, upstream: two }
  - { path: '/all', upstream: all }
";
    let crossroads = Crossroads::start(&["one", "two", "all"], routes).await;
    crossroads
        .assert(&[
            ("one.test", "/", "one"),
            ("one.test:8443", "/all", "one"),
            ("ONE.Test:80", "/", "one"),
            ("one.test.", "/all", "one"),
            ("one.test.:80", "/", "one"),
            ("one.test..", "/", "404"),
            ("two.test", "/", "two"),
            ("three.test", "/all", "all"),
            ("three.test", "/", "404"),
            ("one.test.evil", "/", "404"),
            ("sub.one.test", "/", "404"),
        ])
        .await;
}

#[tokio::test]
async fn paths_are_compared_as_they_were_sent() {
    let routes = "
  - { path: /admin, upstream: admin }
  - { path: '/%61dmin', upstream: escaped }
  - { path: '/files/*', upstream: files }
  - { path: '/*', upstream: rest }
";
    let crossroads = Crossroads::start(&["admin", "escaped", "files", "rest"], routes).await;
    crossroads
        .assert(&[
            ("a.test", "/admin", "admin"),
            ("a.test", "/%61dmin", "escaped"),
            ("a.test", "/%61Dmin", "rest"),
            ("a.test", "//admin", "rest"),
            ("a.test", "/./admin", "rest"),
            ("a.test", "/files/../admin", "files"),
            ("a.test", "/files%2Fadmin", "rest"),
            ("a.test", "/admin%3Fa", "rest"),
        ])
        .await;
}

#[tokio::test]
async fn the_site_gets_the_path_as_it_was_sent() {
    let upstream = RawOrigin::start(vec![Step::send(super::OK), Step::Finish]).await;
    let sluice = super::before(upstream.address()).await;
    let paths = ["/%61%2f%2F?a=%20&b=+&&c", "//a//b/./c/../d", "/?", "/a;b=c,d'e(f)*!$@:~"];
    for way in WAYS {
        for path in paths {
            assert_eq!(way.get(&sluice, path).await.0.status, 200, "{path} over {way:?}");
        }
    }
    let seen = upstream.heads();
    let seen: Vec<&str> = seen.iter().map(|head| head.target()).collect();
    assert_eq!(seen, [paths, paths].concat());
}

#[tokio::test]
async fn an_absolute_target_names_the_host() {
    let routes = "
  - { path: '/*', host: one.test, upstream: one }
  - { path: '/*', upstream: rest }
";
    let crossroads = Crossroads::start(&["one", "rest"], routes).await;
    for (target, host, name) in [
        ("http://one.test/", "one.test", "one"),
        ("http://one.test:8080/a", "one.test:8080", "one"),
        ("http://two.test/", "two.test", "rest"),
    ] {
        let asked = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let heard = super::connections::say(crossroads.sluice.plain, asked).await;
        assert!(heard.ends_with(&format!("\r\n\r\n{name}")), "{target}: {heard}");
    }
}
