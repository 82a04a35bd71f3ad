//! Pages and files of real sites: whole, in part, or not again.

use bytes::Bytes;
use http::response::Parts;

use super::{WAYS, Way, before, content, get, header};
use crate::{
    origin::{Buffering, Nginx, NodeApp, PhpFpm},
    sluice::Sluice,
};

const LARGE: usize = 32 << 20;

#[tokio::test]
async fn a_large_file_arrives_whole_with_its_length() {
    let site = tempfile::tempdir().expect("a directory");
    let file = content(LARGE);
    std::fs::write(site.path().join("file.bin"), &file).expect("write a file");
    let nginx = Nginx::static_site(site.path()).await;
    let sluice = before(nginx.address()).await;
    for way in WAYS {
        let (head, got) = way.get(&sluice, "/file.bin").await;
        assert_eq!(header(&head, "content-length"), LARGE.to_string(), "{way:?}");
        assert!(got == file, "{} of {LARGE} bytes over {way:?}", got.len());
    }
}

#[tokio::test]
async fn a_file_that_the_client_has_is_not_sent_again() {
    let (nginx, _site) = nginx_with("page.html", "<p>a page</p>").await;
    let express = NodeApp::express_v1(1000).await;
    for (origin, path) in [(nginx.address(), "/page.html"), (express.address(), "/index.html")] {
        let sluice = before(origin).await;
        for way in WAYS {
            let (first, page) = way.get(&sluice, path).await;
            assert_eq!((first.status.as_u16(), page.is_empty()), (200, false), "{path}");
            let tag = header(&first, "etag");
            assert!(!tag.is_empty() && !header(&first, "last-modified").is_empty(), "{first:?}");
            let (again, page) = with(way, &sluice, path, "if-none-match", tag).await;
            assert_eq!((again.status.as_u16(), page.len()), (304, 0), "{path} over {way:?}");
            assert_eq!(header(&again, "etag"), tag, "{path} over {way:?}");
        }
    }
}

#[tokio::test]
async fn a_part_of_a_file_is_sent_as_that_part() {
    let (nginx, _site) = nginx_with("page.html", "0123456789").await;
    let sluice = before(nginx.address()).await;
    for way in WAYS {
        let (head, part) = with(way, &sluice, "/page.html", "range", "bytes=2-5").await;
        assert_eq!((head.status.as_u16(), &part[..]), (206, &b"2345"[..]), "{way:?}");
        assert_eq!(header(&head, "content-range"), "bytes 2-5/10", "{way:?}");
        let (head, _) = with(way, &sluice, "/page.html", "range", "bytes=20-").await;
        assert_eq!(head.status, 416, "{way:?}");
        let (head, _) = way.get(&sluice, "/page.html").await;
        assert_eq!(header(&head, "accept-ranges"), "bytes", "{way:?}");
    }
    let express = NodeApp::express_v1(1000).await;
    let sluice = before(express.address()).await;
    let (whole, page) = Way::Http2.get(&sluice, "/index.html").await;
    let (head, part) = with(Way::Http2, &sluice, "/index.html", "range", "bytes=3-9").await;
    assert_eq!((head.status.as_u16(), part), (206, page.slice(3..10)), "{whole:?}");
}

#[tokio::test]
async fn a_script_s_page_arrives_whole_whatever_its_status() {
    let fpm = PhpFpm::start(2).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::On).await;
    let sluice = before(nginx.address()).await;
    for way in WAYS {
        let (head, page) = way.get(&sluice, "/page.php").await;
        assert_eq!(head.status, 200, "{way:?}");
        assert!(header(&head, "server").starts_with("nginx/"), "{way:?}: {head:?}");
        assert!(String::from_utf8_lossy(&page).contains("An ordinary page"), "{way:?}");
        for status in [201, 302, 403, 404, 418, 500, 503] {
            let path = format!("/status.php?code={status}&body=said&location=%2Fthere");
            let (head, page) = way.get(&sluice, &path).await;
            assert_eq!((head.status.as_u16(), &page[..]), (status, &b"said"[..]), "{way:?}");
            assert_eq!(header(&head, "location"), "/there", "{way:?}");
        }
        let (head, page) = way.get(&sluice, "/status.php?code=204").await;
        assert_eq!((head.status.as_u16(), page.len()), (204, 0), "{way:?}");
    }
}

async fn nginx_with(name: &str, page: &str) -> (Nginx, tempfile::TempDir) {
    let site = tempfile::tempdir().expect("a directory");
    std::fs::write(site.path().join(name), page).expect("write a page");
    (Nginx::static_site(site.path()).await, site)
}

/// Fetches a page with one more header.
async fn with(way: Way, sluice: &Sluice, path: &str, name: &str, value: &str) -> (Parts, Bytes) {
    let mut asked = get(path);
    let name: http::HeaderName = name.parse().expect("a name");
    asked.headers_mut().insert(name, value.parse().expect("a value"));
    way.fetch(sluice, asked).await
}
