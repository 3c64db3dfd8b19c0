//! TLS: where it must be, and whom a reader takes for the server.

use super::Server;
use crate::cli_verify::World;
use crate::support::small_log::SmallLog;
use std::net::TcpListener;

/// A log, and a certificate for this machine with its key.
fn world(name: &str) -> World {
    let world = World::with(&SmallLog::ready());
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    world.write(&format!("{name}.pem"), made.cert.pem());
    world.write(&format!("{name}.key"), made.signing_key.serialize_pem());
    world
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
