//! Baskets that are put aside and taken up again, at this lane or another.

use api::Done;
use sale::{Cart, Command, Event, Phase, Refusal};

use super::Cashier;
use crate::checks::Check;
use crate::customers::{Place, Slip, Visit};

/// Items that a customer who comes back adds at most.
const MORE_MAX: u64 = 3;

impl Cashier {
    /// Puts the open basket aside, where that is known; its customer comes back, to some lane.
    pub(super) async fn suspend(&mut self) -> bool {
        let Some(done) = self.must(Command::Suspend).await else {
            return false;
        };
        let (lane, seq) = (self.lane_id(), done.seq);
        let suspended = done.events.into_iter().find_map(|event| match event {
            Event::Suspended { slip, open, .. } => Some((slip, open)),
            _ => None,
        });
        let (Some(lane), Some((number, open))) = (lane, suspended) else {
            return true;
        };
        self.compare(&number, &open);
        let (who, timeline) = (&self.slot.name, &self.store.timeline);
        timeline.note(who, format!("puts a basket aside, slip {number}"));
        let slip = Slip {
            number,
            open: *open,
            at: Place { lane, seq },
            tries: 0,
        };
        self.also_elsewhere(|| Visit::Slip(Box::new(slip.clone())));
        self.store.customers.keep(slip);
        true
    }

    /// A basket that is put aside has the lines that were acknowledged.
    fn compare(&self, number: &str, open: &Cart) {
        let live = open.live_lines();
        let kept = live.map(|line| (line.number, (line.item.clone(), line.quantity)));
        if !kept.eq(self.lines.clone()) {
            let what = format!(
                "the basket of slip {number} is {open:?}, and acknowledged was {:?}",
                self.lines
            );
            self.wrong(Check::ReceiptIsCart, what);
        }
    }

    /// Serves a customer with a slip: takes the basket up and brings it to an end.
    pub(super) async fn resume(&mut self, slip: Slip) {
        // An old release knows of no approval: a sale that was left may still be open.
        if self.has_cart {
            return self.store.customers.refused(slip);
        }
        self.also_elsewhere(|| Visit::Slip(Box::new(slip.clone())));
        let command = match self.dice.chance(500) {
            true => Command::Resume {
                slip: slip.number.clone(),
            },
            // The slip has a barcode.
            false => Command::Scan {
                code: slip.number.clone(),
                quantity: None,
            },
        };
        let held = self.holds();
        self.store.customers.ask(&slip.number);
        self.lines.clear();
        match self.ask(command.clone()).await {
            Ok(done) => {
                self.note(&done);
                if let Some(lane) = self.lane_id() {
                    let place = Place {
                        lane,
                        seq: done.seq,
                    };
                    let wrong = self.store.customers.granted(&slip.number, place, &held);
                    self.wrong_if(Check::ClaimedOnce, wrong);
                }
                let (who, timeline) = (&self.slot.name, &self.store.timeline);
                timeline.note(who, format!("takes the basket of slip {} up", slip.number));
                self.survives(&slip, &done);
                self.go_on(&slip.open).await;
            }
            Err(Refusal::UnknownSlip { .. }) => {
                let wrong = self.store.customers.denied(&slip.number, slip.at, &held);
                self.wrong_if(Check::CartSurvives, wrong);
                let (who, timeline) = (&self.slot.name, &self.store.timeline);
                timeline.note(who, format!("knows of no slip {}", slip.number));
                self.store.customers.refused(slip);
            }
            Err(refusal) if self.is_too_new(&refusal) => {
                self.store.customers.undecided(&slip.number);
                self.store.customers.refused(slip);
            }
            Err(refusal) => {
                self.store.customers.undecided(&slip.number);
                self.refused(&command, &refusal);
            }
        }
    }

    /// A basket is taken up as it was put aside.
    fn survives(&self, slip: &Slip, done: &Done) {
        let resumed = done.events.iter().find_map(|event| match event {
            Event::Resumed { open, .. } => Some(open.as_ref()),
            _ => None,
        });
        if resumed != Some(&slip.open) {
            let what = format!(
                "slip {} was put aside as {:?} and taken up as {resumed:?}",
                slip.number, slip.open
            );
            self.wrong(Check::CartSurvives, what);
        }
    }

    /// The customer adds some more, where paying has not begun, and pays or leaves.
    async fn go_on(&mut self, open: &Cart) {
        if matches!(open.phase, Phase::Selling) {
            for _ in 0..self.dice.between(0, MORE_MAX) {
                self.scan(None).await;
            }
        }
        self.finish().await;
    }
}
