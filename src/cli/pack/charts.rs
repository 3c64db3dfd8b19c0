//! Drawings as inline SVG: when pledges hold and fall due; partners against calls and dues, by verdict.
//!
//! Positions are whole numbers, computed from milliseconds. Each mark has a letter beside its colour, and the words for
//! both stand below.

use super::super::plain::{cut, plain};
use super::html::{Element, Html, element};
use super::{Pack, anchor, chip, class, letter};
use servanda::field::{Duration, Handle, Instant};
use servanda::hash::Hash;
use servanda::ledger::answers::PledgeRow;
use servanda::ledger::verdict::{Owed, Verdict};
use servanda::statement::body::Occasion;
use std::collections::{BTreeMap, BTreeSet};

/// The width of a drawing, the left edge of its field and the height of a row, in units of the drawing.
const WIDTH: u64 = 1000;
const LEFT: u64 = 300;
const ROW: u64 = 30;

/// What is left free at the right, for ends beyond the edge.
const RIGHT: u64 = 96;

/// How many rows a drawing has at most, so that it fits a page.
const ROWS_MAX: usize = 24;

/// Where a matrix's boxes begin, and its rows.
const MATRIX_LEFT: u64 = 240;
const TOP: u64 = 26;

/// From one box to the next, and how many there are in a cell at most.
const STEP: u64 = 28;
const BOXES_MAX: usize = 26;

/// Side of a verdict's box.
const BOX: u64 = 22;

/// The longest label, in characters.
const LABEL: usize = 44;

/// How far a drawing looks back and ahead, in years.
const BACK: u64 = 3;
const AHEAD: u64 = 10;

const YEAR_MS: u64 = 31_556_952_000;

/// From when until when a timeline goes.
#[derive(Clone, Copy)]
struct Span {
    from: Instant,
    to: Instant,
}

impl Span {
    /// Where a moment lies; at an edge where it lies beyond.
    fn x(self, at: Instant) -> u64 {
        let (from, to) = (self.from.ms(), self.to.ms());
        let at = at.ms().clamp(from, to) - from;
        let field = u128::from(WIDTH - LEFT - RIGHT);
        let x = u128::from(at) * field / u128::from((to - from).max(1));
        LEFT + u64::try_from(x).expect("within the field")
    }

    fn has(self, at: Instant) -> bool {
        (self.from..=self.to).contains(&at)
    }
}

fn at(tag: &'static str, x: u64, y: u64) -> Element {
    element(tag).attr("x", x).attr("y", y)
}

fn vertical(class: &'static str, x: u64, bottom: u64) -> Element {
    element("line").class(class).attr("x1", x).attr("x2", x).attr("y1", 24).attr("y2", bottom)
}

fn svg(height: u64, what: &str) -> Element {
    element("svg")
        .attr("viewBox", format!("0 0 {WIDTH} {height}"))
        .attr("role", "img")
        .attr("aria-label", what)
}

/// A verdict's box with its letter, its middle at a place.
fn mark(owed: &Owed<'_>, x: u64, y: u64, tip: &str) -> Html {
    let half = BOX / 2;
    let square =
        at("rect", x - half, y - half).class("box").attr("width", BOX).attr("height", BOX).attr("rx", 2);
    let letter = at("text", x, y + 4).class("mark").label(letter(owed.verdict));
    let group = element("g").class(class(owed.verdict));
    let group = group.add(element("title").label(tip)).add(square).add(letter);
    element("a").attr("href", format!("#{}", anchor(owed))).add(group).into()
}

