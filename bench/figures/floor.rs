//! The floor: one thread that writes each event to each socket, with no TLS and no HTTP.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// Microseconds of the writing thread's CPU for each delivery.
pub fn send_to_each(sockets: usize, bytes: usize, rounds: usize) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    let readers = thread::spawn(move || {
        let mut clients: Vec<TcpStream> =
            (0..sockets).map(|_| TcpStream::connect(address).expect("connect")).collect();
        let mut buffer = vec![0; bytes];
        for _ in 0..rounds {
            for client in &mut clients {
                client.read_exact(&mut buffer).expect("read an event");
            }
        }
    });
    let mut servers: Vec<TcpStream> =
        (0..sockets).map(|_| listener.accept().expect("accept").0).collect();
    let event = vec![b'x'; bytes];
    let writer = thread::spawn(move || {
        let before = thread_cpu();
        for _ in 0..rounds {
            for server in &mut servers {
                server.write_all(&event).expect("write an event");
            }
        }
        let used = thread_cpu() - before;
        (used, servers)
    });
    let (used, servers) = writer.join().expect("the writer");
    readers.join().expect("the readers");
    drop(servers);
    used.as_secs_f64() * 1e6 / (sockets * rounds) as f64
}

/// CPU time of the calling thread, in nanoseconds (proc(5), `schedstat`).
fn thread_cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat");
    let nanoseconds = text.split_whitespace().next().and_then(|n| n.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}
