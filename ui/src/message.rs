//! What can happen to the window, and what the window wants done. Knows no egui.

use api::{Ticket, Update};
use sale::Command;

use crate::commands::Action;

/// Something that happened: to the window, or to the lane.
#[derive(Clone, Debug)]
pub enum Message {
    /// Text from a keyboard, a scanner or the keypad on the screen, without line ends.
    Typed(String),
    /// A key or a button of the command table.
    Do(Action),
    /// A line of the sale was touched.
    MarkLine(u32),
    /// A row of the search result was touched: sell it.
    TakeFound(usize),
    /// A reason was touched: take it.
    TakeReason(usize),
    /// An amount of cash was touched, as text.
    TakeCash(String),
    /// A notice was touched.
    PutNoticesAway,
    /// The lane said something.
    Lane(Update),
    /// So many milliseconds the window has been open.
    Clock(u64),
}

/// Something that has to be done outside the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Submit {
        ticket: Ticket,
        command: Command,
    },
    Search {
        ticket: Ticket,
        words: String,
    },
    /// A receipt, by its number.
    Print {
        receipt: String,
    },
    ToggleFullscreen,
}
