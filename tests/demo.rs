//! `servanda demo`: what it leaves behind is verified by the verbs that anyone has, and by files alone.

use crate::support::shared;
use servanda::armor::File;
use servanda::evidence::{self, Evidence};
use servanda::hash::sha256;
use servanda::trust::Trust;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use tempfile::TempDir;

const NOW: &str = "2026-12-01T12:00Z";

/// One run for all tests: its folder, and what it printed.
static DEMO: LazyLock<(TempDir, String)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder");
    let (code, said) = servanda(&["demo", &shown(&dir.path().join("demo"))]);
    assert_eq!(code, 0, "{said}");
    (dir, said)
});

fn dir() -> PathBuf {
    DEMO.0.path().join("demo")
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Runs the program at a fixed time, with nothing from the environment; gives exit code and output.
fn servanda(args: &[&str]) -> (i32, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_servanda"))
        .args(args)
        .args(["--now", NOW])
        .env_clear()
        .current_dir(std::env::temp_dir())
        .output();
    let Output { status, stdout, stderr } = run.expect("the program runs");
    let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code().unwrap_or(-1), said)
}

/// Verifies one of the demo's logs, with the trust file or without, against what was kept or not.
fn verify(log: &str, trusted: bool, since: Option<&str>) -> (i32, String) {
    let (log, trust) = (shown(&dir().join(log)), shown(&dir().join("trust.toml")));
    let since = since.map(|name| shown(&dir().join(name)));
    let mut args = vec!["verify", log.as_str()];
    if trusted {
        args.extend(["--trust", trust.as_str()]);
    }
    if let Some(since) = &since {
        args.extend(["--since", since.as_str()]);
    }
    servanda(&args)
}

fn clean(log: &str) {
    let (code, said) = verify(log, true, None);
    assert_eq!(code, 0, "{log}: {said}");
    assert!(said.contains("no findings"), "{log}: {said}");
}

fn holds_together(log: &str) {
    let (code, said) = verify(log, false, None);
    assert_eq!(code, 2, "{log}: {said}");
    assert!(said.contains("not pinned") && said.contains("it holds together"), "{log}: {said}");
}

#[track_caller]
fn bad(log: &str, since: Option<&str>, words: &[&str]) {
    let (code, said) = verify(log, true, since);
    assert_eq!(code, 1, "{log}: {said}");
    for word in words {
        assert!(said.contains(word), "{log}: no {word:?} in {said}");
    }
}

#[test]
fn it_says_plainly_that_no_government_signed_and_catches_everything() {
    let said = &DEMO.1;
    assert!(said.contains("No government signed this log."), "{said}");
    for line in
        ["58 by 27 partners, in 18 rounds", "18 by Ukraine", "172 entries", "no findings", "quorum none"]
    {
        assert!(said.contains(line), "no {line:?} in {said}");
    }
    assert_eq!(said.matches("  caught ").count(), 7, "{said}");
    assert!(!said.contains("NOT CAUGHT"));
    assert!(said.lines().count() < 140, "{} lines", said.lines().count());
    assert!(!said.contains('\x1b'), "colour where there is no terminal");
}

#[test]
fn what_happens_after_signature_is_said_to_be_made_up_and_judged_by_the_ledger() {
    let said = &DEMO.1;
    for line in [
        "What happened then: made up, all of it",
        "No such attack was reported",
        "21 kept, 1 kept late, 1 overdue and 1 declined",
        "in two parts, each confirmed by Ukraine: 1 kept",
    ] {
        assert!(said.contains(line), "no {line:?} in {said}");
    }
    let (code, said) = servanda(&["log", "--log", &shown(&dir().join("log")), "--json"]);
    assert_eq!(code, 0, "{said}");
}

/// Runs a verb on the demo's log as it stood at a time, and reads its JSON.
fn asked(verb: &str, at: &str) -> serde_json::Value {
    let (log, trust) = (shown(&dir().join("log")), shown(&dir().join("trust.toml")));
    let (code, said) = servanda(&[verb, "--log", &log, "--trust", &trust, "--at", at, "--json"]);
    assert_eq!(code, 0, "{said}");
    serde_json::from_str(&said).expect("JSON, and nothing else")
}

