//! Several addresses of one upstream.

use std::net::SocketAddr;

use http::{Method, Request};
use http_body_util::Full;

use super::{OK, WAYS};
use crate::{
    origin::{
        RawOrigin, Step,
        port::{free_port, local},
    },
    sluice::Sluice,
};

#[tokio::test]
async fn an_address_that_is_down_is_passed_over() {
    let upstream = RawOrigin::start(vec![Step::send(OK), Step::Finish]).await;
    let sluice = before_all(&[local(free_port()), upstream.address()]).await;
    let mut requests = 0;
    for way in WAYS {
        for method in [Method::GET, Method::POST, Method::GET, Method::PUT] {
            let asked = Request::builder().method(method).uri("/").body(Full::from("body"));
            let (head, body) = way.fetch(&sluice, asked.expect("a request")).await;
            assert_eq!((head.status.as_u16(), &body[..]), (200, &b"ok"[..]), "{way:?}");
            requests += 1;
        }
    }
    assert_eq!(upstream.heads().len(), requests);
}

#[tokio::test]
async fn addresses_take_turns() {
    let answers = || vec![Step::send(OK), Step::Finish];
    let first = RawOrigin::start(answers()).await;
    let second = RawOrigin::start(answers()).await;
    let sluice = before_all(&[first.address(), second.address()]).await;
    for _ in 0..4 {
        assert_eq!(WAYS[0].get(&sluice, "/").await.0.status, 200);
    }
    assert_eq!((first.heads().len(), second.heads().len()), (2, 2));
}

#[tokio::test]
async fn all_addresses_down_is_an_error_and_no_endless_search() {
    let sluice = before_all(&[local(free_port()), local(free_port())]).await;
    for way in WAYS {
        assert_eq!(way.get(&sluice, "/").await.0.status, 502, "{way:?}");
    }
}

#[tokio::test]
async fn a_site_may_listen_on_a_unix_socket() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("site.sock");
    let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
    let sluice = Sluice::start(&format!(
        "upstreams: {{ site: {{ address: 'unix:{}' }} }}
routes:
  - {{ path: '/*', upstream: site }}
",
        path.display()
    ))
    .await;
    let play = async {
        let (mut connection, _) = listener.accept().await.expect("a connection");
        let mut asked = vec![0; 4096];
        let length = tokio::io::AsyncReadExt::read(&mut connection, &mut asked).await;
        tokio::io::AsyncWriteExt::write_all(&mut connection, OK.as_bytes())
            .await
            .expect("a reader");
        (connection, String::from_utf8_lossy(&asked[..length.expect("a request")]).into_owned())
    };
    let ((_connection, asked), (head, _)) = tokio::join!(play, WAYS[0].get(&sluice, "/page"));
    assert!(asked.starts_with("GET /page HTTP/1.1\r\n"), "{asked}");
    assert_eq!(head.status, 200);
}

async fn before_all(addresses: &[SocketAddr]) -> Sluice {
    let list: Vec<String> = addresses.iter().map(|address| format!("'{address}'")).collect();
    Sluice::start(&format!(
        "upstreams: {{ site: {{ addresses: [{}] }} }}
routes:
  - {{ path: '/*', upstream: site }}
",
        list.join(", ")
    ))
    .await
}
