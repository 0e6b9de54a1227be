//! Finds fault with promotions before they go live: those that can never be given, that another
//! keeps from being given, and that give goods away or sell them for less than they cost.
//!
//! What is found is a warning: nothing here keeps a file from being imported.

use std::fmt;

use catalog::{DepartmentId, ItemId};
use money::{Currency, Money, Rate};
use serde::{Deserialize, Serialize};

use crate::best::percent_of;
use crate::{
    Choose, FileAmount, FileReward, Gives, Promotion, PromotionFile, PromotionId, Selector,
};

/// What is known of an item, to check promotions with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckItem {
    pub item: ItemId,
    pub department: DepartmentId,
    pub brand: Option<String>,
    /// Its regular price.
    pub price: Money,
    /// What the store pays for one, where that is known.
    pub cost: Option<Money>,
    /// The least that it may be sold for, where that is set.
    pub floor: Option<Money>,
}

/// Something a merchandiser should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The line of the file on which the promotion begins.
    pub line: u32,
    pub promotion: PromotionId,
    pub kind: FindingKind,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// It can never be given.
    Impossible,
    /// Another promotion is always at least as good.
    Shadowed,
    /// It gives goods away, or nearly, or for less than the store pays for them.
    LossMaking,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}: {}: {}",
            self.line, self.promotion, self.message
        )
    }
}

/// The share of a price from which a discount counts as giving goods away.
const GIVEN_AWAY: u32 = 90;

/// Finds fault with the promotions of a file, in its order. `items` are what the store sells;
/// without any, what needs them is not checked.
pub fn check(file: &PromotionFile, currency: Currency, items: &[CheckItem]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for promotion in &file.promotions {
        let mut found = |kind, message: String| {
            findings.push(Finding {
                line: promotion.line,
                promotion: promotion.id.clone(),
                kind,
                message,
            });
        };
        for give in &promotion.gives {
            if !items.is_empty() {
                check_goods(&give.what, currency, items, &mut found);
            }
            let words = |paid: i64, bound: i64| {
                [paid, bound].map(|minor| Money::from_minor(minor, currency).to_string())
            };
            // No item is sold below its floor.
            let cost = |item: &CheckItem, paid: i64| {
                let paid = item.floor.map_or(paid, |floor| paid.max(floor.minor()));
                Some((paid, item.cost?.minor()))
            };
            if let Some((item, paid, cost)) = worst(&give.what, currency, items, &cost) {
                let [paid, cost] = words(paid, cost);
                let message = format!("'{item}' is then sold for {paid}, and costs {cost}");
                found(FindingKind::LossMaking, message);
            }
            let floor = |item: &CheckItem, paid: i64| Some((paid, item.floor?.minor()));
            if let Some((item, paid, floor)) = worst(&give.what, currency, items, &floor) {
                let [paid, floor] = words(paid, floor);
                let message = format!(
                    "it would take '{item}' to {paid}, below its floor of {floor}: less is taken off"
                );
                found(FindingKind::LossMaking, message);
            }
            if gives_away(promotion, &give.what) {
                let message = format!("it takes {GIVEN_AWAY}% or more off, without any limit");
                found(FindingKind::LossMaking, message);
            }
        }
        if let Some(other) = shadow(file, promotion) {
            let message = format!("{} is always at least as good for the same goods", other.id);
            found(FindingKind::Shadowed, message);
        }
    }
    findings
}

fn check_goods(
    gives: &Gives,
    currency: Currency,
    items: &[CheckItem],
    found: &mut impl FnMut(FindingKind, String),
) {
    for selector in selectors(gives) {
        for item in &selector.items {
            if !items.iter().any(|known| known.item == *item) {
                let message = format!("the item '{item}' is not in the catalog");
                found(FindingKind::Impossible, message);
            }
        }
        if prices(selector, items).is_empty() && !selector.fees && !selector.everything {
            let message = "nothing in the catalog is what it is for".to_owned();
            found(FindingKind::Impossible, message);
            return;
        }
    }
    let minor = |amount: &FileAmount| Money::parse(&amount.text, currency).map(Money::minor);
    match gives {
        Gives::NFor {
            selector,
            units,
            price,
        } => {
            let dearest = prices(selector, items).into_iter().max().unwrap_or(0);
            if minor(price).is_ok_and(|price| price >= dearest.saturating_mul(i64::from(*units))) {
                let message = "the set never costs less than its units".to_owned();
                found(FindingKind::Impossible, message);
            }
        }
        Gives::Unit { selector, steps } => {
            let prices = prices(selector, items);
            let (least, most) = (prices.iter().min(), prices.iter().max());
            for (_, reward) in steps {
                match reward {
                    FileReward::Amount(off) if minor(off).is_ok_and(|o| least <= Some(&o)) => {
                        let message = "it makes the cheapest of its goods free".to_owned();
                        found(FindingKind::LossMaking, message);
                    }
                    FileReward::Price(price) if minor(price).is_ok_and(|p| most <= Some(&p)) => {
                        let message = "all of its goods cost no more already".to_owned();
                        found(FindingKind::Impossible, message);
                    }
                    _ => {}
                }
            }
        }
        Gives::Set {
            parts,
            reward: Some(FileReward::Price(price)),
        } => {
            let dearest = parts.iter().map(|part| {
                let dearest = prices(&part.selector, items).into_iter().max().unwrap_or(0);
                dearest.saturating_mul(i64::from(part.units))
            });
            let dearest = dearest.fold(0, i64::saturating_add);
            if minor(price).is_ok_and(|price| price >= dearest) {
                let message = "the set never costs less than its units".to_owned();
                found(FindingKind::Impossible, message);
            }
        }
        _ => {}
    }
}

