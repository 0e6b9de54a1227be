//! Which reports this lane has handed out on paper: a second paper of the same report says so.
//!
//! It is remembered while the lane runs. What was reported before its start counts as handed out.

use std::sync::{Arc, Mutex, PoisonError};

use sale::Tally;

use super::Lane;

/// The reports that were handed out.
pub struct Papers(Mutex<HandedOut>);

struct HandedOut {
    /// The number of the newest Z report.
    z: u64,
    /// The newest X report: the number of the Z report before it, and its sums.
    x: Option<(u64, Arc<Tally>)>,
}

impl Papers {
    /// Nothing handed out but what was reported before: Z reports up to this number.
    pub fn after(reports_z: u64) -> Papers {
        Papers(Mutex::new(HandedOut {
            z: reports_z,
            x: None,
        }))
    }

    /// Notes that a Z report is handed out; whether it was before.
    fn hand_out_z(&self, number: u64) -> bool {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = number <= out.z;
        out.z = out.z.max(number);
        before
    }

    /// Notes that an X report is handed out; whether the same sums were before.
    fn hand_out_x(&self, reports_z: u64, tally: &Arc<Tally>) -> bool {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = (reports_z, tally.clone());
        out.x.replace(newest.clone()) == Some(newest)
    }
}

impl Lane {
    /// Notes that a Z report of this lane is handed out on paper; whether that is a reprint.
    pub fn reprints_z(&self, number: u64) -> bool {
        self.shared.papers.hand_out_z(number)
    }

    /// Notes that an X report is handed out on paper; whether that is a reprint: nothing was added
    /// since the last one.
    pub fn reprints_x(&self, reports_z: u64, tally: &Arc<Tally>) -> bool {
        self.shared.papers.hand_out_x(reports_z, tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_handed_out_once_and_then_reprinted() {
        let papers = Papers::after(3);
        let check = |number, reprint| assert_eq!(papers.hand_out_z(number), reprint, "{number}");
        check(3, true);
        check(4, false);
        check(4, true);
        check(2, true);
        check(5, false);
        let sums = |no_sales| {
            Arc::new(Tally {
                no_sales,
                ..Tally::default()
            })
        };
        let check = |reports_z, no_sales, reprint| {
            let got = papers.hand_out_x(reports_z, &sums(no_sales));
            assert_eq!(got, reprint, "{reports_z} {no_sales}");
        };
        check(5, 0, false);
        check(5, 0, true);
        check(5, 1, false);
        check(5, 1, true);
        check(6, 1, false);
    }
}
