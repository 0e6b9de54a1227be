//! Following one lane's hash chain over the entries that someone holds.

use ledger::{Entry, EntryError, EntryHash, Head, Seq, StoreId};

/// A place where a chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    Missing {
        from: Seq,
        to: Seq,
    },
    /// An entry of a number that has been seen.
    Repeated {
        seq: Seq,
    },
    Bad(EntryError),
}

/// A lane's chain as far as it was followed.
pub struct Chain {
    store: StoreId,
    head: Head,
    /// Whether the next entry must name the head's hash. Behind a fault it need not: the fault has
    /// been told, and is not told again of what follows it.
    linked: bool,
    whole: bool,
}

impl Chain {
    pub fn new(store: StoreId) -> Chain {
        Chain {
            store,
            head: Head::default(),
            linked: true,
            whole: true,
        }
    }

    pub fn head(&self) -> Head {
        self.head
    }

    /// The number of the last entry; 0 before the first.
    pub fn last(&self) -> Seq {
        self.head.next_seq - 1
    }

    /// Whether no fault was met so far.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Takes the next entry and tells what is wrong with it and before it.
    pub fn follow(&mut self, entry: &Entry) -> Vec<Broken> {
        let mut broken = Vec::new();
        let due = self.head.next_seq;
        if entry.seq < due {
            broken.push(Broken::Repeated { seq: entry.seq });
        } else {
            if entry.seq > due {
                broken.push(Broken::Missing {
                    from: due,
                    to: entry.seq - 1,
                });
                self.linked = false;
            }
            let checked = self.check(entry);
            self.linked = checked.is_ok();
            broken.extend(checked.err().map(Broken::Bad));
            self.head = Head {
                next_seq: entry.seq.saturating_add(1),
                hash: entry.hash(),
            };
        }
        self.whole &= broken.is_empty();
        broken
    }

    fn check(&self, entry: &Entry) -> Result<(), EntryError> {
        let hash = match self.linked {
            true => self.head.hash,
            false => match entry.body() {
                Ok(body) => body.prev,
                // Its link cannot be read apart from the rest; the next entry checks it.
                Err(EntryError::FromTheFuture { .. }) => return Ok(()),
                Err(error) => return Err(error),
            },
        };
        let before = Head {
            next_seq: entry.seq,
            hash,
        };
        entry.check_follows(self.store, &before).map(|_| ())
    }

    /// Tells that the chain goes on to an entry `to` that is not there.
    pub fn cut_short(&mut self, to: Seq) -> Option<Broken> {
        let from = self.head.next_seq;
        if to < from {
            return None;
        }
        self.head.next_seq = to.saturating_add(1);
        self.linked = false;
        self.whole = false;
        Some(Broken::Missing { from, to })
    }

    /// Whether the chain ends where someone else says.
    pub fn ends_at(&self, next_seq: Seq, hash: EntryHash) -> bool {
        self.head == Head { next_seq, hash }
    }
}
