//! `verify`, `prove` and `check`, as a user types them, over logs in directories: what is said, and the exit codes.

#![allow(clippy::unwrap_used)]

use crate::support::small_log::{
    ORIGIN, SmallLog, accept, at, cosign, handle, key, key_set, officer, pledge, short, terms,
};
use crate::support::stored;
use serde_json::Value;
use servanda::armor::File;
use servanda::draft::Draft;
use servanda::field::Class;
use servanda::hash::ZEROS;
use servanda::promise::Promise;
use servanda::statement::Act;
use servanda::statement::body::Rotate;
use servanda::trust::Trust;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a command said, and its exit code.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }

    /// Both outputs, their line breaks undone.
    fn all(&self) -> String {
        format!("{} {}", self.out, self.err).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    pub fn says(self, what: &str) -> Self {
        assert!(self.all().contains(what), "want {what:?} in\n{}{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn never_says(self, what: &str) -> Self {
        assert!(!self.all().contains(what), "{what:?} in\n{}{}", self.out, self.err);
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}{}", self.out, self.err))
    }
}

/// A directory with logs in it, where commands are run.
pub struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A log at `paris`, and its trust file.
    pub fn with(log: &SmallLog) -> Self {
        let world = Self::new();
        world.log("paris", log);
        world.write("trust.toml", trust(log).to_string());
        world
    }

    pub fn log(&self, name: &str, log: &SmallLog) {
        stored::in_home(&self.path(name), log);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub fn run(&self, line: &str) -> Said {
        self.run_args(&line.split(' ').collect::<Vec<_>>())
    }

    fn run_args(&self, args: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_servanda"));
        for name in ["SERVANDA_LOG", "SERVANDA_TRUST", "SERVANDA_NOW"] {
            command.env_remove(name);
        }
        command.env("XDG_STATE_HOME", self.path("state"));
        let ran = command.args(args).current_dir(self.0.path()).output().unwrap();
        Said {
            code: ran.status.code().unwrap(),
            out: String::from_utf8(ran.stdout).unwrap(),
            err: String::from_utf8(ran.stderr).unwrap(),
        }
    }
}

pub fn trust(log: &SmallLog) -> Trust {
    Trust {
        log: Some(log.log_id()),
        origin: ORIGIN.into(),
        at: None,
        policy: log.policy(false),
        partners: Default::default(),
    }
}

/// Everyone acceded, two pledges, an acceptance: entries 6, 7 and 8.
fn busy() -> SmallLog {
    let mut log = SmallLog::ready();
    let tanks = log.say("de", pledge(&["ua"], terms("tanks")));
    log.say("fr", pledge(&["ua"], terms("aircraft")));
    log.say("ua", accept(&[tanks]));
    assert!(log.findings().is_empty());
    log
}

/// The same first seven entries, and three others.
fn other_end() -> SmallLog {
    let mut log = busy().cut(7);
    log.say("pl", pledge(&["ua"], terms("ammunition")));
    log.say("fr", pledge(&["ua"], terms("aircraft")));
    log.say("de", pledge(&["ua"], terms("money")));
    log
}

/// Every file below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut open, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files_below(from) {
        let to = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file, to).unwrap();
    }
}

// - verify -

#[test]
fn an_intact_log_verifies() {
    let world = World::with(&busy());
    world
        .run("verify paris --trust trust.toml")
        .ends(0)
        .says("pinned by trust.toml")
        .says("entries 9")
        .says("quorum none: nobody but the operator vouches")
        .says("9 entries, 6 of 6 authors, the signatures of 9 statements checked")
        .says("verified: no findings")
        .never_says("not pinned");
    world.run("verify paris").ends(0).says("trusting trust.toml in this directory");
}

