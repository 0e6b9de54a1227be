//! Journal entries: one writer each, hash-chained, stamped with a hybrid logical clock.
//!
//! What is hashed, stored, copied and shipped is the entry's bytes as its lane wrote them; no copy
//! ever encodes an entry anew, so a later release can add fields without breaking old chains.

use std::fmt;

use sale::{LaneId, StoreId};
use serde::{Deserialize, Serialize};

use crate::Fact;

/// The newest version of the entry format. This release reads it and all before it, and writes each
/// entry in the oldest that can say it ([`Fact::format`]).
///
/// A store whose lanes run different releases keeps to what all of them read, its level
/// ([`crate::StoreRecord::level`]): each `LaneStarted` names the newest format that its lane reads,
/// and the least of the members' is the level, which never falls. It follows from the log alone, so
/// that all lanes agree on it. A register refuses what can be said only above the level, an entry
/// above it counts nowhere, and a lane that reads less does not start, nor is it let in. A rule that
/// changes what applying an entry writes is to be keyed on the level, too.
pub const ENTRY_FORMAT: u16 = 18;

/// The store's level from which on head office's publications are taken ([`crate::Command::Publish`]).
/// Releases before could not read the command, and their lanes would keep other prices.
pub const FORMAT_PUBLICATIONS: u16 = 7;

/// What lanes and stores read of which it is not written down: those of the releases before it was.
pub const FORMAT_UNSAID: u16 = 3;

/// The value of a field that says which format is read, where it is missing.
pub fn format_unsaid() -> u16 {
    FORMAT_UNSAID
}

/// Whether a field that says which format is read can be left out.
pub fn is_format_unsaid(format: &u16) -> bool {
    *format == FORMAT_UNSAID
}

/// The largest entry, in bytes.
pub const ENTRY_BYTES_MAX: usize = 1024 * 1024;

/// A lane's running number of entries, from 1.
pub type Seq = u64;

/// BLAKE3 over an entry's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntryHash(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl EntryHash {
    /// What the first entry of a lane names as the hash before it.
    pub const GENESIS: EntryHash = EntryHash([0; 32]);

    pub fn of(bytes: &[u8]) -> EntryHash {
        EntryHash(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", &self.to_string()[..12])
    }
}

/// A hybrid logical clock: wall milliseconds, and a counter for what shares a millisecond or comes
/// while the wall clock is behind. What a lane writes after it has seen a sibling's stamp is stamped
/// later than that. Source: Kulkarni et al., "Logical Physical Clocks", 2014.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Hlc {
    pub wall_ms: u64,
    pub counter: u32,
}

impl Hlc {
    /// How far a sibling's stamp may be ahead of this lane's wall clock and still be followed. One
    /// register whose clock is set to next year must not take the stamps of the store there.
    pub const AHEAD_MS_MAX: u64 = 10 * 60 * 1000;

    /// The stamp after `self` when the wall clock shows `wall_ms`. Never goes back.
    pub fn tick(self, wall_ms: u64) -> Hlc {
        let counted = |counter| Hlc { counter, ..self };
        let clocked = |wall_ms| Hlc {
            wall_ms,
            counter: 0,
        };
        match self.counter.checked_add(1) {
            _ if wall_ms > self.wall_ms => clocked(wall_ms),
            Some(counter) => counted(counter),
            // Out of numbers within a millisecond: only a sibling's made-up stamp comes to that.
            None => clocked(self.wall_ms.saturating_add(1)),
        }
    }

    /// The later of both, once a sibling's stamp was `seen` when the wall clock shows `wall_ms`. A
    /// stamp that is more than [`Hlc::AHEAD_MS_MAX`] ahead of that is not followed.
    pub fn merge(self, seen: Hlc, wall_ms: u64) -> Hlc {
        match seen.is_ahead_of(wall_ms) {
            true => self,
            false => self.max(seen),
        }
    }

