//! Payments by card: what is asked of the card terminal, and what becomes of its answers.
//!
//! Asking is an effect, so the question is an event of its own ([`Event::CardAsked`]) that is durable
//! before the terminal hears it; the answer is another ([`Event::CardAnswered`]), in one commit with
//! the tender and the receipt that it leads to. A question has a number that no other question of
//! its lane ever has, so after a crash or a lost answer the terminal is asked what became of that
//! number, and never a second time for the money. While a question is open its sale stands still:
//! nothing completes, voids, suspends or changes it. Where the terminal cannot say what became of
//! one, a supervisor leaves it to a person ([`Event::CardLeft`]) and the sale goes on without it; a
//! charge that comes to light later is taken back.
//!
//! Nothing here has room for a card number: what looks like one is not kept.

use std::collections::BTreeMap;

use catalog::{Action, EmployeeId};
use money::Money;
use serde::{Deserialize, Serialize};

use crate::decide::{Decision, bounded, parse_amount};
use crate::lines::holds_card_number;
use crate::people::{Who, reasoned};
use crate::tender::{Paying, least, tendered_by};
use crate::terms::is_plain;
use crate::{
    Cart, CartId, Cashier, Command, Context, Event, LocalTime, Refusal, Register, Tender, Why,
};

/// The most questions that were left to a person and are still asked about; the oldest is then only on
/// the person's list.
pub const CARDS_LEFT_MAX: usize = 100;

/// A terminal's own name of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardTransaction {
    pub id: String,
    /// As the terminal wrote it.
    pub time: String,
}

/// A card tender of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardSource {
    pub receipt: String,
    /// Its place among that receipt's tenders, from 1.
    pub tender: u32,
}

/// What a terminal is asked to do. All amounts are over zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum CardWork {
    /// Charge a card with `amount`, and the tip besides.
    Pay {
        amount: Money,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tip: Option<Money>,
    },
    /// Give money back to the card of an earlier sale.
    Refund {
        amount: Money,
        of: CardSource,
        original: CardTransaction,
    },
    /// Take a whole charge back.
    Reverse {
        amount: Money,
        original: CardTransaction,
        /// Its place among the tenders of the open sale, from 1; none for a charge that came to light
        /// after it was left to a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tender: Option<u32>,
    },
}

impl CardWork {
    pub fn amount(&self) -> Money {
        match self {
            CardWork::Pay { amount, .. }
            | CardWork::Refund { amount, .. }
            | CardWork::Reverse { amount, .. } => *amount,
        }
    }
}

/// A question to the card terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardAsk {
    /// Of this lane's questions, from 1; never used again.
    pub number: u64,
    pub cart: CartId,
    /// The terminal's name.
    pub terminal: String,
    pub work: CardWork,
    pub by: EmployeeId,
    pub at: LocalTime,
}

/// What a terminal approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardApproval {
    /// What was charged or given back in all, with the tip.
    pub amount: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<Money>,
    pub transaction: CardTransaction,
    pub brand: Option<String>,
    /// The last four digits of the card's number.
    pub last_four: Option<String>,
    /// Stands for the card at the acquirer.
    pub token: Option<String>,
    pub approval_code: Option<String>,
    /// The terminal did not reach the acquirer and took the risk itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
}

impl CardApproval {
    /// Without anything that looks like a card number, and each text cut to a length.
    fn cleaned(mut self) -> CardApproval {
        let clean = |text: &mut Option<String>| {
            *text = text.take().filter(|t| !holds_card_number(t));
            *text = text.take().map(|t| bounded(&t));
        };
        clean(&mut self.brand);
        clean(&mut self.token);
        clean(&mut self.approval_code);
        let tip = self
            .tip
            .filter(|tip| !tip.is_negative() && *tip < self.amount);
        self.tip = tip.filter(|tip| !tip.is_zero());
        self.last_four = self.last_four.filter(|digits| {
            digits.chars().count() == 4 && digits.bytes().all(|b| b.is_ascii_digit())
        });
        self.transaction.id = apart(&self.transaction.id);
        self.transaction.time = bounded(&self.transaction.time);
        self
    }
}

