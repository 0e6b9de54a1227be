//! What head office published: in its books as it said, and taken by every lane once and in order.

use hq::{HqStore, PublicationSummary};
use ledger::{ExceptionKind, FORMAT_PUBLICATIONS, StoreView};
use node::lane::Lane;

use super::{Check, Publishing};
use crate::store::{Process, Store};

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
        .books(async |books| books.publications().await)?;
    let listed = listed.publications;
    let history = store.history();
    let of = |publication: &PublicationSummary| {
        let mut all = history.published().iter();
        all.find(|publishing| publishing.number.to_string() == publication.author)
    };
    for publishing in history.published() {
        if let Some(number) = publishing.answer
            && !listed
                .iter()
                .any(|l| l.number == number && of(l).is_some_and(|p| p.number == publishing.number))
        {
            let what = format!("it has lost publication {number}");
            store.timeline.violation(Check::PublishedOnce, "hq", what);
        }
    }
    for (place, (slot, process)) in store.running().into_iter().enumerate() {
        let (taken, foreign) = process.lane.read(|tables| {
            let view = StoreView::new(tables);
            let exceptions = view.exception_list()?.into_iter();
            let foreign = exceptions.filter(|e| e.kind == ExceptionKind::NotPublished);
            Ok((view.published()?.recent, foreign.count()))
        })?;
        let expected: Vec<&PublicationSummary> = match takes_any(&process.lane) {
            true => listed.iter().collect(),
            false => Vec::new(),
        };
        let wrong = |check, what: String| store.timeline.violation(check, &slot.name, what);
        if !taken
            .iter()
            .map(|t| t.number)
            .eq(expected.iter().map(|l| l.number))
        {
            let published: Vec<u64> = expected.iter().map(|l| l.number).collect();
            let what = format!("head office published {published:?}, and it has taken {taken:?}");
            wrong(Check::PublishedOnce, what);
        }
        let publishing: Vec<Option<&Publishing>> = expected.iter().map(|l| of(l)).collect();
        let unusable = publishing
            .iter()
            .flatten()
            .filter(|p| p.has_foreign)
            .count();
        if foreign != unusable {
            let what = format!(
                "{unusable} publications have a record that it cannot use, and {foreign} are before a person"
            );
            wrong(Check::NothingSetAside, what);
        }
        if place == 0 {
            for (taken, publishing) in taken.iter().zip(publishing) {
                if let Some(publishing) = publishing {
                    store.record(|history| history.taken(publishing, taken.version.0));
                }
            }
        }
    }
    Ok(())
}
