//! Answers from the ledger at the command line and from the library: the tables of one small coalition, compared whole
//! with `*.txt` beside this file (`SERVANDA_BLESS=1` writes them), exact sums, and hostile texts.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod derived;
mod hostile;
mod moments;
mod news;

use crate::support::small_log::{ORIGIN, SmallLog, at, handle, log_vkey};
use crate::support::stored;
use serde_json::{Value, json};
use servanda::armor::File;
use servanda::draft::Draft;
use servanda::hash::Hash;
use servanda::statement::Act;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// When the answers are asked for, unless a test says otherwise.
const NOW: &str = "2026-12-12T12:00Z";

fn act(value: Value) -> Act {
    serde_json::from_value(value).unwrap()
}

/// A pledge to Ukraine; `more` overrides its terms.
fn pledge(title: &str, more: &Value) -> Act {
    let mut terms = json!({
        "title": title, "instruments": ["military"], "force": "binding", "valid_from": "2026-12-01",
    });
    terms.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    act(json!({"pledge": {"to": ["ua"], "terms": {"open": terms}}}))
}

fn accept(ids: &[Hash]) -> Act {
    act(json!({"accept": {"statements": ids}}))
}

fn due(pledge: Hash, due: u64) -> Value {
    json!({"pledge": pledge, "occasion": {"due": due}})
}

fn euro(amount: &str) -> Value {
    json!({"amount": amount, "unit": "EUR"})
}

/// The ids of what was said, by the names that tests use.
struct Said {
    money: Hash,
    consult: Hash,
    guarded: Hash,
    attack: Hash,
}

/// A coalition that pledged, was attacked, and answered.
fn coalition() -> (SmallLog, Said) {
    let mut log = SmallLog::ready();
    let money = log.say(
        "de",
        pledge(
            "Budget support",
            &json!({
                "reference": "DE-1", "instruments": ["economic"], "quantity": "exactly 7100000000.50 EUR",
                "dues": [
                    {"label": "2026", "by": "2026-12-10", "quantity": "exactly 3000000000 EUR"},
                    {"label": "2027", "by": "2027-12-10", "quantity": "exactly 4100000000.50 EUR"},
                ],
            }),
        ),
    );
    let part = pledge("Of it, for energy", &json!({"within": money, "quantity": "up to 500000000 EUR"}));
    let part = log.say("de", part);
    let ratified = pledge(
        "Air defence",
        &json!({
            "reference": "DE-2", "quantity": "at least 4 systems",
            "needs": [{"label": "ratification", "declared_by": "de", "due": "2026-12-20"}],
        }),
    );
    let ratified = log.say("de", ratified);
    let attack = |more: Value| {
        let mut trigger = json!({"kinds": ["armed attack"], "against": ["ua"], "starts": "either"});
        trigger.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        trigger
    };
    let consult = pledge(
        "Consultations within 24 hours",
        &json!({
            "reference": "FR-1", "instruments": ["political"], "trigger": attack(json!({"requesters": ["ua"]})),
            "respond_within": "24h", "valid_until": "2027-01-15", "notice_period": "14 days",
        }),
    );
    let consult = log.say("fr", consult);
    let guarded = pledge(
        "Forces after a ceasefire",
        &json!({"reference": "PL-1", "trigger": attack(json!({"only_after": "ceasefire"}))}),
    );
    let guarded = log.say("pl", guarded);
    let asked = pledge(
        "Ammunition on request",
        &json!({
            "instruments": ["military", "economic"], "quantity": "about 10000 rounds",
            "trigger": {"kinds": [], "starts": "on_request", "requesters": ["ua"]}, "respond_within": "72h",
        }),
    );
    let asked = log.say("de", asked);
    log.say("ua", accept(&[money, part, ratified, consult, guarded, asked]));
    log.say("pl", pledge("Trucks, on offer", &json!({"quantity": "exactly 50 trucks"})));
    let recorded = json!({
        "title": "Generators, as announced", "instruments": ["humanitarian"], "force": "political",
        "valid_from": "2026-12-01", "quantity": "up to 300 generators",
    });
    log.say(
        "kiel",
        act(json!({"record": {
            "promisor": "fr", "to": ["ua"], "terms": {"open": recorded}, "source": "a press release",
        }})),
    );
    let attack = events(&mut log, money, asked);
    (log, Said { money, consult, guarded, attack })
}

