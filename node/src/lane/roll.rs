//! Which process ("run") of each sibling this lane deals with: never two of one lane at a time.
//!
//! A copied disk makes a second process with the same key, lane id and Raft number. Were both heard,
//! both would vote, and the store could agree on two things at once. So every stream between members
//! begins with the runs at both ends, and nothing but that introduction is said on it unless each end
//! holds the other's run as *seated*.
//!
//! A run is seated when it introduces itself and no other run of its lane lives: this lane has heard
//! none within [`ENDED_AFTER`], or all streams that one had opened here have ended (a process that
//! dies takes them with it); and no voting lane in reach deals with another run, either. Of two runs
//! that appear at different lanes at the same moment, the one with the lower number is seated, and of
//! two that appear here the one whose start lies further back in their journal: a copy's start comes
//! after that of the process whose disk was copied.
//!
//! A second run is a challenger, to whom nobody listens while the first one lives. That both live is
//! proved, not guessed from the order in which messages arrive: the second one shows a ticket that was
//! given out after the first one was seated, so it is no late word of a process that ended before; and
//! then the first one shows a ticket from after that. The store's log then bars one of them for good.
//!
//! What this cannot do: where the original and the copy are in two halves of a split network, no lane
//! hears both, and each half deals with the one it hears. If both halves are large enough to have a
//! majority only with the copied lane's vote (two of three, three of five), both can agree, and their
//! states then differ at the same index; nothing here mends that. In every other split at most one
//! half agrees, and once the network heals, the second run is found out as above. What was sold at
//! either is on its own disk.
//!
//! A disk image that is put to work after its lane has ended is no second run. Where another machine
//! went on meanwhile, the store has other entries of that lane than it: each run says where its
//! journal stood when it started, and is not dealt with where the store has another entry there
//! ([`super::branches`]). Whoever has not applied that entry yet does not see it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger::{Head, LaneId, Run, Seq};
use providers::{SharedClock, timeout};
use tokio::sync::{mpsc, watch};
use wire::{Hello, SeenRun};

/// A run that was not heard of for this long has ended: the next one is its successor.
const ENDED_AFTER: Duration = Duration::from_secs(5);
/// How long finding out whether a run may be seated may take.
pub const DECIDED_WITHIN: Duration = Duration::from_millis(300);
/// Of two runs that say hello within this time, both live. Who is not seated says it more often.
const BOTH_LIVE_WITHIN: Duration = Duration::from_secs(1);
/// Runs of one lane that are waiting to be seated and are remembered.
const WAITING_MAX: usize = 8;
/// Runs that wait to be asked about; what is more asks again with its next hello.
const QUESTIONS_MAX: usize = 1024;

/// A run that appeared: the voters are to be asked whether they deal with another one of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    pub lane: LaneId,
    pub run: Run,
}

/// Two runs of one lane that live at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub keeps: Run,
    pub bars: Run,
}

/// What came of an introduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// To be answered with.
    pub ticket: u64,
    pub conflict: Option<Conflict>,
    /// Whether this lane deals with the run now.
    pub seated: bool,
}

struct Seat {
    run: Run,
    heard: Duration,
    /// It has opened streams here: once they have all ended, so has it.
    had_streams: bool,
    /// The last ticket that was given out before it was seated.
    after_ticket: u64,
}

/// A run that appeared beside the seated one.
struct Challenger {
    run: Run,
    /// What it was answered with when it first showed a ticket from after the other was seated.
    lives: Option<u64>,
}

/// What is known of one lane's runs.
#[derive(Default)]
struct Attendance {
    seat: Option<Seat>,
    /// A run that may be seated unless a voter objects, and since when they are asked.
    candidate: Option<(Run, Duration)>,
    challenger: Option<Challenger>,
    barred: BTreeSet<Run>,
    /// Runs that were heard and are not seated: where in their journal they started, and when they
    /// were heard last.
    waiting: BTreeMap<Run, (Seq, Duration)>,
    /// The run whose journal is not the one that the store has.
    parted: Option<Run>,
    /// Streams that each run has opened to this lane and that have not ended.
    streams: BTreeMap<Run, u32>,
}

