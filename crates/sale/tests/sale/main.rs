//! The register from outside: commands in, events or refusals out, and what a cart costs.

mod attempts;
mod commands;
mod day;
mod goods;
mod languages;
mod limits;
mod pricing;
mod properties;
mod requotes;
mod returns;
mod sample;
mod scenarios;
mod shop;
mod taxes;
mod tenders;
mod terms;
