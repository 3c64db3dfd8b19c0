//! Attacks on a log that verifies by itself: rolled back, shown in two versions, its last statement replaced. They fail on
//! what somebody kept: a checkpoint, a proof, a promise, or the head that a partner saw and signed.

use super::signed::say;
use super::{Attack, SEEN, Scene, decoded};
use crate::cli::demo::examine;
use crate::cli::demo::forge::Forgery;
use crate::cli::demo::founding::KEPT;
use crate::cli::demo::play::BENEFICIARY;
use crate::cli::words::count;
use anyhow::Context as _;
use servanda::armor::File;
use servanda::evidence::{Accused, fork};
use servanda::field::{Class, Long, Short};
use servanda::promise::Promise;
use servanda::statement::Act;
use servanda::statement::body::{Notice, NoticeKind, Report, When};
use servanda::verify::{Found, Trouble};
use std::fs;

/// The file of the promise, among what is kept.
const PROMISE: &str = "last.promise";

/// Shows an old checkpoint, and no more than it commits to.
pub fn rolled_back(scene: &Scene<'_>) -> anyhow::Result<Attack> {
    let rounds = &scene.honest.played.rounds;
    let (size, note) = &rounds[scene.honest.played.days / 2 + 1];
    let forgery = scene.up_to(*size)?;
    let folder = scene.publish("3-rolled-back", &forgery)?;
    let genuine = forgery.checkpoint()? == *note;
    let alone = scene.verify(&folder, None)?;
    let verdict = scene.verify(&folder, Some(&scene.kept))?;
    let hidden = scene.honest.played.pledges.iter().filter(|p| p.index >= *size).count();
    Ok(Attack {
        name: "rolled-back",
        title: "It rolls the log back",
        did: format!(
            "the checkpoint of {} again, and {} are gone",
            count(size, "entry", "entries"),
            count(hidden, "pledge", "pledges")
        ),
        rebuilt: "nothing: this was the log's checkpoint once, and by itself it verifies".to_owned(),
        is_caught: genuine && alone.is_clean() && !verdict.is_clean(),
        caught: objects(&verdict.findings, "whoever kept a later checkpoint is told"),
        files: vec!["3-rolled-back".to_owned()],
    })
}

/// What verification says of the checkpoint.
fn objects(findings: &[Found], who: &str) -> Vec<String> {
    let objects = findings.iter().filter_map(|found| match found {
        Found::Object(finding) => Some(match &finding.trouble {
            Trouble::Rewritten { held, .. } => {
                let held = count(held, "entry", "entries");
                format!("{who}: it contradicts that of {held}, with another root")
            }
            trouble => format!("{who}: it {trouble}"),
        }),
        Found::Entry(_) => None,
    });
    objects.collect()
}

/// Shows Albania a log with its pledge, and Ukraine one without it.
pub fn forked(scene: &Scene<'_>) -> anyhow::Result<Attack> {
    let pledge = scene.honest.played.pledges.last().context("there are pledges")?;
    let (at, name) = (pledge.index, scene.name(&pledge.author)?);
    // In its round stand this pledge and then Ukraine's acceptance of the ones before: neither has seen the other.
    let (pledged, accepted) = (&scene.from(at)?[..1], &scene.from(at + 1)?[..1]);
    let (mut one, mut other) = (scene.up_to(at)?, scene.up_to(at)?);
    one.sequence_again(pledged)?;
    other.sequence_again(accepted)?;
    let folders = [scene.publish("4-forked/albania", &one)?, scene.publish("4-forked/ukraine", &other)?];
    let (a, b) = (scene.verify(&folders[0], None)?, scene.verify(&folders[1], None)?);
    let statement_0 = decoded(&scene.entries[0])?.entry.statement;
    let evidence = fork::of_checkpoints(&statement_0, &a.checkpoint, &b.checkpoint, None)?;
    let proven = scene.convince("4-forked.evidence", Some(evidence))?;

    let mended = mended(scene, one, other, accepted, pledge.id)?;
    let mended = scene.publish("4-forked/mended", &mended)?;
    let verdict = scene.verify(&mended, None)?;
    let told = verdict.entries().next().map(ToString::to_string).unwrap_or_default();
    Ok(Attack {
        name: "forked",
        title: "It shows two histories to two readers",
        did: format!("{name} sees its pledge as entry {at}; Ukraine sees a log of the same size without it"),
        rebuilt: "two logs, two checkpoints of its own; each by itself verifies".to_owned(),
        is_caught: a.is_clean() && b.is_clean() && verdict.count(SEEN, 0).0 > 0,
        caught: vec![
            format!("once the two compare checkpoints: {proven}"),
            format!("nor can the two be joined again, for what Ukraine signs tells what it saw: {told}"),
        ],
        files: ["4-forked/albania", "4-forked/ukraine", "4-forked/mended", "4-forked.evidence"]
            .map(str::to_owned)
            .to_vec(),
    })
}

