//! A cashier: rings up baskets, puts some aside, handles the drawer, and remembers what was
//! acknowledged.
//!
//! What the lane answered is held against what it prints and counts later: a scan that was
//! acknowledged is on the receipt, and nothing else is; cash that went in or out is in the drawer or
//! is not; a basket that was put aside is taken up as it was.

mod asking;
mod drawer;
mod returns;
mod slips;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::Done;
use catalog::{EmployeeId, ItemId};
use ledger::{LaneId, Seq};
use money::Quantity;
use sale::{Command, Event, Pin, Receipt, Refusal};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::baskets;
use crate::checks::Check;
use crate::customers::{Held, Place, Source, Visit};
use crate::goods;
use crate::random::Dice;
use crate::scenario::{Range, WorkPart};
use crate::store::{Acknowledged, Process, Slot, Store};
use asking::approved;
use drawer::Cash;

/// How often a cashier without anything to sell looks again.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Customers who come with a slip, where some have one.
const BACK_PERMILLE: u64 = 500;
/// Between two customers of a normal day, in milliseconds.
const NEXT_CUSTOMER_MS: (u64, u64) = (6_000, 48_000);
/// Between two scans, where the next item is not in the hand already.
const NEXT_ITEM_MS: (u64, u64) = (1_200, 10_800);
/// Between two tenders of a customer who pays in parts.
const NEXT_TENDER_MS: (u64, u64) = (600, 12_000);

pub struct Cashier {
    store: Arc<Store>,
    slot: Arc<Slot>,
    dice: Dice,
    process: watch::Receiver<Option<Process>>,
    closing: watch::Receiver<bool>,
    commands: u64,
    /// Lines of the open cart as they were acknowledged.
    lines: BTreeMap<u32, (ItemId, Quantity)>,
    /// Those of them that take goods back: of what, and how much in thousandths.
    returns: BTreeMap<u32, (Source, i64)>,
    has_cart: bool,
    /// Whether some of the open cart was paid.
    is_paying: bool,
    cash: Cash,
    /// Customers who come from another lane; nobody comes to a copy of one.
    counter: Option<mpsc::Receiver<Visit>>,
}

impl Cashier {
    pub fn new(
        store: Arc<Store>,
        slot: Arc<Slot>,
        dice: Dice,
        closing: watch::Receiver<bool>,
    ) -> Cashier {
        let counter = (!slot.is_copy()).then(|| store.customers.open(&slot.name));
        Cashier {
            process: slot.watch(),
            store,
            slot,
            dice,
            closing,
            commands: 0,
            lines: BTreeMap::new(),
            returns: BTreeMap::new(),
            has_cart: false,
            is_paying: false,
            cash: Cash::default(),
            counter,
        }
    }

    /// Works until the store closes; then finishes the open sale and counts the drawer.
    pub async fn work(mut self) {
        self.wait_for_goods().await;
        if self.slot.is_copy() {
            return self.work_at_a_copy().await;
        }
        if *self.closing.borrow() {
            return;
        }
        self.sign_in().await;
        self.open_drawer().await;
        while !*self.closing.borrow() {
            match self.next_visit().await {
                Some(Visit::Slip(slip)) => self.resume(*slip).await,
                Some(Visit::Goods(goods)) => self.only_take_back(&goods).await,
                None => self.sale().await,
            }
            self.between_customers().await;
        }
        self.count_drawer().await;
    }

    async fn sign_in(&mut self) {
        let employee = EmployeeId::from(*self.dice.pick(&goods::CASHIERS));
        let pin = Pin(goods::PIN.to_owned());
        self.must(Command::SignIn { employee, pin }).await;
    }

    /// Whoever comes from another lane, or with a slip; `None`: somebody with a basket.
    async fn next_visit(&mut self) -> Option<Visit> {
        let normal_ms = self.draw(NEXT_CUSTOMER_MS);
        let counter = self.counter.as_mut()?;
        tokio::select! {
            biased;
            visit = counter.recv() => return visit,
            () = sleep(normal_ms) => {}
        }
        match self.dice.chance(BACK_PERMILLE) {
            true => {
                let slip = self.store.customers.take(&mut self.dice)?;
                Some(Visit::Slip(Box::new(slip)))
            }
            false => None,
        }
    }

    async fn between_customers(&mut self) {
        let WorkPart {
            drawer_permille,
            sign_offs_permille,
            ..
        } = self.store.scenario.work;
        if self.has_cart {
            return;
        }
        if self.dice.chance(drawer_permille) {
            self.drawer_work().await;
        }
        if self.dice.chance(sign_offs_permille) {
            self.must(Command::SignOut).await;
            self.sign_in().await;
        }
    }

