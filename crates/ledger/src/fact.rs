//! What can happen on a lane.

use sale::Event;
use serde::{Deserialize, Serialize};

/// The content of a journal entry. Variants and fields are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every fact is an event, and few facts are held at a time"
)]
pub enum Fact {
    /// The lane's process began. The first entry of every journal, and one for each start.
    LaneStarted { name: String, release: String },
    /// The lane's process ended in good order.
    LaneClosed,
    /// The lane can sell again. It could not, because its journal could not be made durable: for
    /// `reason`, since `since_ms` by its own wall clock.
    SellingResumed { reason: String, since_ms: u64 },
    /// Something happened on the register. `request` is the id under which a caller asked for it,
    /// on every event of that command, so that a command sent twice counts once.
    Register {
        event: Event,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>,
    },
}
