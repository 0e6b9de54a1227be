//! One simulation: a scenario, a seed, one thread, virtual time.

use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Once};
use std::time::Duration;

use anyhow::Context as _;
use futures::future::join_all;
use providers::JoinHandle;
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::baskets;
use crate::cashier::Cashier;
use crate::checks::{Check, Monitor, Tally, check, off_plan, unsettled};
use crate::executor::Executor;
use crate::faults::Driver;
use crate::log;
use crate::office::OfficeFault;
use crate::random::Dice;
use crate::scenario::Scenario;
use crate::store::{Counts, Slot, Store};
use crate::timeline::{Happening, Marks, Timeline, Violation};
use crate::trace::{self, Keep, Trace};

/// How often the running checks look.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The longest that cashiers may take to finish their open sales, every lane being up, at a pace of
/// [`FINISH_RATE`] times a normal day's; longer where they are slower.
const FINISH_MAX: Duration = Duration::from_secs(60);
const FINISH_RATE: f64 = 12.0;
/// The longest a new store may take to come up.
const CREATE_MAX: Duration = Duration::from_secs(120);

/// What a run adds to its scenario.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The log of the node code goes into the timeline, too.
    pub with_log: bool,
    pub plant: Option<Plant>,
    /// What is kept of the trace.
    pub keep: Keep,
}

/// A fault in what is checked, planted to see that it is caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// A cashier remembers a receipt that no lane has.
    LostReceipt,
    /// A receipt is acknowledged and nobody remembers it.
    ForgottenReceipt,
    /// Head office acknowledges an entry that it does not keep.
    OfficeLosesAnEntry,
}

/// How a simulation went.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub scenario: String,
    pub seed: u64,
    /// The file that baskets are shaped by; without one the seed draws them.
    pub baskets: Option<&'static str>,
    pub ok: bool,
    /// Promises that were broken, the first ones.
    pub violations: Vec<Violation>,
    pub virtual_ms: u64,
    pub lanes: usize,
    pub sales: u64,
    pub commands: u64,
    /// The longest that a cashier's command was held, in virtual milliseconds.
    pub held_ms_max: u64,
    /// From the end of the faults until nothing waited any more; `None` if that did not come.
    pub settled_after_ms: Option<u64>,
    pub kills: u64,
    /// Commands that a lane did not take because its disk was bad.
    pub stopped: u64,
    /// Sales at machines with a copy of a lane's disk that became lanes of their own.
    pub sales_at_copies: u64,
    /// From each loss of a leader to the next committed fact, where the scenario asks for it.
    pub failovers_ms: Vec<u64>,
    pub lost: u64,
    pub double: u64,
    /// The running hash of everything that happened: equal for equal runs.
    pub trace_hash: u64,
    pub trace_events: u64,
    #[serde(skip)]
    pub trace: Trace,
    #[serde(skip)]
    pub timeline: Vec<Happening>,
    #[serde(skip)]
    pub marks: Marks,
}

impl Report {
    /// The command that runs this simulation again.
    pub fn replay(&self) -> String {
        format!(
            "cargo run -p simulations -- run --scenario {} --seed {}{} --verbose",
            self.scenario,
            self.seed,
            baskets::option()
        )
    }
}

/// Runs a scenario. Only a simulator that does not work is an error.
pub fn simulate(scenario: &Scenario, seed: u64, options: Options) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    catch_panics();
    PANICS.with_borrow_mut(Vec::clear);
    let dice = Dice::new(seed);
    let executor = Executor::new(&dice);
    let scenario = scenario.clone();
    let report = executor.clone().run(&runtime, async move {
        trace::begin(options.keep);
        let timeline = Arc::new(Timeline::begin());
        let _log = options.with_log.then(|| log::into(timeline.clone()));
        let fault =
            (options.plant == Some(Plant::OfficeLosesAnEntry)).then_some(OfficeFault::LosesAnEntry);
        let store = Store::new(&scenario, dice.clone(), executor, timeline.clone(), fault)?;
        let run = Run {
            scenario,
            seed,
            options,
            dice,
            store,
            timeline,
        };
        run.run().await
    });
    let trace = trace::end();
    report.map(|report| Report {
        trace_hash: trace.hash,
        trace_events: trace.events,
        trace,
        ..report
    })
}