#[test]
fn without_a_pinned_log_it_says_so() {
    let log = busy();
    let world = World::with(&log);
    fs::remove_file(world.path("trust.toml")).unwrap();
    world.run("verify paris").ends(2).says("not pinned").says(&log.log_id().to_string());
    let unpinned = Trust { log: None, ..trust(&log) };
    world.write("some.toml", unpinned.to_string());
    world.run("verify paris --trust some.toml").ends(2).says("not pinned").says(&log.log_id().to_string());
}

#[test]
fn a_trust_file_beside_the_log_is_not_trusted() {
    let world = World::with(&busy());
    fs::rename(world.path("trust.toml"), world.path("paris/trust.toml")).unwrap();
    world.run("verify paris").ends(2).says("not pinned").never_says("trusting");
}

#[test]
fn a_copy_of_the_public_part_verifies() {
    let world = World::with(&busy());
    copy(&world.path("paris/public"), &world.path("copy"));
    world.run("verify copy").ends(0).says("verified");
}

#[test]
fn quick_says_what_it_relied_on() {
    let world = World::with(&busy());
    world.run("verify paris --quick").ends(0).says("quick: relied on").says("verified");
    let json = world.run("verify paris --quick --json").ends(0).json();
    assert_eq!((&json["quick"], &json["verdict"]), (&Value::from(true), &Value::from("good")));
}

#[test]
fn a_changed_byte_in_any_object_is_found() {
    let world = World::with(&busy());
    for file in files_below(&world.path("paris/public")) {
        let bytes = fs::read(&file).unwrap();
        for at in [0, bytes.len() / 3, bytes.len() / 2, bytes.len() - 2] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(&file, changed).unwrap();
            world.run("verify paris").ends(1).says("not verified");
        }
        fs::write(&file, bytes).unwrap();
    }
    world.run("verify paris").ends(0);
}

#[test]
fn a_missing_object_is_found() {
    let world = World::with(&busy());
    for file in files_below(&world.path("paris/public")) {
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        world.run("verify paris").ends(1).says("is missing");
        fs::write(&file, bytes).unwrap();
    }
}

#[test]
fn the_log_must_be_the_one_that_is_pinned() {
    let world = World::with(&busy());
    let other = SmallLog::founded_with(|found| found.charter.title = short("Another"));
    world.write("trust.toml", trust(&other).to_string());
    world.run("verify paris").ends(1).says("is of log").says("log: log-id");
    world.run("prove #6 --log paris").ends(1).says("hint: is it the trust file of another log?");
}

#[test]
fn all_findings_are_listed_with_their_kinds() {
    let mut log = busy();
    let statement = log.draft("de", pledge(&["ua"], terms("money")));
    let mut entry = log.sequence(&statement, log.sign(&statement));
    entry.link = ZEROS;
    entry.signatures.0.truncate(1);
    log.push_entry(&entry);
    log.push(b"\x01 no entry".to_vec());
    let world = World::with(&log);
    world
        .run("verify paris")
        .ends(1)
        .says("entry 9 by de: links to")
        .says("entry 9 by de: is signed by 1 officer,")
        .says("entry 10: not an entry")
        .says("1 × operator's fault: wrong-link")
        .says("1 × unauthentic: below-threshold")
        .says("not verified: 3 findings");
    let json = world.run("verify paris --json").ends(1).json();
    let codes: Vec<_> = json["findings"].as_array().unwrap().iter().map(|f| &f["code"]).collect();
    assert_eq!(codes, ["wrong-link", "below-threshold", "undecodable"]);
    assert_eq!(json["findings"][0]["effect"], "operators-fault");
    assert_eq!((&json["findings"][0]["index"], &json["findings"][0]["author"]), (&9.into(), &"de".into()));
    assert_eq!((&json["verdict"], &json["pinned"]), (&"bad".into(), &true.into()));
}

