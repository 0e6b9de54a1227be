//! What this lane knows of the store's lanes: what the store has applied, and what its journal holds
//! beyond that, its own entries and copies of its siblings'.

use std::cell::RefCell;

use ledger::{Fact, LaneId, StoreView};
use sale::{Cart, Event, Shared};
use storage::{Journal, StorageError};

/// Entries read at once.
const PAGE: usize = 1000;
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// The most entries of one lane that are looked through; a lane that is further behind the store
/// than that has been alone for days.
const ENTRIES_MAX: usize = 200_000;

/// A view of the store that goes beyond what was applied.
pub struct Known<'a> {
    journal: &'a Journal,
    store: &'a StoreView<'a>,
    own: LaneId,
    /// The first failure of a read that could not answer with an error of its own.
    error: RefCell<Option<String>>,
}

impl<'a> Known<'a> {
    pub fn new(journal: &'a Journal, store: &'a StoreView<'a>, own: LaneId) -> Known<'a> {
        Known {
            journal,
            store,
            own,
            error: RefCell::new(None),
        }
    }

    /// Whether an answer was wanting because something could not be read. Ask after a decision,
    /// before acting on it.
    pub fn check(&self) -> Result<(), String> {
        match self.error.borrow_mut().take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn noted<T: Default, E: std::fmt::Display>(&self, read: Result<T, E>) -> T {
        read.unwrap_or_else(|error| {
            self.error.borrow_mut().get_or_insert(error.to_string());
            T::default()
        })
    }

    /// Hands over every event of a lane that the store has not applied yet, in order.
    fn unapplied_of(&self, lane: LaneId, each: &mut dyn FnMut(LaneId, Event)) {
        let applied = self.noted(self.store.lane(lane));
        let mut from = applied.map_or(1, |record| record.head.next_seq);
        let mut seen = 0;
        while seen < ENTRIES_MAX {
            let page: Result<_, StorageError> = self.journal.read(lane, from, PAGE, PAGE_BYTES);
            let page = self.noted(page);
            let Some(last) = page.last() else {
                return;
            };
            from = last.seq + 1;
            seen += page.len();
            for entry in &page {
                // What a later release wrote is passed over here as it is in the books.
                if let Ok(body) = entry.body()
                    && let Fact::Register { event, .. } = body.fact
                {
                    each(lane, event);
                }
            }
        }
    }

    fn unapplied(&self, each: &mut dyn FnMut(LaneId, Event)) {
        for lane in self.journal.heads().into_keys() {
            self.unapplied_of(lane, each);
        }
    }
}

impl Shared for Known<'_> {
    fn suspended(&self, slip: &str) -> Option<Cart> {
        let applied = self.noted(self.store.suspended(slip)).unwrap_or_default();
        let (mut open, mut taken) = (applied.open, applied.resumed_on.is_some());
        self.unapplied(&mut |_, event| match event {
            Event::Suspended {
                slip: put_aside,
                open: cart,
                ..
            } if put_aside == slip => open = Some(*cart),
            Event::Resumed { slip: resumed, .. } if resumed == slip => taken = true,
            _ => {}
        });
        open.filter(|_| !taken)
    }

    fn unshared_receipts(&self) -> u64 {
        let mut receipts = 0;
        self.unapplied_of(self.own, &mut |_, event| {
            receipts += u64::from(matches!(event, Event::Completed { .. }));
        });
        receipts
    }
}
