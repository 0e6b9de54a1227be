//! Runs every task of a simulation, in one thread and in an order that the seed draws.
//!
//! Each task belongs to a process: a lane's, or the world's (cashiers, faults, wires). A process can
//! be killed (its tasks are dropped before anything else runs) and frozen (its tasks are not polled
//! until it thaws; what woke them meanwhile is remembered).
//!
//! Invariant: which task runs next depends on the set of ready tasks and the seed alone, never on
//! the order in which wakers were called; tokio's channels call theirs in an order of their own.
//! tokio gives the timers: its clock is paused, and jumps to the next timer when no task is ready.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use providers::{Abort, Spawner};
use tokio::task::coop::unconstrained;

use crate::random::Dice;
use crate::trace::{self, Kind};

/// Polls at one moment of virtual time after which time is taken to stand still for good.
const POLLS_AT_ONE_MOMENT_MAX: u64 = 3_000_000;

/// A process of the simulation. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProcessId(u64);

/// People, wires and faults: never killed.
pub const WORLD: ProcessId = ProcessId(0);

/// Which task, and where it is kept. Tasks are in the order in which they were spawned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TaskId {
    number: u64,
    /// Its place among the tasks; used again once it has ended.
    place: usize,
}

/// What a process whose own countdown killed it still has to be told.
type OnKilled = Box<dyn FnOnce() + Send>;

struct Task {
    id: TaskId,
    process: ProcessId,
    /// Taken out while it is polled.
    future: Option<BoxFuture<'static, ()>>,
    waker: Arc<TaskWaker>,
    aborted: bool,
}

struct Process {
    frozen: bool,
    /// Ready tasks of a frozen process.
    held: Vec<TaskId>,
    /// Polls after which it is killed.
    polls_left: Option<u64>,
    on_killed: Option<OnKilled>,
}

/// Ready tasks, in the order of their ids.
#[derive(Default)]
struct Ready {
    ids: Vec<TaskId>,
    /// Set while the executor waits for time to pass.
    waiting: Option<Waker>,
}

impl Ready {
    fn insert(&mut self, id: TaskId) {
        if let Err(place) = self.ids.binary_search(&id) {
            self.ids.insert(place, id);
        }
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }
}

struct TaskWaker {
    id: TaskId,
    queued: AtomicBool,
    ready: Arc<Mutex<Ready>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            lock(&self.ready).insert(self.id);
        }
    }
}

/// Tasks by their places: each is looked up at every poll.
#[derive(Default)]
struct Tasks {
    places: Vec<Option<Task>>,
    free: Vec<usize>,
    begun: u64,
}

impl Tasks {
    fn next_id(&mut self) -> TaskId {
        self.begun += 1;
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        TaskId {
            number: self.begun,
            place,
        }
    }

    fn get_mut(&mut self, id: TaskId) -> Option<&mut Task> {
        let task = self.places.get_mut(id.place)?.as_mut();
        task.filter(|task| task.id == id)
    }

    fn remove(&mut self, id: TaskId) -> Option<Task> {
        self.get_mut(id)?;
        self.free.push(id.place);
        self.places[id.place].take()
    }

    /// The tasks of a process, the oldest first.
    fn of(&self, process: ProcessId) -> Vec<TaskId> {
        let tasks = self.places.iter().flatten();
        let ids = tasks.filter(|task| task.process == process);
        let mut ids: Vec<TaskId> = ids.map(|task| task.id).collect();
        ids.sort_unstable();
        ids
    }
}

struct State {
    tasks: Tasks,
    processes: BTreeMap<ProcessId, Process>,
    processes_begun: u64,
    current: ProcessId,
    /// Processes whose tasks are to be dropped.
    to_reap: Vec<ProcessId>,
    order: Dice,
    /// What the node's own libraries draw.
    drawn: Dice,
}

/// The tasks of one simulation. Clones share them.
#[derive(Clone)]
pub struct Executor {
    state: Arc<Mutex<State>>,
    ready: Arc<Mutex<Ready>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    static CURRENT: RefCell<Option<Executor>> = const { RefCell::new(None) };
}

/// Runs `task` for the world, whoever calls: what is on a wire outlives the process that sent it.
/// Without an executor, as in tests of one part, it is a task of tokio's.
#[track_caller]
pub fn spawn_world(task: impl Future<Output = ()> + Send + 'static) {
    match CURRENT.with_borrow(Clone::clone) {
        Some(executor) => {
            executor.spawn(WORLD, task);
        }
        None => {
            tokio::spawn(task);
        }
    }
}

