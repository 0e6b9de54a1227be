//! `lanemesh verify`: whether a store has lost, doubled or changed anything.
//!
//! Nothing is written and no lane is asked: the databases are read as they lie there, each in one
//! read transaction, also while the store runs. So that a running store is never accused of what
//! merely happened between two reads, holders are read in the order in which entries reach them
//! last to first: head office, then the applied states, then the journals. Whatever the earlier
//! ones hold, the later ones must hold, too. What a journal has and head office has not yet is
//! waited for.
//!
//! Memory: a hash for each entry, a number for each receipt, one page of anything else.

mod agreement;
mod applied;
mod audit;
mod chain;
mod findings;
mod folders;
mod head_office;
mod journals;
mod known;
mod rows;
mod tally;
mod union;

use ledger::Tables;
use storage::{OfflineJournal, OfflineState};

use crate::cli::{Report, VerifyArgs};
use applied::Applied;
use audit::{Audit, STATE_REMEDY};
use findings::{Check, Findings};
use folders::LaneFolder;
use head_office::HeadOffice;
use union::Store;

pub fn run(args: &VerifyArgs) -> anyhow::Result<Report> {
    let token_file = args.hq_token_file.as_deref();
    let hq = args.hq.as_deref();
    let hq = hq.map(|place| HeadOffice::new(place, token_file, &args.dirs));
    let hq = hq.transpose()?;
    let mut findings = Findings::default();
    let (store, identities) = folders::of_one_store(&args.dirs, &mut findings);
    let Some(store) = store else {
        return Ok(findings.into_report());
    };
    let mut audit = Audit::new(store, findings);
    let mut lanes = Vec::new();
    for (path, identity) in identities {
        audit.number(identity.lane, identity.number);
        lanes.extend(folders::check_files(path, identity, &mut audit.findings));
    }

    let hq = hq.filter(|hq| answers(&mut audit, hq, union::note_heads));
    check_states(&mut audit, &lanes);
    check_journals(&mut audit, &lanes);
    audit.check_own_journals();
    audit.note_unshared();
    audit.note_unnamed_lanes();
    if let Some(hq) = &hq {
        let store = match lanes.iter().any(LaneFolder::may_be_running) {
            true => Store::Running,
            false => Store::Stopped,
        };
        answers(&mut audit, hq, |audit, hq| union::check(audit, hq, store));
    }
    audit.check_same_everywhere();
    Ok(audit.findings.into_report())
}

/// Whether head office could be asked; that it cannot be is a problem like others.
fn answers(
    audit: &mut Audit,
    hq: &HeadOffice,
    ask: impl FnOnce(&mut Audit, &HeadOffice) -> anyhow::Result<()>,
) -> bool {
    let asked = ask(audit, hq);
    if let Err(error) = &asked {
        let message = format!("Head office could not be checked: {error:#}.");
        audit
            .findings
            .problem(Check::HeadOffice, hq.name(), message);
    }
    asked.is_ok()
}

/// Checks each state against itself, and all with each other. They are opened together, so that
/// lanes of a running store are seen at nearly the same moment.
fn check_states(audit: &mut Audit, lanes: &[LaneFolder]) {
    let mut opened: Vec<(String, OfflineState)> = Vec::new();
    for lane in lanes.iter().filter(|lane| lane.state_is_whole) {
        let place = lane.state_place();
        match OfflineState::open(&lane.path) {
            Ok(state) => opened.push((place, state)),
            Err(error) => audit
                .findings
                .problem(Check::Files, &place, format!("{error}.")),
        }
    }
    let mut states: Vec<(Applied, &dyn Tables)> = Vec::new();
    for (place, state) in &opened {
        match applied::check(audit, place, state.tables()) {
            Ok(applied) => states.push((applied, state.tables())),
            Err(error) => audit.findings.problem(
                Check::AppliedEntries,
                place,
                format!("{error}. {STATE_REMEDY}"),
            ),
        }
    }
    agreement::check(audit, &states);
}

/// Follows every chain of every journal.
fn check_journals(audit: &mut Audit, lanes: &[LaneFolder]) {
    let lanes = || lanes.iter().filter(|lane| lane.journal_is_whole);
    for lane in lanes() {
        let place = lane.journal_place();
        // A failure is told below, where the same journal is read again.
        let _ = OfflineJournal::open(&lane.path)
            .and_then(|journal| journals::note_heads(audit, &place, &journal));
    }
    for lane in lanes() {
        let place = lane.journal_place();
        let own = lane.identity.lane;
        let checked = OfflineJournal::open(&lane.path)
            .and_then(|journal| journals::check(audit, &place, own, &journal));
        if let Err(error) = checked {
            audit
                .findings
                .problem(Check::Files, &place, format!("{error}."));
        }
    }
}
