//! What the store's customers carry from lane to lane: slips of baskets that were put aside, and goods
//! with their receipts. Some present one at two lanes at the same moment.
//!
//! Every claim that a lane acknowledged is kept here, with its place in that lane's journal, so that
//! a later one can be held against what its lane knew. Two lanes of which neither held the other's
//! claim may both have granted one: the store's books must then say so, and `checks` sees to that.
//! A refusal must have its reason: a claim that was granted before, or one that somebody had begun and
//! that was not answered yet. What was refused, or given back, is no reason for another refusal.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::{Head, LaneId, Seq};
use sale::Cart;
use tokio::sync::mpsc;

use crate::random::Dice;

/// Customers who wait at a lane for what they began at another; one more gives up.
const VISITS_MAX: usize = 4;
/// How often a slip is presented in vain before its customer gives up.
const TRIES_MAX: u32 = 5;

/// Up to where a lane holds each journal.
pub type Held = BTreeMap<LaneId, Head>;

/// A place in a lane's journal.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub lane: LaneId,
    pub seq: Seq,
}

impl Place {
    /// Whether whoever holds so much holds this entry.
    pub fn is_in(&self, held: &Held) -> bool {
        held.get(&self.lane)
            .is_some_and(|head| head.next_seq > self.seq)
    }
}

/// The slip of a basket that was put aside.
#[derive(Clone, Debug)]
pub struct Slip {
    pub number: String,
    /// The basket as it was acknowledged.
    pub open: Cart,
    /// Where it was put aside.
    pub at: Place,
    pub tries: u32,
}

/// Goods that a customer brings back.
#[derive(Clone, Debug)]
pub struct Goods {
    pub receipt: String,
    /// Where they were sold.
    pub at: Place,
    pub line: u32,
    pub sold_milli: i64,
    /// How much of them; without it, all that can still come back.
    pub quantity: Option<String>,
}

/// A line of a receipt, as goods come back of it.
pub type Source = (String, u32);

/// A customer who comes to a lane with something begun at another.
#[derive(Debug)]
pub enum Visit {
    Slip(Box<Slip>),
    Goods(Goods),
}

#[derive(Default)]
struct Inner {
    slips: Vec<Slip>,
    /// By lane name.
    counters: BTreeMap<String, mpsc::Sender<Visit>>,
    /// Claims of each slip: how many lanes were asked and have not answered, and which granted it.
    asked: BTreeMap<String, u32>,
    granted: BTreeMap<String, Vec<Place>>,
    /// Thousandths of each line that lanes were asked to pay back and have not answered.
    returning: BTreeMap<Source, i64>,
    /// Thousandths that were paid back, and where.
    returned: BTreeMap<Source, Vec<(Place, i64)>>,
}

#[derive(Default)]
pub struct Customers(Mutex<Inner>);

impl Customers {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lane at which customers may turn up from now on.
    pub fn open(&self, lane_name: &str) -> mpsc::Receiver<Visit> {
        let (visits, counter) = mpsc::channel(VISITS_MAX);
        self.lock().counters.insert(lane_name.to_owned(), visits);
        counter
    }

    /// Sends a customer to some lane other than this one, if there is one.
    pub fn send_elsewhere(&self, from: &str, dice: &mut Dice, visit: Visit) {
        let inner = self.lock();
        let mut others = inner.counters.iter().filter(|(name, _)| *name != from);
        let count = others.clone().count();
        if count > 0
            && let Some((_, counter)) = others.nth(dice.index(count))
        {
            // Where too many wait already the customer goes home.
            drop(counter.try_send(visit));
        }
    }

    /// A customer waits with a slip.
    pub fn keep(&self, slip: Slip) {
        self.lock().slips.push(slip);
    }

    /// A customer who waits with a slip comes to a lane.
    pub fn take(&self, dice: &mut Dice) -> Option<Slip> {
        let slips = &mut self.lock().slips;
        match slips.is_empty() {
            true => None,
            false => Some(slips.swap_remove(dice.index(slips.len()))),
        }
    }

    /// A slip was presented in vain; its customer tries again somewhere, or gives up.
    pub fn refused(&self, slip: Slip) {
        let tries = slip.tries + 1;
        if tries < TRIES_MAX {
            self.keep(Slip { tries, ..slip });
        }
    }

    /// A lane is asked to take a slip's basket up.
    pub fn ask(&self, slip: &str) {
        *self.lock().asked.entry(slip.to_owned()).or_default() += 1;
    }

    /// A lane that held so much when it was asked has taken the basket up at `place`: what is wrong
    /// with that.
    pub fn granted(&self, slip: &str, place: Place, held: &Held) -> Option<String> {
        let mut inner = self.lock();
        inner.answered(slip);
        let granted = inner.granted.entry(slip.to_owned()).or_default();
        let known = granted.iter().find(|before| before.is_in(held)).copied();
        granted.push(place);
        known.map(|before| {
            format!(
                "slip {slip} was taken up, and the lane held entry {} of {} that had taken it up",
                before.seq,
                before.lane.short()
            )
        })
    }

    /// A lane that held so much when it was asked knows of no such basket: what is wrong with that.
    pub fn denied(&self, slip: &str, at: Place, held: &Held) -> Option<String> {
        let mut inner = self.lock();
        inner.answered(slip);
        let is_wanted_elsewhere = inner.asked.contains_key(slip);
        let was_granted = inner.granted.contains_key(slip);
        (at.is_in(held) && !is_wanted_elsewhere && !was_granted).then(|| {
            format!(
                "slip {slip} was refused by a lane that held its basket, and nobody has taken it up"
            )
        })
    }

