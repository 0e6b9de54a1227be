//! The rules of the store's books, from outside: commands in, state out.

mod chain;
mod customers;
mod day;
mod golden;
mod goods;
mod ingest;
mod level;
mod limits;
mod membership;
mod publish;
mod reference;
mod replicas;
mod returns;
mod shop;
