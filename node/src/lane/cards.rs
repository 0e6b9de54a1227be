//! The way from the register to its card terminal and back.
//!
//! The register writes down what the terminal is asked before it hears it. Here what is written down
//! is asked, in the order of its numbers and off the register's way, and the answer goes back to be
//! written down. What may have been asked before, by a process that ended or with an answer that was
//! lost, is never asked for again: the terminal is asked what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use providers::SharedClock;
use sale::{CardAnswer, CardAsk, CardOpen, Cards};

use super::register::RegisterHandle;

/// Until the terminal is asked again about the question that the open sale waits for.
const OPEN_AGAIN_AFTER: Duration = Duration::from_secs(3);
/// Until it is asked again about one that was left to a person.
const LEFT_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// Between two looks at whether one of them is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Whether a terminal may have heard a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Never,
    Perhaps,
}

/// A lane's card terminal.
pub trait CardTerminal: Send + Sync {
    /// As journals name it.
    fn name(&self) -> &str;
    /// Has it do what is asked; where it may have heard the question, only says what became of it.
    fn ask(&self, ask: &CardAsk, heard: Heard) -> BoxFuture<'static, CardAnswer>;
    /// Has it give a question up, where it still can. Returns at once: what became of the question is
    /// the question's own answer.
    fn give_up(&self, number: u64);
}

/// Asks the terminal what the register wrote down.
pub struct CardDesk {
    terminal: Arc<dyn CardTerminal>,
    register: RegisterHandle,
    clock: SharedClock,
    /// Each question that the terminal may have heard, and when it is asked about it again.
    heard: BTreeMap<u64, Duration>,
    /// The last question that it was asked to give up.
    given_up: u64,
}

impl CardDesk {
    /// Whatever is written down already may have been heard.
    pub fn new(
        terminal: Arc<dyn CardTerminal>,
        register: RegisterHandle,
        clock: SharedClock,
    ) -> CardDesk {
        let state = register.state.borrow().clone();
        let cards = &state.register.cards;
        let pending = cards.open.as_deref().into_iter().chain(cards.left.values());
        let heard = pending.map(|open| (open.ask.number, Duration::ZERO));
        CardDesk {
            terminal,
            clock,
            heard: heard.collect(),
            given_up: 0,
            register,
        }
    }

    /// Select: waits for questions and answers. Apply: [`CardDesk::look`] and [`CardDesk::answered`].
    pub async fn run(mut self) {
        let mut state = self.register.state.clone();
        let mut under_way: Option<BoxFuture<'static, (u64, CardAnswer)>> = None;
        loop {
            let cards = state.borrow_and_update().register.cards.clone();
            if let Some(ask) = self.look(&cards, under_way.is_some()) {
                let heard = match self.heard.contains_key(&ask.number) {
                    true => Heard::Perhaps,
                    false => Heard::Never,
                };
                let answer = self.terminal.ask(&ask, heard);
                self.heard.insert(ask.number, Duration::MAX);
                under_way = Some(Box::pin(async move { (ask.number, answer.await) }));
            }
            let is_waiting = cards.open.is_some() || !cards.left.is_empty();
            let answered = async {
                match &mut under_way {
                    Some(answer) => answer.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = state.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                (number, answer) = answered => {
                    under_way = None;
                    self.answered(number, answer, &cards).await;
                }
                () = self.clock.sleep(LOOK_EVERY), if is_waiting => {}
            }
        }
    }

    /// What the terminal is asked next.
    fn look(&mut self, cards: &Cards, is_busy: bool) -> Option<CardAsk> {
        self.heard
            .retain(|number, _| cards.pending(*number).is_some());
        let open = cards.open.as_deref();
        if let Some(open) = open.filter(|open| open.cancelled && open.ask.number != self.given_up) {
            self.given_up = open.ask.number;
            self.terminal.give_up(open.ask.number);
        }
        if is_busy {
            return None;
        }
        let now = self.clock.monotonic();
        let is_due = |open: &&CardOpen| {
            let again = self.heard.get(&open.ask.number);
            again.is_none_or(|again| *again <= now)
        };
        // A customer waits for the open one.
        match open {
            Some(open) => Some(open).filter(is_due),
            None => cards.left.values().find(is_due),
        }
        .map(|open| open.ask.clone())
    }

    async fn answered(&mut self, number: u64, answer: CardAnswer, cards: &Cards) {
        let is_open = cards.open.as_ref().is_some_and(|o| o.ask.number == number);
        let pause = match is_open {
            true => OPEN_AGAIN_AFTER,
            false => LEFT_AGAIN_AFTER,
        };
        self.heard.insert(number, self.clock.monotonic() + pause);
        // An answer that could not be made durable is asked for again.
        if let Err(problem) = self.register.card_answered(number, answer).await {
            tracing::warn!(number, ?problem, "the card terminal's answer was not taken");
        }
    }
}
