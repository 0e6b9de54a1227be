//! What the store's customers carry from lane to lane: slips of baskets that were put aside. Some
//! present one at two lanes at the same moment.
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

/// A customer who comes to a lane with something begun at another.
#[derive(Debug)]
pub enum Visit {
    Slip(Slip),
}

#[derive(Default)]
struct Inner {
    slips: Vec<Slip>,
    /// By lane name.
    counters: BTreeMap<String, mpsc::Sender<Visit>>,
    /// Claims of each slip: how many lanes were asked, and which granted it.
    asked: BTreeMap<String, u32>,
    granted: BTreeMap<String, Vec<Place>>,
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
}
