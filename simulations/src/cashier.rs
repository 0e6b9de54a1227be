//! A cashier: rings up baskets, repeats what was not answered, and remembers what was.
//!
//! Each command has an id of its own and is repeated under it until the lane answers, through
//! crashes and restarts. What the lane answered is held against the receipt: a scan that was
//! acknowledged is on it, and nothing else is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::{CommandRequest, Done, Problem};
use catalog::{EmployeeId, ItemId};
use money::Quantity;
use sale::{Command, Event, Pin, Receipt, Refusal};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::checks::Check;
use crate::goods;
use crate::random::Dice;
use crate::scenario::{Range, WorkPart};
use crate::store::{Acknowledged, Process, Slot, Store};

/// Before a command that found the lane closing is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// How often a cashier without anything to sell looks again.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two customers of a normal day, in milliseconds.
const NEXT_CUSTOMER_MS: (u64, u64) = (6_000, 48_000);
/// Between two scans, where the next item is not in the hand already.
const NEXT_ITEM_MS: (u64, u64) = (1_200, 10_800);
/// Between two tenders of a customer who pays in parts.
const NEXT_TENDER_MS: (u64, u64) = (600, 12_000);

pub struct Cashier {
    pub store: Arc<Store>,
    pub slot: Arc<Slot>,
    pub dice: Dice,
    pub process: watch::Receiver<Option<Process>>,
    pub closing: watch::Receiver<bool>,
    pub commands: u64,
    /// Lines of the open cart as they were acknowledged.
    pub lines: BTreeMap<u32, (ItemId, Quantity)>,
    pub has_cart: bool,
}

impl Cashier {
    pub fn new(
        store: Arc<Store>,
        slot: Arc<Slot>,
        dice: Dice,
        closing: watch::Receiver<bool>,
    ) -> Cashier {
        Cashier {
            process: slot.watch(),
            store,
            slot,
            dice,
            closing,
            commands: 0,
            lines: BTreeMap::new(),
            has_cart: false,
        }
    }

    /// Works until the store closes, and then finishes the open sale.
    pub async fn work(mut self) {
        self.wait_for_goods().await;
        let sign_in = Command::SignIn {
            employee: EmployeeId::from(goods::CASHIER),
            pin: Pin(goods::PIN.to_owned()),
        };
        if self.slot.is_copy() {
            self.take_over(sign_in).await;
        } else if !*self.closing.borrow() {
            self.must(sign_in).await;
        }
        while !*self.closing.borrow() {
            self.sale().await;
            self.pause(NEXT_CUSTOMER_MS).await;
        }
    }

