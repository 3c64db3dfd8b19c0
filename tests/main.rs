//! One test binary; each module is a chapter of the specification.

/// Acts, statements and entries as bytes: round trips, mutations, limits.
mod acts;
/// A fixed log, byte for byte, and entries with one defect each: `docs/vectors.json`.
mod golden;
/// `keygen` and `init`, as a person runs them.
mod cli_keys;
/// Files that convince a third party that the operator did wrong, and what convinces nobody.
mod evidence;
/// `import`: many statements from a table, in few rounds.
mod import;
/// The Kiel Institute's Ukraine Support Tracker, recorded as `examples/kiel` says.
mod kiel;
/// OpenSSH key files, ours and those of `ssh-keygen`.
mod key_files;
mod support;
/// Other people's known answers, good and bad, with their source.
mod vectors;
/// The house's own rules.
mod tidy;
