//! How this lane stands with its siblings, and they with it: who has left the store, which epoch it
//! is in, and whether two processes work with one lane's disk.
//!
//! Every lane says hello to every sibling once a second. A run that says hello while another run of
//! the same lane is known to live is a second process. That the first one lives is proved, not
//! guessed from the order in which messages arrive: it shows a ticket that was given out after the
//! second one appeared. Which of the two goes on is then decided once, by an entry of the store's
//! log, so that no two siblings stop one each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use ledger::{Epoch, LaneId, Run};
use providers::{PeerId, SharedClock, SharedNetwork, StreamClass};
use tokio::sync::watch;
use wire::{Answer, Ask, Hello, Standing, Verdict};

use super::contacts::Contacts;
use super::links::Links;
use super::stamps::Stamps;

const HELLO_EVERY: Duration = Duration::from_secs(1);
const HELLO_LIMIT: Duration = Duration::from_secs(1);
/// Lanes that have left are asked in one round of so many: one of them may have been recovered, too.
const LEFT_ASKED_EVERY: u64 = 10;
/// A run that was not heard of for this long has ended: the next one is its successor.
const ENDED_AFTER: Duration = Duration::from_secs(5);

/// Why this lane must not go on as it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It has left the store; why.
    Left(String),
    /// The store was recovered without it.
    Superseded(Epoch),
    /// The store was recovered on two lanes, apart from each other.
    TwoRecoveries(Epoch),
    /// Another process works with a copy of this lane's disk.
    Copied,
}

impl Trouble {
    /// For the person at this lane.
    pub fn in_words(&self) -> String {
        let join_again = "close this lane, show a code on a lane of the store with `lanemesh invite`, \
                          and run `lanemesh join DIR --again --code CODE` here";
        match self {
            Trouble::Left(why) => format!(
                "This lane does not belong to the store any more: {why}. It still sells, and keeps \
                 what it sells. To share it: {join_again}."
            ),
            Trouble::Superseded(epoch) => format!(
                "The store was recovered on another lane while this one was missing (epoch {}). \
                 This lane still sells, and keeps what it sells. To share it: {join_again}.",
                epoch.number
            ),
            Trouble::TwoRecoveries(epoch) => format!(
                "The store was recovered on two lanes apart from each other (epoch {}). Decide which \
                 of them goes on; on the other one: {join_again}. Nothing that was sold is lost.",
                epoch.number
            ),
            Trouble::Copied => format!(
                "This machine works with a copy of another register's disk, and that register is \
                 running. So that no sale counts twice, this one has stopped; what it sold is kept \
                 here. To go on as a register of its own: {join_again}."
            ),
        }
    }

    /// Whether it must not even sell.
    pub fn stops_selling(&self) -> bool {
        matches!(self, Trouble::Copied)
    }

    fn weight(&self) -> u8 {
        match self {
            Trouble::Copied => 3,
            Trouble::Superseded(_) => 2,
            Trouble::TwoRecoveries(_) => 1,
            Trouble::Left(_) => 0,
        }
    }
}

/// Which runs of one lane were heard of.
#[derive(Debug)]
struct Attendance {
    holder: Run,
    heard: Duration,
    /// A second run, and the ticket that it was answered with first.
    challenger: Option<(Run, u64)>,
}

/// Two runs of one lane that live at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub keeps: Run,
    pub bars: Run,
}

/// The siblings' runs, as this lane hears of them.
#[derive(Debug, Default)]
pub struct Roll {
    attendance: Mutex<BTreeMap<LaneId, Attendance>>,
    tickets: Mutex<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Roll {
    /// Notes a hello at `now`. Gives the ticket to answer with, and the conflict if there is one.
    pub fn hear(&self, hello: &Hello, now: Duration) -> (u64, Option<Conflict>) {
        let ticket = {
            let mut tickets = lock(&self.tickets);
            *tickets += 1;
            *tickets
        };
        let mut attendance = lock(&self.attendance);
        let known = attendance.entry(hello.lane).or_insert(Attendance {
            holder: hello.run,
            heard: now,
            challenger: None,
        });
        if known.holder == hello.run {
            known.heard = now;
            let proved = known
                .challenger
                .filter(|(_, answered_with)| hello.ticket >= *answered_with);
            let conflict = proved.map(|(run, _)| Conflict {
                keeps: hello.run,
                bars: run,
            });
            return (ticket, conflict);
        }
        if now.saturating_sub(known.heard) >= ENDED_AFTER {
            *known = Attendance {
                holder: hello.run,
                heard: now,
                challenger: None,
            };
        } else if known.challenger.is_none_or(|(run, _)| run != hello.run) {
            known.challenger = Some((hello.run, ticket));
        }
        (ticket, None)
    }
}

/// Says hello, and finds out how this lane stands.
pub struct Greeter {
    pub lane: LaneId,
    pub epoch: Epoch,
    pub run: Run,
    pub network: SharedNetwork,
    pub contacts: Arc<Contacts>,
    pub links: Arc<Links>,
    pub clock: SharedClock,
    pub stamps: Arc<Stamps>,
    pub trouble: watch::Sender<Option<Trouble>>,
}

impl Greeter {
    /// Until this lane is found to be a copy.
    pub async fn run(self) {
        let mut tickets: BTreeMap<PeerId, u64> = BTreeMap::new();
        for round in 0_u64.. {
            let mut peers = match round % LEFT_ASKED_EVERY {
                0 => self.contacts.known_lanes(),
                _ => self.contacts.members(),
            };
            peers.remove(&self.network.local_peer());
            tickets.retain(|peer, _| peers.contains(peer));
            let asks = peers.iter().map(|peer| {
                let ticket = tickets.get(peer).copied().unwrap_or(0);
                self.ask(peer, ticket)
            });
            for (peer, standing) in peers.iter().zip(join_all(asks).await) {
                let Some(standing) = standing else { continue };
                tickets.insert(peer.clone(), standing.ticket);
                self.stamps.hear(standing.stamp);
                if let Some(trouble) = trouble_in(self.epoch, &standing) {
                    report(&self.trouble, trouble);
                }
            }
            if *self.trouble.borrow() == Some(Trouble::Copied) {
                return;
            }
            self.clock.sleep(HELLO_EVERY).await;
        }
    }

