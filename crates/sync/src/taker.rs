//! Takes what head office publishes into the store while this lane leads.
//!
//! Invariants:
//! - what is asked for comes right behind what the store has taken, as its own state says it; nothing
//!   that head office or an earlier leader said is taken on trust;
//! - one thing is under way at a time: a question, a publication before the store, or a pause;
//! - what head office publishes holds up nothing that is sold: shipping is another task.
//!
//! It does not decide what the store makes of a publication, and keeps nothing on disk.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use ledger::StoreId;
use providers::{SharedClock, SharedRandom, timeout};
use tokio::sync::watch;
use wire::HqPublication;

use crate::shipper::backoff;
use crate::{CommittedError, HqError, HqLink, ShipStatus};

/// How often head office is asked while it says of itself nothing new: with each batch that it
/// acknowledges it says how far it has come, so that this matters where nothing is sold.
const ASK_EVERY: Duration = Duration::from_secs(20);

/// How often a head office is asked that publishes nothing: it may have been upgraded.
const ASK_OLD_OFFICE_EVERY: Duration = Duration::from_secs(10 * 60);

/// How long a question, or bringing a publication before the store, may take.
const ATTEMPT_MAX: Duration = Duration::from_secs(12);

/// What the taker needs of the store as this lane has applied it.
#[async_trait]
pub trait Published: Send + Sync + 'static {
    /// The store, and the number of the publication that it took last. `None` while this lane knows of
    /// no store, and while a lane of it has a release that takes none.
    fn taken(&self) -> Result<Option<(StoreId, u64)>, CommittedError>;
    /// Proposes what comes behind number `after` and waits until that is applied here. A publication
    /// that the store refuses is an error.
    async fn take(&self, after: u64, publication: HqPublication) -> Result<(), CommittedError>;
}

/// What a taker is made of.
pub struct TakerParts {
    pub published: Arc<dyn Published>,
    pub link: Arc<dyn HqLink>,
    pub clock: SharedClock,
    pub random: SharedRandom,
    /// Whether this lane leads. When the sender is gone the taker ends.
    pub is_leader: watch::Receiver<bool>,
    /// What head office says with each batch. When the sender is gone the taker ends.
    pub shipping: watch::Receiver<ShipStatus>,
}

/// The task that takes. Runs on every lane, works on the leader.
pub struct Taker {
    published: Arc<dyn Published>,
    link: Arc<dyn HqLink>,
    clock: SharedClock,
    random: SharedRandom,
    is_leader: watch::Receiver<bool>,
    shipping: watch::Receiver<ShipStatus>,
    /// What is under way; `None` while another lane leads.
    work: Option<BoxFuture<'static, Event>>,
    leading: bool,
    /// Whether what is under way is a pause that news may end.
    calm: bool,
    /// The last number that head office said it had and that was asked for.
    heard: u64,
    /// Attempts that failed since the last progress.
    failures: u32,
}

enum Event {
    Leading(bool),
    Told,
    Answered {
        after: u64,
        answer: Result<Option<HqPublication>, HqError>,
    },
    Taken {
        number: u64,
        answer: Result<(), CommittedError>,
    },
    Rested,
    Ended,
}

impl Taker {
    pub fn new(parts: TakerParts) -> Taker {
        Taker {
            published: parts.published,
            link: parts.link,
            clock: parts.clock,
            random: parts.random,
            is_leader: parts.is_leader,
            shipping: parts.shipping,
            work: None,
            leading: false,
            calm: false,
            heard: 0,
            failures: 0,
        }
    }

    /// Takes until the senders of `is_leader` or `shipping` are gone.
    pub async fn run(mut self) {
        let leading = *self.is_leader.borrow_and_update();
        self.apply(Event::Leading(leading));
        loop {
            match self.select().await {
                Event::Ended => return,
                event => self.apply(event),
            }
        }
    }

