//! What answers derive: totals, tallies, matrix, changes, agenda, trials.

use super::*;
use servanda::field::{Duration, Instant, Sum};
use servanda::ledger::answers::{
    Changed, Filter, Matrix, Status, What, agenda, changes, incidents, motions, service,
};
use servanda::ledger::verdict::Verdict;
use servanda::ledger::{Ledger, Moment};
use servanda::statement::terms::Bound;

fn ledger(log: &SmallLog) -> &Ledger {
    log.history().ledger().unwrap()
}

fn status_at(log: &SmallLog, time: &str, filter: &Filter) -> Status {
    Status::of(ledger(log), Moment::at(at(time)), filter)
}

fn sum(text: &str) -> Sum {
    Sum::from(&text.parse().unwrap())
}

#[test]
fn bounds_and_units_are_never_added_up() {
    let mut log = SmallLog::ready();
    let mut ids = Vec::new();
    for quantity in
        ["up to 5 EUR", "at most 7 EUR", "at least 5 EUR", "exactly 5 EUR", "exactly 5 USD", "exactly 5 eur"]
    {
        ids.push(log.say("de", pledge("Some", &json!({ "quantity": quantity }))));
    }
    log.say("ua", accept(&ids));
    let totals = status_at(&log, NOW, &Filter::default()).totals;
    let shown: Vec<_> =
        totals.by.iter().map(|t| (t.unit.as_str(), t.bound, t.pledges, t.promised.to_string())).collect();
    let want = [
        ("EUR", Bound::Exactly, 1, "5"),
        ("EUR", Bound::AtLeast, 1, "5"),
        ("EUR", Bound::AtMost, 2, "12"),
        ("USD", Bound::Exactly, 1, "5"),
        ("eur", Bound::Exactly, 1, "5"),
    ];
    assert_eq!(shown, want.map(|(unit, bound, n, promised)| (unit, bound, n, promised.to_owned())));
}

#[test]
fn what_is_sealed_counts_as_undisclosed_and_what_has_no_measure_is_told() {
    let mut log = SmallLog::ready();
    let sealed = log.say("de", pledge("Sealed", &json!({"quantity": {"sealed": "07".repeat(32)}})));
    let none = log.say("de", pledge("No measure", &json!({})));
    let whole = json!({"pledge": {"to": ["ua"], "terms": {"sealed": "09".repeat(32)}}});
    let whole = log.say("fr", act(whole));
    log.say("de", pledge("Not accepted", &json!({"quantity": "exactly 5 EUR"})));
    log.say("ua", accept(&[sealed, none, whole]));
    let totals = status_at(&log, NOW, &Filter::default()).totals;
    assert_eq!((totals.undisclosed, totals.unmeasured, totals.not_in_force), (2, 1, 1));
    assert!(totals.by.is_empty());
}

#[test]
fn a_pledge_to_several_counts_once_and_has_a_row_for_each_way_it_stands() {
    let mut log = SmallLog::ready();
    let terms = json!({
        "title": "For both", "instruments": ["military"], "force": "binding", "valid_from": "2026-12-01",
        "quantity": "exactly 5 EUR",
    });
    let both = act(json!({"pledge": {"to": ["ua", "pl"], "terms": {"open": terms}}}));
    let both = log.say("de", both);
    log.say("ua", accept(&[both]));
    let status = status_at(&log, NOW, &Filter::default());
    let states: Vec<_> = status.pledges.iter().map(|row| (row.state, row.to.clone())).collect();
    assert_eq!(states, [("proposed", vec![handle("pl")]), ("in force", vec![handle("ua")])]);
    assert_eq!((status.totals.by[0].pledges, &status.totals.by[0].promised), (1, &sum("5")));
    let matrix = Matrix::of(&status);
    assert_eq!((matrix.rows[0].cells[0].in_force, matrix.rows[0].cells[0].open), (1, 0));
    log.say("pl", accept(&[both]));
    let status = status_at(&log, NOW, &Filter::default());
    assert_eq!(status.pledges.len(), 1);
    assert_eq!(status.totals.by[0].promised, sum("5"));
}

