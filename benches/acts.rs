//! What the authors of the measured log say: pledges, and everything that comes of them, in cycles of ten rounds.
//!
//! ```text
//! 0 pledge, in two parts | 1 accept | 2, 4 respond on the first part | 3, 5 confirm | 6 respond on the second | 7 confirm
//! 8 amend | 9 withdraw, or report an incident, in turn
//! ```

use super::made::{AUTHORS, handle, short};
use servanda::charter::Sealable;
use servanda::codec::List;
use servanda::field::{Day, Duration, Instant, Long};
use servanda::hash::Hash;
use servanda::statement::Act;
use servanda::statement::body::{
    Accept, Amend, Answer, Confirm, Obligation, Occasion, Pledge, Received, Report, Respond, When, Withdraw,
    Withdrawn,
};
use servanda::statement::terms::{Due, Force, Instrument, Quantity, Terms};

/// How many acts each author has in a round.
pub const EACH: usize = 34;

/// How many rounds a cycle has.
const PHASES: usize = 10;

/// The ids of what everyone said in this cycle: by round, author, and place in it.
pub type Cycle = Vec<Vec<Vec<Hash>>>;

/// What an author says at its place in a round.
pub fn act(cycle: &Cycle, author: usize, place: usize, now: Instant, number: u64) -> Act {
    let debtor = (author + AUTHORS - 1) % AUTHORS;
    let confirm = |round: usize| {
        let response = cycle[round][debtor][place];
        Act::Confirm(Confirm { response, received: Received::InFull, note: Long::default() })
    };
    match cycle.len() {
        0 => pledge(author, now, number),
        1 => Act::Accept(Accept { statements: vec![cycle[0][debtor][place]].into(), reservation: None }),
        2 | 4 => respond(cycle[0][author][place], 0, &format!("{}.25 EUR", number % 50_000), now),
        6 => respond(cycle[0][author][place], 1, "1 EUR", now),
        round @ (3 | 5 | 7) => confirm(round - 1),
        8 => amend(cycle[0][author][place], author, now, number),
        _ if place.is_multiple_of(2) => withdraw(cycle[0][author][place]),
        _ => report(now, number),
    }
}

/// Notes what was said in a round, and begins a new cycle after the last.
pub fn said(cycle: &mut Cycle, round: Vec<Vec<Hash>>) {
    cycle.push(round);
    if cycle.len() == PHASES {
        cycle.clear();
    }
}

fn to(author: usize) -> List<servanda::field::Handle> {
    vec![handle((author + 1) % AUTHORS)].into()
}

/// A pledge as the trackers of aid have them.
pub fn pledge(author: usize, now: Instant, number: u64) -> Act {
    Act::Pledge(Pledge { to: to(author), terms: Sealable::Open(terms(now, number)) })
}

fn amend(statement: Hash, author: usize, now: Instant, number: u64) -> Act {
    let terms = Terms { reference: None, made_on: None, ..terms(now, number) };
    Act::Amend(Amend { statement, to: to(author), terms: Sealable::Open(terms) })
}

fn terms(now: Instant, number: u64) -> Terms {
    let due = |label: &str, days: u64, quantity: &str| Due {
        label: short(label),
        by: now.plus(Duration::of_days(days)),
        quantity: Quantity::Open(quantity.parse().unwrap()),
    };
    Terms {
        reference: Some(short(&format!("BEN-{number}"))),
        title: short("Artillery ammunition and spare parts"),
        text: Long::new("155 mm ammunition and barrels, from stocks, delivered through the common hub")
            .unwrap(),
        instruments: vec![Instrument::Military].into(),
        quantity: Quantity::Open(format!("up to {}.50 EUR", number % 100_000).parse().unwrap()),
        within: None,
        force: Force::Political,
        made_on: Some("2026-11-03".parse::<Day>().unwrap()),
        source: Some(Long::new("https://defence.example/press/2026-11-03").unwrap()),
        clause: None,
        valid_from: "2026-12-01".parse().unwrap(),
        valid_until: Some("2027-12-01".parse().unwrap()),
        notice_period: Duration::default(),
        owed_by: Default::default(),
        trigger: None,
        respond_within: None,
        dues: vec![
            due("first", 30, &format!("at least {}.50 EUR", number % 50_000 * 2)),
            due("second", 90, "up to 1 EUR"),
        ]
        .into(),
        needs: List::default(),
        annexes: List::default(),
    }
}

fn respond(pledge: Hash, due: u64, quantity: &str, now: Instant) -> Act {
    Act::Respond(Respond {
        obligation: Obligation { pledge, occasion: Occasion::Due(due) },
        answer: Answer::Delivered,
        quantity: Some(quantity.parse().unwrap()),
        done_at: Some(now),
        note: Long::new("handed over at the common hub").unwrap(),
        annexes: List::default(),
    })
}

fn withdraw(pledge: Hash) -> Act {
    Act::Withdraw(Withdraw {
        from: Withdrawn::Pledges(vec![pledge].into()),
        text: Long::new("delivered").unwrap(),
    })
}

/// A report of an incident.
pub fn report(now: Instant, number: u64) -> Act {
    Act::Report(Report {
        kinds: vec![short("shelling")].into(),
        actor: None,
        against: List::default(),
        place: short(&format!("sector {}", number % 40)),
        from: When::Instant(now),
        to: When::Instant(now),
        figures: List::default(),
        text: Long::new("Explosions heard and seen from the observation post").unwrap(),
        annexes: List::default(),
        joins: None,
        supersedes: None,
        exercise: false,
    })
}
