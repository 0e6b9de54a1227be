//! `lanemesh bench store`: a store of three lane processes on this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use api::{CommandRequest, Done};
use catalog::EmployeeId;
use figures::{Figure, machine, table};
use money::Unit;
use sale::{Command, Pin};
use serde_json::json;
use tokio::task::JoinSet;

use super::selling::{figures_inside, figures_over_http};
use crate::cli::{BenchStoreArgs, JoinArgs, NetworkArgs, Report};
use crate::client::LaneClient;
use crate::commands::{join, store};
use crate::processes::{LaneProcess, Process, program};
use crate::sample;

const LANES: usize = 3;
/// Facts in flight, each a figure of its own.
const IN_FLIGHT: [usize; 3] = [1, 16, 128];
/// How long each throughput figure runs.
const THROUGHPUT_FOR: Duration = Duration::from_secs(5);
/// How long the lanes are left alone to see what they use at rest.
const IDLE_FOR: Duration = Duration::from_secs(10);
/// Lines of a cart before the bench begins a new one.
pub(super) const CART_LINES: u32 = 20;
/// The longest wait for the lanes to settle.
pub(super) const SETTLE_LIMIT: Duration = Duration::from_secs(60);
/// How long a lane may take to answer, or to show its window, after its start.
const READY_LIMIT: Duration = Duration::from_secs(30);
const WINDOW_LOOK: Duration = Duration::from_millis(5);
/// What a lane says when its window is on the screen, and how long that then stays.
const WINDOW_SHOWN: &str = r#"{"window":true}"#;
const WINDOW_RESTS: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub async fn run(args: &BenchStoreArgs) -> anyhow::Result<Report> {
    let temporary = tempfile::Builder::new()
        .prefix("lanemesh-bench")
        .tempdir()?;
    let folder = args.dir.clone().unwrap_or(temporary.path().to_owned());
    make_folder(&folder)?;
    let mut figures = Vec::new();

    say("a store of three lanes");
    let mut lanes = start_store(&folder, args.catalog.as_deref()).await?;
    let items = sample_codes();

    let (inside, raw_p50) = figures_inside(&folder, &mut lanes[0], &items, args.scans).await?;
    figures.extend(inside);
    figures.extend(figures_over_http(&folder, &lanes, &items, args.scans, raw_p50).await?);

    for in_flight in IN_FLIGHT {
        say(&format!("facts/s with {in_flight} in flight"));
        let rate = throughput(&lanes, &items, in_flight).await?;
        let what = format!("facts committed, {in_flight} in flight over 3 lanes");
        figures.push(Figure::of(what, "facts/s", vec![rate], None));
    }

    say("lanes at rest");
    figures.extend(at_rest(&lanes).await?);

    say("the leader is killed");
    let (recoveries, gaps) = failovers(&mut lanes, &items, args.kills).await?;
    figures.push(Figure::times(
        "leader killed → next committed fact",
        &recoveries,
        None,
    ));
    figures.push(Figure::times(
        "longest wait of another lane's cashier meanwhile",
        &gaps,
        None,
    ));

    say("start of a lane");
    let starts = start_times(&mut lanes[0]).await?;
    figures.push(Figure::times("start → first answer", &starts, None));

    say("start of a lane with its window");
    match first_frames(&mut lanes[0]).await {
        Ok((frames, memory)) => {
            figures.push(Figure::times(
                "start → first frame on the screen",
                &frames,
                None,
            ));
            let what = "resident memory of a lane with its window";
            figures.push(Figure::of(what, "MB", memory, None));
        }
        Err(error) => eprintln!("not measured: {error:#}"),
    }

    let json = json!({ "ok": true, "bench": "store", "machine": machine(), "figures": figures });
    Ok(Report::done(table(&figures), json))
}

pub(super) fn make_folder(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be used as a folder", folder.display()))
}

pub(super) fn say(what: &str) {
    eprintln!("measuring: {what} …");
}

/// Starts a lane of this program in `folder`.
pub(super) async fn start_process(folder: &Path, more: &[&str]) -> anyhow::Result<LaneProcess> {
    LaneProcess::start(program()?, folder, more, READY_LIMIT).await
}