fn selectors(gives: &Gives) -> Vec<&Selector> {
    match gives {
        Gives::Unit { selector, .. }
        | Gives::NFor { selector, .. }
        | Gives::OfEvery { selector, .. }
        | Gives::Different { selector, .. }
        | Gives::Total { selector, .. }
        | Gives::PointsPer { selector, .. } => vec![selector],
        Gives::Set { parts, .. } => parts.iter().map(|part| &part.selector).collect(),
        Gives::Prices(_) | Gives::Points(_) | Gives::PointsTimes(_) | Gives::NextCoupon { .. } => {
            Vec::new()
        }
    }
}

/// The prices of what a selector takes, in minor units.
fn prices(selector: &Selector, items: &[CheckItem]) -> Vec<i64> {
    taken(selector, items)
        .map(|item| item.price.minor())
        .collect()
}

/// What a selector takes. Attributes are not known here: whatever might have them counts.
fn taken<'i>(
    selector: &'i Selector,
    items: &'i [CheckItem],
) -> impl Iterator<Item = &'i CheckItem> + use<'i> {
    let takes = |item: &&CheckItem| {
        let named = [
            (
                selector.items.is_empty(),
                selector.items.contains(&item.item),
            ),
            (
                selector.departments.is_empty(),
                selector.departments.contains(&item.department),
            ),
            (
                selector.brands.is_empty(),
                item.brand
                    .as_ref()
                    .is_some_and(|brand| selector.brands.contains(brand)),
            ),
        ];
        let unnamed = named.iter().all(|(empty, _)| *empty);
        let named = match selector.all {
            true => named.iter().all(|(empty, has)| *empty || *has),
            false => named.iter().any(|(_, has)| *has),
        };
        let excepted = selector.except.as_ref();
        unnamed
            || selector.everything
            || named && !excepted.is_some_and(|except| except.items.contains(&item.item))
    };
    items.iter().filter(takes)
}

/// What an item is sold for, in minor units, and below what it should not be; `None` where nothing is
/// known of that.
type Bound<'b> = dyn Fn(&CheckItem, i64) -> Option<(i64, i64)> + 'b;

