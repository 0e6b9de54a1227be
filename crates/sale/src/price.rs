//! What a cart costs: promotions, deposits and tax per line, and the sums.
//!
//! A pure function of the cart, the promotion book that the cart pinned and a moment, so the same
//! cart costs the same on every lane and when head office computes it again.

use std::collections::BTreeMap;

use catalog::{CodeRules, Gtin, ItemCode, ScannedCode, TaxId};
use money::{Currency, Money, Rate};
use promotions::{
    Applied, Basket, BasketLine, CompiledBook, Customer, Hint, PromotionId, evaluate,
};
use serde::{Deserialize, Serialize};

use crate::terms::{self, is_plain};
use crate::{Cart, Line, LocalTime, PartTotal, TaxDetail, tax};

/// One line's part of the totals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTotal {
    pub line: u32,
    /// Unit price × quantity.
    pub extended: Money,
    /// What promotions take off, positive.
    pub discount: Money,
    pub deposit: Money,
    /// Tax on extended − discount, and on the deposit where that is set: added to it, or contained
    /// in it where the category says so.
    pub tax: Money,
    /// What each promotion takes off this line, positive, in the order of the promotions' ids; the
    /// sum is `discount`. Empty on receipts from before it was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<PromotionTotal>,
    #[serde(default, skip_serializing_if = "TaxDetail::is_plain")]
    pub tax_detail: TaxDetail,
}

