//! Sales that are put aside and taken up again, here or on another lane.
//!
//! The event of putting aside carries the whole sale, so whoever holds it can go on. Two lanes that
//! cannot reach each other could both take one sale up; the store's books find that and put it
//! before a person.

use catalog::Action;

use crate::decide::Decision;
use crate::people::Who;
use crate::{Cart, Context, Event, Refusal, Register};

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
    Ok(vec![Event::Suspended {
        slip: slip(register, ctx),
        open: Box::new(cart.clone()),
        by: who.id(),
        at: ctx.now,
    }])
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
    let open = open.ok_or_else(|| Refusal::UnknownSlip {
        slip: slip.chars().take(40).collect(),
    })?;
    Ok(vec![Event::Resumed {
        slip: slip.to_owned(),
        open: Box::new(open),
        by: who.id(),
        at: ctx.now,
    }])
}

/// The running number in a slip's number, where it is one of this lane's.
pub(crate) fn number_on(slip: &str) -> Option<u64> {
    slip.rsplit_once('-')?.1.parse().ok()
}
