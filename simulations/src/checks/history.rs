//! What managers changed and read, and who was let in, when they asked and when they were answered:
//! held against one order of all changes, and against the prices that customers were asked.

use std::collections::{BTreeMap, BTreeSet};

use catalog::ItemId;
use ledger::{Epoch, LaneId};
use sale::{Line, Receipt};

use super::linear::{Act, Operation, linearizable};
use crate::goods;

/// Changes of one simulation, so that the histories stay within what can be searched; managers do
/// nothing more after that.
const CHANGES_MAX: usize = 30;
/// How often an unlucky proposal may have been committed besides the time that was answered: each
/// attempt whose answer was lost may have been.
const COMMITTED_AGAIN_MAX: usize = 2;
/// The book's version once the store has been given its goods.
const FIRST_VERSION: u64 = 1;

/// What the store answered to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub at_us: u64,
    pub version: u64,
}

/// New prices, proposed at one moment.
#[derive(Clone, Debug)]
pub struct Change {
    /// Virtual microseconds.
    pub asked_us: u64,
    /// `None`: it may have been committed or not.
    pub answer: Option<Answer>,
    /// In minor units, by item.
    pub prices: BTreeMap<ItemId, i64>,
}

/// New prices that head office was to publish.
#[derive(Clone, Debug)]
pub struct Publishing {
    /// Of the change, as [`History::begin`] gave it; the publication's author is called so.
    pub number: usize,
    /// Virtual microseconds.
    pub asked_us: u64,
    /// The publication's number; `None`: it may be in head office's books or not.
    pub answer: Option<u64>,
    pub prices: BTreeMap<ItemId, i64>,
    /// Whether a record is among them that the store cannot use.
    pub has_foreign: bool,
}

/// A price that a manager read behind a change of its own.
#[derive(Clone, Debug)]
struct Read {
    asked_us: u64,
    answered_us: u64,
    item: ItemId,
    price: i64,
}

/// A lane that was let into the store.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    pub asked_us: u64,
    pub answered_us: u64,
    pub epoch: Epoch,
    /// What it was given: its number in the store, and its node id.
    pub number: u32,
    pub node: u64,
}

#[derive(Clone, Debug, Default)]
pub struct History {
    begun: usize,
    admissions: Vec<Admission>,
    changes: Vec<Change>,
    reads: Vec<Read>,
    publishing: Vec<Publishing>,
    /// What of it the store has taken, since which version; known once the store is at rest.
    taken: Vec<Change>,
}

impl History {
    /// The number of a new change; `None` once there have been enough.
    pub fn begin(&mut self) -> Option<usize> {
        let number = self.begun;
        self.begun += 1;
        (number < CHANGES_MAX).then_some(number)
    }

    pub fn admitted(&mut self, admission: Admission) {
        self.admissions.push(admission);
    }

