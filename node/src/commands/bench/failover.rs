//! `lanemesh bench failover`: how long a store of three lane processes agrees on nothing after its
//! leader was killed.
//!
//! A trial: a fact is made durable on a surviving lane at the moment of the kill, and the clock
//! stops when that lane has applied it as committed. Then the killed lane is started again and the
//! next trial waits until all three are together. The figures are given only if `verify` finds
//! nothing wrong at the end.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use api::{LaneStatus, Mode};
use figures::{Figure, machine, table};
use serde_json::json;

use super::store::{
    done, leader, make_folder, sample_codes, scan, sign_in, start_process, start_store, void,
    wait_for,
};
use crate::cli::{BenchFailoverArgs, Exit, Report, VerifyArgs};
use crate::commands::verify;
use crate::processes::LaneProcess;

/// A trial that takes longer than this ends the benchmark.
const TRIAL_LIMIT: Duration = Duration::from_secs(60);
/// How often progress is told, in trials.
const TELL_EVERY: u32 = 10;

pub async fn run(args: &BenchFailoverArgs) -> anyhow::Result<Report> {
    let temporary = tempfile::Builder::new()
        .prefix("lanemesh-bench")
        .tempdir()?;
    let folder = args.dir.clone().unwrap_or(temporary.path().to_owned());
    make_folder(&folder)?;
    let mut lanes = start_store(&folder, None).await?;
    let items = sample_codes();
    let mut times = Vec::new();
    for n in 0..args.trials {
        wait_together(&lanes).await?;
        let killed = leader(&lanes).await?;
        let survivors: Vec<usize> = (0..lanes.len()).filter(|index| *index != killed).collect();
        // Both survivors take turns: the next leader and the one that follows it differ.
        let witness = survivors[n as usize % survivors.len()];
        times.push(trial(&mut lanes, killed, witness, &items, n).await?);
        if (n + 1).is_multiple_of(TELL_EVERY) {
            tell(n + 1, &times);
        }
        let folder = lanes[killed].folder.clone();
        lanes[killed] = start_process(&folder, &[]).await?;
        sign_in(&lanes[killed].client).await?;
    }
    wait_together(&lanes).await?;
    check(&lanes)?;
    let what = "leader killed (SIGKILL) → next fact committed through a survivor";
    let figures = [Figure::times(what, &times, None)];
    let json = json!({ "ok": true, "bench": "failover", "machine": machine(), "figures": figures });
    Ok(Report::done(table(&figures), json))
}

/// Kills the leader; gives the time until the witness has a fact of its own committed.
async fn trial(
    lanes: &mut [LaneProcess],
    leader: usize,
    witness: usize,
    items: &[String],
    n: u32,
) -> anyhow::Result<Duration> {
    let started = Instant::now();
    lanes[leader].process.kill();
    let witness = &lanes[witness].client;
    let fact = done(witness, scan(items, n)).await?;
    while witness.shared(fact.seq).await? < fact.seq {
        if started.elapsed() > TRIAL_LIMIT {
            bail!("nothing was committed within {TRIAL_LIMIT:?} of trial {n}");
        }
    }
    let time = started.elapsed();
    done(witness, void()).await?;
    Ok(time)
}

/// Waits until every lane votes, reaches every other and has had all it journalled applied.
async fn wait_together(lanes: &[LaneProcess]) -> anyhow::Result<()> {
    let together = |status: &LaneStatus| {
        status.mode == Mode::Together
            && status.leader.is_some()
            && status.unshared_entries == 0
            && status.lanes.iter().all(|lane| lane.reachable && lane.voter)
    };
    for lane in lanes {
        wait_for(&lane.client, together).await?;
    }
    Ok(())
}

fn tell(trials: u32, times: &[Duration]) {
    let so_far = Figure::times("", times, None);
    eprintln!(
        "{trials} trials: p50 {:.0} ms, p99 {:.0} ms, max {:.0} ms",
        so_far.p50, so_far.p99, so_far.max
    );
}

/// A store that fails over fast and loses something has no figure.
fn check(lanes: &[LaneProcess]) -> anyhow::Result<()> {
    let verified = verify::run(&VerifyArgs {
        dirs: lanes.iter().map(|lane| lane.folder.clone()).collect(),
        hq: None,
        hq_token_file: None,
    });
    let report = verified.context("the store cannot be verified")?;
    if report.exit != Exit::Done {
        bail!("the store is not right after the trials: {}", report.text);
    }
    Ok(())
}
