//! Promotions made ready for pricing.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{DepartmentId, ItemId, Tier};
use money::{Currency, Money, Rate};

use crate::file::FileAmount;
use crate::{
    BasketLine, Customer, FileProblem, Gives, Instant, Promotion, PromotionFile, PromotionId, When,
};

/// The promotions of a store, indexed by what they are for, so that a line meets only its own.
#[derive(Clone, Debug, Default)]
pub struct CompiledBook {
    /// The currency of the amounts; `None` for a book without promotions.
    currency: Option<Currency>,
    /// In the order of their ids.
    promotions: Vec<Compiled>,
    by_item: BTreeMap<ItemId, Vec<usize>>,
    by_department: BTreeMap<DepartmentId, Vec<usize>>,
    by_brand: BTreeMap<String, Vec<usize>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    pub id: PromotionId,
    pub name: String,
    pub offer: Offer,
    exclude_items: BTreeSet<ItemId>,
    when: When,
    tiers: Vec<Tier>,
}

/// `Gives` with its amounts understood.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Offer {
    PercentOff(Rate),
    /// Per piece or kilogram.
    AmountOff(Money),
    NFor {
        units: u32,
        price: Money,
    },
}

impl CompiledBook {
    /// A book without promotions.
    pub fn empty() -> CompiledBook {
        CompiledBook::default()
    }

    /// Makes a file's promotions ready, with its amounts in `currency`, or answers every amount
    /// that this currency does not have.
    pub fn compile(
        file: &PromotionFile,
        currency: Currency,
    ) -> Result<CompiledBook, Vec<FileProblem>> {
        let mut book = CompiledBook {
            currency: Some(currency),
            ..CompiledBook::default()
        };
        let mut problems = Vec::new();
        let mut in_order: Vec<&Promotion> = file.promotions.iter().collect();
        in_order.sort_by(|a, b| a.id.cmp(&b.id));
        for promotion in in_order {
            match offer(&promotion.gives, currency) {
                Ok(offer) => book.add(promotion, offer),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            return Ok(book);
        }
        problems.sort_by_key(|problem| problem.line);
        Err(problems)
    }

    fn add(&mut self, promotion: &Promotion, offer: Offer) {
        let index = self.promotions.len();
        let qualifies = &promotion.qualifies;
        for item in &qualifies.items {
            self.by_item.entry(item.clone()).or_default().push(index);
        }
        for department in &qualifies.departments {
            let listed = self.by_department.entry(department.clone());
            listed.or_default().push(index);
        }
        for brand in &qualifies.brands {
            self.by_brand.entry(brand.clone()).or_default().push(index);
        }
        self.promotions.push(Compiled {
            id: promotion.id.clone(),
            name: promotion.name.clone(),
            offer,
            exclude_items: qualifies.exclude_items.clone(),
            when: promotion.when.clone(),
            tiers: promotion.tiers.clone(),
        });
    }

    /// How many promotions it has.
    pub fn len(&self) -> usize {
        self.promotions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.promotions.is_empty()
    }

    pub(crate) fn currency(&self) -> Option<Currency> {
        self.currency
    }

    pub(crate) fn promotion(&self, index: usize) -> &Compiled {
        &self.promotions[index]
    }

    /// The promotions a line qualifies for, by index and in the order of their ids, whether they
    /// hold now or not.
    pub(crate) fn qualifying(&self, line: &BasketLine) -> Vec<usize> {
        let brand = line.brand.as_ref().and_then(|b| self.by_brand.get(b));
        let lists = [
            self.by_item.get(&line.item),
            self.by_department.get(&line.department),
            brand,
        ];
        let mut found: Vec<usize> = lists.into_iter().flatten().flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found.retain(|index| !self.promotions[*index].exclude_items.contains(&line.item));
        found
    }
}

impl Compiled {
    /// Whether it is for this customer and holds at this instant.
    pub fn holds(&self, customer: &Customer, at: Instant) -> bool {
        let for_customer =
            self.tiers.is_empty() || customer.tier.is_some_and(|tier| self.tiers.contains(&tier));
        for_customer && self.when.holds(at)
    }
}

fn offer(gives: &Gives, currency: Currency) -> Result<Offer, FileProblem> {
    let amount = |amount: &FileAmount| match Money::parse(&amount.text, currency) {
        Ok(money) if money.minor() > 0 => Ok(money),
        _ => Err(FileProblem {
            line: amount.line,
            message: format!("'{}' is not an amount over 0 in {currency}", amount.text),
            hint: format!(
                "write an amount such as \"2.50\", with at most {} decimal places",
                currency.minor_digits()
            ),
        }),
    };
    Ok(match gives {
        Gives::PercentOff(rate) => Offer::PercentOff(*rate),
        Gives::AmountOff(off) => Offer::AmountOff(amount(off)?),
        Gives::NFor { units, price } => Offer::NFor {
            units: *units,
            price: amount(price)?,
        },
    })
}
