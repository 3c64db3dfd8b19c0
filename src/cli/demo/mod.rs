//! `servanda demo`: a log of what 27 partners pledged to Ukraine, founded, signed and verified before one's eyes; then a
//! dishonest operator, with the operator's own key, and what catches it.
//!
//! The facts come from `examples/ukraine` ([`cast`]). No government signed this log. At a given time (`--now`) the same log
//! comes out each time, byte for byte.

mod cast;
mod dishonest;
mod examine;
mod facts;
mod forge;
mod founding;
mod play;
mod sign;
mod told;

use super::screen::Screen;
use super::words::{count, grouped, listed};
use super::{Context, Outcome};
use anyhow::Context as _;
use cast::Cast;
use dishonest::{ATTACKS, Attack, Scene};
use founding::{Honest, KEPT, KEYS, LOG, TRUST};
use serde_json::json;
use servanda::field::{Day, Handle, Instant, Role};
use servanda::hash::Hash;
use servanda::statement::body::Occasion;
use std::fs;
use std::path::{Path, PathBuf};
use told::Tone;

const AFTER: &str = "\
The demo needs no network and takes seconds. It says what it does and keeps all of it, so that one can go on from there: \
the log, everyone's keys, the forgeries.

EXAMPLE
  servanda demo
  servanda demo ukraine";

/// A minute.
const MINUTE_MS: u64 = 60_000;

/// The pledge of which a proof is made.
const PROVEN: &str = "DEU-M1";

/// What to try next, in the demo's folder, where `trust.toml` and `keys/log` are found by themselves.
const NEXT: [&str; 8] = [
    "servanda verify log",
    "servanda brief ie --log log",
    "servanda history ISL-M1 --log log",
    "servanda incidents --log log",
    "servanda review-pack --since 2024-01-01 --log log --out review.html",
    "servanda check attacks/4-forked.evidence",
    "servanda pledge --log log --key keys/de/0 --key keys/de/1 --to ua --title \"Winter aid\" \\",
    "    --instrument humanitarian --quantity \"up to 5000000 EUR\"",
];

/// Show it all: a log of what 27 partners pledged to Ukraine, and a dishonest operator who is caught
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The folder to make, or an empty one [default: a fresh temporary folder]
    dir: Option<PathBuf>,
}

/// Runs the demo.
pub fn run(context: &Context, args: Args) -> anyhow::Result<Outcome> {
    let dir = match args.dir {
        Some(dir) => dir,
        None => tempfile::Builder::new().prefix("servanda-demo-").tempdir()?.keep(),
    };
    founding::take_folder(&dir)?;
    let screen = &context.screen;
    introduce(screen, &dir);
    // Whole minutes read better, and the log ends by then all the same.
    let now = context.clock.now();
    let now = Instant::from_ms(now.ms() - now.ms() % MINUTE_MS)?;
    let cast = Cast::of_the_example()?;
    let honest = founding::found(&dir, &cast, now)?;
    tell_founding(screen, &cast, &honest);
    tell_signing(screen, &honest);
    tell_observed(screen, &honest)?;
    tell_events(screen, &cast, &honest)?;

    let log = examine::open(&dir.join(LOG), Some(&honest.trust))?;
    let verdict = examine::verify(&dir.join(LOG), Some(&honest.trust), None)?;
    tell_verdict(screen, &verdict);
    let proof = prove(screen, &dir, &log, &honest)?;

    let entries = examine::entries(&log)?;
    let scene = Scene { dir: &dir, cast: &cast, honest: &honest, entries, kept: log.checkpoint, now };
    let attacks = dishonest::all(&scene)?;
    tell_attacks(screen, &attacks);
    tell_next(screen, &dir);
    let missed: Vec<_> = attacks.iter().filter(|a| !a.is_caught).map(|a| a.name).collect();
    let good = verdict.is_clean() && missed.is_empty();
    screen.json(&json!({
        "dir": dir,
        "log": honest.log,
        "entries": scene.kept.size(),
        "partners": cast.partners.len(),
        "pledges": honest.played.pledges.len(),
        "acceptances": honest.played.acceptances,
        "findings": verdict.findings.len(),
        "proof": proof,
        "attacks": attacks.iter().map(|a| json!({
            "name": a.name, "did": a.did, "rebuilt": a.rebuilt, "caught": a.caught, "is_caught": a.is_caught,
            "files": a.files,
        })).collect::<Vec<_>>(),
    }))?;
    Ok(if good { Outcome::Good } else { Outcome::Bad })
}

fn introduce(screen: &Screen, dir: &Path) {
    told::heading(screen, "What 27 partners pledged to Ukraine, as a log that anyone can verify");
    told::paragraph(
        screen,
        "No government signed this log. The pledges are facts from published agreements, in our own words. Nobody named \
         here was asked or took part, and every key is made from a published seed: no signature here proves anything \
         about anyone. What observers counted is real as well, its dates moved; what happens after that is made up.",
    );
    told::row(screen, Tone::Quiet, "folder", &dir.display().to_string());
}