    /// Sells at a copy of a lane's disk until somebody stops it.
    async fn work_at_a_copy(&mut self) {
        self.take_over().await;
        while !*self.closing.borrow() {
            self.sale().await;
            self.pause(NEXT_CUSTOMER_MS).await;
        }
    }

    /// The lane that the process behind the window is.
    fn lane_id(&self) -> Option<LaneId> {
        self.slot.process().map(|p| p.lane.identity().lane)
    }

    /// What takes a normal day's cashier that long takes this one less, or more.
    fn draw(&mut self, (from_ms, to_ms): Range) -> Duration {
        let normal_ms = self.dice.between(from_ms, to_ms) as f64;
        let rate = self.store.scenario.work.rate;
        Duration::from_millis((normal_ms / rate) as u64)
    }

    async fn pause(&mut self, normal_ms: Range) {
        sleep(self.draw(normal_ms)).await;
    }

    /// A lane that has just joined sells once the catalog has reached it.
    async fn wait_for_goods(&mut self) {
        while !*self.closing.borrow() {
            let process = self.slot.process();
            if process.is_some_and(|p| p.lane.view().borrow().status.book_version > 0) {
                return;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Begins anew at a machine that has the register of another lane, as its disk had it: some of
    /// what is asked is refused there.
    async fn take_over(&mut self) {
        let reason = "this is not the customer's register".to_owned();
        let void = approved(goods::SUPERVISOR, Command::VoidCart { reason });
        let sign_in = Command::SignIn {
            employee: EmployeeId::from(goods::CASHIERS[0]),
            pin: Pin(goods::PIN.to_owned()),
        };
        for command in [void, Command::TenderCash { amount: None }, sign_in] {
            drop(self.ask(command).await);
        }
    }

    async fn sale(&mut self) {
        self.lines.clear();
        if self.dice.chance(300) && !self.has_cart {
            let reference = Some(format!("{}/{}", self.slot.name, self.commands));
            self.must(Command::OpenCart { reference }).await;
        }
        let WorkPart {
            scans,
            corrections_permille,
            returns_permille,
            ..
        } = self.store.scenario.work;
        if !self.slot.is_copy() && self.dice.chance(returns_permille) {
            self.customer_brings_back().await;
            if self.has_cart && self.dice.chance(500) {
                return self.finish().await;
            }
        }
        for pieces in baskets::next(&mut self.dice, scans) {
            self.scan(pieces).await;
            if self.dice.chance(corrections_permille) {
                match self.dice.chance(500) {
                    true => self.change_quantity().await,
                    false => self.void_a_line().await,
                }
            }
            // A burst now and then: the next code is under the scanner already.
            if self.dice.chance(700) {
                self.pause(NEXT_ITEM_MS).await;
            }
        }
        if self.may_suspend() && self.suspend().await {
            return;
        }
        self.finish().await;
    }

    /// Some customers are at another lane at the same moment.
    fn also_elsewhere(&mut self, visit: impl FnOnce() -> Visit) {
        let twice = self.store.scenario.work.twice_permille;
        if self.dice.chance(twice) {
            let customers = &self.store.customers;
            customers.send_elsewhere(&self.slot.name, &mut self.dice, visit());
        }
    }

    /// Whether the open basket is put aside now.
    fn may_suspend(&mut self) -> bool {
        let permille = self.store.scenario.work.suspends_permille;
        self.has_cart && !self.slot.is_copy() && self.dice.chance(permille)
    }

    /// The customer pays, or has left.
    async fn finish(&mut self) {
        let walks_away = self.store.scenario.work.walk_aways_permille;
        if self.dice.chance(walks_away) || self.lines.is_empty() {
            self.void_sale().await;
        }
        // An old release knows of no approval.
        if self.has_cart && !self.lines.is_empty() {
            self.pay().await;
        }
    }

    /// The customer has left: what was paid is given back, and a supervisor voids the sale.
    async fn void_sale(&mut self) {
        if self.is_paying {
            self.must(Command::CancelTender).await;
        }
        if self.has_cart {
            let reason = "the customer left".to_owned();
            self.approved(goods::SUPERVISOR, Command::VoidCart { reason })
                .await;
        }
    }

    /// Scans something, as many pieces as a real basket says.
    async fn scan(&mut self, pieces: Option<u32>) {
        let (code, quantity) = goods::pick(&mut self.dice, pieces);
        let scan = Command::Scan {
            code: code.clone(),
            quantity,
        };
        match self.ask(scan.clone()).await {
            Ok(done) => self.note(&done),
            Err(Refusal::AgeCheck { .. }) => {
                let years = goods::AGE_MIN;
                self.must(Command::ConfirmAge { years }).await;
                self.must(scan).await;
            }
            Err(Refusal::UnknownCode { .. }) if code == goods::UNKNOWN_CODE => {}
            Err(refusal) => self.refused(&scan, &refusal),
        }
    }

    async fn change_quantity(&mut self) {
        if let Some(line) = self.any_line() {
            let quantity = self.dice.between(1, 9).to_string();
            self.must(Command::SetQuantity { line, quantity }).await;
        }
    }

    async fn void_a_line(&mut self) {
        if let Some(line) = self.any_line() {
            self.must(Command::VoidLine { line }).await;
        }
    }

    fn any_line(&mut self) -> Option<u32> {
        let sold = self.lines.keys().filter(|l| !self.returns.contains_key(l));
        let lines: Vec<u32> = sold.copied().collect();
        (!lines.is_empty()).then(|| *self.dice.pick(&lines))
    }

    async fn pay(&mut self) {
        let amounts: &[Option<&str>] = match self.dice.between(1, 10) {
            _ if self.is_paying || !self.returns.is_empty() => &[None],
            1 | 2 => &[Some("0.50"), None],
            3..=5 => &[Some("1000.00"), None],
            _ => &[None],
        };
        for amount in amounts {
            let amount = amount.map(str::to_owned);
            let held = self.holds();
            self.begins_to_return();
            let command = Command::TenderCash { amount };
            let done = match self.ask(command.clone()).await {
                Ok(done) => done,
                Err(Refusal::AlreadyReturned { .. }) if !self.returns.is_empty() => {
                    self.refused_to_pay_back();
                    self.gives_up_returning();
                    self.give_goods_back().await;
                    return match self.lines.is_empty() {
                        true => self.void_sale().await,
                        false => Box::pin(self.pay()).await,
                    };
                }
                Err(refusal) => return self.refused(&command, &refusal),
            };
            self.note(&done);
            let seq = done.seq;
            let receipt = done.events.into_iter().find_map(|event| match event {
                Event::Completed { receipt, .. } => Some(receipt),
                _ => None,
            });
            if let Some(receipt) = receipt {
                return self.received(*receipt, seq, &held);
            }
            self.gives_up_returning();
            if self.may_suspend() && self.suspend().await {
                return;
            }
            self.pause(NEXT_TENDER_MS).await;
        }
        let what = "the sale was paid in full and not completed".to_owned();
        self.wrong(Check::ReceiptIsCart, what);
    }

    fn wrong_if(&self, check: Check, wrong: Option<String>) {
        if let Some(what) = wrong {
            self.wrong(check, what);
        }
    }

    fn received(&mut self, receipt: Receipt, seq: Seq, held: &Held) {
        let printed: BTreeMap<u32, (ItemId, Quantity)> = receipt
            .lines
            .iter()
            .map(|line| (line.number, (line.item.clone(), line.quantity)))
            .collect();
        if printed != self.lines {
            let what = format!(
                "receipt {} has {printed:?}, and acknowledged was {:?}",
                receipt.id, self.lines
            );
            self.wrong(Check::ReceiptIsCart, what);
        }
        let Some(lane) = self.lane_id() else {
            let what = "a receipt came from a lane that does not run".to_owned();
            return self.wrong(Check::NothingInvented, what);
        };
        self.took_back(&receipt, Place { lane, seq }, held);
        let sale = Acknowledged { lane, seq, receipt };
        self.store.acknowledge(&self.slot.name, sale);
    }

    /// Remembers the cart as it was acknowledged.
    fn note(&mut self, done: &Done) {
        for event in &done.events {
            self.cash.note(event);
            self.note_returns(event);
            match event {
                Event::CartOpened { .. } => {
                    self.has_cart = true;
                    self.lines.clear();
                }
                Event::CartVoided { .. } | Event::Completed { .. } | Event::Suspended { .. } => {
                    self.has_cart = false;
                    self.is_paying = false;
                }
                Event::Resumed { open, .. } => {
                    self.has_cart = true;
                    self.is_paying = !open.tenders.is_empty();
                    let lines = open.live_lines();
                    self.lines = lines
                        .map(|line| (line.number, (line.item.clone(), line.quantity)))
                        .collect();
                }
                Event::Tendered { .. } => self.is_paying = true,
                Event::TendersReturned { .. } => self.is_paying = false,
                Event::LineAdded { line, .. } => {
                    self.lines
                        .insert(line.number, (line.item.clone(), line.quantity));
                }
                Event::QuantityChanged { line, quantity, .. } => {
                    if let Some((_, known)) = self.lines.get_mut(line) {
                        *known = *quantity;
                    }
                }
                Event::LineVoided { line, .. } => {
                    self.lines.remove(line);
                }
                _ => {}
            }
        }
    }
}
