//! `review-pack`: one page for a review meeting, or for one partner's right of reply before it.
//!
//! It is a file of its own: no script, nothing that is loaded from elsewhere. First the verdicts, then what changed since
//! the last meeting, then drawings, tables, totals; each figure with its grade (claimed, confirmed, attested) and with
//! the statements that it rests on, whose proofs are in the file. `html` makes markup, `charts` draws, `cited` keeps the
//! statements that were named, `sections` and `since` write the parts.

mod charts;
mod cited;
mod html;
mod sections;
mod since;

use super::folded::Folded;
use super::lookup::{Wanted, find};
use super::open::{Log, LogArgs, read_problem};
use super::problem::Problem;
use super::{Context, Outcome, files};
use cited::Cited;
use html::{Html, element, words};
use serde_json::json;
use servanda::entry::SignedEntry;
use servanda::field::{Handle, Instant};
use servanda::hash::Hash;
use servanda::history::History;
use servanda::ledger::answers::{Filter, Status};
use servanda::ledger::verdict::{Owed, Verdict};
use servanda::ledger::{Moment, Review};
use servanda::text::count;
use std::path::PathBuf;

const AFTER: &str = "\
--since takes a date or time, or the id of a review as it was recorded (or @ and its entry's index): then the pack covers \
what was said after the end of the day on which it was held. With --for, the page has what one partner owes, and room \
for its reply.

EXAMPLE
  servanda review-pack --since 2027-01-15 --log paris --out review.html
  servanda review-pack --since 86b779 --for de --log paris --out reply-de.html";

/// Write one HTML page for a review meeting: verdicts, changes, charts, totals, with proofs
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Since when: a date or time, or the id of a recorded review
    #[arg(long, value_name = "REVIEW|DATE")]
    since: String,
    /// Only what this partner owes, for its right of reply
    #[arg(long = "for", value_name = "PARTNER")]
    partner: Option<Handle>,
    /// As of which time, e.g. 2027-04-15 [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<Instant>,
    /// Where to write the page
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    log: LogArgs,
}

/// Since when, and since which meeting.
struct Since {
    at: Instant,
    review: Option<Review>,
}

/// Everything that the page is written from.
struct Pack<'a> {
    log: &'a Log,
    folded: &'a Folded,
    when: Moment,
    since: Since,
    partner: Option<Handle>,
    /// How things stood then; nothing before the log was founded.
    before: Status,
    now: Status,
    /// What is owed, in the order of the pledges, exercises included.
    owed: Vec<Owed<'a>>,
    cited: Cited,
}

/// Runs the verb.
///
/// # Errors
/// When the log cannot be read, the partner or review is not there, or the file cannot be written.
pub fn run(context: &Context, args: &Args) -> anyhow::Result<Outcome> {
    let screen = &context.screen;
    files::must_be_free(&args.out)?;
    let log = Log::open(&args.log, screen)?;
    log.caution(screen);
    let folded = Folded::read(context, &log, args.at)?;
    if let Some(partner) = args.partner.as_ref().filter(|p| folded.charter().partner(p).is_none()) {
        return Err(Problem::new(format!("{partner} is no partner's handle here"))
            .hint("\"servanda show @0\" lists the partners")
            .into());
    }
    let since = Since::read(context, &log, &folded, &args.since)?;
    if since.at > folded.when.at {
        return Err(Problem::new(format!("{} is after {}", since.at, folded.when.at))
            .hint("--since takes the earlier time, --at the later one")
            .into());
    }
    let then = folded.until(&log, since.at)?;
    let pack = Pack::gather(&log, &folded, &then, since, args.partner.clone());
    let page = pack.page()?;
    files::write_new(&args.out, page.as_bytes(), files::PUBLIC)?;
    let statements = pack.cited.len();
    let out = args.out.display();
    screen.say(format!(
        "{out}: {}, {} with proofs",
        size(page.len()),
        count(statements, "statement", "statements")
    ));
    for line in folded.basis(&log) {
        screen.say(line);
    }
    screen.json(&json!({
        "out": args.out, "bytes": page.len(), "since": pack.since.at, "for": pack.partner, "statements": statements,
        "tally": pack.now.tally.iter().map(|(v, n)| (v.words(), n)).collect::<std::collections::BTreeMap<_, _>>(),
        "basis": folded.json(&log),
    }))?;
    Ok(folded.outcome())
}