/// The mark between the parts of a transaction's name that looks like a card number. No terminal's
/// name of one has it.
const APART: char = '~';

/// A transaction's name as it is kept: what happens to look like a card number is kept in two parts.
fn apart(id: &str) -> String {
    let id = bounded(id);
    match holds_card_number(&id) && id.is_ascii() {
        true => format!("{}{APART}{}", &id[..id.len() / 2], &id[id.len() / 2..]),
        false => id,
    }
}

impl CardTransaction {
    /// The transaction's name as its terminal knows it.
    pub fn at_terminal(&self) -> String {
        self.id.replace(APART, "")
    }
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum CardAnswer {
    /// It was done.
    Approved { approval: Box<CardApproval> },
    /// It was not done, and will not be.
    Declined { reason: String },
    /// It may have been done: the terminal did not say.
    Doubtful { reason: String },
}

/// A card tender: what a card paid, or was given back where its tender's amount is below zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardPaid {
    /// The lane's number of the question.
    pub number: u64,
    pub terminal: String,
    /// In its amount the tip is included, in the tender's it is not.
    pub approval: CardApproval,
    /// What was given back is of this tender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_of: Option<CardSource>,
}

impl CardPaid {
    /// What was charged beyond what the sale was owed.
    pub fn tip(&self) -> Option<Money> {
        self.approval.tip
    }
}

/// A question that is open, or was left to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardOpen {
    pub ask: CardAsk,
    /// Why nobody knows what became of it, once that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// The cashier wants the terminal to give it up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
}

/// What a register knows of its card terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cards {
    /// Number of the last question.
    pub asked: u64,
    /// The question for which the open sale waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<Box<CardOpen>>,
    /// Questions of earlier sales by number, of which it is not known what became of them: at most
    /// [`CARDS_LEFT_MAX`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left: BTreeMap<u64, CardOpen>,
    /// The last answer, for the screen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<CardAnswer>,
}

impl Cards {
    pub fn is_plain(&self) -> bool {
        is_plain(self)
    }

    /// What is to be found out with a number, where it is not known yet.
    pub fn pending(&self, number: u64) -> Option<&CardOpen> {
        let open = self.open.as_deref();
        let open = open.filter(|open| open.ask.number == number);
        open.or_else(|| self.left.get(&number))
    }
}

/// Why a command has to wait for the card terminal, where it has to. What concerns no sale goes on.
pub(crate) fn waits(register: &Register, command: &Command) -> Option<Refusal> {
    let open = register.cards.open.as_ref()?;
    match command {
        Command::LeaveCard { .. }
        | Command::CancelCard
        | Command::NoSale { .. }
        | Command::Drop { .. }
        | Command::PayIn { .. }
        | Command::PayOut { .. }
        | Command::OpenDrawer { .. }
        | Command::AssignDrawer { .. }
        | Command::CountDrawer { .. }
        | Command::OpenDay { .. }
        | Command::CloseDay
        | Command::ReportZ => None,
        _ => Some(Refusal::CardOpen {
            amount: open.ask.work.amount(),
        }),
    }
}

/// Begins a payment by card, or gives money back to one.
pub(crate) fn pay(
    register: &Register,
    who: &Who<'_>,
    tip: Option<&str>,
    amount: Option<&str>,
    ctx: &Context<'_>,
) -> Decision {
    let terminal = ctx.terminal.ok_or(Refusal::NoTerminal)?;
    let paying = Paying::with(register, "card", ctx)?;
    let left = paying.left();
    let work = match left.is_negative() {
        true => refund(&paying, -left, amount, ctx)?,
        false => charge(&paying, tip, amount, ctx)?,
    };
    let ask = ask(register, who, paying.cart.id, terminal, work, ctx);
    let mut events = paying.begun();
    events.push(Event::CardAsked { ask });
    Ok(events)
}

