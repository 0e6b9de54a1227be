//! What robots have taken and finished, on disk, so that robots started later go on from there.
//!
//! One JSON object a line, appended and never changed. A line that was cut off when its writer was
//! killed is left out; what it said is found out again from the lane.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// What the store had sold before the first of these baskets, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    pub lanes_gross: i64,
    pub hq_gross: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Begin(Begin),
    Taken {
        basket: String,
        lane: String,
        attempt: u32,
    },
    Done {
        basket: String,
    },
}

/// A basket that a robot has taken and not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub basket: String,
    /// Ringing it up is begun for the so-manieth time, from 1.
    pub attempt: u32,
}

/// The file and what it says.
#[derive(Debug)]
pub struct Progress {
    file: File,
    begin: Option<Begin>,
    /// By the lane's folder name: a robot has one basket at a time.
    pending: BTreeMap<String, Pending>,
    taken: BTreeSet<String>,
    done: usize,
}

impl Progress {
    /// Opens the file, made where there is none.
    pub fn open(path: &Path) -> std::io::Result<Progress> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let mut progress = Progress {
            file,
            begin: None,
            pending: BTreeMap::new(),
            taken: BTreeSet::new(),
            done: 0,
        };
        for line in text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
        {
            progress.fold(line);
        }
        if !text.is_empty() && !text.ends_with('\n') {
            progress.file.write_all(b"\n")?;
        }
        Ok(progress)
    }

    fn fold(&mut self, line: Line) {
        match line {
            Line::Begin(begin) => self.begin = Some(begin),
            Line::Taken {
                basket,
                lane,
                attempt,
            } => {
                self.taken.insert(basket.clone());
                self.pending.insert(lane, Pending { basket, attempt });
            }
            Line::Done { basket } => {
                self.pending.retain(|_, pending| pending.basket != basket);
                self.done += 1;
            }
        }
    }

    fn write(&mut self, line: Line) -> std::io::Result<()> {
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())?;
        self.fold(line);
        Ok(())
    }

    pub fn begin(&self) -> Option<Begin> {
        self.begin
    }

    pub fn note_begin(&mut self, begin: Begin) -> std::io::Result<()> {
        self.write(Line::Begin(begin))
    }

    /// What the robot on this lane was at when it was stopped.
    pub fn pending(&self, lane: &str) -> Option<&Pending> {
        self.pending.get(lane)
    }

    /// Lanes with a basket under way.
    pub fn pending_lanes(&self) -> impl Iterator<Item = &str> {
        self.pending.keys().map(String::as_str)
    }

    pub fn is_taken(&self, basket: &str) -> bool {
        self.taken.contains(basket)
    }

    /// Every basket that was ever taken.
    pub fn taken(&self) -> impl Iterator<Item = &str> {
        self.taken.iter().map(String::as_str)
    }

    pub fn done(&self) -> usize {
        self.done
    }

    /// To be called before the first command of an attempt.
    pub fn note_taken(&mut self, basket: &str, lane: &str, attempt: u32) -> std::io::Result<()> {
        self.write(Line::Taken {
            basket: basket.to_owned(),
            lane: lane.to_owned(),
            attempt,
        })
    }

    pub fn note_done(&mut self, basket: &str) -> std::io::Result<()> {
        self.write(Line::Done {
            basket: basket.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("robots/a.jsonl");
        let mut first = Progress::open(&path).unwrap();
        assert_eq!(first.begin(), None);
        let begin = Begin {
            lanes_gross: 12,
            hq_gross: 7,
        };
        first.note_begin(begin).unwrap();
        first.note_taken("b1", "lane-1", 1).unwrap();
        first.note_taken("b2", "lane-2", 1).unwrap();
        first.note_done("b1").unwrap();
        first.note_taken("b3", "lane-1", 1).unwrap();
        first.note_taken("b3", "lane-1", 2).unwrap();
        drop(first);

        let again = Progress::open(&path).unwrap();
        assert_eq!(again.begin(), Some(begin));
        assert_eq!(again.done(), 1);
        assert_eq!(again.taken().collect::<Vec<_>>(), ["b1", "b2", "b3"]);
        let pending = |lane: &str| again.pending(lane).map(|p| (p.basket.as_str(), p.attempt));
        assert_eq!(pending("lane-1"), Some(("b3", 2)));
        assert_eq!(pending("lane-2"), Some(("b2", 1)));
        assert_eq!(pending("lane-3"), None);
    }

    #[test]
    fn a_line_cut_off_is_left_out_and_the_next_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        let mut progress = Progress::open(&path).unwrap();
        progress.note_taken("b1", "lane-1", 1).unwrap();
        drop(progress);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"done\":{\"bas");
        std::fs::write(&path, text).unwrap();

        let mut progress = Progress::open(&path).unwrap();
        assert_eq!(progress.done(), 0);
        progress.note_done("b1").unwrap();
        drop(progress);
        assert_eq!(Progress::open(&path).unwrap().done(), 1);
    }
}
