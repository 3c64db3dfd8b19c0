//! The process is killed at random moments of an import, and while it recovers from that.

use super::*;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How many kills, unless the environment says another number.
const KILLS: usize = 40;

/// What is sent, and what must be in the log in the end.
struct Work {
    words: Vec<&'static str>,
    /// How long it takes if nobody kills it.
    takes: Duration,
    leaves: Vec<Vec<u8>>,
    /// Whether the bytes must be the same, and not the references alone: an import signs anew what did not go in.
    same_bytes: bool,
}

impl Work {
    fn of(words: Vec<&'static str>, same_bytes: bool) -> Self {
        let case = Case::new();
        let started = Instant::now();
        case.good(&words);
        Self { words, takes: started.elapsed(), leaves: case.leaves(), same_bytes }
    }

    fn check(&self, case: &Case, what: &str) {
        let leaves = case.leaves();
        if self.same_bytes {
            assert_eq!(leaves, self.leaves, "{what}: other bytes than if nobody had killed it");
        } else {
            assert_eq!(references(&leaves), references(&self.leaves), "{what}: other rows");
        }
        assert_eq!(case.left_over(), 0, "{what}: left over");
    }
}

/// What a kill left behind.
fn state(case: &Case, before: usize, after: usize) -> &'static str {
    let staged = fs::read_dir(case.path("log/private/staged")).map_or(0, Iterator::count);
    let temp = fs::read_dir(case.path("log/private/tmp")).map_or(0, Iterator::count);
    match (after > before, staged, temp) {
        (true, _, _) => "published",
        (false, 0, 0) => "nothing written, or only its epoch",
        (false, 0, _) => "a file without a name",
        (false, _, _) => "a round staged or committed, not published",
    }
}

/// Starts the work and kills it after a while; how it ended, if it was faster.
fn kill_after(case: &Case, words: &[&str], wait: Duration) -> Ended {
    let mut child = case.writing(words).spawn().unwrap();
    std::thread::sleep(wait);
    child.kill().unwrap();
    ended(child.wait_with_output().unwrap())
}

#[test]
fn whenever_it_is_killed_what_was_acknowledged_is_there_and_the_import_goes_on() {
    let wanted = std::env::var("SERVANDA_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let works = [
        Work::of(import("many.csv", "de"), false),
        Work::of(vec!["submit", "many.statement"], true),
        Work::of(vec!["submit", "few.statement"], true),
        Work::of(vec!["submit", "rounds.statement"], true),
    ];
    let (mut dice, mut kills, mut cases, mut states) = (Dice::new(), 0, 0, BTreeMap::new());
    while kills < wanted {
        // The one of several rounds takes as long as all others together.
        let work = if cases % 10 == 9 { &works[3] } else { &works[cases % 3] };
        let (case, mut seen) = (Case::new(), Seen::default());
        seen.look(&case, "the start");
        for again in 0..4 {
            let takes = u64::try_from(work.takes.as_micros()).unwrap();
            // What is written comes late, after the checking and signing; recovery is at the beginning.
            let (from, to) = if again % 2 == 1 { (0, takes / 3) } else { (takes / 3, takes * 11 / 10) };
            let wait = Duration::from_micros(from + dice.below(to - from));
            let what = format!("case {cases}, kill {kills}: {:?} after {wait:?}", work.words);
            let before = seen.leaves.len();
            let ended = kill_after(&case, &work.words, wait);
            seen.told(&case, &ended, &what);
            case.verifies(&what);
            kills += usize::from(ended.code == -1);
            *states.entry(state(&case, before, seen.leaves.len())).or_insert(0) +=
                usize::from(ended.code == -1);
            if ended.code == 0 {
                break;
            }
        }
        let what = format!("case {cases}, {:?}", work.words);
        let ended = case.good(&work.words);
        seen.told(&case, &ended, &what);
        work.check(&case, &what);
        cases += 1;
    }
    eprintln!("{kills} kills in {cases} imports; they left: {states:#?}");
}
