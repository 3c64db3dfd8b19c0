//! What the writer takes at a time: all that waits, up to one round; and for whom it waits.

use crate::log::{MAX_ROUND, MAX_ROUND_BYTES};
use crate::merkle::bundle;
use crate::server::door::{Refusal, Submission, Work};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use tokio::sync::oneshot::Sender;

/// How long a round waits for company where the one before had much: whoever was just answered mostly has more to say, and
/// one full round takes less than two.
const COMPANY: Duration = Duration::from_millis(3);

/// From how many on.
const MUCH: usize = 8;

/// How much longer than its statement an entry can be, in bytes.
const SIGNATURES: usize = 1 << 14;

/// Who asked for the promise of which entry.
pub(super) type Asked = (u64, Sender<Result<String, Refusal>>);

/// What waited, up to one round.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) submissions: Vec<Submission>,
    pub(super) promises: Vec<Asked>,
    pub(super) witnesses: Vec<Work>,
    /// Nothing comes after this.
    pub(super) ends: bool,
}

/// How many submissions a round waits for, and until when.
pub(super) struct Company {
    many: usize,
    until: Instant,
}

impl Company {
    /// Those whom a round of so many has just answered may all come again, beside those who waited meanwhile.
    pub(super) fn after(answered: usize, waited: usize) -> Self {
        let many = if answered < MUCH { 0 } else { waited + answered };
        Self { many, until: Instant::now() + COMPANY }
    }
}

impl Taken {
    pub(super) fn from(first: Work, work: &Receiver<Work>, company: &Company) -> Self {
        let (mut taken, mut bytes, mut next) = (Self::default(), 0, Some(first));
        while let Some(one) = next.take() {
            match one {
                Work::Submission(submission) => {
                    bytes += bundle::ENTRY_MAX.min(submission.statement.len() + SIGNATURES);
                    taken.submissions.push(*submission);
                }
                Work::Promise(index, answer) => taken.promises.push((index, answer)),
                Work::Learned(_) | Work::Told(_) => taken.witnesses.push(one),
                // What was sent before has been taken; what comes now is too late.
                Work::End => {
                    taken.ends = true;
                    return taken;
                }
            }
            if taken.submissions.len() < MAX_ROUND && bytes + bundle::ENTRY_MAX <= MAX_ROUND_BYTES {
                next = work.try_recv().ok();
                let many = taken.submissions.len();
                if next.is_none() && many > 0 && many < company.many {
                    next = work.recv_timeout(company.until.saturating_duration_since(Instant::now())).ok();
                }
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::door::{Door, Until};
    use std::thread;

    /// A door with so many before it.
    fn waiting(many: usize) -> (Door, Receiver<Work>) {
        let (door, work) = Door::new();
        (0..many).for_each(|_| submit(&door));
        (door, work)
    }

    fn submit(door: &Door) {
        drop(door.submit(Vec::new(), Vec::new(), Until::Durable).unwrap());
    }

    fn taken(work: &Receiver<Work>, company: &Company) -> usize {
        Taken::from(work.recv().unwrap(), work, company).submissions.len()
    }

    #[test]
    fn a_round_takes_all_that_waits_and_behind_a_small_one_waits_for_nobody() {
        let (_door, work) = waiting(MUCH - 1);
        let company =
            Company { until: Instant::now() + Duration::from_secs(3600), ..Company::after(MUCH - 1, 5) };
        assert_eq!(taken(&work, &company), MUCH - 1);
    }

    #[test]
    fn behind_a_large_round_all_whom_it_answered_are_waited_for_beside_those_who_wait() {
        let (door, work) = waiting(3);
        let company =
            Company { until: Instant::now() + Duration::from_secs(3600), ..Company::after(MUCH, 3) };
        let late = thread::spawn(move || {
            for _ in 0..MUCH {
                thread::sleep(Duration::from_millis(1));
                submit(&door);
            }
            door
        });
        assert_eq!(taken(&work, &company), 3 + MUCH);
        drop(late.join());
    }

    #[test]
    fn nobody_is_waited_for_longer_than_a_while() {
        let (_door, work) = waiting(1);
        assert_eq!(taken(&work, &Company::after(1000, 0)), 1);
    }
}