    /// A lane could not decide on a slip.
    pub fn undecided(&self, slip: &str) {
        self.lock().answered(slip);
    }

    /// A lane is asked to pay back so much of a line.
    pub fn begin_return(&self, of: &Source, milli: i64) {
        *self.lock().returning.entry(of.clone()).or_default() += milli;
    }

    /// A lane that held so much when it was asked has paid back `milli` of a line of which
    /// `sold_milli` were sold: what is wrong with that.
    pub fn returned(
        &self,
        of: Source,
        milli: i64,
        sold_milli: i64,
        place: Place,
        held: &Held,
    ) -> Option<String> {
        let mut inner = self.lock();
        inner.ended(&of, milli);
        let returned = inner.returned.entry(of.clone()).or_default();
        let known = returned.iter().filter(|(before, _)| before.is_in(held));
        let known: i64 = known.map(|(_, milli)| milli).sum();
        returned.push((place, milli));
        (known + milli > sold_milli).then(|| {
            format!(
                "{milli} of {sold_milli} thousandths of line {} of receipt {} came back, and the \
                 lane held that {known} had",
                of.1, of.0
            )
        })
    }

    /// What a lane was asked to pay back it did not: the customer keeps it.
    pub fn give_up_return(&self, of: &Source, milli: i64) {
        self.lock().ended(of, milli);
    }

    /// A lane says that nothing, or not `milli`, is left of goods of which `sold_milli` were sold, and
    /// `in_basket_milli` are in its open basket: what is wrong with that.
    pub fn nothing_left(
        &self,
        of: &Source,
        milli: i64,
        in_basket_milli: i64,
        sold_milli: i64,
    ) -> Option<String> {
        let claimed = self.lock().claimed(of) + in_basket_milli;
        (claimed + milli <= sold_milli).then(|| {
            format!(
                "{milli} of {sold_milli} thousandths of line {} of receipt {} were not taken back, \
                 and all others have brought no more than {claimed}",
                of.1, of.0
            )
        })
    }

    /// Whether anybody has, or may have, been paid back some of a line besides who just now asked for
    /// `own_milli` of it.
    pub fn is_claimed_besides(&self, of: &Source, own_milli: i64) -> bool {
        self.lock().claimed(of) > own_milli
    }
}

impl Inner {
    /// A lane has answered who presented this slip.
    fn answered(&mut self, slip: &str) {
        if let Some(asked) = self.asked.get_mut(slip) {
            *asked -= 1;
            if *asked == 0 {
                self.asked.remove(slip);
            }
        }
    }

    /// A lane has answered who brought so much back.
    fn ended(&mut self, of: &Source, milli: i64) {
        if let Some(returning) = self.returning.get_mut(of) {
            *returning -= milli;
        }
    }

    /// Thousandths of a line that were paid back, or may have been.
    fn claimed(&self, of: &Source) -> i64 {
        let returned = self.returned.get(of).into_iter().flatten();
        let returned: i64 = returned.map(|(_, milli)| milli).sum();
        returned + self.returning.get(of).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANE: LaneId = LaneId([1; 16]);
    const OTHER: LaneId = LaneId([2; 16]);

    fn held(entries: Seq) -> Held {
        let head = Head {
            next_seq: entries + 1,
            ..Head::default()
        };
        BTreeMap::from([(LANE, head)])
    }

    #[test]
    fn a_slip_is_refused_only_where_somebody_took_it_up_or_may_have() {
        let customers = Customers::default();
        let place = |lane, seq| Place { lane, seq };
        let denied = |entries| {
            let wrong = customers.denied("S-1", place(LANE, 3), &held(entries));
            wrong.is_some()
        };
        // A lane that does not hold the basket knows of none.
        customers.ask("S-1");
        assert!(!denied(2));
        // One that does, and nobody else asks: the first refusal is no reason for the second.
        customers.ask("S-1");
        assert!(denied(3));
        // Two ask at once; one of them is refused.
        customers.ask("S-1");
        customers.ask("S-1");
        assert!(!denied(3));
        let granted = customers.granted("S-1", place(OTHER, 1), &held(3));
        assert_eq!(granted, None);
        customers.ask("S-1");
        assert!(!denied(3));
    }

    #[test]
    fn goods_are_refused_only_where_others_brought_them_back_or_may_have() {
        let customers = Customers::default();
        let of = ("R-1".to_owned(), 1);
        let place = Place { lane: LANE, seq: 9 };
        let is_wrong = |milli, in_basket_milli| {
            let wrong = customers.nothing_left(&of, milli, in_basket_milli, 3000);
            wrong.is_some()
        };
        assert!(is_wrong(3000, 0));
        assert!(!is_wrong(3000, 1000));
        customers.begin_return(&of, 2000);
        assert!(!is_wrong(2000, 0) && is_wrong(1000, 0));
        assert!(!customers.is_claimed_besides(&of, 2000));
        // It was not paid back after all.
        customers.give_up_return(&of, 2000);
        assert!(is_wrong(3000, 0));
        customers.begin_return(&of, 2000);
        assert_eq!(
            customers.returned(of.clone(), 2000, 3000, place, &held(1)),
            None
        );
        assert!(!is_wrong(2000, 0) && is_wrong(1000, 0));
        assert!(customers.is_claimed_besides(&of, 0));
    }
}
