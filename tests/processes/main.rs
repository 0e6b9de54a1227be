//! Whole processes: real lanes and a real head office in a temporary folder.

mod bad_input;
mod cards;
mod common;
mod crash;
mod customers;
mod day;
mod full_disk;
mod goods;
mod json;
mod limits;
mod members;
mod printing;
mod publications;
mod real_baskets;
mod scenarios;
mod store;
mod strangers;
mod training;
