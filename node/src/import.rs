//! Brings reference data into a running store: CSV, promotions and settings files become committed
//! changes.
//!
//! Good rows are not lost for a bad one: what is wrong is reported with its row and column, the
//! rest takes effect.

use std::io::{Cursor, Read};

use axum::body::Bytes;
use catalog::{DepartmentId, Import, ImportKind, ImportProblem, Record, Reference, Settings};
use devices::Picture;
use flate2::read::MultiGzDecoder;
use ledger::{Command, FORMAT_FIRST, Outcome, StoreView, record_format};
use money::Currency;
use promotions::{CompiledBook, PromotionFile};
use providers::SharedRandom;
use serde::Serialize;

use crate::lane::{Lane, LaneError, ProposeFailure};
use crate::{pins, vet};

/// Records in one committed change.
const RECORDS_PER_CHANGE: usize = 500;
/// Problems reported; more are only counted.
const PROBLEMS_MAX: usize = 1000;
/// The largest file once it is unpacked, so that a gzip bomb ends early.
const UNPACKED_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// A file to import.
pub struct Source {
    /// `items`, `departments`, `taxes`, `employees`, `customers`, `recalls`, `promotions` or
    /// `settings`; by
    /// the header where it is left out.
    pub kind: Option<String>,
    pub author: String,
    /// The file, gzip or plain.
    pub bytes: Bytes,
}

/// What became of a file.
#[derive(Debug, Clone, Serialize)]
pub struct ImportReport {
    pub kind: String,
    /// Rows that took effect; for promotions and settings, files.
    pub imported: u64,
    /// The book version since which all of it holds.
    pub version: u64,
    pub problems: Vec<ImportProblem>,
    /// Rows that did not take effect.
    pub rows_left_out: u64,
    /// Problems found, several of one row included, more than `problems` holds where there are very many.
    pub problem_count: u64,
    pub ignored_columns: Vec<String>,
    #[serde(skip)]
    last_left_out: Option<u64>,
}

impl ImportReport {
    pub(crate) fn new(kind: &str) -> ImportReport {
        ImportReport {
            kind: kind.to_owned(),
            imported: 0,
            version: 0,
            problems: Vec::new(),
            rows_left_out: 0,
            problem_count: 0,
            ignored_columns: Vec::new(),
            last_left_out: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(
        "'{0}' cannot be imported: choose items, departments, taxes, employees, customers, \
         recalls, promotions or settings"
    )]
    UnknownKind(String),
    #[error("the settings file cannot be used: {0}")]
    Settings(String),
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error(transparent)]
    Lane(#[from] LaneError),
    #[error(
        "{lanes} cannot read this: it is of an earlier release of Lanemesh. Update it, then import \
         again ({imported} records took effect before that)"
    )]
    NotInStoreYet { lanes: String, imported: u64 },
    #[error("{reason} ({imported} records took effect before that)")]
    Refused { reason: String, imported: u64 },
    #[error("{failure} ({imported} records took effect before that)")]
    Failed {
        failure: ProposeFailure,
        imported: u64,
    },
}

/// Imports a file. `progress` is called with the number of records that took effect so far.
pub async fn import(
    lane: &Lane,
    source: Source,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<ImportReport, ImportError> {
    match source.kind.as_deref() {
        Some("promotions") => import_promotions(lane, &source).await,
        Some("settings") => import_settings(lane, &source).await,
        Some(name) => import_rows(lane, &source, Some(rows_called(name)?), progress).await,
        None => import_rows(lane, &source, None, progress).await,
    }
}

/// The content of a file, unpacked where it is gzip.
fn open(bytes: &Bytes) -> Box<dyn Read + Send> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let reader = Cursor::new(bytes.clone());
    match bytes.starts_with(&GZIP) {
        true => Box::new(MultiGzDecoder::new(reader).take(UNPACKED_BYTES_MAX)),
        false => Box::new(reader),
    }
}

