//! One test binary; each module is a chapter of the specification.

/// Acts, statements and entries as bytes: round trips, mutations, limits.
mod acts;
/// Every act at the command line and in import files, and what refusals say.
mod cli_acts;
/// Acts run bare on a terminal: what is open is listed, chosen and signed.
mod cli_prompts;
/// `verify`, `prove` and `check`, as a user types them.
mod cli_verify;
/// `status`, `brief`, `agenda`, `incidents`, `what-if`, `roster`: answers from the ledger, past and future.
mod answers;
/// A fixed log, byte for byte, and entries with one defect each: `docs/vectors.json`.
mod golden;
/// Provisions of real agreements, typed as pledges, and what follows from them: no loss, no pretence.
mod agreements;
/// `history`: everything about one pledge, from its first terms to its verdicts.
mod cli_history;
/// `review-pack`: the page is well-formed, loads nothing, shows nobody's markup, and its proofs hold.
mod cli_pack;
/// `keygen` and `init`, as a person runs them.
mod cli_keys;
/// The demo: what it leaves behind, and the example against the texts that it was taken from.
mod demo;
/// Files that convince a third party that the operator did wrong, and what convinces nobody.
mod evidence;
/// `import`: many statements from a table, in few rounds.
mod import;
/// Other people's programs over our logs: Go's sumdb, Tessera's fsck, OpenSSL.
mod interop;
/// The Kiel Institute's Ukraine Support Tracker, recorded as `examples/kiel` says.
mod kiel;
/// The tracker's next release against the log, `import --amend`: every revision is signed.
mod kiel_release;
/// A new release of a table against the log, by small tables; wrong releases, and imports that are cut short.
mod new_release;
/// Motions at the command line, and the operator's hand-over.
mod cli_motions;
/// Reading a log at the command line: `log`, `show`, `export`, `open`.
mod cli_read;
/// Attacks by partners, operators and thieves: what each is refused for, and what is found where it was let in.
mod attacks;
/// Every storage call fails once, writers stall and race: what was acknowledged is there, nothing half is served.
mod crash;
/// Hostile bytes and sizes: nothing panics or goes on for ever, what is accepted is in its one form, limits hold throughout.
mod hostile;
/// The binary on a real file system: killed, failed by the system, out of room, restored, several at once.
mod machine;
/// Logs over the network: the real server, and commands that read from it.
#[cfg(feature = "net")]
mod net;
/// A dishonest operator as a real server: who notices, after which look, with which evidence.
#[cfg(feature = "net")]
mod dishonest;
/// Monitors and mirrors: what they tell, what they keep, what a crash leaves.
mod monitor;
/// OpenSSH key files, ours and those of `ssh-keygen`.
mod key_files;
/// Users' stories and the README, typed and answered.
mod stories;
/// Cloudflare's crates for notes and tiles: they read ours, ours reads theirs.
mod peers;
mod support;
/// A log's objects changed byte by byte, and histories rewritten by its own operator: what is found, and by whom.
mod tamper;
/// Other people's known answers, good and bad, with their source.
mod vectors;
/// The house's own rules.
mod tidy;
