//! Whole processes on a network of their own: every lane and head office in a network namespace,
//! on one switch, so that cables can be pulled and links cut for real.
//!
//! Robots ring up on every lane all the time. Each test ends with the lanes together again, every
//! receipt that a robot was given counted once, and `lanemesh verify` content.
//!
//! Needs Linux, root, iproute2, nftables and iptables. Where something is missing a test says what,
//! and counts as passed, unless the variable `CI` is set.

#![cfg(target_os = "linux")]

mod bad_line;
mod cables;
mod dice;
mod frozen;
mod joining;
mod lan;
mod robots;
mod splits;
mod store;
mod strangers;
