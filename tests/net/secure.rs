//! TLS: where it must be, whom a reader takes for the server, and a certificate that is renewed while it is shown.

use super::Server;
use crate::cli_verify::World;
use crate::support::small_log::SmallLog;
use std::fs;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

/// How long something may take.
const MOMENT: Duration = Duration::from_secs(60);

/// A log, and a certificate for this machine with its key.
fn world(name: &str) -> World {
    let world = World::with(&SmallLog::ready());
    certify(&world, name);
    world
}

/// A certificate for this machine, with its key.
fn certify(world: &World, name: &str) {
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    world.write(&format!("{name}.pem"), made.cert.pem());
    world.write(&format!("{name}.key"), made.signing_key.serialize_pem());
}

#[test]
fn a_log_is_read_by_tls_from_a_server_that_is_known() {
    let world = world("cert");
    let server =
        Server::start(&world.path("."), "paris", &["--tls-cert", "cert.pem", "--tls-key", "cert.key"]);
    assert!(server.url.starts_with("https://"));
    world.run(&format!("verify {} --ca cert.pem", server.url)).ends(0).says("verified: no findings");
    let by_name = server.url.replace("127.0.0.1", "localhost");
    world.run(&format!("verify {by_name} --ca cert.pem")).ends(0);
    // The system knows nothing of it.
    world.run(&format!("verify {}", server.url)).ends(2).says("could not fetch");
    // Another certificate leads nowhere.
    let other = self::world("other");
    world.write("other.pem", other.read("other.pem"));
    world.run(&format!("verify {} --ca other.pem", server.url)).ends(2).says("could not fetch");
    world.run(&format!("verify {} --ca trust.toml", server.url)).ends(2).says("no certificate (PEM)");
    // Whoever speaks no TLS is not answered.
    world.run(&format!("verify {}", server.url.replace("https", "http"))).ends(2);
}

#[test]
fn beyond_this_machine_a_certificate_is_asked_for() {
    let world = world("cert");
    let listen = |more: &str| world.run(&format!("serve paris --listen 0.0.0.0:0{more}"));
    listen("").ends(2).says("without a certificate").says("--plain-http");
    listen(" --tls-cert cert.pem").ends(2).says("belong together");
    listen(" --tls-cert cert.key --tls-key cert.key").ends(2).says("cannot be used");
    listen(" --tls-cert cert.pem --tls-key cert.pem").ends(2).says("cannot be used");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    world
        .run(&format!("serve paris --listen {address}"))
        .ends(2)
        .says("cannot listen")
        .says("another server");
}

/// Waits until someone who trusts one certificate alone is answered by a server that shows it.
#[track_caller]
fn until_shown(world: &World, server: &Server, trusted: &str) {
    let begun = Instant::now();
    while world.run(&format!("verify {} --ca {trusted}", server.url)).code != 0 {
        assert!(begun.elapsed() < MOMENT, "the certificate in {trusted} is not shown");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until a server's own log says something.
#[track_caller]
fn until_said(world: &World, what: &str) {
    let begun = Instant::now();
    while !String::from_utf8_lossy(&world.read("trace")).contains(what) {
        assert!(begun.elapsed() < MOMENT, "{what}: {}", String::from_utf8_lossy(&world.read("trace")));
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_renewed_certificate_is_taken_up_without_a_restart_and_a_broken_one_is_not() {
    let world = world("a");
    certify(&world, "b");
    let put = |name: &str| {
        fs::copy(world.path(&format!("{name}.pem")), world.path("shown.pem")).unwrap();
        fs::copy(world.path(&format!("{name}.key")), world.path("shown.key")).unwrap();
    };
    put("a");
    let tls = ["--tls-cert", "shown.pem", "--tls-key", "shown.key"];
    let server = Server::traced(&world.path("."), "serve", &[&["paris"][..], &tls].concat(), "trace");
    until_shown(&world, &server, "a.pem");
    world.run(&format!("verify {} --ca b.pem", server.url)).ends(2).says("could not fetch");
    put("b");
    server.signal("HUP");
    until_shown(&world, &server, "b.pem");
    world.run(&format!("verify {} --ca a.pem", server.url)).ends(2).says("could not fetch");
    until_said(&world, "the certificate was read again file=\"shown.pem\" is_another=true");
    // The certificate of one and the key of the other; then none.
    for broken in [world.read("a.pem"), b"nothing".to_vec()] {
        world.write("trace", "");
        world.write("shown.pem", broken);
        server.signal("HUP");
        until_said(&world, "the certificate stays as it was");
        world.run(&format!("verify {} --ca b.pem", server.url)).ends(0);
    }
    server.signal("TERM");
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn a_witness_takes_up_a_renewed_certificate_too() {
    let world = world("a");
    certify(&world, "b");
    world.run("keygen --witness w1.example --no-passphrase").ends(0);
    world.write("logs", "logs/v0\n");
    let tls = ["--tls-cert", "a.pem", "--tls-key", "a.key"];
    let options = [&["state", "--log-list", "logs"][..], &tls].concat();
    let server = Server::traced(&world.path("."), "witness", &options, "trace");
    for end in ["pem", "key"] {
        fs::copy(world.path(&format!("b.{end}")), world.path(&format!("a.{end}"))).unwrap();
    }
    server.signal("HUP");
    until_said(&world, "the certificate was read again file=\"a.pem\" is_another=true");
    until_said(&world, "the list of logs was read again");
}

#[test]
fn a_server_without_a_certificate_goes_on_after_a_hangup() {
    let world = world("cert");
    let server = Server::start(&world.path("."), "paris", &[]);
    server.signal("HUP");
    world.run(&format!("verify {}", server.url)).ends(0);
}