/// The first history, going on as if there had been no other, with what Ukraine signed on the second.
fn mended(
    scene: &Scene<'_>,
    mut one: Forgery,
    mut other: Forgery,
    accepted: &[Vec<u8>],
    pledge: servanda::hash::Hash,
) -> anyhow::Result<Forgery> {
    let notice = Act::Notice(Notice {
        statement: pledge,
        notice: NoticeKind::Clarification,
        effective_at: None,
        text: Long::new("We are told of a pledge that the log does not show us.")?,
        annexes: Vec::new().into(),
    });
    say(scene, &mut other, scene.cast.member(BENEFICIARY)?, Class::Commit, &notice)?;
    one.sequence_again(accepted)?;
    one.sequence_again(other.last())?;
    Ok(one)
}

/// Replaces the last statement, on which nobody has built yet.
pub fn last_dropped(scene: &Scene<'_>) -> anyhow::Result<Attack> {
    let at = scene.size() - 1;
    let last = decoded(&scene.from(at)?[0])?;
    let officer = scene.cast.operator.set.officers.iter().position(|o| o.classes.has(Class::OperateLog));
    let officer = officer.context("the operator can promise")?;
    let key = [(u8::try_from(officer)?, &scene.cast.operator.keys[officer])];
    let promise = Promise::sign(scene.honest.log, at, scene.entries[usize::try_from(at)?].clone(), &key);
    fs::write(scene.dir.join(KEPT).join(PROMISE), File::Promise.write(&promise)?)?;

    let mut forgery = scene.up_to(at)?;
    let report = Act::Report(observation(scene)?);
    say(scene, &mut forgery, scene.cast.member("kiel")?, Class::Observe, &report)?;
    let folder = scene.publish("6-last-dropped", &forgery)?;
    let alone = scene.verify(&folder, None)?;
    let verdict = scene.verify(&folder, Some(&scene.kept))?;
    let log = examine::open(&folder, Some(&scene.honest.trust))?;
    let evidence = Accused::new(&log.checkpoint, log.client()?)?.broken_promise(&promise)?;
    let proven = scene.convince("6-last-dropped.evidence", evidence)?;
    let mut caught = objects(&verdict.findings, "whoever kept a checkpoint is told");
    let author = scene.name(&last.statement.author)?;
    caught.push(format!("{author} kept the operator's promise: {proven}"));
    Ok(Attack {
        name: "last-dropped",
        title: "It drops the last statement, on which nobody has built yet",
        did: format!("the last confirmation of {author} is gone, and an observer's report in its place"),
        rebuilt: "a checkpoint: the report is genuine, no chain has a gap, and by itself it verifies"
            .to_owned(),
        is_caught: alone.is_clean() && !verdict.is_clean(),
        caught,
        files: vec![
            "6-last-dropped".to_owned(),
            "6-last-dropped.evidence".to_owned(),
            format!("../{KEPT}/{PROMISE}"),
        ],
    })
}

fn observation(scene: &Scene<'_>) -> anyhow::Result<Report> {
    let day = When::Day(scene.now.day());
    Ok(Report {
        kinds: Vec::new().into(),
        actor: None,
        against: Vec::new().into(),
        place: Short::new("")?,
        from: day,
        to: day,
        figures: Vec::new().into(),
        text: Long::new("Nothing to report. This is an example.")?,
        annexes: Vec::new().into(),
        joins: None,
        supersedes: None,
        exercise: false,
    })
}
