//! A PHP site, whichever server it runs on.

use std::net::SocketAddr;

use crate::origin::{Apache, Buffering, Nginx, Php, PhpFpm, PhpServer, RequestLog};

/// More than any test here has streams, spares and pages at a time.
const WORKERS: usize = 10;

pub trait Site {
    fn address(&self) -> SocketAddr;
    fn requests(&self) -> &RequestLog;
    fn add_page(&self, name: &str, content: &str);
}

/// A pool and the nginx before it.
pub struct Fpm {
    nginx: Nginx,
    pool: PhpFpm,
}

pub async fn php_server(php: Php) -> PhpServer {
    PhpServer::start_with(WORKERS, php).await
}

pub async fn fpm(php: Php, buffering: Buffering) -> Fpm {
    let pool = PhpFpm::start_with(WORKERS, php).await;
    Fpm { nginx: Nginx::before_fpm(&pool, buffering).await, pool }
}

pub async fn apache(php: Php) -> Apache {
    Apache::mod_php_with(php).await
}

impl Site for PhpServer {
    fn address(&self) -> SocketAddr {
        self.address()
    }

    fn requests(&self) -> &RequestLog {
        self.requests()
    }

    fn add_page(&self, name: &str, content: &str) {
        self.add_page(name, content);
    }
}

impl Site for Apache {
    fn address(&self) -> SocketAddr {
        self.address()
    }

    fn requests(&self) -> &RequestLog {
        self.requests()
    }

    fn add_page(&self, name: &str, content: &str) {
        self.add_page(name, content);
    }
}

impl Site for Fpm {
    fn address(&self) -> SocketAddr {
        self.nginx.address()
    }

    fn requests(&self) -> &RequestLog {
        self.pool.requests()
    }

    fn add_page(&self, name: &str, content: &str) {
        self.pool.add_page(name, content);
    }
}