#[test]
fn evidence_is_written_of_what_the_operator_did_wrong() {
    let mut log = busy();
    let statement = log.draft("de", pledge(&["ua"], terms("money")));
    let mut entry = log.sequence(&statement, log.sign(&statement));
    entry.link = ZEROS;
    log.push_entry(&entry);
    let mut late = log.draft("de", pledge(&["ua"], terms("fuel")));
    late.seq += 1;
    log.post(&late);
    let world = World::with(&log);
    world
        .run("verify paris --evidence found")
        .ends(1)
        .says("found/entry-9.evidence: evidence that the operator sequenced entry 9, which links to")
        .says("entry 10: no evidence");
    world
        .run("check found/entry-9.evidence")
        .ends(0)
        .says("operator's fault: the operator sequenced entry 9")
        .says("as pinned by trust.toml");
    assert!(!world.path("found/entry-10.evidence").exists());
    fs::remove_file(world.path("trust.toml")).unwrap();
    world.run("check found/entry-9.evidence").ends(2).says("not pinned");
}

#[test]
fn rollback_and_rewriting_since_a_kept_checkpoint_are_found() {
    let log = busy();
    let world = World::with(&log.cut(8));
    world.write("kept", log.checkpoint_at(7));
    world.run("verify paris --since kept").ends(0).says("nothing was changed below entry 7");
    world.write("newer", log.checkpoint());
    world.run("verify paris --since newer").ends(1).says("the log was rolled back").says("log: rollback");
    world.log("rewritten", &other_end());
    world
        .run("verify rewritten --since newer")
        .ends(1)
        .says("contradicts the checkpoint of 9 entries")
        .says("fork.evidence: evidence that the operator signed two histories");
    world.run("check fork.evidence").ends(0).says("whose first 9 entries differ");
    // A log and a proof file hold a checkpoint as well.
    world.run("verify rewritten --since paris").ends(1).says("log: rewritten");
    world.write("tanks.tlog-proof", log.proof(6, &log.checkpoint()).to_string());
    world.run("verify paris --since tanks.tlog-proof").ends(1).says("rolled back");
    world.write("scrap", "scrap");
    world.run("verify paris --since scrap").ends(2).says("scrap is no checkpoint of this log");
}

#[test]
fn two_copies_with_two_histories_are_evidence_of_a_fork() {
    let world = World::with(&busy());
    world.log("other", &other_end());
    world.log("behind", &busy().cut(5));
    world.run("verify paris --against behind").ends(0).says("the same history as behind, up to entry 5");
    world
        .run("verify paris --against other --out proof-of-fork")
        .ends(1)
        .says("of two histories, which part at entry 7")
        .says("proof-of-fork: evidence");
    world.run("check proof-of-fork").ends(0).says("fork: the operator signed two histories");
    let json = world.run("verify paris --against other --json").ends(1).json();
    assert_eq!(
        (&json["findings"][0]["code"], &json["evidence"][0]),
        (&"fork".into(), &"fork.evidence".into())
    );
    world.write("theirs", other_end().checkpoint());
    world.run("verify paris --against theirs").ends(0).says("theirs is ahead of this log");
}

#[test]
fn a_promise_is_kept_due_or_broken() {
    let (log, other) = (busy(), other_end());
    let world = World::with(&other);
    let promise = |log: &SmallLog, index: usize, signer: &str| {
        let entry = log.leaves()[index].clone();
        let promise = Promise::sign(log.log_id(), index.try_into().unwrap(), entry, &[(0, &key(signer))]);
        File::Promise.write(&promise).unwrap()
    };
    world.write("kept", promise(&other, 8, "operator/0"));
    world.run("verify paris --promise kept").ends(0).says("kept: kept, as entry 8");
    world.write("broken", promise(&log, 8, "operator/0"));
    world
        .run("verify paris --promise broken")
        .ends(1)
        .says("has another entry 8 than the operator promised")
        .says("fork.evidence: evidence that the operator promised");
    world.run("check fork.evidence").ends(0).says("broken promise");
    world.write("forged", promise(&log, 8, "de/0"));
    world.run("verify paris --promise forged").ends(2).says("did not give that promise");
    world.run("check broken").ends(2).says("its signature was not checked");
    let pinned = Trust { partners: [(handle("operator"), key_set("operator"))].into(), ..trust(&log) };
    world.write("trust.toml", pinned.to_string());
    world.run("check broken").ends(0).says("signed by the operator");
    world.run("check forged").ends(1).says("does not hold");
}

