//! The drawer and the business day: what may be done with cash besides selling, and when.

use catalog::{Action, EmployeeId};
use money::Money;

use crate::decide::{Decision, bounded, parse_amount};
use crate::people::{Who, reasoned};
use crate::{BusinessDay, CashMovement, Context, CountedCash, Event, Refusal, Register, Why};

/// The most different values of one count.
const VALUES_MAX: usize = 64;
/// The most pieces of one value.
const PIECES_MAX: u32 = 1_000_000;
/// The most one cash movement may be, in minor units.
const MOVED_MINOR_MAX: i64 = 10_000_000_000;

/// The business day on which something happens now.
pub(crate) fn day(register: &Register, ctx: &Context<'_>) -> BusinessDay {
    match &register.day {
        Some(open) => open.clone(),
        None => ctx
            .now
            .business_day_from(ctx.reference.settings().day_starts_at_hour),
    }
}

pub(crate) fn open_day(
    register: &Register,
    who: &Who<'_>,
    day: Option<&BusinessDay>,
    ctx: &Context<'_>,
) -> Decision {
    who.may(Action::OpenDay, ctx)?;
    if let Some(open) = &register.day {
        return Err(Refusal::DayOpen { day: open.clone() });
    }
    let day = match day {
        Some(day) if day.is_date() => day.clone(),
        Some(day) => return Err(Refusal::BadDay { day: day.clone() }),
        None => self::day(register, ctx),
    };
    Ok(vec![Event::DayOpened {
        day,
        by: who.id(),
        at: ctx.now,
    }])
}

pub(crate) fn close_day(register: &Register, who: &Who<'_>, ctx: &Context<'_>) -> Decision {
    who.may(Action::CloseDay, ctx)?;
    let day = register.day.clone().ok_or(Refusal::NoDayOpen)?;
    if register.cart.is_some() {
        return Err(Refusal::SaleOpen);
    }
    if register.drawer.is_some() {
        return Err(Refusal::DrawerOpen);
    }
    Ok(vec![Event::DayClosed {
        day,
        unshared_receipts: ctx.shared.unshared_receipts(),
        by: who.id(),
        at: ctx.now,
    }])
}

pub(crate) fn open_drawer(
    register: &Register,
    who: &Who<'_>,
    float: &str,
    ctx: &Context<'_>,
) -> Decision {
    who.may(Action::OpenDrawer, ctx)?;
    if register.drawer.is_some() {
        return Err(Refusal::DrawerOpen);
    }
    Ok(vec![Event::DrawerOpened {
        float: moved(float, ctx)?,
        by: who.cashier.employee.clone(),
        at: ctx.now,
    }])
}

pub(crate) fn assign(
    register: &Register,
    who: &Who<'_>,
    employee: &EmployeeId,
    ctx: &Context<'_>,
) -> Decision {
    who.may(Action::AssignDrawer, ctx)?;
    if register.drawer.is_none() {
        return Err(Refusal::NoDrawer);
    }
    let found = ctx.reference.employee(employee);
    let found = found.ok_or_else(|| Refusal::UnknownEmployee {
        employee: employee.to_string(),
    })?;
    Ok(vec![Event::DrawerAssigned {
        employee: found.id,
        by: who.id(),
        at: ctx.now,
    }])
}

pub(crate) fn no_sale(
    register: &Register,
    who: &Who<'_>,
    reason: &str,
    ctx: &Context<'_>,
) -> Decision {
    who.may(Action::NoSale, ctx)?;
    if register.cart.is_some() {
        return Err(Refusal::SaleOpen);
    }
    Ok(vec![Event::NoSale {
        reason: reasoned(reason)?,
        by: who.id(),
        at: ctx.now,
    }])
}

pub(crate) fn move_cash(
    register: &Register,
    who: &Who<'_>,
    movement: CashMovement,
    amount: &str,
    reason: &str,
    ctx: &Context<'_>,
) -> Decision {
    let (action, reason) = match movement {
        CashMovement::Drop => (Action::Drop, bounded(reason)),
        CashMovement::PayIn => (Action::PayIn, reasoned(reason)?),
        CashMovement::PayOut => (Action::PayOut, reasoned(reason)?),
    };
    who.may(action, ctx)?;
    let drawer = register.drawer.as_ref().ok_or(Refusal::NoDrawer)?;
    let amount = moved(amount, ctx)?;
    if amount.is_zero() {
        return Err(Refusal::amount(Why::NothingMoved));
    }
    let out = movement != CashMovement::PayIn;
    if out && amount.minor() > drawer.cash_minor {
        return Err(Refusal::amount(Why::MoreThanInDrawer(amount)));
    }
    Ok(vec![Event::CashMoved {
        movement,
        amount,
        reason,
        by: who.id(),
        at: ctx.now,
    }])
}

pub(crate) fn count(
    register: &Register,
    who: &Who<'_>,
    counted: &[CountedCash],
    ctx: &Context<'_>,
) -> Decision {
    who.may(Action::CountDrawer, ctx)?;
    let drawer = register.drawer.as_ref().ok_or(Refusal::NoDrawer)?;
    if register.cart.is_some() {
        return Err(Refusal::SaleOpen);
    }
    let currency = ctx.reference.settings().currency;
    if counted.len() > VALUES_MAX {
        return Err(Refusal::amount(Why::CountTooLong(VALUES_MAX)));
    }
    let mut pieces: Vec<(Money, u32)> = Vec::with_capacity(counted.len());
    let mut sum = Money::zero(currency);
    for one in counted {
        let value = moved(&one.value, ctx)?;
        if value.is_zero() || one.pieces > PIECES_MAX {
            return Err(Refusal::amount(Why::NotCountable {
                pieces: one.pieces,
                value: one.value.clone(),
            }));
        }
        sum += value.times(i64::from(one.pieces));
        pieces.push((value, one.pieces));
    }
    pieces.sort_by_key(|(value, _)| std::cmp::Reverse(value.minor()));
    Ok(vec![Event::DrawerCounted {
        pieces,
        counted: sum,
        expected: Money::from_minor(drawer.cash_minor, currency),
        by: who.id(),
        at: ctx.now,
    }])
}

pub(crate) fn report_z(register: &Register, who: &Who<'_>, ctx: &Context<'_>) -> Decision {
    who.may(Action::ReportZ, ctx)?;
    if register.cart.is_some() {
        return Err(Refusal::SaleOpen);
    }
    let mut report = register.period.as_ref().clone();
    // Who lets the report be made does so in the period that it ends.
    report.approvals += u64::from(who.approver.is_some());
    Ok(vec![Event::ReportedZ {
        number: register.reports_z + 1,
        report: Box::new(report),
        by: who.id(),
        at: ctx.now,
    }])
}

fn moved(text: &str, ctx: &Context<'_>) -> Result<Money, Refusal> {
    let amount = parse_amount(text, Money::zero(ctx.reference.settings().currency))?;
    match amount.minor() <= MOVED_MINOR_MAX {
        true => Ok(amount),
        false => Err(Refusal::amount(Why::MoreThanHeld(amount))),
    }
}
