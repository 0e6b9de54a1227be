//! `lanemesh export`: the entries of a lane's journal, its copies of other lanes' included, as JSON
//! lines.
//!
//! Nothing is written but the file asked for; the journal is read as of one moment, also while the
//! lane runs. An entry that this release cannot read is exported as its bytes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use jiff::Timestamp;
use ledger::{Entry, Hlc, LaneId, StoreView};
use serde_json::{Value, json};
use storage::{OfflineJournal, OfflineState};

use crate::cli::{ExportArgs, Report};
use crate::lane::{Identity, LANE_FILE};

/// Entries read at a time, and their bytes.
const PAGE_ENTRIES: usize = 1_000;
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Lane numbers by lane.
type Numbers = BTreeMap<LaneId, u32>;

pub fn run(args: &ExportArgs) -> anyhow::Result<Report> {
    let path = args.dir.join(LANE_FILE);
    let bytes = std::fs::read(&path)
        .with_context(|| format!("{} is no lane's folder", args.dir.display()))?;
    let identity = Identity::parse(bytes)?;
    let numbers = numbers(&args.dir, &identity);
    let journal = OfflineJournal::open(&args.dir)
        .context("there is no journal to export, as in a lane that has never run")?;
    let mut lanes: Vec<LaneId> = journal.heads()?.into_keys().collect();
    if let Some(wanted) = &args.lane {
        let lane = lane_named(wanted, &numbers)?;
        lanes.retain(|held| *held == lane);
    }
    // Lanes of which only copies are known come last.
    lanes.sort_by_key(|lane| (numbers.get(lane).copied().unwrap_or(u32::MAX), *lane));

    let export = |out: &mut dyn Write| write_lanes(out, &journal, &lanes, &numbers);
    match &args.out {
        None => {
            let count = closed_early(export(&mut BufWriter::new(io::stdout().lock())))?;
            say(&count, None);
            Ok(Report::done("", Value::Null))
        }
        Some(file) => {
            let count = write_whole(file, export)?;
            say(&count, Some(file));
            let json = json!({
                "ok": true,
                "file": file.display().to_string(),
                "lanes": lanes.len(),
                "entries": count.entries,
                "unreadable": count.unreadable,
            });
            Ok(Report::done("", json))
        }
    }
}

/// What the store calls its lanes; this lane alone where its state cannot be read.
fn numbers(dir: &Path, identity: &Identity) -> Numbers {
    let mut numbers = Numbers::from([(identity.lane, identity.number)]);
    let lanes = OfflineState::open(dir)
        .ok()
        .and_then(|state| StoreView::new(state.tables()).lanes().ok());
    let lanes = lanes.into_iter().flatten();
    numbers.extend(lanes.map(|lane| (lane.lane, lane.number)));
    numbers
}

/// The lane of an id or a number.
fn lane_named(text: &str, numbers: &Numbers) -> anyhow::Result<LaneId> {
    if let Ok(lane) = text.parse::<LaneId>() {
        return Ok(lane);
    }
    let number: u32 = text.parse().map_err(|_| {
        anyhow!("'{text}' is neither a lane's number nor its id of 32 hexadecimal digits")
    })?;
    match numbers.iter().find(|(_, known)| **known == number) {
        Some((lane, _)) => Ok(*lane),
        None => bail!("this lane knows no lane {number}: see `lanemesh status` for the numbers"),
    }
}

#[derive(Default)]
struct Count {
    entries: u64,
    /// Entries that were exported as bytes.
    unreadable: u64,
}

fn say(count: &Count, file: Option<&PathBuf>) {
    let to = file.map_or(String::new(), |file| format!(" to {}", file.display()));
    eprintln!("{} entries exported{to}.", count.entries);
    if count.unreadable > 0 {
        eprintln!(
            "{} of them cannot be read by this release; they are there as bytes.",
            count.unreadable
        );
    }
}

/// Whoever closes our output has read enough.
fn closed_early(exported: anyhow::Result<Count>) -> anyhow::Result<Count> {
    match exported {
        Err(error)
            if error
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) =>
        {
            Ok(Count::default())
        }
        other => other,
    }
}

/// Writes a file whole or not at all.
fn write_whole(
    file: &Path,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<Count>,
) -> anyhow::Result<Count> {
    let mut name = file.file_name().context("--out names no file")?.to_owned();
    name.push(".new");
    let temporary = file.with_file_name(name);
    let failed = || format!("{} cannot be written", file.display());
    let mut out = BufWriter::new(File::create(&temporary).with_context(failed)?);
    let written = write(&mut out).and_then(|count| {
        let file_out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file_out.sync_all()?;
        std::fs::rename(&temporary, file)?;
        Ok(count)
    });
    if written.is_err() {
        // What is there is of no use to anyone; that it stays harms no one either.
        let _ = std::fs::remove_file(&temporary);
    }
    written.with_context(failed)
}

fn write_lanes(
    out: &mut dyn Write,
    journal: &OfflineJournal,
    lanes: &[LaneId],
    numbers: &Numbers,
) -> anyhow::Result<Count> {
    let mut count = Count::default();
    for lane in lanes {
        let mut next = 1;
        loop {
            let page = journal.read(*lane, next, PAGE_ENTRIES, PAGE_BYTES)?;
            let Some(last) = page.last() else {
                break;
            };
            next = last.seq + 1;
            for entry in &page {
                count.entries += 1;
                let (line, is_readable) = line(entry, numbers.get(lane).copied());
                count.unreadable += u64::from(!is_readable);
                serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            }
        }
    }
    out.flush()?;
    Ok(count)
}

/// An entry as a line, and whether its content could be read.
fn line(entry: &Entry, number: Option<u32>) -> (Value, bool) {
    let hash = entry.hash().to_string();
    let read = entry
        .body()
        .map_err(|error| error.to_string())
        .and_then(|body| {
            let fact = serde_json::to_value(&body.fact).map_err(|error| error.to_string())?;
            Ok((body.hlc, fact))
        });
    match read {
        Ok((hlc, fact)) => {
            let line = json!({
                "lane": entry.lane,
                "number": number,
                "seq": entry.seq,
                "hash": hash,
                "hlc": hlc,
                "at": moment(hlc),
                "fact": fact,
            });
            (line, true)
        }
        Err(reason) => {
            let bytes: String = entry
                .bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let line = json!({
                "lane": entry.lane,
                "number": number,
                "seq": entry.seq,
                "hash": hash,
                "bytes": bytes,
                "unreadable": reason,
            });
            (line, false)
        }
    }
}

/// The wall clock's part of a stamp, as UTC.
fn moment(hlc: Hlc) -> Option<String> {
    let ms = i64::try_from(hlc.wall_ms).ok()?;
    Some(Timestamp::from_millisecond(ms).ok()?.to_string())
}
