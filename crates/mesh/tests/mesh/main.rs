//! The mesh on real sockets: lanes of one process, on loopback.

mod common;
mod discovery;
mod network;
mod strangers;
