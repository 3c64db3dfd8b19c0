//! Yesterday's copy put back, whole or in part; what is derived damaged, lost or from yesterday.

use super::*;

/// Yesterday's log, and today's, which has ten entries more.
struct Days {
    yesterday: Case,
    today: Case,
    /// Today's checkpoint, as someone kept it.
    kept: PathBuf,
}

impl Days {
    fn new() -> Self {
        let (yesterday, today) = (Case::new(), Case::new());
        today.good(&["submit", "ten.statement"]);
        let kept = today.path("kept-checkpoint");
        fs::write(&kept, today.checkpoint()).unwrap();
        Self { yesterday, today, kept }
    }

    /// Puts files or folders of yesterday in the place of today's.
    fn put_back(&self, names: &[&str]) {
        for name in names {
            let (from, to) = (self.yesterday.path(name), self.today.path(name));
            let _ = fs::remove_dir_all(&to).or_else(|_| fs::remove_file(&to));
            if from.is_dir() { copy(&from, &to) } else { fs::copy(&from, &to).map(drop).unwrap() }
        }
    }

    /// Holds the log against the checkpoint that was kept.
    fn since(&self) -> Ended {
        let out = self.today.path("fork.evidence");
        self.today.read(&["verify", "--since", self.kept.to_str().unwrap(), "--out", out.to_str().unwrap()])
    }

    /// A command that writes, and is told nothing of the guard.
    fn unguarded(&self, words: &[&str]) -> Ended {
        let mut command = self.today.binary(Path::new(env!("CARGO_BIN_EXE_servanda")), words);
        command.arg("--log").arg(self.today.path("log")).args(["--log-key", "keys/log"]);
        ended(command.output().unwrap())
    }
}

/// What another partner says today, so that a history without it is another one.
fn others() -> Vec<&'static str> {
    OFFICE.write("others.csv", &rows("F", 20));
    import("others.csv", "fr")
}

#[test]
fn a_writer_with_a_guard_refuses_yesterdays_copy_and_readers_see_the_rollback() {
    let days = Days::new();
    days.put_back(&["log"]);
    let before = days.today.checkpoint();
    let ended = days.today.run(&others());
    told_clearly(&ended, "with the guard");
    assert!(ended.err.contains("the guard file knows 260 entries, the log here has 250"), "{}", ended.err);
    assert!(ended.err.contains("hint: find the newest copy of the log"), "{}", ended.err);
    assert_eq!(days.today.checkpoint(), before, "nothing was signed");
    days.today.verifies("alone it is a good log");
    let ended = days.since();
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    // Today's copy put back goes on.
    let whole = Days::new();
    whole.today.good(&others());
    assert_eq!(whole.since().code, 0);
}

#[test]
fn a_writer_without_a_guard_signs_a_fork_that_a_kept_checkpoint_proves() {
    let days = Days::new();
    days.put_back(&["log"]);
    let ended = days.unguarded(&others());
    assert_eq!(ended.code, 0, "as the operator was warned: {}", ended.err);
    days.today.verifies("alone it is a good log");
    let ended = days.since();
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    let evidence = days.today.path("fork.evidence");
    let trust = OFFICE.path("base/log/trust.toml");
    let words = ["check", evidence.to_str().unwrap(), "--trust", trust.to_str().unwrap()];
    let checked = days.today.binary(Path::new(env!("CARGO_BIN_EXE_servanda")), &words).output().unwrap();
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stdout));
    // The guard that was there all along is not deceived afterwards either.
    told_clearly(&days.today.run(&others()), "with the guard, too late");
}

#[test]
fn a_commit_record_of_yesterday_beside_todays_public_files_is_refused_with_and_without_a_guard() {
    let days = Days::new();
    days.put_back(&["log/private"]);
    let before = days.today.checkpoint();
    for ended in [days.today.run(&others()), days.unguarded(&others())] {
        told_clearly(&ended, "public is ahead of private");
        assert!(ended.err.contains("the published checkpoint knows 260 entries"), "{}", ended.err);
    }
    assert_eq!(days.today.checkpoint(), before);
    assert_eq!(days.since().code, 0, "what is published is today's, and stays readable");
}

