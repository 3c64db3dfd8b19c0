//! What a served log answers, request by request: c2sp.org/tlog-tiles, and HTTP as its RFCs have it.

use super::Server;
use crate::cli_verify::World;
use crate::support::small_log::{SmallLog, review};
use crate::support::stored;
use serde_json::Value;
use std::fs;
use std::io::Read as _;

/// A world with a log of 300 entries, so that one tile is full, and its server.
fn served() -> (World, Server) {
    let mut log = SmallLog::ready();
    while log.size() < 300 {
        log.say("de", review(20_000));
    }
    let world = World::with(&log);
    let server = Server::start(&world.path("."), "paris", &[]);
    (world, server)
}

#[test]
fn objects_are_those_on_disk_with_their_types_and_how_long_they_hold() {
    let (world, server) = served();
    let immutable = "public, max-age=31536000, immutable";
    let bytes = "application/octet-stream";
    for (path, media, cache) in [
        ("checkpoint", "text/plain; charset=utf-8", "no-cache"),
        ("charter.toml", "text/plain; charset=utf-8", "public, max-age=3600"),
        ("tile/0/000", bytes, immutable),
        ("tile/0/001.p/44", bytes, immutable),
        ("tile/1/000.p/1", bytes, immutable),
        ("tile/entries/000", bytes, immutable),
        ("tile/entries/001.p/44", bytes, immutable),
    ] {
        let answer = server.get(&format!("/{path}"), "");
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.body, world.read(&format!("paris/public/{path}")), "{path}");
        assert_eq!(answer.field("content-type"), Some(media), "{path}");
        assert_eq!(answer.field("cache-control"), Some(cache), "{path}");
        assert_eq!(answer.field("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.field("accept-ranges"), Some("bytes"), "{path}");

        let head = server.ask(&format!("HEAD /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.field("content-length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(head.field("etag"), answer.field("etag"));

        let tag = answer.field("etag").unwrap();
        let known = server.get(&format!("/{path}"), &format!("If-None-Match: {tag}\r\n"));
        assert_eq!((known.status, known.field("etag"), known.body.len()), (304, Some(tag), 0), "{path}");
        let other = server.get(&format!("/{path}"), "If-None-Match: \"other\"\r\n");
        assert_eq!((other.status, other.body), (200, answer.body.clone()), "{path}");
    }
}

#[test]
fn ranges_of_bytes_are_answered() {
    let (world, server) = served();
    let tile = world.read("paris/public/tile/0/000");
    let part = |range: &str| server.get("/tile/0/000", &format!("Range: {range}\r\n"));
    for (range, want, content) in [
        ("bytes=0-31", &tile[..32], "bytes 0-31/8192"),
        ("bytes=8160-", &tile[8160..], "bytes 8160-8191/8192"),
        ("bytes=-32", &tile[8160..], "bytes 8160-8191/8192"),
    ] {
        let answer = part(range);
        assert_eq!(
            (answer.status, &answer.body[..], answer.field("content-range")),
            (206, want, Some(content))
        );
    }
    let beyond = part("bytes=8192-");
    assert_eq!((beyond.status, beyond.field("content-range")), (416, Some("bytes */8192")));
    assert_eq!(part("bytes=0-1,4-5").body, tile);
    let stale = server.get("/tile/0/000", "Range: bytes=0-31\r\nIf-Range: \"other\"\r\n");
    assert_eq!((stale.status, stale.body), (200, tile));
}

#[test]
fn a_bundle_is_packed_where_that_is_accepted() {
    let (world, server) = served();
    let bundle = world.read("paris/public/tile/entries/000");
    let answer = server.get("/tile/entries/000", "Accept-Encoding: br, gzip\r\n");
    assert_eq!((answer.status, answer.field("content-encoding")), (200, Some("gzip")));
    assert_eq!(answer.field("vary"), Some("Accept-Encoding"));
    assert!(answer.body.len() < bundle.len());
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, bundle);
    let plain = server.get("/tile/entries/000", "");
    assert_eq!((plain.field("content-encoding"), &plain.body), (None, &bundle));
    assert_ne!(plain.field("etag"), answer.field("etag"), "other bytes, another tag");
    let tag = answer.field("etag").unwrap();
    let known =
        server.get("/tile/entries/000", &format!("Accept-Encoding: gzip\r\nIf-None-Match: {tag}\r\n"));
    assert_eq!(known.status, 304);
    let hashes = server.get("/tile/0/000", "Accept-Encoding: gzip\r\n");
    assert_eq!(hashes.field("content-encoding"), None, "hashes cannot be packed");
}

#[test]
fn a_long_bundle_comes_whole_and_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let entries: Vec<Vec<u8>> = (0..9).map(|n| vec![n; 60_000]).collect();
    stored::leaves_in_home(&folder.path().join("log"), &entries);
    let server = Server::start(folder.path(), "log", &[]);
    let path = "tile/entries/000.p/9";
    let bundle = fs::read(folder.path().join("log/public").join(path)).unwrap();
    let answer = server.get(&format!("/{path}"), "Accept-Encoding: gzip\r\n");
    assert_eq!((answer.status, &answer.body), (200, &bundle));
    let tag = answer.field("etag").unwrap();
    assert_eq!(server.get(&format!("/{path}"), &format!("If-None-Match: {tag}\r\n")).status, 304);
    let part = server.get(&format!("/{path}"), &format!("Range: bytes=300000-400000\r\nIf-Range: {tag}\r\n"));
    assert_eq!((part.status, &part.body[..]), (206, &bundle[300_000..=400_000]));
    let head = server.ask(&format!("HEAD /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert_eq!(head.field("content-length"), Some(bundle.len().to_string().as_str()));
}

#[test]
fn nothing_but_what_is_published_is_served() {
    let (world, server) = served();
    world.write("paris/public/notes.txt", "not of the log");
    std::os::unix::fs::symlink("/etc/passwd", world.path("paris/public/tile/0/002")).unwrap();
    for path in [
        "/",
        "/private/commit",
        "/public/checkpoint",
        "/notes.txt",
        "/checkpoint/",
        "/tile",
        "/tile/",
        "/tile/0",
        "/tile/0/",
        "/tile/0/0",
        "/tile/0/x000/000",
        "/tile/0/000.p/0",
        "/tile/0/000.p/256",
        "/tile/64/000",
        "/tile/0/001",
        "/tile/0/001.p/45",
        "/tile/entries/002",
        "/tile/../checkpoint",
        "/tile/../../private/commit",
        "/tile/%2e%2e/%2e%2e/private/commit",
        "/tile/0/000%00",
        "/tile/0/00%30",
        "//checkpoint",
    ] {
        let answer = server.get(path, "");
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["status"], 404);
        let kind = server.get(problem["type"].as_str().unwrap(), "");
        assert_eq!(kind.status, 200, "every kind of problem is described");
    }
    // A link in the place of a tile is not followed.
    assert_eq!(server.get("/tile/0/002", "").status, 500);
    // Other forms of the request line.
    assert_eq!(server.ask("GET http://elsewhere/checkpoint HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    assert_eq!(server.get("/checkpoint?a=b", "").status, 200);
}

#[test]
fn other_methods_are_refused_and_scripts_of_any_site_may_read() {
    let (_world, server) = served();
    let answer = server.ask("POST /checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_eq!((answer.status, answer.field("allow")), (405, Some("GET,HEAD")));
    assert_eq!(answer.field("content-type"), Some("application/problem+json"));
    let asked = "OPTIONS /checkpoint HTTP/1.1\r\nHost: x\r\nOrigin: https://a\r\nAccess-Control-Request-Method: GET\r\n\r\n";
    let answer = server.ask(asked);
    assert_eq!((answer.status, answer.field("access-control-allow-origin")), (204, Some("*")));
    assert!(answer.field("access-control-allow-methods").unwrap().contains("POST"));
}

#[test]
fn a_new_checkpoint_is_served_at_once() {
    let (world, server) = served();
    let before = server.get("/checkpoint", "");
    let tag = before.field("etag").unwrap().to_owned();
    for n in 0..50 {
        let new = format!("checkpoint {n:02}\n");
        fs::write(world.path("new"), &new).unwrap();
        fs::rename(world.path("new"), world.path("paris/public/checkpoint")).unwrap();
        let answer = server.get("/checkpoint", &format!("If-None-Match: {tag}\r\n"));
        assert_eq!((answer.status, answer.text()), (200, new.as_str()));
    }
    fs::remove_file(world.path("paris/public/checkpoint")).unwrap();
    assert_eq!(server.get("/checkpoint", "").status, 404);
    assert_eq!(server.get("/readyz", "").status, 503);
    assert_eq!(server.get("/healthz", "").status, 200);
}

#[test]
fn the_server_describes_and_counts_what_it_does() {
    let (_world, server) = served();
    assert_eq!(server.get("/readyz", "").text(), "ok\n");
    server.get("/tile/0/000", "");
    server.get("/nowhere", "");
    let metrics = server.get("/metrics", "");
    assert!(metrics.field("content-type").unwrap().starts_with("application/openmetrics-text"));
    for line in [
        "servanda_requests_total{path=\"/tile/{*path}\",status=\"200\"} 1",
        "servanda_requests_total{path=\"none\",status=\"404\"} 1",
    ] {
        assert!(metrics.text().lines().any(|l| l == line), "{line}\n{}", metrics.text());
    }
    let api: Value = serde_json::from_slice(&server.get("/openapi.json", "").body).unwrap();
    assert!(api["openapi"].as_str().unwrap().starts_with("3."));
    for path in [
        "/checkpoint",
        "/tile/{path}",
        "/charter.toml",
        "/healthz",
        "/readyz",
        "/metrics",
        "/problems/{name}",
    ] {
        assert!(api["paths"][path]["get"].is_object(), "{path}");
    }
}