#[test]
fn a_log_with_witnesses_needs_their_quorum() {
    let log = busy();
    let world = World::with(&log);
    world.write("trust.toml", Trust { policy: log.policy(true), ..trust(&log) }.to_string());
    world.run("verify paris").ends(1).says("checkpoint is not accepted: cosigned by 0 of 1 witness");
    world.run("prove #6 --log paris").ends(1).says("hint: trust.toml asks for more witnesses");
    let cosigned = cosign(&log.checkpoint(), at("2026-12-01T09:30Z"));
    world.write("paris/public/checkpoint", cosigned);
    world
        .run("verify paris")
        .ends(0)
        .says("witnessed by witness.example/one at 2026-12-01T09:30")
        .never_says("quorum none");
    // Without the policy, the witness's line is listed, and unchecked.
    world.write("trust.toml", trust(&log).to_string());
    world.run("verify paris").ends(0).says("unchecked").says("witness.example/one");
}

// - prove and check -

#[test]
fn a_proof_says_who_signed_what_where_and_what_that_is_worth() {
    let log = busy();
    let world = World::with(&log);
    let id = log.entry(6).id;
    let name = id.short();
    world
        .run(&format!("prove {} --log paris", &id.to_string()[..8]))
        .ends(0)
        .says(&format!("{name}.tlog-proof: entry 6 of 9"))
        .says("9.roster");
    world
        .run(&format!("check {name}.tlog-proof"))
        .ends(0)
        .says("signed by office de/0 (officer 0) and office de/1 (officer 1) of Partner de (de), in class \"commit\"")
        .says("by the roster that the operator declared")
        .says("entry 6 of 9 in guarantees.example/paris-2026")
        .says("as pinned by trust.toml")
        .says("quorum none")
        .says("never says that they are in force")
        .says("tanks");
    let json = world.run(&format!("check {name}.tlog-proof --json")).ends(0).json();
    assert_eq!(json["verdict"], "good");
    assert_eq!(json["files"][0]["author_checked"], "roster");
    assert_eq!(json["files"][0]["entry"]["id"], id.to_string());
}

#[test]
fn an_entry_is_named_by_its_number_or_the_beginning_of_its_id() {
    let log = busy();
    let world = World::with(&log);
    let id = log.entry(6).id.to_string();
    world.run("prove #6 --log paris --out one.tlog-proof").ends(0);
    world.run(&format!("prove {id} --log paris --out one.tlog-proof")).ends(0).says("one.tlog-proof");
    let upper = id[..10].to_uppercase();
    world.run(&format!("prove {upper} --log paris --out one.tlog-proof")).ends(0);
    world.run("prove #9 --log paris").ends(2).says("the last one is 8");
    world.run("prove 0000000000 --log paris").ends(2).says("no statement in this log");
    world.run("prove abc --log paris").ends(2).says("no pledge or record here is called");
    world.run("prove #7 --log paris --out one.tlog-proof").ends(2).says("is there already");
}

