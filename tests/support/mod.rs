//! What the chapters share: where other people's vectors lie, and what to do where they do not.

pub mod arbitrary;
pub mod office;
pub mod small_log;
pub mod stored;
pub mod check_log;
pub mod forge;

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
