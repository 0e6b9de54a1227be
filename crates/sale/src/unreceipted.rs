//! Goods that come back without a receipt: from somebody who is identified, for what they cost now,
//! under the limits of the store's settings.
//!
//! What was given back without a receipt to one customer, or on one document, on a business day is
//! counted by the books; what lanes that cannot reach each other give beyond the limit is found there.

use catalog::{Action, CustomerId, EmployeeId, UnreceiptedReturns};
use money::Money;
use serde::{Deserialize, Serialize};

use crate::decide::{Decision, bounded, paying, with_cart};
use crate::lines::holds_card_number;
use crate::people::{Who, reasoned};
use crate::price_check::alone;
use crate::returns::given_back;
use crate::scan::{Given, find_item, line_for};
use crate::{
    BusinessDay, Cart, Context, Event, LINES_MAX, Line, Receipt, Refusal, Register, ReturnOf, Why,
    drawer, goods, price,
};

/// The longest note of a document, in characters.
const DOCUMENT_CHARS_MAX: usize = 60;

/// That goods came back without a receipt: from whom, and who answers for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreceipted {
    pub from: Returner,
    pub by: EmployeeId,
}

/// Who brings goods back without a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Returner {
    Customer {
        customer: CustomerId,
    },
    /// Somebody who showed a document.
    Document {
        /// Which, such as `passport C01X0006H`; never the number of a card.
        note: String,
    },
}

impl Returner {
    /// By what the books count what they were given. The same document written otherwise is the same.
    pub fn key(&self) -> String {
        match self {
            Returner::Customer { customer } => format!("customer/{customer}"),
            Returner::Document { note } => {
                let letters = note.chars().filter(|c| c.is_alphanumeric());
                let letters: String = letters.flat_map(char::to_uppercase).collect();
                format!("document/{letters}")
            }
        }
    }
}

/// What comes back, as the command says it.
pub(crate) struct Asked<'a> {
    pub code: &'a str,
    pub given: Given<'a>,
    pub document: Option<&'a str>,
    pub reason: &'a str,
    pub restock: bool,
}

pub(crate) fn take_back(
    register: &Register,
    who: &Who<'_>,
    asked: &Asked<'_>,
    ctx: &Context<'_>,
) -> Decision {
    who.may(Action::ReturnUnreceipted, ctx)?;
    let cart = register.cart.as_ref();
    if let Some(refusal) = cart.and_then(paying) {
        return Err(refusal);
    }
    let lines = cart.map_or(0, |cart| cart.lines.len());
    if lines >= LINES_MAX {
        return Err(Refusal::CartFull { lines });
    }
    let unreceipted = Unreceipted {
        from: returner(asked.document, cart)?,
        by: who.id(),
    };
    let reason = reasoned(asked.reason)?;
    let number = u32::try_from(lines + 1).expect("bounded by LINES_MAX");
    let mut line = goods_of(register, asked, number, ctx)?;
    let sold = price(
        &alone(register, vec![line.clone()], ctx),
        ctx.book,
        ctx.now,
        ctx.reference.settings().currency,
    );
    let whole = line.quantity.milli();
    line.detail.returned = Some(Box::new(ReturnOf {
        receipt: String::new(),
        line: 0,
        before_milli: 0,
        cost: given_back(&sold.lines[0], number, (0, whole), whole),
        reason,
        restock: asked.restock,
        unreceipted: Some(Box::new(unreceipted)),
    }));
    let day = match cart {
        Some(cart) => cart.day.clone(),
        None => drawer::day(register, ctx),
    };
    within_limits(cart, &line, &day, ctx)?;
    with_cart(register, ctx, |cart| Event::LineAdded { cart, line })
}

/// The goods as they would be sold now. Recalled ones and those past their date are taken back, too.
fn goods_of(
    register: &Register,
    asked: &Asked<'_>,
    number: u32,
    ctx: &Context<'_>,
) -> Result<Line, Refusal> {
    let code = asked.code.trim();
    let mut found = find_item(code, ctx)?;
    if found.item.selling.not_returnable || found.item.selling.gift_card {
        return Err(Refusal::NotReturnable {
            description: found.item.description,
        });
    }
    let cart = register.cart.as_ref();
    goods::asked_for(&mut found, code, &asked.given, cart, ctx)?;
    line_for(found, code, number, asked.given.quantity, cart, ctx)
}

/// Whoever showed a document, or the customer of the sale.
fn returner(document: Option<&str>, cart: Option<&Cart>) -> Result<Returner, Refusal> {
    let Some(text) = document else {
        let customer = cart.and_then(|cart| cart.customer.as_ref());
        let (customer, _, _) = customer.ok_or(Refusal::NotIdentified)?;
        return Ok(Returner::Customer {
            customer: customer.clone(),
        });
    };
    let text: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    if !text.chars().any(char::is_alphanumeric) {
        return Err(Refusal::NotIdentified);
    }
    if text.chars().count() > DOCUMENT_CHARS_MAX {
        return Err(Refusal::note(Why::DocumentTooLong(DOCUMENT_CHARS_MAX)));
    }
    if holds_card_number(&text) {
        return Err(Refusal::note(Why::CardNumber));
    }
    Ok(Returner::Document {
        note: bounded(&text),
    })
}