async fn import_rows(
    lane: &Lane,
    source: &Source,
    kind: Option<ImportKind>,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<ImportReport, ImportError> {
    let (currency, departments) = lane.read(|tables| {
        let store = StoreView::new(tables);
        Ok((store.settings().currency, store.departments()?))
    })?;
    let known = departments.into_iter().map(|department| department.id);
    let random = lane.providers().random.clone();
    let (mut rows, mut report) = open_rows(source, kind, currency, random, known);
    loop {
        let records = next_records(&mut rows, &mut report);
        if records.is_empty() {
            return Ok(report);
        }
        let kind = rows.kind();
        let is_row = |record: &&Record| kind.is_some_and(|kind| kind.is(record));
        let count = records.iter().filter(is_row).count() as u64;
        change(lane, &source.author, records, &mut report).await?;
        report.imported += count;
        progress(report.imported);
    }
}

fn open_rows(
    source: &Source,
    kind: Option<ImportKind>,
    currency: Currency,
    random: SharedRandom,
    departments: impl Iterator<Item = DepartmentId>,
) -> (Import<Box<dyn Read + Send>>, ImportReport) {
    let map_pin = Box::new(move |pin: &str| pins::hash(pin, random.as_ref()));
    let rows = Import::new(open(&source.bytes), kind, currency, map_pin);
    let rows = rows.with_departments(departments);
    let mut report = ImportReport::new(rows.kind().map_or("unknown", ImportKind::name));
    report.ignored_columns = rows.ignored_columns();
    (rows, report)
}

fn next_records(rows: &mut Import<Box<dyn Read + Send>>, report: &mut ImportReport) -> Vec<Record> {
    let mut records = Vec::with_capacity(RECORDS_PER_CHANGE);
    while records.len() < RECORDS_PER_CHANGE {
        match rows.next() {
            Some(Ok(record)) => records.push(record),
            Some(Err(problem)) => {
                // All problems of a row come one after the other.
                if report.last_left_out.replace(problem.row) != Some(problem.row) {
                    report.rows_left_out += 1;
                }
                report.problem_count += 1;
                if report.problems.len() < PROBLEMS_MAX {
                    report.problems.push(problem);
                }
            }
            None => break,
        }
    }
    records
}

async fn change(
    lane: &Lane,
    author: &str,
    records: Vec<Record>,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    let wanted = records.iter().map(record_format).max();
    let wanted = wanted.unwrap_or(FORMAT_FIRST);
    if let Some(lanes) = lane.read(|tables| StoreView::new(tables).held_back_by(wanted))? {
        let imported = report.imported;
        return Err(ImportError::NotInStoreYet { lanes, imported });
    }
    let command = Command::Reference {
        author: author.to_owned(),
        records,
    };
    match lane.propose(&command).await {
        Ok(Outcome::Changed { version }) => {
            report.version = version.0;
            Ok(())
        }
        Ok(other) => Err(ImportError::Refused {
            reason: match other {
                Outcome::Refused { reason } => reason,
                other => format!("The store answered with {other:?}."),
            },
            imported: report.imported,
        }),
        Err(failure) => Err(ImportError::Failed {
            failure,
            imported: report.imported,
        }),
    }
}

fn read_text(source: &Source) -> Result<String, ImportError> {
    let mut text = String::new();
    open(&source.bytes).read_to_string(&mut text)?;
    Ok(text)
}

/// A promotion file takes effect whole or not at all.
async fn import_promotions(lane: &Lane, source: &Source) -> Result<ImportReport, ImportError> {
    let currency = lane.read(|tables| Ok(StoreView::new(tables).settings().currency))?;
    let (text, mut report) = read_promotions(source, currency)?;
    if let Some(text) = text {
        let records = vec![Record::Promotions(text)];
        change(lane, &source.author, records, &mut report).await?;
        report.imported = 1;
    }
    Ok(report)
}

/// A promotion file's text, unless the report says why it cannot be used.
fn read_promotions(
    source: &Source,
    currency: Currency,
) -> Result<(Option<String>, ImportReport), ImportError> {
    let text = read_text(source)?;
    let checked =
        PromotionFile::parse(&text).and_then(|file| CompiledBook::compile(&file, currency));
    let mut report = ImportReport::new("promotions");
    let Err(problems) = checked else {
        return Ok((Some(text), report));
    };
    report.problem_count = problems.len() as u64;
    report.rows_left_out = report.problem_count;
    report.problems = problems
        .into_iter()
        .take(PROBLEMS_MAX)
        .map(|problem| ImportProblem {
            row: u64::from(problem.line),
            column: None,
            value: String::new(),
            message: format!("{} {}", problem.message, problem.hint),
        })
        .collect();
    Ok((None, report))
}

async fn import_settings(lane: &Lane, source: &Source) -> Result<ImportReport, ImportError> {
    let settings = read_settings(source)?;
    let mut report = ImportReport::new("settings");
    let records = vec![Record::Settings(settings)];
    change(lane, &source.author, records, &mut report).await?;
    report.imported = 1;
    Ok(report)
}

fn read_settings(source: &Source) -> Result<Settings, ImportError> {
    let text = read_text(source)?;
    let mut settings: Settings =
        toml::from_str(&text).map_err(|error| ImportError::Settings(error.to_string()))?;
    // Of any size and colours in a file, as it is printed in the store. What is no picture is told below.
    if let Ok(logo) = Picture::from_base64(&settings.receipt_logo) {
        settings.receipt_logo = logo.to_base64();
    }
    match vet::unsound(&settings) {
        Some(wrong) => Err(ImportError::Settings(wrong)),
        None => Ok(settings),
    }
}

/// Reads a whole file where there is no lane, for head office to publish: `report.imported` says how
/// many rows. A department that items name on the way is left out, because a store may know it by a
/// better name.
pub fn read_records(
    source: &Source,
    currency: Currency,
    random: SharedRandom,
) -> Result<(Vec<Record>, ImportReport), ImportError> {
    let kind = match source.kind.as_deref() {
        Some("promotions") => {
            let (text, mut report) = read_promotions(source, currency)?;
            report.imported = u64::from(text.is_some());
            return Ok((text.into_iter().map(Record::Promotions).collect(), report));
        }
        Some("settings") => {
            let mut report = ImportReport::new("settings");
            report.imported = 1;
            return Ok((vec![Record::Settings(read_settings(source)?)], report));
        }
        Some(name) => Some(rows_called(name)?),
        None => None,
    };
    let (mut rows, mut report) = open_rows(source, kind, currency, random, std::iter::empty());
    let mut all = Vec::new();
    loop {
        let mut records = next_records(&mut rows, &mut report);
        if records.is_empty() {
            return Ok((all, report));
        }
        let kind = rows.kind();
        let is_row = |record: &&Record| kind.is_some_and(|kind| kind.is(record));
        report.imported += records.iter().filter(is_row).count() as u64;
        if kind == Some(ImportKind::Items) {
            records.retain(|record| !matches!(record, Record::Department(_)));
        }
        all.append(&mut records);
    }
}

fn rows_called(name: &str) -> Result<ImportKind, ImportError> {
    let mut kinds = ImportKind::ALL.into_iter();
    let kind = kinds.find(|kind| kind.name() == name);
    kind.ok_or_else(|| ImportError::UnknownKind(name.to_owned()))
}
