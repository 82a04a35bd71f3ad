//! The script that polls a real database.

use super::{A_WHILE, SOON, listen};
use crate::{
    client::{End, Http1},
    origin::{MariaDb, Php, PhpServer},
};

#[tokio::test]
async fn the_database_script_is_silent_until_there_is_a_row_and_then_repeats_the_last() {
    let mut database = MariaDb::start().await;
    let settings = Php::production().mariadb(&database).pace_ms(50);
    let php = PhpServer::start_with(3, settings).await;
    let address = php.address();
    let mut waiting = tokio::spawn(async move { Http1::get(address, "/db_events.php", &[]).await });
    assert!(tokio::time::timeout(A_WHILE, &mut waiting).await.is_err(), "not even a head");
    assert_eq!(database.connections(), 1);

    database.insert("첫 'row'");
    let mut stream = waiting.await.expect("a stream");
    let first = stream.next_events(2, SOON).await;
    assert_eq!(first[0].data, r#"{"message":"\uccab 'row'"}"#);
    assert_eq!(first[0], first[1]);

    database.insert("second");
    let second = r#"{"message":"second"}"#;
    while stream.next_event(SOON).await.data != second {}

    let other = listen(address, "/db_events.php").await;
    assert_eq!(database.connections(), 2, "one for each listener");
    drop(other);
    database.stop();
    assert_eq!(stream.ended(SOON).await, End::Clean);
}