#[test]
fn without_a_roster_file_the_author_is_not_checked_unless_the_keys_are_pinned() {
    let log = busy();
    let world = World::with(&log);
    world.run("prove #6 --log paris --out one.tlog-proof").ends(0);
    fs::rename(world.path("9.roster"), world.path("elsewhere")).unwrap();
    world
        .run("check one.tlog-proof")
        .ends(2)
        .says("author not checked: it claims to be by de")
        .never_says("signed by");
    world.run("check one.tlog-proof --roster elsewhere").ends(0).says("signed by");
    world.run("check one.tlog-proof elsewhere").ends(0).says("signed by");
    let pinned = |set| Trust { partners: [(handle("de"), set)].into(), ..trust(&log) };
    world.write("pinned.toml", pinned(key_set("de")).to_string());
    world.run("check one.tlog-proof --trust pinned.toml").ends(0).says("by the keys in your trust file");
    world.write("wrong.toml", pinned(key_set("fr")).to_string());
    world.run("check one.tlog-proof --trust wrong.toml").ends(1).says("does not count");
    fs::remove_file(world.path("trust.toml")).unwrap();
    world.run("check one.tlog-proof").ends(2).says("nothing to check it by");
    world.run("check one.tlog-proof elsewhere").ends(2).says("signed by").says("not pinned");
}

#[test]
fn a_changed_proof_proves_nothing() {
    let world = World::with(&busy());
    world.run("prove #6 --log paris --out one.tlog-proof").ends(0);
    let proof = world.read("one.tlog-proof");
    for at in (30..proof.len()).step_by(97) {
        let mut changed = proof.clone();
        changed[at] ^= 1;
        world.write("changed.tlog-proof", changed);
        let said = world.run("check changed.tlog-proof");
        assert!(said.code != 0, "byte {at}: {}", said.out);
    }
    let mut roster = world.read("9.roster");
    let at = roster.len() / 2;
    roster[at] = if roster[at] == b'A' { b'B' } else { b'A' };
    world.write("9.roster", roster);
    let said = world.run("check one.tlog-proof");
    assert!(said.code != 0, "{}", said.out);
}

#[test]
fn a_proof_under_made_up_keys_proves_nothing() {
    // Another founding with the same names and the same checkpoint key, in which mallory signs for de.
    let mut keys = key_set("de");
    keys.officers[0] = officer("mallory/0", &[Class::Govern, Class::Commit]);
    keys.officers[1] = officer("mallory/1", &[Class::Govern, Class::Commit]);
    let mut forged = SmallLog::founded_with(|found| {
        let de = &mut found.charter.partners[0];
        de.keys = keys.digest(&de.handle);
    });
    forged.say(
        "de",
        Act::Accede(servanda::statement::body::Accede {
            keys,
            reservations: None,
            annexes: Default::default(),
        }),
    );
    forged.say("de", pledge(&["ua"], terms("everything")));
    assert!(forged.findings().is_empty(), "{:?}", forged.findings());
    let world = World::with(&forged);
    world.run("prove #2 --log paris --out one.tlog-proof").ends(0);
    world.run("check one.tlog-proof").ends(0);
    world.write("trust.toml", trust(&busy()).to_string());
    world.run("check one.tlog-proof").ends(1).says("pins").never_says("signed by");
}

#[test]
fn keys_that_were_replaced_since_are_told() {
    let mut log = busy();
    let mut keys = key_set("de");
    keys.officers[3] = officer("de/4", &[Class::Operate, Class::Observe]);
    log.say("de", Act::Rotate(Rotate { keys }));
    assert!(log.findings().is_empty());
    let world = World::with(&log);
    world.run("prove #6 --log paris --out one.tlog-proof").ends(0);
    world.run("check one.tlog-proof").ends(0).says("since then, de has replaced its keys, last with entry 9");
    world.run("prove #9 --log paris --out rotation.tlog-proof").ends(0);
    world.run("check rotation.tlog-proof").ends(0).says("office de/4 (officer 131)");
    world.run("prove #7 --log paris --out other.tlog-proof").ends(0);
    world.run("check other.tlog-proof").ends(0).says("the keys of fr did not");
}

#[test]
fn every_entry_of_a_log_can_be_proven() {
    let log = busy();
    let world = World::with(&log);
    for index in 0..log.size() {
        world.run(&format!("prove #{index} --log paris --out {index}.tlog-proof")).ends(0);
    }
    let all: Vec<_> = (0..log.size()).map(|index| format!("{index}.tlog-proof")).collect();
    let args: Vec<_> = ["check"].into_iter().chain(all.iter().map(String::as_str)).collect();
    world.run_args(&args).ends(0).says("Partner kiel");
}

