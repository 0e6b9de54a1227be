//! The lane process: the lane at work (`lane`, written against provider traits), its production
//! wiring, the local API, the commands of the binary `lanemesh`, the demo and its robots.

pub mod client;
#[cfg(test)]
mod golden;
mod http;
mod import;
pub mod lane;
mod pins;
pub mod processes;
mod production;
pub mod robots;
pub mod sample;
mod vet;
mod window;

pub mod cli;
mod commands;