fn ask(
    register: &Register,
    who: &Who<'_>,
    cart: CartId,
    terminal: &str,
    work: CardWork,
    ctx: &Context<'_>,
) -> Box<CardAsk> {
    Box::new(CardAsk {
        number: register.cards.asked + 1,
        cart,
        terminal: terminal.to_owned(),
        work,
        by: who.cashier.employee.clone(),
        at: ctx.now,
    })
}

fn charge(
    paying: &Paying<'_>,
    tip: Option<&str>,
    amount: Option<&str>,
    ctx: &Context<'_>,
) -> Result<CardWork, Refusal> {
    let left = paying.left();
    let amount = match amount {
        Some(text) => parse_amount(text, left)?,
        None => left,
    };
    if amount.is_zero() {
        return Err(Refusal::amount(Why::NothingToCharge));
    }
    if amount > left {
        return Err(Refusal::OverTender { left });
    }
    paying.may_pay("card", amount)?;
    let tip = tip.map(|text| parse_amount(text, left)).transpose()?;
    let tip = tip.filter(|tip| !tip.is_zero());
    if tip.is_some() && !ctx.reference.settings().tips {
        return Err(Refusal::NoTips);
    }
    if tip.is_some_and(|tip| tip > amount) {
        return Err(Refusal::amount(Why::TipTooLarge));
    }
    Ok(CardWork::Pay { amount, tip })
}

/// What goes back to a card that paid for the goods which come back: the first of them, in the order
/// of the lines and of their receipts' tenders, that has not been given all of it back.
fn refund(
    paying: &Paying<'_>,
    owed: Money,
    amount: Option<&str>,
    ctx: &Context<'_>,
) -> Result<CardWork, Refusal> {
    let (of, original, left) = cards_to_refund(&paying.cart, ctx)
        .into_iter()
        .find(|(_, _, left)| left.minor() > 0)
        .ok_or(Refusal::NoCardToRefund)?;
    let most = least(owed, left);
    let amount = match amount {
        Some(text) => parse_amount(text, owed)?,
        None => most,
    };
    if amount.is_zero() || amount > most {
        return Err(Refusal::amount(Why::ToCard(most)));
    }
    paying.may_give("card", amount)?;
    Ok(CardWork::Refund {
        amount,
        of,
        original,
    })
}

/// The card tenders of the receipts whose goods come back, with what has not been given back of each.
fn cards_to_refund(cart: &Cart, ctx: &Context<'_>) -> Vec<(CardSource, CardTransaction, Money)> {
    let mut receipts: Vec<&str> = Vec::new();
    for line in cart.live_lines() {
        if let Some(of) = &line.detail.returned
            && of.unreceipted.is_none()
            && !receipts.contains(&of.receipt.as_str())
        {
            receipts.push(&of.receipt);
        }
    }
    let mut found = Vec::new();
    for id in receipts {
        let Some(sold) = ctx.shared.receipt(id) else {
            continue;
        };
        for (number, tender) in (1..).zip(&sold.receipt.tenders) {
            let Tender::Card { amount, card } = tender else {
                continue;
            };
            let of = CardSource {
                receipt: id.to_owned(),
                tender: number,
            };
            let before = sold.refunded_minor.get(&number).copied().unwrap_or(0);
            let here = refunded_here(cart, &of);
            let left = amount.minor().saturating_sub(before).saturating_sub(here);
            let left = Money::from_minor(left, amount.currency());
            found.push((of, card.approval.transaction.clone(), left));
        }
    }
    found
}

fn refunded_here(cart: &Cart, of: &CardSource) -> i64 {
    let refunds = cart.tenders.iter().map(|tender| match tender {
        Tender::Card { amount, card } if card.refund_of.as_ref() == Some(of) => -amount.minor(),
        _ => 0,
    });
    refunds.fold(0, i64::saturating_add)
}

