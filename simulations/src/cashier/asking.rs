//! How a cashier asks a lane: each command has an id of its own and is repeated under it until the
//! lane answers, through crashes and restarts, and the same answer must come each time.

use std::collections::BTreeMap;
use std::time::Duration;

use api::{CommandRequest, Done, Problem};
use catalog::EmployeeId;
use ledger::{Head, LaneId};
use sale::{Command, Pin, Refusal};
use tokio::time::{Instant, sleep};

use super::{Cashier, LOOK_EVERY};
use crate::checks::Check;
use crate::goods;
use crate::store::Process;

/// Before a command that found the lane closing is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

impl Cashier {
    /// Carries out what cannot be refused.
    pub(super) async fn must(&mut self, command: Command) -> Option<Done> {
        match self.ask(command.clone()).await {
            Ok(done) => {
                self.note(&done);
                Some(done)
            }
            Err(refusal) => {
                self.refused(&command, &refusal);
                None
            }
        }
    }

    /// What somebody else lets the cashier do, and cannot be refused.
    pub(super) async fn approved(&mut self, by: &str, command: Command) -> Option<Done> {
        let command = approved(by, command);
        self.must(command).await
    }

    /// Up to where the lane holds each journal of the store; nothing while no process runs.
    pub(super) fn holds(&self) -> BTreeMap<LaneId, Head> {
        let process = self.slot.process();
        process.map_or_else(BTreeMap::new, |process| process.lane.journal().heads())
    }

    /// A refusal that there should not be, except in a store that is not updated yet.
    pub(super) fn refused(&self, command: &Command, refusal: &Refusal) {
        if self.is_too_new(refusal) {
            return;
        }
        let what = format!("{command:?} was refused: {refusal}");
        self.wrong(Check::NeverHeldUp, what);
    }

    /// Whether it is refused because of lanes with an old release.
    pub(super) fn is_too_new(&self, refusal: &Refusal) -> bool {
        let is_too_new = matches!(refusal, Refusal::NotInStoreYet { .. });
        is_too_new && self.store.scenario.older_release
    }

    pub(super) fn wrong(&self, check: Check, what: String) {
        self.store.timeline.violation(check, &self.slot.name, what);
    }

    /// Asks the lane until it answers, through whatever happens to it.
    pub(super) async fn ask(&mut self, command: Command) -> Result<Done, Refusal> {
        self.commands += 1;
        let request = CommandRequest {
            id: Some(format!("{}-{}", self.slot.name, self.commands)),
            command,
        };
        let mut unheard: Option<Done> = None;
        loop {
            match self.attempt(&request).await {
                Some(Ok(done)) => {
                    if unheard.as_ref().is_some_and(|before| *before != done) {
                        let what = format!(
                            "command {:?} was answered {unheard:?} and then {done:?}",
                            request.id
                        );
                        self.wrong(Check::AnswersOnce, what);
                    }
                    // Now and then an answer is lost between the lane and its window.
                    let lost_permille = self.store.scenario.work.lost_answers_permille;
                    if unheard.is_none() && self.dice.chance(lost_permille) {
                        unheard = Some(done);
                        continue;
                    }
                    return Ok(done);
                }
                Some(Err(Problem::Refused { refusal, .. })) => return Err(refusal),
                Some(Err(Problem::Stopped { .. })) if self.slot.is_apart() => {
                    sleep(LOOK_EVERY).await
                }
                Some(Err(Problem::Stopped { .. })) if self.slot.may_be_stopped() => {
                    self.store.count(|counts| counts.stopped += 1);
                    sleep(LOOK_EVERY).await;
                }
                Some(Err(Problem::Stopped { message })) => {
                    let what = format!("the lane stopped: {message}");
                    self.wrong(Check::NeverHeldUp, what);
                    sleep(LOOK_EVERY).await;
                }
                Some(Err(Problem::Unavailable { .. })) | None => sleep(AGAIN_AFTER).await,
            }
        }
    }

    /// One attempt; `None` if the process ended before anybody heard its answer.
    async fn attempt(&mut self, request: &CommandRequest) -> Option<api::Answer> {
        let running = self.process.wait_for(Option::is_some).await.ok()?.clone();
        let Process { lane, run, .. } = running?;
        let asked_at = Instant::now();
        let answer = tokio::select! {
            biased;
            _ = self.process.changed() => return None,
            answer = lane.command(request.clone()) => answer,
        };
        if !self.slot.runs(run) {
            return None;
        }
        let held = asked_at.elapsed();
        self.store.count(|counts| {
            counts.commands += 1;
            let held_ms = u64::try_from(held.as_millis()).unwrap_or(u64::MAX);
            counts.held_ms_max = counts.held_ms_max.max(held_ms);
        });
        if held > Duration::from_millis(self.store.scenario.expect.held_max.0)
            && !self.slot.was_held_up_since(asked_at)
        {
            let what = format!("{:?} was held for {held:?}", request.command);
            self.wrong(Check::NeverHeldUp, what);
        }
        Some(answer)
    }
}

/// A command with somebody else's leave.
pub(super) fn approved(by: &str, command: Command) -> Command {
    Command::Approved {
        employee: EmployeeId::from(by),
        pin: Pin(goods::PIN.to_owned()),
        command: Box::new(command),
    }
}
