//! How this lane stands with its siblings, and they with it: who has left the store, which epoch it
//! is in, and whether two processes work with one lane's disk.
//!
//! Every lane says hello to every sibling once a second, more often until each that answers deals
//! with it; [`super::roll`] says what they make of it. Which of two processes with one lane's disk
//! goes on is decided once, by an entry of the store's log, so that no two siblings stop one each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use consensus::Consensus;
use futures::future::join_all;
use ledger::{Epoch, Head, LaneId, Run};
use providers::{PeerId, SharedClock, SharedNetwork, StreamClass, timeout};
use tokio::sync::{mpsc, watch};
use wire::{Answer, Ask, Hello, SeenRun, Standing, Verdict};

use super::contacts::Contacts;
use super::links::Links;
use super::roll::{Question, Roll};
use super::stamps::Stamps;

const HELLO_EVERY: Duration = Duration::from_secs(1);
/// Until every sibling that answers deals with this process.
const HELLO_SOON: Duration = Duration::from_millis(250);
const HELLO_LIMIT: Duration = Duration::from_secs(1);
/// How long a voter may take to say which run of a lane it deals with.
const QUESTION_LIMIT: Duration = Duration::from_millis(200);
/// How long a process that has just started waits for the voters to come into reach, and to answer, before it
/// goes by those that have. One that met a copied disk first would have nobody to ask whether the original
/// lives, and with the copy's vote it could lead against those that deal with the original.
const VOTERS_IN_REACH_WITHIN: Duration = Duration::from_secs(1);
/// The same where there is no other voter that could be asked: it waits for the original itself, for
/// longer than it takes that to dial once more after a dial that came to nothing.
const ORIGINAL_IN_REACH_WITHIN: Duration = Duration::from_secs(3);
const VOTERS_LOOKED_FOR_EVERY: Duration = Duration::from_millis(50);
/// Lanes that have left are asked in one round of so many: one of them may have been recovered, too.
const LEFT_ASKED_EVERY: u64 = 10;
/// How long the only voter of a store looks for its siblings before it takes it that none is there,
/// and how long one that answered must have been silent.
const ALONE_AFTER: Duration = Duration::from_secs(2);

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
    /// The store has other entries of this lane than its journal: a copy of its disk was at work.
    Parted,
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
            Trouble::Parted => format!(
                "Another machine worked as this register with a copy of its disk, and the store goes \
                 on with what was sold there. So that no right is used twice, this one has stopped; \
                 what it sold is kept here. To go on as a register of its own: {join_again}."
            ),
        }
    }

    /// Whether it must say nothing more to its siblings: what it would say is not this lane's.
    pub fn silences(&self) -> bool {
        self.stops_selling()
    }

    /// Whether it must not even sell: what rights its lane has, another machine has, too.
    pub fn stops_selling(&self) -> bool {
        matches!(self, Trouble::Copied | Trouble::Parted)
    }

    fn weight(&self) -> u8 {
        match self {
            Trouble::Copied => 4,
            Trouble::Parted => 3,
            Trouble::Superseded(_) => 2,
            Trouble::TwoRecoveries(_) => 1,
            Trouble::Left(_) => 0,
        }
    }
}

/// Says hello, and finds out how this lane stands.
pub struct Greeter {
    pub lane: LaneId,
    pub epoch: Epoch,
    pub run: Run,
    /// Where its journal stood when this run had noted its start.
    pub started: Head,
    pub network: SharedNetwork,
    pub contacts: Arc<Contacts>,
    pub links: Arc<Links>,
    pub roll: Arc<Roll>,
    pub clock: SharedClock,
    pub stamps: Arc<Stamps>,
    pub trouble: watch::Sender<Option<Trouble>>,
    pub reception: watch::Sender<Reception>,
}

/// How the siblings receive this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// None has answered yet.
    Silence,
    /// Some answer, and none of them deals with this process.
    Waits,
    /// One deals with it.
    Seated,
}

impl Greeter {
    /// Until this lane is found to work with a disk that was copied.
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
            let mut received = (0_usize, 0_usize);
            for (peer, standing) in peers.iter().zip(join_all(asks).await) {
                let Some(standing) = standing else { continue };
                tickets.insert(peer.clone(), standing.ticket);
                received.0 += 1;
                received.1 += usize::from(standing.seated);
                if let Some(trouble) = trouble_in(self.epoch, &standing) {
                    report(&self.trouble, trouble);
                }
            }
            if self
                .trouble
                .borrow()
                .as_ref()
                .is_some_and(Trouble::silences)
            {
                return;
            }
            let (answered, seated) = received;
            self.reception.send_replace(match (answered, seated) {
                (0, _) => Reception::Silence,
                (_, 0) => Reception::Waits,
                _ => Reception::Seated,
            });
            let pause = match seated < answered {
                true => HELLO_SOON,
                false => HELLO_EVERY,
            };
            self.clock.sleep(pause).await;
        }
    }

    async fn ask(&self, peer: &PeerId, ticket: u64) -> Option<Standing> {
        let hello = Hello {
            lane: self.lane,
            epoch: self.epoch,
            run: self.run,
            ticket,
            stamp: self.stamps.newest(),
            started: Some(self.started),
        };
        let ask = Ask::Standing(hello);
        let asked = self.links.ask(peer, StreamClass::Control, ask, HELLO_LIMIT);
        match asked.await {
            Ok(Answer::Standing(standing)) => {
                // Now, and not once all have answered: by then another process may answer there.
                self.stamps.hear(standing.stamp);
                if let Some(run) = standing.run {
                    self.roll.hear_answer(standing.lane, run, standing.started);
                }
                Some(standing)
            }
            // A lane that is away, or of an earlier release.
            _ => None,
        }
    }
}

