//! What is read: the streams of real PHP and Node scripts.

use super::{data, discards, id, reads, typed};

#[test]
fn the_streams_of_php_and_node_scripts_are_read() {
    let php = b"event: ping\ndata: {\"time\": \"2024-01-02T03:04:05+0000\"}\n\n\
        data: This is a message at time 2024-01-02T03:04:05+0000\n\n";
    let time = "2024-01-02T03:04:05+0000";
    let message = format!("This is a message at time {time}");
    reads(php, &[typed("ping", &format!("{{\"time\": \"{time}\"}}")), data(&message)]);
    reads(b"event: update\ndata: Hello, world!\n\n", &[typed("update", "Hello, world!")]);
    let korean = "{\"name\":\"\u{d64d}\u{ae38}\u{b3d9}\"}";
    let node = format!("event: update\ndata: {korean}\n\n");
    reads(node.as_bytes(), &[typed("update", korean)]);
}

#[test]
fn notices_between_and_before_events_are_discarded() {
    let notice = "<br />\n<b>Notice</b>:  ob_flush(): Failed to flush buffer. No buffer to flush \
        in <b>/srv/www/time.php</b> on line <b>8</b><br />\n";
    let event = "data: {\"time\":\"09:21:28\"}\n\n";
    let expected = [data("{\"time\":\"09:21:28\"}"), data("{\"time\":\"09:21:28\"}")];
    discards(format!("{event}{notice}{event}{notice}").as_bytes(), &expected, 4);
    discards(format!("\u{feff}{notice}{event}{event}").as_bytes(), &expected, 2);
    let fatal = b"<br />\n<b>Fatal error</b>:  Uncaught mysqli_sql_exception: Connection refused";
    discards(fatal, &[], 1);
}

#[test]
fn notices_inside_events_cut_what_they_cut_and_no_more() {
    let html =
        b"data: {\"u\": \"<br />\n<b>Warning</b>:  Undefined variable $u\n\"}\n\ndata: b\n\n";
    discards(html, &[data("{\"u\": \"<br />"), data("b")], 2);
    let plain = b"data: {\"u\": \"\nWarning: Undefined variable $u on line 5\n\"}\n\ndata: b\n\n";
    discards(plain, &[data("{\"u\": \""), data("b")], 2);
    discards(b"id: 0\n\nWarning: x on line 5\ndata: x\n\n", &[id("0"), data("x")], 1);
    discards(b"event: ping\n\nNotice: x on line 5\ndata: x\n\n", &[data("x")], 1);
}

#[test]
fn a_half_event_at_the_end_of_the_stream_is_never_completed() {
    for half in
        ["data: half-written", "data: half\n", "id: 9\ndata: half\r", "id: 9\r\n", "retry: 1\n"]
    {
        reads(format!("data: whole\n\n{half}").as_bytes(), &[data("whole")]);
    }
}
