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
    /// The number of the newest receipt that was handed out.
    receipt: Option<String>,
    /// The newest X report: the number of the Z report before it, and its sums.
    x: Option<(u64, Arc<Tally>)>,
}

impl Papers {
    /// Nothing handed out but what was made before: Z reports up to this number, and this
    /// receipt.
    pub fn after(reports_z: u64, receipt: Option<String>) -> Papers {
        Papers(Mutex::new(HandedOut {
            z: reports_z,
            receipt,
            x: None,
        }))
    }

    /// Notes that a Z report is handed out; whether it was before.
    pub fn hand_out_z(&self, number: u64) -> bool {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = number <= out.z;
        out.z = out.z.max(number);
        before
    }

    /// Notes that a receipt is handed out; whether it was before, as far as this lane knows: it knows that
    /// of the `last` it made.
    pub fn hand_out_receipt(&self, id: &str, last: Option<&str>) -> bool {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last != Some(id) || out.receipt.as_deref() == Some(id) {
            return true;
        }
        out.receipt = Some(id.to_owned());
        false
    }

    /// Notes that a receipt which counts as handed out was not: nothing was printed.
    pub fn take_back_receipt(&self, id: &str) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.receipt.take_if(|newest| newest == id);
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
    fn a_receipt_is_the_first_only_where_this_lane_knows_that_it_is() {
        let papers = Papers::after(0, Some("1-1".to_owned()));
        let check = |id, last, reprint| {
            assert_eq!(
                papers.hand_out_receipt(id, last),
                reprint,
                "{id} of {last:?}"
            );
        };
        // Made before the start.
        check("1-1", Some("1-1"), true);
        check("1-2", Some("1-2"), false);
        check("1-2", Some("1-2"), true);
        // Another lane's, and one before the last.
        check("2-7", Some("1-2"), true);
        check("1-3", Some("1-4"), true);
        check("1-4", Some("1-4"), false);
        check("1-5", None, true);
        // Kept by no printer, so the next one is the first.
        papers.take_back_receipt("1-4");
        check("1-4", Some("1-4"), false);
        papers.take_back_receipt("1-3");
        check("1-4", Some("1-4"), true);
    }

    #[test]
    fn a_report_is_handed_out_once_and_then_reprinted() {
        let papers = Papers::after(3, None);
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
