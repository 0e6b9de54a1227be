//! What happened in a simulation, in order, for whoever has to understand a failure.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::time::Instant;

/// Happenings kept; the later ones of a run that has more are only counted.
const HAPPENINGS_MAX: usize = 50_000;

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
        let (seconds, ms) = (self.at_ms / 1000, self.at_ms % 1000);
        write!(f, "{seconds:>5}.{ms:03} s  {:<8}  {}", self.who, self.what)
    }
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
    violations: Vec<String>,
}

/// Violations kept; the first ones matter.
const VIOLATIONS_MAX: usize = 20;

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

    pub fn note(&self, who: &str, what: impl Into<String>) {
        let at_ms = self.elapsed_ms();
        let mut inner = self.lock();
        if inner.happenings.len() >= HAPPENINGS_MAX {
            inner.left_out += 1;
            return;
        }
        inner.happenings.push(Happening {
            at_ms,
            who: who.to_owned(),
            what: what.into(),
        });
    }

    /// Notes that a promise was broken.
    pub fn violation(&self, who: &str, what: impl Into<String>) {
        let what = what.into();
        self.note(who, format!("VIOLATION: {what}"));
        let at_ms = self.elapsed_ms();
        let mut inner = self.lock();
        if inner.violations.len() < VIOLATIONS_MAX {
            let text = format!("{who}, at {}.{:03} s: {what}", at_ms / 1000, at_ms % 1000);
            inner.violations.push(text);
        }
    }

    pub fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
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
