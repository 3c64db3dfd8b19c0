//! Following the log: what is new is verified whole, from where it was; findings become alerts, entries become news.
//!
//! The first source that gives all of it is believed; one that does not is told, and the next one asked.

use super::anchors::{Gap, Gaps};
use super::held::Held;
use super::sources::{self, Opened};
use super::{Alert, CHECKPOINT_EVERY_MS, Class, Kind, Look, Seen, told};
use crate::chain::{Effect, Finding};
use crate::checkpoint::VerifiedCheckpoint;
use crate::client::{Client, ReadError, Tiles};
use crate::entry::SignedEntry;
use crate::evidence::Accused;
use crate::field::Instant;
use crate::history::{Anchored, History};
use crate::ledger::answers::{News, news};
use crate::ledger::{Ledger, Said};
use crate::merkle::builder::TileBuilder;
use crate::merkle::prove::StoredTree;
use crate::merkle::tile::TILE_WIDTH;
use crate::store::Read;
use crate::text::count;
use crate::verify::{Audit, Found, ObjectFinding, Options, Report, Trouble, reading_ahead};
use std::collections::BTreeSet;
use std::mem;

/// How many findings about entries are told one by one in a round.
pub const FINDINGS_MAX: usize = 1000;

/// What an audit said.
#[derive(Default)]
struct Findings {
    object: Option<ObjectFinding>,
    objects: u64,
    entries: Vec<Finding>,
    /// Beyond those that are told one by one.
    more: u64,
    /// Entries whose acts do nothing.
    idle: BTreeSet<u64>,
}

impl Findings {
    fn take(&mut self, found: Found) {
        match found {
            Found::Object(finding) => {
                self.objects += 1;
                self.object.get_or_insert(finding);
            }
            Found::Entry(finding) => {
                if matches!(finding.reason.effect(), Effect::Unauthentic | Effect::Void) {
                    self.idle.insert(finding.index);
                }
                match self.entries.len() < FINDINGS_MAX {
                    true => self.entries.push(finding),
                    false => self.more += 1,
                }
            }
        }
    }
}

/// What was verified under a source's checkpoint.
struct Verified {
    history: History,
    builder: TileBuilder,
    news: Vec<News>,
    gaps: Vec<Gap>,
}

/// Follows the largest source that gives all it commits to; gives the one that may be read under its checkpoint.
pub(super) fn follow<'o, 'r>(
    look: &mut Look<'_>,
    agreeing: &[&'o Opened<'r>],
    progress: &dyn Fn(u64),
) -> Option<&'o Opened<'r>> {
    for source in agreeing {
        let (size, here) = (source.checkpoint.size(), look.builder.size());
        let head = look.out.kept.head.as_ref().map_or(0, |head| head.size);
        if size <= here || size < head {
            return (here >= size).then_some(*source);
        }
        let mut findings = Findings::default();
        match verify(look, source, &mut findings, progress) {
            Ok(Some(verified)) => {
                tell(look, source, findings);
                take(look, source, verified);
                return Some(*source);
            }
            Ok(None) => {}
            Err(error) => look.trouble(source.name(), &error),
        }
    }
    None
}

/// Verifies what is new; none, and told, where a source does not give what its checkpoint commits to, or it was not the
/// operator in force who signed it.
fn verify(
    look: &mut Look<'_>,
    source: &Opened<'_>,
    findings: &mut Findings,
    progress: &dyn Fn(u64),
) -> Result<Option<Verified>, ReadError> {
    let (size, root) = (source.checkpoint.size(), source.checkpoint.root());
    let held = Held::new(&source.reading.store);
    let is_at_hand = held.has_few(&look.builder, &source.checkpoint);
    let store: &dyn Read = if is_at_hand { &held } else { &source.reading.store };
    let before = Before::of(look);
    // As long as the log is what it takes to copy the history. So it is copied only where much is new, or something may
    // come out that is not to be taken; should anything else, everything is verified anew.
    let (history, builder) = match is_at_hand {
        true => (mem::take(&mut look.history), mem::take(&mut look.builder)),
        false => (look.history.clone(), look.builder.clone()),
    };
    let mut take = |found: Found| findings.take(found);
    let audit = Audit::resume(store, Options::default(), history, builder, &mut take);
    let report = audit.run(size, progress)?;
    let whole = report.root == root && report.history.head().size == size;
    if findings.object.is_some() || !whole {
        let more = count(findings.objects, "object", "objects");
        let what = match &findings.object {
            Some(finding) => format!("{finding} ({more})"),
            None => Trouble::Root { got: report.root, want: root }.to_string(),
        };
        look.tampering(source.name(), &what);
    }
    if !whole || !is_ours(look, source, &report) {
        look.out.unchecked = true;
        return Ok(None);
    }
    let (news, gaps) = brought(look, store, &before, &source.checkpoint, &report.history, findings)?;
    let builder = StoredTree::open(Tiles(store), size, root)?.builder();
    Ok(Some(Verified { history: report.history, builder, news, gaps }))
}

