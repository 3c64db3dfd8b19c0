//! One test binary; each module is a chapter of the specification.

/// Acts, statements and entries as bytes: round trips, mutations, limits.
mod acts;
/// `keygen` and `init`, as a person runs them.
mod cli_keys;
/// Reading a log at the command line: `log`, `show`, `export`, `open`.
mod cli_read;
/// OpenSSH key files, ours and those of `ssh-keygen`.
mod key_files;
mod support;
/// Other people's known answers, good and bad, with their source.
mod vectors;
/// The house's own rules.
mod tidy;