/// What happened after the pledges.
fn events(log: &mut SmallLog, money: Hash, asked: Hash) -> Hash {
    let report = |more: Value| {
        let mut report = json!({
            "kinds": ["armed attack"], "against": ["ua"], "from": "2026-12-01T09:15:00Z", "to": "2026-12-01T09:16:00Z",
        });
        report.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        act(json!({ "report": report }))
    };
    let figures = |value: &str| json!([{"measure": "missiles", "region": "Kyiv", "value": value}]);
    let first = json!({"actor": {"name": "Elsewhere"}, "place": "Kyiv", "figures": figures("40")});
    let attack = log.say("ua", report(first));
    log.say("kiel", report(json!({"joins": attack, "figures": figures("36")})));
    log.say("pl", act(json!({"dispute": {"on": {"statement": attack}, "aspects": ["attribution"]}})));
    let called = json!({"pledge": log_pledge(log, "FR-1"), "occasion": {"call": attack}});
    log.say(
        "fr",
        act(json!({"respond": {
            "obligation": called, "answer": "delivered", "done_at": "2026-12-01T09:17:00Z",
        }})),
    );
    log.say("ua", act(json!({"invoke": {"pledges": [asked], "requested_at": "2026-12-01T09:17:00Z"}})));
    let mut calls = log.history().ledger().unwrap().obligations().keys().filter(|key| key.pledge == asked);
    let call = calls.next().unwrap().clone();
    log.say("de", act(json!({"respond": {"obligation": call, "answer": "declined"}})));
    let exercise = report(json!({"exercise": true}));
    let exercise = log.say("fr", exercise);
    log.say("kiel", report(json!({"exercise": true, "joins": exercise})));
    let observed = |value: &str, supersedes: Option<Hash>| {
        act(json!({"report": {
            "from": "2026-11-30", "to": "2026-11-30", "figures": figures(value), "supersedes": supersedes,
        }}))
    };
    let observation = log.say("kiel", observed("12", None));
    log.say("kiel", observed("11", Some(observation)));
    log.say("ua", act(json!({"review": {"held_on": "2026-12-01", "next_on": "2027-01-10"}})));
    log.say(
        "fr",
        act(json!({"propose": {"motion": {"suspend": {"handle": "pl"}}, "lapses_at": "2026-12-31"}})),
    );
    log.now = at("2026-12-08T10:00Z");
    let paid = log.say(
        "de",
        act(json!({"respond": {
            "obligation": due(money, 0), "answer": "delivered", "quantity": euro("1000000000"),
            "done_at": "2026-12-07",
        }})),
    );
    log.say("ua", act(json!({"confirm": {"response": paid, "received": {"in_part": euro("600000000.25")}}})));
    assert_eq!(log.findings(), []);
    attack
}

/// The pledge of this reference.
fn log_pledge(log: &SmallLog, reference: &str) -> Hash {
    let pledges = log.history().ledger().unwrap().pledges().iter();
    let of = |p: &&servanda::ledger::Pledge| {
        p.latest().gist().and_then(|g| g.reference.as_ref()).is_some_and(|r| r.as_str() == reference)
    };
    pledges.clone().find(of).unwrap().said.id
}

/// A desk with a log in `paris`, and a trust file that pins it.
struct Desk(TempDir);

struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn of(log: &SmallLog) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        stored::in_home(&desk.path("paris"), log);
        let policy = format!("log {}\nquorum none\n", log_vkey());
        let trust =
            format!("log = \"{}\"\norigin = \"{ORIGIN}\"\npolicy = \"\"\"\n{policy}\"\"\"\n", log.log_id());
        fs::write(desk.path("trust.toml"), trust).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SERVANDA_")) {
            command.env_remove(name);
        }
        command.env("SERVANDA_NOW", NOW).env("XDG_STATE_HOME", self.path("state"));
        command.current_dir(self.0.path()).args(args).args(["--log", "paris"]).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn good(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {}{}", ended.out, ended.err);
        ended.out
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.good(&[args, &["--json"]].concat())).unwrap()
    }
}

/// Compares an answer with the one that is kept.
fn compare(name: &str, is: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answers").join(format!("{name}.txt"));
    if std::env::var_os("SERVANDA_BLESS").is_some() {
        fs::write(&path, is).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(is, kept, "{name}: SERVANDA_BLESS=1 writes what is");
}

#[test]
fn the_answers_of_a_coalition_are_these() {
    let (log, _) = coalition();
    let desk = Desk::of(&log);
    let motion = act(json!({"pledge": {"to": ["ua"], "terms": {"open": {
        "title": "Not yet signed", "instruments": ["military"], "force": "binding", "valid_from": "2026-12-01",
    }}}}));
    let draft = Draft::new(&log.draft("fr", motion), Some(log.keys(&handle("fr")))).unwrap();
    fs::write(desk.path("offer.statement"), File::Statement.write(&draft).unwrap()).unwrap();
    for (name, args) in [
        ("status", &["status"][..]),
        ("status-de-economic", &["status", "--partner", "de", "--instrument", "economic"]),
        ("status-declined", &["status", "--verdict", "declined"]),
        ("status-2027", &["status", "--at", "2027-12-31", "--state", "in-force"]),
        ("matrix", &["status", "--matrix"]),
        ("diff", &["status", "--diff", "2026-12-01T09:12Z", "2026-12-12"]),
        ("brief-de", &["brief", "de"]),
        ("brief-kiel", &["brief", "kiel"]),
        ("brief-fr", &["brief", "fr"]),
        ("agenda", &["agenda", "--until", "2027-01-31", "offer.statement"]),
        ("incidents", &["incidents"]),
        ("what-if", &["what-if", "armed attack", "--against", "ua"]),
        ("what-if-fr-2028", &["what-if", "armed attack", "--against", "fr", "--at", "2028-01-01"]),
        ("roster-pl", &["roster", "pl"]),
    ] {
        compare(name, &desk.good(args));
    }
}

#[test]
fn a_brief_has_at_most_ten_lines_and_ends_with_the_entry() {
    let (log, _) = coalition();
    let desk = Desk::of(&log);
    for partner in ["de", "fr", "pl", "ua", "kiel"] {
        let brief = desk.good(&["brief", partner]);
        assert!(brief.lines().count() <= 10, "{brief}");
        let last = format!("entry {}, verified", log.size() - 1);
        assert!(brief.trim_end().ends_with(&last), "{brief}");
        assert!(brief.contains("cannot show promises made elsewhere"), "{brief}");
    }
}

#[test]
fn a_brief_tells_who_is_suspended_and_what_was_withdrawn_or_kept_late() {
    let mut log = SmallLog::ready();
    let terms = json!({"quantity": "exactly 5 EUR", "dues": [{"label": "all", "by": "2026-12-01T09:00Z"}]});
    let id = log.say("pl", pledge("Some", &terms));
    log.say("ua", accept(&[id]));
    let terms = json!({"quantity": "exactly 7 EUR", "dues": [{"label": "all", "by": "2026-12-02"}]});
    let late = log.say("pl", pledge("More", &terms));
    log.say("ua", accept(&[late]));
    log.now = at("2026-12-03T09:00Z");
    let claim = json!({"obligation": due(late, 0), "answer": "delivered"});
    let paid = log.say("pl", act(json!({ "respond": claim })));
    log.say("ua", act(json!({"confirm": {"response": paid, "received": "in_full"}})));
    log.carry(servanda::statement::body::Motion::Suspend { handle: handle("pl") });
    assert_eq!(log.findings(), []);
    let desk = Desk::of(&log);
    let brief = desk.good(&["brief", "pl"]);
    assert!(brief.starts_with("Partner pl (pl), suspended by the others, at "), "{brief}");
    assert!(brief.contains("1 kept late (") && brief.contains("confirmed 7; outstanding 5"), "{brief}");
    assert_eq!(desk.json(&["brief", "pl"])["brief"]["suspended"], json!(true));
    assert!(desk.good(&["roster", "pl"]).contains("guarantor; suspended"));
}

#[test]
fn programs_read_the_same_with_what_it_rests_on() {
    let (log, said) = coalition();
    let desk = Desk::of(&log);
    let status = desk.json(&["status"]);
    assert_eq!((&status["entry"], &status["verified"]), (&json!(log.size() - 1), &json!(true)));
    assert_eq!(status["pinned"], json!(true));
    let money = &status["status"]["pledges"][0];
    assert_eq!(money["rests_on"]["id"], json!(said.money));
    let total = &status["status"]["totals"]["by"][0];
    assert_eq!((&total["unit"], &total["promised"]), (&json!("EUR"), &json!("7100000000.5")));
    assert_eq!(total["outstanding"], json!("6500000000.25"));
    let trial = desk.json(&["what-if", "armed attack", "--against", "ua"]);
    assert_eq!(trial["what_if"]["trial"]["would"][0]["id"], json!(said.consult));
    assert_eq!(trial["what_if"]["trial"]["would_not"][0]["id"], json!(said.guarded));
    let reports = desk.json(&["incidents"]);
    assert_eq!(reports["reports"]["incidents"][0]["said"]["id"], json!(said.attack));
    assert_eq!(reports["reports"]["observations"].as_array().unwrap().len(), 2);
    let roster = desk.json(&["roster", "de"]);
    assert_eq!(roster["roster"]["members"][0]["sets"][0]["from"], json!(1));
    let agenda = desk.json(&["agenda", "--until", "2027-01-31"]);
    assert!(agenda["agenda"]["items"].as_array().unwrap().len() > 5);
    let brief = desk.json(&["brief", "de"]);
    assert_eq!(brief["brief"]["tally"]["declined"], json!(1));
}

#[test]
fn every_id_of_an_answer_can_be_shown() {
    let (log, _) = coalition();
    let desk = Desk::of(&log);
    let status = desk.good(&["status"]);
    let is_id = |word: &&str| word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let ids: Vec<&str> =
        status.lines().filter_map(|line| line.split(' ').next_back()).filter(is_id).collect();
    assert!(ids.len() > 10, "{status}");
    for id in ids {
        desk.good(&["show", id]);
    }
}

#[test]
fn what_is_not_there_is_refused_and_not_answered_with_nothing() {
    let (log, _) = coalition();
    let desk = Desk::of(&log);
    for (args, hint) in [
        (&["status", "--partner", "xx"][..], "the partners are de, fr, pl, ua, kiel"),
        (&["brief", "xx"], "the partners are"),
        (&["status", "--instrument", "magic"], "one that its rules name"),
        (&["status", "--state", "fine"], "not yet valid"),
        (&["status", "--verdict", "fine"], "kept late"),
        (&["what-if", "rain", "--against", "ua"], "armed attack"),
        (&["status", "--at", "2020-01-01"], "later time"),
        (&["status", "--diff", "2027-01-01", "2026-12-12"], "after the second"),
    ] {
        let ended = desk.run(args);
        assert_eq!(ended.code, 2, "{args:?}: {}", ended.out);
        assert!(ended.err.contains(hint) && ended.out.is_empty(), "{args:?}: {}", ended.err);
    }
}
