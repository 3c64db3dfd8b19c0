//! Hostile partners: floods, endless texts, numbers and dates at their limits, acts of a later level.

use super::world::*;
use crate::chain::Reason;
use crate::codec::encode;
use crate::field::{Class, Duration, Instant};
use crate::hash::{Hash, sha256};
use crate::ledger::verdict::Verdict;
use crate::ledger::{Ledger, Moment, Said, State, Told};
use crate::roster::Roster;
use crate::rule::Rule;
use crate::statement::Act;
use crate::statement::body::*;
use crate::statement::terms::*;

/// Folds acts without their entries.
pub struct Flood {
    pub ledger: Ledger,
    pub roster: Roster,
    index: u64,
}

impl Flood {
    pub fn new() -> Self {
        let w = World::new();
        Self { ledger: w.ledger().clone(), roster: w.log.roster().clone(), index: w.log.size() }
    }

    pub fn at(&self) -> Instant {
        day(1).plus_ms(self.index)
    }

    pub fn say(&mut self, by: &str, act: &Act) -> Hash {
        self.try_say(by, act).expect("in order")
    }

    pub fn try_say(&mut self, by: &str, act: &Act) -> Result<Hash, Rule> {
        self.index += 1;
        let id = sha256(&self.index.to_be_bytes());
        let said = Said { index: self.index, id, at: self.at(), by: handle(by) };
        let told = Told { said: &said, class: act.kind().classes()[0], act, roster: &self.roster };
        self.ledger.take(&told).map(|()| id)
    }
}

const MANY: usize = 100_000;

#[test]
fn a_hundred_thousand_reports_by_one_partner_are_kept_each_by_itself() {
    let mut f = Flood::new();
    for _ in 0..MANY {
        f.say("de", &report("attack", day(0)));
    }
    assert_eq!(f.ledger.incidents().len(), MANY);
    assert!(encode(&f.ledger).len() < MANY * 400, "{} bytes", encode(&f.ledger).len());
    let last = f.ledger.incidents()[MANY - 1].said.id;
    f.say("pl", &attest(last));
    assert!(f.ledger.incidents()[MANY - 1].established.is_some());
}

#[test]
fn a_hundred_thousand_reports_of_one_incident_establish_nothing_by_themselves() {
    let mut f = Flood::new();
    let pledge = f.say("de", &pledge("it", called(Starts::Either)));
    f.say("it", &accept(&[pledge]));
    let first = f.say("it", &report("attack", day(0)));
    let mut last = first;
    for n in 0..MANY {
        let mut body = reported("attack", day(0));
        (body.joins, body.supersedes) = if n % 2 == 0 { (Some(first), None) } else { (None, Some(last)) };
        last = f.say("de", &Act::Report(body));
    }
    assert_eq!((f.ledger.incidents().len(), f.ledger.obligations().len()), (1, 0));
    f.say("pl", &attest(last));
    assert_eq!(f.ledger.obligations().len(), 1);
}

#[test]
fn guards_and_agreements_are_looked_up_among_very_many() {
    let mut f = Flood::new();
    let kinds = vec![short("attack")].into();
    let trigger = Trigger { kinds, only_after: Some(short("ceasefire")), ..trigger(Starts::OnceEstablished) };
    let guarded = f.say("de", &pledge("it", Terms { trigger: Some(trigger), ..terms() }));
    f.say("it", &accept(&[guarded]));
    for _ in 0..MANY / 20 {
        let id = f.say("de", &report("ceasefire", day(1)));
        f.say("pl", &attest(id));
        let id = f.say("de", &report("attack", day(0)));
        f.say("pl", &attest(id));
        f.say("de", &pledge("it", terms()));
    }
    assert_eq!(f.ledger.obligations().len(), 0, "they all began before the ceasefires");
}

#[test]
fn suspending_and_resuming_without_end_stays_a_partners_own_affair() {
    let mut f = Flood::new();
    let id = f.say("de", &pledge("it", terms()));
    f.say("it", &accept(&[id]));
    for _ in 0..MANY / 4 {
        f.say("it", &notice(id, NoticeKind::Suspended));
        f.say("it", &notice(id, NoticeKind::Resumed));
    }
    let pledge = f.ledger.pledge_of(&id).unwrap();
    assert_eq!(pledge.state(crate::ledger::Line::Author, &handle("it"), Moment::at(f.at())), State::InForce);
}