#[test]
fn a_checkpoint_of_yesterday_beside_todays_commit_record_is_published_anew() {
    let days = Days::new();
    days.put_back(&["log/public/checkpoint"]);
    assert_eq!(days.since().code, 1);
    days.today.good(&["submit", "ten.statement"]);
    assert_eq!(days.since().code, 0);
    assert_eq!(days.today.leaves().len(), BASE + 10);
}

#[test]
fn a_partner_who_signed_on_todays_copy_does_not_sign_on_yesterdays() {
    let days = Days::new();
    let pledge = |out: &str| {
        let mut words = vec!["pledge", "--key", "keys/de1", "--yes", "--to", "ua", "--title", "x"];
        words.extend(["--instrument", "military", "--out", out, "--trust", "base/log/trust.toml"]);
        let mut command = days.today.binary(Path::new(env!("CARGO_BIN_EXE_servanda")), &words);
        ended(command.arg("--log").arg(days.today.path("log/public")).output().unwrap())
    };
    let (first, second) = (days.today.path("1.statement"), days.today.path("2.statement"));
    let ended = pledge(first.to_str().unwrap());
    assert_eq!(ended.code, 0, "{}", ended.err);
    days.put_back(&["log/public"]);
    let ended = pledge(second.to_str().unwrap());
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("does not contain the 260 entries that you verified before"), "{}", ended.err);
    assert!(!second.exists());
}

/// A way to spoil a file: the file, and the one of yesterday.
type Spoil = fn(&Path, &Path);

/// What can befall a file that is derived.
const SPOILT: [(&str, Spoil); 8] = [
    ("gone", |file, _| fs::remove_file(file).unwrap()),
    ("empty", |file, _| fs::write(file, "").unwrap()),
    ("of yesterday", |file, old| fs::copy(old, file).map(drop).unwrap()),
    ("cut in half", |file, _| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    }),
    ("zeros", |file, _| fs::write(file, vec![0; fs::read(file).unwrap().len()]).unwrap()),
    ("no such file at all", |file, _| fs::write(file, "something else").unwrap()),
    ("a page of zeros", |file, _| {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 8192 * 4096;
        let end = bytes.len().min(middle + 4096);
        bytes[middle..end].fill(0);
        fs::write(file, bytes).unwrap();
    }),
    ("a bit in every hundredth byte", |file, _| {
        let mut bytes = fs::read(file).unwrap();
        bytes.iter_mut().step_by(100).for_each(|byte| *byte ^= 4);
        fs::write(file, bytes).unwrap();
    }),
];

#[test]
fn what_is_derived_may_be_lost_damaged_or_of_yesterday_and_never_answers_wrongly() {
    let days = Days::new();
    let leaves = days.today.leaves();
    let id = SignedEntry::decode(&leaves[255]).unwrap().id.to_string();
    let sets: [&[&str]; 4] = [&["index.redb"], &["index.sum"], &["index.redb", "index.sum"], &["snapshot"]];
    for names in sets {
        for (how, spoil) in SPOILT {
            let case = Case::copy_of(&days.today.folder);
            for name in names {
                let old = days.yesterday.path("log/private").join(name);
                spoil(&case.path("log/private").join(name), &old);
            }
            let what = format!("{names:?}: {how}");
            let shown = case.read(&["show", &id[..12]]);
            assert_eq!(shown.code, 0, "{what}: {}", shown.err);
            assert!(shown.out.contains("255"), "{what}: {}", shown.out);
            let again = case.good(&["submit", "ten.statement"]);
            assert_eq!(again.out.matches("(it was in the log already)").count(), 10, "{what}: {}", again.out);
            assert_eq!(case.leaves(), leaves, "{what}");
            let shown = case.read(&["show", &id]);
            assert!(shown.code == 0 && !shown.err.contains("index of ids"), "{what}: {}", shown.err);
        }
    }
    // A folder in its place is not thrown away.
    let case = Case::copy_of(&days.today.folder);
    fs::remove_file(case.path("log/private/index.redb")).unwrap();
    fs::create_dir_all(case.path("log/private/index.redb/mine")).unwrap();
    told_clearly(&case.run(&["submit", "ten.statement"]), "a folder");
    assert!(case.path("log/private/index.redb/mine").is_dir());
    assert_eq!(case.read(&["show", &id]).code, 0);
}
