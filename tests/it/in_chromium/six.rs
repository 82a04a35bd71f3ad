//! The limit that HTTP/1.1 has in browsers: six connections to a host, so six streams.

use std::collections::HashSet;

use tokio::time::sleep;

use super::{DEADLINE, QUIET, Ways, fpm_site, streams};
use crate::{browser::Browser, sluice::Sluice};

#[tokio::test]
async fn over_http_1_the_seventh_stream_waits_at_the_origin_and_through_sluice_alike() {
    let (fpm, nginx) = fpm_site(10).await;
    let sluice = Sluice::before(nginx.address(), "/numbered.php", "linger: 0s").await;
    let browser = Browser::start().await;
    let ways = Ways::to(nginx.address(), &sluice);
    for origin in [&ways.direct, &ways.http1] {
        let page = browser.page().await;
        page.goto(&format!("{origin}/many.html?count=7&url=/numbered.php?ms=100")).await;
        page.wait_for("state.sources.filter(({ events }) => events > 1).length === 6", DEADLINE)
            .await;
        sleep(QUIET).await;
        assert_eq!(page.eval("state.open").await, 6, "{origin}");
        assert_eq!(page.eval("state.sources[6].readyState").await, 0, "{origin}");
        let opened: Vec<_> =
            streams(&page).into_iter().filter(|request| request.status == Some(200)).collect();
        assert!(opened.iter().all(|request| request.protocol.as_deref() == Some("http/1.1")));
        let connections: HashSet<_> = opened.iter().map(|request| request.connection).collect();
        assert_eq!((opened.len(), connections.len()), (6, 6), "{origin}");

        page.eval("closeStream(0)").await;
        page.wait_for("state.sources[6].events > 0", DEADLINE).await;
        assert_eq!(page.eval("state.errors").await, 0, "{origin}");
        page.close().await;
    }
    // Six streams at the site itself, the seventh after them, and one for all through Sluice.
    assert_eq!(fpm.requests().count("/numbered.php"), 7 + 1);
}
