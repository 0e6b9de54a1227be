//! Goods that come back: what of a receipt can still be returned, and exactly what it cost.
//!
//! A line's amounts are divided over its units by a rule that does not depend on how many come back
//! at once: price, discount, deposit and tax of the first `n` of `N` units are each `n/N` of the
//! line's, rounded down. So parts in any order and number add up to the line, to the cent.

use std::collections::BTreeMap;

use catalog::Action;
use money::{Money, Quantity, Rounding, Unit};
use serde::{Deserialize, Serialize};

use crate::decide::{Decision, bounded, parse_quantity, paying, with_cart};
use crate::people::{Who, reasoned};
use crate::{
    Cart, Context, Event, LINES_MAX, Line, LineDetail, LineTotal, PartTotal, PromotionTotal,
    Receipt, Refusal, Register, TaxDetail, Unreceipted, goods,
};

/// A receipt as the store knows it, with what of it was returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoldReceipt {
    pub receipt: Receipt,
    /// Thousandths returned of each line so far, as far as this lane knows.
    pub returned_milli: BTreeMap<u32, i64>,
    /// What was given back to each of its card tenders so far, counted from 1, in minor units.
    pub refunded_minor: BTreeMap<u32, i64>,
}

/// What a return line is a return of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnOf {
    pub receipt: String,
    pub line: u32,
    /// Thousandths of that line that had come back before this.
    pub before_milli: i64,
    /// What is given back: the amounts of a sale, below zero.
    pub cost: LineTotal,
    pub reason: String,
    /// Whether the goods can be sold again and go back to stock.
    pub restock: bool,
    /// Set where there was no receipt; then `receipt` is empty and `line` 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreceipted: Option<Box<Unreceipted>>,
}

/// What comes back, as the command says it.
pub(crate) struct Asked<'a> {
    pub receipt: &'a str,
    pub line: u32,
    pub quantity: Option<&'a str>,
    pub reason: &'a str,
    pub restock: bool,
    pub serial: Option<&'a str>,
}

pub(crate) fn take_back(
    register: &Register,
    who: &Who<'_>,
    asked: &Asked<'_>,
    ctx: &Context<'_>,
) -> Decision {
    who.may(Action::Return, ctx)?;
    if let Some(refusal) = register.cart.as_ref().and_then(paying) {
        return Err(refusal);
    }
    let lines = register.cart.as_ref().map_or(0, |cart| cart.lines.len());
    if lines >= LINES_MAX {
        return Err(Refusal::CartFull { lines });
    }
    let number = u32::try_from(lines + 1).expect("bounded by LINES_MAX");
    let line = return_line(register, asked, number, ctx)?;
    with_cart(register, ctx, |cart| Event::LineAdded { cart, line })
}

fn return_line(
    register: &Register,
    asked: &Asked<'_>,
    number: u32,
    ctx: &Context<'_>,
) -> Result<Line, Refusal> {
    let reason = reasoned(asked.reason)?;
    let id = asked.receipt.trim();
    let sold = ctx
        .shared
        .receipt(id)
        .ok_or_else(|| Refusal::UnknownReceipt {
            receipt: id.chars().take(40).collect(),
        })?;
    let source = sold.receipt.lines.iter().find(|l| l.number == asked.line);
    let source = source.filter(|line| line.detail.returned.is_none());
    let source = source.ok_or(Refusal::NoSuchLine { line: asked.line })?;
    let item = ctx.reference.item(&source.item);
    let is_kept = item.is_some_and(|item| item.selling.not_returnable);
    if is_kept || source.detail.gift_card.is_some() {
        return Err(Refusal::NotReturnable {
            description: source.description.clone(),
        });
    }
    goods::same_piece(source, asked.serial, ctx)?;
    let known = sold.returned_milli.get(&asked.line).copied().unwrap_or(0);
    let before = known + in_cart(register.cart.as_ref(), id, asked.line);
    let whole = source.quantity.milli();
    let left = whole - before;
    let quantity = match asked.quantity {
        Some(text) => parse_quantity(text, source.quantity.unit())?,
        None => quantity(left, source.quantity.unit()),
    };
    let may = left > 0
        && quantity.milli() <= left
        && ctx.rights.may_refund(id, asked.line, quantity.milli());
    if !may {
        return Err(Refusal::AlreadyReturned {
            description: source.description.clone(),
            left: quantity_text(left.max(0), source.quantity.unit()),
        });
    }
    let total = sold
        .receipt
        .totals
        .lines
        .iter()
        .find(|l| l.line == asked.line);
    let total = total.ok_or(Refusal::NoSuchLine { line: asked.line })?;
    let cost = given_back(total, number, (before, before + quantity.milli()), whole);
    Ok(Line {
        number,
        quantity,
        price_override: None,
        voided: false,
        detail: LineDetail {
            returned: Some(Box::new(ReturnOf {
                receipt: id.to_owned(),
                line: asked.line,
                before_milli: before,
                cost,
                reason: bounded(&reason),
                restock: asked.restock,
                unreceipted: None,
            })),
            marks: source.detail.marks.clone(),
            kit: source.detail.kit.clone(),
            ..LineDetail::default()
        },
        ..source.clone()
    })
}

