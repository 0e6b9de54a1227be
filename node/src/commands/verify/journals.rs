//! The journals: every chain that is held, from its first entry.

use ledger::LaneId;
use storage::{OfflineJournal, StorageError};

use super::audit::Audit;
use super::chain::Chain;
use super::findings::Check;
use super::tally::receipt;

/// Entries read at a time, and their bytes.
const PAGE_ENTRIES: usize = 1_000;
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Notes how much a journal holds, before the journals are read in full: no copy runs ahead of
/// the journal it is a copy of.
pub fn note_heads(
    audit: &mut Audit,
    place: &str,
    journal: &OfflineJournal,
) -> Result<(), StorageError> {
    for (lane, head) in journal.heads()? {
        audit.claim(place, lane, head.next_seq - 1);
    }
    Ok(())
}

/// Follows every chain in the journal of the lane `own`.
pub fn check(
    audit: &mut Audit,
    place: &str,
    own: LaneId,
    journal: &OfflineJournal,
) -> Result<(), StorageError> {
    let mut own_last = 0;
    for lane in journal.heads()?.into_keys() {
        let last = chain(audit, place, lane, journal)?;
        if lane == own {
            own_last = last;
        }
    }
    audit.own_journal(place, own, own_last);
    Ok(())
}

fn chain(
    audit: &mut Audit,
    place: &str,
    lane: LaneId,
    journal: &OfflineJournal,
) -> Result<u64, StorageError> {
    let mut chain = Chain::new(audit.store);
    let applied = audit.applied(lane);
    let mut read = 0;
    loop {
        let page = journal.read(lane, chain.head().next_seq, PAGE_ENTRIES, PAGE_BYTES)?;
        if page.is_empty() {
            break;
        }
        read += page.len() as u64;
        for entry in &page {
            for broken in chain.follow(entry) {
                audit.broken(Check::Chains, place, lane, &broken);
            }
            // The state has told of all sales up to here.
            let is_sale = entry.seq > applied && matches!(receipt(entry), Ok(Some(_)));
            audit.known.see(place, entry, is_sale);
        }
    }
    audit.findings.checked(Check::Chains, read);
    Ok(chain.last())
}
