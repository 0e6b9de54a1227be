//! The growing wait after wrong PINs.
//!
//! A PIN has few digits, so what protects it is time: after [`FREE`] wrong ones for the same number
//! on the same lane every further try has to wait, twice as long each time up to [`WAIT_MAX_S`].
//! While it waits no PIN is looked at, not even the right one. Numbers that nobody has are treated
//! like all others, so that nobody learns which there are.
//!
//! Attempts are events without the PIN, so the wait outlasts a restart and a manager can see them.

use std::collections::BTreeMap;

use catalog::EmployeeId;
use serde::{Deserialize, Serialize};

use crate::LocalTime;

/// Wrong PINs in a row that cost no wait: slips of the finger.
const FREE: u32 = 3;
/// The first wait, in seconds.
const WAIT_FIRST_S: u64 = 5;
/// The longest wait, in seconds.
const WAIT_MAX_S: u64 = 300;
/// Numbers whose wrong PINs a lane remembers; the one tried longest ago is forgotten first.
const NUMBERS_MAX: usize = 100;

/// Wrong PINs in a row for one number on this lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    pub count: u32,
    pub last: LocalTime,
}

impl Attempts {
    /// Seconds until the next try may be made; 0 when it may be made at `now`.
    ///
    /// A wall clock that was set back does not make anybody wait until it has caught up: then the
    /// next try may be made, and counts from the new time.
    fn wait_s(self, now: LocalTime) -> u32 {
        let Some(doublings) = self.count.checked_sub(FREE) else {
            return 0;
        };
        let doubled = WAIT_FIRST_S.saturating_mul(1 << doublings.min(16));
        let wait_ms = doubled.min(WAIT_MAX_S) * 1000;
        let left_ms = match now.unix_ms.checked_sub(self.last.unix_ms) {
            Some(gone_ms) => wait_ms.saturating_sub(gone_ms),
            None => 0,
        };
        u32::try_from(left_ms.div_ceil(1000)).unwrap_or(u32::MAX)
    }
}

/// Wrong PINs by number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WrongPins(BTreeMap<EmployeeId, Attempts>);

impl WrongPins {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Seconds until a PIN for this number may be tried again; 0 when it may be now.
    pub fn wait_s(&self, employee: &EmployeeId, now: LocalTime) -> u32 {
        self.0.get(employee).map_or(0, |tried| tried.wait_s(now))
    }

    pub(crate) fn add(&mut self, employee: &EmployeeId, at: LocalTime) {
        if self.0.len() >= NUMBERS_MAX && !self.0.contains_key(employee) {
            let oldest = self.0.iter().min_by_key(|(_, tried)| tried.last);
            let oldest = oldest.map(|(number, _)| number.clone());
            oldest.and_then(|number| self.0.remove(&number));
        }
        let tried = self
            .0
            .entry(employee.clone())
            .or_insert(Attempts { count: 0, last: at });
        tried.count = tried.count.saturating_add(1);
        tried.last = at;
    }

    pub(crate) fn forgive(&mut self, employee: &EmployeeId) {
        self.0.remove(employee);
    }
}
