//! Card payments over the nexo Retailer protocol: the lane's side, and a terminal simulator.
//!
//! A card number never passes through here whole, and a lost answer never charges twice: see
//! [`Terminal::pay`].

mod frame;
mod message;
mod simulator;
mod terminal;
mod work;

pub use simulator::{Behaviour, Charge, Losing, Script, Simulator};
pub use terminal::{Approval, Outcome, PaymentNumber, Terminal, TerminalError, TerminalSettings};
