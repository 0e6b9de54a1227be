//! What a verification has come to know while it reads one holder after the other.

use std::collections::BTreeMap;

use ledger::{EntryError, LaneId, Seq, StoreId};

use super::chain::Broken;
use super::findings::{Check, Findings};
use super::known::Known;

/// What to do about a journal that is not what its lane wrote.
pub const JOURNAL_REMEDY: &str =
    "Stop this lane, keep its folder, and make it a new lane with `lanemesh join --again`.";
/// What to do about a state that does not follow from the log.
pub const STATE_REMEDY: &str = "Stop this lane, move its store.db aside and start it again: it \
                                builds the state anew. If it comes back, keep the folder and \
                                report it.";
/// What to do about books that do not follow from the journals.
pub const BOOKS_REMEDY: &str = "Stop head office, keep its hq.db under another name and start it \
                                again: the stores send everything again.";

/// The state of a verification.
pub struct Audit {
    pub store: StoreId,
    pub findings: Findings,
    pub known: Known,
    numbers: BTreeMap<LaneId, u32>,
    /// The last entry of each lane that some state had applied.
    applied: BTreeMap<LaneId, Seq>,
    /// Who held how much of a lane before the lane's own journal was read.
    claims: BTreeMap<LaneId, Vec<(String, Seq)>>,
    /// Each lane's own journal: where it is, and its last entry.
    own: BTreeMap<LaneId, (String, Seq)>,
}

impl Audit {
    pub fn new(store: StoreId, findings: Findings) -> Audit {
        Audit {
            store,
            findings,
            known: Known::default(),
            numbers: BTreeMap::new(),
            applied: BTreeMap::new(),
            claims: BTreeMap::new(),
            own: BTreeMap::new(),
        }
    }

    pub fn number(&mut self, lane: LaneId, number: u32) {
        self.numbers.insert(lane, number);
    }

    /// A lane in words.
    pub fn name(&self, lane: LaneId) -> String {
        match self.numbers.get(&lane) {
            Some(number) if *number > 0 => format!("lane {number} ({})", lane.short()),
            _ => format!("lane {}", lane.short()),
        }
    }

    /// A state had applied a lane's entries up to `last`.
    pub fn applied_to(&mut self, place: &str, lane: LaneId, last: Seq) {
        let applied = self.applied.entry(lane).or_default();
        *applied = last.max(*applied);
        self.claim(place, lane, last);
    }

    pub fn applied(&self, lane: LaneId) -> Seq {
        self.applied.get(&lane).copied().unwrap_or(0)
    }

    /// Someone holds a lane's entries up to `last`; so must its own journal when it is read later.
    pub fn claim(&mut self, place: &str, lane: LaneId, last: Seq) {
        let claims = self.claims.entry(lane).or_default();
        claims.push((place.to_owned(), last));
    }

    /// A lane's own journal was read, and ends with `last`.
    pub fn own_journal(&mut self, place: &str, lane: LaneId, last: Seq) {
        self.own.insert(lane, (place.to_owned(), last));
    }

    pub fn broken(&mut self, check: Check, place: &str, lane: LaneId, broken: &Broken) {
        let remedy = match check {
            Check::HeadOffice => BOOKS_REMEDY,
            Check::AppliedEntries => STATE_REMEDY,
            _ => JOURNAL_REMEDY,
        };
        let lane = self.name(lane);
        let message = match broken {
            Broken::Missing { from, to } => {
                let verb = if from == to { "is" } else { "are" };
                format!("{} of {lane} {verb} missing.", span(*from, *to))
            }
            Broken::Repeated { seq } => format!("Entry {seq} of {lane} is there twice."),
            Broken::Bad(EntryError::Unreadable { seq, reason, .. }) => format!(
                "Entry {seq} of {lane} cannot be read ({reason}): it was changed after it was \
                 written."
            ),
            Broken::Bad(EntryError::BrokenChain { seq, reason, .. }) => format!(
                "Entry {seq} of {lane} does not continue the one before it ({reason}): one of \
                 the two was changed after it was written."
            ),
            Broken::Bad(error @ EntryError::FromTheFuture { .. }) => {
                format!("{error}: verify with the newest release that the store runs.")
            }
        };
        self.findings
            .problem(check, place, format!("{message} {remedy}"));
    }

    /// Whether each lane's own journal has all that anyone has of it.
    pub fn check_own_journals(&mut self) {
        for (lane, (place, last)) in &self.own {
            self.findings.checked(Check::JournalsWhole, 1);
            let claims = self.claims.get(lane).into_iter().flatten();
            let Some((holder, most)) = claims.max_by_key(|(_, most)| *most) else {
                continue;
            };
            if most > last {
                let message = format!(
                    "The journal of {} ends with entry {last}, but {holder} holds its entries up \
                     to {most}: the lane's own disk has lost what it wrote last. The store still \
                     has it. {JOURNAL_REMEDY}",
                    self.name(*lane)
                );
                self.findings.problem(Check::JournalsWhole, place, message);
            }
        }
    }

    /// Notes of which lanes someone holds more than all journals and states that were read; ask
    /// before head office is read in full. Only a lane whose own folder was not named can be one.
    pub fn note_unnamed_lanes(&mut self) {
        for (lane, claims) in &self.claims {
            let most = claims.iter().map(|(_, last)| *last).max().unwrap_or(0);
            if most > self.known.last(*lane) && !self.own.contains_key(lane) {
                self.findings.note(format!(
                    "{}: head office holds entries up to {most}, these folders only up to {}. Name \
                     the lane's own folder to compare the others.",
                    self.name(*lane),
                    self.known.last(*lane),
                ));
            }
        }
    }

    /// Tells the differences between holders.
    pub fn check_same_everywhere(&mut self) {
        self.findings
            .checked(Check::SameEverywhere, self.known.compared());
        for difference in self.known.differences() {
            let versions = difference.versions.iter().map(|(hash, places)| {
                format!("{} ({})", places.join(", "), &hash.to_string()[..12])
            });
            let message = format!(
                "Entry {} of {} is not the same everywhere. Whose hash chain breaks has the \
                 changed one; if none does, the lane wrote two entries under one number: call \
                 support before it sells on.",
                difference.seq,
                self.name(difference.lane),
            );
            let places = versions.collect::<Vec<_>>().join(" and ");
            self.findings
                .problem(Check::SameEverywhere, &places, message);
        }
    }

    /// Notes what no state had applied yet.
    pub fn note_unshared(&mut self) {
        let lanes: Vec<LaneId> = self.known.lanes().collect();
        for lane in lanes {
            let (entries, sales) = self.known.behind(lane, self.applied(lane));
            if entries > 0 {
                let note = format!(
                    "{}: not shared yet: {entries} entries, {sales} sales. They are in its \
                     journal.",
                    self.name(lane)
                );
                self.findings.note(note);
            }
        }
    }
}

/// Numbered entries as the beginning of a sentence.
pub fn span(from: Seq, to: Seq) -> String {
    match from == to {
        true => format!("Entry {from}"),
        false => format!("Entries {from} to {to}"),
    }
}