impl Line {
    /// By whom it was brought back, where that was without a receipt.
    pub fn unreceipted(&self) -> Option<&Unreceipted> {
        self.detail.returned.as_ref()?.unreceipted.as_deref()
    }

    /// What is given back for it, in minor units; 0 for what is sold.
    fn given_back_minor(&self) -> i64 {
        let Some(of) = &self.detail.returned else {
            return 0;
        };
        let cost = &of.cost;
        let added = if self.tax.included {
            0
        } else {
            cost.tax.minor()
        };
        let parts = [cost.net().minor(), cost.deposit.minor(), added];
        parts.into_iter().fold(0, i64::saturating_sub)
    }
}

impl Receipt {
    /// What it gives back without a receipt, in minor units, each with the key of who was given it.
    pub fn unreceipted(&self) -> impl Iterator<Item = (String, i64)> {
        self.lines.iter().filter_map(given)
    }
}

fn given(line: &Line) -> Option<(String, i64)> {
    let from = &line.unreceipted()?.from;
    Some((from.key(), line.given_back_minor()))
}

/// What a sale gives back without a receipt, in minor units.
fn of_cart(cart: &Cart) -> i64 {
    let sums = cart.live_lines().filter_map(given);
    sums.fold(0, |sum, (_, minor)| sum.saturating_add(minor))
}

/// Whether a line more is within the limits of a return and of a day.
fn within_limits(
    cart: Option<&Cart>,
    line: &Line,
    day: &BusinessDay,
    ctx: &Context<'_>,
) -> Result<(), Refusal> {
    let settings = ctx.reference.settings();
    let limits = &settings.unreceipted_returns;
    let (key, asked) = given(line).expect("it comes back without a receipt");
    let before = cart.map_or(0, of_cart);
    let lines = cart.into_iter().flat_map(Cart::live_lines);
    let here = lines.filter_map(given).filter(|(of, _)| *of == key);
    let here = here.fold(0, |sum: i64, (_, minor)| sum.saturating_add(minor));
    let today = ctx.shared.unreceipted_minor(day, &key).saturating_add(here);
    let left = least_left(limits, before, today);
    match asked <= left {
        true => Ok(()),
        false => Err(Refusal::ReturnLimit {
            left: Money::from_minor(left, settings.currency),
        }),
    }
}

fn least_left(limits: &UnreceiptedReturns, before: i64, today: i64) -> i64 {
    let of_return = limits.return_max_minor.saturating_sub(before);
    let of_day = limits.day_max_minor.saturating_sub(today);
    of_return.min(of_day).max(0)
}

/// Refuses what other lanes have left no room for since it was put into this cart.
pub(crate) fn still_within_limits(cart: &Cart, ctx: &Context<'_>) -> Result<(), Refusal> {
    let settings = ctx.reference.settings();
    let mut sums: Vec<(String, i64)> = Vec::new();
    for (key, minor) in cart.live_lines().filter_map(given) {
        match sums.iter_mut().find(|(of, _)| *of == key) {
            Some((_, sum)) => *sum = sum.saturating_add(minor),
            None => sums.push((key, minor)),
        }
    }
    for (key, minor) in sums {
        let today = ctx.shared.unreceipted_minor(&cart.day, &key);
        let left = settings.unreceipted_returns.day_max_minor - today;
        if minor > left {
            return Err(Refusal::ReturnLimit {
                left: Money::from_minor(left.max(0), settings.currency),
            });
        }
    }
    Ok(())
}

/// Whether so much may be given back with a tender, `amount` over zero, of a sale that owes the
/// customer `owed` in all. What comes back with a receipt, and goods that are bought, leave the limits
/// as they are: only what is left of the rest counts for them.
pub(crate) fn may_give(
    cart: &Cart,
    tender: &str,
    amount: Money,
    owed: Money,
    limits: &UnreceiptedReturns,
) -> Result<(), Refusal> {
    let bound = of_cart(cart).min(owed.minor());
    if bound <= 0 {
        return Ok(());
    }
    let free = owed.minor().saturating_sub(bound);
    let given = |counts: &dyn Fn(&str) -> bool| -> i64 {
        let tenders = cart.tenders.iter().filter(|t| counts(t.kind()));
        tenders.fold(0, |sum: i64, t| sum.saturating_sub(t.amount().minor()))
    };
    let allowed = limits.tenders.contains(tender);
    let most = match (allowed, tender) {
        (true, "cash") => {
            let of_cash = free.saturating_add(limits.cash_max_minor);
            of_cash.saturating_sub(given(&|kind| kind == "cash"))
        }
        (true, _) => return Ok(()),
        (false, _) => {
            let other = |kind: &str| kind != "rounding" && !limits.tenders.contains(kind);
            free.saturating_sub(given(&other))
        }
    };
    match amount.minor() <= most {
        true => Ok(()),
        false => Err(Refusal::RefundLimit {
            tender: tender.to_owned(),
            left: Money::from_minor(most.max(0), amount.currency()),
        }),
    }
}
