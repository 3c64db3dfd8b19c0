//! Floods: whatever a partner, or two of them together, say very often, costs everyone no more than its length. Each flood
//! is tried at a length and at four times that; were any part of it looked at again with each new act, it would take
//! sixteen times as long. Two do, and are not here: needs, of which a statement holds some thousands at most, and accepted
//! amendments that wait for one who is to join.

use super::hostile::Flood;
use super::world::*;
use crate::charter::Aspect;
use crate::field::Instant;
use crate::hash::Hash;
use crate::ledger::Moment;
use crate::ledger::answers::{Filter, Status, agenda, incidents};
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::*;
use std::time::{Duration, Instant as Clock};

/// A flood of so many acts.
type Pour = fn(&mut Flood, usize);

/// The shorter length.
const SHORT: usize = 700;

/// What four times as much may take beyond ten times as long: less than a quadratic flood would.
const SLACK: Duration = Duration::from_millis(400);

fn called_by(starts: Starts) -> Act {
    pledge("it", called(starts))
}

fn pledged(f: &mut Flood, by: &str, terms: Terms) -> Hash {
    let id = f.say(by, &pledge("it", terms));
    f.say("it", &accept(&[id]));
    id
}

fn established(f: &mut Flood, kind: &str) -> Hash {
    let id = f.say("de", &report(kind, day(0)));
    f.say("pl", &attest(id));
    id
}

fn many(n: usize) -> Vec<Due> {
    let due = |n| Due { label: short("d"), by: day(2 + n), quantity: open("exactly 1 EUR") };
    (0..u64::try_from(n).expect("few")).map(due).collect()
}

fn status(f: &Flood) -> Status {
    Status::of(&f.ledger, Moment::at(f.at()), &Filter::default())
}

const FLOODS: &[(&str, Pour)] = &[
    ("proposals that wait for incidents, and incidents", |f, n| {
        for _ in 0..n {
            f.say("de", &called_by(Starts::OnceEstablished));
        }
        for _ in 0..n {
            established(f, "attack");
        }
    }),
    ("superseded reports, and requests that rest on them", |f, n| {
        let id = pledged(f, "de", called(Starts::Either));
        let first = f.say("it", &report("ceasefire", day(0)));
        let mut last = first;
        for _ in 0..n {
            let body = Report { supersedes: Some(last), ..reported("ceasefire", day(0)) };
            last = f.say("it", &Act::Report(body));
        }
        (0..n).for_each(|_| drop(f.try_say("it", &invoke(&[id], Some(first)))));
    }),
    ("amendments that nobody accepts, and responses to what is not owed", |f, n| {
        let id = f.say("de", &pledge("it", due("exactly 5 EUR", 9)));
        for _ in 0..n {
            f.say("de", &amend(id, "it", due("exactly 5 EUR", 9)));
        }
        (0..n).for_each(|_| drop(f.try_say("de", &deliver(on_due(id, 0), "5 EUR"))));
        (0..n).for_each(|_| drop(f.try_say("it", &withdraw(&[NOTHING]))));
        assert_eq!(status(f).obligations.len(), 0);
    }),
    ("amendments that are all accepted, and states asked for", |f, n| {
        let id = pledged(f, "de", due("exactly 5 EUR", 9));
        for _ in 0..n {
            let next = f.say("de", &amend(id, "it", due("exactly 5 EUR", 9)));
            f.say("it", &accept(&[next]));
            f.say("de", &deliver(on_due(id, 0), "1 EUR"));
        }
        assert_eq!(status(f).obligations.len(), 1);
    }),
    ("suspensions, and requests", |f, n| {
        let id = pledged(f, "de", called(Starts::OnRequest));
        let incident = f.say("it", &report("attack", day(0)));
        for _ in 0..n {
            f.say("it", &notice(id, NoticeKind::Suspended));
            f.say("it", &notice(id, NoticeKind::Resumed));
            drop(f.try_say("fr", &invoke(&[id], Some(incident))));
        }
    }),
    ("exercises that call upon a pledge, and real incidents that wait for it", |f, n| {
        let first = pledged(f, "de", called(Starts::OnRequest));
        let after = Trigger { after: Some(first), ..trigger(Starts::Either) };
        let second = pledged(f, "de", Terms { trigger: Some(after), ..terms() });
        let real = f.say("it", &report("attack", day(0)));
        for _ in 0..n {
            let drill = f.say("it", &exercise("attack", day(0)));
            f.say("it", &invoke(&[first], Some(drill)));
            drop(f.try_say("it", &invoke(&[second], Some(real))));
        }
    }),
    ("pledges in units of their own, summed", |f, n| {
        for n in 0..n {
            pledged(
                f,
                "de",
                Terms { quantity: open(&format!("exactly 1 unit{}", n * 7919 % 10_000)), ..terms() },
            );
        }
        assert_eq!(status(f).totals.by.len(), n);
    }),
    ("a long list of dues, and amendments", |f, n| {
        let id = pledged(f, "de", Terms { dues: many(n).into(), ..terms() });
        for _ in 0..n {
            let next = f.say("de", &amend(id, "it", terms()));
            f.say("it", &accept(&[next]));
        }
        status(f);
    }),
    ("responses to one due, confirmed", |f, n| {
        let id = pledged(f, "de", due("exactly 5 EUR", 9));
        for _ in 0..n {
            let response = f.say("de", &deliver(on_due(id, 0), "0.001 EUR"));
            f.say("it", &confirm(response));
        }
        assert_eq!(status(f).obligations.len(), 1);
        let _ = agenda(&f.ledger, &f.roster, Moment::at(f.at()), day(99));
    }),
    ("reports of one incident, each disputed", |f, n| {
        let first = f.say("it", &report("attack", day(0)));
        for _ in 0..n {
            let id = f.say("it", &Act::Report(Report { joins: Some(first), ..reported("attack", day(0)) }));
            f.say("pl", &dispute_on(Subject::Statement(id), &[Aspect::Occurred]));
        }
        assert_eq!(incidents(&f.ledger, Moment::at(f.at()))[0].reports.len(), n + 1);
        let _ = agenda(&f.ledger, &f.roster, Moment::at(f.at()), day(99));
    }),
    ("notices on one pledge, and reviews", |f, n| {
        let id = pledged(f, "de", terms());
        for _ in 0..n {
            f.say("pl", &notice(id, NoticeKind::Objection));
            let held_on = "2026-01-01".parse().expect("a day");
            let (attendance, remarks, decisions, annexes) = Default::default();
            let next_on = Some("2026-07-01".parse().expect("a day"));
            let body = Review { held_on, attendance, remarks, decisions, next_on, annexes };
            f.say("pl", &Act::Review(body));
        }
        status(f);
        let _ = agenda(&f.ledger, &f.roster, Moment::at(f.at()), day(999));
    }),
];

fn time(pour: Pour, n: usize) -> Duration {
    let mut flood = Flood::new();
    let from = Clock::now();
    pour(&mut flood, n);
    let _: Instant = flood.at();
    from.elapsed()
}

#[test]
fn no_flood_costs_more_than_its_length() {
    for (what, pour) in FLOODS {
        let (once, four) = (time(*pour, SHORT), time(*pour, 4 * SHORT));
        println!("{what}: {once:?}, four times as many: {four:?}");
        assert!(four < 10 * once + SLACK, "{what}: {once:?}, four times as many: {four:?}");
    }
}
