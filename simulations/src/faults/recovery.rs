//! A store that loses its majority, goes on with one lane, and gets the others back.

use std::sync::Arc;
use std::time::Duration;

use node::lane::Survey;
use tokio::time::{Instant, sleep, sleep_until};

use super::Driver;
use super::members::{ASK_AGAIN_AFTER, LOOK_EVERY, REPLACED_WITHIN};
use crate::checks::Check;
use crate::scenario::Range;
use crate::store::{Death, Process, Slot};

/// From the loss to the decision to go on without what is lost, in milliseconds.
const DECIDED_AFTER_MS: Range = (500, 5_000);
/// How long the lane that goes on may take to agree with itself.
const GOES_ON_WITHIN: Duration = Duration::from_secs(10);
/// How long a lane that comes back may take to learn that the store went on without it.
const TOLD_WITHIN: Duration = Duration::from_secs(30);
/// What it then shows to the person in front of it.
const TOLD: &str = "recovered on another lane";
/// How long a machine that comes back is left as it is, once it shows that, in milliseconds.
const LEFT_FOR_MS: Range = (0, 4_000);
/// The chance that a lane which the store would not need to be lost for is spared.
const SPARED_PERMILLE: u64 = 400;

/// A lane and its process.
type Running = (Arc<Slot>, Process);

impl Driver {
    /// So many voters die at once that the rest cannot agree; a manager has one lane go on; at `end`
    /// the others come back together, learn what happened, and join again with what they sold.
    pub(super) async fn majority_lost(&mut self, end: Instant) {
        let Some((keeper, others)) = self.keeper() else {
            return;
        };
        let hit: Vec<&Slot> = others.iter().map(|(slot, _)| slot.as_ref()).collect();
        let drawn = self.strikes(&hit, Vec::new());
        self.lose_majority(&keeper, &others);
        sleep(self.draw(DECIDED_AFTER_MS)).await;
        self.store.close(&keeper).await;
        match self.store.recover(&keeper).await {
            Ok(survey) => self.check_survey(&keeper, &survey),
            Err(reason) => self.wrong(&keeper, format!("could not be told to go on: {reason}")),
        }
        self.store.start(&keeper).await;
        let leads = |process: &Process| {
            let raft = process.lane.raft();
            raft.is_leader && raft.has_quorum
        };
        if !wait_until(GOES_ON_WITHIN, || {
            keeper.process().is_some_and(|p| leads(&p))
        })
        .await
        {
            self.wrong(&keeper, format!("does not go on within {GOES_ON_WITHIN:?}"));
        }
        sleep_until(end).await;
        for (slot, _) in &others {
            self.store.start(slot).await;
        }
        for (slot, process) in &others {
            self.take_back(slot, process, &keeper).await;
        }
        self.store.timeline.strike_over(drawn);
    }

    /// The lane that is to go on, and all the others.
    fn keeper(&mut self) -> Option<(Arc<Slot>, Vec<Running>)> {
        let (keeper, _) = self.victim()?;
        let mut others = self.store.running();
        others.retain(|(slot, _)| !Arc::ptr_eq(slot, &keeper));
        self.dice.shuffle(&mut others);
        (!others.is_empty()).then_some((keeper, others))
    }

    /// Kills lanes until those that are left cannot agree, and some or all of the rest.
    fn lose_majority(&mut self, keeper: &Slot, others: &[Running]) {
        let voters = others[0].1.lane.raft().voters;
        let votes = |process: &Process| voters.contains(&process.lane.identity().node);
        let mut left = usize::from(keeper.process().is_some_and(|process| votes(&process)));
        for (slot, process) in others {
            let stays = left + usize::from(votes(process));
            if stays <= voters.len() / 2 && self.dice.chance(SPARED_PERMILLE) {
                left = stays;
                continue;
            }
            let death = match self.dice.chance(500) {
                true => Death::Killed,
                false => Death::PowerCut,
            };
            self.store.kill(slot, death);
        }
    }

    /// The manager is shown every other lane, and rightly which of them is missing.
    fn check_survey(&self, keeper: &Slot, survey: &Survey) {
        let running = self.store.running();
        let mut running: Vec<_> = running
            .iter()
            .map(|(_, process)| process.lane.identity().lane)
            .collect();
        let found = survey.others.iter().filter(|lane| lane.reachable);
        let mut found: Vec<_> = found.map(|lane| lane.lane).collect();
        running.sort();
        found.sort();
        let shown = survey.others.len() + 1;
        if found != running || shown != self.store.slots().len() {
            let what = format!("of {shown} lanes it shows {found:?} as there, and {running:?} are");
            self.wrong(keeper, what);
        }
    }

    /// A machine that comes back sells on, is told, and joins again.
    async fn take_back(&mut self, slot: &Arc<Slot>, before: &Process, keeper: &Arc<Slot>) {
        let is_told = || {
            let process = slot.process();
            process.is_some_and(|process| {
                let view = process.lane.view().borrow().clone();
                view.status
                    .warnings
                    .iter()
                    .any(|warning| warning.contains(TOLD))
            })
        };
        if !wait_until(TOLD_WITHIN, is_told).await {
            let what = format!("came back and was not told within {TOLD_WITHIN:?}");
            self.wrong(slot, what);
        }
        sleep(self.draw(LEFT_FOR_MS)).await;
        let lane = before.lane.identity().lane;
        self.store.close(slot).await;
        let deadline = Instant::now() + REPLACED_WITHIN;
        while Instant::now() < deadline {
            if let Some(process) = keeper.process() {
                let inviter = (keeper.clone(), process);
                if let Some(successor) = self.store.join_again(slot, lane, &inviter).await {
                    // Nobody listens any more once the store has closed.
                    drop(self.joined.send(successor));
                    return;
                }
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
    }

    fn wrong(&self, slot: &Slot, what: String) {
        let timeline = &self.store.timeline;
        timeline.violation(Check::Recovers, &slot.name, what);
    }
}

/// Whether something comes true in time.
pub(super) async fn wait_until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if holds() {
            return true;
        }
        sleep(LOOK_EVERY).await;
    }
    false
}