fn tell_founding(screen: &Screen, cast: &Cast, honest: &Honest) {
    told::heading(screen, "1  Founding");
    let of = |role| cast.partners.iter().filter(|m| m.roles.has(role)).count();
    let officers: usize = cast.partners.iter().map(|m| m.keys.len()).sum();
    let text = format!(
        "{}: Ukraine, {} guarantors, {} observers; {}, whose keys are in {KEYS}/",
        count(cast.partners.len(), "partner", "partners"),
        of(Role::Guarantor),
        of(Role::Observer),
        count(officers, "officer", "officers"),
    );
    told::row(screen, Tone::Quiet, "charter", &text);
    told::row(screen, Tone::Quiet, "log id", &honest.log.to_string());
    let text = format!("{TRUST} pins that id, and so who the partners are and with which keys they begin");
    told::row(screen, Tone::Quiet, "trust", &text);
}

fn tell_signing(screen: &Screen, honest: &Honest) {
    let played = &honest.played;
    told::heading(screen, "2  Signing");
    let days = played.days;
    let authors: std::collections::BTreeSet<_> = played.pledges.iter().map(|p| &p.author).collect();
    told::row(screen, Tone::Quiet, "accede", "every partner, with the signatures of all its officers");
    let text = format!(
        "{} by {} partners, in {days} rounds: one for each day on which agreements were signed (30 sums, and 27 clauses on \
         consultations, of which Poland's has two limbs)",
        played.pledges.len(),
        authors.len(),
    );
    told::row(screen, Tone::Quiet, "pledge", &text);
    let text = format!("{} by Ukraine, naming each of the pledges", played.acceptances);
    told::row(screen, Tone::Quiet, "accept", &text);
    screen.say("");
    for line in super::screen::table(&facts::sums(&played.pledges)) {
        screen.say(format!("  {line}"));
    }
    screen.say("");
    for line in facts::conditions(&played.pledges) {
        told::row(screen, Tone::Quiet, "", &line);
    }
}

/// Which figures are real, and by how much their dates are moved.
fn tell_observed(screen: &Screen, honest: &Honest) -> anyhow::Result<()> {
    let observed = honest.played.observed.as_ref().context("something is observed in the demo")?;
    let [first, .., last] = observed.daily.as_slice() else { anyhow::bail!("the example holds reports") };
    told::heading(screen, "3  What observers counted: real figures, moved in time");
    let text = format!(
        "ceasefire violations by day and region, from daily reports {} to {} of the OSCE Special Monitoring Mission to \
         Ukraine; who signs them here is invented",
        first.report, last.report
    );
    told::row(screen, Tone::Quiet, "source", &text);
    let shown = Day::from_days(last.evening.days() + observed.moved_days)?;
    let text = format!(
        "all their dates, by {} days: {} is shown as {shown}",
        grouped(observed.moved_days.unsigned_abs()),
        last.evening
    );
    told::row(screen, Tone::Quiet, "moved", &text);
    let changed = if observed.changed == 0 { "unchanged" } else { "some of them changed" };
    let text = format!(
        "{}; {} of them restate a figure, {changed}, and supersede the report that gave it first",
        count(observed.reports, "observation", "observations"),
        observed.restated
    );
    told::row(screen, Tone::Quiet, "reported", &text);
    let highest = last.regions.iter().map(|region| format!("{} in {}", region.violations, region.name));
    let text = format!("{}, up to the evening of {}", listed(highest, "and"), last.evening);
    told::row(screen, Tone::Quiet, "highest", &text);
    told::row(screen, Tone::Quiet, "follows", "nothing: figures are observations, and establish no attack");
    Ok(())
}

/// What was made up, and what the ledger makes of it.
fn tell_events(screen: &Screen, cast: &Cast, honest: &Honest) -> anyhow::Result<()> {
    let events = honest.played.events.as_ref().context("something happens in the demo")?;
    told::heading(screen, "4  What happened then: made up, all of it");
    told::paragraph(
        screen,
        "No such attack was reported, and nobody consulted, declined or kept silent. Who does what here, the order of the \
         agreements decides.",
    );
    let name = |handle: &Handle| Ok::<_, anyhow::Error>(cast.member(handle.as_str())?.name.to_string());
    let id = |id: &Hash| id.short();
    let text = format!(
        "Ukraine reports an attack ({}); one observer attests it, another disputes who did it",
        id(&events.incident)
    );
    told::row(screen, Tone::Quiet, "incident", &text);
    let text = format!(
        "Ukraine asks for consultations within 24 hours ({}); {} comes late, {} declines, of {} there is no response on \
         record",
        id(&events.invoke),
        name(&events.late)?,
        name(&events.declined)?,
        name(&events.silent)?,
    );
    told::row(screen, Tone::Quiet, "called", &text);
    let verdicts = facts::verdicts(
        &honest.ledger,
        honest.until,
        |owed| matches!(owed.key.occasion, Occasion::Call(call) if call == events.incident),
    );
    told::row(screen, Tone::Quiet, "verdicts", &verdicts);
    if let Some(paid) = &events.paid {
        let verdicts = facts::verdicts(&honest.ledger, honest.until, |owed| owed.key == *paid);
        let text = format!("a yearly sum of Iceland, in two parts, each confirmed by Ukraine: {verdicts}");
        told::row(screen, Tone::Quiet, "paid", &text);
    }
    Ok(())
}