impl Executor {
    pub fn new(dice: &Dice) -> Executor {
        let state = State {
            tasks: Tasks::default(),
            processes: BTreeMap::new(),
            processes_begun: 0,
            current: WORLD,
            to_reap: Vec::new(),
            order: dice.fork("order of tasks"),
            drawn: dice.fork("libraries"),
        };
        Executor {
            state: Arc::new(Mutex::new(state)),
            ready: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Runs `main` and all it spawns until `main` is done; then drops what is left. A panic of
    /// `main` goes on to the caller, one of another task ends that task alone.
    pub fn run<T: Send + 'static>(
        &self,
        runtime: &tokio::runtime::Runtime,
        main: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let _entered = providers::enter(Rc::new(Shim(self.clone())));
        CURRENT.set(Some(self.clone()));
        let outcome: Arc<Mutex<Option<std::thread::Result<T>>>> = Arc::default();
        let told = outcome.clone();
        self.spawn(WORLD, async move {
            let value = AssertUnwindSafe(main).catch_unwind().await;
            *lock(&told) = Some(value);
        });
        // Without tokio's own budget: the order of tasks is ours.
        let value = runtime.block_on(unconstrained(poll_fn(|cx| {
            let value = self.run_ready(cx, || lock(&outcome).take());
            if value.is_ready() {
                // Here, where virtual time is still known.
                self.drop_all();
            }
            value
        })));
        CURRENT.set(None);
        value.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Polls tasks until `done` says so or none is ready.
    fn run_ready<T>(&self, cx: &Context<'_>, done: impl Fn() -> Option<T>) -> Poll<T> {
        let mut polls = 0;
        trace::time_has_passed();
        loop {
            self.reap();
            let Some(id) = self.next(cx) else {
                return Poll::Pending;
            };
            self.poll(id);
            if let Some(value) = done() {
                return Poll::Ready(value);
            }
            polls += 1;
            assert!(
                polls < POLLS_AT_ONE_MOMENT_MAX,
                "time stands still: {polls} polls at one moment"
            );
        }
    }

    /// The next task to poll, drawn from those that are ready.
    fn next(&self, cx: &Context<'_>) -> Option<TaskId> {
        let mut ready = lock(&self.ready);
        let len = ready.ids.len();
        if len == 0 {
            ready.waiting = Some(cx.waker().clone());
            return None;
        }
        let place = match len {
            1 => 0,
            len => self.state().order.index(len),
        };
        Some(ready.ids.remove(place))
    }

    fn poll(&self, id: TaskId) {
        // A task that is dropped is dropped here, where nothing is locked.
        let taken = self.state().take(id);
        let Taken::Poll(mut future, waker) = taken else {
            return;
        };
        waker.queued.store(false, Ordering::Relaxed);
        let waker = Waker::from(waker);
        let mut cx = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut cx)));
        let is_pending = matches!(polled, Ok(Poll::Pending));
        let mut state = self.state();
        state.current = WORLD;
        let kept = state.tasks.get_mut(id).filter(|_| is_pending);
        match kept {
            Some(task) => task.future = Some(future),
            None => {
                let ended = state.tasks.remove(id);
                drop(state);
                drop(ended);
                drop(future);
            }
        }
    }

    /// Drops the tasks of killed processes, and tells those that did not ask for it.
    fn reap(&self) {
        loop {
            let (tasks, on_killed) = {
                let mut state = self.state();
                let Some(id) = state.to_reap.pop() else {
                    return;
                };
                let ended = state.processes.remove(&id);
                let ids = state.tasks.of(id);
                let tasks = ids.into_iter();
                let tasks: Vec<_> = tasks.filter_map(|task| state.tasks.remove(task)).collect();
                (tasks, ended.and_then(|process| process.on_killed))
            };
            drop(tasks);
            if let Some(on_killed) = on_killed {
                on_killed();
            }
        }
    }

    fn drop_all(&self) {
        let mut tasks = std::mem::take(&mut self.state().tasks.places);
        tasks.sort_unstable_by_key(|task| task.as_ref().map(|task| task.id));
        drop(tasks);
    }

    /// A new process without tasks. `on_killed` is called if it is killed by its own countdown.
    pub fn new_process(&self, on_killed: impl FnOnce() + Send + 'static) -> ProcessId {
        let mut state = self.state();
        state.processes_begun += 1;
        let id = ProcessId(state.processes_begun);
        let process = Process {
            frozen: false,
            held: Vec::new(),
            polls_left: None,
            on_killed: Some(Box::new(on_killed)),
        };
        state.processes.insert(id, process);
        id
    }

    /// Runs `task` in a process. In one that has ended it never runs.
    #[track_caller]
    pub fn spawn(
        &self,
        process: ProcessId,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Arc<dyn Abort> {
        self.spawn_at(Location::caller(), process, Box::pin(task))
    }

    fn spawn_at(
        &self,
        from: &'static Location<'static>,
        process: ProcessId,
        future: BoxFuture<'static, ()>,
    ) -> Arc<dyn Abort> {
        let mut state = self.state();
        let id = state.tasks.next_id();
        trace::record(
            Kind::Spawn,
            &[process.0, id.number, u64::from(from.line())],
            || {
                let file = from.file().rsplit('/').next().unwrap_or_default();
                let (process, task) = (process.0, id.number);
                format!("process {process} task {task} at {file}:{}", from.line())
            },
        );
        let waker = Arc::new(TaskWaker {
            id,
            queued: AtomicBool::new(false),
            ready: self.ready.clone(),
        });
        let handle = Arc::new(TaskHandle {
            id,
            executor: self.clone(),
        });
        if process != WORLD && !state.processes.contains_key(&process) {
            state.tasks.free.push(id.place);
            return handle;
        }
        let task = Task {
            id,
            process,
            future: Some(future),
            waker: waker.clone(),
            aborted: false,
        };
        state.tasks.places[id.place] = Some(task);
        drop(state);
        waker.wake();
        handle
    }

    /// Runs `task` in a process and waits for its outcome; `None` if the process is killed before.
    pub async fn call<T: Send + 'static>(
        &self,
        process: ProcessId,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (sender, outcome) = futures::channel::oneshot::channel();
        self.spawn(process, async move {
            // Nobody waits any more when the simulation ends.
            let _ = sender.send(task.await);
        });
        outcome.await.ok()
    }

    /// Kills a process: none of its tasks is polled again. Nobody is told.
    pub fn kill(&self, process: ProcessId) {
        let mut state = self.state();
        if let Some(process) = state.processes.get_mut(&process) {
            process.on_killed = None;
        }
        state.to_reap.push(process);
    }

    /// Kills a process that is at this moment being polled, as a fault of its own, and tells.
    pub fn kill_from_within(&self, process: ProcessId) {
        self.state().to_reap.push(process);
    }

    /// Kills a process before its `polls`-th next poll, which is at some await of its tasks.
    pub fn kill_after_polls(&self, process: ProcessId, polls: u64) {
        if let Some(process) = self.state().processes.get_mut(&process) {
            process.polls_left = Some(polls.max(1));
        }
    }

    /// No task of the process is polled until it thaws.
    pub fn freeze(&self, process: ProcessId) {
        if let Some(process) = self.state().processes.get_mut(&process) {
            process.frozen = true;
        }
    }

    pub fn thaw(&self, process: ProcessId) {
        let held = {
            let mut state = self.state();
            let Some(process) = state.processes.get_mut(&process) else {
                return;
            };
            process.frozen = false;
            std::mem::take(&mut process.held)
        };
        let mut ready = lock(&self.ready);
        held.into_iter().for_each(|task| ready.insert(task));
    }

    fn abort(&self, id: TaskId) {
        let waker = {
            let mut state = self.state();
            let Some(task) = state.tasks.get_mut(id) else {
                return;
            };
            task.aborted = true;
            task.waker.clone()
        };
        waker.wake();
    }
}

