//! The baskets that are still to be rung up, shared by all robots.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::basket::Basket;
use super::generate::Shoppers;
use super::progress::Progress;

/// Where baskets come from.
pub enum Source {
    /// Each of these once.
    Given(Vec<Basket>),
    /// One shopper after the other, without end.
    MadeUp(Shoppers),
}

/// A basket for one robot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub basket: Basket,
    /// From 1.
    pub attempt: u32,
    /// Some of it may have been rung up by an earlier robot.
    pub begun: bool,
}

/// The work that robots share. Every basket is handed out once.
pub struct Work {
    state: Mutex<State>,
}

struct State {
    source: Baskets,
    progress: Progress,
}

enum Baskets {
    Given {
        baskets: BTreeMap<String, Basket>,
        /// Ids in the order of the file, the next one last.
        waiting: Vec<String>,
    },
    MadeUp {
        shoppers: Shoppers,
        next: u64,
    },
}

impl Work {
    /// The work that is left of a source.
    pub fn new(source: Source, progress: Progress) -> Work {
        let source = match source {
            Source::Given(given) => {
                let untouched = given.iter().filter(|b| !progress.is_taken(&b.id)).rev();
                Baskets::Given {
                    waiting: untouched.map(|basket| basket.id.clone()).collect(),
                    baskets: given.into_iter().map(|b| (b.id.clone(), b)).collect(),
                }
            }
            Source::MadeUp(shoppers) => {
                let last = progress.taken().filter_map(Shoppers::number).max();
                let next = last.unwrap_or(0) + 1;
                Baskets::MadeUp { shoppers, next }
            }
        };
        Work {
            state: Mutex::new(State { source, progress }),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The next basket for the robot on a lane: what an earlier robot began there, or an untouched
    /// one. `None` when all are handed out. Noted on disk before it is answered.
    pub fn take(&self, lane: &str) -> std::io::Result<Option<Job>> {
        self.with(|state| {
            if let Some(job) = state.begun(lane) {
                return Ok(Some(job));
            }
            let Some(basket) = state.untouched() else {
                return Ok(None);
            };
            state.progress.note_taken(&basket.id, lane, 1)?;
            Ok(Some(Job {
                basket,
                attempt: 1,
                begun: false,
            }))
        })
    }

    /// Notes that a basket is begun anew on its lane.
    pub fn begin_again(&self, lane: &str, basket: &str, attempt: u32) -> std::io::Result<()> {
        self.with(|state| state.progress.note_taken(basket, lane, attempt))
    }

    pub fn done(&self, basket: &str) -> std::io::Result<()> {
        self.with(|state| state.progress.note_done(basket))
    }

    /// Baskets that are not finished; `None` where there is no end of them.
    pub fn left(&self) -> Option<usize> {
        self.with(|state| match &state.source {
            Baskets::Given { baskets, .. } => {
                Some(baskets.len().saturating_sub(state.progress.done()))
            }
            Baskets::MadeUp { .. } => None,
        })
    }

    /// Lanes on which a robot has a basket under way, or had one when it was stopped.
    pub fn pending_lanes(&self) -> Vec<String> {
        self.with(|state| state.progress.pending_lanes().map(str::to_owned).collect())
    }
}

impl State {
    fn begun(&self, lane: &str) -> Option<Job> {
        let pending = self.progress.pending(lane)?;
        let basket = match &self.source {
            Baskets::Given { baskets, .. } => baskets.get(&pending.basket)?.clone(),
            Baskets::MadeUp { shoppers, .. } => shoppers.basket(Shoppers::number(&pending.basket)?),
        };
        Some(Job {
            basket,
            attempt: pending.attempt,
            begun: true,
        })
    }

    fn untouched(&mut self) -> Option<Basket> {
        match &mut self.source {
            Baskets::Given { baskets, waiting } => baskets.get(&waiting.pop()?).cloned(),
            Baskets::MadeUp { shoppers, next } => {
                let basket = shoppers.basket(*next);
                *next += 1;
                Some(basket)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use std::path::Path;

    fn basket(id: &str) -> Basket {
        Basket {
            id: id.to_owned(),
            customer: None,
            lines: Vec::new(),
            habit: Default::default(),
        }
    }

    fn given(path: &Path) -> Work {
        let baskets = ["a", "b", "c"].map(basket).to_vec();
        Work::new(Source::Given(baskets), Progress::open(path).unwrap())
    }

    fn take(work: &Work, lane: &str) -> Option<(String, bool)> {
        let job = work.take(lane).unwrap();
        job.map(|job| (job.basket.id, job.begun))
    }

    #[test]
    fn every_basket_is_handed_out_once_and_what_was_begun_stays_on_its_lane() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.jsonl");
        let first = given(&path);
        assert_eq!(first.left(), Some(3));
        assert_eq!(take(&first, "lane-1"), Some(("a".to_owned(), false)));
        assert_eq!(take(&first, "lane-2"), Some(("b".to_owned(), false)));
        first.done("a").unwrap();
        drop(first);

        let second = given(&path);
        assert_eq!(second.left(), Some(2));
        assert_eq!(second.pending_lanes(), ["lane-2"]);
        assert_eq!(take(&second, "lane-1"), Some(("c".to_owned(), false)));
        assert_eq!(take(&second, "lane-2"), Some(("b".to_owned(), true)));
        second.begin_again("lane-2", "b", 2).unwrap();
        second.done("c").unwrap();
        second.done("b").unwrap();
        assert_eq!(take(&second, "lane-1"), None);
        assert_eq!(second.left(), Some(0));
    }

    #[test]
    fn made_up_baskets_go_on_from_the_last_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.jsonl");
        let items = sample::items(sample::text_of("items").as_bytes());
        let shoppers = Shoppers::new(items, Vec::new(), 1).unwrap();
        let open = || {
            let progress = Progress::open(&path).unwrap();
            Work::new(Source::MadeUp(shoppers.clone()), progress)
        };
        let first = open();
        let (id, _) = take(&first, "lane-1").unwrap();
        first.done(&id).unwrap();
        let (begun, _) = take(&first, "lane-1").unwrap();
        assert_eq!(
            (id.as_str(), begun.as_str()),
            ("robot-000001", "robot-000002")
        );
        drop(first);

        let second = open();
        assert_eq!(take(&second, "lane-1"), Some((begun, true)));
        assert_eq!(
            take(&second, "lane-2"),
            Some(("robot-000003".to_owned(), false))
        );
    }
}
