//! The script that polls a SQLite file.

use super::{A_WHILE, SOON, listen};
use crate::origin::{Php, PhpServer, SqliteDb};

#[tokio::test]
async fn the_sqlite_script_repeats_the_last_row() {
    let database = SqliteDb::create();
    let settings = Php::production().sqlite(&database).pace_ms(50);
    let php = PhpServer::start_with(3, settings).await;
    let early = tokio::time::timeout(A_WHILE, listen(php.address(), "/db_events_sqlite.php"));
    assert!(early.await.is_err(), "nothing while the table is empty");
    database.insert("it's one");
    let mut stream = listen(php.address(), "/db_events_sqlite.php").await;
    for event in stream.next_events(2, SOON).await {
        assert_eq!(event.data, r#"{"message":"it's one"}"#);
    }
}