#[test]
fn parts_of_other_pledges_are_left_out_and_shown_apart() {
    let (log, said) = coalition();
    let status = status_at(&log, NOW, &Filter { by: Some(handle("de")), ..Filter::default() });
    assert_eq!(status.totals.parts, 1);
    assert_eq!(status.parts.by[0].promised, sum("500000000"));
    let exact = &status.totals.by[0];
    assert_eq!(
        (exact.bound, &exact.promised, &exact.claimed),
        (Bound::Exactly, &sum("7100000000.5"), &Some(sum("1000000000")))
    );
    assert_eq!((&exact.confirmed, &exact.outstanding), (&Some(sum("600000000.25")), &sum("6500000000.25")));
    assert_eq!(
        status.obligations.iter().find(|row| row.id == said.money).unwrap().verdict,
        Verdict::PartKept
    );
}

#[test]
fn another_call_is_another_promise() {
    let mut log = SmallLog::ready();
    let terms = json!({
        "quantity": "exactly 5 vehicles",
        "trigger": {"kinds": [], "starts": "on_request", "requesters": ["ua"]}, "respond_within": "72h",
    });
    let id = log.say("de", pledge("Each time", &terms));
    log.say("ua", accept(&[id]));
    let invoke = || act(json!({"invoke": {"pledges": [id], "requested_at": "2026-12-01T09:00:00Z"}}));
    let promised = |log: &SmallLog| status_at(log, NOW, &Filter::default()).totals.by[0].promised.clone();
    assert_eq!(promised(&log), sum("5"));
    log.say("ua", invoke());
    assert_eq!(promised(&log), sum("5"));
    log.say("ua", invoke());
    assert_eq!(promised(&log), sum("10"));
    // Withdrawn, it still owes what arose.
    log.say("de", act(json!({"withdraw": {"from": {"pledges": [id]}}})));
    let status = status_at(&log, NOW, &Filter::default());
    assert_eq!(status.pledges[0].state, "withdrawn");
    assert_eq!((&status.totals.by[0].promised, status.totals.not_in_force), (&sum("10"), 0));
}

#[test]
fn what_partners_owe_adds_up_to_what_all_owe() {
    let (log, _) = coalition();
    let whole = status_at(&log, NOW, &Filter::default());
    let mut promised = std::collections::BTreeMap::<_, Sum>::new();
    let (mut pledges, mut owed) = (0, 0);
    for partner in ["de", "fr", "pl", "ua", "kiel"] {
        let status = status_at(&log, NOW, &Filter { by: Some(handle(partner)), ..Filter::default() });
        for total in status.totals.by {
            promised.entry((total.unit, total.bound)).or_default().add(&total.promised);
        }
        pledges += status.pledges.len();
        owed += status.obligations.len();
    }
    let all: Vec<_> = whole.totals.by.into_iter().map(|t| ((t.unit, t.bound), t.promised)).collect();
    assert_eq!(promised.into_iter().collect::<Vec<_>>(), all);
    assert_eq!((pledges, owed), (whole.pledges.len(), whole.obligations.len()));
}

#[test]
fn nothing_on_record_is_not_nothing() {
    let mut log = SmallLog::ready();
    let dues = json!([{"label": "all", "by": "2027-01-01"}]);
    let id = log.say("de", pledge("Some", &json!({"quantity": "exactly 5 EUR", "dues": dues})));
    log.say("ua", accept(&[id]));
    let sums = |log: &SmallLog| {
        let status = status_at(log, NOW, &Filter::default());
        let (row, total) = (status.obligations[0].sums.clone().unwrap(), status.totals.by[0].clone());
        assert_eq!((&row.claimed, &row.confirmed), (&total.claimed, &total.confirmed));
        (row.claimed, row.confirmed, row.outstanding)
    };
    assert_eq!(sums(&log), (None, None, sum("5")));
    let claim = json!({"obligation": due(id, 0), "answer": "delivered", "quantity": euro("0")});
    let paid = log.say("de", act(json!({ "respond": claim })));
    assert_eq!(sums(&log), (Some(Sum::zero()), None, sum("5")));
    log.say("ua", act(json!({"confirm": {"response": paid, "received": "not_received"}})));
    assert_eq!(sums(&log), (Some(Sum::zero()), Some(Sum::zero()), sum("5")));
    assert_eq!(log.findings(), []);
}

