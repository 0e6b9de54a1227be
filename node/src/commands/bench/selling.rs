//! How fast a lane sells: scans until they are answered, receipts until the store agrees on them, as
//! the window does it and over HTTP.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use api::{CommandRequest, Done};
use figures::Figure;
use sale::Command;

use super::store::{CART_LINES, SETTLE_LIMIT, done, say, scan, start_process, void};
use crate::client::LaneClient;
use crate::lane::Lane;
use crate::processes::LaneProcess;
use crate::production::{LaneOptions, released, start_lane};

/// About the size of a journal entry of a scan, in bytes.
const ENTRY_BYTES: usize = 512;
/// Time between two scans where the pace is a cashier's at their very fastest, several times over.
const SCAN_EVERY: Duration = Duration::from_millis(20);
/// The longest wait for a receipt to be committed.
const SHARED_LIMIT: Duration = Duration::from_secs(10);

/// How a cashier reaches the lane.
enum Way {
    /// In the lane's own process, as its window does.
    Window(Lane),
    Http(LaneClient),
}

impl Way {
    async fn done(&self, command: Command) -> anyhow::Result<Done> {
        let lane = match self {
            Way::Window(lane) => lane,
            Way::Http(client) => return done(client, command).await,
        };
        let answer = lane.command(CommandRequest { id: None, command }).await;
        answer.map_err(|problem| anyhow!("a command was not carried out: {problem:?}"))
    }

    /// Waits until the store has applied the lane's journal up to `seq`.
    async fn shared(&self, seq: u64) -> anyhow::Result<()> {
        let applied = match self {
            Way::Window(lane) => lane.wait_shared(seq, SHARED_LIMIT).await?,
            Way::Http(client) => client.shared(seq).await?,
        };
        match applied >= seq {
            true => Ok(()),
            false => bail!("a receipt was not committed within {SHARED_LIMIT:?}"),
        }
    }
}

/// Scans and receipts on a lane that runs in this process for as long, as it does under its window.
/// Gives the figures, and what the disk alone takes at the median.
pub(super) async fn figures_inside(
    folder: &Path,
    lane: &mut LaneProcess,
    items: &[String],
    scans: u32,
) -> anyhow::Result<(Vec<Figure>, f64)> {
    lane.process.kill();
    let inside = start_lane(&lane.folder, &LaneOptions::default()).await?;
    let mut view = inside.lane.view();
    let together = view.wait_for(|view| {
        view.status.leader.is_some() && view.status.lanes.iter().all(|lane| lane.reachable)
    });
    tokio::time::timeout(SETTLE_LIMIT, together)
        .await
        .context("the lanes did not find each other")??;
    let way = Way::Window(inside.lane.clone());
    let measured = async {
        let mut figures =
            scan_figures(folder, &way, "window", items, scans, Duration::ZERO).await?;
        let raw_p50 = figures[0].p50;
        figures.push(receipt_figure(&way, "window", items, scans / 10, raw_p50).await?);
        anyhow::Ok((figures, raw_p50))
    };
    let measured = measured.await;
    // Whoever holds the lane holds its folder.
    drop(way);
    inside.close().await;
    tokio::time::timeout(SETTLE_LIMIT, released(&lane.folder))
        .await
        .context("the lane did not give its folder back")?;
    *lane = start_process(&lane.folder.clone(), &[]).await?;
    measured
}

/// The same over HTTP, scans also at a pace that no cashier reaches, receipts also on another lane.
pub(super) async fn figures_over_http(
    folder: &Path,
    lanes: &[LaneProcess],
    items: &[String],
    scans: u32,
    raw_p50: f64,
) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let way = Way::Http(lanes[0].client.clone());
    for (pace, how) in [(Duration::ZERO, "HTTP"), (SCAN_EVERY, "HTTP, every 20 ms")] {
        figures.extend(scan_figures(folder, &way, how, items, scans, pace).await?);
    }
    for (lane, how) in [(0, "HTTP"), (1, "HTTP, another lane")] {
        let way = Way::Http(lanes[lane].client.clone());
        figures.push(receipt_figure(&way, how, items, scans / 10, raw_p50).await?);
    }
    Ok(figures)
}

/// Scans by turns with what the disk alone takes for as many bytes, one after the other.
async fn scan_figures(
    folder: &Path,
    way: &Way,
    how: &str,
    items: &[String],
    count: u32,
    pace: Duration,
) -> anyhow::Result<Vec<Figure>> {
    say(&format!("scan → durable → answered, {how}"));
    let (raw, scans) = scan_times(folder, way, items, count, pace).await?;
    let raw = Figure::times(format!("raw append + fsync, {how}"), &raw, None);
    let what = format!("scan → durable → answered, {how}");
    let p50 = raw.p50;
    Ok(vec![raw, Figure::times(what, &scans, Some(p50))])
}

async fn receipt_figure(
    way: &Way,
    how: &str,
    items: &[String],
    count: u32,
    raw_p50: f64,
) -> anyhow::Result<Figure> {
    let what = format!("receipt → committed by quorum, {how}");
    say(&what);
    let times = receipt_times(way, items, count).await?;
    Ok(Figure::times(what, &times, Some(raw_p50)))
}

/// A file that grows by one entry's bytes at a time, each durable before the next.
struct RawFile(File);

impl RawFile {
    fn append(&mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        self.0.write_all(&[7; ENTRY_BYTES])?;
        self.0.sync_data()?;
        Ok(started.elapsed())
    }
}

/// Raw appends and scans by turns, so that both see the same disk.
async fn scan_times(
    folder: &Path,
    way: &Way,
    items: &[String],
    count: u32,
    pace: Duration,
) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
    let path = folder.join("raw");
    let mut file = RawFile(File::create(&path)?);
    let (mut raw, mut scans) = (Vec::new(), Vec::new());
    for n in 0..count {
        tokio::time::sleep(pace / 2).await;
        raw.push(file.append()?);
        tokio::time::sleep(pace / 2).await;
        let started = Instant::now();
        way.done(scan(items, n)).await?;
        scans.push(started.elapsed());
        if n % CART_LINES == CART_LINES - 1 {
            way.done(void()).await?;
        }
    }
    if !count.is_multiple_of(CART_LINES) {
        way.done(void()).await?;
    }
    std::fs::remove_file(path)?;
    Ok((raw, scans))
}

/// From the answer to the tender, when the receipt is durable here, to its being committed.
async fn receipt_times(way: &Way, items: &[String], count: u32) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for n in 0..count {
        way.done(scan(items, n)).await?;
        let paid = way.done(Command::TenderCash { amount: None }).await?;
        let started = Instant::now();
        way.shared(paid.seq).await?;
        times.push(started.elapsed());
    }
    Ok(times)
}
