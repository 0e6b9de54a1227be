//! The store's side of the head office protocol: ships committed entries in batches, moves the
//! store's cursor by what head office acknowledges, and takes what head office publishes.
//!
//! Only what the store has committed is shipped, in the store's own order, so it does not matter
//! which lane ships it, nor whether two do for a while: head office takes each entry once and
//! answers how far it has come. Nothing here decides what head office makes of an entry.

mod http;
mod link;
mod shipper;
mod taker;

pub use http::HttpHqLink;
pub use link::{HqError, HqLink};
pub use shipper::{
    BATCH_BYTES_MAX, Committed, CommittedError, ShipStatus, ShippedStore, Shipper, ShipperParts,
};
pub use taker::{Published, Taker, TakerParts};
