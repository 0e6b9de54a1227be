//! Which entry each lane wrote under each number, as the first holder that was read has it, and
//! where another holder differs.

use std::collections::{BTreeMap, btree_map};

use ledger::{Entry, EntryHash, LaneId, Seq};

/// The most entries whose differences are told one by one.
const DIFFERENCES_MAX: usize = 1_000;

struct Held {
    hash: EntryHash,
    place: u16,
    is_sale: bool,
}

/// An entry that is not the same everywhere.
pub struct Difference {
    pub lane: LaneId,
    pub seq: Seq,
    /// Who holds which of them, by hash.
    pub versions: BTreeMap<EntryHash, Vec<String>>,
}

/// The union of what all holders have, by hash.
#[derive(Default)]
pub struct Known {
    places: Vec<String>,
    lanes: BTreeMap<LaneId, BTreeMap<Seq, Held>>,
    differences: BTreeMap<(LaneId, Seq), Difference>,
    compared: u64,
}

impl Known {
    /// Notes that a place holds an entry.
    pub fn see(&mut self, place: &str, entry: &Entry, is_sale: bool) {
        let place = self.place(place);
        let hash = entry.hash();
        let held = match self.lanes.entry(entry.lane).or_default().entry(entry.seq) {
            btree_map::Entry::Vacant(new) => {
                new.insert(Held {
                    hash,
                    place,
                    is_sale,
                });
                return;
            }
            btree_map::Entry::Occupied(held) => held.into_mut(),
        };
        self.compared += 1;
        held.is_sale |= is_sale;
        if held.hash == hash {
            return;
        }
        let key = (entry.lane, entry.seq);
        if self.differences.len() == DIFFERENCES_MAX && !self.differences.contains_key(&key) {
            return;
        }
        let first = self.places[usize::from(held.place)].clone();
        let difference = self.differences.entry(key).or_insert_with(|| Difference {
            lane: entry.lane,
            seq: entry.seq,
            versions: BTreeMap::from([(held.hash, vec![first])]),
        });
        let holders = difference.versions.entry(hash).or_default();
        holders.push(self.places[usize::from(place)].clone());
    }

    /// The number of a place: there are a few for each folder.
    fn place(&mut self, name: &str) -> u16 {
        let known = self.places.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            self.places.push(name.to_owned());
            self.places.len() - 1
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    /// The lanes of which anything is known.
    pub fn lanes(&self) -> impl Iterator<Item = LaneId> {
        self.lanes.keys().copied()
    }

    /// The largest number known of a lane; 0 for none.
    pub fn last(&self, lane: LaneId) -> Seq {
        let entries = self.lanes.get(&lane);
        entries
            .and_then(|entries| entries.last_key_value())
            .map_or(0, |(seq, _)| *seq)
    }

    /// How many entries, and how many sales among them, are known behind a number.
    pub fn behind(&self, lane: LaneId, seq: Seq) -> (u64, u64) {
        let Some(entries) = self.lanes.get(&lane) else {
            return (0, 0);
        };
        entries
            .range(seq.saturating_add(1)..)
            .fold((0, 0), |(entries, sales), (_, held)| {
                (entries + 1, sales + u64::from(held.is_sale))
            })
    }

    /// How many entries were compared with another holder's.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    pub fn differences(&self) -> impl Iterator<Item = &Difference> {
        self.differences.values()
    }
}
