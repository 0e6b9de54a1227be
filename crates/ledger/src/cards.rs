//! The rules about card payments: of which nobody knows what became of them, and what did in the end.
//!
//! The books count only what is on receipts, so what a card was charged or given besides goes to a
//! person.

use sale::{CardAnswer, CardAsk, CardWork, Event};

use crate::apply::Rules;
use crate::{Entry, ExceptionKind, TableError};

impl Rules<'_, '_> {
    pub(crate) fn card(&mut self, entry: &Entry, event: &Event) -> Result<(), TableError> {
        match event {
            Event::CardLeft {
                ask,
                doubt,
                reason,
                by,
                ..
            } => {
                let message = format!(
                    "Nobody could say whether {} ({doubt}). Employee {by} went on without it: \
                     {reason}. Look question {} of lane {} up at the card terminal {}.",
                    asked(ask),
                    ask.number,
                    entry.lane.short(),
                    ask.terminal
                );
                self.exception(ExceptionKind::CardInDoubt, Some(entry), message)
            }
            Event::CardAnswered {
                ask,
                answer,
                late: true,
                ..
            } => {
                let Some(found) = found(ask, answer) else {
                    return Ok(());
                };
                let message = format!(
                    "Question {} of lane {} to the card terminal {} had been left open. {found}",
                    ask.number,
                    entry.lane.short(),
                    ask.terminal
                );
                self.exception(ExceptionKind::CardFound, Some(entry), message)
            }
            _ => Ok(()),
        }
    }
}

/// What a question asks for, as done.
fn asked(ask: &CardAsk) -> String {
    match &ask.work {
        CardWork::Pay { amount, tip: None } => format!("a card was charged {amount}"),
        CardWork::Pay {
            amount,
            tip: Some(tip),
        } => format!("a card was charged {amount} and a tip of {tip}"),
        CardWork::Refund { amount, of, .. } => {
            format!("{amount} went back to the card of receipt {}", of.receipt)
        }
        CardWork::Reverse { amount, .. } => format!("a charge of {amount} was taken back"),
    }
}

/// What became of it, and what is left to do.
fn found(ask: &CardAsk, answer: &CardAnswer) -> Option<String> {
    let done = asked(ask);
    Some(match (&ask.work, answer) {
        (_, CardAnswer::Doubtful { .. }) => return None,
        (CardWork::Pay { .. }, CardAnswer::Approved { .. }) => format!(
            "It came to light that {done}. No sale counts it, and the terminal is asked to take it \
             back."
        ),
        (CardWork::Refund { .. }, CardAnswer::Approved { .. }) => format!(
            "It came to light that {done}. No receipt counts it: check whether the customer was \
             given it another way, too."
        ),
        (CardWork::Reverse { .. }, CardAnswer::Approved { .. }) => {
            format!("Now {done}. Nothing is left to do.")
        }
        (CardWork::Reverse { amount, .. }, CardAnswer::Declined { reason }) => format!(
            "The terminal does not take the charge of {amount} back ({reason}). Give the customer \
             the money, or have the acquirer do it."
        ),
        (CardWork::Pay { .. } | CardWork::Refund { .. }, CardAnswer::Declined { reason }) => {
            format!("The terminal says no ({reason}) to whether {done}. Nothing is left to do.")
        }
    })
}
