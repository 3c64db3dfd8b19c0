//! A static server, nginx, gives `public/` as it is, configured as `docs/operations.md` says.

use super::go::{interop, long_log, ready};
use crate::cli_verify::World;
use crate::net::Answer;
use crate::support::missing;
use crate::support::small_log::log_vkey;
use std::fs;
use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// nginx at work; it ends with the test.
struct Nginx {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked, it takes its workers along.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// The part of `docs/operations.md` that is a configuration for nginx.
fn documented() -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md")).unwrap();
    let start = text.find("    map $uri $servanda_cache {").expect("the configuration");
    let lines = text[start..].lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    lines.map(|line| format!("{line}\n")).collect()
}

impl Nginx {
    /// Starts it over a folder; none where there is none.
    fn start(public: &Path) -> Option<Self> {
        let program = ["nginx", "/usr/sbin/nginx"].into_iter().find(|program| {
            Command::new(program).arg("-v").stderr(Stdio::null()).status().is_ok_and(|done| done.success())
        });
        let Some(program) = program else {
            missing("there is no nginx");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let put = |text: &str, from: &str, to: &str| {
            assert_eq!(text.matches(from).count(), 1, "{from}");
            text.replace(from, to)
        };
        let site = put(&documented(), "listen 127.0.0.1:8080;", &format!("listen {address};"));
        let root = format!("root {};", public.display());
        let site = put(&site, "root /var/lib/servanda/paris/public;", &root);
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {name};\n"))
            .concat();
        // As root it would read as somebody else, who may not look into a test's folder.
        let user = if fs::metadata(folder.path()).unwrap().uid() == 0 { "user root;\n" } else { "" };
        let all = format!(
            "{user}worker_processes 1;\npid pid;\nerror_log stderr;\nevents {{ }}\n\
             http {{\naccess_log off;\n{temporary}{site}}}\n"
        );
        fs::write(folder.path().join("conf"), all).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).args(["-c", "conf", "-e", "stderr", "-g", "daemon off;"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let mut nginx = Self { child, address, _folder: folder };
        for _ in 0..600 {
            assert!(nginx.child.try_wait().unwrap().is_none(), "it ended");
            if TcpStream::connect(address).is_ok() {
                return Some(nginx);
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("it never listened");
    }

    fn get(&self, path: &str, fields: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n").unwrap();
        Answer::read(&mut BufReader::new(stream), false)
    }
}

#[test]
fn nginx_serves_the_public_part_as_it_is() {
    let log = long_log(300);
    let world = World::with(&log);
    let Some(nginx) = Nginx::start(&world.path("paris/public")) else { return };
    let url = format!("http://{}", nginx.address);
    world.run(&format!("verify {url} --trust trust.toml")).ends(0).says("300 entries");
    world.run(&format!("verify {url} --trust trust.toml --since paris/public/checkpoint")).ends(0);
    if ready() {
        let vkey = log_vkey().to_string();
        for command in ["tree", "fsck", "client"] {
            let (accepted, said) = interop(&[command, &url, &vkey]);
            assert!(accepted, "{said}");
        }
    }
    // The same heads as from our own server, as far as they say how to read it.
    let (immutable, bytes) = ("public, max-age=31536000, immutable", "application/octet-stream");
    for (path, media, cache) in [
        ("checkpoint", "text/plain; charset=utf-8", "no-cache"),
        ("charter.toml", "text/plain; charset=utf-8", "public, max-age=3600"),
        ("tile/0/000", bytes, immutable),
        ("tile/0/001.p/44", bytes, immutable),
        ("tile/entries/000", bytes, immutable),
    ] {
        let answer = nginx.get(&format!("/{path}"), "");
        assert_eq!((answer.status, &answer.body), (200, &world.read(&format!("paris/public/{path}"))));
        assert_eq!(answer.field("content-type"), Some(media), "{path}");
        assert_eq!(answer.field("cache-control"), Some(cache), "{path}");
        assert_eq!(answer.field("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{path}");
        let tag = answer.field("etag").unwrap();
        assert_eq!(nginx.get(&format!("/{path}"), &format!("If-None-Match: {tag}\r\n")).status, 304);
    }
    let part = nginx.get("/tile/0/000", "Range: bytes=0-31\r\n");
    assert_eq!((part.status, &part.body[..]), (206, &world.read("paris/public/tile/0/000")[..32]));
    let missing = nginx.get("/tile/0/002", "");
    assert_eq!(
        (missing.status, missing.field("cache-control")),
        (404, None),
        "what is not there yet may come"
    );
    assert_eq!(nginx.get("/tile/../../private/commit", "").status, 400);
    std::os::unix::fs::symlink("/etc/passwd", world.path("paris/public/tile/0/002")).unwrap();
    assert_eq!(nginx.get("/tile/0/002", "").status, 403, "a link is not followed");
    // One changed byte on the disk of the one who serves.
    let mut bundle = world.read("paris/public/tile/entries/000");
    bundle[1000] ^= 1;
    world.write("paris/public/tile/entries/000", bundle);
    world.run(&format!("verify {url} --trust trust.toml")).ends(1);
}
