//! Servers as processes of their own, and connections to them that are kept.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What every server is told: to refuse nobody for asking often, and to say nothing.
const OPEN: [&str; 8] =
    ["--listen", "127.0.0.1:0", "--rate", "0", "--max-connections-each", "1024", "--trace", "off"];

/// A process that ends with this value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Runs a command of the binary that serves, in a folder.
    pub fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        let mut child =
            command.args(args).args(OPEN).current_dir(folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().rsplit(' ').next().unwrap().trim_end_matches('/');
        let address = url.split("://").nth(1).unwrap_or_else(|| panic!("{line:?}")).parse().unwrap();
        Self { child, address }
    }

    /// Some other server, which listens or soon will.
    pub fn of(child: Child, address: SocketAddr) -> Self {
        while TcpStream::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The processor time that it has taken, in seconds.
    pub fn processor_s(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // Of what follows the name, user and system time are the 12th and 13th, in hundredths of a second.
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
        fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that is kept.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends a request; gives the status and the content of the answer.
    pub fn ask(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        self.0.get_mut().write_all(request).unwrap();
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let from = head.len();
            assert!(self.0.read_line(&mut head).unwrap() > 0, "cut off");
            if let Some((name, value)) = head[from..].trim_end().split_once(": ")
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
    }

    pub fn get(&mut self, path: &str) -> Vec<u8> {
        let (status, body) = self.ask(format!("GET /{path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!(status, 200, "{path}");
        body
    }

    /// Submits a statement, and waits until it is durable, or published.
    pub fn add(&mut self, text: &str, durable: bool) {
        let (query, want) = if durable { ("?wait=durable", [200, 202]) } else { ("", [200, 200]) };
        let head = format!("POST /add{query} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", text.len());
        let (status, body) = self.ask(&[head.as_bytes(), text.as_bytes()].concat());
        assert!(want.contains(&status), "{status} {}", String::from_utf8_lossy(&body));
    }
}

/// The middle one of these times, and the one that one in a hundred takes longer than.
pub fn percentiles(mut taken: Vec<Duration>) -> String {
    taken.sort_unstable();
    let at = |percent: usize| taken[(taken.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    format!("p50 {:.2} ms, p99 {:.2} ms", at(50), at(99))
}