    /// What takes a normal day's cashier that long takes this one less, or more.
    async fn pause(&mut self, (from_ms, to_ms): Range) {
        let normal_ms = self.dice.between(from_ms, to_ms) as f64;
        let rate = self.store.scenario.work.rate;
        sleep(Duration::from_millis((normal_ms / rate) as u64)).await;
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
    async fn take_over(&mut self, sign_in: Command) {
        let reason = "this is not the customer's register".to_owned();
        let amount = None;
        let steps = [Command::VoidCart { reason }, Command::TenderCash { amount }];
        for command in steps.into_iter().chain([sign_in]) {
            drop(self.ask(command).await);
        }
    }

    async fn sale(&mut self) {
        self.lines.clear();
        if self.dice.chance(300) {
            let reference = Some(format!("{}/{}", self.slot.name, self.commands));
            self.must(Command::OpenCart { reference }).await;
        }
        let WorkPart {
            scans,
            walk_aways_permille,
            corrections_permille,
            ..
        } = self.store.scenario.work;
        for _ in 0..self.dice.between(scans.0, scans.1) {
            self.scan().await;
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
        let reason = "the customer left".to_owned();
        if self.dice.chance(walk_aways_permille) || self.lines.is_empty() {
            if self.has_cart {
                self.must(Command::VoidCart { reason }).await;
            }
            return;
        }
        self.pay().await;
    }

    async fn scan(&mut self) {
        let (code, quantity) = goods::pick(&mut self.dice);
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
        let lines: Vec<u32> = self.lines.keys().copied().collect();
        (!lines.is_empty()).then(|| *self.dice.pick(&lines))
    }

    async fn pay(&mut self) {
        let amounts: &[Option<&str>] = match self.dice.between(1, 10) {
            1 | 2 => &[Some("0.50"), None],
            3..=5 => &[Some("1000.00")],
            _ => &[None],
        };
        for amount in amounts {
            let amount = amount.map(str::to_owned);
            let Some(done) = self.must(Command::TenderCash { amount }).await else {
                return;
            };
            let receipt = done.events.into_iter().find_map(|event| match event {
                Event::Completed { receipt, .. } => Some(receipt),
                _ => None,
            });
            if let Some(receipt) = receipt {
                self.received(*receipt);
                return;
            }
            self.pause(NEXT_TENDER_MS).await;
        }
        let what = "the sale was paid in full and not completed".to_owned();
        self.wrong(Check::ReceiptIsCart, what);
    }

    fn received(&mut self, receipt: Receipt) {
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
        let Some(lane) = self.slot.process().map(|p| p.lane.identity().lane) else {
            let what = "a receipt came from a lane that does not run".to_owned();
            return self.wrong(Check::NothingInvented, what);
        };
        self.store
            .acknowledge(&self.slot.name, Acknowledged { lane, receipt });
    }

    /// Carries out what cannot be refused.
    async fn must(&mut self, command: Command) -> Option<Done> {
        match self.ask(command.clone()).await {
            Ok(done) => {
                self.note(&done);
                Some(done)
            }
            Err(refusal) => {
                self.refused(&command, &refusal);
                None
            }
        }
    }

    /// Remembers the cart as it was acknowledged.
    fn note(&mut self, done: &Done) {
        for event in &done.events {
            match event {
                Event::CartOpened { .. } => self.has_cart = true,
                Event::CartVoided { .. } | Event::Completed { .. } => self.has_cart = false,
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

    fn refused(&self, command: &Command, refusal: &Refusal) {
        let what = format!("{command:?} was refused: {refusal}");
        self.wrong(Check::NeverHeldUp, what);
    }

    fn wrong(&self, check: Check, what: String) {
        self.store.timeline.violation(check, &self.slot.name, what);
    }

    /// Asks the lane until it answers, through whatever happens to it.
    async fn ask(&mut self, command: Command) -> Result<Done, Refusal> {
        self.commands += 1;
        let request = CommandRequest {
            id: Some(format!("{}-{}", self.slot.name, self.commands)),
            command,
        };
        let mut unheard: Option<Done> = None;
        loop {
            match self.attempt(&request).await {
                Some(Ok(done)) => {
                    if unheard.as_ref().is_some_and(|before| *before != done) {
                        let what = format!(
                            "command {:?} was answered {unheard:?} and then {done:?}",
                            request.id
                        );
                        self.wrong(Check::AnswersOnce, what);
                    }
                    // Now and then an answer is lost between the lane and its window.
                    let lost_permille = self.store.scenario.work.lost_answers_permille;
                    if unheard.is_none() && self.dice.chance(lost_permille) {
                        unheard = Some(done);
                        continue;
                    }
                    return Ok(done);
                }
                Some(Err(Problem::Refused { refusal, .. })) => return Err(refusal),
                Some(Err(Problem::Stopped { .. })) if self.slot.is_copy() => {
                    sleep(LOOK_EVERY).await
                }
                Some(Err(Problem::Stopped { .. })) if self.slot.may_be_stopped() => {
                    self.store.count(|counts| counts.stopped += 1);
                    sleep(LOOK_EVERY).await;
                }
                Some(Err(Problem::Stopped { message })) => {
                    let what = format!("the lane stopped: {message}");
                    self.wrong(Check::NeverHeldUp, what);
                    sleep(LOOK_EVERY).await;
                }
                Some(Err(Problem::Unavailable { .. })) | None => sleep(AGAIN_AFTER).await,
            }
        }
    }

    /// One attempt; `None` if the process ended before anybody heard its answer.
    async fn attempt(&mut self, request: &CommandRequest) -> Option<api::Answer> {
        let running = self.process.wait_for(Option::is_some).await.ok()?.clone();
        let Process { lane, run, .. } = running?;
        let asked_at = Instant::now();
        let answer = tokio::select! {
            biased;
            _ = self.process.changed() => return None,
            answer = lane.command(request.clone()) => answer,
        };
        if !self.slot.runs(run) {
            return None;
        }
        let held = asked_at.elapsed();
        self.store.count(|counts| {
            counts.commands += 1;
            let held_ms = u64::try_from(held.as_millis()).unwrap_or(u64::MAX);
            counts.held_ms_max = counts.held_ms_max.max(held_ms);
        });
        if held > Duration::from_millis(self.store.scenario.expect.held_max.0)
            && !self.slot.was_held_up_since(asked_at)
        {
            let what = format!("{:?} was held for {held:?}", request.command);
            self.wrong(Check::NeverHeldUp, what);
        }
        Some(answer)
    }
}