#[test]
fn amendments_without_end_that_nobody_accepts_change_nothing() {
    let mut f = Flood::new();
    let id = f.say("de", &pledge("it", terms()));
    f.say("it", &accept(&[id]));
    for _ in 0..MANY / 4 {
        f.say("de", &amend(id, "it", terms()));
    }
    let pledge = f.ledger.pledge_of(&id).unwrap();
    let (author, to, now) = (crate::ledger::Line::Author, handle("it"), Moment::at(f.at()));
    assert_eq!((pledge.bound_by(author, &to, now), pledge.versions.len()), (Some(0), MANY / 4 + 1));
}

#[test]
fn a_title_of_48_kib_is_no_title() {
    let mut w = World::new();
    let mut draft = w.log.draft("de", Class::Commit, &pledge("it", terms()));
    let body = draft.statement.body.0.clone();
    let title = b"\x08a pledge";
    let at = body.windows(title.len()).position(|w| w == title).expect("the title");
    let long = encode(&"x".repeat(48 * 1024 - 1024));
    draft.statement.body = [&body[..at], &long, &body[at + title.len()..]].concat().into();
    let digest = w.ledger().digest();
    assert!(matches!(w.log.put(&draft)[..], [Reason::Body { .. }]));
    assert_eq!(w.ledger().digest(), digest);
    let most = "x".repeat(256);
    w.say("de", pledge("it", Terms { title: short(&most), text: long_text(), ..terms() }));
}

fn long_text() -> crate::field::Long {
    long(&"\u{202e}".repeat(32_768 / 3))
}

#[test]
fn amounts_of_45_digits_are_summed_to_the_last() {
    let mut w = World::new();
    let most = format!("{}.{}", "9".repeat(27), "9".repeat(18));
    let id = w.pledged(due(&format!("exactly {most} EUR"), 2));
    let short_by_little = format!("{}.{}8 EUR", "9".repeat(27), "9".repeat(17));
    let first = w.say("de", deliver(on_due(id, 0), &short_by_little));
    w.say("it", confirm(first));
    assert_eq!(w.verdict(), Verdict::PartKept);
    let second = w.say("de", deliver(on_due(id, 0), "0.000000000000000001 EUR"));
    w.say("it", confirm(second));
    assert_eq!(w.verdict(), Verdict::Kept);
    let third = w.say("de", deliver(on_due(id, 0), &format!("{most} EUR")));
    w.say("it", confirm(third));
    let owed = w.owed(w.now());
    let measured = owed[0].measured.as_ref().unwrap();
    assert_eq!(
        measured.confirmed.to_string().replace(',', ""),
        format!("1{}.{}8", "9".repeat(27), "9".repeat(17))
    );
}

#[test]
fn dates_and_periods_at_the_end_of_time_stop_there() {
    let mut w = World::new();
    let end = Instant::from_ms(crate::field::time::LAST_INSTANT_MS).unwrap();
    let longest = Duration::new(120_000, 3_700_000, 320_000_000_000_000).unwrap();
    let last = Due { label: short("last"), by: end, quantity: Quantity::None };
    let mut terms =
        Terms { notice_period: longest, valid_until: Some(end), ..called(Starts::OnceEstablished) };
    terms.respond_within = Some(longest);
    terms.dues = vec![last].into();
    let id = w.pledged(terms);
    w.attack();
    w.say("de", notice_from(id, NoticeKind::Suspended, Some(end)));
    w.say("de", withdraw(&[id]));
    assert_eq!(w.state_at(&id, end), State::Withdrawn(end));
    assert_eq!(w.owed(end).len(), 1, "the call; the due falls on the end of the notice period");
    assert_eq!(w.owed(end)[0].verdict, Verdict::NotYetDue);
}

#[test]
fn behind_an_act_of_a_later_level_nothing_is_called_void_by_a_rule() {
    let mut w = World::new();
    let level = Motion::Level { level: 2 };
    w.carry(level, &["de", "fr", "it"]);
    assert_eq!(w.refused("it", accept(&[NOTHING])), "unknown");
    let mut draft = w.log.draft("pl", Class::Commit, &adopt(NOTHING));
    draft.statement.kind = 71;
    assert_eq!(w.log.put(&draft), []);
    let (index, kind) = w.log.history.incomplete().expect("incomplete");
    assert_eq!((index, kind), (w.log.size() - 1, 71));
    w.say("it", accept(&[NOTHING]));
    let id = w.pledged(terms());
    assert_eq!(w.state(&id), State::InForce, "what is understood is folded on");
}
