//! The house's own rules: imports point up, every file says what it is, the two columns do not meet, no secrets.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).expect("a folder").map(|e| e.expect("an entry").path()));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            found.push((name, fs::read_to_string(&path).expect("text")));
        }
    }
    found.sort();
    found
}

/// The modules of the library in their order.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("lib.rs");
    let name = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    lib.lines().filter_map(name).collect()
}

/// The library module that a file belongs to.
fn module_of(file: &str) -> Option<String> {
    let rest = file.strip_prefix("src/")?;
    let first = rest.split('/').next()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!["lib", "main", "cli"].contains(&name)).then(|| name.to_owned())
}

/// What a file outside its tests says of other modules: `crate::name`.
fn uses(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or(text);
    let lines = code.lines().filter(|l| !l.trim_start().starts_with("//"));
    let after = lines.flat_map(|l| l.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>());
    after.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
}

#[test]
fn imports_point_up_in_the_order_of_lib_rs() {
    let order: BTreeMap<String, usize> = modules().into_iter().zip(0..).collect();
    assert!(order.len() > 20, "the module list of lib.rs was not understood");
    for (file, text) in sources("src") {
        let Some(own) = module_of(&file) else { continue };
        let Some(place) = order.get(&own) else { panic!("{file}: module {own} is not declared in lib.rs") };
        for used in uses(&text) {
            if let Some(at) = order.get(&used) {
                assert!(at <= place, "{file} uses {used}, which stands below {own} in lib.rs");
            }
        }
    }
}

#[test]
fn what_partners_say_and_what_the_log_commits_to_know_nothing_of_each_other() {
    let said = ["charter", "statement", "entry", "chain", "roster", "history"];
    // What signed notes say is above both: an anchor is a checkpoint that somebody says.
    let log = ["merkle", "tlog_proof", "store", "client", "log"];
    for (file, text) in sources("src") {
        let Some(own) = module_of(&file) else { continue };
        let used = uses(&text);
        if said.contains(&own.as_str()) {
            assert!(!used.iter().any(|u| log.contains(&u.as_str())), "{file} knows of the log's column");
        }
        if log.contains(&own.as_str()) {
            assert!(!used.iter().any(|u| said.contains(&u.as_str())), "{file} knows of the partners' column");
        }
    }
}

#[test]
fn every_file_says_in_its_first_line_what_it_is() {
    for (file, text) in sources("src").into_iter().chain(sources("tests")).chain(sources("benches")) {
        assert!(text.starts_with("//! "), "{file} has no header");
    }
}

#[test]
fn the_core_reads_no_clock_and_no_environment() {
    for (file, text) in sources("src") {
        // Servers know what time it is, and tests may wait.
        let in_core =
            module_of(&file).is_some_and(|module| module != "server") && !file.ends_with("/tests.rs");
        for hidden in ["SystemTime::now", "Instant::now", "std::env", "env::var", "thread_rng", "async fn"] {
            assert!(!in_core || !text.contains(hidden), "{file} has a hidden input: {hidden}");
        }
    }
}

#[test]
fn no_private_key_lies_in_the_checkout() {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys/example");
    let Ok(folder) = fs::read_dir(keys) else { return };
    let paths: Vec<PathBuf> = folder.map(|e| e.expect("an entry").path()).collect();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap_or_default();
        assert!(!text.contains("PRIVATE KEY"), "{} is a private key", path.display());
    }
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/threat-model.md");
    let model = fs::read_to_string(path).expect("the threat model");
    let is_test = |name: &&str| {
        name.len() > 15 && name.bytes().all(|b| b.is_ascii_lowercase() || b"_0123456789".contains(&b))
    };
    let named: Vec<&str> = model.split('`').skip(1).step_by(2).filter(is_test).collect();
    assert!(named.len() > 50, "the threat model was not understood");
    let sources: String = sources("src").into_iter().chain(sources("tests")).map(|(_, text)| text).collect();
    for name in named {
        assert!(sources.contains(&format!("fn {name}(")), "there is no test {name}");
    }
}
