//! `submit --take-over`: a log goes on under its next operator, whether the old one agrees or not.

use super::keys::LogKeyArgs;
use super::open::{Log, LogArgs, Place};
use super::problem::{Hint as _, Problem};
use super::{Context, Outcome, desk, files, kept, words};
use anyhow::Result;
use servanda::draft::Draft;
use servanda::store::Read as _;
use servanda::store::dir::Dir;
use servanda::store::index::{self, Index};
use servanda::submit::{CHARTER, Operator, Signed, SubmitError};
use servanda::text::count;
use std::fs;
use std::path::Path;

/// The longest charter that is copied, in bytes.
const MAX_CHARTER: u64 = 1 << 20;

/// Makes the home that `--log` names from a copy, with the statements that carry the motion.
///
/// # Errors
/// When the copy cannot be read, the home is there already, or the statements do not replace the operator.
pub fn run(
    context: &Context,
    args: &LogArgs,
    log_key: &LogKeyArgs,
    copy: &Path,
    drafts: &[Draft],
) -> Result<Outcome> {
    let screen = &context.screen;
    let home = args.log.as_deref().ok_or_else(|| {
        Problem::new("no home is named").hint("name the folder that the log is to have here: --log FOLDER")
    })?;
    files::must_be_free(home)?;
    let (key, _) = log_key.load()?;
    let held = args.trust.read(screen)?;
    let log = Log::to_take_over(Place::named(Some(&copy.to_owned()), held.as_ref())?, held)?;
    log.caution(screen);
    let (_, findings) = kept::verified(context, &log)?;
    if findings > 0 {
        screen.note(format!(
            "note: {} against this log come along; `servanda verify` lists them",
            count(findings, "finding", "findings")
        ));
    }
    let charter = log.place.public.get(CHARTER, MAX_CHARTER).ok().flatten();
    let signed: Vec<Signed<'_>> = drafts.iter().map(|d| (&d.statement[..], &d.signatures[..])).collect();

    // Whole or not at all: the folder gets its name last.
    let beside = home.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = || format!("cannot make the log's home at {}", home.display());
    let hint = || "check the folder's permissions, or name another place".to_owned();
    let folder = tempfile::tempdir_in(beside).or_hint(cannot, hint)?;
    let made = folder.path().join("home");
    let store = Dir::create(&made).or_hint(cannot, hint)?;
    let index = Index::open(&made.join(index::FILE)).or_hint(cannot, hint)?;
    let mut client = log.client()?;
    let now = context.clock.now();
    let taken = Operator::take_over(Box::new(store), index, (&mut client, charter), &signed, now, &key);
    let operator = taken.map_err(|error| match error {
        SubmitError::NotCarried => Problem::refused(error.to_string())
            .hint("give the motion for the new operator with all approvals that it takes, in their order")
            .into(),
        error => desk::refusal(error),
    })?;
    let size = (operator.quorum_asked() == 0).then(|| operator.writer().published());
    let origin = operator.roster().vkey.name().to_owned();
    let key_line = operator.roster().vkey.to_string();
    drop(operator);
    fs::rename(&made, home).or_hint(cannot, hint)?;
    screen.json(&serde_json::json!({ "home": home, "size": size, "origin": origin }))?;
    screen.say(match size {
        Some(size) => format!(
            "{} has the log now, published in a checkpoint of {} as {origin}.",
            home.display(),
            words::count(size, "entry", "entries")
        ),
        None => format!(
            "{} has the log now. `servanda serve` publishes it as {origin}, once its witnesses know {} and have cosigned.",
            home.display(),
            key_line
        ),
    });
    screen.say("Next, its operator accedes with the key set that the motion announced: servanda accede.");
    screen.say("Trust files stay as they are: whoever pins the log's id follows it to the new operator.");
    Ok(Outcome::Good)
}
