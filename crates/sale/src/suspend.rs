//! Sales that are put aside and taken up again, here or on another lane.
//!
//! The event of putting aside carries the whole sale, so whoever holds it can go on. Two lanes that
//! cannot reach each other could both take one sale up; the store's books find that and put it
//! before a person.
//!
//! A sale can also be kept as an open document: as a quote, whose prices hold until a day, or as an order
//! that a customer collects. Both are put aside in the same way, with what was paid so far, and taken up
//! to be sold. A quote that is taken up after its day costs what it costs then.

use catalog::Action;
use money::Money;
use serde::{Deserialize, Serialize};

use crate::decide::{Decision, paying};
use crate::people::Who;
use crate::{BusinessDay, Cart, Context, Event, Refusal, Register, drawer, price, requote};

/// What an open document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// Its prices hold until its day.
    Quote,
    /// A customer collects it on its day.
    Order,
}

/// A sale that is kept as an open document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub kind: DocumentKind,
    pub until: Option<BusinessDay>,
    /// What it costs, as the customer was told.
    pub due: Money,
}

/// The letter before a slip's number, so that no receipt and no item is taken for one.
const SLIP: &str = "S";

/// The number on the slip of the lane's next suspended sale.
fn slip(register: &Register, ctx: &Context<'_>) -> String {
    format!("{SLIP}{}-{}", ctx.lane_number, register.slips + 1)
}

/// Whether a text is the number of a slip: `S3-17`.
pub(crate) fn is_slip(text: &str) -> bool {
    let digits = |part: &str| {
        !part.is_empty() && part.len() <= 18 && part.bytes().all(|b| b.is_ascii_digit())
    };
    text.strip_prefix(SLIP)
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(lane, number)| digits(lane) && digits(number))
}

pub(crate) fn suspend(register: &Register, who: &Who<'_>, ctx: &Context<'_>) -> Decision {
    let cart = register.cart.as_ref().ok_or(Refusal::NoSale)?;
    who.may(Action::Suspend, ctx)?;
    Ok(put_aside(register, who, cart.clone(), ctx))
}

fn put_aside(register: &Register, who: &Who<'_>, cart: Cart, ctx: &Context<'_>) -> Vec<Event> {
    vec![Event::Suspended {
        slip: slip(register, ctx),
        open: Box::new(cart),
        by: who.id(),
        at: ctx.now,
    }]
}

/// Keeps the open sale as a document.
pub(crate) fn keep(
    register: &Register,
    who: &Who<'_>,
    kind: DocumentKind,
    until: Option<&BusinessDay>,
    ctx: &Context<'_>,
) -> Decision {
    let cart = register.cart.as_ref().ok_or(Refusal::NoSale)?;
    who.may(Action::Suspend, ctx)?;
    if cart.live_lines().next().is_none() {
        return Err(Refusal::NothingToPay);
    }
    match (kind, paying(cart)) {
        (DocumentKind::Quote, Some(refusal)) => return Err(refusal),
        (DocumentKind::Order, _) if cart.customer.is_none() => return Err(Refusal::CustomerNeeded),
        _ => {}
    }
    let until = until.map(|day| match day.is_date() && *day >= cart.day {
        true => Ok(day.clone()),
        false => Err(Refusal::BadDay { day: day.clone() }),
    });
    let currency = ctx.reference.settings().currency;
    let mut kept = cart.clone();
    kept.kept = Some(Box::new(Kept {
        kind,
        until: until.transpose()?,
        due: price(cart, ctx.book, ctx.now, currency).total,
    }));
    Ok(put_aside(register, who, kept, ctx))
}

pub(crate) fn resume(
    register: &Register,
    who: &Who<'_>,
    slip: &str,
    ctx: &Context<'_>,
) -> Decision {
    if register.cart.is_some() {
        return Err(Refusal::SaleOpen);
    }
    who.may(Action::Resume, ctx)?;
    let slip = slip.trim();
    let open: Option<Cart> = ctx.shared.suspended(slip);
    let mut open = open.ok_or_else(|| Refusal::UnknownSlip {
        slip: slip.chars().take(40).collect(),
    })?;
    let kept = open.kept.take();
    let today = drawer::day(register, ctx);
    let is_over = |kept: &Kept| {
        let is_quote = kept.kind == DocumentKind::Quote;
        is_quote && kept.until.as_ref().is_some_and(|until| *until < today)
    };
    let anew = kept.filter(|kept| is_over(kept));
    let anew = anew.and_then(|kept| requote::costs_now(&open, kept.due, ctx));
    let mut events = vec![Event::Resumed {
        slip: slip.to_owned(),
        open: Box::new(open),
        by: who.id(),
        at: ctx.now,
    }];
    events.extend(anew);
    Ok(events)
}

/// The running number in a slip's number, where it is one of this lane's.
pub(crate) fn number_on(slip: &str) -> Option<u64> {
    slip.rsplit_once('-')?.1.parse().ok()
}
