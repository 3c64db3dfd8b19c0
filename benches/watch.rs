//! A monitor: from a call to its alert, and catching up with a long log over loopback.

use super::office::{NOW, Office};
use super::online::{Connection, Server, percentiles};
use super::serve::{WRITES, armoured, author, log_of};
use super::{acts, in_turn, made};
use servanda::charter::Sealable;
use servanda::field::{Duration as Span, Instant as Time, Long};
use servanda::hash::Hash;
use servanda::key::vkey::Vkey;
use servanda::policy::Policy;
use servanda::statement::body::{Accept, Invoke, Party, Pledge, Report};
use servanda::statement::terms::{Starts, Terms, Trigger};
use servanda::statement::{Act, id};
use servanda::trust::Trust;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often somebody calls.
const CALLS: usize = 200;

/// How long an alert may take before the measurement is given up.
const PATIENCE: Duration = Duration::from_secs(60);

const RULES: &str = "[[rules.incident_kinds]]\nlabel = \"shelling\"\ndefinition = \"Artillery fire\"\n";

/// From an acknowledged call to the monitor's alert, without witnesses and with two.
pub fn alerts() {
    for witnesses in [0, 2] {
        let office = Office::founded_under(
            &[("de", "Germany", "guarantor", 1), ("ua", "Ukraine", "beneficiary", 1)],
            RULES,
        );
        let calls = calls(&office);
        let (policy, _witnesses) = witnessed(&office, witnesses);
        let mut options = WRITES.to_vec();
        if witnesses > 0 {
            options.extend(["--policy", "policy"]);
            let mut trust: Trust =
                fs::read_to_string(office.path("log/trust.toml")).unwrap().parse().unwrap();
            trust.policy = policy;
            office.write("log/trust.toml", &trust.to_string());
        }
        let server = Server::start(&office.path("."), &options);
        let mut connection = Connection::to(server.address);
        // The pledge, its acceptance, and a report for each call come before.
        let (before, invokes) = calls.split_at(2 + CALLS);
        before.iter().for_each(|text| connection.add(text, false));
        let mut monitor = Monitor::start(&office, &server.url());
        let mut taken = (Vec::new(), Vec::new());
        for text in invokes {
            let sent = Instant::now();
            connection.add(text, false);
            let acknowledged = Instant::now();
            let told = monitor.told("called_upon");
            taken.0.push(told.saturating_duration_since(acknowledged));
            taken.1.push(told - sent);
        }
        println!(
            "{CALLS} calls, {witnesses} witnesses: from acknowledged to the monitor's alert {}; from sent {}",
            percentiles(taken.0),
            percentiles(taken.1)
        );
    }
}

/// A pledge that can be called upon, its acceptance, reports of incidents, and a call because of each.
fn calls(office: &Office) -> Vec<String> {
    let ((log, seen), now) = (log_of(office), NOW.parse::<Time>().unwrap());
    let (mut debtor, mut creditor) = (author(office, "de"), author(office, "ua"));
    let mut said = Vec::new();
    let mut say = |author: &mut made::Author, act: &Act| -> Hash {
        let (bytes, signatures) = author.say(log, seen, now, act);
        let id = id(&bytes);
        said.push(armoured((bytes, signatures)).0);
        id
    };
    let Act::Pledge(Pledge { terms: Sealable::Open(terms), .. }) = acts::pledge(0, now, 0) else {
        unreachable!("a pledge is one")
    };
    let trigger = Trigger {
        kinds: vec![made::short("shelling")].into(),
        against: None,
        only_after: None,
        after: None,
        starts: Starts::OnRequest,
        requesters: Default::default(),
    };
    let day = Some(Span::of_days(1));
    let terms = Terms { trigger: Some(trigger), respond_within: day, dues: Default::default(), ..terms };
    let to = vec!["ua".parse().unwrap()].into();
    let pledge = say(&mut debtor, &Act::Pledge(Pledge { to, terms: Sealable::Open(terms) }));
    say(&mut creditor, &Act::Accept(Accept { statements: vec![pledge].into(), reservation: None }));
    let incidents: Vec<Hash> = (0..CALLS)
        .map(|n| {
            let Act::Report(report) = acts::report(now, u64::try_from(n).unwrap()) else {
                unreachable!("a report is one")
            };
            let against = vec![Party::Handle("ua".parse().unwrap())].into();
            let text = Long::new(format!("The {n}th")).unwrap();
            say(&mut creditor, &Act::Report(Report { against, text, ..report }))
        })
        .collect();
    for incident in incidents {
        let pledges = vec![pledge].into();
        let invoke = Invoke { pledges, incident: Some(incident), requested_at: now, text: Long::default() };
        say(&mut creditor, &Act::Invoke(invoke));
    }
    said
}

