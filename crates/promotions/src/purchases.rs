//! What must be bought for a coupon whose code says so, and whether it is in the basket.
//!
//! Goods count by the company in their GTIN and at their price before discounts. Which of a
//! company's goods a family code means is not known here: all of them count. Purchases that must all
//! be made never count the same goods twice, and neither do several of the same coupon.

use catalog::{Least, Purchase, Purchases};

use crate::conditions::Short;
use crate::{Basket, BasketLine};

impl Basket {
    /// How many of the handed coupons with this code are good: all of those that ask for nothing,
    /// and as many of the others as the basket has the purchases for.
    pub fn coupons_good(&self, code: &str) -> u32 {
        let handed = self.coupons.get(code).copied().unwrap_or(0);
        let asking = self.asks.get(code).map_or(&[][..], Vec::as_slice);
        let met = (1..)
            .zip(asking)
            .take_while(|(times, asks)| wanting(self, asks, *times).is_none());
        let unmet = u32::try_from(asking.len() - met.count()).unwrap_or(u32::MAX);
        handed.saturating_sub(unmet)
    }

    /// What is wanting for the first coupon with this code; `None` where one is good.
    pub(crate) fn coupon_wanting(&self, code: &str) -> Option<Short> {
        let asks = self.asks.get(code)?.first()?;
        match self.coupons_good(code) {
            0 => wanting(self, asks, 1),
            _ => None,
        }
    }
}

/// What is wanting for so many coupons that ask this; of several ways to it, of the first.
fn wanting(basket: &Basket, asks: &Purchases, times: i64) -> Option<Short> {
    let mut first = None;
    for all in asks.alternatives() {
        let short = all
            .iter()
            .find_map(|purchase| wanting_of(basket, purchase, &all, times))?;
        first = first.or(Some(short));
    }
    first
}

/// What is wanting of a purchase where all of these must be made.
fn wanting_of(
    basket: &Basket,
    purchase: &Purchase,
    all: &[&Purchase],
    times: i64,
) -> Option<Short> {
    let of_company = || {
        let goods = basket.lines.iter().filter(|line| !line.fee);
        goods.filter(|line| line.gtin.is_some_and(|gtin| purchase.is_of_company(gtin)))
    };
    let sum = |amount: fn(Least) -> i64| -> i64 {
        let same = all.iter().filter(|other| other.company == purchase.company);
        same.map(|other| amount(other.least)).sum::<i64>() * times
    };
    let (there, wanted, short): (i64, i64, fn(i64) -> Short) = match purchase.least {
        Least::Units(_) => {
            let wanted = sum(|least| match least {
                Least::Units(units) => units,
                _ => 0,
            });
            (added(of_company(), pieces), wanted, Short::Units)
        }
        Least::Spend(_) => {
            let wanted = sum(|least| match least {
                Least::Spend(minor) => minor,
                _ => 0,
            });
            (added(of_company(), minor), wanted, Short::Spend)
        }
        Least::Grams(_) => {
            let wanted = sum(|least| match least {
                Least::Grams(grams) => grams,
                _ => 0,
            });
            (added(of_company(), grams), wanted, Short::Grams)
        }
        Least::Sale(wanted) => {
            let goods = basket.lines.iter().filter(|line| !line.fee);
            (added(goods, minor), wanted * times, Short::Spend)
        }
        Least::CashierLooks => return None,
    };
    (there < wanted).then(|| short(wanted - there))
}

fn added<'a>(lines: impl Iterator<Item = &'a BasketLine>, of: fn(&BasketLine) -> i64) -> i64 {
    lines.map(of).fold(0, i64::saturating_add)
}

/// What is weighed is one piece.
fn pieces(line: &BasketLine) -> i64 {
    line.quantity.pieces().unwrap_or(1).max(0)
}

fn minor(line: &BasketLine) -> i64 {
    line.extended.minor().max(0)
}

fn grams(line: &BasketLine) -> i64 {
    match line.quantity.pieces() {
        Some(_) => 0,
        None => line.quantity.milli().max(0),
    }
}
