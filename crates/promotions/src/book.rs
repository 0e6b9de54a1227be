//! Promotions made ready for pricing: names become numbers, amounts minor units, and every
//! promotion is found by what it is for, so that a line meets only its own.

mod compile;
mod select;

use std::collections::{BTreeMap, BTreeSet};

use catalog::{CustomerId, ItemId, Role, Tier};
use money::{Currency, Rate};

use crate::best::{Reward, SetOffer};
use crate::time::Schedule;
use crate::{
    Choose, Exclusive, Limits, Of, Over, Phase, PromotionId, Spread, TaxBasis, When, Where, Within,
};
pub(crate) use select::{LineKeys, Names, Numbers, Select};

/// The promotions of a store, compiled.
#[derive(Clone, Debug, Default)]
pub struct CompiledBook {
    /// The currency of the amounts; `None` for a book without promotions.
    currency: Option<Currency>,
    /// In the order of their ids.
    promotions: Vec<Compiled>,
    /// What most promotions are sorted out by, in the same order.
    glances: Vec<Glance>,
    pub(crate) choose: Choose,
    pub(crate) manual_max: BTreeMap<Role, Rate>,
    pub(crate) names: Names,
    /// Promotions by what they are for, each list ascending.
    by_item: Vec<Vec<u32>>,
    by_department: Vec<Vec<u32>>,
    by_brand: Vec<Vec<u32>>,
    /// Promotions that any line may meet, and those that need no line.
    anywhere: Vec<u32>,
    /// How the layers after the first, each a group that combines, choose within; by layer.
    pub(crate) layers: Vec<Within>,
    /// How competing groups choose within; by group.
    pub(crate) competing: Vec<Within>,
}

#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub id: PromotionId,
    pub name: String,
    pub schedule: Schedule,
    pub who: Customers,
    pub place: Where,
    pub coupon: Option<String>,
    pub tender: Option<String>,
    pub priority: i32,
    /// Its layer: 0 is the pool of all that compete.
    pub layer: usize,
    /// Its competing group, where it is in one.
    pub competing: Option<usize>,
    pub exclusive: Option<Exclusive>,
    pub of: Option<Of>,
    pub limits: Limits,
    pub cap: Option<i64>,
    pub spread: Spread,
    pub over: Over,
    pub needs: Vec<Needed>,
    pub acts: Vec<Act>,
}

/// What is asked of every promotion of a basket, small enough to have many at hand at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glance {
    /// Whether something could be in its way: a time, a customer, a place, a coupon, a limit.
    pub conditional: bool,
    pub exclusive: bool,
    /// Whether something must be in the basket for it, or for a part of what it gives.
    pub needy: bool,
    pub capped: bool,
    /// Whether it takes every line that meets it, fees apart, by the one part that it has.
    pub takes_all_met: bool,
    /// The phases that it gives something in, a bit each.
    phases: u16,
}

/// `Who` with its amount understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Customers {
    pub tiers: Vec<Tier>,
    pub groups: BTreeSet<String>,
    pub customers: BTreeSet<CustomerId>,
    pub employees: bool,
    pub contracts: BTreeSet<String>,
    pub first_purchase: bool,
    pub birthday_days: Option<u16>,
    pub spent: Option<i64>,
    pub bought: Option<(u32, BTreeSet<ItemId>)>,
}

/// One thing that a promotion gives.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub phase: Phase,
    pub needs: Vec<Needed>,
    pub what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Unit {
        select: Select,
        /// Ascending by the number of units from which they hold.
        steps: Vec<(u32, Reward)>,
    },
    Set {
        /// Without limits.
        offer: SetOffer,
        /// What each of its parts takes.
        parts: Vec<Select>,
    },
    Total {
        select: Select,
        steps: Vec<(i64, Reward)>,
        per: Option<i64>,
    },
    /// By the item's name.
    Prices(BTreeMap<u32, Vec<(u32, i64)>>),
    Points(i64),
    PointsPer {
        select: Select,
        points: i64,
        spend: i64,
    },
    PointsTimes(u32),
    NextCoupon(String),
}