/// What is to be done with a ready task.
enum Taken {
    Poll(BoxFuture<'static, ()>, Arc<TaskWaker>),
    Drop(#[expect(dead_code, reason = "held to be dropped")] Task),
    Nothing,
}

impl State {
    fn take(&mut self, id: TaskId) -> Taken {
        let Some(task) = self.tasks.get_mut(id) else {
            return Taken::Nothing;
        };
        let owner = task.process;
        if let Some(process) = self.processes.get_mut(&owner) {
            if process.frozen {
                process.held.push(id);
                return Taken::Nothing;
            }
            if let Some(left) = &mut process.polls_left {
                *left -= 1;
                if *left == 0 {
                    self.to_reap.push(owner);
                    return Taken::Nothing;
                }
            }
        }
        if task.aborted {
            return self.tasks.remove(id).map_or(Taken::Nothing, Taken::Drop);
        }
        self.current = owner;
        trace::record(Kind::Poll, &[owner.0, id.number], || {
            format!("process {} task {}", owner.0, id.number)
        });
        match task.future.take() {
            Some(future) => Taken::Poll(future, task.waker.clone()),
            None => Taken::Nothing,
        }
    }
}

struct TaskHandle {
    id: TaskId,
    executor: Executor,
}

impl Abort for TaskHandle {
    fn abort(&self) {
        self.executor.abort(self.id);
    }
}

/// The executor as lane code sees it: what a task spawns belongs to its process.
struct Shim(Executor);

impl Spawner for Shim {
    fn spawn(
        &self,
        from: &'static Location<'static>,
        task: BoxFuture<'static, ()>,
    ) -> Arc<dyn Abort> {
        let process = self.0.state().current;
        self.0.spawn_at(from, process, task)
    }

    fn random(&self) -> u64 {
        self.0.state().drawn.next()
    }
}
