//! A store in one process, one thread and virtual time: the real node code of its lanes on simulated
//! clocks, randomness, network, discovery and disks, with head office, cashiers, faults, and checks
//! of what was promised. A seed draws everything that is drawn here.
//!
//! What is real: `node::lane`, and with it consensus, the ledger, sync, storage and SQLite; head
//! office's books. What is simulated: everything under `providers`, the WAN, and people.
//!
//! One seed and one commit give one trace, byte for byte ([`trace`]): tasks run in an order drawn from
//! the seed ([`executor`]), openraft draws from it, and disks are in memory ([`disk`]). Processes are
//! killed, frozen and thawed ([`store`]); links are cut, slow or lossy ([`network`]). What a run must
//! keep is in `checks`, what can go wrong in `faults`; [`mutants`] shows that the checks catch what
//! they are for.
//!
//! Limits: libp2p and mDNS are not in it (they run for real, in network namespaces, in `tests/`). A
//! lane of another release is not simulated. All lanes share the rate at which monotonic time passes
//! (wall clocks drift and jump). A frozen process's timers run on, as under SIGSTOP; in a suspended
//! machine they stand still, but those of openraft.

pub mod baskets;
mod cashier;
mod checks;
mod clock;
mod customers;
mod discovery;
pub mod disk;
pub mod executor;
mod faults;
mod goods;
mod log;
pub mod mutants;
pub mod network;
mod office;
pub mod picture;
#[cfg(test)]
mod processes;
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
