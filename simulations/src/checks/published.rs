//! What head office published: in its books as it said, and taken by every lane once and in order.

use hq::{HqStore, PublicationSummary};
use ledger::{ExceptionKind, FORMAT_PUBLICATIONS, StoreView, TakenPublication};
use node::lane::Lane;

use super::{Check, History, Publishing};
use crate::store::{Process, Slot, Store};

/// Whether a lane does not have head office's last publication yet. A store of which a lane has an
/// older release takes none.
pub fn waits(store: &Store, process: &Process) -> bool {
    let last = store.office.last_published();
    let taken = process.lane.view().borrow().status.hq.published;
    taken < last && takes_any(&process.lane)
}

fn takes_any(lane: &Lane) -> bool {
    let level = lane.read(|tables| StoreView::new(tables).level());
    // What cannot be read is looked at again.
    level.map_or(true, |level| level >= FORMAT_PUBLICATIONS)
}

/// Checks head office's list and what every lane has of it; and tells the history of changes since
/// which version each is in force.
pub fn check(store: &Store) -> anyhow::Result<()> {
    let listed = store
        .office
        .books(async |books| books.publications().await)?
        .publications;
    let history = store.history();
    for publishing in history.published() {
        let is_listed = |number| {
            let mut all = listed.iter().filter(|listed| listed.number == number);
            all.any(|listed| listed.author == publishing.number.to_string())
        };
        if let Some(number) = publishing.answer.filter(|number| !is_listed(*number)) {
            let what = format!("it has lost publication {number}");
            store.timeline.violation(Check::PublishedOnce, "hq", what);
        }
    }
    let published: Vec<(u64, &Publishing)> = listed
        .iter()
        .filter_map(|listed| Some((listed.number, of(&history, listed)?)))
        .collect();
    let mut versions = None;
    for (slot, process) in store.running() {
        versions = check_lane(store, &slot, &process, &published)?.or(versions);
    }
    for (taken, (_, publishing)) in versions.iter().flatten().zip(published) {
        store.record(|history| history.taken(publishing, taken.version.0));
    }
    Ok(())
}

/// What was to be published, of what head office lists.
fn of<'a>(history: &'a History, listed: &PublicationSummary) -> Option<&'a Publishing> {
    let mut all = history.published().iter();
    all.find(|publishing| publishing.number.to_string() == listed.author)
}

/// What a lane has taken, unless that is wrong.
fn check_lane(
    store: &Store,
    slot: &Slot,
    process: &Process,
    published: &[(u64, &Publishing)],
) -> anyhow::Result<Option<Vec<TakenPublication>>> {
    let (taken, before_a_person) = process.lane.read(|tables| {
        let view = StoreView::new(tables);
        let exceptions = view.exception_list()?.into_iter();
        let unusable = exceptions.filter(|e| e.kind == ExceptionKind::NotPublished);
        Ok((view.published()?.recent, unusable.count()))
    })?;
    let expected = match takes_any(&process.lane) {
        true => published,
        false => &[],
    };
    let wrong = |check, what: String| store.timeline.violation(check, &slot.name, what);
    let unusable = expected.iter().filter(|(_, p)| p.has_foreign).count();
    if before_a_person != unusable {
        let what = format!(
            "{unusable} publications have a record that it cannot use, and {before_a_person} are \
             before a person"
        );
        wrong(Check::NothingSetAside, what);
    }
    let numbers: Vec<u64> = taken.iter().map(|taken| taken.number).collect();
    let expected: Vec<u64> = expected.iter().map(|(number, _)| *number).collect();
    if numbers == expected {
        return Ok(Some(taken));
    }
    let what = format!("head office published {expected:?}, and it has taken {numbers:?}");
    wrong(Check::PublishedOnce, what);
    Ok(None)
}