thread_local! {
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A panic inside a lane's task ends that task alone, so it would go unnoticed.
fn catch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            PANICS.with_borrow_mut(|panics| panics.push(info.to_string()));
            before(info);
        }));
    });
}

struct Run {
    scenario: Scenario,
    seed: u64,
    options: Options,
    dice: Dice,
    store: Arc<Store>,
    timeline: Arc<Timeline>,
}

impl Run {
    async fn run(&self) -> anyhow::Result<Report> {
        let (stop_looking, looked) = watch::channel(false);
        let looking = providers::spawn(look(self.store.clone(), looked));
        let created = timeout(CREATE_MAX, self.create()).await;
        let mut settled_after_ms = None;
        let mut tally = Tally::default();
        match created {
            Ok(Ok(())) => {
                self.sell().await;
                settled_after_ms = self.settle().await;
                tally = self.check().await;
                self.expected();
            }
            Ok(Err(error)) => {
                let what = format!("{error:#}");
                self.timeline.violation(Check::Starts, "store", what);
            }
            Err(_) => {
                let what = format!("it did not come up within {CREATE_MAX:?}");
                self.timeline.violation(Check::Starts, "store", what);
            }
        }
        stop_looking.send_replace(true);
        looking.await?;
        let lanes = self.store.slots().len();
        for slot in self.store.slots().iter().chain(&self.store.copies()) {
            self.store.close(slot).await;
        }
        Ok(self.report(lanes, settled_after_ms, tally))
    }

    /// Creates the store, with as many lanes as the seed draws.
    async fn create(&self) -> anyhow::Result<()> {
        let first = self.store.create().await?;
        let (low, high) = self.scenario.lanes();
        let lanes = self.dice.fork("lanes").between(low, high);
        for _ in 1..lanes {
            let process = first.process().context("the first lane does not run")?;
            let joined = self.store.join(&(first.clone(), process)).await;
            joined.context("a lane could not join a store in which everything works")?;
        }
        Ok(())
    }

    /// Cashiers sell and faults happen; afterwards everything works again.
    async fn sell(&self) {
        self.timeline.note("store", "opens");
        self.timeline.opened(self.store.slots().len());
        let selling_ms = self.scenario.virtual_ms(self.scenario.sells_for);
        let until = Instant::now() + Duration::from_millis(selling_ms);
        let (close, closing) = watch::channel(false);
        let (joined, mut joining) = mpsc::unbounded_channel();
        let mut cashiers = Vec::new();
        let seat = |cashiers: &mut Vec<JoinHandle<()>>, slot: Arc<Slot>| {
            let dice = self.dice.fork(&format!("cashier of {}", slot.name));
            let cashier = Cashier::new(self.store.clone(), slot.clone(), dice, closing.clone());
            cashiers.push(providers::spawn(async move {
                tokio::select! {
                    biased;
                    () = slot.fenced() => {}
                    () = slot.has_gone() => {}
                    () = cashier.work() => {}
                }
            }));
        };
        for slot in self.store.slots() {
            seat(&mut cashiers, slot);
        }
        let mut faults = Vec::new();
        for (number, part) in self.scenario.faults.iter().enumerate() {
            let driver = Driver {
                store: self.store.clone(),
                number,
                first_ms: self.scenario.first_ms(part),
                lasts_ms: self.scenario.range_ms(part.lasts),
                again_ms: part.again.map(|again| self.scenario.range_ms(again)),
                part: part.clone(),
                dice: self.dice.fork(&format!("fault {number}")),
                until,
                joined: joined.clone(),
            };
            faults.push(providers::spawn(driver.run()));
        }
        drop(joined);
        while let Some(slot) = joining.recv().await {
            seat(&mut cashiers, slot);
        }
        join_all(faults).await;
        tokio::time::sleep_until(until).await;
        self.timeline.calm();
        self.timeline
            .note("store", "faults have ended, the cashiers finish");
        close.send_replace(true);
        let finish_max = FINISH_MAX.mul_f64((FINISH_RATE / self.scenario.work.rate).max(1.0));
        if timeout(finish_max, join_all(cashiers)).await.is_err() {
            let what = format!("a cashier could not finish a sale within {finish_max:?}");
            self.timeline.violation(Check::NeverHeldUp, "store", what);
        }
    }

