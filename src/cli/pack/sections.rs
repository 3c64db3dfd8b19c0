//! The tables of a review pack: verdicts by partner, what is owed with its grades, totals, incidents, records, exercises.

use super::super::plain::{quoted, word};
use super::super::words::{self as said, Page};
use super::html::{Html, element, table, text, words};
use super::{Pack, anchor, chip};
use servanda::charter::Aspect;
use servanda::field::{Handle, Sum};
use servanda::ledger::Said;
use servanda::ledger::answers::{
    IncidentRow, PledgeRow, ReportRow, Tally, Total, Totals, incidents, observations,
};
use servanda::ledger::verdict::{Owed, Verdict};
use servanda::statement::body::{Answer, Occasion, Party};
use servanda::statement::terms::Quantity;
use servanda::text::count;
use std::collections::BTreeMap;

/// The most observations that are listed.
const OBSERVED_MAX: usize = 200;

impl Pack<'_> {
    /// What is owed in earnest.
    fn real(&self) -> impl Iterator<Item = &Owed<'_>> {
        self.owed.iter().filter(|o| !o.is_exercise())
    }

    /// A line for each partner: how many obligations became what, and what is to be said of the silent ones.
    pub(super) fn verdicts(&self) -> Html {
        let mut by: BTreeMap<Handle, (Tally, u64, Vec<&Owed<'_>>)> = BTreeMap::new();
        for owed in self.real() {
            for partner in owed.by() {
                let line = by.entry(partner.clone()).or_default();
                *line.0.entry(owed.verdict).or_default() += 1;
                line.1 += u64::from(!owed.contested.is_empty());
                if owed.verdict == Verdict::Overdue {
                    line.2.push(owed);
                }
            }
        }
        if let Some(partner) = &self.partner {
            by.retain(|handle, _| handle == partner);
        }
        if by.is_empty() {
            return element("p").words("Nothing is owed by anybody: no due, no call.").into();
        }
        let rows = by.iter().map(|(partner, (tally, contested, overdue))| {
            let chips = tally.iter().map(|(verdict, n)| chip(*verdict, &format!(": {n}")));
            let contested = (*contested > 0).then(|| words(&format!(" {contested} of these contested.")));
            let silent = overdue.iter().map(|o| self.silent(partner, o));
            vec![words(&self.who(partner)), Html::all(chips.chain(contested)), Html::all(silent)]
        });
        let table = table("lines", &["partner", "obligations", ""], rows);
        let note = "One line a partner, one count an obligation: a due or a call. Jointly owed ones count under each who owes.";
        Html::all([table, element("p").class("note").words(note).into()])
    }

    fn silent(&self, by: &Handle, owed: &Owed<'_>) -> Html {
        let deadline = owed.deadline.map_or(String::new(), |at| format!("; it was due {at}"));
        let claimed = owed.responses(self.when).any(|r| r.answer == Answer::Delivered);
        let what = if claimed { "not received, as claimed" } else { "no response on record" };
        let link = element("a").attr("href", format!("#{}", anchor(owed))).add(self.occasion(owed));
        element("div").add(link).words(format!(": {what} by {by}{deadline}.")).into()
    }

    /// What an obligation is called: the due's label, or the call.
    pub(super) fn occasion(&self, owed: &Owed<'_>) -> Html {
        match owed.key.occasion {
            Occasion::Due(_) => text(&owed.label()),
            Occasion::Call(id) => words(&format!("the call {}", id.short())),
        }
    }

    /// Every obligation with its verdict, rule, grades and statements.
    pub(super) fn obligations(&self) -> Html {
        self.owed_table(&self.real().collect::<Vec<_>>())
    }

    /// The same of exercises.
    pub(super) fn exercises(&self) -> Html {
        let all: Vec<&Owed<'_>> = self.owed.iter().filter(|o| o.is_exercise()).collect();
        if all.is_empty() { Html::none() } else { self.owed_table(&all) }
    }

    fn owed_table(&self, all: &[&Owed<'_>]) -> Html {
        if all.is_empty() {
            return element("p").words("Nothing is owed: no due, no call.").into();
        }
        let heading = ["pledge", "owed", "verdict", "figures and grades"];
        table("owed", &heading, all.iter().map(|o| self.owed_row(o)))
    }

    fn owed_row(&self, owed: &Owed<'_>) -> Vec<Html> {
        let version = owed.pledge.version(owed.facet.version);
        let reference = owed.gist.reference.as_ref().map(|r| element("div").words(quoted(r)));
        let pledge = element("div")
            .attr("id", anchor(owed))
            .add(text(&owed.gist.title))
            .adds(reference)
            .add(element("div").class("note").words("terms: ").add(self.cited.cite(&version.said)));
        let deadline = owed.deadline.map_or("no deadline".to_owned(), |at| format!("due {at}"));
        let mut due = vec![
            Html::from(element("div").add(self.occasion(owed))),
            element("div").class("whole").words(deadline).into(),
            element("div").words(format!("owed by {}", self.all(owed.by()))).into(),
            element("div").words(format!("to {}", self.all(owed.facet.to.iter()))).into(),
        ];
        if let Occasion::Call(id) = owed.key.occasion
            && let Some(obligation) = owed.obligation
        {
            let arose = element("div").class("note").words(format!("call {} with ", id.short()));
            due.push(arose.add(self.cited.cite(&obligation.arose)).into());
        }
        let mut verdict = vec![chip(owed.verdict, ""), element("div").class("note").words(owed.why).into()];
        if !owed.contested.is_empty() {
            let contested = element("div").words("Contested: ");
            verdict.push(contested.add(self.voices(owed.contested.iter().copied())).into());
        }
        if owed.is_disowned() {
            verdict.push(element("div").words("It rests on what was said with stolen keys.").into());
        }
        vec![pledge.into(), Html::all(due), Html::all(verdict), self.grades(owed)]
    }

    /// Each figure with its grade, and the statements that it rests on.
    fn grades(&self, owed: &Owed<'_>) -> Html {
        let unit = owed.measured.as_ref().map(|m| word(&m.unit)).unwrap_or_default();
        let deliveries: Vec<_> =
            owed.responses(self.when).filter(|r| r.answer == Answer::Delivered).collect();
        let claims: Vec<&Said> = deliveries.iter().map(|r| &r.said).collect();
        let confirmed: Vec<&Said> = deliveries
            .iter()
            .flat_map(|r| r.confirmed.values())
            .map(|c| &c.said)
            .filter(|said| self.when.has(said))
            .collect();
        let line = |grade: &str, sum: Option<String>, rest: &[&Said]| {
            let sum = sum.filter(|_| !rest.is_empty()).map(|sum| format!("{sum} {unit}, "));
            let grade = element("span").class("grade").words(format!("{grade}: "));
            let basis =
                if rest.is_empty() { words("not recorded") } else { self.voices(rest.iter().copied()) };
            Html::from(element("div").add(grade).words(sum.unwrap_or_default()).add(basis))
        };
        let sums = owed.measured.as_ref();
        let mut lines = Vec::new();
        if let Some(m) = sums {
            let promised = format!("{} {} {unit}", m.bound.words(), m.promised);
            lines.push(Html::from(
                element("div").add(element("span").class("grade").words("promised: ")).words(promised),
            ));
        } else if matches!(owed.gist.measure(&owed.key.occasion), Quantity::Sealed(_)) {
            lines.push(element("div").words("promised: undisclosed (sealed)").into());
        }
        lines.push(line("claimed by the promisor", sums.map(|m| m.claimed.to_string()), &claims));
        lines.push(line("confirmed by the beneficiary", sums.map(|m| m.confirmed.to_string()), &confirmed));
        lines.push(line("attested by third parties", None, &owed.attested));
        let others = owed.responses(self.when).filter(|r| r.answer != Answer::Delivered);
        lines.extend(others.map(|r| {
            let answer = if r.answer == Answer::Declined { "declined: " } else { "acknowledged: " };
            element("div")
                .add(element("span").class("grade").words(answer))
                .add(self.voices([&r.said]))
                .into()
        }));
        Html::all(lines)
    }

    fn voices<'s>(&self, all: impl IntoIterator<Item = &'s Said>) -> Html {
        Html::all(all.into_iter().enumerate().map(|(n, said)| {
            let comma = if n == 0 { "" } else { ", " };
            Html::all([words(&format!("{comma}{} ", said.by)), self.cited.cite(said)])
        }))
    }

    /// Sums per bound and unit.
    pub(super) fn totals(&self) -> Html {
        let parts = self.now.totals.parts > 0;
        let parts = parts.then(|| {
            let heading = element("h3").words("Parts of other pledges, left out above");
            Html::all([heading.into(), sums(&self.now.parts, false)])
        });
        let note = "Added up only where bound and unit are the same; counted once a pledge, whoever it is addressed to. \
                    Promised by pledges in force or called upon; claimed by promisors; confirmed by those to whom it is owed.";
        let note = Html::from(element("p").class("note").words(note));
        Html::all([sums(&self.now.totals, false), note].into_iter().chain(parts))
    }

    /// What was announced in public and not pledged.
    pub(super) fn records(&self) -> Html {
        if self.now.recorded.is_empty() {
            return Html::none();
        }
        let names = |handle: &Handle| self.folded.name(handle);
        let page = Page::new(&names);
        let row = |row: &PledgeRow| {
            let promisor = row.promisor.as_ref().map_or("nobody named".to_owned(), |p| said::party(&page, p));
            let quantity =
                said::open_quantity(&row.quantity).unwrap_or_else(|| "none stated or undisclosed".to_owned());
            vec![
                words(&promisor),
                words(&self.all(&row.to)),
                row.title.as_ref().map_or_else(|| words("sealed terms"), |t| text(t)),
                words(&quantity),
                Html::all([
                    words(&format!("recorded by {}, ", row.rests_on.by)),
                    self.cited.cite(&row.rests_on),
                ]),
            ]
        };
        let heading = ["announced by", "towards", "what", "how much", "record"];
        let note = "Recorded by an observer, not signed by the promisor: never in force, in no total above.";
        Html::all([
            element("p").class("note").words(note).into(),
            table("records", &heading, self.now.recorded.iter().map(row)),
            sums(&self.now.recorded_totals, true),
        ])
    }

    /// What was reported, each observer's figures side by side.
    pub(super) fn incidents(&self) -> Html {
        let all = incidents(self.folded.ledger(), self.when);
        let real = all.iter().filter(|i| !i.exercise && self.concerns(i)).map(|i| self.incident(i));
        let mut parts: Vec<Html> = real.collect();
        let seen = observations(self.folded.ledger(), self.when);
        let seen: Vec<_> = seen.iter().filter(|r| self.partner.is_none() && !r.exercise).collect();
        if !seen.is_empty() {
            parts.push(element("h3").words("Observations").into());
            parts.push(self.reports(&seen[..seen.len().min(OBSERVED_MAX)]));
            if let Some(more) = seen.len().checked_sub(OBSERVED_MAX).filter(|more| *more > 0) {
                let more = count(more, "more observation", "more observations");
                parts.push(element("p").class("note").words(format!("And {more}, not listed here.")).into());
            }
        }
        if parts.is_empty() {
            return Html::none();
        }
        let note = "Figures stand side by side as each observer gave them, never averaged. Who did it is a matter of its own.";
        parts.insert(0, element("p").class("note").words(note).into());
        Html::all(parts)
    }

    /// Whether an incident called upon what the page is about.
    fn concerns(&self, incident: &IncidentRow) -> bool {
        self.partner.is_none() || self.owed.iter().any(|o| incident.called.contains(&o.key.pledge))
    }

    fn incident(&self, incident: &IncidentRow) -> Html {
        let heading = element("h3").words("Incident ").add(self.cited.cite(&incident.said));
        let established = match &incident.established {
            Some(said) => Html::all([words("Established with "), self.cited.cite(said), words(".")]),
            None => words("Not established: the quorum of the charter is not reached."),
        };
        let called = count(incident.called.len(), "pledge", "pledges");
        let established = element("p").add(established).words(format!(" It called upon {called}."));
        let reports: Vec<&ReportRow> = incident.reports.iter().collect();
        Html::all([heading.into(), established.into(), self.reports(&reports)])
    }

    fn reports(&self, reports: &[&ReportRow]) -> Html {
        let names = |handle: &Handle| self.folded.name(handle);
        let page = Page::new(&names);
        let parties = |all: &[Party]| said::listed(all.iter().map(|p| said::party(&page, p)), "and");
        let row = |r: &&ReportRow| {
            let kinds = said::listed(r.kinds.iter().map(|k| quoted(k)), "and");
            let kinds = if r.kinds.is_empty() { "an observation".to_owned() } else { kinds };
            let mut what = vec![Html::from(element("div").words(kinds))];
            if !r.against.is_empty() {
                what.push(element("div").words(format!("against {}", parties(&r.against))).into());
            }
            if let Some(actor) = &r.actor {
                what.push(element("div").words(format!("by {}", said::party(&page, actor))).into());
            }
            if !r.place.is_empty() {
                what.push(element("div").words("at ").add(text(&r.place)).into());
            }
            let lasted = if r.from == r.to { String::new() } else { format!(" to {}", said::when(&r.to)) };
            let time = format!("{}{lasted}", said::when(&r.from));
            what.push(element("div").class("note").words(time).into());
            if let Some(by) = r.superseded_by {
                what.push(element("div").words(format!("Superseded by its author: {}.", by.short())).into());
            }
            if r.disowned {
                what.push(element("div").words("Disowned: said with stolen keys.").into());
            }
            let figures = r.figures.iter().map(|f| {
                let whole = format!("{}: {}", quoted(&f.measure), f.value.grouped());
                let of =
                    [("region", &f.region), ("period", &f.period)].into_iter().filter(|(_, t)| !t.is_empty());
                let of: String = of.map(|(name, t)| format!(", {name} {}", quoted(t))).collect();
                // What was replaced is there to be read, and not to be taken for the last word.
                let line = element("div").words(whole + &of);
                if r.superseded_by.is_some() { line.class("note") } else { line }
            });
            let tally = r.tally.iter().map(|t| {
                let vouched = t.attested.iter().filter(|s| s.id != r.said.id).collect::<Vec<_>>();
                let mut line = element("div")
                    .add(element("span").class("grade").words(format!("{}: ", aspect(t.aspect))));
                line = if vouched.is_empty() {
                    line.words("its reporter alone")
                } else {
                    line.words("attested by ").add(self.voices(vouched))
                };
                if !t.disputed.is_empty() {
                    line = line.words("; disputed by ").add(self.voices(t.disputed.iter()));
                }
                line
            });
            vec![
                self.voices([&r.said]),
                Html::all(what),
                Html::all(figures.map(Html::from)),
                Html::all(tally.map(Html::from)),
            ]
        };
        table("reports", &["reported by", "what", "figures", "grade, by aspect"], reports.iter().map(row))
    }

    /// Room for the partner's reply.
    pub(super) fn reply(&self) -> Html {
        let Some(partner) = &self.partner else { return Html::none() };
        let ask = format!(
            "What {} has to say to this, before the meeting. What is to count is entered in the log: a response, a dispute, a \
             clarification.",
            self.who(partner)
        );
        let lines = (0..6).map(|_| element("div").class("reply"));
        Html::all([element("p").words(ask).into(), Html::all(lines.map(Html::from))])
    }
}