    async fn ask(&self, peer: &PeerId, ticket: u64) -> Option<Standing> {
        let hello = Hello {
            lane: self.lane,
            epoch: self.epoch,
            run: self.run,
            ticket,
            stamp: self.stamps.newest(),
        };
        let ask = Ask::Standing(hello);
        let asked = self.links.ask(peer, StreamClass::Control, ask, HELLO_LIMIT);
        match asked.await {
            Ok(Answer::Standing(standing)) => Some(standing),
            // A lane that is away, or of an earlier release.
            _ => None,
        }
    }
}

/// Shows `trouble` unless a heavier one is shown.
pub fn report(shown: &watch::Sender<Option<Trouble>>, trouble: Trouble) {
    shown.send_if_modified(|shown| {
        if shown
            .as_ref()
            .is_some_and(|s| s.weight() >= trouble.weight())
        {
            return false;
        }
        tracing::error!("{}", trouble.in_words());
        *shown = Some(trouble);
        true
    });
}

fn trouble_in(epoch: Epoch, standing: &Standing) -> Option<Trouble> {
    if standing.epoch.number > epoch.number {
        return Some(Trouble::Superseded(standing.epoch));
    }
    if standing.epoch.number == epoch.number && standing.epoch != epoch {
        return Some(Trouble::TwoRecoveries(epoch));
    }
    // What a lane of an earlier epoch thinks of this one is of no weight.
    match &standing.verdict {
        _ if standing.epoch.number < epoch.number => None,
        Verdict::Member => None,
        Verdict::Left { why } => Some(Trouble::Left(why.clone())),
        Verdict::Copied => Some(Trouble::Copied),
    }
}

#[cfg(test)]
mod tests {
    use ledger::Hlc;

    use super::*;

    const LANE: LaneId = LaneId([7; 16]);

    /// Second, run, which answer's ticket it shows, expected conflict.
    type Said = (u64, u64, Option<usize>, Option<(u64, u64)>);

    /// One hello after the other.
    fn check(hellos: &[Said]) {
        let roll = Roll::default();
        let mut tickets = Vec::new();
        for (at, run, shows, expected) in hellos {
            let hello = Hello {
                lane: LANE,
                epoch: Epoch::FIRST,
                run: Run(*run),
                ticket: shows.map_or(0, |answer| tickets[answer]),
                stamp: Hlc::default(),
            };
            let (ticket, conflict) = roll.hear(&hello, Duration::from_secs(*at));
            tickets.push(ticket);
            let expected = expected.map(|(keeps, bars)| Conflict {
                keeps: Run(keeps),
                bars: Run(bars),
            });
            assert_eq!(conflict, expected, "{hellos:?} at {at}");
        }
    }

    #[test]
    fn two_runs_that_both_live_are_found_out_and_the_first_goes_on() {
        check(&[
            (0, 1, None, None),
            (1, 2, None, None),
            // Its ticket is from before the second run appeared: it may have been sent before, too.
            (1, 1, Some(0), None),
            (2, 1, Some(2), Some((1, 2))),
            (3, 2, Some(1), None),
            (3, 1, Some(3), Some((1, 2))),
        ]);
    }

    #[test]
    fn a_restart_is_no_copy() {
        check(&[
            (0, 1, None, None),
            (1, 2, None, None),
            (2, 2, Some(1), None),
            // What the first run sent before it ended comes late.
            (2, 1, Some(0), None),
            (5, 2, Some(2), None),
            (8, 2, Some(4), None),
            (9, 2, Some(5), None),
        ]);
        // One restart after the other, each quick.
        check(&[
            (0, 1, None, None),
            (1, 2, None, None),
            (2, 3, None, None),
            (3, 4, None, None),
            (9, 4, Some(3), None),
            (10, 4, Some(4), None),
        ]);
    }

    #[test]
    fn only_a_sibling_of_this_epoch_can_say_that_a_lane_has_left() {
        let epoch = |number, mark| Epoch { number, mark };
        let check = |theirs: Epoch, verdict: Verdict, expected: Option<Trouble>| {
            let standing = Standing {
                lane: LANE,
                epoch: theirs,
                verdict,
                ticket: 1,
                applied: 0,
                stamp: Hlc::default(),
            };
            assert_eq!(trouble_in(epoch(2, 7), &standing), expected);
        };
        let left = || Verdict::Left {
            why: "x".to_owned(),
        };
        check(epoch(2, 7), Verdict::Member, None);
        check(epoch(2, 7), left(), Some(Trouble::Left("x".to_owned())));
        check(epoch(2, 7), Verdict::Copied, Some(Trouble::Copied));
        check(epoch(1, 0), left(), None);
        check(epoch(3, 1), left(), Some(Trouble::Superseded(epoch(3, 1))));
        check(
            epoch(2, 8),
            left(),
            Some(Trouble::TwoRecoveries(epoch(2, 7))),
        );
    }

    #[test]
    fn the_heavier_trouble_stays_shown() {
        let (shown, _) = watch::channel(None);
        report(&shown, Trouble::Left("x".to_owned()));
        report(&shown, Trouble::Copied);
        report(&shown, Trouble::Superseded(Epoch::FIRST));
        assert_eq!(*shown.borrow(), Some(Trouble::Copied));
    }
}
