//! Every line number that a message prints comes from here, so each shape of YAML is tried.

use super::*;

const TEXT: &str = "# a comment
listeners:
  - address: 127.0.0.1:1
  -   address: 127.0.0.1:2
      tls: { cert: a.pem, key: b.pem }

upstreams:
  php: &php
    address: x:1
  node: *php
\"quoted key\": |
  some
  text
routes:
- path: /a

  sse:
    replay:
      # deep
      events: 5
      events: 6
    vary: { query: [a,
        b] }
- plain
-
- 5
";

fn at(path: &KeyPath) -> (usize, usize) {
    let Position { line, column } = locate(TEXT, path).expect("TEXT is good YAML");
    (line, column)
}

fn top() -> KeyPath {
    KeyPath::default()
}

#[test]
fn keys_are_found_on_their_own_line_and_not_on_their_values() {
    assert_eq!(at(&top().key("listeners")), (2, 1));
    assert_eq!(at(&top().key("routes")), (14, 1));
    let sse = top().key("routes").item(0).key("sse");
    assert_eq!(at(&sse), (17, 3));
    assert_eq!(at(&sse.key("replay").key("events")), (20, 7));
    assert_eq!(at(&top().key("quoted key")), (11, 1));
}

#[test]
fn items_are_found_where_they_begin() {
    assert_eq!(at(&top().key("listeners").item(0)), (3, 5));
    assert_eq!(at(&top().key("listeners").item(1)), (4, 7));
    assert_eq!(at(&top().key("routes").item(1)), (24, 3));
    assert_eq!(at(&top().key("routes").item(3)), (26, 3));
}

#[test]
fn flow_style_is_followed() {
    let tls = top().key("listeners").item(1).key("tls");
    assert_eq!(at(&tls), (5, 7));
    assert_eq!(at(&tls.key("key")), (5, 27));
    let query = top().key("routes").item(0).key("sse").key("vary").key("query");
    assert_eq!(at(&query.item(0)), (22, 21));
    assert_eq!(at(&query.item(1)), (23, 9));
}

#[test]
fn the_second_of_two_equal_keys_is_found() {
    let replay = top().key("routes").item(0).key("sse").key("replay");
    assert_eq!(at(&replay.repeated_key("events", 1)), (21, 7));
}

#[test]
fn what_is_missing_is_placed_at_what_it_is_missing_from() {
    assert_eq!(at(&top()), (2, 1));
    assert_eq!(at(&top().key("log").key("level")), (2, 1));
    assert_eq!(at(&top().key("routes").item(0).key("upstream")), (15, 3));
    assert_eq!(at(&top().key("upstreams").key("php").key("tls")), (8, 3));
}

#[test]
fn an_alias_is_placed_where_its_text_stands() {
    assert_eq!(at(&top().key("upstreams").key("node").key("address")), (9, 5));
}

#[test]
fn an_empty_item_has_a_place() {
    assert_eq!(at(&top().key("routes").item(2)).0, 25);
}