pub(super) async fn start_store(
    folder: &Path,
    catalog: Option<&Path>,
) -> anyhow::Result<Vec<LaneProcess>> {
    let lane_folder = |n: usize| folder.join(format!("lane-{n}"));
    let first = lane_folder(1);
    let name = |n: usize| format!("Lane {n}");
    store::create(&first, "Bench store".to_owned(), name(1), None, None)?;
    let mut lanes = vec![start_process(&first, &[]).await?];
    import(&lanes[0].client, catalog).await?;
    for n in 2..=LANES {
        let invitation = lanes[0].client.invite().await?;
        let joined = lane_folder(n);
        let peers = invitation.addresses;
        join::join_store(&JoinArgs {
            dir: joined.clone(),
            code: invitation.code,
            lane_name: name(n),
            again: false,
            wait: 30,
            network: NetworkArgs::to_peers(peers),
        })
        .await?;
        lanes.push(start_process(&joined, &[]).await?);
    }
    for lane in &lanes {
        let voting = |status: &api::LaneStatus| {
            status.lanes.iter().filter(|lane| lane.voter).count() == LANES
                && status.lanes.iter().all(|lane| lane.reachable)
                && status.leader.is_some()
        };
        wait_for(&lane.client, voting).await?;
        sign_in(&lane.client).await?;
    }
    Ok(lanes)
}

async fn import(client: &LaneClient, catalog: Option<&Path>) -> anyhow::Result<()> {
    for file in sample::FILES {
        let kind = Some(file.kind);
        client
            .import(kind, file.text.as_bytes().to_vec(), &mut |_| ())
            .await?;
    }
    if let Some(catalog) = catalog {
        let bytes = std::fs::read(catalog)
            .with_context(|| format!("{} cannot be read", catalog.display()))?;
        client.import(Some("items"), bytes, &mut |_| ()).await?;
    }
    Ok(())
}

/// Items of the sample store that can be scanned without a question.
pub(super) fn sample_codes() -> Vec<String> {
    const CODES: usize = 200;
    let items = sample::items(sample::text_of("items").as_bytes()).into_iter();
    let plain = items.filter(|item| item.sold_by == Unit::Each && item.age_min.is_none());
    plain.take(CODES).map(|item| item.id.0).collect()
}

pub(super) async fn sign_in(client: &LaneClient) -> anyhow::Result<()> {
    let people = sample::people();
    let person = people.first().context("the sample store has employees")?;
    let command = Command::SignIn {
        employee: EmployeeId(person.number.clone()),
        pin: Pin(person.pin.clone()),
    };
    if client.view().await?.register.cashier.is_none() {
        done(client, command).await?;
    }
    Ok(())
}