impl Attendance {
    fn seat_is_taken(&self, now: Duration) -> bool {
        self.seat.as_ref().is_some_and(|seat| {
            let silent = now.saturating_sub(seat.heard) >= ENDED_AFTER;
            let gone = seat.had_streams && !self.streams.contains_key(&seat.run);
            !silent && !gone
        })
    }

    fn is_pending(&self, run: Run, now: Duration) -> bool {
        self.candidate.is_some_and(|(candidate, since)| {
            candidate == run && now.saturating_sub(since) < DECIDED_WITHIN
        })
    }

    /// Notes a run beside the seated one, which showed the ticket `shown`.
    fn challenge(&mut self, run: Run, shown: u64, answered_with: u64) {
        let after = self.seat.as_ref().map_or(0, |seat| seat.after_ticket);
        if self
            .challenger
            .as_ref()
            .is_none_or(|other| other.run != run)
        {
            self.challenger = Some(Challenger { run, lives: None });
        }
        if let Some(challenger) = self.challenger.as_mut().filter(|_| shown > after) {
            challenger.lives.get_or_insert(answered_with);
        }
    }

    fn is_seated(&self, run: Run) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.run == run)
    }

    fn take_seat(&mut self, run: Run, now: Duration, after_ticket: u64) {
        self.seat = Some(Seat {
            run,
            heard: now,
            had_streams: self.streams.contains_key(&run),
            after_ticket,
        });
        self.candidate = None;
        self.challenger = None;
        self.waiting.clear();
    }

    fn wait(&mut self, run: Run, started: Head, now: Duration) {
        self.waiting
            .retain(|_, (_, heard)| now.saturating_sub(*heard) < BOTH_LIVE_WITHIN);
        if self.waiting.len() < WAITING_MAX || self.waiting.contains_key(&run) {
            self.waiting.insert(run, (started.next_seq, now));
        }
    }

    /// Whether a run waits that started before `run` did, and lives.
    fn has_elder(&self, run: Run, now: Duration) -> bool {
        let start = self.waiting.get(&run).map(|(start, _)| *start);
        self.waiting.iter().any(|(other, (seq, heard))| {
            let lives = now.saturating_sub(*heard) < BOTH_LIVE_WITHIN;
            lives && !self.barred.contains(other) && start.is_some_and(|start| *seq < start)
        })
    }
}

/// Says whether the store has another entry of a lane there than where a run of it started.
pub type Judge = Box<dyn Fn(LaneId, Head) -> bool + Send + Sync>;

