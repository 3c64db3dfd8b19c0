//! Logs over the network: the real binary as a server on this machine, and what is asked of it, by commands and by hand.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commands;
mod founding;
mod hostile;
mod limits;
mod reading;
#[cfg(feature = "tls")]
mod secure;
mod served;
mod succession;
mod telling;
mod terminals;
mod witness;
pub mod writing;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server, which ends with the test.
pub struct Server {
    child: Child,
    /// Where it says that it is.
    pub url: String,
}

impl Server {
    /// Serves a log on a free port, with more options.
    pub fn start(folder: &Path, log: &str, options: &[&str]) -> Self {
        Self::run(folder, "serve", &[&[log], options].concat())
    }

    /// Runs a command that serves, on a free port.
    pub fn run(folder: &Path, verb: &str, options: &[&str]) -> Self {
        Self::run_at(folder, verb, "127.0.0.1:0", options)
    }

    /// Runs a command that serves, at an address.
    pub fn run_at(folder: &Path, verb: &str, listen: &str, options: &[&str]) -> Self {
        let options = [&["--listen", listen, "--trace", "off"], options].concat();
        Self::spawn(folder, verb, &options, Stdio::inherit())
    }

    /// Runs a command that serves, on a free port, and writes what it says of its work to a file.
    #[cfg(feature = "tls")]
    pub fn traced(folder: &Path, verb: &str, options: &[&str], file: &str) -> Self {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(folder.join(file)).unwrap();
        let options = [&["--listen", "127.0.0.1:0", "--trace", "info"], options].concat();
        Self::spawn(folder, verb, &options, file.into())
    }

    fn spawn(folder: &Path, verb: &str, options: &[&str], says: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
            command.env_remove(name);
        }
        command.arg(verb).args(options).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(says);
        let mut child = command.current_dir(folder).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().rsplit(' ').next().unwrap().trim_end_matches('/').to_owned();
        assert!(url.starts_with("http"), "{line:?}");
        Self { child, url }
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.url.split("://").nth(1).unwrap().parse().unwrap()
    }

    /// A connection to it.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Asks for a path, with more fields in the head, each on a line with its end.
    pub fn get(&self, path: &str, fields: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"))
    }

    /// Sends a request as it is, and reads the answer to it.
    pub fn ask(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(&mut BufReader::new(stream), request.starts_with("HEAD "))
    }

    /// Posts a text to a path.
    pub fn post(&self, path: &str, body: &str) -> Answer {
        let length = body.len();
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Waits until it has ended; gives the exit code.
    pub fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    head: String,
    /// The content.
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads one answer, and no byte more.
    pub fn read(from: &mut BufReader<TcpStream>, head_only: bool) -> Self {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(from.read_line(&mut head).unwrap() > 0, "cut off: {head:?}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Self { status, head, body: Vec::new() };
        if !head_only && status != 304 && status != 204 {
            let length = answer.field("content-length").expect("a length").parse().unwrap();
            answer.body = vec![0; length];
            from.read_exact(&mut answer.body).unwrap();
        }
        answer
    }

    /// Reads one answer, unless it is cut off.
    pub fn read_whole(from: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            from.read_line(&mut head).ok().filter(|read| *read > 0)?;
        }
        let mut answer = Self { status: head.split(' ').nth(1)?.parse().ok()?, head, body: Vec::new() };
        let length = answer.field("content-length")?.parse().ok()?;
        answer.body = vec![0; length];
        from.read_exact(&mut answer.body).ok()?;
        Some(answer)
    }

    /// A field of the head.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The content as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}