#[test]
fn what_a_pledge_promises_follows_how_it_ended() {
    let mut log = SmallLog::ready();
    let dues = json!([
        {"label": "first", "by": "2027-03-01", "quantity": "exactly 2 EUR"},
        {"label": "second", "by": "2027-09-01", "quantity": "exactly 2 EUR"},
    ]);
    let terms = json!({
        "quantity": "at least 4 EUR", "dues": dues, "valid_from": "2027-01-01", "valid_until": "2027-12-31",
    });
    let id = log.say("de", pledge("Some", &terms));
    log.say("ua", accept(&[id]));
    let promised = |log: &SmallLog, time: &str| {
        let totals = status_at(log, time, &Filter::default()).totals;
        let by: Vec<_> = totals.by.iter().map(|t| (t.bound, t.promised.to_string())).collect();
        (by, totals.not_in_force)
    };
    let whole = (vec![(Bound::AtLeast, "4".to_owned())], 0);
    for time in [NOW, "2027-06-01", "2028-06-01"] {
        assert_eq!(promised(&log, time), whole, "{time}");
    }
    // Withdrawn between its dues, it promised the first of them.
    log.now = at("2027-05-01");
    log.say("de", act(json!({"withdraw": {"from": {"pledges": [id]}}})));
    assert_eq!(log.findings(), []);
    assert_eq!(promised(&log, "2028-06-01"), (vec![(Bound::Exactly, "2".to_owned())], 0));
}

#[test]
fn exercises_and_records_stand_apart() {
    let (log, _) = coalition();
    let status = status_at(&log, NOW, &Filter::default());
    assert_eq!((status.exercises.len(), status.recorded.len()), (1, 1));
    assert!(status.obligations.iter().all(|row| !row.exercise));
    let all: u64 = status.tally.values().sum();
    assert_eq!(usize::try_from(all).unwrap(), status.obligations.len());
    assert_eq!(status.recorded_totals.by[0].promised, sum("300"));
    assert!(status.totals.by.iter().all(|t| t.unit != "generators"));
}

#[test]
fn filters_leave_nothing_else() {
    let (log, said) = coalition();
    let only = |filter: Filter| status_at(&log, NOW, &filter);
    let de = only(Filter { by: Some(handle("de")), ..Filter::default() });
    assert!(de.pledges.iter().all(|row| row.by == [handle("de")]) && de.pledges.len() == 4);
    let claimed = only(Filter { verdict: Some(Verdict::Claimed), ..Filter::default() });
    assert_eq!(claimed.pledges.iter().map(|row| row.id).collect::<Vec<_>>(), [said.consult]);
    assert!(claimed.recorded.is_empty());
    let proposed = only(Filter { state: Some("proposed".into()), ..Filter::default() });
    assert_eq!(proposed.pledges.len(), 1);
    let none = only(Filter { to: Some(handle("fr")), ..Filter::default() });
    assert_eq!(none, Status::default());
}

#[test]
fn what_changed_is_told_once_and_nothing_between_equals() {
    let (log, said) = coalition();
    let before = status_at(&log.cut(13), "2026-12-01T09:12Z", &Filter::default());
    let after = status_at(&log, NOW, &Filter::default());
    assert!(changes(&after, &after).is_empty());
    let told = changes(&before, &after);
    let of_money: Vec<_> = told.iter().filter(|c| c.id == said.money).map(|c| c.what.clone()).collect();
    assert_eq!(of_money, [Changed::Verdict { from: Verdict::NotYetDue, to: Verdict::PartKept }]);
    let claimed = Changed::Owed(Verdict::Claimed);
    assert!(told.iter().any(|c| c.id == said.consult && c.what == claimed), "{told:#?}");
    let back = changes(&after, &before);
    assert!(back.iter().any(|c| c.what == Changed::NotOwed(Verdict::Claimed)));
}