#[test]
fn figures_are_observations_that_tell_their_true_dates_and_call_upon_nobody() {
    let reports = asked("incidents", NOW)["reports"].clone();
    let seen = reports["observations"].as_array().expect("a list");
    let superseded = seen.iter().filter(|report| !report["superseded_by"].is_null()).count();
    assert_eq!((seen.len(), superseded, reports["incidents"].as_array().map(Vec::len)), (10, 4, Some(1)));
    for report in seen {
        let (said, from) = (&report["said"], &report["from"]);
        assert!(report["kinds"].as_array().is_some_and(Vec::is_empty), "{said}");
        assert_eq!(said["by"], "mission");
        for figure in report["figures"].as_array().expect("a list") {
            let period = figure["period"].as_str().expect("a text");
            let (evening, days) = period
                .strip_prefix("evening of ")
                .and_then(|rest| rest.strip_suffix(" days")?.split_once(", moved here by "))
                .expect("the true date, and by how much it is moved");
            let evening: servanda::field::Day = evening.parse().expect("a day");
            let moved = evening.days() + days.parse::<i64>().expect("a number");
            let shown = servanda::field::Day::from_days(moved).expect("a day").to_string();
            assert!(from.to_string().contains(&shown), "{period}: {from}");
        }
    }
    // The last figures are in the log the day before anything is made up.
    let before = asked("incidents", "2026-11-27T11:00Z")["reports"].clone();
    assert_eq!(before["observations"].as_array().map(Vec::len), Some(10));
    assert_eq!(before["incidents"].as_array().map(Vec::len), Some(0));
    let calls = asked("status", "2026-11-27T11:00Z").to_string().matches("\"call\":").count();
    assert_eq!(calls, 0, "figures call upon nobody");
}

#[test]
fn the_log_verifies_and_its_proof_names_the_trust_files_log() {
    clean("log");
    holds_together("log");
    let (code, said) = verify("log", true, Some("kept/DEU-M1.tlog-proof"));
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_changed_amount_and_an_invented_partner_do_not_verify() {
    bad(
        "attacks/1-amount",
        None,
        &["entry 34 by de: the signature of officer 0 does not hold", "seen-other"],
    );
    bad("attacks/2-dropped", None, &["wrong-seq", "seen-other"]);
    bad("attacks/5-invented", None, &["entry 172 by atlantis", "unknown-author"]);
}

#[test]
fn a_log_of_the_operators_own_holds_together_and_is_verified_for_nobody() {
    holds_together("attacks/5-own-log");
    bad("attacks/5-own-log", None, &["log"]);
}

#[test]
fn what_was_kept_catches_what_verifies_by_itself() {
    clean("attacks/3-rolled-back");
    for kept in ["kept/checkpoint", "kept/DEU-M1.tlog-proof", "log"] {
        bad("attacks/3-rolled-back", Some(kept), &["rolled back"]);
        bad("attacks/6-last-dropped", Some(kept), &["rewritten"]);
    }
    clean("attacks/6-last-dropped");
}

#[test]
fn a_fork_verifies_for_each_of_its_readers_and_not_for_both() {
    clean("attacks/4-forked/albania");
    clean("attacks/4-forked/ukraine");
    bad("attacks/4-forked/albania", Some("attacks/4-forked/ukraine"), &["rewritten"]);
    bad("attacks/4-forked/mended", None, &["entry 106 by ua", "seen-other"]);
}

#[test]
fn evidence_holds_for_whoever_pins_the_log_and_for_no_other() {
    let trust: Trust = fs::read_to_string(dir().join("trust.toml")).expect("a file").parse().expect("trust");
    for name in ["1-amount", "4-forked", "5-invented", "6-last-dropped"] {
        let path = dir().join(format!("attacks/{name}.evidence"));
        let evidence: Evidence = File::Evidence.read(&fs::read(path).expect("a file")).expect("evidence");
        let guilt = evidence::check(&evidence, trust.log.as_ref()).expect(name);
        assert!(guilt.who.is_operator());
        assert!(evidence::check(&evidence, Some(&sha256(b"another log"))).is_err(), "{name}");
    }
}

#[test]
fn the_same_time_gives_the_same_log() {
    let again = tempfile::tempdir().expect("a folder");
    let (code, said) = servanda(&["demo", &shown(again.path()), "--json"]);
    assert_eq!(code, 0, "{said}");
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON, and nothing else");
    assert_eq!((said["pledges"].as_u64(), said["findings"].as_u64()), (Some(58), Some(0)));
    assert!(said["attacks"].as_array().expect("a list").iter().all(|attack| attack["is_caught"] == true));
    for folder in ["log/public", "attacks", "kept", "partners", "charter.toml", "trust.toml"] {
        assert_eq!(contents(&again.path().join(folder)), contents(&dir().join(folder)), "{folder}");
    }
}

/// All files below a path, by name.
fn contents(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut open = vec![path.to_owned()];
    let mut files = BTreeMap::new();
    while let Some(at) = open.pop() {
        if at.is_dir() {
            open.extend(fs::read_dir(&at).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else {
            let name = at.strip_prefix(path).expect("below it").to_owned();
            files.insert(name, fs::read(&at).expect("a file"));
        }
    }
    files
}

#[test]
fn a_folder_that_is_not_empty_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("mine"), "mine").expect("written");
    let (code, said) = servanda(&["demo", &shown(folder.path())]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is not empty; nothing was written"), "{said}");
    assert_eq!(contents(folder.path()).len(), 1);
}

#[test]
fn private_keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |name: &str| fs::metadata(dir().join(name)).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode("keys"), mode("keys/de")), (0o700, 0o700));
    assert_eq!((mode("keys/log"), mode("keys/de/0"), mode("keys/operator/1")), (0o600, 0o600, 0o600));
}

