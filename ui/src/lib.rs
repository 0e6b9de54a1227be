//! The checkout window.
//!
//! Three parts that know nothing of each other: [`model`] remembers, [`update`](mod@update) decides
//! what happens next (neither knows egui), [`view`](mod@view) draws and changes nothing. One command
//! table ([`commands`]) drives buttons, keys and help; one file has the keys ([`keys`]), one has every
//! colour and size ([`theme`]).
//!
//! The window holds no sale: a lane does, behind [`api::Lane`]. Nothing here reads a clock, a file or
//! the network.

pub mod checkout;
pub mod commands;
pub mod entry;
pub mod fit;
pub mod keys;
pub mod message;
pub mod model;
pub mod status;
pub mod theme;
pub mod update;
pub mod view;
mod window;

pub use egui::Context;
pub use window::{WindowError, WindowOptions, close, run};