/// Of the goods that are then sold for less than they should, those that are furthest below: the item,
/// what one is sold for and the bound. A set is looked at as made of one item alone; what depends
/// on the rest of the basket is not looked at.
fn worst(
    gives: &Gives,
    currency: Currency,
    items: &[CheckItem],
    bound: &Bound<'_>,
) -> Option<(ItemId, i64, i64)> {
    let minor = |amount: &FileAmount| Money::parse(&amount.text, currency).map_or(0, Money::minor);
    let after = |reward: &FileReward, price: i64| match reward {
        FileReward::Percent(rate) => price - percent_of(price, *rate),
        FileReward::Amount(off) => (price - minor(off)).max(0),
        FileReward::Price(fixed) => minor(fixed).min(price),
    };
    let loss = |item: &CheckItem, paid: i64| {
        let (paid, least) = bound(item, paid)?;
        (paid < least).then(|| (item.item.clone(), paid, least))
    };
    let worst = |selector: &Selector, paid: &dyn Fn(i64) -> i64| {
        taken(selector, items)
            .filter_map(|item| loss(item, paid(item.price.minor())))
            .max_by_key(|(item, paid, least)| (least - paid, std::cmp::Reverse(item.clone())))
    };
    match gives {
        Gives::Unit { selector, steps } => {
            let paid = |price| {
                let after = steps.iter().map(|(_, reward)| after(reward, price));
                after.min().unwrap_or(price)
            };
            worst(selector, &paid)
        }
        Gives::NFor {
            selector,
            units,
            price,
        } => worst(selector, &|each| {
            (minor(price) / i64::from(*units)).min(each)
        }),
        Gives::OfEvery {
            selector,
            of,
            units,
            rate,
            ..
        } => worst(selector, &|price| {
            let off = percent_of(price, *rate) * i64::from(*units);
            (price * i64::from(*of) - off) / i64::from(*of)
        }),
        Gives::Different { selector, tiers } => {
            let best = tiers.iter().map(|(_, rate)| *rate).max()?;
            worst(selector, &|price| price - percent_of(price, best))
        }
        Gives::Set {
            parts,
            reward: Some(FileReward::Percent(rate)),
        } => {
            let parts = parts.iter();
            let worst =
                parts.filter_map(|part| worst(&part.selector, &|p| p - percent_of(p, *rate)));
            worst.max_by_key(|(_, paid, least)| least - paid)
        }
        Gives::Prices(prices) => {
            let known = items.iter().filter_map(|item| {
                let least = prices
                    .get(&item.item)?
                    .iter()
                    .map(|(_, price)| minor(price));
                loss(item, least.min()?)
            });
            known.max_by_key(|(_, paid, least)| least - paid)
        }
        _ => None,
    }
}

/// Whether it takes most of the price off any number of units of anybody's basket.
fn gives_away(promotion: &Promotion, gives: &Gives) -> bool {
    let much = |reward: &FileReward| match reward {
        FileReward::Percent(rate) => *rate >= Rate::from_percent(GIVEN_AWAY),
        _ => false,
    };
    let limits = &promotion.limits;
    let limited = limits.basket.is_some() || limits.beyond_basket();
    let bound = promotion.coupon.is_some() || promotion.cap.is_some() || limited;
    match gives {
        Gives::Unit { steps, selector } => {
            !selector.fees && !bound && steps.iter().any(|(_, reward)| much(reward))
        }
        Gives::Total { steps, .. } => !bound && steps.iter().any(|(_, reward)| much(reward)),
        Gives::OfEvery {
            of, units, rate, ..
        } => {
            let share = percent_of(i64::from(*units) * 10_000, *rate) / i64::from(*of);
            !bound && share >= i64::from(GIVEN_AWAY) * 100
        }
        _ => false,
    }
}

/// Another promotion by the unit that holds whenever this one does, for the same goods, and gives
/// no less.
fn shadow<'f>(file: &'f PromotionFile, promotion: &Promotion) -> Option<&'f Promotion> {
    if file.choose != Choose::Best || promotion.group.is_some() || promotion.exclusive.is_some() {
        return None;
    }
    let (selector, rate) = by_unit(promotion)?;
    file.promotions.iter().find(|other| {
        let always = other.needs.is_empty()
            && other.when == promotion.when
            && other.who == promotion.who
            && other.place == promotion.place
            && other.coupon == promotion.coupon
            && other.tender == promotion.tender
            && other.phase == promotion.phase
            && other.group.is_none()
            && other.exclusive.is_none()
            && other.cap.is_none()
            && other.limits == crate::Limits::default();
        let better = by_unit(other).is_some_and(|(wider, more)| {
            let first = more > rate || more == rate && other.id < promotion.id;
            first && covers(wider, selector)
        });
        other.id != promotion.id && always && better
    })
}

fn by_unit(promotion: &Promotion) -> Option<(&Selector, Rate)> {
    match promotion.gives.as_slice() {
        [give] if give.needs.is_empty() => match &give.what {
            Gives::Unit { selector, steps } => match steps.as_slice() {
                [(1, FileReward::Percent(rate))] => Some((selector, *rate)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// Whether one selector takes all that another does, as far as their lists say.
fn covers(wider: &Selector, selector: &Selector) -> bool {
    if wider == selector {
        return true;
    }
    let plain = |selector: &Selector| {
        !selector.all
            && !selector.fees
            && selector.attributes.is_empty()
            && selector.price_from.is_none()
            && selector.price_to.is_none()
    };
    let everything = wider.everything && plain(wider) && wider.except.is_none() && !selector.fees;
    everything
        || plain(wider)
            && plain(selector)
            && !selector.everything
            && wider.except.is_none()
            && selector.items.is_subset(&wider.items)
            && selector.departments.is_subset(&wider.departments)
            && selector.brands.is_subset(&wider.brands)
}
