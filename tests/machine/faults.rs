//! System calls that fail: `strace` makes each one that touches the log's folder fail once, or kills the process there.
//!
//! A first run without faults is recorded: the calls on the log's folder, and each one's number among the calls of its name
//! (`when=N` counts those of a thread; all of these are made by one). Then the same command runs on a fresh copy of the
//! folder once per call and fault. That the fault struck where it was meant is read from the record of that run.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The calls that are made to fail. Those unknown to a processor are passed over.
const CALLS: &str = "?open,openat,read,pread64,write,pwrite64,fsync,fdatasync,syncfs,?rename,?renameat,?renameat2,\
    ?link,linkat,?mkdir,mkdirat,ftruncate,fallocate,?unlink,unlinkat,?rmdir,flock,fchmod,?getdents64,statx";

/// How a call fails.
const FAULTS: [&str; 4] = ["error=EIO", "error=ENOSPC", "error=EINTR", "signal=KILL"];

/// How many calls are made to fail of each kind of work, unless all are asked for.
const SAMPLE: usize = 45;

/// A call on the log's folder.
#[derive(Debug)]
struct Call {
    name: String,
    nth: usize,
    line: String,
}

/// Runs a command under `strace`; what it recorded.
fn traced(case: &Case, command: &Command, inject: Option<&str>) -> (Ended, String) {
    let record = case.path("record");
    let mut words = vec!["-f", "-y", "-qq", "-e"];
    let trace = format!("trace={CALLS}");
    words.extend([trace.as_str(), "-o", record.to_str().unwrap()]);
    if let Some(inject) = inject {
        words.extend(["-e", inject]);
    }
    words.push(command.get_program().to_str().unwrap());
    words.extend(command.get_args().map(|word| word.to_str().unwrap()));
    let mut strace = case.binary(Path::new("strace"), &words);
    // One thread beside the main one, so that a call's number is the same each time.
    let ended = ended(strace.env("RAYON_NUM_THREADS", "1").output().unwrap());
    (ended, fs::read_to_string(&record).unwrap())
}

/// The calls of the main thread on the case's folder.
fn calls(case: &Case, record: &str) -> Vec<Call> {
    let folder = case.folder.to_str().unwrap();
    let main = record.split(' ').next().unwrap();
    let (mut counts, mut found) = (BTreeMap::new(), Vec::new());
    for line in record.lines().filter_map(|line| line.strip_prefix(main)).map(str::trim_start) {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let nth = counts.entry(name.to_owned()).or_insert(0);
        *nth += 1;
        if rest.contains(folder) && !rest.contains("/record") {
            found.push(Call { name: name.to_owned(), nth: *nth, line: line.to_owned() });
        }
    }
    found
}

/// Whether the machine lets us trace.
fn can_trace() -> bool {
    let can = tool("strace", &["-qq", "-o", "/dev/null", "true"]).is_some();
    if !can {
        skipped("strace is missing, or may not trace here");
    }
    can
}

/// The faults to try of so many: all, or an even sample of as many as the environment says, from a random one on.
fn sample(all: usize, dice: &mut Dice) -> Vec<usize> {
    let size = match std::env::var("SERVANDA_FAULTS").as_deref() {
        Ok("all") => all,
        Ok(number) => number.parse().unwrap(),
        Err(_) => SAMPLE,
    };
    let size = size.min(all);
    let start = usize::try_from(dice.below(u64::try_from(all).unwrap())).unwrap();
    (0..size).map(|n| (start + n * all / size) % all).collect()
}

/// What a command does under every fault: `start` makes a fresh case, `command` the command, `check` looks at what it left.
fn each_fault(
    what: &str,
    faults: &[&str],
    start: &dyn Fn() -> Case,
    command: &dyn Fn(&Case) -> Command,
    check: &dyn Fn(&Case, &Ended, &str),
) {
    let mut dice = Dice::new();
    let first = start();
    let (ended, record) = traced(&first, &command(&first), None);
    assert_eq!(ended.code, 0, "{what}: {}", ended.err);
    let calls = calls(&first, &record);
    assert!(calls.len() > 20, "{what}: the record was not understood: {record}");
    let all: Vec<(&Call, &str)> =
        calls.iter().flat_map(|call| faults.iter().map(move |f| (call, *f))).collect();
    let (mut struck, mut survived, mut elsewhere, mut failed) = (0, 0, BTreeSet::new(), Vec::new());
    let picked = sample(all.len(), &mut dice);
    for n in &picked {
        let (call, fault) = all[*n];
        let case = start();
        let inject = format!("inject={}:{fault}:when={}", call.name, call.nth);
        let (ended, record) = traced(&case, &command(&case), Some(&inject));
        let hit = if fault == "signal=KILL" {
            ended.code == -1
        } else {
            let mut injected = record.lines().filter(|line| line.contains("(INJECTED)"));
            injected.any(|line| line.contains(case.folder.to_str().unwrap()))
        };
        if !hit {
            elsewhere.insert(format!("{inject} {}", call.line));
        }
        struck += usize::from(hit);
        survived += usize::from(ended.code == 0);
        let what = format!("{what}, {inject} at {}", call.line);
        // One that gives way does not hide the others.
        if catch_unwind(AssertUnwindSafe(|| check(&case, &ended, &what))).is_err() {
            failed.push(what);
        }
    }
    eprintln!(
        "{what}: {} calls on the log's folder, {} faults of {} tried, {struck} struck, {survived} survived",
        calls.len(),
        picked.len(),
        all.len()
    );
    assert!(failed.is_empty(), "{what}: {} gave way: {failed:#?}", failed.len());
    assert!(elsewhere.len() * 10 <= picked.len(), "{what}: too many struck elsewhere: {elsewhere:#?}");
}

