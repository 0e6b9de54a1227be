//! The register of this lane: commands in, durable events out.
//!
//! One worker owns the register. It takes what has arrived together, decides each command in turn,
//! writes all their events as one group commit, and only then answers and shows anything. A commit
//! that fails changes nothing: the register is as before, and the lane says that it must not sell.
//! While it does, it tries the journal again by itself, and sells as soon as that is durable again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use api::{Answer, CommandRequest, Done, Problem};
use catalog::{Employee, Reference, Settings};
use consensus::RaftStatus;
use ledger::{
    Entry, EntryBody, FORMAT_FIRST, FORMAT_LIMITS, FORMAT_REQUOTES, Fact, Head, Hlc, Seq, StoreId,
    StoreView, TableError, Tables, event_format,
};
use money::Money;
use promotions::Hint;
use providers::{DiskError, SharedClock, SharedDisk};
use sale::{
    CardAnswer, Context, Event, LocalTime, Pin, Refusal, Register, Totals, UsedUp, card_answered,
    decide, events_of_refusal, evolve, price,
};
use serde::{Deserialize, Serialize};
use storage::{Journal, StateReader, StorageError};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::Identity;
use super::books::Books;
use super::haste::Haste;
use super::known::Known;
use super::rights::{is_cut_off, rights};
use super::stamps::Stamps;
use super::standing::Trouble;
use super::store_time::StoreTime;

/// Commands waiting for the register; a caller beyond that waits to hand its command over.
const QUEUE_MAX: usize = 1024;
/// Commands decided for one group commit.
const GROUP_MAX: usize = 128;
/// Command ids remembered, so that a command sent twice counts once.
const REQUESTS_KEPT: usize = 1000;
/// Journal entries between two checkpoints of the register.
const CHECKPOINT_EVERY: Seq = 2000;
/// Events that a slow listener may fall behind before it misses some.
const EVENTS_KEPT: usize = 1024;
/// Entries read from the journal at once while the register is rebuilt.
const REPLAY_PAGE: usize = 2000;
const REPLAY_PAGE_BYTES: usize = 8 * 1024 * 1024;

/// How often a lane that must not sell looks whether its journal can be made durable again.
const TRY_AGAIN_EVERY: Duration = Duration::from_secs(1);

const CHECKPOINT_FILE: &str = "register.checkpoint";

/// Proves a PIN against its hash; argon2id in a shop.
pub type PinCheck = Arc<dyn Fn(&Employee, &Pin) -> bool + Send + Sync>;

/// The register as it stands, durable.
#[derive(Clone, Debug, Default)]
pub struct RegisterState {
    pub register: Register,
    /// What the open cart costs.
    pub totals: Option<Totals>,
    /// What its customer could still get for a little more.
    pub hints: Vec<Hint>,
    /// Promotions that it would have but for their limits.
    pub used_up: Vec<UsedUp>,
    /// What it would cost with the newest prices and promotions, where it has older ones.
    pub newest_total: Option<Money>,
    /// Number of the newest journal entry.
    pub seq: Seq,
    /// Why the journal cannot be made durable, if it cannot.
    pub stopped: Option<String>,
}

/// What the open cart costs, as it is shown.
struct Priced {
    totals: Totals,
    hints: Vec<Hint>,
    used_up: Vec<UsedUp>,
    newest_total: Option<Money>,
}

/// An event that has become durable on this lane.
#[derive(Clone, Debug, Serialize)]
pub struct LaneEvent {
    pub seq: Seq,
    pub event: Event,
}

/// A receipt in the journal, for counting what is not shared yet.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptMark {
    pub seq: Seq,
    pub at: LocalTime,
}

/// What the register is to decide on.
enum Input {
    Command(CommandRequest),
    /// The card terminal says what became of the question with this number.
    Card {
        number: u64,
        answer: CardAnswer,
    },
}

impl Input {
    /// The id under which a caller may send it again.
    fn id(&self) -> Option<&String> {
        match self {
            Input::Command(request) => request.id.as_ref(),
            Input::Card { .. } => None,
        }
    }
}

type Request = (Input, oneshot::Sender<Answer>);
/// Entries to be carried over, and whether they are durable.
type Carry = (Vec<Entry>, oneshot::Sender<Result<(), StorageError>>);

