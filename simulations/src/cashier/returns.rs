//! Customers who bring goods back, bought at this lane or another; some at two lanes at once.

use sale::{Command, Event, Receipt, Refusal};

use super::Cashier;
use super::asking::approved;
use crate::checks::Check;
use crate::customers::{Goods, Held, Place, Source, Visit};
use crate::goods;

/// What of a receipt comes back with a receipt: which line of which receipt, and how much of it in
/// thousandths.
fn returned(receipt: &Receipt) -> Vec<(String, u32, i64)> {
    let lines = receipt.lines.iter();
    let returned = lines.filter_map(|line| {
        let of = line.detail.returned.as_ref()?;
        Some((of.receipt.clone(), of.line, line.quantity.milli()))
    });
    returned.collect()
}

impl Cashier {
    /// A customer brings some of an earlier purchase back, and perhaps buys something else.
    pub(super) async fn customer_brings_back(&mut self) {
        let Some(sale) = self.store.any_sale(&mut self.dice) else {
            return;
        };
        let sold = sale.receipt.lines.iter();
        let sold: Vec<_> = sold.filter(|l| l.detail.returned.is_none()).collect();
        if sold.is_empty() {
            return;
        }
        let line = *self.dice.pick(&sold);
        let pieces = line.quantity.pieces().unwrap_or(1);
        let some = self.dice.between(1, pieces.max(1).unsigned_abs());
        let goods = Goods {
            receipt: sale.receipt.id.clone(),
            at: Place {
                lane: sale.lane,
                seq: sale.seq,
            },
            line: line.number,
            sold_milli: line.quantity.milli(),
            quantity: (pieces > 1 && self.dice.chance(700)).then(|| some.to_string()),
        };
        self.also_elsewhere(|| Visit::Goods(goods.clone()));
        self.take_back(&goods).await;
    }

    /// Serves a customer who brings goods back and wants nothing else.
    pub(super) async fn only_take_back(&mut self, goods: &Goods) {
        self.take_back(goods).await;
        if self.has_cart {
            self.finish().await;
        }
    }

    async fn take_back(&mut self, goods: &Goods) {
        let command = Command::Return {
            receipt: goods.receipt.clone(),
            line: goods.line,
            quantity: goods.quantity.clone(),
            reason: "the customer does not like it".to_owned(),
            restock: self.dice.chance(700),
            serial: None,
        };
        let command = approved(goods::SUPERVISOR, command);
        let held = self.holds();
        match self.ask(command.clone()).await {
            Ok(done) => self.note(&done),
            Err(Refusal::UnknownReceipt { .. }) => {
                let wrong = goods.at.is_in(&held).then(|| {
                    let receipt = &goods.receipt;
                    format!("receipt {receipt} is unknown at a lane that holds it")
                });
                self.wrong_if(Check::ReturnedOnce, wrong);
            }
            Err(Refusal::AlreadyReturned { .. }) => {
                let wrong = self.not_taken_back(goods);
                self.wrong_if(Check::ReturnedOnce, wrong);
            }
            Err(refusal) => self.refused(&command, &refusal),
        }
    }

    /// What is wrong with the lane's word that too little is left of these goods.
    fn not_taken_back(&self, goods: &Goods) -> Option<String> {
        let of = (goods.receipt.clone(), goods.line);
        let asked = goods.quantity.as_ref();
        // Without a quantity all that is left is asked for: a lane has to find something.
        let milli = asked.map_or(1, |pieces| 1000 * pieces.parse().unwrap_or(0));
        let in_basket = self.returns.values().filter(|(source, _)| *source == of);
        let in_basket = in_basket.map(|(_, milli)| milli).sum();
        let customers = &self.store.customers;
        customers.nothing_left(&of, milli, in_basket, goods.sold_milli)
    }

    /// What the open basket takes back may be asked for at this moment elsewhere, too.
    pub(super) fn begins_to_return(&self) {
        for (of, milli) in self.returns.values() {
            self.store.customers.begin_return(of, *milli);
        }
    }

    /// The lane has not paid for what the open basket takes back.
    pub(super) fn gives_up_returning(&self) {
        for (of, milli) in self.returns.values() {
            self.store.customers.give_up_return(of, *milli);
        }
    }

    /// The lane says that another one has taken back what is in the open basket.
    pub(super) fn refused_to_pay_back(&self) {
        let customers = &self.store.customers;
        let own = |of: &Source| -> i64 {
            let lines = self.returns.values().filter(|(source, _)| source == of);
            lines.map(|(_, milli)| milli).sum()
        };
        let mut sources = self.returns.values().map(|(of, _)| of);
        let has_reason = sources.any(|of| customers.is_claimed_besides(of, own(of)));
        let wrong = (!has_reason).then(|| {
            let what = &self.returns;
            format!("{what:?} was not paid back, and nobody else has brought any of it back")
        });
        self.wrong_if(Check::ReturnedOnce, wrong);
    }

    /// The lane took goods back with this receipt; it held so much when it was asked to.
    pub(super) fn took_back(&self, receipt: &Receipt, place: Place, held: &Held) {
        let customers = &self.store.customers;
        for (of, line, milli) in returned(receipt) {
            let sold = self.store.sold_milli(&of, line);
            let wrong = customers.returned((of, line), milli, sold, place, held);
            self.wrong_if(Check::ReturnedOnce, wrong);
        }
    }

    /// Another lane has taken the goods back meanwhile: the customer keeps the rest of the basket.
    pub(super) async fn give_goods_back(&mut self) {
        if self.is_paying {
            self.must(Command::CancelTender).await;
        }
        let lines: Vec<u32> = self.returns.keys().copied().collect();
        for line in lines {
            self.must(Command::VoidLine { line }).await;
        }
    }

    /// Remembers what the open basket takes back.
    pub(super) fn note_returns(&mut self, event: &Event) {
        match event {
            Event::LineAdded { line, .. } => self.note_return(line),
            Event::LineVoided { line, .. } => {
                self.returns.remove(line);
            }
            Event::Resumed { open, .. } => {
                self.returns.clear();
                open.live_lines().for_each(|line| self.note_return(line));
            }
            Event::CartOpened { .. } => self.returns.clear(),
            _ => {}
        }
    }

    fn note_return(&mut self, line: &sale::Line) {
        if let Some(of) = &line.detail.returned {
            let source = (of.receipt.clone(), of.line);
            self.returns
                .insert(line.number, (source, line.quantity.milli()));
        }
    }
}
