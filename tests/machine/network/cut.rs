//! Links that are cut: every part in a network namespace of its own, on one bridge.
//!
//! ```text
//! serve .1   w1 .2   w2 .3   mirror .4   monitor .5   partner .6      10.77.0.0/24, a link each
//! ```

use super::*;
use crate::machine::{skipped, tool};
use crate::support::office::{Ended, NOW, Office};

/// Who is there; the last byte of an address is the place here, from 1.
const PARTS: [&str; 6] = ["serve", "w1", "w2", "mirror", "monitor", "partner"];

/// Namespaces and links; they go when it is dropped.
struct Net {
    prefix: String,
}

impl Net {
    /// Lays all links; none where that cannot be done here.
    fn new() -> Option<Self> {
        let net = Self { prefix: format!("sv{}", std::process::id()) };
        let hub = net.space("hub");
        let mut lines = vec![
            format!("netns add {hub}"),
            format!("-n {hub} link add name br0 type bridge forward_delay 0"),
            format!("-n {hub} link set dev br0 up"),
        ];
        for (n, part) in (1..).zip(PARTS) {
            let space = net.space(part);
            lines.extend([
                format!("netns add {space}"),
                format!("-n {hub} link add name {part} type veth peer name eth0 netns {space}"),
                format!("-n {hub} link set dev {part} master br0 up"),
                format!("-n {space} addr add 10.77.0.{n}/24 dev eth0"),
                format!("-n {space} link set dev eth0 up"),
                format!("-n {space} link set dev lo up"),
            ]);
        }
        let laid = lines.iter().all(|line| ip(line));
        if !laid {
            skipped("there are no network namespaces here");
        }
        laid.then_some(net)
    }

    fn space(&self, part: &str) -> String {
        format!("{}-{part}", self.prefix)
    }

    fn cut(&self, part: &str) {
        assert!(ip(&format!("-n {} link set dev {part} down", self.space("hub"))));
    }

    fn heal(&self, part: &str) {
        assert!(ip(&format!("-n {} link set dev {part} up", self.space("hub"))));
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for part in PARTS.iter().chain(&["hub"]) {
            ip(&format!("netns del {}", self.space(part)));
        }
    }
}

fn ip(line: &str) -> bool {
    tool("ip", &line.split(' ').collect::<Vec<_>>()).is_some()
}

fn url(part: &str) -> String {
    let place = PARTS.iter().position(|name| *name == part).unwrap();
    format!("http://10.77.0.{}:7660", place + 1)
}

/// The log's office, and its network.
struct Land {
    parts: BTreeMap<&'static str, Part>,
    net: Net,
    office: Office,
}

impl Land {
    fn new() -> Option<Self> {
        let net = Net::new()?;
        let office =
            Office::founded(&[("de", "Germany", "guarantor", 1), ("ua", "Ukraine", "beneficiary", 1)]);
        let vkey = |name: &str| fs::read_to_string(office.path(&format!("keys/{name}.vkey"))).unwrap();
        let mut policy = format!("log {}", vkey("log"));
        for name in ["w1", "w2"] {
            let key = format!("keys/{name}");
            office.good(&["keygen", "--witness", &format!("{name}.example"), &key, "--no-passphrase"]);
            policy += &format!("witness {name} {} {}/\n", vkey(name).trim_end(), url(name));
        }
        policy += "group both all w1 w2\nquorum both\n";
        office.write("policy", &policy);
        office.write("logs", &format!("logs/v0\nvkey {}qpd 86400\ncontact someone\n", vkey("log")));
        let mut trust = Trust::parse(&fs::read_to_string(office.path("log/trust.toml")).unwrap()).unwrap();
        (trust.policy, trust.at) = (policy.parse().unwrap(), None);
        office.write("trust.toml", &trust.to_string());
        let mut land = Self { parts: BTreeMap::new(), net, office };
        let listen = |part: &str| {
            let address = url(part);
            format!(
                "--listen {} --plain-http --trace warn --now {NOW}",
                address.trim_start_matches("http://")
            )
        };
        for name in ["w1", "w2"] {
            land.start(name, &format!("witness {name} --log-list logs --key keys/{name} {}", listen(name)));
        }
        let serve = format!(
            "serve log --log-key keys/log --operator-key keys/op --policy policy {}",
            listen("serve")
        );
        land.start("serve", &serve);
        // What the readers' policy asks for.
        until("the first is published", || {
            land.pledge("the first").out.contains("published in the checkpoint")
        });
        assert_eq!(land.mirror().code, 0);
        land.start("mirror", &format!("serve copy --read-only {}", listen("mirror")));
        let words = format!(
            "monitor {} {} --trust trust.toml --state m --interval 1 --now {NOW} --exec cat>>noted",
            url("serve"),
            url("mirror")
        );
        assert_eq!(land.run("monitor", &format!("{words} --once")).code, 0);
        let mut monitor = Part::new(land.office.path("."), "monitor", &words);
        monitor.within = Some(land.net.space("monitor"));
        monitor.spawn(Stdio::null());
        land.parts.insert("monitor", monitor);
        Some(land)
    }

    fn start(&mut self, name: &'static str, words: &str) {
        let mut part = Part::new(self.office.path("."), name, words);
        part.within = Some(self.net.space(name));
        part.start();
        self.parts.insert(name, part);
    }