/// The way to the register. Clones share it; it closes with the last one.
#[derive(Clone)]
pub struct RegisterHandle {
    requests: mpsc::Sender<Request>,
    carries: mpsc::Sender<Carry>,
    pub state: watch::Receiver<Arc<RegisterState>>,
    events: broadcast::Sender<Arc<LaneEvent>>,
}

impl RegisterHandle {
    /// Carries a command out; returns once its events are durable, or it was refused.
    pub async fn command(&self, request: CommandRequest) -> Answer {
        self.decided(Input::Command(request)).await
    }

    /// Takes the card terminal's answer to the question with this number; returns once what it leads
    /// to is durable.
    pub async fn card_answered(&self, number: u64, answer: CardAnswer) -> Answer {
        self.decided(Input::Card { number, answer }).await
    }

    async fn decided(&self, input: Input) -> Answer {
        let closing = || Problem::Unavailable {
            message: "This lane is closing.".to_owned(),
        };
        let (reply, answer) = oneshot::channel();
        let sent = self.requests.send((input, reply)).await;
        sent.map_err(|_| closing())?;
        answer.await.map_err(|_| closing())?
    }

    /// Writes entries of another journal into this lane's, see [`Fact::CarriedOver`]; returns once
    /// they are durable. `None` if the lane closes before.
    pub async fn carry_over(&self, entries: Vec<Entry>) -> Option<Result<(), StorageError>> {
        let (reply, written) = oneshot::channel();
        self.carries.send((entries, reply)).await.ok()?;
        written.await.ok()
    }

    pub fn events(&self) -> broadcast::Receiver<Arc<LaneEvent>> {
        self.events.subscribe()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("the journal of this lane cannot be read: {0}")]
    Entry(#[from] ledger::EntryError),
    #[error(transparent)]
    Table(#[from] TableError),
}

/// What the register works with.
pub struct RegisterParts {
    pub identity: Arc<Identity>,
    pub journal: Journal,
    pub state: StateReader,
    pub clock: SharedClock,
    pub stamps: Arc<Stamps>,
    pub disk: SharedDisk,
    pub pin_check: PinCheck,
    /// Becomes true when the lane closes; what was asked before is still answered.
    pub closing: watch::Receiver<bool>,
    /// Told of receipts, which the other lanes are to have at once.
    pub haste: Haste,
    /// What is wrong with this lane's place in the store.
    pub trouble: watch::Receiver<Option<Trouble>>,
    /// The name of the card terminal at this lane, where there is one.
    pub terminal: Option<String>,
    /// Whether the store can agree now, and this lane gets what it agrees on.
    pub raft: watch::Receiver<RaftStatus>,
}

pub struct Started {
    pub handle: RegisterHandle,
    /// The end of the journal once the start was noted there.
    pub head: Head,
    /// Receipts of this lane from the first that the store has not applied.
    pub unapplied: Vec<ReceiptMark>,
    /// Told about every further receipt.
    pub receipts: mpsc::UnboundedReceiver<ReceiptMark>,
}

/// Rebuilds the register from its journal and starts it. `release` is this software's version,
/// `reads` the newest entry format that it reads.
pub async fn start(
    parts: RegisterParts,
    release: &str,
    reads: u16,
) -> Result<Started, RegisterError> {
    let lane = parts.identity.lane;
    let applied = parts
        .state
        .read(|tables| StoreView::new(tables).lane(lane))??;
    let applied_next = applied.map_or(1, |record| record.head.next_seq);
    let (receipts_out, receipts) = mpsc::unbounded_channel();
    let mut task = Task::rebuild(parts, receipts_out)?;
    let unapplied = task.receipts_from(applied_next)?;
    let started = Fact::LaneStarted {
        name: task.parts.identity.lane_name.clone(),
        release: release.to_owned(),
        reads,
    };
    let entry = task.seal(started);
    task.parts.journal.append(vec![entry]).await?;
    let head = task.now.head;

    let (requests, queue) = mpsc::channel(QUEUE_MAX);
    let (carries, carried) = mpsc::channel(1);
    let (state_out, state) = watch::channel(Arc::new(task.snapshot()));
    let (events, _) = broadcast::channel(EVENTS_KEPT);
    task.events = events.clone();
    // On a thread of its own a scan is decided, made durable and answered without a hand-over.
    let disk = task.parts.disk.clone();
    disk.spawn_worker("register", Box::pin(task.run(queue, carried, state_out)));
    Ok(Started {
        handle: RegisterHandle {
            requests,
            carries,
            state,
            events,
        },
        head,
        unapplied,
        receipts,
    })
}

/// The register at a moment in its journal.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    format: u32,
    head: Head,
    hlc: Hlc,
    register: Register,
}

/// Everything a group commit may change, so that a failed one can be taken back.
#[derive(Clone)]
struct Volatile {
    register: Register,
    head: Head,
}

struct Task {
    parts: RegisterParts,
    now: Volatile,
    time: StoreTime,
    books: Books,
    /// Answers by request id, oldest first in `order`.
    answered: BTreeMap<String, Done>,
    order: VecDeque<String>,
    stopped: Option<Stopped>,
    priced: Option<Priced>,
    checkpointed: Seq,
    events: broadcast::Sender<Arc<LaneEvent>>,
    receipts: mpsc::UnboundedSender<ReceiptMark>,
}

/// Why, and since when by the lane's wall clock, the journal cannot be made durable.
#[derive(Clone)]
struct Stopped {
    reason: String,
    since_ms: u64,
}

/// A command that was decided and waits for the commit.
struct Decided {
    reply: oneshot::Sender<Answer>,
    id: Option<String>,
    done: Done,
    /// The command was carried out before, and published then.
    repeated: bool,
    /// The command was refused; what it leaves in the journal is in `done`.
    refused: Option<Problem>,
}

/// What a group of commands leads to, until the commit.
#[derive(Default)]
struct Work {
    entries: Vec<Entry>,
    decided: Vec<Decided>,
}

/// The store as a group of commands finds it.
struct Moment<'a> {
    store: StoreView<'a>,
    settings: Settings,
    now: LocalTime,
}

