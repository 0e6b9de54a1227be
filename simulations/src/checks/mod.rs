//! What must hold in a store: while it sells ([`Monitor`]), once everything works again
//! ([`unsettled`] says when that is), and in the books it then keeps ([`check`]).

mod books;
mod carried;
mod conflicts;
mod copied;
mod gone;
mod history;
mod linear;
mod money;
mod monitor;
mod names;
mod published;
mod receipts;
mod stamps;
mod voters;

pub use books::{Tally, check};
pub use copied::Copied;
pub use gone::Gone;
pub use history::{Admission, Answer, Change, History, Publishing};
pub use monitor::{Monitor, unsettled};
pub use names::Check;
pub use voters::off_plan;
