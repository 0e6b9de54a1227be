//! `lanemesh export`: what is in a lane's journal, its copies of other lanes' included: every entry
//! as JSON lines, or receipts as a table (CSV) or as ARTS POSLog.
//!
//! Nothing is written but the file asked for; the journal is read as of one moment, also while the
//! lane runs. An entry that this release cannot read is exported as its bytes, and left out of tables
//! and logs of receipts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use catalog::Reference;
use jiff::Timestamp;
use ledger::{Entry, EntryBody, Fact, Hlc, LaneId, StoreView};
use money::Quantity;
use sale::{BusinessDay, Event};
use serde_json::{Value, json};
use storage::{OfflineJournal, OfflineState};

use crate::cli::{ExportArgs, ExportFormat, Report};
use crate::lane::{Identity, LANE_FILE};

mod poslog;
mod table;

use poslog::{Place, PosLog};
use table::Table;

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
    let day = day(args)?;
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

    let entries = Entries {
        journal: &journal,
        lanes: &lanes,
        numbers: &numbers,
    };
    let export = |out: &mut dyn Write| match args.format {
        ExportFormat::JsonLines => write_lines(out, &entries),
        ExportFormat::Csv => write_table(out, &entries, day.as_ref()),
        ExportFormat::Poslog => {
            let store = Store::of(&args.dir, &identity);
            write_poslog(out, &entries, &store, day.as_ref())
        }
    };
    match &args.out {
        None => {
            let count = closed_early(export(&mut BufWriter::new(io::stdout().lock())))?;
            say(&count, args.format, None);
            Ok(Report::done("", Value::Null))
        }
        Some(file) => {
            let count = write_whole(file, export)?;
            say(&count, args.format, Some(file));
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
    /// Entries, or receipts and what else there is a transaction for.
    entries: u64,
    /// Entries that this release cannot read.
    unreadable: u64,
}

fn say(count: &Count, format: ExportFormat, file: Option<&PathBuf>) {
    let to = file.map_or(String::new(), |file| format!(" to {}", file.display()));
    let (what, became) = match format {
        ExportFormat::JsonLines => (
            "entries",
            "of them cannot be read by this release; they are there as bytes",
        ),
        ExportFormat::Csv => ("receipts", UNREAD),
        ExportFormat::Poslog => ("transactions", UNREAD),
    };
    eprintln!("{} {what} exported{to}.", count.entries);
    if count.unreadable > 0 {
        eprintln!("{} {became}.", count.unreadable);
    }
}

const UNREAD: &str = "entries cannot be read by this release and are left out";

/// The business day that is asked for.
fn day(args: &ExportArgs) -> anyhow::Result<Option<BusinessDay>> {
    let Some(text) = &args.day else {
        return Ok(None);
    };
    if args.format == ExportFormat::JsonLines {
        bail!("--day is for receipts: add --format csv or --format poslog");
    }
    let day = BusinessDay(text.clone());
    match day.is_date() {
        true => Ok(Some(day)),
        false => bail!("'{text}' is no day: write one like 2026-11-27"),
    }
}

/// What a log of receipts says of the store.
struct Store {
    number: String,
    name: String,
}

impl Store {
    /// As the lane's state has it; by its id alone where that cannot be read.
    fn of(dir: &Path, identity: &Identity) -> Store {
        let state = OfflineState::open(dir).ok();
        let settings = state.map(|state| StoreView::new(state.tables()).settings());
        let settings = settings.unwrap_or_default();
        let numbered = Some(settings.store_number).filter(|number| !number.is_empty());
        Store {
            number: numbered.unwrap_or_else(|| identity.store.to_string()),
            name: settings.store_name,
        }
    }
}

/// A quantity without its unit.
fn bare(quantity: Quantity) -> String {
    let text = quantity.to_string();
    let number = text.split(' ').next().unwrap_or_default();
    number.to_owned()
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

/// The entries to export.
struct Entries<'a> {
    journal: &'a OfflineJournal,
    lanes: &'a [LaneId],
    numbers: &'a Numbers,
}

impl Entries<'_> {
    /// Hands over every entry, lane by lane, with the number of its lane where that is known.
    fn each(
        &self,
        mut each: impl FnMut(&Entry, Option<u32>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        for lane in self.lanes {
            let mut next = 1;
            loop {
                let page = self.journal.read(*lane, next, PAGE_ENTRIES, PAGE_BYTES)?;
                let Some(last) = page.last() else {
                    break;
                };
                next = last.seq + 1;
                for entry in &page {
                    each(entry, self.numbers.get(lane).copied())?;
                }
            }
        }
        Ok(())
    }

    /// Hands over what happened on registers, with the number of the lane (0 where it is not known);
    /// counts what cannot be read, and that of which `each` says it was exported.
    fn events(
        &self,
        mut each: impl FnMut(&EntryBody, u32, &Event) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Count> {
        let mut count = Count::default();
        self.each(|entry, number| {
            match entry.body() {
                Ok(body) => {
                    if let Fact::Register { event, .. } = &body.fact {
                        let exported = each(&body, number.unwrap_or(0), event)?;
                        count.entries += u64::from(exported);
                    }
                }
                Err(_) => count.unreadable += 1,
            }
            Ok(())
        })?;
        Ok(count)
    }
}

fn write_lines(out: &mut dyn Write, entries: &Entries<'_>) -> anyhow::Result<Count> {
    let mut count = Count::default();
    entries.each(|entry, number| {
        count.entries += 1;
        let (line, is_readable) = line(entry, number);
        count.unreadable += u64::from(!is_readable);
        serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        Ok(())
    })?;
    out.flush()?;
    Ok(count)
}

fn write_table(
    out: &mut dyn Write,
    entries: &Entries<'_>,
    day: Option<&BusinessDay>,
) -> anyhow::Result<Count> {
    let mut table = Table::begin(out).map_err(io::Error::from)?;
    let count = entries.events(|_, lane, event| {
        let Event::Completed { receipt, .. } = event else {
            return Ok(false);
        };
        if day.is_some_and(|day| receipt.day != *day) {
            return Ok(false);
        }
        table.receipt(lane, receipt).map_err(io::Error::from)?;
        Ok(true)
    })?;
    table.end()?;
    Ok(count)
}

fn write_poslog(
    out: &mut dyn Write,
    entries: &Entries<'_>,
    store: &Store,
    day: Option<&BusinessDay>,
) -> anyhow::Result<Count> {
    let mut log = PosLog::begin(out)?;
    let count = entries.events(|body, lane, event| {
        // What is no receipt has no business day of its own.
        let wanted = match event {
            Event::Completed { receipt, .. } => day.is_none_or(|day| receipt.day == *day),
            _ => day.is_none(),
        };
        let place = Place {
            store: &store.number,
            store_name: &store.name,
            lane,
            seq: body.seq,
        };
        Ok(wanted && log.event(&place, event)?)
    })?;
    log.end()?.flush()?;
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

#[cfg(test)]
mod tests;