/// The siblings' runs, as this lane hears of them.
pub struct Roll {
    clock: SharedClock,
    parts: Judge,
    lanes: Mutex<BTreeMap<LaneId, Attendance>>,
    /// The last one given out. Each process begins elsewhere, so that none takes a ticket of an
    /// earlier one for its own.
    tickets: Mutex<u64>,
    first_ticket: u64,
    questions: mpsc::Sender<Question>,
    /// Counts what was decided.
    decisions: watch::Sender<u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Roll {
    /// An empty roll of the process `me`, and the questions it has for the voters.
    pub fn new(clock: SharedClock, me: Run, parts: Judge) -> (Arc<Roll>, mpsc::Receiver<Question>) {
        let (questions, asked) = mpsc::channel(QUESTIONS_MAX);
        // Half of the numbers are left to count up from there.
        let first_ticket = me.0 / 2;
        let roll = Roll {
            clock,
            parts,
            lanes: Mutex::default(),
            tickets: Mutex::new(first_ticket),
            first_ticket,
            questions,
            decisions: watch::Sender::new(0),
        };
        (Arc::new(roll), asked)
    }

    fn ticket(&self) -> u64 {
        let mut tickets = lock(&self.tickets);
        *tickets += 1;
        *tickets
    }

    /// Notes what a sibling says of itself.
    pub fn hear(&self, hello: &Hello) -> Heard {
        self.look_at_start(hello.lane, hello.run, hello.started);
        self.note(hello.lane, hello.run, hello.ticket)
    }

    /// Notes which run answered. An answer shows no ticket, so it proves nothing.
    pub fn hear_answer(&self, lane: LaneId, run: Run, started: Option<Head>) {
        self.look_at_start(lane, run, started);
        self.note(lane, run, 0);
    }

    /// Notes a run that did not start where the store goes on. One that is dealt with was looked at.
    fn look_at_start(&self, lane: LaneId, run: Run, started: Option<Head>) {
        let is_known = self.admits(lane, run) || self.is_parted(lane, run);
        let Some(started) = started.filter(|_| !is_known) else {
            return;
        };
        let parts = (self.parts)(lane, started);
        let now = self.clock.monotonic();
        let mut lanes = lock(&self.lanes);
        let known = lanes.entry(lane).or_default();
        match parts {
            true => known.parted = Some(run),
            false => known.wait(run, started, now),
        }
    }

    /// Whether a run was found to work with another journal of its lane than the store has.
    pub fn is_parted(&self, lane: LaneId, run: Run) -> bool {
        let lanes = lock(&self.lanes);
        lanes
            .get(&lane)
            .is_some_and(|known| known.parted == Some(run))
    }

    fn note(&self, lane: LaneId, run: Run, shown: u64) -> Heard {
        let (now, ticket) = (self.clock.monotonic(), self.ticket());
        // One that an earlier process of this lane gave out says nothing.
        let is_ours = (self.first_ticket + 1..ticket).contains(&shown);
        let shown = if is_ours { shown } else { 0 };
        let heard = |conflict, seated| Heard {
            ticket,
            conflict,
            seated,
        };
        let mut lanes = lock(&self.lanes);
        let known = lanes.entry(lane).or_default();
        if planted::is("copied-disk-gate-off") {
            known.take_seat(run, now, ticket);
            return heard(None, true);
        }
        if known.barred.contains(&run) || known.parted == Some(run) {
            return heard(None, false);
        }
        if let Some(seat) = known.seat.as_mut().filter(|seat| seat.run == run) {
            seat.heard = now;
            let proved = known
                .challenger
                .as_ref()
                .filter(|challenger| challenger.lives.is_some_and(|lives| shown >= lives));
            let conflict = proved.map(|challenger| Conflict {
                keeps: run,
                bars: challenger.run,
            });
            return heard(conflict, true);
        }
        if known.seat_is_taken(now) {
            known.challenge(run, shown, ticket);
            return heard(None, false);
        }
        let is_free = known
            .candidate
            .is_none_or(|(_, since)| now.saturating_sub(since) >= DECIDED_WITHIN);
        // A question too many is asked with the next hello.
        if is_free && self.questions.try_send(Question { lane, run }).is_ok() {
            known.candidate = Some((run, now));
        }
        heard(None, false)
    }

    /// Seats the run that was asked about unless a voter deals with another one. `seen` is what they
    /// answered.
    pub fn decide(&self, question: Question, seen: &[SeenRun]) {
        let Question { lane, run } = question;
        let (now, given) = (self.clock.monotonic(), *lock(&self.tickets));
        {
            let mut lanes = lock(&self.lanes);
            let known = lanes.entry(lane).or_default();
            if known
                .candidate
                .is_none_or(|(candidate, _)| candidate != run)
            {
                return;
            }
            let others = seen.iter().filter(|seen| seen.run != run);
            let others = others.filter(|seen| !known.barred.contains(&seen.run));
            let objects = |seen: &SeenRun| seen.seated || seen.run < run;
            let is_taken = known.seat_is_taken(now) || known.has_elder(run, now);
            if others.clone().any(objects) || is_taken {
                known.candidate = None;
            } else {
                known.take_seat(run, now, given);
            }
        }
        self.decisions.send_modify(|decisions| *decisions += 1);
    }

    /// The run of `lane` that lives, as far as this lane has heard itself.
    pub fn seen(&self, lane: LaneId) -> Option<SeenRun> {
        let now = self.clock.monotonic();
        let lanes = lock(&self.lanes);
        let known = lanes.get(&lane)?;
        if let Some(seat) = known.seat.as_ref().filter(|_| known.seat_is_taken(now)) {
            return Some(SeenRun {
                run: seat.run,
                seated: true,
            });
        }
        let candidate = known.candidate.map(|(run, _)| run);
        let pending = candidate.filter(|run| known.is_pending(*run, now));
        pending.map(|run| SeenRun { run, seated: false })
    }

    /// Takes over which runs of a lane the store has barred.
    pub fn set_barred(&self, lane: LaneId, barred: &[Run]) {
        let mut lanes = lock(&self.lanes);
        if barred.is_empty() && !lanes.contains_key(&lane) {
            return;
        }
        let known = lanes.entry(lane).or_default();
        known.barred = barred.iter().copied().collect();
        known.seat.take_if(|seat| barred.contains(&seat.run));
        known.candidate.take_if(|(run, _)| barred.contains(run));
        known
            .challenger
            .take_if(|challenger| barred.contains(&challenger.run));
    }

    /// Whether this lane deals with `run` of `lane`.
    pub fn admits(&self, lane: LaneId, run: Run) -> bool {
        let lanes = lock(&self.lanes);
        lanes.get(&lane).is_some_and(|known| known.is_seated(run))
            || planted::is("copied-disk-gate-off")
    }

    /// Whether it is being found out if this lane may deal with `run`.
    pub fn is_pending(&self, lane: LaneId, run: Run) -> bool {
        let now = self.clock.monotonic();
        let lanes = lock(&self.lanes);
        lanes
            .get(&lane)
            .is_some_and(|known| known.is_pending(run, now))
    }

    /// [`Roll::admits`], once what is being found out has been.
    pub async fn admits_in_time(&self, lane: LaneId, run: Run) -> bool {
        let mut decisions = self.decisions();
        if !self.admits(lane, run) && self.is_pending(lane, run) {
            let decided = decisions.wait_for(|_| !self.is_pending(lane, run));
            drop(timeout(self.clock.as_ref(), DECIDED_WITHIN, decided).await);
        }
        self.admits(lane, run)
    }

    /// Changes whenever something was decided.
    pub fn decisions(&self) -> watch::Receiver<u64> {
        self.decisions.subscribe()
    }
}

/// A stream that a run has opened to this lane, while it lasts.
pub struct Pass {
    roll: Arc<Roll>,
    pub lane: LaneId,
    pub run: Run,
}

impl Pass {
    pub fn new(roll: &Arc<Roll>, lane: LaneId, run: Run) -> Pass {
        let mut lanes = lock(&roll.lanes);
        let known = lanes.entry(lane).or_default();
        *known.streams.entry(run).or_default() += 1;
        if let Some(seat) = known.seat.as_mut().filter(|seat| seat.run == run) {
            seat.had_streams = true;
        }
        Pass {
            roll: roll.clone(),
            lane,
            run,
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut lanes = lock(&self.roll.lanes);
        let Some(known) = lanes.get_mut(&self.lane) else {
            return;
        };
        if let Some(streams) = known.streams.get_mut(&self.run) {
            *streams -= 1;
            if *streams == 0 {
                known.streams.remove(&self.run);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures::future::BoxFuture;
    use ledger::{Epoch, Hlc};
    use providers::Clock;

    use super::*;

    const LANE: LaneId = LaneId([7; 16]);

    /// A clock that is set by hand, in seconds.
    #[derive(Default)]
    struct Hand(AtomicU64);

    impl Clock for Hand {
        fn wall_ms(&self) -> u64 {
            0
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    /// Run 9 did not start where the store goes on.
    fn start(run: u64) -> Head {
        Head {
            next_seq: run,
            ..Head::default()
        }
    }

    fn is_other_start(_: LaneId, started: Head) -> bool {
        started == start(9)
    }

    /// A roll whose voters, if asked, answer nothing.
    struct Scene {
        hand: Arc<Hand>,
        roll: Arc<Roll>,
        questions: mpsc::Receiver<Question>,
    }

    impl Scene {
        fn new() -> Scene {
            let hand = Arc::new(Hand::default());
            let (roll, questions) = Roll::new(hand.clone(), Run(70), Box::new(is_other_start));
            Scene {
                hand,
                roll,
                questions,
            }
        }

        fn says_hello(&mut self, at_s: u64, run: u64, ticket: u64, seen: &[SeenRun]) -> Heard {
            self.hand.0.store(at_s, Ordering::Relaxed);
            let heard = self.roll.hear(&Hello {
                lane: LANE,
                epoch: Epoch::FIRST,
                run: Run(run),
                ticket,
                stamp: Hlc::default(),
                started: Some(start(run)),
            });
            if let Ok(question) = self.questions.try_recv() {
                self.roll.decide(question, seen);
            }
            heard
        }

        fn seated(&self) -> Option<u64> {
            let seat = (1..10).find(|run| self.roll.admits(LANE, Run(*run)));
            let lanes = lock(&self.roll.lanes);
            let held = lanes.get(&LANE).and_then(|known| known.seat.as_ref());
            assert_eq!(seat, held.map(|seat| seat.run.0));
            seat
        }
    }

    /// Second, run, which answer's ticket it shows, expected conflict, who is seated afterwards.
    type Said = (u64, u64, Option<usize>, Option<(u64, u64)>, Option<u64>);

    /// One hello after the other.
    fn check(hellos: &[Said]) {
        let mut scene = Scene::new();
        let mut tickets = Vec::new();
        for (at, run, shows, expected, seated) in hellos {
            let shown = shows.map_or(0, |answer| tickets[answer]);
            let heard = scene.says_hello(*at, *run, shown, &[]);
            tickets.push(heard.ticket);
            let expected = expected.map(|(keeps, bars)| Conflict {
                keeps: Run(keeps),
                bars: Run(bars),
            });
            assert_eq!(heard.conflict, expected, "{hellos:?} at {at}");
            assert_eq!(scene.seated(), *seated, "{hellos:?} at {at}");
        }
    }

    #[test]
    fn a_run_with_another_journal_than_the_store_has_is_not_dealt_with() {
        check(&[
            (0, 9, None, None, None),
            (1, 9, Some(0), None, None),
            (2, 1, None, None, Some(1)),
            // Nor does it ever count as a second one that lives.
            (3, 9, Some(2), None, Some(1)),
            (3, 1, Some(3), None, Some(1)),
            (4, 9, Some(4), None, Some(1)),
            (5, 1, Some(5), None, Some(1)),
        ]);
    }

    #[test]
    fn two_runs_that_both_live_are_found_out_and_the_first_goes_on() {
        check(&[
            (0, 1, None, None, Some(1)),
            (1, 2, None, None, Some(1)),
            // Its ticket is from before the second run appeared: it may have been sent before, too.
            (1, 1, Some(0), None, Some(1)),
            // The second one may have been sent before the first one began.
            (2, 1, Some(2), None, Some(1)),
            (3, 2, Some(1), None, Some(1)),
            (3, 1, Some(3), None, Some(1)),
            (4, 1, Some(5), Some((1, 2)), Some(1)),
            (5, 2, Some(4), None, Some(1)),
            (5, 1, Some(6), Some((1, 2)), Some(1)),
        ]);
    }

    #[test]
    fn a_late_word_of_a_process_that_ended_is_no_copy() {
        check(&[
            (0, 2, None, None, Some(2)),
            (1, 1, None, None, Some(2)),
            (2, 2, Some(0), None, Some(2)),
            (3, 2, Some(2), None, Some(2)),
            (4, 2, Some(3), None, Some(2)),
        ]);
        let mut scene = Scene::new();
        scene.says_hello(0, 2, 0, &[]);
        for shown in [1, u64::MAX] {
            // A ticket of an earlier process of the lane that hears it.
            scene.says_hello(1, 1, shown, &[]);
            let ticket = scene.says_hello(1, 2, 0, &[]).ticket;
            assert_eq!(scene.says_hello(1, 2, ticket, &[]).conflict, None);
        }
    }

    #[test]
    fn a_restart_is_no_copy() {
        check(&[
            (0, 1, None, None, Some(1)),
            (1, 2, None, None, Some(1)),
            (2, 2, Some(1), None, Some(1)),
            // What the first run sent before it ended comes late.
            (2, 1, Some(0), None, Some(1)),
            (6, 2, Some(2), None, Some(1)),
            (8, 2, Some(4), None, Some(2)),
            (9, 2, Some(5), None, Some(2)),
        ]);
        // One restart after the other, each quick.
        check(&[
            (0, 1, None, None, Some(1)),
            (1, 2, None, None, Some(1)),
            (2, 3, None, None, Some(1)),
            (3, 4, None, None, Some(1)),
            (9, 4, Some(3), None, Some(4)),
            (10, 4, Some(4), None, Some(4)),
        ]);
    }

    #[test]
    fn a_run_whose_streams_have_ended_is_followed_at_once() {
        let mut scene = Scene::new();
        scene.says_hello(0, 1, 0, &[]);
        let streams = [(); 2].map(|()| Pass::new(&scene.roll, LANE, Run(1)));
        scene.says_hello(1, 2, 0, &[]);
        assert_eq!(scene.seated(), Some(1));
        let [first, second] = streams;
        drop(first);
        scene.says_hello(1, 2, 0, &[]);
        assert_eq!(scene.seated(), Some(1), "one of its streams goes on");
        drop(second);
        assert_eq!(scene.roll.seen(LANE), None);
        scene.says_hello(1, 2, 0, &[]);
        assert_eq!(scene.seated(), Some(2));
    }

    #[test]
    fn a_run_is_not_seated_while_a_voter_deals_with_another_one() {
        let check = |run: u64, seated: bool, expected: Option<u64>| {
            let mut scene = Scene::new();
            let run = Run(run);
            let heard = scene.says_hello(0, 5, 0, &[SeenRun { run, seated }]);
            assert!(!heard.seated, "nobody is before the voters were asked");
            assert_eq!(scene.seated(), expected);
        };
        check(5, true, Some(5));
        check(5, false, Some(5));
        check(7, true, None);
        check(3, true, None);
        // Two that appeared at the same moment.
        check(3, false, None);
        check(7, false, Some(5));
    }

    #[test]
    fn of_two_runs_that_wait_the_one_that_started_earlier_is_seated() {
        let check = |hellos: &[(u64, u64)], expected: Option<u64>| {
            let mut scene = Scene::new();
            for (at, run) in hellos {
                scene.hand.0.store(*at, Ordering::Relaxed);
                scene.roll.hear_answer(LANE, Run(*run), Some(start(*run)));
            }
            let question = scene
                .questions
                .try_recv()
                .expect("the first is asked about");
            scene.roll.decide(question, &[]);
            assert_eq!(scene.seated(), expected, "{hellos:?}");
        };
        check(&[(0, 2)], Some(2));
        check(&[(0, 2), (0, 5)], Some(2));
        // A copy that was heard first; the original says hello again soon.
        check(&[(0, 5), (0, 2)], None);
        // One that was not heard for so long has ended.
        let mut scene = Scene::new();
        scene.roll.hear_answer(LANE, Run(2), Some(start(2)));
        let first = scene.questions.try_recv().expect("it is asked about");
        scene.hand.0.store(5, Ordering::Relaxed);
        scene.roll.hear_answer(LANE, Run(5), Some(start(5)));
        let second = scene.questions.try_recv().expect("it is asked about");
        scene.roll.decide(first, &[]);
        assert_eq!(scene.seated(), None, "another one is asked about by now");
        scene.roll.decide(second, &[]);
        assert_eq!(scene.seated(), Some(5));
    }

    #[test]
    fn a_barred_run_loses_its_seat_for_good() {
        let mut scene = Scene::new();
        scene.says_hello(0, 1, 0, &[]);
        scene.roll.set_barred(LANE, &[Run(1)]);
        assert_eq!(scene.seated(), None);
        assert!(!scene.says_hello(1, 1, 0, &[]).seated);
        assert_eq!(scene.seated(), None);
        let barred = SeenRun {
            run: Run(1),
            seated: true,
        };
        scene.says_hello(1, 2, 0, &[barred]);
        assert_eq!(scene.seated(), Some(2));
    }
}