fn quantity(milli: i64, unit: Unit) -> Quantity {
    match unit {
        Unit::Each => Quantity::each(milli / 1000),
        Unit::Kilogram => Quantity::grams(milli),
    }
}

fn quantity_text(milli: i64, unit: Unit) -> String {
    quantity(milli, unit).to_string()
}

/// Refuses goods of which another lane has taken some back since they were put into this cart: what
/// is given back for them was worked out without that.
pub(crate) fn still_returnable(cart: &Cart, ctx: &Context<'_>) -> Result<(), Refusal> {
    let mut seen: Vec<(&str, u32)> = Vec::new();
    if planted::is("goods-taken-back-twice") {
        return Ok(());
    }
    for line in cart.live_lines() {
        let returned = line.detail.returned.as_ref();
        let Some(of) = returned.filter(|of| of.unreceipted.is_none()) else {
            continue;
        };
        // Only the first of several lines stands on what was known before this cart.
        if seen.contains(&(&of.receipt, of.line)) {
            continue;
        }
        seen.push((&of.receipt, of.line));
        let sold = ctx.shared.receipt(&of.receipt);
        let known = sold
            .as_ref()
            .and_then(|sold| sold.returned_milli.get(&of.line));
        let known = known.copied().unwrap_or(0);
        if known <= of.before_milli {
            continue;
        }
        let source = sold.iter().flat_map(|sold| &sold.receipt.lines);
        let whole = source
            .filter(|source| source.number == of.line)
            .map(|source| source.quantity.milli());
        let left = whole.sum::<i64>() - known;
        return Err(Refusal::AlreadyReturned {
            description: line.description.clone(),
            left: quantity_text(left.max(0), line.quantity.unit()),
        });
    }
    Ok(())
}

/// What the open cart already takes back of a line.
fn in_cart(cart: Option<&Cart>, receipt: &str, line: u32) -> i64 {
    let lines = cart.into_iter().flat_map(Cart::live_lines);
    lines
        .filter(|own| {
            let returned = own.detail.returned.as_ref();
            returned.is_some_and(|of| of.receipt == receipt && of.line == line)
        })
        .map(|own| own.quantity.milli())
        .sum()
}

/// The amounts of a line for the units after the first `from` up to `to` of `whole`, in thousandths,
/// below zero.
pub(crate) fn given_back(
    total: &LineTotal,
    line: u32,
    (from, to): (i64, i64),
    whole: i64,
) -> LineTotal {
    let part = |amount: Money| {
        let up_to = |milli| amount.ratio(milli, whole, Rounding::Down);
        up_to(from) - up_to(to)
    };
    let promotions: Vec<PromotionTotal> = total
        .promotions
        .iter()
        .map(|promotion| PromotionTotal {
            amount: part(promotion.amount),
            ..promotion.clone()
        })
        .collect();
    let tax_parts: Vec<PartTotal> = total
        .tax_detail
        .parts
        .iter()
        .map(|of| PartTotal {
            taxable: part(of.taxable),
            amount: part(of.amount),
            ..of.clone()
        })
        .collect();
    let zero = Money::zero(total.extended.currency());
    LineTotal {
        line,
        extended: part(total.extended),
        // The parts of each promotion are rounded on their own, so they make the discount.
        discount: match promotions.first() {
            Some(_) => promotions.iter().fold(zero, |sum, p| sum + p.amount),
            None => part(total.discount),
        },
        deposit: part(total.deposit),
        // So do the parts of the tax.
        tax: match tax_parts.first() {
            Some(_) => tax_parts.iter().fold(zero, |sum, p| sum + p.amount),
            None => part(total.tax),
        },
        promotions,
        tax_detail: TaxDetail {
            parts: tax_parts,
            ..total.tax_detail.clone()
        },
    }
}
