//! The acts that make the log say what a release says: no more than it takes.

use super::account::{Account, Became, Fate, LogTold, RowTold};
use super::compared::{Changed, Offer, Says, Source, agree};
use super::grouping::{Candidate, Settled, Verdict};
use super::place::{Numbering, Stem};
use super::spoken::Spoken;
use crate::cli::import::judge::Judge;
use crate::cli::import::mapping::Mapping;
use crate::cli::import::refusal::Refusal;
use crate::cli::import::sorting::{Ready, Refused};
use crate::cli::words::{Page, changes};
use serde_json::json;
use servanda::charter::Sealable;
use servanda::statement::body::{Amend, Withdraw, Withdrawn};
use servanda::statement::{Act, Kind};
use std::collections::{BTreeSet, HashMap};

/// An act, and what it is for.
#[derive(Debug)]
pub struct Planned {
    /// The act, ready to be signed.
    pub ready: Ready,
    /// The position of its row in the account; none: a withdrawal.
    pub row: Option<usize>,
    /// The statement that it changes.
    pub statement: Option<usize>,
}

/// What acts are planned with.
pub struct Planner<'a> {
    /// How rows become acts.
    pub judge: &'a Judge<'a>,
    /// What the table speaks of.
    pub mapping: &'a Mapping,
    /// How references are numbered.
    pub numbering: &'a Numbering,
    /// Which release it is.
    pub source: &'a Source,
    /// What the log has.
    pub spoken: &'a [Spoken],
    /// Every reference that was ever used.
    pub used: &'a BTreeSet<String>,
}

/// Which row holds a field that stands once in rows that agree; none: one that was refused.
type Holders = HashMap<(String, Vec<String>), Option<usize>>;

