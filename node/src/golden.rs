//! Everything that happens on registers, as releases wrote it; the ledger's tests see to it that no event
//! is missing.

use ledger::{Entry, Fact, LaneId, Seq};
use sale::Event;

const ENTRIES: [&str; 14] = [
    include_str!("../../crates/ledger/tests/golden/entries-1.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-2.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-3.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-4.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-5.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-6.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-8.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-9.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-10.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-12.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-13.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-14.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-15.txt"),
    include_str!("../../crates/ledger/tests/golden/entries-16.txt"),
];

/// Each with the number of its entry.
pub fn events() -> impl Iterator<Item = (Seq, Event)> {
    let lines = ENTRIES.iter().flat_map(|text| text.lines());
    lines.filter_map(|line| {
        let (_, hex) = line.split_once(' ').expect("a name and bytes");
        let bytes = (0..hex.len()).step_by(2);
        let bytes = bytes.map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hex"));
        let entry = Entry {
            lane: LaneId([0; 16]),
            seq: 1,
            bytes: bytes.collect(),
        };
        let body = entry.body().expect("an entry");
        match body.fact {
            Fact::Register { event, .. } => Some((body.seq, event)),
            _ => None,
        }
    })
}
