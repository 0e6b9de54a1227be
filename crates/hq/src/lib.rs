//! Head office: takes the stores' journals in batches, keeps every entry once, answers cursors, and
//! adds the receipts up by store, day and lane.
//!
//! Invariant: what a cursor acknowledges is on disk, and the entries of a lane that are kept are its
//! hash chain without a gap. An entry that does not fit is set aside with its reason and blocks no
//! other lane. Head office never changes an entry and never sends one to a store.
//!
//! The other way it publishes reference data: a numbered list, for all stores or named ones, of which
//! each store asks for what comes behind the number that it has taken. The number that it names is all
//! that head office knows of what is in force there.
//!
//! `HqStore` is the seam for another database; the server knows nothing else.

mod error;
mod hex;
mod offline;
mod server;
mod sqlite;
mod store;
mod token;

pub use error::HqError;
pub use offline::OfflineHq;
pub use server::{HqConfig, RunningHq, serve};
pub use sqlite::{OpenedBooks, SqliteStore};
pub use store::{
    ENTRIES_PAGE_MAX, HeldEntries, HeldEntry, HqStore, LaneSummary, PUBLICATIONS_LISTED_MAX,
    PublicationSummary, Publications, SetAsideEntry, StoreSummary, TakenByStore, TotalRow,
    TotalsFilter,
};
pub use token::TOKEN_FILE;