/// What the letters mean, of the verdicts that are drawn.
fn legend(owed: &[&Owed<'_>]) -> Html {
    let drawn: BTreeSet<Verdict> = owed.iter().map(|o| o.verdict).collect();
    Html::all(drawn.into_iter().map(|verdict| chip(verdict, "")))
}

impl Pack<'_> {
    fn tip(&self, owed: &Owed<'_>) -> String {
        let deadline = owed.deadline.map_or(String::new(), |at| format!(", by {at}"));
        format!("{}{deadline}: {}; {}", plain(&owed.label()), owed.verdict.words(), owed.why)
    }

    /// Pledges with their validity, dues and calls.
    pub(super) fn timeline(&self) -> Html {
        let mut seen = BTreeSet::new();
        let mut rows: Vec<&PledgeRow> = self.now.pledges.iter().filter(|r| seen.insert(r.id)).collect();
        rows.sort_by_key(|r| (r.by.first().cloned(), r.rests_on.index));
        if rows.is_empty() {
            return element("p").words("There are no pledges.").into();
        }
        let span = self.span(&rows);
        let drawings = rows.chunks(ROWS_MAX).map(|rows| self.chart(rows, span));
        let owed: Vec<&Owed<'_>> = self.owed.iter().filter(|o| !o.is_exercise()).collect();
        let beyond = owed.iter().filter_map(|o| o.deadline).filter(|at| !span.has(*at)).count();
        let note = "Bars: from when until when a pledge holds; filled: in force, dashed: proposed, awaiting, not yet valid or \
                    suspended, pale: over. Boxes: dues and calls, at their deadlines. Dashed line: as of; \
                    dotted: since.";
        let beyond = if beyond == 0 { String::new() } else { format!(" {beyond} beyond the edges.") };
        let caption =
            element("figcaption").add(legend(&owed)).add(element("br")).words(format!("{note}{beyond}"));
        element("figure").adds(drawings).add(caption).into()
    }

    /// From the first validity, but not long before the period, to the last due, but not long after it; ends of validity
    /// beyond that are told in words.
    fn span(&self, rows: &[&PledgeRow]) -> Span {
        let (since, now) = (self.since.at, self.when.at);
        let earliest = Instant::from_ms(since.ms().saturating_sub(BACK * YEAR_MS)).unwrap_or_default();
        let latest = now.plus(Duration::new(AHEAD * 12, 0, 0).unwrap_or_default());
        let (mut from, mut to) = (now, now);
        for gist in rows.iter().filter_map(|r| self.gist(r)) {
            from = from.min(gist.valid_from.max(earliest));
            to = gist.dues.iter().map(|due| due.by).filter(|by| *by <= latest).fold(to, Instant::max);
        }
        // A period that begins long before the first pledge is not drawn whole.
        if since.plus_ms(YEAR_MS) > from {
            from = from.min(since);
        }
        let pad = (to.ms() - from.ms()) / 25 + 86_400_000;
        let from = Instant::from_ms(from.ms().saturating_sub(pad)).unwrap_or_default();
        Span { from, to: to.plus_ms(pad) }
    }

    fn gist(&self, row: &PledgeRow) -> Option<&servanda::ledger::Gist> {
        self.folded.ledger().pledge_of(&row.id).and_then(|p| p.version(row.version).gist())
    }

    fn chart(&self, rows: &[&PledgeRow], span: Span) -> Html {
        let bottom = 34 + ROW * u64::try_from(rows.len()).expect("few rows");
        let mut drawing = svg(bottom + 8, "Pledges by time").adds(axis(span, bottom));
        let since = span.has(self.since.at).then(|| vertical("since", span.x(self.since.at), bottom));
        drawing = drawing.adds(since);
        drawing = drawing.add(vertical("now", span.x(self.when.at), bottom));
        for (row, n) in rows.iter().zip(0..) {
            drawing = drawing.add(self.bar(row, span, 34 + ROW * n + ROW / 2));
        }
        drawing.into()
    }

    fn bar(&self, row: &PledgeRow, span: Span, y: u64) -> Html {
        let who = super::super::words::listed(row.by.iter().map(Handle::to_string), "and");
        let title = row.title.as_ref().map_or("sealed terms".to_owned(), |t| plain(t));
        let name = row.reference.as_ref().map_or(title.clone(), |r| format!("{} · {title}", plain(r)));
        let label = at("text", LEFT - 12, y + 4).class("right").label(cut(&format!("{who}: {name}"), LABEL));
        let mut group = element("g").add(label);
        if let Some(gist) = self.gist(row) {
            let state = if row.state == "in force" {
                "bar"
            } else if row.is_over {
                "bar over"
            } else {
                "bar waits"
            };
            let end = row.ends_at.into_iter().chain(gist.valid_until).min();
            let (left, right) = (span.x(gist.valid_from), span.x(end.unwrap_or(span.to)));
            let bar =
                at("rect", left, y - 6).attr("class", state).attr("width", (right - left.min(right)).max(2));
            let tip = format!("{title}: {}", plain(&row.stands));
            group = group.add(element("g").add(element("title").label(tip)).add(bar.attr("height", 12)));
            let beyond = match end {
                None => Some("→ no end".to_owned()),
                Some(end) => (end > span.to).then(|| format!("→ {}", end.day())),
            };
            let beyond = beyond.map(|words| at("text", WIDTH - RIGHT + 6, y + 4).class("soft").label(words));
            group = group.adds(beyond);
        }
        let owed = self.owed.iter().filter(|o| o.key.pledge == row.id && !o.is_exercise());
        for owed in owed {
            let when = owed.deadline.or_else(|| owed.obligation.map(|o| o.arose.at));
            if let Some(when) = when.filter(|when| span.has(*when)) {
                group = group.add(mark(owed, span.x(when), y, &self.tip(owed)));
            }
        }
        group.into()
    }

    /// Partners against calls, and against their dues in the order of time.
    pub(super) fn matrix(&self) -> Html {
        let owed: Vec<&Owed<'_>> = self.owed.iter().filter(|o| !o.is_exercise()).collect();
        if owed.is_empty() {
            return Html::none();
        }
        let mut calls: Vec<(u64, Hash)> = Vec::new();
        for o in &owed {
            if let (Occasion::Call(id), Some(obligation)) = (&o.key.occasion, o.obligation)
                && !calls.iter().any(|(_, known)| known == id)
            {
                calls.push((obligation.arose.index, *id));
            }
        }
        calls.sort_unstable();
        let column = |name: String, of: &dyn Fn(&Owed<'_>) -> bool| {
            let mut column = Column { name, cells: BTreeMap::new() };
            for o in owed.iter().filter(|o| of(o)) {
                let by = o.by().into_iter().filter(|by| self.partner.as_ref().is_none_or(|p| p == *by));
                by.for_each(|by| column.cells.entry(by.clone()).or_default().push(o));
            }
            column.cells.values_mut().for_each(|cell| cell.sort_by_key(|o| o.deadline));
            column
        };
        let called = |id: Hash| move |o: &Owed<'_>| o.key.occasion == Occasion::Call(id);
        let name = |id: &Hash| format!("call {}", id.short().get(..6).unwrap_or(""));
        let mut columns: Vec<Column<'_>> =
            calls.iter().map(|(_, id)| column(name(id), &called(*id))).collect();
        columns.push(column("dues".to_owned(), &|o| matches!(o.key.occasion, Occasion::Due(_))));
        let partners: BTreeSet<Handle> = columns.iter().flat_map(|c| c.cells.keys().cloned()).collect();
        let partners: Vec<Handle> = partners.into_iter().collect();
        let mut drawings = Vec::new();
        for block in blocks(columns) {
            drawings.extend(partners.chunks(ROWS_MAX).map(|partners| self.grid(partners, &block)));
        }
        let note = "A row a partner; under each call what it owes because of it, then its dues in the order of time. Boxes lead \
                    to the table below.";
        let caption = element("figcaption").add(legend(&owed)).add(element("br")).words(note);
        element("figure").adds(drawings).add(caption).into()
    }

    fn grid(&self, partners: &[Handle], columns: &[Column<'_>]) -> Html {
        let bottom = TOP + ROW * u64::try_from(partners.len()).expect("few rows");
        let mut drawing = svg(bottom + 6, "Obligations by partner and verdict");
        for (partner, n) in partners.iter().zip(0u64..) {
            let y = TOP + ROW * n;
            if n % 2 == 0 {
                drawing = drawing.add(at("rect", 0, y).class("row").attr("width", WIDTH).attr("height", ROW));
            }
            let name = cut(&self.who(partner), 34);
            drawing = drawing.add(at("text", 8, y + 19).label(name));
        }
        let mut x = MATRIX_LEFT;
        for column in columns {
            drawing = drawing.add(at("text", x, TOP - 9).class("soft").label(&column.name));
            for (partner, n) in partners.iter().zip(0u64..) {
                let cell = column.cells.get(partner).into_iter().flatten();
                for (owed, k) in cell.zip(0u64..) {
                    let (x, y) = (x + k * STEP + BOX / 2, TOP + ROW * n + ROW / 2);
                    drawing = drawing.add(mark(owed, x, y, &self.tip(owed)));
                }
            }
            x += column.width() + STEP;
        }
        let edge = element("line").class("axis").attr("x1", 0).attr("x2", WIDTH);
        drawing.add(edge.attr("y1", TOP - 1).attr("y2", TOP - 1)).into()
    }
}

/// What is owed because of one call, or the dues, by partner.
struct Column<'o> {
    name: String,
    cells: BTreeMap<Handle, Vec<&'o Owed<'o>>>,
}

