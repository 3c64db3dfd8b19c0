//! Several processes at work on one log: at once, and one that sleeps while another takes over.

use super::*;
use std::thread;
use std::time::{Duration, Instant};

/// How often each process comes.
const ROUNDS: usize = 12;

/// How many writers are put to sleep.
const SLEEPERS: usize = 24;

#[test]
fn commands_at_the_same_time_wait_for_each_other_and_none_loses_anything() {
    let case = Case::new();
    let one = |who: &str, n: usize| match who {
        "import" => {
            let csv = format!("at-once-{n}.csv");
            OFFICE.write(&csv, &rows(&format!("I{n}-"), 3));
            (case.run(&import(&csv, "de")), referred(&format!("I{n}-"), 3))
        }
        "again" => (case.run(&["submit", "ten.statement"]), referred("N", 10)),
        _ => {
            let reference = format!("P{n}");
            let words = ["pledge", "--key", "keys/fr1", "--yes", "--to", "ua", "--title", "x"];
            let more = ["--instrument", "military", "--reference", &reference];
            (case.run(&[&words[..], &more].concat()), vec![reference.clone()])
        }
    };
    case.good(&["submit", "ten.statement"]);
    let told: Vec<(Ended, Vec<String>)> = thread::scope(|scope| {
        let one = &one;
        let starts = ["import", "again", "pledge"]
            .map(|who| scope.spawn(move || (0..ROUNDS).map(|n| one(who, n)).collect::<Vec<_>>()));
        starts.into_iter().flat_map(|started| started.join().unwrap()).collect()
    });
    let there = references(&case.leaves());
    let mut late = 0;
    for (ended, own) in &told {
        if ended.code == 0 {
            for reference in own {
                assert_eq!(there.iter().filter(|known| *known == reference).count(), 1, "{reference}");
            }
        } else {
            told_clearly(ended, "the one who came too late");
            assert!(ended.err.contains("another servanda is at work on this log"), "{}", ended.err);
            late += 1;
        }
    }
    eprintln!("{} commands of three processes at once, {late} were told to come back", told.len());
    case.verifies("all of it");
    assert_eq!(case.left_over(), 0);
}

#[test]
fn whoever_finds_another_at_work_is_told_and_disturbs_nobody() {
    let case = Case::new();
    let mut first = case.writing(&import("many.csv", "de")).spawn().unwrap();
    let sum = case.path("log/private/index.sum");
    // It is at work once it has emptied the sum.
    while first.try_wait().unwrap().is_none() && fs::metadata(&sum).is_ok_and(|about| about.len() > 0) {
        thread::yield_now();
    }
    signal(&first, "STOP");
    let started = Instant::now();
    let ended = case.run(&["submit", "ten.statement"]);
    told_clearly(&ended, "the second");
    assert!(ended.err.contains("error: another servanda is at work on this log; nothing was appended"));
    assert!(started.elapsed() < Duration::from_secs(60));
    signal(&first, "CONT");
    let first = super::ended(first.wait_with_output().unwrap());
    assert_eq!(first.code, 0, "it was not disturbed: {}", first.err);
    assert_eq!(references(&case.leaves())[BASE - 4..], referred("N", 400));
}

/// Waits for a child; none where it takes longer.
fn wait(child: &mut Child, most: Duration) -> bool {
    let started = Instant::now();
    while started.elapsed() < most {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn a_writer_that_slept_anywhere_while_another_took_over_is_told_so_and_harms_nothing() {
    let mut dice = Dice::new();
    OFFICE.write("taken-over.csv", &rows("T", 5));
    let sleeper = import("few.csv", "de");
    let takes = {
        let (case, started) = (Case::new(), Instant::now());
        case.good(&sleeper);
        u64::try_from(started.elapsed().as_micros()).unwrap()
    };
    let (mut fenced, mut both, mut waited) = (0, 0, 0);
    for n in 0..SLEEPERS {
        let case = Case::new();
        let first = case.writing(&sleeper).spawn().unwrap();
        thread::sleep(Duration::from_micros(dice.below(takes)));
        signal(&first, "STOP");
        // Another machine does not see its locks: as if there were no index.
        for name in ["index.redb", "index.sum"] {
            let _ = fs::remove_file(case.path("log/private").join(name));
        }
        let mut second = case.writing(&import("taken-over.csv", "fr")).spawn().unwrap();
        let done = wait(&mut second, Duration::from_secs(3));
        signal(&first, "CONT");
        // It may have been put to sleep with the lock in its hands: then the other one waits, and loses nothing.
        waited += usize::from(!done);
        let first = ended(first.wait_with_output().unwrap());
        let second = ended(second.wait_with_output().unwrap());
        let what = format!("sleeper {n}: {} {}; {} {}", first.code, first.err, second.code, second.err);
        let mut seen = Seen::default();
        seen.told(&case, &first, &what);
        seen.told(&case, &second, &what);
        for ended in [&first, &second] {
            if ended.code != 0 {
                told_clearly(ended, &what);
                assert!(ended.err.contains("another writer took over"), "{what}");
            }
        }
        assert!(first.code == 0 || second.code == 0, "one of them goes on: {what}");
        fenced += usize::from(first.code != 0) + usize::from(second.code != 0);
        both += usize::from(first.code == 0 && second.code == 0);
        case.good(&sleeper);
        case.good(&import("taken-over.csv", "fr"));
        let mut there = references(&case.leaves());
        there.sort();
        let mut want = [referred("B", BASE - 4), referred("N", 120), referred("T", 5)].concat();
        want.sort();
        assert_eq!(there, want, "{what}");
        assert_eq!(case.left_over(), 0, "{what}");
    }
    eprintln!(
        "{SLEEPERS} sleepers: {fenced} fenced, {both} times both went through, {waited} times one waited"
    );
}
