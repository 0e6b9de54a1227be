//! What two lanes did that did not know of each other: worked out here from the entries in the order
//! in which the store applied them, to be held against the exceptions that its books have.

use std::collections::BTreeMap;

use ledger::{Entry, ExceptionKind, Fact, LaneId, Seq};
use sale::Event;

/// A kind of conflict, and the entry that completed it.
pub type Conflict = (ExceptionKind, LaneId, Seq);

/// The conflicts in applied entries, in their order.
pub fn expected<'a>(applied: impl Iterator<Item = &'a Entry>) -> Vec<Conflict> {
    let mut found = Vec::new();
    let mut resumed: BTreeMap<String, LaneId> = BTreeMap::new();
    for entry in applied {
        let Some(event) = event_of(entry) else {
            continue;
        };
        if let Event::Resumed { slip, .. } = event
            && resumed.insert(slip, entry.lane).is_some()
        {
            found.push((ExceptionKind::ResumedTwice, entry.lane, entry.seq));
        }
    }
    found
}

fn event_of(entry: &Entry) -> Option<Event> {
    match entry.body().ok()?.fact {
        Fact::Register { event, .. } => Some(event),
        _ => None,
    }
}