impl Column<'_> {
    /// As many boxes as the fullest cell has, and room for the name.
    fn width(&self) -> u64 {
        let most = self.cells.values().map(Vec::len).max().unwrap_or(0);
        let name = u64::try_from(self.name.chars().count()).expect("short") * 7;
        (u64::try_from(most).expect("at most a row") * STEP).max(name)
    }
}

/// Columns that fit beside each other; one that does not fit by itself goes on in the next block.
fn blocks(columns: Vec<Column<'_>>) -> Vec<Vec<Column<'_>>> {
    let mut blocks: Vec<Vec<Column<'_>>> = Vec::new();
    let mut left = 0;
    for column in columns.into_iter().flat_map(split).filter(|c| !c.cells.is_empty()) {
        let width = column.width() + STEP;
        match blocks.last_mut() {
            Some(block) if width <= left => {
                left -= width;
                block.push(column);
            }
            _ => {
                left = (WIDTH - MATRIX_LEFT).saturating_sub(width);
                blocks.push(vec![column]);
            }
        }
    }
    blocks
}

fn split(mut column: Column<'_>) -> Vec<Column<'_>> {
    let mut parts = Vec::new();
    while !column.cells.is_empty() {
        let mut rest = BTreeMap::new();
        for (partner, cell) in &mut column.cells {
            let further = cell.split_off(cell.len().min(BOXES_MAX));
            if !further.is_empty() {
                rest.insert(partner.clone(), further);
            }
        }
        let name = format!("{}, further", column.name.trim_end_matches(", further"));
        parts.push(std::mem::replace(&mut column, Column { name, cells: rest }));
    }
    parts
}

/// Years or months below which the rows stand.
fn axis(span: Span, bottom: u64) -> Vec<Html> {
    let days = (span.to.ms() - span.from.ms()) / 86_400_000;
    let months = match days {
        0..=250 => 1,
        251..=700 => 3,
        701..=1500 => 6,
        1501..=4500 => 12,
        _ => 60,
    };
    let mut parts = Vec::new();
    let first: String = span.from.day().to_string().chars().take(4).collect();
    let Ok(start) = format!("{first}-01-01").parse::<Instant>() else { return parts };
    for n in 0..200 {
        let Ok(step) = Duration::new(n * months, 0, 0) else { break };
        let tick = start.plus(step);
        if tick > span.to {
            break;
        }
        if tick < span.from {
            continue;
        }
        let day = tick.day().to_string();
        let name = if months >= 12 { &day[..4] } else { &day[..7] };
        parts.push(vertical("grid", span.x(tick), bottom).into());
        parts.push(at("text", span.x(tick), 16).class("middle soft").label(name).into());
    }
    parts
}