fn aspect(aspect: Aspect) -> String {
    said::aspects(&vec![aspect].into())
}

/// Totals as a table, and what they leave out; of records, what was announced alone.
fn sums(totals: &Totals, recorded: bool) -> Html {
    let sum = |sum: &Option<Sum>| words(&sum.as_ref().map_or("not recorded".to_owned(), ToString::to_string));
    let row = |t: &Total| {
        let mut cells = vec![words(t.bound.words()), words(&word(&t.unit)), words(&t.pledges.to_string())];
        cells.push(words(&t.promised.to_string()));
        if !recorded {
            cells.extend([sum(&t.claimed), sum(&t.confirmed), words(&t.outstanding.to_string())]);
        }
        cells
    };
    let heading = ["bound", "unit", "pledges", "promised", "claimed", "confirmed", "outstanding"];
    let heading = if recorded { &["bound", "unit", "records", "announced"][..] } else { &heading[..] };
    let left = [
        (totals.undisclosed, "undisclosed"),
        (totals.unmeasured, "without a quantity"),
        (totals.parts, "part of another pledge, left out"),
        (totals.not_in_force, "neither in force nor called upon, left out"),
    ];
    let left: Vec<String> =
        left.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let left = if left.is_empty() {
        "Nothing is left out.".to_owned()
    } else {
        format!("Beside these: {}.", left.join("; "))
    };
    let sums = if totals.by.is_empty() {
        element("p").words("No sums: no quantity stands open.").into()
    } else {
        table("sums", heading, totals.by.iter().map(row))
    };
    Html::all([sums, element("p").class("note").words(left).into()])
}