/// Asks the voters which run of a lane they deal with, wherever a new one has appeared.
pub struct Inquirer {
    pub roll: Arc<Roll>,
    pub links: Arc<Links>,
    pub network: SharedNetwork,
    pub consensus: Consensus,
    pub clock: SharedClock,
    /// When this process started, on the monotonic clock.
    pub since: Duration,
}

impl Inquirer {
    pub async fn run(self, mut questions: mpsc::Receiver<Question>) {
        let inquirer = Arc::new(self);
        while let Some(question) = questions.recv().await {
            providers::spawn(inquirer.clone().ask(question));
        }
    }

    async fn ask(self: Arc<Self>, question: Question) {
        loop {
            let voters = self.voters_in_time(question.lane).await;
            let answers = self.answers_of(&voters, question.lane).await;
            if is_enough(answers.len(), voters.len(), self.age()) {
                let seen: Vec<SeenRun> = answers.into_iter().flatten().collect();
                return self.roll.decide(question, &seen);
            }
            self.clock.sleep(VOTERS_LOOKED_FOR_EVERY).await;
        }
    }

    /// What those of the voters say that answer.
    async fn answers_of(&self, voters: &[PeerId], lane: LaneId) -> Vec<Option<SeenRun>> {
        let asks = voters.iter().map(|peer| {
            let ask = Ask::WhichRun { lane };
            self.links
                .ask(peer, StreamClass::Control, ask, QUESTION_LIMIT)
        });
        let answers = join_all(asks).await.into_iter();
        answers
            .filter_map(|answer| match answer {
                Ok(Answer::Run(seen)) => Some(seen),
                _ => None,
            })
            .collect()
    }

    /// For how long this process has run.
    fn age(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.since)
    }

    /// The other voters in reach; for a process that has just started, once all are, if they come.
    async fn voters_in_time(&self, lane: LaneId) -> Vec<PeerId> {
        loop {
            let voters = self.voters_but(lane);
            let connected = self.network.connected();
            let in_reach: Vec<PeerId> = voters
                .iter()
                .filter(|peer| connected.contains(peer))
                .cloned()
                .collect();
            let (has_all, limit) = match voters.is_empty() {
                true => (false, ORIGINAL_IN_REACH_WITHIN),
                false => (in_reach.len() == voters.len(), VOTERS_IN_REACH_WITHIN),
            };
            if has_all || self.age() >= limit {
                return in_reach;
            }
            self.clock.sleep(VOTERS_LOOKED_FOR_EVERY).await;
        }
    }

    /// The voters but this lane and the one in question.
    fn voters_but(&self, lane: LaneId) -> Vec<PeerId> {
        let status = self.consensus.status().borrow().clone();
        let voters = status.voters.iter().filter(|node| **node != status.me);
        let voters = voters.filter_map(|node| status.members.get(node));
        voters
            .filter(|member| member.lane != lane)
            .map(|member| PeerId(member.peer.clone()))
            .collect()
    }
}

/// Whether a process of this age may go by so many answers of the voters that it asked. Who did not answer may
/// deal with another run all the same: one that has just started asks again, since it cannot even dial them
/// in its first moments.
fn is_enough(answers: usize, asked: usize, age: Duration) -> bool {
    answers == asked || age >= VOTERS_IN_REACH_WITHIN
}

/// Lets the only voter of a store lead it once a sibling deals with this process, or none can be
/// reached: a process with a copy of its disk would else agree with itself alone.
pub async fn lead_when_received(
    mut reception: watch::Receiver<Reception>,
    consensus: Consensus,
    clock: SharedClock,
) {
    loop {
        let seen = *reception.borrow_and_update();
        if seen == Reception::Seated {
            break;
        }
        let changed = timeout(clock.as_ref(), ALONE_AFTER, reception.changed()).await;
        match changed {
            None if seen == Reception::Silence => break,
            Some(Err(_)) => return,
            _ => {}
        }
    }
    consensus.stand_for_election();
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
        let is_unnoticed = planted::is("recovery-not-noticed");
        return (!is_unnoticed).then_some(Trouble::Superseded(standing.epoch));
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
        Verdict::Parted => Some(Trouble::Parted),
    }
}

#[cfg(test)]
mod tests {
    use ledger::Hlc;

    use super::*;

    const LANE: LaneId = LaneId([7; 16]);

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
                run: Some(Run(1)),
                seated: true,
                started: None,
            };
            assert_eq!(trouble_in(epoch(2, 7), &standing), expected);
        };
        let left = || Verdict::Left {
            why: "x".to_owned(),
        };
        check(epoch(2, 7), Verdict::Member, None);
        check(epoch(2, 7), left(), Some(Trouble::Left("x".to_owned())));
        check(epoch(2, 7), Verdict::Copied, Some(Trouble::Copied));
        check(epoch(2, 7), Verdict::Parted, Some(Trouble::Parted));
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

    #[test]
    fn a_voter_that_has_not_answered_is_asked_again_while_a_process_is_young() {
        let young = VOTERS_IN_REACH_WITHIN - Duration::from_millis(1);
        let check = |answers, asked, age, expected| {
            assert_eq!(
                is_enough(answers, asked, age),
                expected,
                "{answers} {asked}"
            );
        };
        check(0, 1, Duration::ZERO, false);
        check(1, 2, young, false);
        check(2, 2, Duration::ZERO, true);
        check(0, 0, Duration::ZERO, true);
        // Who does not answer then may be gone.
        check(0, 1, VOTERS_IN_REACH_WITHIN, true);
    }
}