fn size(bytes: usize) -> String {
    format!("{} kB", bytes.div_ceil(1000))
}

impl Since {
    fn read(context: &Context, log: &Log, folded: &Folded, text: &str) -> anyhow::Result<Self> {
        if let Ok(at) = text.parse::<Instant>() {
            return Ok(Self { at, review: None });
        }
        let wanted = text.parse().ok().filter(|wanted| !matches!(wanted, Wanted::Reference(_)));
        let wanted = wanted.ok_or_else(|| {
            Problem::new(format!("--since {}: neither a time nor a review", super::plain::quoted(text)))
                .hint("write 2027-01-15, or the first digits of the review's id")
        })?;
        let index = find(log, &context.screen, &wanted)?;
        let review = folded.ledger().reviews().iter().find(|r| r.said.index == index).cloned();
        let review = review.ok_or_else(|| {
            Problem::new(format!("entry {index} is no review meeting that counts at {}", folded.when.at))
                .hint("\"servanda log --kind review\" lists them; a date will do as well")
        })?;
        // What was entered on that day after the review was recorded is new.
        Ok(Self { at: review.held_on.end().min(review.said.at), review: Some(review) })
    }
}

impl<'a> Pack<'a> {
    fn gather(
        log: &'a Log,
        folded: &'a Folded,
        then: &History,
        since: Since,
        partner: Option<Handle>,
    ) -> Self {
        let filter = Filter { by: partner.clone(), ..Filter::default() };
        let before = then.ledger().map(|l| Status::of(l, Moment::at(since.at), &filter)).unwrap_or_default();
        let when = folded.when;
        let now = Status::of(folded.ledger(), when, &filter);
        let mut owed = folded.ledger().owed(when);
        owed.retain(|o| partner.as_ref().is_none_or(|p| o.by().contains(&p)));
        Self { log, folded, when, since, partner, before, now, owed, cited: Cited::default() }
    }

    /// The whole page.
    fn page(&self) -> anyhow::Result<String> {
        let mut client = self.log.client()?;
        let sections = [
            ("Verdicts", self.verdicts()),
            ("What changed since", self.changed(&mut client)?),
            ("Timeline", self.timeline()),
            ("Partners and obligations", self.matrix()),
            ("What is owed, and what it rests on", self.obligations()),
            ("Totals", self.totals()),
            ("Incidents and observations", self.incidents()),
            ("Records: announced, not pledged", self.records()),
            ("Exercises: nothing is owed", self.exercises()),
            ("Reply", self.reply()),
            ("What the log cannot show", Html::from(element("p").words(CANNOT_SHOW))),
        ];
        let mut body = vec![self.header()];
        let mut number = 0;
        let mut section = |title: &str, inside: Html| {
            number += 1;
            let heading =
                element("h2").add(element("span").class("n").words(number.to_string())).words(title);
            Html::from(element("section").add(heading).add(inside))
        };
        for (title, inside) in sections {
            if inside != Html::none() {
                body.push(section(title, inside));
            }
        }
        let entered = self.name_statements(&mut client)?;
        let proofs = self.cited.proofs(self.log, self.folded, &mut client, entered).map_err(read_problem)?;
        body.push(section("Statements and their proofs", proofs));
        body.push(self.footer());
        let head = [
            element("meta").attr("charset", "utf-8").into(),
            element("meta").attr("name", "viewport").attr("content", "width=device-width").into(),
            element("meta")
                .attr("http-equiv", "Content-Security-Policy")
                .attr("content", "default-src 'none'; style-src 'unsafe-inline'")
                .into(),
            element("title").add(html::label(&self.title())).into(),
            element("style").add(Html::constant(include_str!("style.css"))).into(),
        ];
        let language = self.folded.charter().language.as_str();
        let language = if language == "en" { "en" } else { "mul" };
        let html = element("html").attr("lang", language);
        let html = html.add(element("head").adds::<Html>(head)).add(element("body").adds(body));
        Ok(format!("<!DOCTYPE html>\n{}\n", Html::from(html).as_str()))
    }

    fn title(&self) -> String {
        match &self.partner {
            None => format!("Review pack, {} to {}", self.since.at.day(), self.when.at.day()),
            Some(p) => {
                format!("Right of reply: {}, {} to {}", self.who(p), self.since.at.day(), self.when.at.day())
            }
        }
    }

