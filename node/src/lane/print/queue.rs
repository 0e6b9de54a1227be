//! The papers that wait for a printer, in a file.

use devices::Document;
use ledger::Seq;
use providers::SharedDisk;
use serde::{Deserialize, Serialize};

use super::CameOut;

const QUEUE_FILE: &str = "papers.json";
/// 1 knew neither pictures nor QR codes.
const QUEUE_FORMAT: u32 = 2;
/// The most papers that wait.
pub const PAPERS_MAX: usize = 200;

/// What a paper is called, such as `Receipt 1-000042`.
pub type Title = String;

/// [`PAPERS_MAX`] papers wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFull;

/// A paper that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// From 1, in the order in which they were asked for; never used again.
    pub number: u64,
    pub title: Title,
    /// By the lane's wall clock, in milliseconds since 1970.
    pub made_at_ms: u64,
    /// A printer may have taken some of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
    /// What is printed.
    document: Document,
    /// Where it may have come out before, it is marked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reprint: bool,
}

/// What is kept over a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    format: u32,
    /// The number of the last paper.
    last: u64,
    /// The last entry of the lane's journal whose paper was made; none while there is no printer.
    through: Option<Seq>,
    papers: Vec<Paper>,
}

pub struct Queue {
    disk: SharedDisk,
    kept: Kept,
}

impl Queue {
    /// Reads what was kept. `printing_from` is the end of the journal where there is a printer: what is
    /// behind the place of an earlier one is printed as well.
    pub fn open(disk: SharedDisk, printing_from: Option<Seq>) -> Queue {
        let nothing = Kept {
            format: QUEUE_FORMAT,
            last: 0,
            through: None,
            papers: Vec::new(),
        };
        let mut kept = read(&disk).unwrap_or(nothing);
        kept.format = QUEUE_FORMAT;
        for paper in &mut kept.papers {
            paper.reprint |= std::mem::take(&mut paper.begun);
        }
        let before = kept.through;
        // A place that the journal never reached is that of another journal.
        let reached = before.filter(|through| printing_from.is_some_and(|end| *through <= end));
        kept.through = reached.or(printing_from);
        let queue = Queue { disk, kept };
        if before != queue.kept.through {
            queue.write();
        }
        queue
    }

    pub fn through(&self) -> Option<Seq> {
        self.kept.through
    }

    /// Notes that what this entry leads to is in the queue; written with the next paper.
    pub fn looked_at(&mut self, seq: Seq) {
        self.kept.through = self.kept.through.map(|through| through.max(seq));
    }

    pub fn is_empty(&self) -> bool {
        self.kept.papers.is_empty()
    }

    pub fn waiting(&self) -> Vec<Paper> {
        self.kept.papers.clone()
    }

    /// Keeps all of some papers or none; answers with the number of the last one.
    pub fn push(&mut self, papers: Vec<(Title, Document)>, now_ms: u64) -> Result<u64, QueueFull> {
        if self.kept.papers.len() + papers.len() > PAPERS_MAX {
            return Err(QueueFull);
        }
        for (title, document) in papers {
            self.kept.last += 1;
            self.kept.papers.push(Paper {
                number: self.kept.last,
                title,
                made_at_ms: now_ms,
                begun: false,
                document,
                reprint: false,
            });
        }
        self.write();
        Ok(self.kept.last)
    }

    /// The oldest paper, which a printer takes now.
    pub fn begin(&mut self) -> Option<(u64, Document)> {
        let paper = self.kept.papers.first_mut()?;
        let is_new = !std::mem::replace(&mut paper.begun, true);
        let document = match paper.reprint {
            true => paper.document.as_reprint(),
            false => paper.document.clone(),
        };
        let number = paper.number;
        if is_new {
            self.write();
        }
        Some((number, document))
    }

    pub fn not_printed(&mut self, number: u64, came_out: CameOut) {
        let papers = &mut self.kept.papers;
        let Some(paper) = papers.iter_mut().find(|paper| paper.number == number) else {
            return;
        };
        let before = paper.clone();
        paper.begun = came_out == CameOut::Part;
        paper.reprint |= came_out == CameOut::Unknown;
        if *paper != before {
            self.write();
        }
    }

    /// Takes a paper out; whether it was there.
    pub fn remove(&mut self, number: u64) -> bool {
        let before = self.kept.papers.len();
        self.kept.papers.retain(|paper| paper.number != number);
        let was_there = self.kept.papers.len() < before;
        if was_there {
            self.write();
        }
        was_there
    }

    /// Papers are no money: a disk that does not take them stops nothing.
    pub fn write(&self) {
        let bytes = serde_json::to_vec(&self.kept).expect("plain data always encodes");
        if let Err(error) = self.disk.write(QUEUE_FILE, &bytes) {
            tracing::warn!(%error, "the papers that wait would be lost by a restart");
        }
    }
}

/// A file that cannot be read, or that a later release wrote, is moved aside.
fn read(disk: &SharedDisk) -> Option<Kept> {
    let bytes = match disk.read(QUEUE_FILE) {
        Ok(bytes) => bytes?,
        Err(error) => {
            tracing::warn!(%error, "the papers that waited cannot be read");
            return None;
        }
    };
    match serde_json::from_slice::<Kept>(&bytes) {
        Ok(kept) if kept.format <= QUEUE_FORMAT => Some(kept),
        other => {
            let reason = other.err().map(|error| error.to_string());
            let aside = disk.set_aside(QUEUE_FILE);
            tracing::warn!(?reason, ?aside, "the papers that waited cannot be read");
            None
        }
    }
}
