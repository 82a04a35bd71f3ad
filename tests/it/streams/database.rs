//! The scripts that poll a table: nothing while it is empty, then its last row again and again.

use super::{
    SOON, sharing_all_of,
    site::{Site, apache, fpm, php_server},
    subscriber::{Subscriber, Way},
};
use crate::{
    origin::{Buffering, MariaDb, Php, SqliteDb},
    sluice::Sluice,
};

const MARIADB: &str = "/db_events.php?ms=30";
const SQLITE: &str = "/db_events_sqlite.php?ms=30";

/// Not ASCII, with quotes and a line break: the script's encoding must survive.
const ROWS: [&str; 3] = ["안녕하세요", "\"two\"\nlines", "plain"];

/// All subscribers are admitted before there is any row, and get each row that is the last for
/// long enough. The subscribers are given back with their gateway, still listening.
async fn each_row_arrives(
    site: &impl Site,
    target: &str,
    insert: impl Fn(&str),
) -> (Sluice, Vec<Subscriber>) {
    let sluice = sharing_all_of(site.address(), "open_wait: 50ms").await;
    let mut subscribers = Subscriber::of_every_way(&sluice, target).await;
    for row in ROWS {
        insert(row);
        for subscriber in &mut subscribers {
            let mut got = String::new();
            for _ in 0..200 {
                let data = subscriber.next_event(SOON).await.data;
                let data: serde_json::Value = serde_json::from_str(&data).expect("JSON");
                data["message"].as_str().expect("a text").clone_into(&mut got);
                if got == row {
                    break;
                }
            }
            assert_eq!(got, row);
        }
    }
    let path = target.split('?').next().unwrap_or_default();
    assert_eq!(site.requests().count(path), 1);
    (sluice, subscribers)
}

/// The same on MariaDB, where the subscribers have cost one connection between them.
async fn each_row_of_mariadb_arrives(site: &impl Site, database: &MariaDb) {
    let _listening = each_row_arrives(site, MARIADB, |row| database.insert(row)).await;
    assert_eq!(database.connections(), 1);
}

#[tokio::test]
async fn php_server_brings_each_row_of_sqlite() {
    let database = SqliteDb::create();
    let site = php_server(Php::production().sqlite(&database)).await;
    each_row_arrives(&site, SQLITE, |row| database.insert(row)).await;
}

#[tokio::test]
async fn php_fpm_brings_each_row_of_sqlite() {
    let database = SqliteDb::create();
    let site = fpm(Php::production().sqlite(&database), Buffering::Off).await;
    each_row_arrives(&site, SQLITE, |row| database.insert(row)).await;
}

#[tokio::test]
async fn mod_php_brings_each_row_of_sqlite() {
    let database = SqliteDb::create();
    let site = apache(Php::production().sqlite(&database)).await;
    each_row_arrives(&site, SQLITE, |row| database.insert(row)).await;
}

#[tokio::test]
async fn php_server_brings_each_row_of_mariadb_over_one_database_connection() {
    let database = MariaDb::start().await;
    let site = php_server(Php::production().mariadb(&database)).await;
    each_row_of_mariadb_arrives(&site, &database).await;
}

#[tokio::test]
async fn php_fpm_brings_each_row_of_mariadb_over_one_database_connection() {
    let database = MariaDb::start().await;
    let site = fpm(Php::production().mariadb(&database), Buffering::Off).await;
    each_row_of_mariadb_arrives(&site, &database).await;
}

#[tokio::test]
async fn mod_php_brings_each_row_of_mariadb_over_one_database_connection() {
    let database = MariaDb::start().await;
    let site = apache(Php::production().mariadb(&database)).await;
    each_row_of_mariadb_arrives(&site, &database).await;
}

#[tokio::test]
async fn a_row_that_is_told_again_and_again_arrives_once_where_the_route_drops_repeats() {
    let database = SqliteDb::create();
    let site = php_server(Php::production().sqlite(&database)).await;
    let sluice = sharing_all_of(site.address(), "open_wait: 50ms, dedupe: true").await;
    let target = "/db_events_sqlite.php?ms=5";
    let mut subscriber = Subscriber::listen(&sluice, Way::Http2, target).await;
    for n in 0..5 {
        database.insert(&n.to_string());
        let event = subscriber.next_event(SOON).await;
        assert_eq!(event.data, format!(r#"{{"message":"{n}"}}"#));
    }
}
