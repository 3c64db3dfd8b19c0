//! A small HTTP server that serves whatever it is told to, and answers statements as it likes.

use crate::support::forge::Objects;
use servanda::armor::File;
use servanda::draft::Draft;
use servanda::promise::Promise;
use servanda::tlog_proof::TlogProof;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// An answer to a statement.
pub struct Reply(u16, Vec<u8>);

impl Reply {
    /// A proof.
    pub fn proof(proof: &TlogProof) -> Self {
        Self(200, proof.to_string().into_bytes())
    }

    /// A promise.
    pub fn promise(promise: &Promise) -> Self {
        Self(202, File::Promise.write(promise).unwrap().into_bytes())
    }

    /// Nothing that says anything.
    pub fn nothing() -> Self {
        Self(500, Vec::new())
    }
}

/// What is done with a statement: it may change what is shown.
type Take = Box<dyn FnMut(Draft, &mut Objects) -> Reply + Send>;

/// What is shown, and what is done with statements.
struct Acts {
    objects: Objects,
    /// How often the checkpoint was asked for.
    looks: u64,
    /// Whether whoever listens to events is told of some without end.
    floods: bool,
    take: Take,
}

/// The server; it ends with the test.
pub struct Dishonest {
    acts: Arc<Mutex<Acts>>,
    over: Arc<AtomicBool>,
    /// Where it is.
    pub url: String,
}

impl Dishonest {
    /// Shows these objects.
    pub fn showing(objects: Objects) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let acts = Acts { objects, looks: 0, floods: false, take: Box::new(|_, _| Reply::nothing()) };
        let (acts, over) = (Arc::new(Mutex::new(acts)), Arc::new(AtomicBool::new(false)));
        let (theirs, ends) = (Arc::clone(&acts), Arc::clone(&over));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let acts = Arc::clone(&theirs);
                thread::spawn(move || serve(stream, &acts));
            }
        });
        Self { acts, over, url }
    }

    /// Shows other objects from now on.
    pub fn show(&self, objects: Objects) {
        self.acts.lock().unwrap().objects = objects;
    }

    /// How often the checkpoint was asked for.
    pub fn looks(&self) -> u64 {
        self.acts.lock().unwrap().looks
    }

    /// Tells whoever listens of events without end, from now on.
    pub fn floods(&self) {
        self.acts.lock().unwrap().floods = true;
    }

    /// What is done with a statement: it may change what is shown.
    pub fn takes(&self, take: impl FnMut(Draft, &mut Objects) -> Reply + Send + 'static) {
        self.acts.lock().unwrap().take = Box::new(take);
    }
}

impl Drop for Dishonest {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

/// Answers one request.
fn serve(stream: TcpStream, acts: &Mutex<Acts>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        (reader.read_line(&mut head).ok()? > 0).then_some(())?;
    }
    let mut words = head.split(' ');
    let (method, path) = (words.next()?, words.next()?.trim_start_matches('/').to_owned());
    let (status, body) = if method == "POST" {
        let lower = head.to_lowercase();
        let length = lower.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let draft: Draft = File::Statement.read(&body).unwrap();
        let mut acts = acts.lock().unwrap();
        let Acts { objects, take, .. } = &mut *acts;
        let Reply(status, body) = take(draft, objects);
        (status, body)
    } else if path == "events" && acts.lock().unwrap().floods {
        (&stream).write_all(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n").ok()?;
        loop {
            (&stream).write_all(b"id: \xff\nevent: called_upon\ndata: {\n\n").ok()?;
        }
    } else {
        acts.lock().unwrap().looks += u64::from(path == "checkpoint");
        let found = acts.lock().unwrap().objects.get(&format!("public/{path}")).cloned();
        (if found.is_some() { 200 } else { 404 }, found.unwrap_or_default())
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    (&stream).write_all(&[head.as_bytes(), &body].concat()).ok()
}
