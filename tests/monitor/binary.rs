//! The real binary as a monitor: exit codes for cron, evidence that `check` proves offline, webhooks that fail first, kills.

use super::{Objects, busy, other_end, published};
use crate::cli_verify::World;
use crate::net::Server;
use crate::support::coalition::Coalition;
use crate::support::small_log::{SmallLog, accept};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A monitor that runs until the test ends it.
struct Running(Child);

impl Running {
    fn start(world: &World, line: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
            command.env_remove(name);
        }
        command.args(line.split(' ')).current_dir(world.path(".")).stdin(Stdio::null());
        Self(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// The lines that it prints, as they come.
    fn lines(&mut self) -> Receiver<String> {
        let (tell, told) = channel();
        let out = BufReader::new(self.0.stdout.take().unwrap());
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        told
    }

    /// kill -9.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Publishes objects in a folder, the checkpoint last and at once.
fn publish(world: &World, name: &str, objects: &Objects) {
    let file = |object: &str| -> PathBuf { world.path(name).join(object.strip_prefix("public/").unwrap()) };
    for (object, bytes) in objects.iter().filter(|(object, _)| *object != "public/checkpoint") {
        fs::create_dir_all(file(object).parent().unwrap()).unwrap();
        fs::write(file(object), bytes).unwrap();
    }
    fs::write(world.path("new"), &objects["public/checkpoint"]).unwrap();
    fs::rename(world.path("new"), file("public/checkpoint")).unwrap();
}

fn until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn one_look_ends_with_what_it_found() {
    let log = busy(20);
    let world = World::with(&log);
    world.run("monitor paris --state s --once --now 2026-12-02T00:00Z").ends(0);
    world.run("monitor paris --state s --once --now 2026-12-02T00:00Z").ends(0);
    world
        .run("monitor paris http://127.0.0.1:1 --state s --once --now 2026-12-02T00:00Z")
        .ends(2)
        .says("availability:");
    let mut void = log.clone();
    let s = void.draft("pl", accept(&[log.entry(6).id]));
    assert_eq!(void.post(&s).len(), 1);
    publish(&world, "void", &published(&void));
    world.run("monitor void --state s --once --now 2026-12-02T00:00Z").ends(1).says("policy: entry 20 by pl");
    publish(&world, "forked", &published(&other_end(30)));
    world.run("monitor paris forked --state s2 --once --now 2026-12-02T00:00Z").ends(1).says("misbehaviour:");
    world
        .run("monitor paris forked --state s2 --once --now 2026-12-02T00:00Z")
        .ends(1)
        .never_says("misbehaviour:");
    // What it takes.
    world.run("monitor paris --once --now 2026-12-02T00:00Z").ends(2).says("--state DIR");
    world.run("monitor --state s --once --now 2026-12-02T00:00Z").ends(2).says("want 1 to 64 sources");
    world
        .run("monitor paris paris --state s --once --now 2026-12-02T00:00Z")
        .ends(2)
        .says("each of them once");
    let unpinned: String = fs::read_to_string(world.path("trust.toml")).unwrap();
    let unpinned: String =
        unpinned.lines().filter(|l| !l.starts_with("log =")).map(|l| format!("{l}\n")).collect();
    world.write("unpinned.toml", unpinned);
    world
        .run("monitor paris --trust unpinned.toml --state s --once --now 2026-12-02T00:00Z")
        .ends(2)
        .says("pins no log id");
}

#[test]
fn two_served_copies_that_part_give_evidence_that_convinces_offline() {
    let world = World::with(&busy(300));
    world.log("rome", &other_end(290));
    let (paris, rome) =
        (Server::start(&world.path("."), "paris", &[]), Server::start(&world.path("."), "rome", &[]));
    let line = format!("monitor {} {} --state s --once --json --now 2026-12-02T00:00Z", paris.url, rome.url);
    let said = world.run(&line).ends(1);
    let alert: Value = serde_json::from_str(said.out.lines().next().unwrap()).unwrap();
    assert_eq!((alert["class"].as_str(), alert["kind"].as_str()), (Some("misbehaviour"), Some("fork")));
    drop((paris, rome));
    let log = alert["log"].as_str().unwrap();
    let evidence = format!("s/{log}/{}", alert["evidence"].as_str().unwrap());
    world.run(&format!("check {evidence} --trust trust.toml")).ends(0).says("signed two histories");
}

/// Takes posts one after the other, answers each with the next status, and gives their heads and bodies.
fn receiver(statuses: Vec<u16>) -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (tell, told) = channel();
    thread::spawn(move || {
        for status in statuses.into_iter().chain(std::iter::repeat(204)) {
            let Ok((stream, _)) = listener.accept() else { return };
            if tell.send(take(stream, status)).is_err() {
                return;
            }
        }
    });
    (url, told)
}

fn take(mut stream: TcpStream, status: u16) -> (String, Value) {
    let (mut head, mut from) = (String::new(), BufReader::new(stream.try_clone().unwrap()));
    while !head.ends_with("\r\n\r\n") {
        assert!(from.read_line(&mut head).unwrap() > 0);
    }
    let head = head.to_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    from.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

#[test]
fn a_webhook_that_fails_first_gets_the_same_alert_again_signed_and_none_twice() {
    let world = World::with(&busy(20));
    publish(&world, "forked", &published(&other_end(30)));
    let (url, posts) = receiver(vec![500, 503]);
    world.write("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    let line = format!(
        "monitor paris forked --state s --webhook misbehaviour,policy={url} --webhook-secret secret --interval 1 --now 2026-12-02T00:00Z"
    );
    let running = Running::start(&world, &line);
    let got: Vec<(String, Value)> = (0..3).map(|_| posts.recv_timeout(PATIENCE).unwrap()).collect();
    for (head, alert) in &got {
        assert_eq!(alert["kind"], "fork");
        assert!(head.contains(&format!("webhook-id: alert_{}", alert["id"].as_str().unwrap())), "{head}");
        assert!(head.contains("webhook-signature: v1,") && head.contains("webhook-timestamp: "), "{head}");
    }
    assert_eq!(got[0].1, got[2].1);
    // Time to note down that it was delivered, however busy the machine is; else it may be delivered again.
    thread::sleep(Duration::from_secs(3));
    running.kill();
    let again = Running::start(&world, &line);
    let more = posts.recv_timeout(Duration::from_secs(3));
    assert!(more.is_err(), "what was delivered is not delivered again: {:?} {more:?}", got[0]);
    again.kill();
}

#[test]
fn a_webhook_that_is_down_loses_nothing_and_blocks_nobody() {
    let world = World::with(&busy(20));
    publish(&world, "forked", &published(&other_end(30)));
    world.write("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let line = format!(
        "monitor paris forked --state s --once --webhook http://{address}/hook --webhook-secret secret --now 2026-12-02T00:00Z"
    );
    world.run(&line).ends(1).says("misbehaviour:").says("was not delivered, and is tried again");
    let listener = TcpListener::bind(address).unwrap();
    let taking = thread::spawn(move || take(listener.accept().unwrap().0, 200));
    world.run(&line).ends(1).never_says("misbehaviour:");
    assert_eq!(taking.join().unwrap().1["kind"], "fork");
}

#[test]
fn a_call_is_told_within_moments_of_its_publication() {
    let log = Coalition::new().log;
    let world = World::with(&log.cut(7));
    publish(&world, "served", &published(&log.cut(7)));
    let line = "monitor served --state s --json --now 2027-05-01T00:00Z";
    let mut running = Running::start(&world, line);
    let told = running.lines();
    until("the beginning is verified", || {
        let id = log.log_id().to_string();
        fs::read_dir(world.path("s").join(id)).is_ok_and(|mut all| {
            all.any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with("history-"))
        })
    });
    publish(&world, "served", &published(&log));
    let start = Instant::now();
    loop {
        let line = told.recv_timeout(PATIENCE).expect("an alert");
        let alert: Value = serde_json::from_str(&line).unwrap();
        if alert["kind"] == "called_upon" {
            break;
        }
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// The identities of news that entries brought, as a command noted them, and how many lines there are. What time brings
/// depends on when one looks.
fn noted(world: &World) -> (BTreeSet<String>, usize) {
    let text = fs::read_to_string(world.path("noted")).unwrap_or_default();
    let read = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let alerts = text.lines().map(read).filter(|alert| alert["news"]["index"].is_number());
    let lines: Vec<String> = alerts.map(|alert| alert["id"].as_str().unwrap().to_owned()).collect();
    (lines.iter().cloned().collect(), lines.len())
}

#[test]
fn killed_again_and_again_a_monitor_loses_no_alert() {
    let log: SmallLog = Coalition::new().log;
    let size = usize::try_from(log.size()).unwrap();
    let (exec, now) = ("--exec cat>>noted", "--now 2027-05-01T00:00Z");
    let look = |world: &World, state: &str| {
        world.run(&format!("monitor served --state {state} --once {exec} {now}")).ends(0);
    };
    let calm = World::with(&log.cut(7));
    let shaken = World::with(&log.cut(7));
    for world in [&calm, &shaken] {
        publish(world, "served", &published(&log.cut(7)));
        look(world, "s");
    }
    for (round, cut) in (0_u64..).zip((10..=size).step_by(4).chain([size])) {
        publish(&calm, "served", &published(&log.cut(cut)));
        look(&calm, "s");
        publish(&shaken, "served", &published(&log.cut(cut)));
        let running = Running::start(&shaken, &format!("monitor served --state s {exec} {now} --interval 1"));
        thread::sleep(Duration::from_millis(40 + round * 37 % 300));
        running.kill();
    }
    look(&shaken, "s");
    let (want, once) = noted(&calm);
    assert_eq!(once, want.len(), "without a kill each is delivered once");
    let (got, _) = noted(&shaken);
    assert!(want.len() > 5 && got == want, "lost: {:?}, new: {:?}", &want - &got, &got - &want);
}

#[test]
fn metrics_are_written_for_prometheus() {
    let world = World::with(&busy(20));
    world
        .run("monitor paris http://127.0.0.1:1 --state s --once --metrics m.prom --now 2026-12-02T00:00Z")
        .ends(2);
    let text = fs::read_to_string(world.path("m.prom")).unwrap();
    for line in [
        "servanda_monitor_alerts_total{class=\"availability\",kind=\"unreachable\"} 1",
        "servanda_monitor_entries 20",
        "servanda_monitor_unchecked 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in {text}");
    }
}

#[test]
fn a_mirror_killed_again_and_again_goes_on_where_it_was() {
    let world = World::with(&busy(1500));
    for delay_ms in [1, 5, 10, 20, 30, 45, 60, 80, 120] {
        let running = Running::start(&world, "mirror paris copy --trust trust.toml");
        thread::sleep(Duration::from_millis(delay_ms));
        running.kill();
        if world.path("copy/public/checkpoint").exists() {
            world.run("verify copy").ends(0);
        }
    }
    world.run("mirror paris copy").ends(0);
    world.run("verify copy --against paris").ends(0).says("the same history as paris, up to entry 1500");
}