fn tell_verdict(screen: &Screen, verdict: &examine::Verdict) {
    told::heading(screen, "5  Verifying all of it");
    let text = format!(
        "{} entries: signatures, links, each `prev` and `seen`, tiles, root, checkpoint",
        verdict.signatures_checked,
    );
    told::row(screen, Tone::Quiet, "checked", &text);
    let (tone, text) = match verdict.findings.len() {
        0 => (Tone::Good, "no findings".to_owned()),
        n => (Tone::Bad, count(n, "finding", "findings")),
    };
    told::row(screen, tone, "verdict", &text);
    let text =
        "quorum none: there are no witnesses, so that what readers keep must do in their place (see 7)";
    told::row(screen, Tone::Quiet, "note", text);
}

/// Makes a proof and checks it from its files; gives their names.
fn prove(
    screen: &Screen,
    dir: &Path,
    log: &super::open::Log,
    honest: &Honest,
) -> anyhow::Result<serde_json::Value> {
    let pledge = honest.played.pledge(PROVEN);
    let (proof, roster) = examine::prove(log, pledge.index)?;
    let size = log.checkpoint.size();
    let names = [
        format!("{KEPT}/{PROVEN}.tlog-proof"),
        format!("{KEPT}/{size}.roster"),
        format!("{KEPT}/checkpoint"),
    ];
    for (name, text) in names.iter().zip([&proof, &roster, log.checkpoint.as_str()]) {
        fs::write(dir.join(name), text)?;
    }
    let checked = examine::check(&dir.join(&names[0]), &dir.join(&names[1]), &honest.trust)?;
    told::heading(screen, "6  One pledge, proven offline");
    let kilobytes = |text: &str| format!("{}.{} kB", text.len() / 1000, text.len() % 1000 / 100);
    let text = format!(
        "{} ({}) and {} ({}), checked with {TRUST} and without the log",
        names[0],
        kilobytes(&proof),
        names[1],
        kilobytes(&roster),
    );
    told::row(screen, Tone::Quiet, "files", &text);
    let sum = facts::sum(&pledge.terms).context("the pledge states a sum")?;
    let text = format!(
        "{PROVEN}, {sum}: entry {} of {}, signed by {} of {}, by the roster that the operator declared. Whether it is in \
         force, only the whole log tells.",
        pledge.index,
        checked.checkpoint.origin(),
        listed(checked.offices.iter().cloned(), "and"),
        checked.author,
    );
    told::row(screen, Tone::Good, "proven", &text);
    Ok(json!({ "index": pledge.index, "id": checked.entry.id, "files": names }))
}

fn tell_attacks(screen: &Screen, attacks: &[Attack]) {
    told::heading(screen, "7  The operator cheats, with its own key");
    let text = "Each time on a copy, with links, tiles, root, checkpoint and its signature made anew. What it cannot make is \
                a signature of somebody else's, and what it cannot reach is what others keep.";
    told::paragraph(screen, text);
    for attack in attacks {
        screen.say("");
        let folder = attack.files.first().and_then(|name| name.split('/').next()).unwrap_or_default();
        told::attack(screen, attack.title, &format!("{ATTACKS}/{folder}"));
        told::row(screen, Tone::Quiet, "it did", &attack.did);
        told::row(screen, Tone::Quiet, "rebuilt", &attack.rebuilt);
        let (tone, word) = if attack.is_caught { (Tone::Good, "caught") } else { (Tone::Bad, "NOT CAUGHT") };
        for (n, line) in attack.caught.iter().enumerate() {
            told::row(screen, tone, if n == 0 { word } else { "" }, line);
        }
    }
}

fn tell_next(screen: &Screen, dir: &Path) {
    told::heading(screen, "8  Go on from here");
    let dir = dir.display().to_string();
    let plain = dir.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    let dir = if plain { dir } else { format!("'{}'", dir.replace('\'', "'\\''")) };
    screen.say(format!("  cd {dir}"));
    for command in NEXT {
        screen.say(format!("  {command}"));
    }
}
