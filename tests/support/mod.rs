//! What the chapters share: where other people's vectors lie, and what to do where they do not.

pub mod arbitrary;
pub mod office;
pub mod small_log;
pub mod stored;
pub mod check_log;
pub mod coalition;
pub mod forge;

use std::io::Write as _;
use std::path::PathBuf;

/// The folder of shared vectors and data beside the checkout, or none: then the test says that it was skipped, unless
/// the environment has `SERVANDA_VECTORS=required`.
pub fn shared(path: &str) -> Option<PathBuf> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if full.exists() {
        return Some(full);
    }
    assert!(
        std::env::var("SERVANDA_VECTORS").as_deref() != Ok("required"),
        "{} is missing, and SERVANDA_VECTORS=required",
        full.display()
    );
    eprintln!("skipped: {} is not here", full.display());
    None
}

/// Says, past the test runner's silence, that another program is missing and what was skipped for it; fails instead if the
/// environment has `SERVANDA_INTEROP=required`.
pub fn missing(program: &str) {
    let required = std::env::var("SERVANDA_INTEROP").as_deref() == Ok("required");
    assert!(!required, "{program}, and SERVANDA_INTEROP=required");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {program}");
}