pub(super) async fn wait_for(
    client: &LaneClient,
    settled: impl Fn(&api::LaneStatus) -> bool,
) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        if client.status().await.is_ok_and(|status| settled(&status)) {
            return Ok(());
        }
        if started.elapsed() > SETTLE_LIMIT {
            bail!("the lanes did not settle within {SETTLE_LIMIT:?}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

pub(super) async fn done(client: &LaneClient, command: Command) -> anyhow::Result<Done> {
    let request = CommandRequest { id: None, command };
    match client.command(&request).await? {
        Ok(done) => Ok(done),
        Err(problem) => bail!("a command was not carried out: {problem:?}"),
    }
}

pub(super) fn scan(items: &[String], n: u32) -> Command {
    Command::Scan {
        code: items[n as usize % items.len()].clone(),
        quantity: None,
    }
}

pub(super) fn void() -> Command {
    Command::VoidCart {
        reason: "bench".to_owned(),
    }
}

/// Commands kept in flight over all lanes; each is a fact. Counts until the last is committed.
async fn throughput(
    lanes: &[LaneProcess],
    items: &[String],
    in_flight: usize,
) -> anyhow::Result<f64> {
    let before = journal_ends(lanes).await?;
    for lane in lanes {
        done(&lane.client, scan(items, 0)).await?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..in_flight {
        let client = lanes[worker % lanes.len()].client.clone();
        let stop = stop.clone();
        workers.spawn(async move {
            let mut n = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                n += 1;
                let quantity = (n % 9 + 1).to_string();
                done(&client, Command::SetQuantity { line: 1, quantity }).await?;
            }
            anyhow::Ok(())
        });
    }
    tokio::time::sleep(THROUGHPUT_FOR).await;
    stop.store(true, Ordering::Relaxed);
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    let after = journal_ends(lanes).await?;
    for (lane, end) in lanes.iter().zip(&after) {
        while lane.client.shared(*end).await? < *end {}
    }
    let elapsed = started.elapsed();
    for lane in lanes {
        done(&lane.client, void()).await?;
    }
    let facts: u64 = after.iter().zip(&before).map(|(a, b)| a - b).sum();
    Ok(facts as f64 / elapsed.as_secs_f64())
}

async fn journal_ends(lanes: &[LaneProcess]) -> anyhow::Result<Vec<u64>> {
    let mut ends = Vec::new();
    for lane in lanes {
        ends.push(lane.client.status().await?.journal_seq);
    }
    Ok(ends)
}

async fn at_rest(lanes: &[LaneProcess]) -> anyhow::Result<Vec<Figure>> {
    let cpu = |lane: &LaneProcess| lane.process.cpu_time().unwrap_or_default();
    let before: Vec<Duration> = lanes.iter().map(cpu).collect();
    tokio::time::sleep(IDLE_FOR).await;
    let used = lanes
        .iter()
        .zip(before)
        .map(|(lane, before)| 100.0 * (cpu(lane) - before).as_secs_f64() / IDLE_FOR.as_secs_f64());
    let used = used.collect();
    let memory = lanes
        .iter()
        .filter_map(|lane| lane.process.resident_bytes());
    let memory = memory.map(|bytes| bytes as f64 / 1e6).collect();
    Ok(vec![
        Figure::of("processor used by a lane at rest", "% core", used, None),
        Figure::of(
            "resident memory of a lane without a window",
            "MB",
            memory,
            None,
        ),
    ])
}

/// Kills the leader again and again. Gives the times to the next committed fact, and the longest
/// wait for an answer that a cashier on a surviving lane had meanwhile.
async fn failovers(
    lanes: &mut [LaneProcess],
    items: &[String],
    kills: u32,
) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
    let mut recoveries = Vec::new();
    let mut gaps = Vec::new();
    for _ in 0..kills {
        let leader = leader(lanes).await?;
        let others: Vec<usize> = (0..lanes.len()).filter(|i| *i != leader).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let cashier = tokio::spawn(longest_wait(
            lanes[others[1]].client.clone(),
            items.to_vec(),
            stop.clone(),
        ));
        tokio::time::sleep(Duration::from_millis(500)).await;
        lanes[leader].process.kill();
        let killed = Instant::now();
        let witness = &lanes[others[0]].client;
        let fact = done(witness, scan(items, 0)).await?;
        while witness.shared(fact.seq).await? < fact.seq {}
        recoveries.push(killed.elapsed());
        tokio::time::sleep(Duration::from_millis(500)).await;
        stop.store(true, Ordering::Relaxed);
        gaps.push(cashier.await??);
        done(witness, void()).await?;
        let folder: PathBuf = lanes[leader].folder.clone();
        lanes[leader] = start_process(&folder, &[]).await?;
        let together = |status: &api::LaneStatus| {
            status.leader.is_some() && status.lanes.iter().all(|lane| lane.reachable)
        };
        for lane in lanes.iter() {
            wait_for(&lane.client, together).await?;
            sign_in(&lane.client).await?;
        }
    }
    Ok((recoveries, gaps))
}

pub(super) async fn leader(lanes: &[LaneProcess]) -> anyhow::Result<usize> {
    let started = Instant::now();
    loop {
        for (index, lane) in lanes.iter().enumerate() {
            if lane.client.status().await?.is_leader {
                return Ok(index);
            }
        }
        if started.elapsed() > SETTLE_LIMIT {
            bail!("no lane led within {SETTLE_LIMIT:?}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A cashier who scans every 10 ms until told to stop.
async fn longest_wait(
    client: LaneClient,
    items: Vec<String>,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<Duration> {
    let mut longest = Duration::ZERO;
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        done(&client, scan(&items, n)).await?;
        longest = longest.max(started.elapsed());
        n += 1;
        if n.is_multiple_of(CART_LINES) {
            done(&client, void()).await?;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    if !n.is_multiple_of(CART_LINES) {
        done(&client, void()).await?;
    }
    Ok(longest)
}

/// Starts of a lane after which each figure is taken.
const STARTS: usize = 5;

/// From the start of the process to its window being on the screen, and what it then uses in MB.
/// Needs a display.
async fn first_frames(lane: &mut LaneProcess) -> anyhow::Result<(Vec<Duration>, Vec<f64>)> {
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        lane.process.kill();
        let folder = lane.folder.clone();
        *lane = start_process(&folder, &["--window", "--json"]).await?;
        times.push(window_shown(&lane.process).await?);
        tokio::time::sleep(WINDOW_RESTS).await;
        memory.extend(
            lane.process
                .resident_bytes()
                .map(|bytes| bytes as f64 / 1e6),
        );
    }
    Ok((times, memory))
}

/// Waits until the process has shown its window; answers how long after its start that was.
async fn window_shown(process: &Process) -> anyhow::Result<Duration> {
    loop {
        let said = process.said();
        if said.contains(WINDOW_SHOWN) {
            return Ok(process.age());
        }
        if process.age() > READY_LIMIT || said.contains("no window") {
            bail!("{}", said.lines().last().unwrap_or_default());
        }
        tokio::time::sleep(WINDOW_LOOK).await;
    }
}

async fn start_times(lane: &mut LaneProcess) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        lane.process.kill();
        let folder = lane.folder.clone();
        *lane = start_process(&folder, &[]).await?;
        times.push(lane.ready_after);
    }
    Ok(times)
}