/// So many witnesses at work, and the policy that asks all of them.
fn witnessed(office: &Office, number: usize) -> (Policy, Vec<Server>) {
    let vkey: Vkey = fs::read_to_string(office.path("keys/log.vkey")).unwrap().trim().parse().unwrap();
    office.write("logs", &format!("logs/v0\nvkey {vkey}\nqpd 1000000\ncontact nobody\n"));
    let (mut text, mut names, mut servers) = (format!("log {vkey}\n"), Vec::new(), Vec::new());
    for n in 0..number {
        let (name, key) = (format!("w{n}.example"), format!("keys/w{n}"));
        office.good(&["keygen", &key, "--witness", &name, "--no-passphrase"]);
        let state = format!("witness{n}");
        let args = ["witness", &state, "--log-list", "logs", "--key", &key, "--now", NOW];
        let server = Server::start(&office.path("."), &args);
        let vkey = fs::read_to_string(office.path(&format!("{key}.vkey"))).unwrap();
        text += &format!("witness w{n} {} {}\n", vkey.trim(), server.url());
        names.push(format!("w{n}"));
        servers.push(server);
    }
    text += &match number {
        0 => "quorum none\n".to_owned(),
        _ => format!("group all {number} {}\nquorum all\n", names.join(" ")),
    };
    office.write("policy", &text);
    (text.parse().unwrap(), servers)
}

/// A monitor, and what it tells as it tells it.
struct Monitor {
    child: Child,
    told: Receiver<(Instant, String)>,
}

impl Monitor {
    /// Starts it, and waits until it has verified what there is.
    fn start(office: &Office, url: &str) -> Self {
        let args =
            ["monitor", url, "--trust", "log/trust.toml", "--state", "watched", "--json", "--now", NOW];
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        let command = command.args(args).current_dir(office.path("."));
        let mut child = command.args(["--metrics", "counted"]).stdout(Stdio::piped()).spawn().unwrap();
        let (tell, told) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        let say = move |line: String| tell.send((Instant::now(), line));
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(say));
        // Its first round is over once it has counted.
        while !office.path("counted").exists() {
            assert!(child.try_wait().unwrap().is_none(), "the monitor ended");
            thread::sleep(Duration::from_millis(20));
        }
        // Its ear for events is opened beside.
        thread::sleep(Duration::from_millis(500));
        Self { child, told }
    }

    /// When it told the next alert of a kind.
    fn told(&mut self, kind: &str) -> Instant {
        loop {
            let (at, line) = self.told.recv_timeout(PATIENCE).expect("an alert");
            if line.contains(&format!("\"kind\":\"{kind}\"")) {
                return at;
            }
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A monitor that catches up with the whole log over loopback, and `verify` by URL, beside `verify` of the folder.
pub fn catch_up() {
    let size = made::entries();
    let home = made::log(size);
    let server = Server::start(&home, &["serve", ".", "--read-only"]);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let vkey = Vkey::log(made::ORIGIN, made::log_key().public()).unwrap();
    let trust = Trust {
        log: Some(log_id(&home)),
        origin: made::ORIGIN.into(),
        at: None,
        policy: Policy::of(&[vkey], &[], None).unwrap(),
        partners: Default::default(),
    };
    fs::write(folder.path().join("trust.toml"), trust.to_string()).unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        let command = command.args(args).args(["--trust", "trust.toml"]).current_dir(folder.path());
        let ended = command.env("XDG_STATE_HOME", folder.path()).output().unwrap();
        // The log's clock is ahead of this one, of which a monitor complains at the end.
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success() || said.contains(&format!("verified {size} ")), "{args:?}: {said}");
    };
    let (url, home) = (server.url(), home.display().to_string());
    let rate = |seconds: f64| size as f64 / seconds;
    let mut number = 0;
    let monitor = || {
        number += 1;
        run(&["monitor", &url, "--once", "--state", &format!("state{number}")]);
    };
    let (ours, local) = in_turn(4, monitor, || run(&["verify", &home]));
    println!(
        "a monitor catches up {size} entries over loopback: {:.0} a second, verify of the folder {:.0}, {:.2} of it",
        rate(ours),
        rate(local),
        local / ours
    );
    let (far, local) = in_turn(4, || run(&["verify", &url]), || run(&["verify", &home]));
    println!("verify by URL: {:.0} a second, {:.2} of the folder's", rate(far), local / far);
}

/// The log's id.
fn log_id(home: &Path) -> Hash {
    let store = servanda::store::dir::open_any(home).unwrap();
    let size = made::entries();
    let path = servanda::merkle::tile::bundles(size).next().unwrap();
    let bundle = servanda::store::Read::get(&store, &format!("public/{path}"), u64::MAX).unwrap().unwrap();
    let entry = servanda::merkle::bundle::parse(&bundle, path.width).unwrap()[0];
    let entry = servanda::entry::SignedEntry::decode(entry).unwrap();
    entry.id
}
