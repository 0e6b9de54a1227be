//! Robot cashiers: they ring up baskets on running lanes, through the local API and nothing else.
//!
//! Invariant: a basket is rung up once. One robot takes it and finishes it on one lane; every
//! command carries an id made of the basket and the step, and is sent again under that id until the
//! lane answers, so a lane may be killed at any moment. What was taken is written down before the
//! first command, so that robots started later go on where these were stopped.
//!
//! Robots do not start, stop or repair lanes.

mod basket;
mod cashier;
mod crew;
mod file;
mod generate;
mod habits;
mod patience;
mod progress;
mod work;

pub use basket::{Basket, BasketLine, Habit, Ring};
pub use cashier::{Cashier, Pace};
pub use crew::{Crew, RobotReport};
pub use file::{BasketFile, FileProblem, read_baskets};
pub use generate::Shoppers;
pub use progress::{Begin, Progress};
pub use work::{Source, Work};