/// What must be in the basket.
#[derive(Clone, Debug)]
pub(crate) struct Needed {
    pub select: Select,
    pub amount: Amount,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Amount {
    Units(u32),
    Distinct(u32),
    Grams(i64),
    Spend {
        minor: i64,
        over: bool,
        of: Of,
        tax: TaxBasis,
    },
}

impl Glance {
    fn of(promotion: &Compiled) -> Glance {
        let unconditional = promotion.schedule.when == When::default()
            && promotion.who == Customers::default()
            && promotion.place == Where::default()
            && promotion.coupon.is_none()
            && promotion.tender.is_none()
            && promotion.limits == Limits::default();
        let phases = promotion.acts.iter().map(|act| 1 << act.phase as u16);
        let only = match promotion.acts.as_slice() {
            [act] => match &act.what {
                What::Unit { select, .. } => Some(select),
                What::Set { parts, .. } if parts.len() == 1 => parts.first(),
                _ => None,
            },
            _ => None,
        };
        let needs = promotion.acts.iter().map(|act| &act.needs);
        Glance {
            conditional: !unconditional,
            exclusive: promotion.exclusive.is_some(),
            needy: needs
                .chain([&promotion.needs])
                .any(|needs| !needs.is_empty()),
            capped: promotion.cap.is_some(),
            takes_all_met: only.is_some_and(Select::is_plain),
            phases: phases.fold(0, |all, phase| all | phase),
        }
    }

    /// Whether it gives something in one of these phases.
    pub fn gives_in(self, phases: &[Phase]) -> bool {
        let bit = |phase: &Phase| self.phases & 1 << *phase as u16 != 0;
        phases.iter().any(bit)
    }
}

impl CompiledBook {
    /// A book without promotions.
    pub fn empty() -> CompiledBook {
        CompiledBook::default()
    }

    /// How many promotions it has.
    pub fn len(&self) -> usize {
        self.promotions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.promotions.is_empty()
    }

    /// The currency of its amounts; `None` for a book that was never compiled from a file.
    pub fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// Ids and names of its promotions, in the order of the ids.
    pub fn promotions(&self) -> impl Iterator<Item = (&PromotionId, &str)> {
        self.promotions.iter().map(|p| (&p.id, p.name.as_str()))
    }

    /// Whether a promotion asks for this coupon.
    pub fn takes_coupon(&self, code: &str) -> bool {
        let coupons = self.promotions.iter().map(|p| p.coupon.as_deref());
        coupons.flatten().any(|coupon| coupon == code)
    }

    /// Whether several of this coupon give more than one of it.
    pub fn counts_coupons(&self, code: &str) -> bool {
        let asking = self.promotions.iter();
        let mut asking = asking.filter(|p| p.coupon.as_deref() == Some(code));
        asking.any(|promotion| promotion.limits.basket.is_some())
    }

    /// The coupon that a promotion asks for.
    pub fn coupon_of(&self, promotion: &PromotionId) -> Option<&str> {
        self.named(promotion)?.coupon.as_deref()
    }

    /// How often a promotion is given at most; `None` where there is no such promotion.
    pub fn limits_of(&self, promotion: &PromotionId) -> Option<&Limits> {
        Some(&self.named(promotion)?.limits)
    }

    fn named(&self, promotion: &PromotionId) -> Option<&Compiled> {
        let found = self.promotions.binary_search_by(|p| p.id.cmp(promotion));
        Some(&self.promotions[found.ok()?])
    }

    /// The items of which a promotion asks how many a customer bought before.
    pub fn asks_bought(&self) -> BTreeSet<ItemId> {
        let asking = self.promotions.iter().filter_map(|p| p.who.bought.as_ref());
        asking
            .flat_map(|(_, items)| items.iter().cloned())
            .collect()
    }

    /// Whether a promotion depends on how a sale is paid.
    pub fn looks_at_tenders(&self) -> bool {
        self.promotions.iter().any(|p| p.tender.is_some())
    }

    /// Whether a promotion is given only so often beyond one basket.
    pub fn is_limited(&self) -> bool {
        self.promotions.iter().any(|p| p.limits.beyond_basket())
    }

    pub(crate) fn promotion(&self, index: usize) -> &Compiled {
        &self.promotions[index]
    }

    pub(crate) fn glance(&self, index: usize) -> Glance {
        self.glances[index]
    }

    /// The promotions that may be for a line, ascending.
    pub(crate) fn met_by(&self, line: &LineKeys) -> Vec<u32> {
        let lists = [
            line.item.and_then(|name| self.by_item.get(name as usize)),
            (line.department).and_then(|name| self.by_department.get(name as usize)),
            line.brand.and_then(|name| self.by_brand.get(name as usize)),
        ];
        let lists = || lists.into_iter().flatten().chain([&self.anywhere]);
        let mut met = Vec::with_capacity(lists().map(Vec::len).sum());
        lists().for_each(|list| met.extend(list));
        met.sort_unstable();
        met.dedup();
        met
    }

    /// The promotions that may be for any of the lines whose own are given, ascending.
    pub(crate) fn met_by_any(&self, lines: &[Vec<u32>]) -> Vec<usize> {
        let mut met = vec![false; self.promotions.len()];
        let every = lines.iter().chain([&self.anywhere]).flatten();
        every.for_each(|index| met[*index as usize] = true);
        (0..met.len()).filter(|index| met[*index]).collect()
    }
}