/// What holds after a writing command failed or not, and that the next one goes on.
fn check_written(case: &Case, ended: &Ended, want: &[Vec<u8>], words: &[&str], what: &str) {
    let mut seen = Seen::default();
    seen.told(case, ended, what);
    case.verifies(what);
    match ended.code {
        0 => assert_eq!(seen.leaves.len(), want.len(), "{what}"),
        -1 | 137 => {}
        _ => {
            told_clearly(ended, what);
            let names = ["private", "public", "guard", "/log", "the log's home"];
            assert!(
                names.iter().any(|name| ended.err.contains(name)),
                "{what}: names no file: {}",
                ended.err
            );
        }
    }
    let again = case.good(words);
    seen.told(case, &again, what);
    assert!(case.leaves() == want, "{what}: other bytes than without a fault");
    assert_eq!(case.left_over(), 0, "{what}: left over");
}

#[test]
fn whatever_system_call_fails_the_command_says_so_and_the_next_one_goes_on() {
    if !can_trace() {
        return;
    }
    let words = ["submit", "ten.statement"];
    let want = {
        let case = Case::new();
        case.good(&words);
        case.leaves()
    };
    each_fault("submit", &FAULTS, &Case::new, &|case| case.writing(&words), &|case, ended, what| {
        check_written(case, ended, &want, &words, what);
    });
}

#[test]
fn whatever_system_call_fails_during_recovery_the_next_command_goes_on() {
    if !can_trace() {
        return;
    }
    let words = ["submit", "ten.statement"];
    let whole = Case::new();
    let (_, record) = traced(&whole, &whole.writing(&words), None);
    let want = whole.leaves();
    // A round that is committed, and of which some objects have their names.
    let calls = calls(&whole, &record);
    let placed =
        calls.iter().filter(|call| call.name.starts_with("link") && call.line.contains("public/tile")).nth(1);
    let placed = placed.expect("tiles are put in place by links");
    let crashed = Case::new();
    let inject = format!("inject={}:signal=KILL:when={}", placed.name, placed.nth);
    traced(&crashed, &crashed.writing(&words), Some(&inject));
    assert!(crashed.left_over() > 0, "it was committed and not applied");
    let start = || Case::copy_of(&crashed.folder);
    each_fault("recovery", &FAULTS, &start, &|case| case.writing(&words), &|case, ended, what| {
        check_written(case, ended, &want, &words, what);
    });
}

#[test]
fn whatever_system_call_fails_for_a_reader_it_accuses_nobody() {
    if !can_trace() {
        return;
    }
    let command = |case: &Case| {
        let mut command = case.binary(Path::new(env!("CARGO_BIN_EXE_servanda")), &["verify"]);
        command.arg(case.path("log")).arg("--trust").arg(OFFICE.path("base/log/trust.toml"));
        command
    };
    each_fault("verify", &["error=EIO", "error=EINTR"], &Case::new, &command, &|case, ended, what| {
        match ended.code {
            0 => {}
            2 => told_clearly(ended, what),
            code => panic!("{what}: exit code {code}: {}{}", ended.out, ended.err),
        }
        case.verifies(what);
    });
}

#[test]
fn whatever_system_call_fails_while_a_log_is_founded_the_same_init_again_ends_it() {
    if !can_trace() {
        return;
    }
    let start = || {
        let case = Case::new();
        for name in ["log", "guard"] {
            let _ = fs::remove_dir_all(case.path(name)).or_else(|_| fs::remove_file(case.path(name)));
        }
        case
    };
    let command = |case: &Case| {
        let mut command = case.binary(Path::new(env!("CARGO_BIN_EXE_servanda")), &["init"]);
        command.arg(case.path("log")).arg("--guard").arg(case.path("guard"));
        command.args(["--key", "keys/op", "--log-key", "keys/log", "--yes"]);
        command
    };
    each_fault("init", &FAULTS, &start, &command, &|case, ended, what| {
        assert!(!ended.err.contains("panicked"), "{what}: {}", ended.err);
        if !matches!(ended.code, 0 | -1) {
            told_clearly(ended, what);
        }
        let trust = case.path("log/trust.toml");
        // The trust file is what comes last.
        if !trust.exists() {
            assert_ne!(ended.code, 0, "{what}");
            let again = super::ended(command(case).output().unwrap());
            assert_eq!(again.code, 0, "{what}: {}", again.err);
        }
        let mut verify = case.binary(Path::new(env!("CARGO_BIN_EXE_servanda")), &["verify"]);
        let verified =
            super::ended(verify.arg(case.path("log")).arg("--trust").arg(&trust).output().unwrap());
        assert_eq!(verified.code, 0, "{what}: {}{}", verified.out, verified.err);
    });
}
