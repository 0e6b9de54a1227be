//! The store's books: journal entries and their chain, the commands of the replicated log, and the
//! rules by which they change the store's state.
//!
//! `apply` is pure: no clock, no randomness, no I/O, no unordered iteration. The same commands in
//! the same order give the same state, and the same state hash, on every lane.

mod admission;
mod apply;
mod cards;
mod command;
mod customers;
mod day;
mod entry;
mod fact;
mod level;
mod limits;
mod membership;
mod publish;
mod records;
mod returns;
mod store;
mod tables;

pub use apply::apply;
pub use command::{COMMAND_FORMAT, Command, CommandError, Outcome};
pub use customers::Said;
pub use entry::{
    ENTRY_BYTES_MAX, ENTRY_FORMAT, Entry, EntryBody, EntryError, EntryHash, FORMAT_PUBLICATIONS,
    FORMAT_UNSAID, Head, Hlc, Seq, format_unsaid, is_format_unsaid,
};
pub use fact::{
    FORMAT_BOUGHT, FORMAT_CARRIES_OVER, FORMAT_FIRST, FORMAT_LIMITS, FORMAT_POINTS,
    FORMAT_REQUOTES, Fact, event_format,
};
pub use level::record_format;
pub use limits::GIVEN_DAYS_KEPT;
pub use membership::{BARRED_RUNS_KEPT, Epoch, Left, LeftWhy, Run};
pub use publish::PUBLICATIONS_KEPT;
pub use records::{
    DayTotal, ExceptionKind, ExceptionRecord, GivenRecord, InvitationId, InvitationRecord,
    LaneDayRecord, LaneRecord, PublishedRecord, ReceiptRecord, StoreRecord, SuspendedRecord,
    TakenPublication, TotalError,
};
pub use sale::{LaneId, StoreId};
pub use store::StoreView;
pub use tables::{
    HASHES_KEPT, Hashed, MemoryTables, Row, StateHash, Table, TableError, Tables, computed_hash,
    hashes_at, stored_hash,
};
