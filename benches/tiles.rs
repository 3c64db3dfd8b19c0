//! Tiles and bundles a second, ours beside nginx's over the same files, asked for by the same clients.

use super::made;
use super::online::{Connection, Server};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many connections ask, each on a thread.
const CONNECTIONS: u64 = 16;

/// How long they ask at a time.
const TURN: Duration = Duration::from_secs(2);

pub fn tiles() {
    let size = made::entries();
    let home = made::log(size);
    let ours = Server::start(&home, &["serve", ".", "--read-only"]);
    let folder = tempfile::tempdir().unwrap();
    let theirs = nginx(&home.join("public"), folder.path());
    if theirs.is_none() {
        println!("there is no nginx to be compared with");
    }
    for kind in ["0", "entries"] {
        let paths: Vec<String> = (0..size / 256).map(|n| format!("tile/{kind}/{}", numbered(n))).collect();
        assert!(!paths.is_empty(), "the log is too short to have a full tile");
        let mut best = [(0.0_f64, 0.0_f64); 2];
        for _ in 0..3 {
            for (at, server) in [Some(&ours), theirs.as_ref()].into_iter().enumerate() {
                let Some(server) = server else { continue };
                let (rate, each) = load(server, &paths);
                if rate > best[at].0 {
                    best[at] = (rate, each);
                }
            }
        }
        let [(ours, ours_us), (theirs, theirs_us)] = best;
        println!(
            "tile/{kind}: {ours:.0} a second, {ours_us:.0} µs of processor time each; nginx {theirs:.0}, \
             {theirs_us:.0} µs; {:.2} of its rate",
            ours / theirs
        );
    }
}

/// The path of a number: c2sp.org/tlog-tiles.
fn numbered(number: u64) -> String {
    let mut path = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// Asks for these objects again and again; how many came a second, and the server's processor time for each, in µs.
fn load(server: &Server, paths: &[String]) -> (f64, f64) {
    let (asked, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (started, used) = (Instant::now(), server.processor_s());
    thread::scope(|scope| {
        for n in 0..CONNECTIONS {
            let (asked, stop) = (&asked, &stop);
            scope.spawn(move || {
                let mut connection = Connection::to(server.address);
                let mut at = usize::try_from(n).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    at = (at + 7919) % paths.len();
                    connection.get(&paths[at]);
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(TURN);
        stop.store(true, Ordering::Relaxed);
    });
    let asked = asked.load(Ordering::Relaxed) as f64;
    (asked / started.elapsed().as_secs_f64(), (server.processor_s() - used) / asked * 1e6)
}

/// nginx over a folder, one process; none where there is none.
fn nginx(public: &Path, folder: &Path) -> Option<Server> {
    let program = ["nginx", "/usr/sbin/nginx"].into_iter().find(|program| {
        Command::new(program).arg("-v").stderr(Stdio::null()).status().is_ok_and(|done| done.success())
    })?;
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {name};"))
        .concat();
    let conf = format!(
        "daemon off; master_process off; pid pid; error_log stderr; events {{ }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; {temporary}\n\
         server {{ listen {address}; root {}; types {{ }} default_type application/octet-stream; }} }}\n",
        public.display()
    );
    fs::write(folder.join("conf"), conf).unwrap();
    let mut command = Command::new(program);
    let command = command.arg("-p").arg(folder).args(["-c", "conf", "-e", "stderr"]);
    Some(Server::of(command.stdout(Stdio::null()).spawn().unwrap(), address))
}