    /// Whether this stamp is further ahead of a wall clock than is followed.
    pub fn is_ahead_of(self, wall_ms: u64) -> bool {
        self.wall_ms > wall_ms.saturating_add(Hlc::AHEAD_MS_MAX)
    }
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryBody {
    /// Format version, see [`ENTRY_FORMAT`].
    pub v: u16,
    pub store: StoreId,
    pub lane: LaneId,
    pub seq: Seq,
    /// Hash of the entry before it.
    pub prev: EntryHash,
    pub hlc: Hlc,
    pub fact: Fact,
}

/// An entry as it is kept: its bytes, and what is needed to chain it without decoding it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub lane: LaneId,
    pub seq: Seq,
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    #[error("entry {lane:?}/{seq} cannot be read: {reason}")]
    Unreadable {
        lane: LaneId,
        seq: Seq,
        reason: String,
    },
    #[error("entry {lane:?}/{seq} has format {found}, which only a later release reads")]
    FromTheFuture { lane: LaneId, seq: Seq, found: u16 },
    #[error("entry {lane:?}/{seq} does not follow from the one before it: {reason}")]
    BrokenChain {
        lane: LaneId,
        seq: Seq,
        reason: String,
    },
}

/// The stamp in an entry's bytes. Any release can read it of any later one.
#[derive(Deserialize)]
struct Stamped {
    hlc: Hlc,
}

/// What of an entry's bytes matters for the chain. Any release can read this of any later one.
#[derive(Deserialize)]
struct ChainLink {
    v: u16,
    store: StoreId,
    lane: LaneId,
    seq: Seq,
    prev: EntryHash,
}

impl Entry {
    pub fn seal(body: &EntryBody) -> Entry {
        let bytes = cbor4ii::serde::to_vec(Vec::new(), body).expect("a body always encodes");
        Entry {
            lane: body.lane,
            seq: body.seq,
            bytes,
        }
    }

    pub fn hash(&self) -> EntryHash {
        EntryHash::of(&self.bytes)
    }

    fn unreadable(&self, error: impl fmt::Display) -> EntryError {
        EntryError::Unreadable {
            lane: self.lane,
            seq: self.seq,
            reason: error.to_string(),
        }
    }

    /// The whole content. Fails on a format of a later release, whose chain can still be checked.
    pub fn body(&self) -> Result<EntryBody, EntryError> {
        let link: ChainLink =
            cbor4ii::serde::from_slice(&self.bytes).map_err(|e| self.unreadable(e))?;
        if link.v > ENTRY_FORMAT {
            return Err(EntryError::FromTheFuture {
                lane: self.lane,
                seq: self.seq,
                found: link.v,
            });
        }
        cbor4ii::serde::from_slice(&self.bytes).map_err(|e| self.unreadable(e))
    }

    /// When it was written, by its lane's hybrid clock; also of an entry of a later release.
    pub fn stamp(&self) -> Result<Hlc, EntryError> {
        let stamped: Stamped =
            cbor4ii::serde::from_slice(&self.bytes).map_err(|e| self.unreadable(e))?;
        Ok(stamped.hlc)
    }

    /// The store that it says it is of.
    pub fn store(&self) -> Result<StoreId, EntryError> {
        let link: ChainLink =
            cbor4ii::serde::from_slice(&self.bytes).map_err(|e| self.unreadable(e))?;
        Ok(link.store)
    }

    /// Checks that this entry is of `store`, is what it is labelled, and follows `before`.
    pub fn check_follows(&self, store: StoreId, before: &Head) -> Result<Head, EntryError> {
        let link: ChainLink =
            cbor4ii::serde::from_slice(&self.bytes).map_err(|e| self.unreadable(e))?;
        let broken = |reason: String| EntryError::BrokenChain {
            lane: self.lane,
            seq: self.seq,
            reason,
        };
        if link.store != store {
            return Err(broken(format!("it belongs to store {:?}", link.store)));
        }
        if (link.lane, link.seq) != (self.lane, self.seq) {
            return Err(broken(format!("it is {:?}/{}", link.lane, link.seq)));
        }
        if self.seq != before.next_seq {
            return Err(broken(format!("entry {} is due", before.next_seq)));
        }
        if link.prev != before.hash {
            return Err(broken("its hash of the one before differs".to_owned()));
        }
        Ok(Head {
            next_seq: self.seq + 1,
            hash: self.hash(),
        })
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{}", self.lane, self.seq)
    }
}

/// The end of a lane's chain: the number its next entry gets, and the hash that entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub next_seq: Seq,
    pub hash: EntryHash,
}

impl Default for Head {
    fn default() -> Head {
        Head {
            next_seq: 1,
            hash: EntryHash::GENESIS,
        }
    }
}