#[test]
fn an_unauthentic_entry_in_the_log_does_not_count() {
    let mut log = busy();
    let statement = log.draft("de", pledge(&["ua"], terms("money")));
    let forged = log.sign_as(&statement, &[(0, "fr/0"), (1, "fr/1")]);
    log.push_entry(&log.sequence(&statement, forged));
    let world = World::with(&log);
    world.run("prove #9 --log paris --out one.tlog-proof").ends(0);
    world.run("check one.tlog-proof").ends(1).says("does not count").says("does not hold");
}

#[test]
fn checkpoints_are_checked_and_held_against_each_other() {
    let (one, other) = (busy(), other_end());
    let world = World::with(&one);
    world.write("mine", one.checkpoint());
    world.write("theirs", other.checkpoint_at(9));
    world.run("check mine").ends(0).says("entries 9").says("quorum none");
    world
        .run("check mine theirs")
        .ends(1)
        .says("two of these files are of two histories")
        .says("give a roster file");
    world.run("prove #6 --log paris --out one.tlog-proof").ends(0);
    world.run("check one.tlog-proof 9.roster theirs").ends(1).says("fork.evidence");
    world.run("check mine theirs 9.roster").ends(1).says("fork.evidence: evidence for whoever pins");
    world.run("check fork.evidence").ends(0).says("fork: the operator signed two histories");
    fs::remove_file(world.path("trust.toml")).unwrap();
    world.run("check mine").ends(2).says("nothing to check it by");
}

#[test]
fn a_draft_is_shown_with_those_who_signed_it() {
    let log = busy();
    let world = World::with(&log);
    let statement = log.draft("de", pledge(&["ua"], terms("money")));
    let mut draft = Draft::new(&statement, Some(key_set("de"))).unwrap();
    draft.sign(&key("de/0")).unwrap();
    world.write("money.statement", File::Statement.write(&draft).unwrap());
    world
        .run("check money.statement")
        .ends(2)
        .says("in no log yet")
        .says("signed by office de/0; 1 more must sign")
        .says("author not checked")
        .says("money");
    let pinned = Trust { partners: [(handle("de"), key_set("de"))].into(), ..trust(&log) };
    world.write("trust.toml", pinned.to_string());
    world.run("check money.statement").ends(0);
    draft.signatures.0[0].bytes.0[0] ^= 1;
    world.write("money.statement", File::Statement.write(&draft).unwrap());
    world.run("check money.statement").ends(1).says("does not hold");
}

// - mistakes -

#[test]
fn common_mistakes_are_told_with_a_hint() {
    let world = World::with(&busy());
    world.run("verify nowhere").ends(2).says("there is nothing at nowhere").says("hint:");
    world.run("verify trust.toml").ends(2).says("a log is a directory").says("servanda check FILE");
    world.run("verify .").ends(2).says("no log at .").says("did you mean ./paris?");
    world.run("verify paris/private").ends(2).says("did you mean paris?");
    world.run("verify http://127.0.0.1:1/").ends(2);
    world.run("verify").ends(2).says("no log is named").says("SERVANDA_LOG");
    world.run("verify paris --trust nothing.toml").ends(2).says("there is nothing at nothing.toml");
    world.run("verify paris --trust paris/public/checkpoint").ends(2).says("trust file");
    world.run("check trust.toml").ends(2).says("none of the files that can be checked");
    world.run("check paris").ends(2).says("is a directory");
    world.run("prove #6").ends(2).says("no log is named");
}

#[test]
fn a_log_can_be_named_by_the_trust_file() {
    let log = busy();
    let world = World::with(&log);
    world.write("trust.toml", Trust { at: Some("paris".into()), ..trust(&log) }.to_string());
    world.run("verify").ends(0).says("verified");
}
