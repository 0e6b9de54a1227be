//! A store in one process, one thread and virtual time: the real node code of its lanes on simulated
//! clocks, randomness, network, discovery and disks, with head office, cashiers, faults, and checks
//! of what was promised. A seed draws everything that is drawn here.
//!
//! What is real: `node::lane`, and with it consensus, the ledger, sync, storage and SQLite; head
//! office's books. What is simulated: everything under `providers`, the WAN, and people.
//!
//! Limits, as of now. A seed does not fix a run byte for byte: openraft draws its election timeouts
//! from the thread's own randomness, and tokio its choice of ready branches; a replayed seed has the
//! same people, faults and network, and mostly, not always, the same fate. A crash keeps everything
//! that SQLite had written, so lost writes, torn pages, full and slow disks are not tested. A process
//! can be killed and restarted, not frozen.

mod cashier;
mod checks;
mod clock;
mod discovery;
pub mod disk;
pub mod executor;
mod faults;
mod goods;
mod log;
pub mod mutants;
mod network;
mod office;
pub mod picture;
mod random;
pub mod scenario;
pub mod shrink;
mod simulation;
pub mod store;
mod sweep;
mod timeline;
pub mod trace;

pub use checks::Check;
pub use simulation::{Options, Plant, Report, simulate};
pub use sweep::{Row, Sweep, Swept, sweep};
pub use timeline::{Happening, Violation};
