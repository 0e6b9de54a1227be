//! Made-up shoppers for a store whose baskets nobody has recorded.
//!
//! The same items and the same number give the same basket, on every machine.

use catalog::{EmbeddedLayout, Embeds, Gtin, Item, ItemCode};
use money::{Money, Quantity, Rounding, Unit};

use super::basket::{Amount, Basket, BasketLine, Habit};

/// Lines of the largest basket.
const LINES_MAX: u64 = 24;
/// Weights on the scale, in grams.
const GRAMS: std::ops::RangeInclusive<u64> = 150..=2400;
/// Of a hundred shoppers, those with a loyalty card.
const WITH_CARD_PERCENT: u64 = 40;

/// The shoppers of a store.
#[derive(Clone, Debug)]
pub struct Shoppers {
    items: Vec<Item>,
    customers: Vec<String>,
    seed: u64,
}

impl Shoppers {
    /// Shoppers for whom these items and customer numbers exist. `None` without an item.
    pub fn new(items: Vec<Item>, customers: Vec<String>, seed: u64) -> Option<Shoppers> {
        (!items.is_empty()).then_some(Shoppers {
            items,
            customers,
            seed,
        })
    }

    /// The basket of shopper `number`, from 1.
    pub fn basket(&self, number: u64) -> Basket {
        let mut dice = Dice(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        // Two throws: many small baskets, few large ones.
        let lines = 1 + dice.up_to(LINES_MAX).min(dice.up_to(LINES_MAX));
        let with_card = dice.up_to(100) < WITH_CARD_PERCENT && !self.customers.is_empty();
        Basket {
            id: Shoppers::id(number),
            customer: with_card.then(|| dice.choose(&self.customers).clone()),
            lines: (0..lines).map(|_| self.line(&mut dice)).collect(),
            habit: match dice.up_to(20) {
                0 => Habit::ChangesMind,
                1 => Habit::SetsAside,
                2 | 3 => Habit::PaysInParts,
                4 => Habit::BringsBack,
                _ => Habit::Plain,
            },
        }
    }

    /// The id of shopper `number`'s basket.
    pub fn id(number: u64) -> String {
        format!("robot-{number:06}")
    }

    /// The number in such an id.
    pub fn number(id: &str) -> Option<u64> {
        id.strip_prefix("robot-")?.parse().ok()
    }

    fn line(&self, dice: &mut Dice) -> BasketLine {
        let item = dice.choose(&self.items);
        let grams = dice.within(GRAMS);
        let (code, quantity) = match item.codes.iter().find(|code| is_label(code)) {
            Some(ItemCode::Embedded(number)) => {
                (label(*number, label_price(item, grams)), Amount::OnTheLabel)
            }
            _ if item.sold_by == Unit::Kilogram => {
                let weight = format!("{}.{:03}", grams / 1000, grams % 1000);
                (code_of(item), Amount::Weighed(weight))
            }
            // Most things are bought singly; what is bought in twos and more meets the offers.
            _ => {
                let pieces = match dice.up_to(10) {
                    0..=6 => 1,
                    7 => 2,
                    8 => 3,
                    _ => 2 + dice.up_to(5),
                };
                (
                    code_of(item),
                    Amount::Pieces(u32::try_from(pieces).unwrap_or(1)),
                )
            }
        };
        BasketLine {
            code,
            quantity,
            extended: None,
        }
    }
}

fn is_label(code: &ItemCode) -> bool {
    matches!(code, ItemCode::Embedded(_))
}

/// What a scanner or a cashier would enter for the item.
fn code_of(item: &Item) -> String {
    match item.codes.first() {
        Some(ItemCode::Gtin(gtin)) => format!("{:013}", gtin.0),
        Some(ItemCode::Plu(plu)) => plu.to_string(),
        Some(ItemCode::Internal(text)) => text.clone(),
        Some(ItemCode::Embedded(_)) | None => item.id.0.clone(),
    }
}

/// What the scale behind the counter prints on the label: the weight's price, or one out of the
/// weight's figures for an item whose price only the label knows.
fn label_price(item: &Item, grams: u64) -> Money {
    let grams = i64::try_from(grams).unwrap_or(1000);
    match item.price.is_zero() {
        true => Money::from_minor(grams, item.price.currency()),
        false => item
            .price
            .for_quantity(Quantity::grams(grams), Rounding::HalfUp),
    }
}

/// A label with a price, in the first layout that every new store understands.
fn label(item: u32, price: Money) -> String {
    let layout = EmbeddedLayout::defaults()
        .into_iter()
        .find(|layout| layout.embeds == Embeds::Price);
    let Some(layout) = layout else {
        return item.to_string();
    };
    let value = price.minor().clamp(1, 99_999);
    let digits = format!(
        "{}{item:0item_digits$}{value:0value_digits$}",
        layout.prefix,
        item_digits = usize::from(layout.item_digits),
        value_digits = usize::from(layout.value_digits),
    );
    let check = Gtin::check_digit(digits.parse().unwrap_or(0));
    format!("{digits}{check}")
}

/// SplitMix64. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014.
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `end`.
    fn up_to(&mut self, end: u64) -> u64 {
        self.throw() % end
    }