#[test]
fn the_commands_that_it_ends_with_can_be_typed_as_they_stand() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = servanda(&["demo", &shown(folder.path())]);
    assert_eq!(code, 0, "{said}");
    let (_, next) = said.split_once("Go on from here\n").expect("what to try next");
    let next = next.replace("\\\n", " ");
    let mut commands = next.lines().map(str::trim);
    assert_eq!(commands.next(), Some(format!("cd {}", shown(folder.path())).as_str()));
    let program = Path::new(env!("CARGO_BIN_EXE_servanda"));
    for (command, word, yes) in [
        ("servanda verify", "no findings", ""),
        ("servanda brief ie", "no response on record", ""),
        ("servanda history ISL-M1", "need 0 is met", ""),
        ("servanda incidents", "moved here by", ""),
        ("servanda review-pack", "statements with proofs", ""),
        ("servanda check", "fork", ""),
        ("servanda pledge", "entry 172", "--yes"),
    ] {
        let line = commands.next().expect("a command");
        assert!(line.starts_with(command), "{line}");
        let run = Command::new("/bin/sh")
            .args(["-c", &format!("{line} {yes}")])
            .env("PATH", program.parent().expect("a folder"))
            .env("SERVANDA_NOW", NOW)
            .env("XDG_STATE_HOME", folder.path().join("state"))
            .current_dir(folder.path())
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{line}: {said}");
        assert!(said.contains(word), "{line}: {said}");
    }
    assert_eq!(commands.next(), None);
}

// - the example against the texts that it was taken from -

/// The example's pledges as written, by reference, with the handle of their author.
fn pledges() -> Vec<(String, toml::Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ukraine/pledges");
    let mut all = Vec::new();
    for (name, bytes) in contents(&folder) {
        let text = String::from_utf8(bytes).expect("text");
        let table: toml::Table = text.parse().unwrap_or_else(|e| panic!("{}: {e}", name.display()));
        for pledge in table["pledge"].as_array().expect("a list") {
            all.push((pledge["reference"].as_str().expect("a text").to_owned(), pledge.clone()));
        }
    }
    all
}

