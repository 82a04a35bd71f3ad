//! Real origins: PHP under each of its servers, Node, a database; and one that speaks raw bytes.
//!
//! Each origin is a child process with a directory, a port or socket, and a log of its own, so
//! tests run side by side. Starting one waits until it answers; dropping it ends all processes
//! that it started. A missing program fails the test that needs it: `tests/install.sh` installs
//! them all.

mod apache;
mod home;
mod mariadb;
mod nginx;
mod node;
mod php;
mod php_fpm;
mod php_server;
pub mod port;
pub mod process;
pub mod program;
mod raw;
mod request_log;
mod sqlite;

mod tests;

pub use apache::Apache;
pub use mariadb::MariaDb;
pub use nginx::{Buffering, Nginx};
pub use node::NodeApp;
pub use php::Php;
pub use php_fpm::PhpFpm;
pub use php_server::PhpServer;
pub use raw::{Gate, RawListener, RawOrigin, Step};
pub use sqlite::SqliteDb;

#[allow(unused_imports, reason = "for tests that name them")]
pub use {
    raw::{RawConnection, RequestHead},
    request_log::{LoggedRequest, RequestLog},
};

use std::time::Duration;

/// How long a server may take to answer for the first time. Only a broken one takes longer, so it
/// is generous: a loaded machine must not fail a test.
const START_DEADLINE: Duration = Duration::from_secs(60);
