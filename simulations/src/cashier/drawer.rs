//! The drawer: what a cashier does with cash between two customers, and what should be in it.
//!
//! The cashier counts along by hand, note by note as it goes in and out; the lane never tells what it
//! expects until the drawer was counted. Both must be the same.

use sale::{BusinessDay, Command, CountedCash, Event, Tender};

use super::Cashier;
use crate::checks::Check;
use crate::goods;

/// What a drawer begins with, in cents.
const FLOAT_MINOR: i64 = 10_000;
/// The most that is paid in or out at once, in cents.
const MOVED_MINOR_MAX: u64 = 5_000;
/// Notes and coins, in cents, dearest first.
const CASH: [i64; 10] = [10_000, 5_000, 2_000, 1_000, 500, 100, 25, 10, 5, 1];
/// A month of business days, which no simulation outlasts.
const DAYS_MAX: u32 = 28;

/// The cash that a cashier has handled.
#[derive(Debug, Default)]
pub(super) struct Cash {
    /// In the drawer that is open, in cents; `None` while none is.
    pub drawer: Option<i64>,
    /// Of that, handed over for the open basket, at whatever lane.
    paid: i64,
    /// Business days begun at this lane.
    days: u32,
}

impl Cash {
    fn add(&mut self, minor: i64) {
        if let Some(drawer) = &mut self.drawer {
            *drawer += minor;
        }
    }

    /// Moves cash as an acknowledged event says.
    pub(super) fn note(&mut self, event: &Event) {
        match event {
            Event::DrawerOpened { float, .. } => self.drawer = Some(float.minor()),
            Event::CashMoved {
                movement, amount, ..
            } => self.add(match movement {
                sale::CashMovement::PayIn => amount.minor(),
                sale::CashMovement::Drop | sale::CashMovement::PayOut => -amount.minor(),
            }),
            Event::Tendered {
                tender: Tender::Cash { amount },
                ..
            } => {
                self.paid += amount.minor();
                self.add(amount.minor());
            }
            Event::TendersReturned { .. } => {
                let paid = std::mem::take(&mut self.paid);
                self.add(-paid);
            }
            Event::Completed { receipt, .. } => {
                self.paid = 0;
                self.add(-receipt.change.minor());
            }
            Event::CartVoided { .. } | Event::Suspended { .. } => self.paid = 0,
            Event::Resumed { open, .. } => {
                let cash = open.tenders.iter().filter_map(|tender| match tender {
                    Tender::Cash { amount } => Some(amount.minor()),
                    _ => None,
                });
                self.paid = cash.sum();
            }
            Event::DrawerCounted { .. } => self.drawer = None,
            _ => {}
        }
    }
}

/// An amount as it is typed.
fn typed(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// So much in notes and coins.
fn pieces(mut minor: i64) -> Vec<CountedCash> {
    let mut counted = Vec::new();
    for value in CASH {
        let count = minor / value;
        minor %= value;
        if count > 0 {
            counted.push(CountedCash {
                value: typed(value),
                pieces: u32::try_from(count).unwrap_or(u32::MAX),
            });
        }
    }
    counted
}

impl Cashier {
    /// Begins a shift with a drawer.
    pub(super) async fn open_drawer(&mut self) {
        let float = typed(FLOAT_MINOR);
        self.must(Command::OpenDrawer { float }).await;
    }

    /// Does something at the drawer.
    pub(super) async fn drawer_work(&mut self) {
        let Some(there) = self.cash.drawer else {
            return self.open_drawer().await;
        };
        let some = self.dice.between(1, MOVED_MINOR_MAX) as i64;
        let reason = "change from the bank".to_owned();
        match self.dice.between(1, 7) {
            // All there is may go, to the cent.
            1 if there > 0 => {
                let amount = typed(if self.dice.chance(300) {
                    there
                } else {
                    some.min(there)
                });
                self.must(Command::Drop { amount }).await;
            }
            2 => {
                let amount = typed(some);
                let command = Command::PayIn { amount, reason };
                self.approved(goods::SUPERVISOR, command).await;
            }
            3 if there >= some => {
                let amount = typed(some);
                let command = Command::PayOut { amount, reason };
                self.approved(goods::SUPERVISOR, command).await;
            }
            4 => {
                let command = Command::NoSale { reason };
                self.approved(goods::SUPERVISOR, command).await;
            }
            5 => {
                self.count_drawer().await;
                self.open_drawer().await;
            }
            6 => {
                self.count_drawer().await;
                self.next_day().await;
                self.open_drawer().await;
            }
            _ => {}
        }
    }

    /// Counts the drawer blind. Now and then a coin has got lost, or was given too many.
    pub(super) async fn count_drawer(&mut self) {
        let Some(there) = self.cash.drawer else {
            return;
        };
        let off = match self.dice.between(1, 8) {
            1 => -25,
            2 => 10,
            _ => 0,
        };
        let counted = (there + off).max(0);
        let command = Command::CountDrawer {
            counted: pieces(counted),
        };
        let Some(done) = self.must(command).await else {
            return;
        };
        let told = done.events.iter().find_map(|event| match event {
            Event::DrawerCounted {
                counted, expected, ..
            } => Some((counted.minor(), expected.minor())),
            _ => None,
        });
        if told != Some((counted, there)) {
            let what = format!(
                "{counted} was counted in a drawer that holds {there}; the lane says {told:?}, \
                 counted and expected"
            );
            self.wrong(Check::Drawer, what);
        }
    }

    /// A manager ends the business day and its reports; a supervisor begins the next one.
    async fn next_day(&mut self) {
        if self.cash.days > 0 {
            self.approved(goods::MANAGER, Command::CloseDay).await;
            self.approved(goods::MANAGER, Command::ReportZ).await;
        }
        let next = (self.cash.days + 1).min(DAYS_MAX);
        let day = Some(BusinessDay(format!("2031-01-{next:02}")));
        let opened = self.approved(goods::SUPERVISOR, Command::OpenDay { day });
        if opened.await.is_some() {
            self.cash.days = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_made_of_notes_and_coins() {
        let check = |minor: i64, expected: &[(&str, u32)]| {
            let made = pieces(minor);
            let made: Vec<_> = made.iter().map(|c| (c.value.as_str(), c.pieces)).collect();
            assert_eq!(made, expected, "{minor}");
        };
        check(0, &[]);
        check(1, &[("0.01", 1)]);
        check(
            30_141,
            &[
                ("100.00", 3),
                ("1.00", 1),
                ("0.25", 1),
                ("0.10", 1),
                ("0.05", 1),
                ("0.01", 1),
            ],
        );
    }
}