    /// Runs a command where a part is.
    fn run(&self, part: &str, words: &str) -> Ended {
        let space = self.net.space(part);
        let words = [
            &["netns", "exec", &space, env!("CARGO_BIN_EXE_servanda")],
            &words.split(' ').collect::<Vec<_>>()[..],
        ]
        .concat();
        let mut command = Command::new("ip");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
            command.env_remove(name);
        }
        command.env("SERVANDA_NOW", NOW).env("XDG_STATE_HOME", self.office.path(&format!("{part}.home")));
        crate::machine::ended(
            command.args(words).current_dir(self.office.path(".")).stdin(Stdio::null()).output().unwrap(),
        )
    }

    /// The partner pledges.
    fn pledge(&self, title: &str) -> Ended {
        let title = title.replace(' ', "-");
        self.run("partner", &format!(
            "pledge --log {} --trust trust.toml --key keys/de1 --yes --to ua --title {title} --instrument military",
            url("serve")
        ))
    }

    fn mirror(&self) -> Ended {
        self.run("mirror", &format!("mirror {} copy --trust trust.toml", url("serve")))
    }

    /// The ledger's digest of a place, as the partner verifies it there.
    fn ledger(&self, place: &str) -> String {
        let said = self.run("partner", &format!("verify {place} --trust trust.toml --json"));
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let said: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        format!("{} {}", said["size"], said["ledger"])
    }

    /// Whether the monitor has told of something with all these words.
    fn noted(&self, words: &[&str]) -> bool {
        let noted = fs::read_to_string(self.office.path("noted")).unwrap_or_default();
        noted.lines().any(|line| words.iter().all(|word| line.contains(word)))
    }
}

#[test]
fn whoever_is_cut_off_nothing_becomes_wrong_and_after_healing_all_catch_up() {
    let Some(land) = Land::new() else { return };
    without_quorum(&land);
    without_server(&land);
    without_readers(&land);
    let places = ["log".to_owned(), url("serve"), url("mirror")];
    until("the mirror has all", || land.mirror().code == 0);
    let ledgers = places.map(|place| land.ledger(&place));
    assert!(ledgers.iter().all(|ledger| *ledger == ledgers[0]), "{ledgers:?}");
    let noted = fs::read_to_string(land.office.path("noted")).unwrap();
    assert!(
        !noted.contains("\"class\":\"misbehaviour\"") && !noted.contains("\"class\":\"policy\""),
        "{noted}"
    );
}

/// Both witnesses are cut off: promises are given, nothing is published, the monitor tells of a stale checkpoint.
fn without_quorum(land: &Land) {
    let size = land.office.size();
    land.net.cut("w1");
    land.net.cut("w2");
    let said = land.pledge("without witnesses");
    assert!(
        said.code == 0 && said.out.contains("promised and not published yet"),
        "{}{}",
        said.out,
        said.err
    );
    assert_eq!(land.office.size(), size, "nothing is published without its quorum");
    let promise = said.out.split_whitespace().find(|word| word.ends_with(".promise:"));
    let promise = promise.expect("the file of the promise").trim_end_matches(':').to_owned();
    let later = format!(
        "monitor {} {} --trust trust.toml --state later --once --json --now 2026-12-01T15:00Z",
        url("serve"),
        url("mirror")
    );
    let told = land.run("monitor", &later);
    assert!(
        told.out.contains("\"kind\":\"stale\"") && !told.out.contains("misbehaviour"),
        "{}{}",
        told.out,
        told.err
    );
    land.net.heal("w1");
    assert_eq!(land.office.size(), size, "one of them is no quorum");
    land.net.heal("w2");
    until("it is published", || land.office.size() > size);
    let kept =
        land.run("partner", &format!("verify {} --trust trust.toml --promise {promise}", url("serve")));
    assert_eq!(kept.code, 0, "{}{}", kept.out, kept.err);
    until("the monitor tells of it", || land.noted(&["pledged", "without-witnesses"]));
}

/// The server is cut off from all: its readers are told so, and read from the mirror; the partner sends it again.
fn without_server(land: &Land) {
    until("the mirror has all", || land.mirror().code == 0);
    let size = land.office.size();
    land.net.cut("serve");
    thread::scope(|scope| {
        let said = scope.spawn(|| land.pledge("without the server"));
        let copied = scope.spawn(|| land.mirror());
        land.ledger(&url("mirror"));
        until("the monitor tells of it", || land.noted(&["\"kind\":\"unreachable\"", &url("serve")]));
        for ended in [said.join().unwrap(), copied.join().unwrap()] {
            assert!(ended.code == 2 && ended.err.contains("hint: "), "{}{}", ended.out, ended.err);
        }
    });
    assert_eq!(land.office.size(), size);
    land.net.heal("serve");
    until("it is published", || {
        land.pledge("the server is back").out.contains("published in the checkpoint")
    });
    until("the monitor tells of it", || land.noted(&["pledged", "the-server-is-back"]));
}

/// Monitor and mirror are cut off: the log goes on, and they hear of it when they are back.
fn without_readers(land: &Land) {
    land.net.cut("monitor");
    land.net.cut("mirror");
    let said = land.pledge("nobody watches");
    assert!(said.out.contains("published in the checkpoint"), "{}{}", said.out, said.err);
    until("the monitor tells of it", || land.noted(&["\"kind\":\"unreachable\"", &url("mirror")]));
    assert!(!land.noted(&["nobody-watches"]));
    land.net.heal("monitor");
    land.net.heal("mirror");
    until("the monitor tells of it", || land.noted(&["pledged", "nobody-watches"]));
}