/// Whether this is the log in question, and its checkpoint signed by the operator in force.
fn is_ours(look: &mut Look<'_>, source: &Opened<'_>, report: &Report) -> bool {
    let (log, signer) = (*look.log(), source.checkpoint.log());
    let why = match report.history.roster() {
        None => Some("entry 0 founds no log".to_owned()),
        Some(roster) if roster.log != log => Some(Trouble::Log { got: roster.log, want: log }.to_string()),
        Some(roster) if roster.unknown.is_none() && roster.vkey != *signer => {
            let (got, want) = (Box::new(signer.clone()), Box::new(roster.vkey.clone()));
            Some(Trouble::Key { got, want }.to_string())
        }
        Some(_) => None,
    };
    match why {
        None => true,
        Some(why) => {
            sources::unaccepted::<()>(look, source.name(), &why);
            false
        }
    }
}

/// What is asked of the history before the new entries.
struct Before {
    size: u64,
    time: Instant,
    anchored: Option<Anchored>,
}

impl Before {
    fn of(look: &Look<'_>) -> Self {
        let (history, size) = (&look.history, look.builder.size());
        Self { size, time: history.times().1, anchored: history.anchored() }
    }
}

/// What entries brought that were not told yet, and the gaps between their anchors; at the beginning, what is open.
fn brought(
    look: &Look<'_>,
    store: &dyn Read,
    before: &Before,
    checkpoint: &VerifiedCheckpoint,
    history: &History,
    findings: &Findings,
) -> Result<(Vec<News>, Vec<Gap>), ReadError> {
    let Some(ledger) = history.ledger() else { return Ok(Default::default()) };
    if look.monitor.kept.head.is_none() {
        return Ok((news::open_calls(ledger, look.now), Vec::new()));
    }
    reading_ahead(store, before.size / u64::from(TILE_WIDTH), checkpoint.size(), |store| {
        let end = history.times().1;
        brought_by_entries(look, store, before, checkpoint, (ledger, end), findings)
    })
}

fn brought_by_entries(
    look: &Look<'_>,
    store: &dyn Read,
    before: &Before,
    checkpoint: &VerifiedCheckpoint,
    (ledger, end): (&Ledger, Instant),
    findings: &Findings,
) -> Result<(Vec<News>, Vec<Gap>), ReadError> {
    let mut client = Client::open(store, checkpoint.size(), checkpoint.root())?;
    let width = u64::from(TILE_WIDTH);
    let (from, kept) = (before.size, &look.monitor.kept);
    let (mut time, mut all) = (before.time, Vec::new());
    let mut gaps = Gaps::after(before.anchored);
    for number in from / width..checkpoint.size().div_ceil(width) {
        for (index, bytes) in (number * width..).zip(client.bundle(number)?) {
            let Some(e) = SignedEntry::decode(&bytes).ok().filter(|_| index >= from) else { continue };
            time = time.max(e.entry.sequenced_at);
            if findings.idle.contains(&index) {
                continue;
            }
            // Where a new operator starts time anew, what was said before counts as said then.
            let at = time.min(end);
            gaps.take(index, &e, at);
            if index < kept.told {
                continue;
            }
            if let Ok(act) = e.act() {
                let said = Said { index, id: e.id, at, by: e.statement.author.clone() };
                all.extend(news::of_entry(ledger, &said, act));
            }
        }
    }
    Ok((all, gaps.found))
}

/// Tells what is wrong with entries, with evidence where entry and roster alone show it.
fn tell(look: &mut Look<'_>, source: &Opened<'_>, findings: Findings) {
    let checkpoint = &source.checkpoint;
    let open = || Client::open(&source.reading.store, checkpoint.size(), checkpoint.root());
    let mut accused = open().and_then(|client| Accused::new(checkpoint, client)).ok();
    for finding in &findings.entries {
        let alert = told::finding(finding, look.now);
        if alert.kind.class() != Class::Misbehaviour {
            look.out.alerts.push(alert);
            continue;
        }
        let again = alert.clone();
        let evidence = || accused.as_mut().map_or(Ok(None), |accused| accused.at(finding.index));
        if look.accuse(alert, evidence).is_err() {
            // It is told all the same.
            look.out.alerts.push(again);
        }
    }
    if findings.more > 0 {
        let (first, more) = (findings.entries.first().map_or(0, |finding| finding.index), findings.more);
        let sentence = format!(
            "from entry {first} on there are {more} more findings than were told: `servanda verify` lists all"
        );
        let subject = format!("from entry {first}");
        look.out.alerts.push(Alert::new(Kind::ManyFindings, subject, sentence, look.now));
    }
}

/// Takes what was verified: the head, the news, and now and then a checkpoint for good.
fn take(look: &mut Look<'_>, source: &Opened<'_>, verified: Verified) {
    let Verified { history, builder, news, gaps } = verified;
    look.gaps = gaps;
    for news in news {
        look.news(news);
    }
    let (kept, checkpoint, now) = (&mut look.out.kept, &source.checkpoint, look.now);
    let seen = Seen::new(checkpoint, kept.head.as_ref(), now);
    let misbehaviour = look.out.alerts.iter().any(|alert| alert.kind.class() == Class::Misbehaviour);
    if misbehaviour || now.ms().saturating_sub(kept.checkpoint_at.ms()) >= CHECKPOINT_EVERY_MS {
        let name = format!("checkpoints/{}-{}", seen.size, seen.root.short());
        look.out.files.push((name, seen.note.clone().into_bytes()));
        kept.checkpoint_at = now;
    }
    kept.told = kept.told.max(seen.size);
    kept.head = Some(seen);
    (look.history, look.builder, look.has_verified) = (history, builder, true);
}
