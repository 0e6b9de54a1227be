//! What happened in a simulation, in order, for whoever has to understand a failure: words for
//! reading, and marks (faults, leaders, sales, samples of every lane) for drawing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::time::Instant;

use crate::checks::Check;
use crate::log;
use crate::trace::{self, Kind};

/// Happenings kept; the later ones of a run that has more are only counted.
const HAPPENINGS_MAX: usize = 50_000;
/// Violations kept; the first ones matter.
const VIOLATIONS_MAX: usize = 20;
/// Samples kept of each lane.
const SAMPLES_MAX: usize = 20_000;

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Happening {
    /// Virtual milliseconds since the simulation began.
    pub at_ms: u64,
    pub who: String,
    pub what: String,
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {:<8}  {}", Seconds(self.at_ms), self.who, self.what)
    }
}

/// Milliseconds, shown as seconds.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>5}.{:03} s", self.0 / 1000, self.0 % 1000)
    }
}

/// A promise that was broken, and the check that saw it.
#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    pub check: Check,
    pub at_ms: u64,
    pub who: String,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Seconds(self.at_ms).to_string();
        write!(
            f,
            "{} ({}), {}, at {}: {}",
            self.check,
            self.check.promise(),
            self.who,
            at.trim(),
            self.what
        )
    }
}

/// A fault as it struck: which lanes, which links (by lane number, from and to), from when to when.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Strike {
    pub what: String,
    /// Which of the scenario's faults it was.
    pub part: usize,
    pub from_ms: u64,
    /// `None` while it lasts, and for what has no length.
    pub to_ms: Option<u64>,
    pub lanes: Vec<usize>,
    pub links: Vec<(usize, usize)>,
    /// By how much a clock was set.
    pub by_ms: Option<i64>,
}

/// How a lane stood at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// `down`, or the mode that its cashier is shown.
    pub mode: &'static str,
    pub leads: bool,
    pub term: u64,
    pub applied: u64,
    pub unshared_sales: u64,
    pub unshared_entries: u64,
    pub hq_lag: u64,
}

/// A receipt as it was printed.
#[derive(Clone, Debug, Serialize)]
pub struct SaleMark {
    pub at_ms: u64,
    pub lane: String,
    pub receipt: String,
    pub lines: usize,
    pub total: String,
}

/// Everything a picture is drawn from.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Marks {
    /// When the store opened for its cashiers.
    pub opened_ms: u64,
    /// Lanes at that moment.
    pub lanes_at_opening: u64,
    /// When the last fault ended.
    pub calm_ms: Option<u64>,
    pub strikes: Vec<Strike>,
    pub sales: Vec<SaleMark>,
    /// By lane: when it came to stand like that.
    pub samples: BTreeMap<String, Vec<(u64, Sample)>>,
}

/// The happenings of one simulation.
pub struct Timeline {
    begun: Instant,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    happenings: Vec<Happening>,
    left_out: usize,
    violations: Vec<Violation>,
    marks: Marks,
}

impl Timeline {
    /// Begins now, in virtual time.
    pub fn begin() -> Timeline {
        Timeline {
            begun: Instant::now(),
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begun(&self) -> Instant {
        self.begun
    }

    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Virtual microseconds since it began.
    pub fn elapsed_us(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub fn note(&self, who: &str, what: impl Into<String>) {
        let at_ms = self.elapsed_ms();
        let what = what.into();
        // The log is there on demand, and must not make another trace of the same run.
        if who != log::WHO {
            trace::record_text(Kind::Note, &format!("{who} {what}"));
        }
        let mut inner = self.lock();
        if inner.happenings.len() >= HAPPENINGS_MAX {
            inner.left_out += 1;
            return;
        }
        inner.happenings.push(Happening {
            at_ms,
            who: who.to_owned(),
            what,
        });
    }

    /// Notes that a promise was broken, as `check` saw it.
    pub fn violation(&self, check: Check, who: &str, what: impl Into<String>) {
        let what = what.into();
        self.note(who, format!("VIOLATION of {check}: {what}"));
        let at_ms = self.elapsed_ms();
        let mut inner = self.lock();
        if inner.violations.len() < VIOLATIONS_MAX {
            inner.violations.push(Violation {
                check,
                at_ms,
                who: who.to_owned(),
                what,
            });
        }
    }

    pub fn violations(&self) -> Vec<Violation> {
        self.lock().violations.clone()
    }

    /// The cashiers of so many lanes begin.
    pub fn opened(&self, lanes: usize) {
        let now_ms = self.elapsed_ms();
        let marks = &mut self.lock().marks;
        marks.opened_ms = now_ms;
        marks.lanes_at_opening = lanes as u64;
    }

    /// The last fault has ended.
    pub fn calm(&self) {
        self.lock().marks.calm_ms = Some(self.elapsed_ms());
    }

    /// A fault strikes; what to end it with.
    pub fn strike(&self, strike: Strike) -> usize {
        let from_ms = self.elapsed_ms();
        let strikes = &mut self.lock().marks.strikes;
        strikes.push(Strike { from_ms, ..strike });
        strikes.len() - 1
    }

    pub fn strike_over(&self, number: usize) {
        let now_ms = self.elapsed_ms();
        if let Some(strike) = self.lock().marks.strikes.get_mut(number) {
            strike.to_ms = Some(now_ms);
        }
    }

    pub fn sale(&self, lane: &str, receipt: &sale::Receipt) {
        let at_ms = self.elapsed_ms();
        let mark = SaleMark {
            at_ms,
            lane: lane.to_owned(),
            receipt: receipt.id.clone(),
            lines: receipt.lines.len(),
            total: receipt.totals.total.to_string(),
        };
        self.lock().marks.sales.push(mark);
    }

    /// Keeps how a lane stands, where that has changed.
    pub fn sample(&self, lane: &str, sample: Sample) {
        let at_ms = self.elapsed_ms();
        let samples = &mut self.lock().marks.samples;
        let of_lane = samples.entry(lane.to_owned()).or_default();
        if of_lane.last().is_none_or(|(_, last)| *last != sample) && of_lane.len() < SAMPLES_MAX {
            of_lane.push((at_ms, sample));
        }
    }

    pub fn marks(&self) -> Marks {
        self.lock().marks.clone()
    }

    /// Everything that was noted.
    pub fn happenings(&self) -> Vec<Happening> {
        let inner = self.lock();
        let mut happenings = inner.happenings.clone();
        if inner.left_out > 0 {
            happenings.push(Happening {
                at_ms: self.elapsed_ms(),
                who: "timeline".to_owned(),
                what: format!("{} more were not kept", inner.left_out),
            });
        }
        happenings
    }
}