#[test]
fn the_agenda_goes_until_its_day_and_no_further() {
    let (log, said) = coalition();
    let roster = log.history().roster().unwrap();
    let items = |until: &str| agenda(ledger(&log), roster, Moment::at(at(NOW)), at(until));
    let notice = |until: &str| {
        let found = items(until).into_iter().find(|item| matches!(item.what, What::Notice { .. }));
        found.map(|item| (item.id, item.by.unwrap()))
    };
    // 14 days before it ends.
    assert_eq!(notice("2027-01-31"), Some((said.consult, at("2027-01-01"))));
    assert_eq!(notice("2026-12-31"), None);
    let kinds = |until: &str| {
        let all = items(until).into_iter().map(|item| item.what);
        all.map(|what| format!("{what:?}").split([' ', '{', '(']).next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = kinds("2027-01-31");
    for kind in ["Due", "Unconfirmed", "Unaccepted", "Need", "Disputed", "Notice", "Ends", "Review", "Motion"]
    {
        assert!(all.iter().any(|k| k == kind), "{kind}: {all:?}");
    }
    assert!(!kinds("2026-12-13").iter().any(|k| k == "Need" || k == "Review"));
}

#[test]
fn amendments_and_joint_owers_wait_on_the_agenda() {
    let mut log = SmallLog::ready();
    let jointly = json!({"owed_by": {"jointly": ["de", "fr"]}});
    let id = log.say("de", pledge("Together", &jointly));
    log.say("ua", accept(&[id]));
    let waiting = |log: &SmallLog| {
        let roster = log.history().roster().unwrap();
        let items = agenda(ledger(log), roster, Moment::at(at(NOW)), at(NOW));
        items.into_iter().map(|item| (item.who[0].to_string(), item.what)).collect::<Vec<_>>()
    };
    assert_eq!(waiting(&log), [("fr".to_owned(), What::Unjoined)]);
    log.say("fr", act(json!({"join": {"statement": id}})));
    assert_eq!(waiting(&log), []);
    let Act::Pledge(more) = pledge("Together, and more", &json!({})) else { unreachable!() };
    let amended = json!({"amend": {"statement": id, "to": ["ua"], "terms": more.terms}});
    let amended = log.say("de", act(amended));
    assert_eq!(waiting(&log), [("ua".to_owned(), What::Unaccepted { version: 1 })]);
    log.say("ua", accept(&[amended]));
    assert_eq!(waiting(&log), []);
    assert_eq!(log.findings(), []);
}

#[test]
fn what_is_sealed_may_be_for_this_and_is_told() {
    let mut log = SmallLog::ready();
    log.say("fr", act(json!({"pledge": {"to": ["ua"], "terms": {"sealed": "09".repeat(32)}}})));
    log.say("fr", pledge("Nothing to call", &json!({})));
    let kind = crate::support::small_log::short("armed attack");
    let trial = ledger(&log).what_if(&kind, &handle("ua"), Moment::at(at(NOW)));
    assert_eq!((trial.undisclosed, trial.would.len(), trial.would_not.len()), (1, 0, 0));
}

#[test]
fn an_announced_withdrawal_is_on_the_agenda_until_it_takes_effect() {
    let mut log = SmallLog::ready();
    let id = log.say("de", pledge("Some", &json!({"notice_period": "30 days"})));
    log.say("ua", accept(&[id]));
    log.say("de", act(json!({"withdraw": {"from": {"pledges": [id]}}})));
    let roster = log.history().roster().unwrap();
    let items = |now: &str, until: &str| agenda(ledger(&log), roster, Moment::at(at(now)), at(until));
    let told = items("2026-12-12", "2026-12-31T23:59Z");
    assert_eq!((told.len(), &told[0].what), (1, &What::Withdrawn));
    assert_eq!(told[0].by, Some(at("2026-12-31T09:08Z")));
    assert_eq!((items("2026-12-12", "2026-12-31").len(), items("2027-01-01", "2027-12-31").len()), (0, 0));
    let row = &status_at(&log, NOW, &Filter::default()).pledges[0];
    assert_eq!((row.state, row.ends_at), ("in force", Some(at("2026-12-31T09:08Z"))));
}

#[test]
fn the_last_moment_for_notice_is_exact_over_short_months() {
    use servanda::ledger::answers::agenda::last_before;
    let month: Duration = "1 month".parse().unwrap();
    // Midnight of 28 to 31 January leads to 28 February, but noon of the 28th leads past it.
    assert_eq!(last_before(at("2027-02-28"), month), Some(at("2027-01-28")));
    assert_eq!(last_before(at("2027-03-01"), month), Some(at("2027-02-01")));
    assert_eq!(last_before(at("2027-03-15"), month), Some(at("2027-02-15")));
    assert_eq!(last_before(at("1970-01-15"), month), None);
    assert_eq!(last_before(Instant::default(), Duration::default()), Some(Instant::default()));
}

#[test]
fn a_trial_tells_who_would_not_owe_and_why() {
    let (log, said) = coalition();
    let kind = crate::support::small_log::short("armed attack");
    let trial = |whom: &str, time: &str| ledger(&log).what_if(&kind, &handle(whom), Moment::at(at(time)));
    let now = trial("ua", NOW);
    let consult = now.would.iter().find(|w| w.id == said.consult).unwrap();
    assert_eq!(consult.deadline, Some(at("2026-12-13T12:00Z")));
    let guarded = now.would_not.iter().find(|w| w.id == said.guarded).unwrap();
    assert!(guarded.why.contains("only after \"ceasefire\""), "{}", guarded.why);
    let other = trial("fr", NOW);
    let consult = other.would_not.iter().find(|w| w.id == said.consult).unwrap();
    assert_eq!(consult.why, "it takes an incident against ua");
    let late = trial("ua", "2027-01-16");
    let consult = late.would_not.iter().find(|w| w.id == said.consult).unwrap();
    assert!(consult.why.starts_with("it expired 2027-01-15"), "{}", consult.why);
}

#[test]
fn figures_stand_side_by_side() {
    let (log, said) = coalition();
    let all = incidents(ledger(&log), Moment::at(at(NOW)));
    let attack = all.iter().find(|i| i.said.id == said.attack).unwrap();
    let figures: Vec<_> = attack.reports.iter().map(|r| r.figures[0].value.to_string()).collect();
    assert_eq!(figures, ["40", "36"]);
    assert!(attack.established.is_some() && attack.called == [said.consult]);
    let occurred = &attack.reports[0].tally[0];
    assert_eq!(occurred.attesting().map(ToString::to_string).collect::<Vec<_>>(), ["kiel", "ua"]);
    let attribution = attack.reports[0].tally.iter().find(|t| !t.disputed.is_empty()).unwrap();
    assert_eq!((attribution.counted_for, attribution.counted_against), (1, 1));
}

#[test]
fn keys_counted_from_entry_to_entry() {
    use servanda::statement::body::{Motion, Rotate};
    let mut log = SmallLog::ready();
    let mut set = log.keys(&handle("de"));
    set.officers[0] = crate::support::small_log::officer(
        "de/new",
        &[servanda::field::Class::Govern, servanda::field::Class::Commit],
    );
    log.say("de", Act::Rotate(Rotate { keys: set }));
    assert_eq!(log.findings(), []);
    let rotated = log.size() - 1;
    log.carry(Motion::Suspend { handle: handle("pl") });
    let roster = log.history().roster().unwrap();
    let de = &service(roster, Some(&handle("de")))[0];
    let served: Vec<_> = de.sets.iter().map(|s| (s.from, s.until)).collect();
    assert_eq!(served, [(1, Some(rotated)), (rotated, None)]);
    assert_ne!(de.sets[0].officers[0].key, de.sets[1].officers[0].key);
    assert!(service(roster, Some(&handle("pl")))[0].suspended);
    assert!(motions(roster, None).is_empty());
}
