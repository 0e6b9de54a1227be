//! What a lane shows and takes, the same for its window, its HTTP API, robots and tests.
//!
//! Only types: the window gets them over channels, the HTTP API as JSON. Nothing here does I/O.

mod lane;
mod status;
mod view;

pub use lane::{Answer, CommandRequest, Done, ItemFound, Lane, Problem, Ticket, Update};
pub use status::{HqStatus, LaneStatus, Mode, PeerStatus, PrinterStatus};
pub use view::LaneView;

/// Version of the HTTP API, the first part of every path.
pub const API_VERSION: &str = "v1";