impl Planner<'_> {
    /// Plans the acts; those of one ID come one after the other, withdrawals first.
    pub fn plan(
        &self,
        mut candidates: Vec<Candidate>,
        mut settled: Settled,
        refused: &mut Vec<Refused>,
    ) -> (Vec<Planned>, Account) {
        self.keep_once(&mut candidates, &mut settled, refused);
        let mut account =
            Account { log: settled.fates.iter().zip(self.spoken).map(told).collect(), ..Account::default() };
        let mut planned = Vec::new();
        for leaving in &settled.leaving {
            let spoken = &self.spoken[leaving.statement];
            let text = self.source.reason(&spoken.reference, leaving.is_gone);
            let from = Withdrawn::Pledges(vec![spoken.id].into());
            let ready =
                ready(0, spoken, Kind::Withdraw, Act::Withdraw(Withdraw { from, text }), leaving.group);
            account.log[leaving.statement].fate = Fate::Withdrawn(None);
            planned.push(Planned { ready, row: None, statement: Some(leaving.statement) });
        }
        let mut next = self.next_numbers(&candidates);
        for (candidate, (group, verdict)) in candidates.into_iter().zip(settled.verdicts) {
            let at = account.rows.len();
            let (line, reference) = (candidate.ready.line, candidate.ready.reference.clone());
            account.rows.push(RowTold {
                line,
                reference,
                became: Became::Unchanged,
                fields: Vec::new(),
                continues: None,
            });
            match verdict {
                Verdict::Continues(statement) => {
                    planned.extend(self.continued(candidate, statement, group, &mut account, refused));
                }
                Verdict::New => {
                    account.rows[at].became = Became::New;
                    match self.new_one(candidate, group, &mut next) {
                        Ok(ready) => {
                            account.rows[at].reference.clone_from(&ready.reference);
                            planned.push(Planned { ready, row: Some(at), statement: None });
                        }
                        Err(row) => refuse(&mut account, refused, *row),
                    }
                }
                Verdict::Refused(refusal) => {
                    let Ready { line, reference, written, .. } = candidate.ready;
                    refuse(&mut account, refused, Refused { line, reference, refusal, written });
                }
            }
        }
        planned.sort_by_key(|one| (one.ready.group, one.row.is_some(), one.statement.is_none(), one.row));
        (planned, account)
    }

    /// Leaves fields that stand once in rows that agree out of all but one: the one whose statement holds it already, else
    /// the first.
    fn keep_once(&self, candidates: &mut [Candidate], settled: &mut Settled, refused: &[Refused]) {
        if !self.mapping.has_once() {
            return;
        }
        let holders = self.holders(candidates, &settled.verdicts, refused);
        for (row, candidate) in candidates.iter_mut().enumerate() {
            let Some(written) = &mut candidate.ready.written else { continue };
            let before = written.fields.0.len();
            for (field, _) in written.once.iter().filter(|key| holders.get(key) != Some(&Some(row))) {
                written.fields.0.shift_remove(field);
            }
            if written.fields.0.len() == before {
                continue;
            }
            match self.judge.act(written.fields.clone()) {
                Ok(judged) => {
                    candidate.offer = Offer::of(judged.kind, &judged.body).unwrap_or(candidate.offer.clone());
                    candidate.ready.body = judged.body;
                }
                Err(refusal) => settled.refuse(row, candidate.ready.line, refusal),
            }
        }
    }

    fn holders(&self, candidates: &[Candidate], verdicts: &[(u32, Verdict)], refused: &[Refused]) -> Holders {
        let mut holders = Holders::new();
        let said = |candidate: &Candidate| {
            let written = candidate.ready.written.as_deref();
            let keys =
                written.into_iter().flat_map(|w| w.once.iter().filter(|(f, _)| w.fields.0.contains_key(f)));
            keys.cloned().collect::<Vec<_>>()
        };
        let all = || candidates.iter().zip(verdicts).enumerate();
        for (row, (candidate, (_, verdict))) in all() {
            let Verdict::Continues(statement) = verdict else { continue };
            let held = &self.spoken[*statement].terms;
            for key in said(candidate).into_iter().filter(|(f, _)| agree(f, held, &candidate.offer.terms)) {
                holders.entry(key).or_insert(Some(row));
            }
        }
        // What a refused row may hold in the log is not said a second time.
        for key in refused.iter().filter_map(|row| row.written.as_deref()).flat_map(|written| &written.once) {
            holders.entry(key.clone()).or_insert(None);
        }
        for (_, (candidate, _)) in all().filter(|(_, (_, (_, v)))| matches!(v, Verdict::Refused(_))) {
            for key in said(candidate) {
                holders.entry(key).or_insert(None);
            }
        }
        for (row, (candidate, _)) in all() {
            for key in said(candidate) {
                holders.entry(key).or_insert(Some(row));
            }
        }
        holders
    }

    /// What a row changes in the statement that it continues.
    fn continued(
        &self,
        candidate: Candidate,
        statement: usize,
        group: u32,
        account: &mut Account,
        refused: &mut Vec<Refused>,
    ) -> Option<Planned> {
        let spoken = &self.spoken[statement];
        let Candidate { ready: Ready { line, written, .. }, offer, .. } = candidate;
        let says = Says { mapping: self.mapping, written: written.as_deref() };
        let terms = offer.terms_for(spoken, &says);
        let to = if self.mapping.mentions("to") { offer.to } else { spoken.to.clone() };
        let at = account.rows.len() - 1;
        let row = &mut account.rows[at];
        (row.reference, row.continues) = (Some(spoken.reference.clone()), Some(statement));
        if terms == spoken.terms && to == spoken.to {
            account.log[statement].fate = Fate::Unchanged;
            return None;
        }
        if let Some(state) = &spoken.over {
            let refusal = Refusal::Over { entry: spoken.index, state: state.clone() };
            let reference = Some(spoken.reference.clone());
            refuse(account, refused, Refused { line, reference, refusal, written });
            return None;
        }
        let page = Page::new(&|_| None);
        let (old, new) = (Sealable::Open(spoken.terms.clone()), Sealable::Open(terms));
        let changed = changes(&page, (&spoken.to, &old), (&to, &new));
        row.fields = changed.into_iter().map(|change| change.field).collect();
        row.became = Became::Amended(Changed::of(row.fields.iter().map(String::as_str)));
        account.log[statement].fate = Fate::Amended;
        let act = Act::Amend(Amend { statement: spoken.id, to, terms: new });
        let ready = ready(line, spoken, Kind::Amend, act, group);
        Some(Planned { ready, row: Some(at), statement: Some(statement) })
    }

    /// The next number of each ID: none is given twice.
    fn next_numbers(&self, candidates: &[Candidate]) -> HashMap<Stem, u64> {
        let numbered = candidates.iter().filter(|candidate| candidate.place.number.is_some());
        let mut next: HashMap<Stem, u64> = numbered.map(|c| (c.place.stem.clone(), 1)).collect();
        for place in self.used.iter().flat_map(|reference| self.numbering.places(reference)) {
            if let (Some(number), Some(next)) = (place.number, next.get_mut(&place.stem)) {
                *next = (*next).max(number.saturating_add(1));
            }
        }
        next
    }

    /// A statement that the log had not, under a reference that nothing in the log had.
    fn new_one(
        &self,
        candidate: Candidate,
        group: u32,
        next: &mut HashMap<Stem, u64>,
    ) -> Result<Ready, Box<Refused>> {
        let Candidate { mut ready, place, .. } = candidate;
        ready.group = Some(group);
        let Some(number) = next.get_mut(&place.stem) else { return Ok(ready) };
        let reference = place.stem.reference(*number);
        *number = number.saturating_add(1);
        if ready.reference.as_ref() == Some(&reference) {
            return Ok(ready);
        }
        let Some(written) = &mut ready.written else { return Ok(ready) };
        written.fields.0.insert("reference".to_owned(), json!(reference));
        ready.reference = Some(reference);
        match self.judge.act(written.fields.clone()) {
            Ok(judged) => {
                ready.body = judged.body;
                Ok(ready)
            }
            Err(refusal) => {
                let Ready { line, reference, written, .. } = ready;
                Err(Box::new(Refused { line, reference, refusal, written }))
            }
        }
    }
}

fn told((fate, spoken): (&Option<Fate>, &Spoken)) -> LogTold {
    LogTold {
        reference: spoken.reference.clone(),
        id: spoken.id,
        index: spoken.index,
        title: spoken.terms.title.to_string(),
        // What is not settled yet is settled by the row that continues it.
        fate: fate.clone().unwrap_or(Fate::Unchanged),
    }
}

fn refuse(account: &mut Account, refused: &mut Vec<Refused>, row: Refused) {
    account.refuse(row.line, &row.refusal.to_string());
    refused.push(row);
}

fn ready(line: u64, spoken: &Spoken, kind: Kind, act: Act, group: u32) -> Ready {
    let reference = Some(spoken.reference.clone());
    Ready { line, reference, kind, body: act.encode_body(), group: Some(group), written: None }
}
