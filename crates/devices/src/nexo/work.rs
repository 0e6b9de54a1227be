//! What a lane asks of its terminal, in the terms of the sale.

use money::Money;
use sale::{CardAnswer, CardApproval, CardAsk, CardTransaction, CardWork};

use super::terminal::{PaymentNumber, Terminal, TerminalError};

/// Under which a lane introduces itself; its questions count from 1.
const INTRODUCTION: u64 = 0;

impl Terminal {
    /// Has the terminal do what it was never asked before. The question must be durable before this
    /// is called; `time` is ISO 8601.
    pub fn carry_out(&self, ask: &CardAsk, time: &str, release: &str) -> CardAnswer {
        if let Err(error) = self.login(&PaymentNumber::new(INTRODUCTION), time, release) {
            let reason = error.to_string();
            return match ask.work {
                // No sale waits for it, and it is still to be done.
                CardWork::Reverse { tender: None, .. } => CardAnswer::Doubtful { reason },
                // It was not asked for, so it was not done.
                _ => CardAnswer::Declined { reason },
            };
        }
        let number = PaymentNumber::new(ask.number);
        match &ask.work {
            CardWork::Pay { amount, tip } => {
                let tip = tip.unwrap_or(Money::zero(amount.currency()));
                self.pay(&number, *amount + tip, time).into()
            }
            CardWork::Refund { amount, .. } => self.refund(&number, *amount, time).into(),
            CardWork::Reverse {
                amount, original, ..
            } => self.take_back(&number, *amount, original),
        }
    }

    /// What became of a question that the terminal may have heard. A charge is taken back again: that
    /// is the same as once.
    pub fn what_became_of(&self, ask: &CardAsk) -> CardAnswer {
        let number = PaymentNumber::new(ask.number);
        match &ask.work {
            CardWork::Pay { amount, .. } | CardWork::Refund { amount, .. } => {
                self.resolve(&number, amount.currency()).into()
            }
            CardWork::Reverse {
                amount, original, ..
            } => self.take_back(&number, *amount, original),
        }
    }

    /// Asks the terminal to give a question up.
    pub fn give_up(&self, number: u64) -> Result<(), TerminalError> {
        self.abort(&PaymentNumber::new(number))
    }

    fn take_back(
        &self,
        number: &PaymentNumber,
        amount: Money,
        original: &CardTransaction,
    ) -> CardAnswer {
        match self.reverse(number, original) {
            Ok(()) => CardAnswer::Approved {
                approval: Box::new(CardApproval {
                    amount,
                    tip: None,
                    transaction: original.clone(),
                    brand: None,
                    last_four: None,
                    token: None,
                    approval_code: None,
                    offline: false,
                }),
            },
            Err(TerminalError::Refused(reason)) => CardAnswer::Declined { reason },
            Err(error) => CardAnswer::Doubtful {
                reason: error.to_string(),
            },
        }
    }
}