fn unreadable(error: &dyn std::fmt::Display) -> Problem {
    Problem::Unavailable {
        message: format!("The store's data cannot be read: {error}"),
    }
}

/// What a command leads to: its events, and the refusal where it was refused.
type Decision = (Vec<Event>, Option<Problem>);

fn refuse_all(group: &mut Vec<Request>, reason: &str) {
    for (_, reply) in group.drain(..) {
        let message = reason.to_owned();
        let _ = reply.send(Err(Problem::Stopped { message }));
    }
}

impl Task {
    fn rebuild(
        parts: RegisterParts,
        receipts: mpsc::UnboundedSender<ReceiptMark>,
    ) -> Result<Task, RegisterError> {
        let mut task = Task {
            now: Volatile {
                register: Register::default(),
                head: Head::default(),
            },
            time: StoreTime::default(),
            books: Books::default(),
            answered: BTreeMap::new(),
            order: VecDeque::new(),
            stopped: None,
            priced: None,
            checkpointed: 0,
            events: broadcast::channel(1).0,
            receipts,
            parts,
        };
        if let Some(checkpoint) = task.read_checkpoint()? {
            task.checkpointed = checkpoint.head.next_seq - 1;
            task.parts.stamps.resume(checkpoint.hlc);
            task.now = Volatile {
                register: checkpoint.register,
                head: checkpoint.head,
            };
        }
        let fold_from = task.now.head.next_seq;
        // Some entries before the checkpoint are read for the ids of their commands alone.
        let ids_from = fold_from.saturating_sub(REQUESTS_KEPT as Seq).max(1);
        task.replay(ids_from, |task, entry, body| {
            if entry.seq >= fold_from {
                task.now.head = Head {
                    next_seq: entry.seq + 1,
                    hash: entry.hash(),
                };
                task.parts.stamps.resume(body.hlc);
                if let Fact::Register { event, .. } = &body.fact {
                    evolve(&mut task.now.register, event);
                }
            }
            if let Fact::Register {
                event,
                request: Some(id),
            } = body.fact
            {
                task.remember_event(id, entry.seq, event);
            }
        })?;
        let state = task.parts.state.clone();
        task.priced = state.read(|tables| {
            let moment = task.moment(tables);
            task.price_cart(&moment)
        })??;
        Ok(task)
    }