    /// Waits until nothing waits any more.
    async fn settle(&self) -> Option<u64> {
        let begun = Instant::now();
        let limit = Duration::from_millis(self.scenario.expect.settles_within.0);
        let mut settled_after_ms = None;
        loop {
            let waits = match unsettled(&self.store) {
                Some(reason) => {
                    settled_after_ms = None;
                    Some((Check::ComesToRest, reason))
                }
                None => {
                    let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).ok();
                    settled_after_ms = settled_after_ms.or(elapsed_ms);
                    off_plan(&self.store).map(|reason| (Check::VotersAsPlanned, reason))
                }
            };
            let Some((check, reason)) = waits else {
                self.timeline.note("store", "is at rest");
                return settled_after_ms;
            };
            if begun.elapsed() > limit {
                let what = format!("it did not come to rest within {limit:?}: {reason}");
                self.timeline.violation(check, "store", what);
                return None;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn check(&self) -> Tally {
        let mut acknowledged = self.store.acknowledged();
        match (self.options.plant, acknowledged.first().cloned()) {
            (Some(Plant::LostReceipt), Some(mut made_up)) => {
                made_up.receipt.id.push_str("-never");
                acknowledged.push(made_up);
            }
            (Some(Plant::ForgottenReceipt), Some(_)) => {
                acknowledged.remove(0);
            }
            _ => {}
        }
        match check(&self.store, &acknowledged) {
            Ok(tally) => tally,
            Err(error) => {
                let what = format!("its books cannot be read: {error:#}");
                self.timeline.violation(Check::HashOfRows, "store", what);
                Tally::default()
            }
        }
    }

    /// What the scenario expects besides the promises.
    fn expected(&self) {
        let sales = self.store.acknowledged().len() as u64;
        let sales_min = self.scenario.expect.sales_min;
        if sales < sales_min {
            let what = format!("{sales} sales were made, and at least {sales_min} were expected");
            self.timeline.violation(Check::Expected, "store", what);
        }
        let at_copies = self.store.counts().sales_at_copies;
        let at_copies_min = self.scenario.expect.sales_at_copies_min;
        if at_copies < at_copies_min {
            let what = format!(
                "{at_copies} sales were made at copies of a disk, and at least {at_copies_min} were \
                 expected"
            );
            self.timeline.violation(Check::Expected, "store", what);
        }
    }

    fn report(&self, lanes: usize, settled_after_ms: Option<u64>, tally: Tally) -> Report {
        for panic in PANICS.with_borrow_mut(std::mem::take) {
            self.timeline
                .violation(Check::NoPanic, "lane", format!("a task panicked: {panic}"));
        }
        let violations = self.timeline.violations();
        let Counts {
            commands,
            held_ms_max,
            kills,
            stopped,
            sales_at_copies,
            failovers_ms,
            ..
        } = self.store.counts();
        Report {
            scenario: self.scenario.name.clone(),
            seed: self.seed,
            baskets: baskets::file(),
            ok: violations.is_empty(),
            violations,
            virtual_ms: self.timeline.elapsed_ms(),
            lanes,
            sales: self.store.acknowledged().len() as u64,
            commands,
            held_ms_max,
            settled_after_ms,
            kills,
            stopped,
            sales_at_copies,
            failovers_ms,
            lost: tally.lost,
            double: tally.double,
            trace_hash: 0,
            trace_events: 0,
            trace: Trace::default(),
            timeline: self.timeline.happenings(),
            marks: self.timeline.marks(),
        }
    }
}

async fn look(store: Arc<Store>, mut stop: watch::Receiver<bool>) {
    let mut monitor = Monitor::default();
    let mut leader = None;
    loop {
        tokio::select! {
            biased;
            _ = stop.changed() => return monitor.finish(&store),
            () = sleep(LOOK_EVERY) => {}
        }
        monitor.look(&store);
        let leads = store.leader().map(|(slot, process)| {
            let term = process.lane.view().borrow().status.term;
            (slot.name.clone(), term)
        });
        if leads.is_some() && leads != leader {
            if let Some((name, term)) = &leads {
                store.timeline.note(name, format!("leads term {term}"));
            }
            leader = leads;
        }
    }
}