/// Has a card tender of the open sale taken back, where the tender is one.
pub(crate) fn void(
    register: &Register,
    who: &Who<'_>,
    number: u32,
    ctx: &Context<'_>,
) -> Option<Decision> {
    let cart = register.cart.as_ref()?;
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    let Tender::Card { amount, card } = cart.tenders.get(place)? else {
        return None;
    };
    let Some(terminal) = ctx.terminal else {
        return Some(Err(Refusal::NoTerminal));
    };
    if amount.is_negative() {
        return Some(Err(Refusal::CardRefunded));
    }
    let work = CardWork::Reverse {
        amount: card.approval.amount,
        original: card.approval.transaction.clone(),
        tender: Some(number),
    };
    let ask = ask(register, who, cart.id, terminal, work, ctx);
    Some(Ok(vec![Event::CardAsked { ask }]))
}

/// Refuses to give all tenders back while a card has paid: each charge has to be taken back first.
pub(crate) fn none_paid(cart: &Cart) -> Result<(), Refusal> {
    let paid = (1..)
        .zip(&cart.tenders)
        .find(|(_, t)| matches!(t, Tender::Card { .. }));
    match paid {
        Some((number, _)) => Err(Refusal::CardPaid { number }),
        None => Ok(()),
    }
}

/// Asks the terminal to give the open question up.
pub(crate) fn cancel(register: &Register, who: &Who<'_>, ctx: &Context<'_>) -> Decision {
    let open = register.cards.open.as_ref().ok_or(Refusal::NoCardOpen)?;
    if open.cancelled {
        return Err(Refusal::CardOpen {
            amount: open.ask.work.amount(),
        });
    }
    Ok(vec![Event::CardCancelled {
        number: open.ask.number,
        by: who.id(),
        at: ctx.now,
    }])
}

/// Leaves a question to a person, of which the terminal cannot say what became of it.
pub(crate) fn leave(
    register: &Register,
    who: &Who<'_>,
    reason: &str,
    ctx: &Context<'_>,
) -> Decision {
    let open = register.cards.open.as_ref().ok_or(Refusal::NoCardOpen)?;
    let doubt = open.doubt.as_ref().ok_or_else(|| Refusal::CardOpen {
        amount: open.ask.work.amount(),
    })?;
    who.may(Action::LeaveCard, ctx)?;
    Ok(vec![Event::CardLeft {
        ask: Box::new(open.ask.clone()),
        doubt: doubt.clone(),
        reason: reasoned(reason)?,
        by: who.id(),
        at: ctx.now,
    }])
}

/// Decides on a terminal's answer to the question with this number. No command: nobody but the
/// terminal can say that a card paid. `Ok` may be empty: the answer is no news.
pub fn card_answered(
    register: &Register,
    number: u64,
    answer: &CardAnswer,
    ctx: &Context<'_>,
) -> Decision {
    let pending = register.cards.pending(number).ok_or(Refusal::NoCardOpen)?;
    let open = register.cards.open.as_ref();
    let late = open.is_none_or(|open| open.ask.number != number);
    let answer = match answer.clone() {
        CardAnswer::Approved { approval } => CardAnswer::Approved {
            approval: Box::new(approval.cleaned()),
        },
        CardAnswer::Declined { reason } => CardAnswer::Declined {
            reason: worded(&reason),
        },
        CardAnswer::Doubtful { .. } if late || pending.doubt.is_some() => return Ok(Vec::new()),
        CardAnswer::Doubtful { reason } => CardAnswer::Doubtful {
            reason: worded(&reason),
        },
    };
    let mut events = vec![Event::CardAnswered {
        ask: Box::new(pending.ask.clone()),
        answer: answer.clone(),
        late,
        at: ctx.now,
    }];
    if let CardAnswer::Approved { approval } = answer {
        events.extend(match late {
            true => taken_back(register, &pending.ask, &approval, ctx),
            false => done(register, &pending.ask, *approval, ctx)?,
        });
    }
    Ok(events)
}

fn worded(reason: &str) -> String {
    match holds_card_number(reason) {
        true => "the terminal's words cannot be kept".to_owned(),
        false => bounded(reason),
    }
}