    fn within(&mut self, range: std::ops::RangeInclusive<u64>) -> u64 {
        range.start() + self.up_to(range.end() - range.start() + 1)
    }

    /// `from` is not empty.
    fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let place = self.up_to(from.len() as u64);
        &from[usize::try_from(place).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use catalog::{CodeRules, ScannedCode, Settings};

    fn shoppers(seed: u64) -> Shoppers {
        let items = sample::items(sample::text_of("items").as_bytes());
        Shoppers::new(items, sample::customers(), seed).unwrap()
    }

    #[test]
    fn a_number_and_a_seed_make_a_basket() {
        let baskets = |seed: u64| -> Vec<Basket> {
            let shoppers = shoppers(seed);
            (1..=50).map(|n| shoppers.basket(n)).collect()
        };
        assert_eq!(baskets(7), baskets(7));
        assert_ne!(baskets(7), baskets(8));
        let sizes: std::collections::BTreeSet<usize> =
            baskets(7).iter().map(|basket| basket.lines.len()).collect();
        assert!(sizes.len() > 5, "{sizes:?}");
    }

    #[test]
    fn every_kind_of_line_is_bought() {
        let shoppers = shoppers(1);
        let baskets: Vec<Basket> = (1..=300).map(|n| shoppers.basket(n)).collect();
        let lines = || baskets.iter().flat_map(|basket| &basket.lines);
        let has = |what: &dyn Fn(&Amount) -> bool| lines().any(|line| what(&line.quantity));
        assert!(has(&|amount| matches!(amount, Amount::Pieces(1))));
        assert!(has(&|amount| matches!(amount, Amount::Pieces(2..))));
        assert!(has(&|amount| matches!(amount, Amount::Weighed(_))));
        assert!(has(&|amount| matches!(amount, Amount::OnTheLabel)));
        assert!(baskets.iter().any(|basket| basket.customer.is_some()));
        assert!(baskets.iter().any(|basket| basket.customer.is_none()));
        let habits: std::collections::BTreeSet<Habit> =
            baskets.iter().map(|basket| basket.habit).collect();
        assert_eq!(habits.len(), 5, "{habits:?}");
    }

    #[test]
    fn every_code_is_one_that_the_store_understands() {
        let settings = Settings::default();
        let shoppers = shoppers(3);
        let codes: std::collections::BTreeSet<String> = (1..=300)
            .flat_map(|n| shoppers.basket(n).lines)
            .map(|line| line.code)
            .collect();
        for code in codes {
            let known = shoppers.items.iter().any(|item| item.id.0 == code);
            let rules = CodeRules {
                layouts: &settings.embedded_codes,
                currency: settings.currency,
                this_year: 2026,
            };
            let found = match ScannedCode::parse(&code, &rules) {
                Ok(ScannedCode::Item(read)) => {
                    let sold = read.price.is_none_or(|price| price.minor() > 0);
                    sold && shoppers.items.iter().any(|i| i.codes.contains(&read.code))
                }
                Ok(ScannedCode::Coupon(_)) | Err(_) => false,
            };
            assert!(known || found, "{code}");
        }
    }

    #[test]
    fn ids_carry_their_number() {
        assert_eq!(Shoppers::id(12), "robot-000012");
        assert_eq!(Shoppers::number("robot-000012"), Some(12));
        assert_eq!(Shoppers::number("31198481877"), None);
    }
}
