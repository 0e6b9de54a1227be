//! The rules of the store's books, from outside: commands in, state out.

mod chain;
mod golden;
mod ingest;
mod membership;
mod reference;
mod replicas;
mod shop;