    pub fn changed(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub fn publishing(&mut self, publishing: Publishing) {
        self.publishing.push(publishing);
    }

    pub fn published(&self) -> &[Publishing] {
        &self.publishing
    }

    /// The store has taken what was to be published, once, since `version`. Nobody was told when.
    pub fn taken(&mut self, publishing: &Publishing, version: u64) {
        self.taken.push(Change {
            asked_us: publishing.asked_us,
            answer: Some(Answer {
                at_us: u64::MAX,
                version,
            }),
            prices: publishing.prices.clone(),
        });
    }

    /// A manager asked at `asked_us` and was shown `price` at `answered_us`.
    pub fn read(&mut self, item: &ItemId, asked_us: u64, answered_us: u64, price: i64) {
        self.reads.push(Read {
            asked_us,
            answered_us,
            item: item.clone(),
            price,
        });
    }

    /// What contradicts one order of all changes that fits the time.
    pub fn check_order(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut answered: Vec<(&Change, Answer)> = Vec::new();
        for change in self.changes.iter().chain(&self.taken) {
            answered.extend(change.answer.map(|answer| (change, answer)));
        }
        for (i, (one, first)) in answered.iter().enumerate() {
            for (other, second) in &answered[i + 1..] {
                if first.version == second.version {
                    wrong.push(format!("two changes made version {}", first.version));
                }
                let is_before = first.at_us < other.asked_us && first.version > second.version;
                let is_behind = second.at_us < one.asked_us && second.version > first.version;
                if is_before || is_behind {
                    wrong.push(format!(
                        "versions {} and {} are the other way round than in time",
                        first.version, second.version
                    ));
                }
            }
        }
        for item in self.items() {
            if !self.one_order(&item) {
                wrong.push(format!(
                    "no order explains the prices of {item} that managers read"
                ));
            }
        }
        wrong
    }

    /// What contradicts one order of all admissions that fits the time: each gets the next number, and
    /// a later node id. What each of two epochs agrees on binds itself alone.
    pub fn check_admissions(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (i, one) in self.admissions.iter().enumerate() {
            let others = self.admissions[i + 1..].iter();
            for other in others.filter(|other| other.epoch == one.epoch) {
                let (first, second) = match one.asked_us > other.answered_us {
                    true => (other, one),
                    false => (one, other),
                };
                let is_ordered = first.answered_us < second.asked_us;
                let rises = first.number < second.number && first.node < second.node;
                let differ = first.number != second.number && first.node != second.node;
                if !(differ && (rises || !is_ordered)) {
                    wrong.push(format!(
                        "{first:?} and {second:?} fit no order of admissions"
                    ));
                }
            }
        }
        wrong
    }

    fn items(&self) -> BTreeSet<ItemId> {
        self.reads.iter().map(|read| read.item.clone()).collect()
    }

    fn one_order(&self, item: &ItemId) -> bool {
        let mut operations = Vec::new();
        for change in &self.changes {
            let Some(price) = change.prices.get(item) else {
                continue;
            };
            let write = Operation {
                act: Act::Write(*price),
                from: change.asked_us,
                to: None,
                required: false,
            };
            operations.extend([write; COMMITTED_AGAIN_MAX]);
            operations.extend(change.answer.map(|answer| Operation {
                to: Some(answer.at_us),
                required: true,
                ..write
            }));
        }
        let taken = self.taken.iter();
        operations.extend(taken.filter_map(|change| {
            Some(Operation {
                act: Act::Write(*change.prices.get(item)?),
                from: change.asked_us,
                to: None,
                required: true,
            })
        }));
        let reads = self.reads.iter().filter(|read| read.item == *item);
        operations.extend(reads.map(|read| Operation {
            act: Act::Read(read.price),
            from: read.asked_us,
            to: Some(read.answered_us),
            required: true,
        }));
        linearizable(goods::first_price_minor(&item.0), &operations)
    }

    /// Lines of a receipt of `lane` that do not have the price of the book that the receipt's cart
    /// pinned. Says nothing where a change that nobody was told about may have come before.
    ///
    /// A sale that was begun at another lane may pin prices that this one has not applied yet; it
    /// asks the newest that it has, rather than to send the customer back.
    pub fn check_prices(&self, lane: LaneId, receipt: &Receipt) -> Vec<String> {
        let pinned = receipt.book.0;
        let mut by_version: BTreeMap<u64, &Change> = BTreeMap::new();
        for change in self.changes.iter().chain(&self.taken) {
            by_version.extend(change.answer.map(|answer| (answer.version, change)));
        }
        let told = (FIRST_VERSION + 1..=pinned).all(|version| by_version.contains_key(&version));
        if !told {
            return Vec::new();
        }
        // What comes back has the price at which it was sold.
        let sold = receipt.lines.iter();
        let sold = sold.filter(|line| line.detail.returned.is_none());
        let price_at = |line: &Line, version: u64| {
            let changes = by_version.range(..=version).rev();
            let mut changed =
                changes.filter_map(|(_, change)| change.prices.get(&line.item).copied());
            let first = || goods::first_price_minor(&line.item.0);
            changed.next().unwrap_or_else(first)
        };
        let was_taken_up = receipt.cart.lane != lane;
        let lines = sold.filter_map(|line| {
            let price = price_at(line, pinned);
            let asked = line.unit_price.minor();
            let is_older =
                was_taken_up && (FIRST_VERSION..pinned).any(|v| price_at(line, v) == asked);
            (asked != price && !is_older).then(|| {
                let (id, item) = (&receipt.id, &line.item);
                format!("receipt {id} asks {asked} for {item}; version {pinned} says {price}")
            })
        });
        lines.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(price: i64, asked_us: u64, answer: Option<(u64, u64)>) -> Change {
        Change {
            asked_us,
            answer: answer.map(|(at_us, version)| Answer { at_us, version }),
            prices: BTreeMap::from([(ItemId::from("MILK"), price)]),
        }
    }

    #[test]
    fn admissions_are_given_numbers_in_one_order_that_fits_the_time() {
        let check = |admissions: [(u64, u64, u32, u64); 2], is_right: bool| {
            let mut history = History::default();
            for (asked_us, answered_us, number, node) in admissions {
                history.admitted(Admission {
                    asked_us,
                    answered_us,
                    epoch: Epoch::FIRST,
                    number,
                    node,
                });
            }
            let wrong = history.check_admissions();
            assert_eq!(wrong.is_empty(), is_right, "{wrong:?}");
        };
        check([(1, 2, 2, 5), (3, 4, 3, 9)], true);
        check([(3, 4, 3, 9), (1, 2, 2, 5)], true);
        check([(1, 2, 3, 9), (3, 4, 2, 5)], false);
        check([(1, 2, 2, 9), (3, 4, 3, 5)], false);
        // They overlap: either order will do, one seat for both will not.
        check([(1, 4, 3, 9), (2, 3, 2, 5)], true);
        check([(1, 4, 2, 5), (2, 3, 2, 9)], false);
        check([(1, 4, 2, 5), (2, 3, 3, 5)], false);
    }

    #[test]
    fn an_order_that_time_forbids_is_found() {
        let check = |changes: &[Change], reads: &[(u64, u64, i64)], expected: usize| {
            let mut history = History::default();
            changes.iter().cloned().for_each(|c| history.changed(c));
            for (asked, answered, price) in reads {
                history.read(&ItemId::from("MILK"), *asked, *answered, *price);
            }
            assert_eq!(history.check_order().len(), expected, "{history:?}");
        };
        let two = [change(200, 1, Some((2, 2))), change(210, 3, Some((4, 3)))];
        check(&two, &[(5, 6, 210)], 0);
        check(&[two[1].clone(), two[0].clone()], &[], 0);
        // A change that is not there any more, and one that came to be before it was asked for.
        check(&two, &[(5, 6, 189)], 1);
        check(
            &[change(200, 1, Some((2, 3))), change(210, 3, Some((4, 2)))],
            &[],
            1,
        );
        check(
            &[change(200, 1, Some((2, 2))), change(210, 3, Some((4, 2)))],
            &[],
            1,
        );
        // One that was not answered may be seen or not.
        check(&[change(200, 1, None)], &[(5, 6, 189), (7, 8, 200)], 0);
        check(&[change(200, 1, None)], &[(5, 6, 200), (7, 8, 189)], 1);
    }
}