impl LineTotal {
    /// What the line costs before added tax and deposit.
    pub fn net(&self) -> Money {
        self.extended - self.discount
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionTotal {
    pub promotion: String,
    pub name: String,
    /// What it takes off, positive.
    pub amount: Money,
    /// How often it was given; 0 for a part of it, and on receipts from before it was kept.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub times: u32,
}

/// Loyalty points that a promotion gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointsTotal {
    pub promotion: String,
    pub name: String,
    pub points: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxTotal {
    pub tax: TaxId,
    pub name: String,
    pub rate: Rate,
    pub included: bool,
    pub taxable: Money,
    pub amount: Money,
    /// Nothing was added, because the customer showed a certificate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exempt: bool,
    /// What each authority takes, where there are several; the sum is `amount`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartTotal>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub lines: Vec<LineTotal>,
    pub promotions: Vec<PromotionTotal>,
    pub taxes: Vec<TaxTotal>,
    /// Σ extended.
    pub gross: Money,
    /// Σ discount, positive.
    pub discount: Money,
    /// Σ deposits.
    pub deposits: Money,
    /// Tax that is added on top.
    pub tax_added: Money,
    /// Tax that the prices contain.
    pub tax_included: Money,
    /// gross − discount + deposits + tax added.
    pub total: Money,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<PointsTotal>,
    /// Codes of the coupons for next time that are handed out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_coupons: Vec<String>,
}

impl Totals {
    /// The promotions that gave something: money, points or a coupon for next time.
    pub(crate) fn given(&self) -> impl Iterator<Item = &str> {
        let money = self.promotions.iter().map(|p| p.promotion.as_str());
        money.chain(self.points.iter().map(|p| p.promotion.as_str()))
    }

    /// All loyalty points.
    pub fn points_total(&self) -> i64 {
        let points = self.points.iter().map(|points| points.points);
        points.fold(0, i64::saturating_add)
    }
}

/// Whether the promotion engine is asked about a line.
fn is_promoted(line: &Line) -> bool {
    line.detail.returned.is_none() && line.detail.gift_card.is_none()
}

/// What the promotion engine is asked about: the lines that sell, and the terms of the sale. What
/// comes back costs what it cost, and a gift card what it holds; no promotion of today counts them.
pub fn basket_of(cart: &Cart, currency: Currency) -> Basket {
    let sold = cart.live_lines().filter(|line| is_promoted(line));
    let mut basket = Basket::new(currency, sold.map(basket_line).collect());
    terms::apply(&cart.terms, &mut basket);
    if !basket.asks.is_empty() {
        let sold = cart.live_lines().filter(|line| is_promoted(line));
        for (priced, line) in basket.lines.iter_mut().zip(sold) {
            priced.gtin = gtin_of(&line.code, currency);
        }
    }
    basket
}

/// The number on the goods, where it was what was scanned.
fn gtin_of(scanned: &str, currency: Currency) -> Option<Gtin> {
    let rules = CodeRules {
        layouts: &[],
        currency,
        // Dates do not matter here.
        this_year: 2000,
    };
    match ScannedCode::parse(scanned, &rules).ok()? {
        ScannedCode::Item(item) => match item.code {
            ItemCode::Gtin(gtin) => Some(gtin),
            _ => None,
        },
        ScannedCode::Coupon(_) => None,
    }
}

/// Who buys, as the promotion engine sees it.
pub fn shopper_of(cart: &Cart) -> Customer {
    let Some((id, _, tier)) = &cart.customer else {
        return Customer::default();
    };
    let standing = &cart.terms.standing;
    let given = standing.history.given.iter();
    Customer {
        id: Some(id.clone()),
        tier: Some(*tier),
        groups: standing.groups.clone(),
        employee: standing.employee,
        contracts: standing.contracts.clone(),
        first_purchase: standing.history.receipts == 0,
        birthday: standing.birthday,
        spent_minor: standing.history.spent_minor,
        bought: standing.bought.clone(),
        given: given
            .map(|(id, times)| (PromotionId(id.clone()), *times))
            .collect(),
    }
}

/// What the customer could still get for a little more; `totals` is what the cart costs.
pub fn hints(cart: &Cart, book: &CompiledBook, at: LocalTime, totals: &Totals) -> Vec<Hint> {
    let basket = basket_of(cart, totals.total.currency());
    let given = |id: &PromotionId| totals.given().any(|given| given == id.0);
    promotions::hints(book, &basket, &shopper_of(cart), at.into(), &given)
}

/// Prices the live lines of a cart. `currency` is the store's.
pub fn price(cart: &Cart, book: &CompiledBook, at: LocalTime, currency: Currency) -> Totals {
    let live: Vec<&Line> = cart.live_lines().collect();
    let basket = basket_of(cart, currency);
    let pricing = evaluate(book, &basket, &shopper_of(cart), at.into());

    let zero = Money::zero(currency);
    let mut totals = Totals {
        lines: Vec::with_capacity(live.len()),
        promotions: Vec::with_capacity(pricing.applied.len()),
        taxes: Vec::new(),
        gross: zero,
        discount: zero,
        deposits: zero,
        tax_added: zero,
        tax_included: zero,
        total: zero,
        points: pricing.points.iter().map(points_total).collect(),
        next_coupons: pricing
            .next_coupons
            .iter()
            .map(|c| c.code.clone())
            .collect(),
    };
    let mut discounts: BTreeMap<u32, Vec<PromotionTotal>> = BTreeMap::new();
    for applied in &pricing.applied {
        for (line, amount) in &applied.per_line {
            let of_line = discounts.entry(*line).or_default();
            of_line.push(promotion_total(applied, *amount));
        }
        let whole = PromotionTotal {
            times: applied.times,
            ..promotion_total(applied, applied.amount)
        };
        totals.promotions.push(whole);
    }
    let sold = live.iter().filter(|l| l.detail.returned.is_none());
    let mut promoted = basket.lines.iter();
    let mut sold: Vec<(&Line, LineTotal)> = sold
        .map(|line| {
            let extended = match is_promoted(line) {
                true => promoted.next().expect("it is in the basket").extended,
                // One piece: the card.
                false => line.unit_price,
            };
            let promotions = discounts.remove(&line.number).unwrap_or_default();
            (*line, line_total(line, extended, promotions))
        })
        .collect();
    tax::assess(cart, &mut sold, at);
    let mut sold = sold.into_iter().map(|(_, total)| total);
    let mut taxes: BTreeMap<TaxKey, TaxTotal> = BTreeMap::new();
    for line in &live {
        let total = match &line.detail.returned {
            Some(of) => {
                add_promotions(&mut totals.promotions, &of.cost);
                of.cost.clone()
            }
            None => sold.next().expect("every line that sells was priced"),
        };
        add_tax(&mut taxes, line, &total);
        totals.gross += total.extended;
        totals.discount += total.discount;
        totals.deposits += total.deposit;
        if line.tax.included {
            totals.tax_included += total.tax;
        } else {
            totals.tax_added += total.tax;
        }
        totals.lines.push(total);
    }
    totals.taxes = taxes.into_values().collect();
    totals.total = totals.gross - totals.discount + totals.deposits + totals.tax_added;
    totals
}

fn basket_line(line: &Line) -> BasketLine {
    BasketLine {
        brand: line.brand.clone(),
        floor: line.detail.floor,
        tax: Some((line.tax.rate, line.tax.included)),
        ..BasketLine::new(
            line.number,
            line.item.clone(),
            line.department.clone(),
            line.quantity,
            line.unit_price,
        )
    }
}

/// What comes back was bought with promotions: their sums go down by as much.
fn add_promotions(sums: &mut Vec<PromotionTotal>, returned: &LineTotal) {
    for part in &returned.promotions {
        match sums.iter_mut().find(|sum| sum.promotion == part.promotion) {
            Some(sum) => sum.amount += part.amount,
            None => sums.push(part.clone()),
        }
    }
}

fn promotion_total(applied: &Applied, amount: Money) -> PromotionTotal {
    PromotionTotal {
        promotion: applied.promotion.to_string(),
        name: applied.name.clone(),
        amount,
        times: 0,
    }
}

fn points_total(points: &promotions::Points) -> PointsTotal {
    PointsTotal {
        promotion: points.promotion.to_string(),
        name: points.name.clone(),
        points: points.points,
    }
}

/// What a line costs without tax.
fn line_total(line: &Line, extended: Money, promotions: Vec<PromotionTotal>) -> LineTotal {
    let zero = Money::zero(extended.currency());
    let discount = promotions.iter().fold(zero, |sum, part| sum + part.amount);
    assert!(discount <= extended, "a promotion never pays the customer");
    let pieces = line.quantity.pieces().unwrap_or(1);
    let deposit = line.deposit.map_or(zero, |d| d.times(pieces));
    LineTotal {
        line: line.number,
        extended,
        discount,
        deposit,
        tax: zero,
        promotions,
        tax_detail: TaxDetail::default(),
    }
}

/// What of the lines of a sale is summed up as one tax.
type TaxKey = (TaxId, Rate, bool, bool);

fn add_tax(taxes: &mut BTreeMap<TaxKey, TaxTotal>, line: &Line, total: &LineTotal) {
    let zero = Money::zero(total.extended.currency());
    let exempt = total.tax_detail.exempt;
    let key = (
        line.tax.id.clone(),
        line.tax.rate,
        line.tax.included,
        exempt,
    );
    let tax = taxes.entry(key).or_insert_with(|| TaxTotal {
        tax: line.tax.id.clone(),
        name: line.tax.name.clone(),
        rate: line.tax.rate,
        included: line.tax.included,
        taxable: zero,
        amount: zero,
        exempt,
        parts: Vec::new(),
    });
    tax.taxable += total.taxable();
    tax.amount += total.tax;
    for part in &total.tax_detail.parts {
        let same = |sum: &&mut PartTotal| sum.name == part.name && sum.rate == part.rate;
        match tax.parts.iter_mut().find(same) {
            Some(sum) => {
                sum.taxable += part.taxable;
                sum.amount += part.amount;
            }
            None => tax.parts.push(part.clone()),
        }
    }
}