    async fn select(&mut self) -> Event {
        let Taker {
            is_leader,
            shipping,
            work,
            ..
        } = self;
        let work = async {
            match work {
                Some(work) => work.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            changed = is_leader.changed() => match changed {
                Ok(()) => Event::Leading(*is_leader.borrow_and_update()),
                Err(_) => Event::Ended,
            },
            event = work => event,
            changed = shipping.changed() => match changed {
                Ok(()) => Event::Told,
                Err(_) => Event::Ended,
            },
        }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Leading(leading) => self.lead(leading),
            Event::Told => self.told(),
            Event::Answered { after, answer } => {
                self.work = None;
                self.answered(after, answer);
            }
            Event::Taken { number, answer } => {
                self.work = None;
                match answer {
                    Ok(()) => {
                        tracing::info!("publication {number} of head office is in force");
                        self.failures = 0;
                        self.ask();
                    }
                    Err(error) => self.failed(&error.to_string()),
                }
            }
            Event::Rested => {
                self.work = None;
                self.ask();
            }
            Event::Ended => unreachable!("run ends on it"),
        }
        assert!(
            self.leading == self.work.is_some(),
            "a leader always has something under way, and nobody else has"
        );
    }

    fn lead(&mut self, leading: bool) {
        if leading == self.leading {
            return;
        }
        // What an earlier term had under way is dropped: its answer says nothing about now.
        self.work = None;
        self.leading = leading;
        self.failures = 0;
        self.heard = 0;
        if leading {
            self.ask();
        }
    }

    /// Head office said how far it has come. Only what is new ends a pause, and none after a failure.
    fn told(&mut self) {
        let published = self.shipping.borrow_and_update().published;
        if self.leading && self.calm && published > self.heard {
            self.work = None;
            self.ask();
        }
    }

    /// Asks for what comes behind what the store has taken.
    fn ask(&mut self) {
        self.heard = self.heard.max(self.shipping.borrow().published);
        let (store, after) = match self.published.taken() {
            Ok(Some(taken)) => taken,
            Ok(None) => return self.rest(ASK_EVERY),
            Err(error) => return self.failed(&error.to_string()),
        };
        let (link, clock) = (self.link.clone(), self.clock.clone());
        self.begin(async move {
            let asked = link.published(store, after);
            let answer = timeout(clock.as_ref(), ATTEMPT_MAX, asked).await;
            let late = || HqError::Unreachable(format!("no answer within {ATTEMPT_MAX:?}"));
            let answer = answer.unwrap_or_else(|| Err(late()));
            Event::Answered { after, answer }
        });
    }

    fn answered(&mut self, after: u64, answer: Result<Option<HqPublication>, HqError>) {
        match answer {
            Ok(Some(publication)) if publication.number > after => self.take(after, publication),
            Ok(Some(publication)) => {
                let number = publication.number;
                self.failed(&format!(
                    "head office sent {number} for what follows {after}"
                ));
            }
            Ok(None) => {
                self.failures = 0;
                // What head office said while it was asked may be newer than its answer.
                let is_newer = self.shipping.borrow().published > self.heard;
                match is_newer {
                    true => self.ask(),
                    false => self.rest(ASK_EVERY),
                }
            }
            Err(HqError::PublishesNothing) => {
                self.failures = 0;
                self.rest(ASK_OLD_OFFICE_EVERY);
            }
            Err(error) => self.failed(&error.to_string()),
        }
    }

    fn take(&mut self, after: u64, publication: HqPublication) {
        let (published, clock) = (self.published.clone(), self.clock.clone());
        let number = publication.number;
        self.begin(async move {
            let taken = published.take(after, publication);
            let answer = timeout(clock.as_ref(), ATTEMPT_MAX, taken).await;
            let late = || CommittedError(format!("no answer of the store within {ATTEMPT_MAX:?}"));
            let answer = answer.unwrap_or_else(|| Err(late()));
            Event::Taken { number, answer }
        });
    }

    /// Tries again after a pause. The shipper tells the cashier where head office cannot be reached.
    fn failed(&mut self, problem: &str) {
        match self.failures {
            0 => tracing::warn!("what head office publishes was not taken: {problem}"),
            _ => tracing::debug!("what head office publishes was not taken: {problem}"),
        }
        self.failures = self.failures.saturating_add(1);
        let pause = backoff(self.failures, self.random.u64()).min(ASK_EVERY);
        self.rest(pause);
        self.calm = false;
    }

    fn rest(&mut self, pause: Duration) {
        let rested = self.clock.sleep(pause);
        self.begin(async move {
            rested.await;
            Event::Rested
        });
        self.calm = true;
    }

    fn begin(&mut self, work: impl Future<Output = Event> + Send + 'static) {
        assert!(self.work.is_none(), "one thing is under way at a time");
        self.calm = false;
        self.work = Some(Box::pin(work));
    }
}
