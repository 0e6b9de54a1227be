//! What the store's customers carry from lane to lane: slips of baskets that were put aside, and goods
//! with their receipts. Some present one at two lanes at the same moment.
//!
//! Every claim that a lane acknowledged is kept here, with its place in that lane's journal, so that
//! a later one can be held against what its lane knew. Two lanes of which neither held the other's
//! claim may both have granted one: the store's books must then say so, and `checks` sees to that.

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
    /// Claims of each slip: how many lanes were asked, and which granted it.
    asked: BTreeMap<String, u32>,
    granted: BTreeMap<String, Vec<Place>>,
    /// Thousandths of each line that lanes were asked to pay back, with success or without.
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
    pub fn ask(&self, slip: &Slip) {
        *self.lock().asked.entry(slip.number.clone()).or_default() += 1;
    }

    /// A lane that held so much when it was asked has taken the basket up at `place`: what is wrong
    /// with that.
    pub fn granted(&self, slip: &Slip, place: Place, held: &Held) -> Option<String> {
        let mut inner = self.lock();
        let granted = inner.granted.entry(slip.number.clone()).or_default();
        let known = granted.iter().find(|before| before.is_in(held)).copied();
        granted.push(place);
        known.map(|before| {
            format!(
                "slip {} was taken up, and the lane held entry {} of {} that had taken it up",
                slip.number,
                before.seq,
                before.lane.short()
            )
        })
    }

    /// A lane that held so much when it was asked knows of no such basket: what is wrong with that.
    pub fn denied(&self, slip: &Slip, held: &Held) -> Option<String> {
        let inner = self.lock();
        let asked_once = inner.asked.get(&slip.number) == Some(&1);
        (asked_once && slip.at.is_in(held)).then(|| {
            format!(
                "slip {} was refused by a lane that held its basket, and nobody else had asked",
                slip.number
            )
        })
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

    /// A lane says that nothing, or not so much, is left of goods to come back: what is wrong with
    /// that.
    pub fn nothing_left(&self, goods: &Goods) -> Option<String> {
        let of = (goods.receipt.clone(), goods.line);
        let nobody_asked = !self.lock().returning.contains_key(&of);
        nobody_asked.then(|| {
            format!(
                "line {} of receipt {} was not taken back, and nobody has brought any of it back",
                goods.line, goods.receipt
            )
        })
    }
}
