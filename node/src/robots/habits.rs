//! What robots' shoppers do besides putting goods down and paying with cash.
//!
//! Whatever of it the lane refuses is left out, such as bringing back what is not taken back.

use api::Done;
use money::Money;
use sale::{CartId, Command, Event, PayWith, Receipt};

use super::basket::{Basket, Habit};
use super::cashier::{AtLane, Broken, receipt_of};
use super::patience::Trouble;

/// What a voucher is worth, in major units.
const VOUCHER: i64 = 5;
const BROUGHT_BACK: &str = "not as expected";

impl AtLane<'_> {
    /// What happens once everything is rung up.
    pub(super) async fn before_paying(
        &mut self,
        basket: &Basket,
        attempt: u32,
        cart: CartId,
        lines: &[u32],
    ) -> Result<(), Broken> {
        match (basket.habit, lines) {
            (Habit::ChangesMind, [_, .., last]) => {
                let void = Command::VoidLine { line: *last };
                self.tried(basket, attempt, "mind", void).await?;
            }
            (Habit::SetsAside, [_, ..]) => self.set_aside(basket, attempt).await?,
            (Habit::PaysInParts, _) => self.pay_a_part(basket, attempt, cart).await?,
            _ => {}
        }
        Ok(())
    }

    /// Forgot something, and lets the next one go first.
    async fn set_aside(&mut self, basket: &Basket, attempt: u32) -> Result<(), Broken> {
        let aside = self.tried(basket, attempt, "aside", Command::Suspend);
        let done = aside.await?;
        let slip = done.into_iter().flat_map(|done| done.events);
        let slip = slip.into_iter().find_map(|event| match event {
            Event::Suspended { slip, .. } => Some(slip),
            _ => None,
        });
        let Some(slip) = slip else {
            return Ok(());
        };
        let resume = Command::Resume { slip };
        let resumed = self.tried(basket, attempt, "again", resume).await?;
        resumed.map(|_| ()).ok_or(Broken::CartGone)
    }

    /// Has a voucher, where the sale costs more than that.
    async fn pay_a_part(
        &mut self,
        basket: &Basket,
        attempt: u32,
        cart: CartId,
    ) -> Result<(), Broken> {
        let Some(due) = self.due(cart).await? else {
            return Ok(());
        };
        let currency = due.currency();
        let voucher = Money::from_minor(VOUCHER * 10_i64.pow(currency.minor_digits()), currency);
        if due <= voucher {
            return Ok(());
        }
        let pay = Command::Tender {
            with: PayWith::Voucher {
                number: format!("V-{}", basket.id),
            },
            amount: Some(voucher.to_string()),
        };
        self.tried(basket, attempt, "voucher", pay).await?;
        Ok(())
    }

    /// Brings the first thing back; gives what the second receipt comes to.
    pub(super) async fn after_paying(
        &mut self,
        basket: &Basket,
        attempt: u32,
        receipt: &Receipt,
    ) -> Result<Option<Money>, Broken> {
        let line = receipt.lines.iter().find(|line| !line.voided);
        let Some(line) = line.filter(|_| basket.habit == Habit::BringsBack) else {
            return Ok(None);
        };
        // Under a reference, so that a robot which comes later voids what this one left open.
        let open = Command::OpenCart {
            reference: Some(format!("{}-back", basket.id)),
        };
        let back = Command::Return {
            receipt: receipt.id.clone(),
            line: line.number,
            quantity: None,
            reason: BROUGHT_BACK.to_owned(),
            restock: true,
            serial: None,
        };
        let refund = Command::TenderCash { amount: None };
        let mut done = None;
        for (step, command) in [("back-open", open), ("back", back), ("refund", refund)] {
            done = self.tried(basket, attempt, step, command).await?;
            if done.is_none() {
                let reason = BROUGHT_BACK.to_owned();
                let void = Command::VoidCart { reason };
                self.tried(basket, attempt, "back-void", void).await?;
                break;
            }
        }
        let refunded = done.as_ref().and_then(receipt_of);
        Ok(refunded.map(|receipt| receipt.totals.gross))
    }

    /// A step that the lane may refuse.
    async fn tried(
        &mut self,
        basket: &Basket,
        attempt: u32,
        step: &str,
        command: Command,
    ) -> Result<Option<Done>, Broken> {
        match self.step(basket, attempt, step, command).await {
            Ok(done) => Ok(Some(done)),
            Err(Trouble::Refused { .. }) => Ok(None),
            Err(trouble) => Err(trouble.into()),
        }
    }
}