    /// Reads the journal of this lane from `from` to its end.
    fn replay(
        &mut self,
        mut from: Seq,
        mut each: impl FnMut(&mut Task, &Entry, EntryBody),
    ) -> Result<(), RegisterError> {
        let lane = self.parts.identity.lane;
        loop {
            let page = self
                .parts
                .journal
                .read(lane, from, REPLAY_PAGE, REPLAY_PAGE_BYTES)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            from = last.seq + 1;
            for entry in &page {
                let body = entry.body()?;
                each(self, entry, body);
            }
        }
    }

    /// The checkpoint, if there is one that belongs to this journal.
    fn read_checkpoint(&self) -> Result<Option<Checkpoint>, RegisterError> {
        let Some(bytes) = self.parts.disk.read(CHECKPOINT_FILE)? else {
            return Ok(None);
        };
        // Whatever is wrong with a checkpoint, the journal has it all.
        let Ok(checkpoint) = cbor4ii::serde::from_slice::<Checkpoint>(&bytes) else {
            return Ok(None);
        };
        let last = checkpoint.head.next_seq - 1;
        let lane = self.parts.identity.lane;
        let entries = self.parts.journal.read(lane, last.max(1), 1, 1)?;
        let fits = entries
            .first()
            .is_some_and(|entry| entry.seq == last && entry.hash() == checkpoint.head.hash);
        Ok((checkpoint.format == 1 && fits).then_some(checkpoint))
    }

    fn receipts_from(&mut self, from: Seq) -> Result<Vec<ReceiptMark>, RegisterError> {
        let mut marks = Vec::new();
        self.replay(from, |_, entry, body| {
            marks.extend(receipt_mark(entry.seq, &body.fact));
        })?;
        Ok(marks)
    }

    fn remember_event(&mut self, id: String, seq: Seq, event: Event) {
        if let Some(done) = self.answered.get_mut(&id) {
            done.seq = seq;
            done.events.push(event);
            return;
        }
        let done = Done {
            seq,
            events: vec![event],
        };
        self.remember(id, done);
    }

    fn remember(&mut self, id: String, done: Done) {
        if self.order.len() >= REQUESTS_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.answered.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.answered.insert(id, done);
    }

    /// Select: waits for commands. Apply: [`Task::group`], which waits for the disk alone.
    async fn run(
        mut self,
        mut queue: mpsc::Receiver<Request>,
        mut carries: mpsc::Receiver<Carry>,
        state: watch::Sender<Arc<RegisterState>>,
    ) {
        let mut group = Vec::with_capacity(GROUP_MAX);
        let mut closing = self.parts.closing.clone();
        let mut trouble = self.parts.trouble.clone();
        let clock = self.parts.clock.clone();
        loop {
            let is_stopped = self.stopped.is_some();
            let is_fenced = self.fence().is_some();
            let mut carried = None;
            let arrived = tokio::select! {
                biased;
                arrived = queue.recv_many(&mut group, GROUP_MAX) => arrived,
                _ = closing.wait_for(|closing| *closing) => 0,
                changed = trouble.changed(), if !is_fenced => usize::from(changed.is_ok()),
                carry = carries.recv(), if !is_fenced && !is_stopped => {
                    carried = carry;
                    1
                }
                // A group of no commands shows whether the journal works again.
                () = clock.sleep(TRY_AGAIN_EVERY), if is_stopped => 1,
            };
            if arrived == 0 {
                break;
            }
            if let Some((originals, reply)) = carried {
                let written = self.carry_over(originals).await;
                // Whoever asked may have gone; it finds out when it looks again.
                let _ = reply.send(written);
            }
            match self.fence() {
                Some(reason) => {
                    refuse_all(&mut group, &reason);
                    state.send_replace(Arc::new(self.snapshot()));
                }
                None => self.group(&mut group, &state).await,
            }
            self.checkpoint_if_due();
        }
        if self.fence().is_some() {
            return;
        }
        let closed = self.seal(Fact::LaneClosed);
        if let Err(error) = self.parts.journal.append(vec![closed]).await {
            tracing::warn!(%error, "closing could not be journalled");
        }
    }

