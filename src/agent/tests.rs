//! The agent against servers that answer anything: what it takes, what it tries again, when it gives up.

use super::*;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A server that gives one answer after the other, the last one again and again.
pub(crate) struct Server {
    /// Where it is.
    pub(crate) url: Url,
    /// The heads of all requests.
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

/// What is done with a connection on which a request came.
type Answerer = dyn Fn(usize, &mut TcpStream) -> bool + Send + Sync;

impl Server {
    pub(crate) fn of(answers: &[&[u8]]) -> Self {
        let answers: Vec<Vec<u8>> = answers.iter().map(|a| a.to_vec()).collect();
        Self::with(Arc::new(move |n, stream| stream.write_all(&answers[n.min(answers.len() - 1)]).is_ok()))
    }

    fn with(answer: Arc<Answerer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/log", listener.local_addr().unwrap()).parse().unwrap();
        let (asked, count) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, count, answer) = (Arc::clone(&seen), Arc::clone(&count), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    while let Some(head) = request(&mut stream) {
                        seen.lock().unwrap().push(head);
                        if !answer(count.fetch_add(1, Ordering::Relaxed), &mut stream) {
                            return;
                        }
                    }
                });
            }
        });
        Self { url, asked }
    }

    fn agent(&self) -> Agent {
        Agent::new(&self.url, &quick()).unwrap()
    }

    fn get(&self, limit: u64) -> Result<Answer, AgentError> {
        self.agent().get(&self.url.at("tile/0/000"), limit)
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// Reads the head of a request, and a body if its length is told.
fn request(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|l| l.split('\r').next()?.parse().ok());
    stream.read_exact(&mut vec![0; length.unwrap_or(0)]).ok()?;
    Some(head)
}

pub(crate) fn quick() -> Limits {
    let pause = Duration::from_millis(5);
    Limits {
        connect: Duration::from_secs(5),
        whole: Duration::from_secs(1),
        pauses: vec![pause; 3],
        roots: None,
    }
}

pub(crate) fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

#[test]
fn an_object_is_read_up_to_its_limit_and_no_further() {
    let server = Server::of(&[&answer("200 OK", b"hashes")]);
    assert_eq!(server.get(6).unwrap().body, b"hashes");
    assert!(matches!(server.get(5), Err(AgentError::TooLong { limit: 5 })));
    let endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n1234567\r\n";
    let server = Server::of(&[endless]);
    assert!(matches!(server.get(5), Err(AgentError::TooLong { limit: 5 })));
}

#[test]
fn what_is_packed_is_limited_by_what_comes_out_of_it() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&[0; 10_000]).unwrap();
    let packed = packer.finish().unwrap();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", packed.len());
    let server = Server::of(&[&[head.as_bytes(), &packed].concat()]);
    assert_eq!(server.get(10_000).unwrap().body, [0; 10_000]);
    assert!(matches!(server.get(9_999), Err(AgentError::TooLong { limit: 9_999 })));
}

#[test]
fn what_may_pass_is_tried_again_and_nothing_else_is() {
    let good = answer("200 OK", b"hashes");
    for status in
        ["429 Too Many Requests", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"]
    {
        let server = Server::of(&[&answer(status, b"wait"), &answer(status, b""), &good]);
        assert_eq!(server.get(6).unwrap().body, b"hashes");
        assert_eq!(server.asked(), 3);
        let server = Server::of(&[&answer(status, b"")]);
        assert!(matches!(server.get(6), Err(AgentError::Status(_))));
        assert_eq!(server.asked(), 4, "three more tries");
    }
    for status in
        ["400 Bad Request", "403 Forbidden", "404 Not Found", "410 Gone", "500 Internal Server Error"]
    {
        let server = Server::of(&[&answer(status, b"no"), &good]);
        assert_eq!(server.get(6).unwrap().body, b"no");
        assert_eq!(server.asked(), 1, "{status}");
    }
}

#[test]
fn a_connection_that_breaks_is_tried_again() {
    let cut = Arc::new(|n: usize, stream: &mut TcpStream| match n {
        0 => false,
        1 => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhas").is_err(),
        _ => stream.write_all(&answer("200 OK", b"hashes")).is_ok(),
    });
    let server = Server::with(cut);
    assert_eq!(server.get(6).unwrap().body, b"hashes");
    assert_eq!(server.asked(), 3);
}

#[test]
fn a_server_that_is_slow_or_gone_costs_a_time_out_and_no_more() {
    let slow = Arc::new(|_: usize, stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n");
        // A byte now and then must not keep a reader for ever.
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
        false
    });
    let server = Server::with(slow);
    let begun = Instant::now();
    let once = Limits { pauses: Vec::new(), ..quick() };
    let agent = Agent::new(&server.url, &once).unwrap();
    assert!(matches!(agent.get(&server.url.at("a"), 600), Err(AgentError::TimedOut)));
    assert!(begun.elapsed() < Duration::from_secs(10));

    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url: Url = format!("http://{gone}").parse().unwrap();
    let error = Agent::new(&url, &quick()).unwrap().get(&url.at("a"), 1).unwrap_err();
    assert!(matches!(error, AgentError::Connection(_)) && error.is_passing(), "{error:?}");
}

#[test]
fn redirects_are_told_and_not_followed() {
    let elsewhere = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let server = Server::of(&[elsewhere]);
    assert!(matches!(server.get(9), Err(AgentError::Redirect { to }) if to == "http://127.0.0.1:1/"));
    assert_eq!(server.asked(), 1);
}

#[test]
fn a_connection_is_used_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::Relaxed);
            let mut stream = stream.unwrap();
            while request(&mut stream).is_some() && stream.write_all(&answer("404 Not Found", b"no")).is_ok()
            {
            }
        }
    });
    let agent = Agent::new(&url, &quick()).unwrap();
    for _ in 0..5 {
        assert_eq!(agent.get(&url.at("a"), 9).unwrap().status, 404);
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[test]
fn what_is_sent_is_sent_once() {
    let server = Server::of(&[&answer("503 Service Unavailable", b"{}"), &answer("200 OK", b"")]);
    let answer =
        server.agent().post(&server.url.at("add"), &[("content-type", "text/plain")], b"body", 9).unwrap();
    assert_eq!((answer.status, &answer.body[..]), (503, &b"{}"[..]));
    let asked = server.asked.lock().unwrap();
    assert!(asked.len() == 1 && asked[0].starts_with("post /log/add "), "{asked:?}");
    assert!(asked[0].contains("content-type: text/plain\r\n") && asked[0].contains("content-length: 4\r\n"));
}

#[test]
fn a_stream_is_read_as_it_comes() {
    let drip = Arc::new(|_: usize, stream: &mut TcpStream| {
        let head =
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        let _ = stream.write_all(head);
        let _ = stream.write_all(b"8\r\nid: a-1\n\r\n");
        thread::sleep(Duration::from_secs(5));
        false
    });
    let server = Server::with(drip);
    let mut stream = server.agent().stream(&server.url.at("events"), &[("last-event-id", "a-0")]).unwrap();
    let (begun, mut read) = (Instant::now(), [0; 8]);
    stream.read_exact(&mut read).unwrap();
    assert_eq!(&read, b"id: a-1\n");
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert!(server.asked.lock().unwrap()[0].contains("last-event-id: a-0\r\n"));
}
