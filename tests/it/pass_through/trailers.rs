//! Trailers: Pingora 0.9.1 drops those of HTTP/1.1, on both sides. What must hold is that nothing
//! else suffers, and that no trailer is promised that never comes.

use http::{HeaderMap, Request};

use super::{ALL_WAYS, OK, SOON, asked_again, before, get, header};
use crate::{
    client::{SentBody, collect, within},
    origin::RawListener,
};

#[tokio::test]
async fn an_upload_with_trailers_arrives_whole_and_without_them() {
    for way in ALL_WAYS {
        let upstream = RawListener::bind().await;
        let sluice = before(upstream.address()).await;
        let (sender, body) = SentBody::new();
        let post = Request::post("/").header("trailer", "x-sum").body(body).expect("a request");
        let client = async { collect(way.send(&sluice, post).await, SOON).await.1 };
        let play = async {
            let (mut connection, head) = upstream.accept().await;
            assert_eq!(head.header("trailer"), None, "{way:?}");
            sender.send(SentBody::data("hello")).await.expect("a client that sends");
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", "5".parse().expect("a value"));
            sender.send(SentBody::trailers(trailers)).await.expect("a client that sends");
            drop(sender);
            let body = connection.read_body(15).await.expect("a body");
            assert_eq!(String::from_utf8_lossy(&body), "5\r\nhello\r\n0\r\n\r\n", "{way:?}");
            connection.send(OK).await.expect("a reader");
            connection
        };
        let both = async { tokio::join!(play, client) };
        let (_connection, answer) = within("an upload", SOON, both).await;
        assert_eq!(&answer[..], b"ok", "{way:?}");
    }
}

#[tokio::test]
async fn an_answer_with_trailers_arrives_whole_and_without_them() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
                  5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n";
    for way in ALL_WAYS {
        let upstream = RawListener::bind().await;
        let sluice = before(upstream.address()).await;
        let play = async {
            let (mut connection, _) = upstream.accept().await;
            connection.send(answer).await.expect("a reader");
            connection
        };
        let client = async {
            let mut asked = get("/");
            asked.headers_mut().insert("te", "trailers".parse().expect("a value"));
            collect(way.send(&sluice, asked).await, SOON).await
        };
        let (connection, (head, body, trailers)) = tokio::join!(play, client);
        assert_eq!(&body[..], b"hello", "{way:?}");
        assert_eq!(trailers, None, "{way:?}");
        assert_eq!(header(&head, "trailer"), "", "{way:?}");
        // The gateway is at the end of the answer, trailers and all.
        asked_again(&sluice, &upstream, connection).await;
    }
}