    fn snapshot(&self) -> RegisterState {
        RegisterState {
            register: self.now.register.clone(),
            totals: self.priced.as_ref().map(|priced| priced.totals.clone()),
            hints: self
                .priced
                .as_ref()
                .map_or(Vec::new(), |priced| priced.hints.clone()),
            used_up: self
                .priced
                .as_ref()
                .map_or(Vec::new(), |priced| priced.used_up.clone()),
            newest_total: self.priced.as_ref().and_then(|priced| priced.newest_total),
            seq: self.now.head.next_seq - 1,
            stopped: self
                .fence()
                .or(self.stopped.as_ref().map(|s| s.reason.clone())),
        }
    }

    /// Why nothing must be written to this lane's journal any more: another process writes it.
    fn fence(&self) -> Option<String> {
        let trouble = self.parts.trouble.borrow();
        let fencing = trouble.as_ref().filter(|t| t.stops_selling());
        fencing.map(Trouble::in_words)
    }

    async fn carry_over(&mut self, originals: Vec<Entry>) -> Result<(), StorageError> {
        let before = self.now.clone();
        let facts = originals
            .into_iter()
            .map(|entry| Fact::CarriedOver { entry });
        let entries = facts.map(|fact| self.seal(fact)).collect();
        let written = self.parts.journal.append(entries).await;
        if written.is_err() {
            self.now = before;
        }
        written
    }

    async fn group(&mut self, group: &mut Vec<Request>, state: &watch::Sender<Arc<RegisterState>>) {
        let before = self.now.clone();
        let mut work = Work::default();
        if let Some(Stopped { reason, since_ms }) = self.stopped.clone() {
            work.entries
                .push(self.seal(Fact::SellingResumed { reason, since_ms }));
        }
        let store = self.parts.state.clone();
        let read = store.read(|tables| {
            let moment = self.moment(tables);
            for (input, reply) in group.drain(..) {
                self.carry_out(&moment, &input, reply, &mut work);
            }
            self.price_cart(&moment)
        });
        let priced = match read {
            Ok(priced) => priced,
            Err(error) => {
                self.now = before;
                let problem = unreadable(&error);
                let asked = group.drain(..).map(|(_, reply)| reply);
                for reply in asked.chain(work.decided.into_iter().map(|d| d.reply)) {
                    let _ = reply.send(Err(problem.clone()));
                }
                return;
            }
        };
        let Work { entries, decided } = work;
        if entries.is_empty() {
            self.publish(decided, state);
            return;
        }
        if let Err(error) = self.parts.journal.append(entries).await {
            self.stop(before, decided, &error, state);
            return;
        }
        self.stopped = None;
        match priced {
            Ok(priced) => self.priced = priced,
            Err(error) => tracing::error!(%error, "the cart cannot be priced for the screen"),
        }
        self.publish(decided, state);
    }

