//! Loyalty points: promotions give them to the customer of a sale, and where the settings say what they
//! are worth, they pay like money.
//!
//! What a customer has is kept with what credit notes hold, under a key that is no number of a note, and
//! is counted in points. What comes back takes the points with it that it earned, in proportion to what it
//! cost; who spent them before then has less than none.
//!
//! A lane that is cut off from the store takes no points ([`crate::Rights::may_spend`]).

use std::collections::BTreeMap;

use catalog::{CustomerId, PointsWorth};
use money::{Money, Rounding};

use crate::{Cart, Context, Receipt, Refusal, Tender, Why};

/// No number of a credit note begins like this.
const KEY: &str = "points:";

/// Under what a customer's points are kept with what credit notes hold, see
/// [`crate::Shared::credit_minor`].
pub fn points_key(customer: &CustomerId) -> String {
    format!("{KEY}{customer}")
}

/// The customer whose points have this key.
pub fn customer_of_points(key: &str) -> Option<&str> {
    key.strip_prefix(KEY)
}

impl Receipt {
    /// The points that its customer has more once it is paid; below zero where they spent more than they
    /// earned.
    pub fn points_moved(&self) -> i64 {
        let spent = self.tenders.iter().map(|tender| match tender {
            Tender::Points { points, .. } => *points,
            _ => 0,
        });
        spent.fold(self.totals.points_total(), i64::saturating_sub)
    }

    /// The points that go back with its goods, where so many thousandths of its lines came back: all that
    /// it gave once all of them are back.
    pub fn points_back(&self, returned_milli: &BTreeMap<u32, i64>) -> i64 {
        let given = self.totals.points_total();
        if given <= 0 || returned_milli.is_empty() {
            return 0;
        }
        let (mut cost, mut back) = (0_i128, 0_i128);
        let sold = self.lines.iter().filter(|l| l.detail.returned.is_none());
        for line in sold {
            let total = self.totals.lines.iter().find(|t| t.line == line.number);
            let net = total.map_or(0, |total| i128::from(total.net().minor().max(0)));
            let milli = i128::from(line.quantity.milli()).max(1);
            let returned = returned_milli.get(&line.number).copied().unwrap_or(0);
            cost += net;
            back += net * i128::from(returned).clamp(0, milli) / milli;
        }
        if cost == 0 {
            return 0;
        }
        let points = i128::from(given) * back / cost;
        i64::try_from(points).expect("no more than were given")
    }
}

/// The customer of the sale, and what points are worth.
fn rules(cart: &Cart, ctx: &Context<'_>) -> Result<(CustomerId, PointsWorth), Refusal> {
    let worth = ctx.reference.settings().points;
    let customer = cart.customer.as_ref().map(|(id, _, _)| id.clone());
    let customer = customer.filter(|_| worth.worth_minor > 0 && worth.is_sound());
    Ok((customer.ok_or(Refusal::NoPoints)?, worth))
}

/// What a customer has, as far as this lane knows, less what the open sale has spent.
fn balance(cart: &Cart, customer: &CustomerId, ctx: &Context<'_>) -> i64 {
    let known = ctx.shared.credit_minor(&points_key(customer)).unwrap_or(0);
    let here = cart.tenders.iter().map(|tender| match tender {
        Tender::Points {
            customer: who,
            points,
            ..
        } if who == customer => *points,
        _ => 0,
    });
    here.fold(known, i64::saturating_sub)
}

/// Pays with points: so much, or without an amount as many steps as there are and `due` takes.
pub(crate) fn spend(
    cart: &Cart,
    amount: Option<Money>,
    due: Money,
    ctx: &Context<'_>,
) -> Result<Tender, Refusal> {
    let (customer, worth) = rules(cart, ctx)?;
    let step = i64::from(worth.step);
    let has = balance(cart, &customer, ctx);
    let steps = match amount {
        Some(amount) if amount.minor() % worth.worth_minor != 0 => {
            let one = Money::from_minor(worth.worth_minor, due.currency());
            return Err(Refusal::amount(Why::PointSteps(one)));
        }
        Some(amount) => amount.minor() / worth.worth_minor,
        None => (due.minor() / worth.worth_minor).min(has / step),
    };
    let points = steps.saturating_mul(step);
    if steps <= 0 || points > has {
        return Err(Refusal::PointsTooFew {
            points: has,
            step: worth.step,
        });
    }
    if !ctx.rights.may_spend(&points_key(&customer), points) {
        return Err(Refusal::PointsCutOff);
    }
    Ok(Tender::Points {
        customer,
        points,
        amount: Money::from_minor(steps.saturating_mul(worth.worth_minor), due.currency()),
        left: has - points,
    })
}

/// Gives money back as points: `amount` is below zero.
pub(crate) fn give_back(cart: &Cart, amount: Money, ctx: &Context<'_>) -> Result<Tender, Refusal> {
    let (customer, worth) = rules(cart, ctx)?;
    let points = amount.ratio(i64::from(worth.step), worth.worth_minor, Rounding::HalfUp);
    let points = points.minor();
    Ok(Tender::Points {
        left: balance(cart, &customer, ctx).saturating_sub(points),
        customer,
        points,
        amount,
    })
}