/// What follows where the open sale's question was answered with yes.
fn done(
    register: &Register,
    ask: &CardAsk,
    mut approval: CardApproval,
    ctx: &Context<'_>,
) -> Decision {
    let (amount, refund_of) = match &ask.work {
        CardWork::Pay { amount, .. } => {
            let tip = approval.tip.unwrap_or(Money::zero(amount.currency()));
            // Whatever a terminal charges beyond what was asked for is no part of the sale.
            let paid = least(approval.amount - tip, *amount);
            approval.tip = Some(approval.amount - paid).filter(|tip| !tip.is_zero());
            (paid, None)
        }
        CardWork::Refund { amount, of, .. } => (-least(approval.amount, *amount), Some(of.clone())),
        CardWork::Reverse { tender, .. } => {
            return Ok(vec![Event::TenderVoided {
                cart: ask.cart,
                number: tender.unwrap_or(0),
            }]);
        }
    };
    let tender = Tender::Card {
        amount,
        card: Box::new(CardPaid {
            number: ask.number,
            terminal: ask.terminal.clone(),
            approval,
            refund_of,
        }),
    };
    let asked_by = Cashier {
        employee: ask.by.clone(),
        name: ask.by.to_string(),
        role: catalog::Role::Cashier,
        since: ask.at,
    };
    let who = Who {
        cashier: register.cashier.as_ref().unwrap_or(&asked_by),
        approver: None,
    };
    tendered_by(register, &who, tender, ctx)
}

/// A charge of a sale that went on without it is taken back; money that was given back stays with the
/// person on whose list it is.
fn taken_back(
    register: &Register,
    ask: &CardAsk,
    approval: &CardApproval,
    ctx: &Context<'_>,
) -> Vec<Event> {
    let CardWork::Pay { .. } = ask.work else {
        return Vec::new();
    };
    let work = CardWork::Reverse {
        amount: approval.amount,
        original: approval.transaction.clone(),
        tender: None,
    };
    let ask = CardAsk {
        number: register.cards.asked + 1,
        work,
        at: ctx.now,
        ..ask.clone()
    };
    vec![Event::CardAsked { ask: Box::new(ask) }]
}

pub(crate) fn evolve(register: &mut Register, event: &Event) {
    let cards = &mut register.cards;
    match event {
        Event::CardAsked { ask } => {
            cards.asked = ask.number;
            let open = CardOpen {
                ask: ask.as_ref().clone(),
                doubt: None,
                cancelled: false,
            };
            match ask.work {
                CardWork::Reverse { tender: None, .. } => cards.put_aside(open),
                _ => cards.open = Some(Box::new(open)),
            }
        }
        Event::CardCancelled { number, .. } => {
            let open = cards.open.as_deref_mut();
            if let Some(open) = open.filter(|open| open.ask.number == *number) {
                open.cancelled = true;
            }
        }
        Event::CardAnswered { ask, answer, .. } => cards.answered(ask.number, answer),
        Event::CardLeft { ask, doubt, .. } => {
            cards.open.take_if(|open| open.ask.number == ask.number);
            // Who leaves the taking back of a tender counts that tender as paid: it must not be taken
            // back behind the sale.
            if !matches!(ask.work, CardWork::Reverse { .. }) {
                cards.put_aside(CardOpen {
                    ask: ask.as_ref().clone(),
                    doubt: Some(doubt.clone()),
                    cancelled: false,
                });
            }
        }
        _ => {}
    }
}

impl Cards {
    fn put_aside(&mut self, open: CardOpen) {
        self.left.insert(open.ask.number, open);
        while self.left.len() > CARDS_LEFT_MAX {
            self.left.pop_first();
        }
    }

    fn answered(&mut self, number: u64, answer: &CardAnswer) {
        let is_open = self.open.as_ref().is_some_and(|o| o.ask.number == number);
        if is_open {
            self.last = Some(answer.clone());
        }
        match (answer, self.open.as_deref_mut().filter(|_| is_open)) {
            (CardAnswer::Doubtful { reason }, Some(open)) => open.doubt = Some(reason.clone()),
            (CardAnswer::Doubtful { .. }, None) => {}
            (_, Some(_)) => self.open = None,
            (_, None) => {
                self.left.remove(&number);
            }
        }
    }
}