    fn moment<'a>(&mut self, tables: &'a dyn Tables) -> Moment<'a> {
        let store = StoreView::new(tables);
        let settings = store.settings();
        let wall_ms = self.parts.clock.wall_ms();
        let now = self.time.at(wall_ms, &settings.time_zone);
        Moment {
            store,
            settings,
            now,
        }
    }

    fn carry_out(
        &mut self,
        moment: &Moment<'_>,
        input: &Input,
        reply: oneshot::Sender<Answer>,
        work: &mut Work,
    ) {
        // A command may arrive again in the very group that carries it out.
        let again = input.id().and_then(|id| {
            let pending = work.decided.iter().find(|d| d.id.as_ref() == Some(id));
            if planted::is("commands-carried-out-again") {
                return None;
            }
            pending.map(|d| &d.done).or(self.answered.get(id)).cloned()
        });
        if let Some(done) = again {
            work.decided.push(Decided {
                reply,
                id: None,
                done,
                repeated: true,
                refused: None,
            });
            return;
        }
        match self.decide(moment, input) {
            (events, Some(problem)) if events.is_empty() => {
                let _ = reply.send(Err(problem));
            }
            (events, refused) => {
                // Only what was carried out is answered the same when it is asked for again.
                let id = input.id().filter(|_| refused.is_none()).cloned();
                let done = self.seal_events(&events, &id, &mut work.entries);
                work.decided.push(Decided {
                    reply,
                    id,
                    done,
                    repeated: false,
                    refused,
                });
            }
        }
    }

    /// Shows what is durable now, and then answers: who has an answer finds it in the state.
    fn publish(&mut self, decided: Vec<Decided>, state: &watch::Sender<Arc<RegisterState>>) {
        state.send_replace(Arc::new(self.snapshot()));
        for Decided {
            reply,
            id,
            done,
            repeated,
            refused,
        } in decided
        {
            if !repeated {
                self.announce(&done);
            }
            if let Some(id) = id {
                self.remember(id, done.clone());
            }
            let _ = reply.send(match refused {
                Some(problem) => Err(problem),
                None => Ok(done),
            });
        }
    }

    fn announce(&self, done: &Done) {
        let first = done.seq + 1 - done.events.len() as Seq;
        for (seq, event) in (first..).zip(&done.events) {
            if let Event::Completed { receipt, .. } = event {
                let at = receipt.priced_at;
                let _ = self.receipts.send(ReceiptMark { seq, at });
                self.parts.haste.hurry(seq);
            }
            let event = event.clone();
            let _ = self.events.send(Arc::new(LaneEvent { seq, event }));
        }
    }

    /// Shows that nothing can be made durable, and then answers.
    fn stop(
        &mut self,
        before: Volatile,
        decided: Vec<Decided>,
        error: &StorageError,
        state: &watch::Sender<Arc<RegisterState>>,
    ) {
        self.now = before;
        let message = error.to_string();
        let already = self.stopped.take();
        if already.as_ref().is_none_or(|s| s.reason != message) {
            tracing::error!(%error, "the journal could not be made durable");
        }
        let now_ms = self.parts.clock.wall_ms();
        self.stopped = Some(Stopped {
            reason: message.clone(),
            since_ms: already.map_or(now_ms, |s| s.since_ms),
        });
        state.send_replace(Arc::new(self.snapshot()));
        for Decided { reply, .. } in decided {
            let message = message.clone();
            let _ = reply.send(Err(Problem::Stopped { message }));
        }
    }

    fn decide(&mut self, moment: &Moment<'_>, input: &Input) -> Decision {
        let decided = self.try_decide(moment, input);
        decided.unwrap_or_else(|problem| (Vec::new(), Some(problem)))
    }

    fn try_decide(&mut self, moment: &Moment<'_>, input: &Input) -> Result<Decision, Problem> {
        let Task { parts, books, .. } = self;
        let register = &self.now.register;
        let Moment {
            store,
            settings,
            now,
        } = moment;
        let pinned = match &register.working().cart {
            Some(cart) => cart.book,
            None => store.version(),
        };
        let book = books.at(pinned, store).map_err(|e| unreadable(&e))?;
        let newest = books.at(store.version(), store);
        let newest = newest.map_err(|e| unreadable(&e))?;
        let level = store.level().map_err(|e| unreadable(&e))?;
        let known = Known::new(&parts.journal, store, parts.identity.lane);
        let context = Context {
            reference: store,
            book: &book,
            newest: &newest,
            requotes: level >= FORMAT_REQUOTES,
            limits: level >= FORMAT_LIMITS,
            now: *now,
            lane: parts.identity.lane,
            lane_number: parts.identity.number,
            lane_name: &parts.identity.lane_name,
            shared: &known,
            rights: rights(&parts.raft.borrow()),
            terminal: parts.terminal.as_deref(),
            pin_matches: parts.pin_check.as_ref(),
        };
        let decision = match input {
            Input::Command(request) => decide(register, &request.command, &context),
            Input::Card { number, answer } => card_answered(register, *number, answer, &context),
        };
        store.check().map_err(|e| unreadable(&e))?;
        known.check().map_err(|e| unreadable(&e))?;
        Ok(match decision {
            Ok(events) => {
                refuse_above_level(&events, store)?;
                (events, None)
            }
            Err(refusal) => {
                let events = match input {
                    Input::Command(request) => events_of_refusal(&request.command, &refusal, *now),
                    Input::Card { .. } => Vec::new(),
                };
                (events, Some(Problem::refused(refusal, settings.language)))
            }
        })
    }

    fn price_cart(&mut self, moment: &Moment<'_>) -> Result<Option<Priced>, TableError> {
        let Some(cart) = &self.now.register.working().cart else {
            return Ok(None);
        };
        let store = &moment.store;
        let book = self.books.at(cart.book, store)?;
        let (at, newest_total) = match cart.phase {
            sale::Phase::Paying { at, .. } => (at, None),
            sale::Phase::Selling => {
                let newest = self.books.at(store.version(), store)?;
                let total = sale::newest_total(cart, store, &newest, moment.now);
                (moment.now, total)
            }
        };
        let used_up = sale::used_up(cart, &book, at, is_cut_off(&self.parts.raft.borrow()));
        let totals = price(cart, &book, at, moment.settings.currency);
        let hints = sale::hints(cart, &book, at, &totals);
        Ok(Some(Priced {
            totals,
            hints,
            used_up,
            newest_total,
        }))
    }

    fn seal_events(
        &mut self,
        events: &[Event],
        request: &Option<String>,
        entries: &mut Vec<Entry>,
    ) -> Done {
        for event in events {
            evolve(&mut self.now.register, event);
            if matches!(event, Event::LineVoided { .. }) && planted::is("void-not-journalled") {
                continue;
            }
            entries.push(self.seal(Fact::Register {
                event: event.clone(),
                request: request.clone(),
            }));
        }
        Done {
            seq: self.now.head.next_seq - 1,
            events: events.to_vec(),
        }
    }

    fn seal(&mut self, fact: Fact) -> Entry {
        let now = &mut self.now;
        let mut hlc = self.parts.stamps.next();
        if planted::is("stamp-follows-the-clock") {
            hlc.wall_ms = self.parts.clock.wall_ms();
        }
        let entry = Entry::seal(&EntryBody {
            v: fact.format(),
            store: match planted::every(9, "entry-of-another-store") {
                true => StoreId([9; 16]),
                false => self.parts.identity.store,
            },
            lane: self.parts.identity.lane,
            seq: now.head.next_seq,
            prev: now.head.hash,
            hlc,
            fact,
        });
        now.head = Head {
            next_seq: now.head.next_seq + 1,
            hash: entry.hash(),
        };
        entry
    }

    /// Between two sales, so that no cashier waits for it.
    fn checkpoint_if_due(&mut self) {
        let seq = self.now.head.next_seq - 1;
        if self.now.register.cart.is_some() || seq < self.checkpointed + CHECKPOINT_EVERY {
            return;
        }
        let checkpoint = Checkpoint {
            format: 1,
            head: self.now.head,
            hlc: self.parts.stamps.newest(),
            register: self.now.register.clone(),
        };
        let bytes = cbor4ii::serde::to_vec(Vec::new(), &checkpoint);
        let bytes = bytes.expect("plain data always encodes");
        self.checkpointed = seq;
        if let Err(error) = self.parts.disk.write(CHECKPOINT_FILE, &bytes) {
            tracing::warn!(%error, "the register's checkpoint was not written");
        }
    }
}

/// What a lane of the store could not count is not done yet.
fn refuse_above_level(events: &[Event], store: &StoreView<'_>) -> Result<(), Problem> {
    let wanted = events.iter().map(event_format).max();
    let wanted = wanted.unwrap_or(FORMAT_FIRST);
    if planted::is("level-ignored") {
        return Ok(());
    }
    match store.held_back_by(wanted).map_err(|e| unreadable(&e))? {
        None => Ok(()),
        Some(lanes) => {
            let language = store.settings().language;
            Err(Problem::refused(Refusal::NotInStoreYet { lanes }, language))
        }
    }
}

/// The mark of a receipt, where the fact is one.
fn receipt_mark(seq: Seq, fact: &Fact) -> Option<ReceiptMark> {
    match fact {
        Fact::Register {
            event: Event::Completed { receipt, .. },
            ..
        } => Some(ReceiptMark {
            seq,
            at: receipt.priced_at,
        }),
        _ => None,
    }
}