    fn header(&self) -> Html {
        let charter = self.folded.charter();
        let about = match &self.partner {
            None => element("h1").words("Review pack"),
            Some(p) => element("h1").words(format!("Right of reply: {}", self.who(p))),
        };
        let from = match &self.since.review {
            None => words(&format!("Since {}", self.since.at)),
            Some(r) => Html::all([
                words(&format!("Since the review held on {} (", r.held_on)),
                self.cited.cite(&r.said),
                words(")"),
            ]),
        };
        let period = element("p").add(from).words(format!(", as of {}. All times are UTC.", self.when.at));
        let basis =
            self.folded.basis(self.log).into_iter().map(|line| element("p").class("note").words(line));
        let basis = if self.folded.outcome() == Outcome::Good {
            Html::all(basis.map(Html::from))
        } else {
            Html::from(element("div").class("found").adds(basis))
        };
        let pinned = if self.log.is_pinned() { "" } else { ", not pinned by a trust file" };
        element("header")
            .add(element("p").class("of").text(&charter.title))
            .add(about)
            .add(period)
            .add(basis)
            .add(element("p").class("note").words("Log ").add(id(&self.log.id().to_string())).words(pinned))
            .into()
    }

    fn footer(&self) -> Html {
        let lines = self.folded.basis(self.log).into_iter().map(|line| element("p").words(line));
        element("footer").adds(lines).into()
    }

    /// A partner by name and handle.
    fn who(&self, handle: &Handle) -> String {
        super::words::Page::new(&|h: &Handle| self.folded.name(h)).who(handle)
    }

    fn all<'h>(&self, handles: impl IntoIterator<Item = &'h Handle>) -> String {
        super::words::listed(handles.into_iter().map(|h| self.who(h)), "and")
    }
}

const CANNOT_SHOW: &str = "What was promised, done or agreed elsewhere and was never entered here. That nothing is recorded \
    does not say that nothing was done: \"no response on record\" says just that. Claims are their promisors' words until \
    those to whom something is owed confirm them; attestations are third parties' words. Sealed terms and quantities are \
    counted as undisclosed, never as nothing.";

/// An id or digest.
fn id(text: &str) -> Html {
    element("span").class("id").words(text).into()
}

/// The class of a verdict, for the style sheet.
fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Kept => "kept",
        Verdict::KeptLate => "kept_late",
        Verdict::PartKept => "part_kept",
        Verdict::Claimed => "claimed",
        Verdict::NotYetDue => "not_yet_due",
        Verdict::Overdue => "overdue",
        Verdict::Declined => "declined",
        Verdict::NoDeadline => "no_deadline",
        Verdict::NotReported => "not_reported",
        Verdict::CannotBeJudged => "cannot_be_judged",
    }
}

/// One letter for a verdict: nothing is told by colour alone.
fn letter(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Kept => "K",
        Verdict::KeptLate => "L",
        Verdict::PartKept => "P",
        Verdict::Claimed => "C",
        Verdict::NotYetDue => "–",
        Verdict::Overdue => "O",
        Verdict::Declined => "D",
        Verdict::NoDeadline => "N",
        Verdict::NotReported => "R",
        Verdict::CannotBeJudged => "?",
    }
}

/// A verdict with its letter.
fn chip(verdict: Verdict, more: &str) -> Html {
    let chip = element("span").attr("class", format!("chip {}", class(verdict)));
    chip.add(element("b").words(letter(verdict))).words(format!("{}{more}", verdict.words())).into()
}

/// Reads an entry under the checkpoint.
fn entry(client: &mut servanda::client::Client<'_>, index: u64) -> anyhow::Result<Option<SignedEntry>> {
    Ok(SignedEntry::decode(&client.entry(index).map_err(read_problem)?).ok())
}

/// Where an obligation stands in the page: drawings lead there.
fn anchor(owed: &Owed<'_>) -> String {
    use servanda::statement::body::Occasion;
    let occasion = match &owed.key.occasion {
        Occasion::Due(n) => format!("due{n}"),
        Occasion::Call(id) => Hash::short(id),
    };
    format!("o-{}-{occasion}-{}", owed.key.pledge.short(), owed.facet.version)
}