#[test]
fn annexes_are_the_texts_of_the_agreements_byte_for_byte() {
    let Some(folder) = shared("data/security_agreements/text") else { return };
    let texts: BTreeMap<_, _> = contents(&folder)
        .into_iter()
        .map(|(name, bytes)| (sha256(&bytes).to_string(), (shown(&name), bytes.len())))
        .collect();
    for (reference, pledge) in pledges() {
        let annex = &pledge["annexes"][0];
        let digest = annex["sha256"].as_str().expect("a text");
        let (name, len) = texts.get(digest).unwrap_or_else(|| panic!("{reference}: no text has this digest"));
        assert_eq!(annex["size"].as_integer(), i64::try_from(*len).ok(), "{reference}");
        // e.g. 2024-02-16_DEU.txt
        let (day, iso3) = (pledge["made_on"].as_str().expect("a day"), &reference[..3]);
        assert_eq!(*name, format!("{day}_{iso3}.txt"), "{reference}");
    }
}

#[test]
fn every_commitment_of_the_collection_is_pledged_with_its_sum() {
    let Some(path) = shared("data/security_agreements/commitments.csv") else { return };
    let pledges: BTreeMap<_, _> = pledges().into_iter().collect();
    let mut covered = BTreeSet::new();
    let mut rows = 0;
    for row in csv::Reader::from_path(path).expect("a table").into_deserialize::<BTreeMap<String, String>>() {
        let row = row.expect("a row");
        rows += 1;
        let id = &row["id"];
        let of_row =
            |name: &&String| name.as_str() == id || name.strip_prefix(id.as_str()).is_some_and(is_limb);
        let own: Vec<_> = pledges.keys().filter(of_row).collect();
        assert!(!own.is_empty(), "{id} is not pledged");
        for name in own {
            covered.insert(name.clone());
            let pledge = &pledges[name];
            assert_eq!(pledge["made_on"].as_str(), Some(row["signed"].as_str()), "{name}");
            match row["kind"].as_str() {
                "amount" => {
                    assert_eq!(amount(id, pledge), (row["amount"].clone(), row["currency"].clone()), "{name}")
                }
                _ => assert_eq!(pledge["respond_within"].as_str(), Some("24h"), "{name}"),
            }
        }
    }
    assert_eq!((rows, covered.len()), (57, pledges.len()), "pledges that no row of the collection asks for");
}

/// A clause with two limbs is two pledges, `…a` and `…b`.
fn is_limb(rest: &str) -> bool {
    matches!(rest, "a" | "b")
}

/// Amount and currency as the collection gives them: Iceland's is a yearly one there.
fn amount(id: &str, pledge: &toml::Value) -> (String, String) {
    let quantity = if id == "ISL-M1" { &pledge["dues"][0]["quantity"] } else { &pledge["quantity"] };
    let words: Vec<_> = quantity.as_str().expect("words").split(' ').collect();
    (words[words.len() - 2].to_owned(), words[words.len() - 1].to_owned())
}

#[test]
fn the_observations_are_those_of_the_daily_reports() {
    let Some(path) = shared("data/osce/osce_smm_daily_facts.csv") else { return };
    let mut rows = BTreeMap::new();
    for row in csv::Reader::from_path(path).expect("a table").into_deserialize::<BTreeMap<String, String>>() {
        let row = row.expect("a row");
        rows.insert((row["report_no"].clone(), row["region"].clone()), row);
    }
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ukraine/observations.toml"));
    let table: toml::Table = text.expect("a file").parse().expect("TOML");
    let mut checked = 0;
    for daily in table["daily"].as_array().expect("a list") {
        let of = |name: &str| daily[name].as_str().expect("a text");
        for region in daily["regions"].as_array().expect("a list") {
            let row = &rows[&(of("report").to_owned(), region["name"].as_str().expect("a name").to_owned())];
            let number = |name: &str| region[name].as_integer().expect("a number").to_string();
            for (ours, theirs) in [
                (of("issued").to_owned(), "issued"),
                (of("evening").to_owned(), "as_of_evening"),
                (of("document").to_owned(), "url"),
                (number("violations"), "ceasefire_violations"),
                (number("explosions"), "of_which_explosions"),
                (number("before"), "restated_previous_period"),
            ] {
                assert_eq!(ours, row[theirs], "{} {theirs}", of("report"));
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 6);
}
