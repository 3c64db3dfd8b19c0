//! What observers counted before anything is made up: real figures of `examples/ukraine/observations.toml`, moved in time.
//!
//! Each daily report gives a figure for each region, and restates that of the day before. Here each is an observation:
//! it names no kind of incident, so that nothing is established, and nobody is called upon. What restates a figure
//! supersedes the report that gave it first. All dates are moved by one number of days, which every text and every figure
//! names beside the true date; so what lay a day apart still does.

use super::Stage;
use anyhow::Context as _;
use serde::Deserialize;
use servanda::codec::List;
use servanda::field::{Day, Duration, Instant, Long, Short};
use servanda::hash::Hash;
use servanda::statement::Act;
use servanda::statement::body::{Figure, Report, When};
use std::collections::BTreeMap;

const OBSERVATIONS: &str = include_str!("../../../../examples/ukraine/observations.toml");

/// Who signs them here.
const OBSERVER: &str = "mission";

/// What is counted.
const VIOLATIONS: &str = "ceasefire violations";

/// What was observed.
#[derive(Clone, Debug)]
pub struct Observed {
    /// By how many days all dates are moved.
    pub moved_days: i64,
    /// The reports that the figures come from, in their order.
    pub daily: Vec<Daily>,
    /// How many observations are in the log, and how many of them restate an earlier one.
    pub reports: usize,
    pub restated: usize,
    /// How many of those restate it otherwise than it was.
    pub changed: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Observations {
    daily: Vec<Daily>,
}

/// A daily report.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daily {
    /// Its number.
    pub report: String,
    /// The day on which it was issued.
    pub issued: Day,
    /// The day up to whose evening it counts.
    pub evening: Day,
    /// Where it can be read.
    pub document: String,
    /// What it counts in each region.
    pub regions: Vec<Region>,
}

/// What a daily report counts in one region.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Which.
    pub name: String,
    /// Ceasefire violations.
    pub violations: u64,
    /// How many of them were explosions.
    pub explosions: u64,
    /// The violations of the period before, as this report restates them.
    pub before: u64,
}

/// Lets the observer report them, so that the last report is issued on a day.
pub fn play(stage: &mut Stage<'_>, last_issued: Day) -> anyhow::Result<Observed> {
    let all: Observations = toml::from_str(OBSERVATIONS).context("observations.toml of the example")?;
    let daily = all.daily;
    let last = daily.last().context("observations.toml of the example holds reports")?;
    let moved = Moved { days: last_issued.days() - last.issued.days() };
    let start = stage.now;
    let mut observed =
        Observed { moved_days: moved.days, daily: daily.clone(), reports: 0, restated: 0, changed: 0 };
    let mut first: BTreeMap<&str, (Hash, &Daily, &Region)> = BTreeMap::new();
    for report in &daily {
        stage.now = at(start, moved.day(report.issued)?)?;
        for region in &report.regions {
            if let Some((id, earlier, was)) = first.get(region.name.as_str()) {
                stage.duty(OBSERVER, &Act::Report(restated(moved, report, region, earlier, was, *id)?))?;
                observed.restated += 1;
                observed.changed += usize::from(was.violations != region.before);
            }
            let id = stage.duty(OBSERVER, &Act::Report(counted(moved, report, region)?))?;
            first.insert(&region.name, (id, report, region));
        }
        observed.reports += report.regions.len();
        stage.close()?;
    }
    observed.reports += observed.restated;
    Ok(observed)
}

/// The moment of a later day at the same hour.
fn at(start: Instant, day: Day) -> anyhow::Result<Instant> {
    let days = u64::try_from(day.days() - start.day().days()).context("the log begins before the reports")?;
    Ok(start.plus(Duration::of_days(days)))
}

/// By how many days all dates are moved.
#[derive(Clone, Copy)]
struct Moved {
    days: i64,
}

impl Moved {
    fn day(self, day: Day) -> anyhow::Result<Day> {
        Ok(Day::from_days(day.days() + self.days)?)
    }

    /// The true date, and the one shown.
    fn told(self, evening: Day) -> anyhow::Result<String> {
        let shown = self.day(evening)?;
        Ok(format!(
            "observed up to the evening of {evening}, shown here, moved by {} days, as {shown}",
            self.days
        ))
    }

    fn figure(self, measure: &str, region: &Region, evening: Day, value: u64) -> anyhow::Result<Figure> {
        Ok(Figure {
            measure: Short::new(measure)?,
            region: Short::new(region.name.clone())?,
            period: Short::new(format!("evening of {evening}, moved here by {} days", self.days))?,
            value: value.to_string().parse()?,
        })
    }
}

/// A figure as it was first given.
fn counted(moved: Moved, daily: &Daily, region: &Region) -> anyhow::Result<Report> {
    let figures = vec![
        moved.figure(VIOLATIONS, region, daily.evening, region.violations)?,
        moved.figure("explosions among them", region, daily.evening, region.explosions)?,
    ];
    let text = format!(
        "{} region: {} {VIOLATIONS}, {} of them explosions, {}. {}",
        region.name,
        region.violations,
        region.explosions,
        moved.told(daily.evening)?,
        source(daily),
    );
    observation(moved, region, daily.evening, figures, text, None)
}

/// A figure as the next report restates it.
fn restated(
    moved: Moved,
    daily: &Daily,
    region: &Region,
    earlier: &Daily,
    was: &Region,
    id: Hash,
) -> anyhow::Result<Report> {
    let figures = vec![
        moved.figure(VIOLATIONS, region, earlier.evening, region.before)?,
        moved.figure("explosions among them, as first given", region, earlier.evening, was.explosions)?,
    ];
    let how = if was.violations == region.before {
        format!("as in {}", earlier.report)
    } else {
        format!("instead of {} in {}", was.violations, earlier.report)
    };
    let text = format!(
        "{} region, restated: {} {VIOLATIONS}, {how}, {}. {}",
        region.name,
        region.before,
        moved.told(earlier.evening)?,
        source(daily),
    );
    observation(moved, region, earlier.evening, figures, text, Some(id))
}

/// Which document it is from, and what is made up.
fn source(daily: &Daily) -> String {
    format!(
        "The figures are real: OSCE Special Monitoring Mission to Ukraine, daily report {} of {}, {}. Made up: the date \
         shown, and the mission that signs this.",
        daily.report, daily.issued, daily.document,
    )
}

fn observation(
    moved: Moved,
    region: &Region,
    evening: Day,
    figures: Vec<Figure>,
    text: String,
    supersedes: Option<Hash>,
) -> anyhow::Result<Report> {
    let day = When::Day(moved.day(evening)?);
    Ok(Report {
        kinds: List::default(),
        actor: None,
        against: List::default(),
        place: Short::new(format!("{} region", region.name))?,
        from: day,
        to: day,
        figures: figures.into(),
        text: Long::new(text)?,
        annexes: List::default(),
        joins: None,
        supersedes,
        exercise: false,
    })
}
