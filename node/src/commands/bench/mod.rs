//! `lanemesh bench`: measures this machine, each figure beside a baseline of the same run.

mod failover;
mod promotions;
mod sale;
mod selling;
mod store;

use crate::cli::{BenchCommand, Report};

pub fn run(command: BenchCommand) -> anyhow::Result<Report> {
    match command {
        BenchCommand::Failover(args) => super::runtime()?.block_on(failover::run(&args)),
        BenchCommand::Promotions(args) => promotions::run(&args),
        BenchCommand::Sale(args) => sale::run(&args),
        BenchCommand::Store(args) => super::runtime()?.block_on(store::run(&args)),
    }
}
