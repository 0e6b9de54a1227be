//! The best choice of promotions as an integer program, made from the promotion file and the basket
//! alone: it shares the reader, the amounts and the rounding of a percentage with the engine, and
//! nothing of how the engine selects, merges, splits or searches.
//!
//! It covers what competes for units: off each unit, n for a price, cheapest and dearest free, sets,
//! different titles, each with limits. It does not cover totals, groups, phases and conditions.

use std::collections::{BTreeMap, BTreeSet};

use money::{Currency, Money, Rate, Rounding};
use promotions::{
    Basket, BasketLine, FileAmount, FileReward, Give, Gives, PromotionFile, Selector,
};

/// Maximise the sum of `gain`s, every column a whole number from 0 to `most`.
#[derive(Default)]
pub struct Program {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

pub struct Column {
    pub gain: f64,
    pub most: f64,
}

/// The sum of the terms lies between `least` and `most`.
pub struct Row {
    pub terms: Vec<(usize, f64)>,
    pub least: f64,
    pub most: f64,
}

struct Maker<'b> {
    program: Program,
    lines: &'b [BasketLine],
    /// Per line, the columns that take a unit of it.
    taking: Vec<Vec<usize>>,
}

/// The program of a file and a basket.
pub fn program(file: &PromotionFile, basket: &Basket) -> Program {
    let lines = &basket.lines;
    let mut maker = Maker {
        program: Program::default(),
        lines,
        taking: vec![Vec::new(); lines.len()],
    };
    for promotion in &file.promotions {
        let limit = promotion.limits.basket.map(f64::from);
        for Give { what, .. } in &promotion.gives {
            maker.give(what, limit);
        }
    }
    for (at, line) in lines.iter().enumerate() {
        let terms = maker.taking[at].iter().map(|column| (*column, 1.0));
        maker.program.rows.push(Row {
            terms: terms.collect(),
            least: 0.0,
            most: pieces(line),
        });
    }
    maker.program
}

fn pieces(line: &BasketLine) -> f64 {
    line.quantity.pieces().unwrap_or(0) as f64
}

fn takes(selector: &Selector, line: &BasketLine) -> bool {
    let item = selector.items.contains(&line.item);
    let department = selector.departments.contains(&line.department);
    let brand = line
        .brand
        .as_ref()
        .is_some_and(|brand| selector.brands.contains(brand));
    let named = match selector.all {
        true => {
            (selector.items.is_empty() || item)
                && (selector.departments.is_empty() || department)
                && (selector.brands.is_empty() || brand)
        }
        false => selector.everything || item || department || brand,
    };
    named
        && !selector
            .except
            .as_ref()
            .is_some_and(|except| takes(except, line))
}

fn minor(amount: &FileAmount) -> i64 {
    let money = Money::parse(&amount.text, Currency::USD);
    money.map_or(0, Money::minor)
}

fn percent(minor: i64, rate: Rate) -> i64 {
    Money::from_minor(minor, Currency::USD)
        .share(rate, Rounding::HalfUp)
        .minor()
}

/// What a reward takes off one unit.
fn off(reward: &FileReward, price: i64) -> i64 {
    match reward {
        FileReward::Percent(rate) => percent(price, *rate),
        FileReward::Amount(amount) => minor(amount).min(price),
        FileReward::Price(amount) => (price - minor(amount)).max(0),
    }
}

impl Maker<'_> {
    fn give(&mut self, what: &Gives, limit: Option<f64>) {
        match what {
            Gives::Unit { selector, steps } => self.unit(selector, steps, limit),
            Gives::NFor {
                selector,
                units,
                price,
            } => {
                let parts = [(selector, *units, None)];
                self.set(&parts, Some(&FileReward::Price(price.clone())), limit);
            }
            Gives::OfEvery {
                selector,
                of,
                units,
                rate,
                dearest: true,
            } => {
                let reward = FileReward::Percent(*rate);
                let parts = [
                    (selector, *units, Some(&reward)),
                    (selector, *of - *units, None),
                ];
                self.set(&parts[..1 + usize::from(of > units)], None, limit);
            }
            Gives::OfEvery {
                selector,
                of,
                units,
                rate,
                dearest: false,
            } => self.cheapest(selector, (*of, *units), *rate, limit),
            Gives::Set { parts, reward } => {
                let parts: Vec<(&Selector, u32, Option<&FileReward>)> = parts
                    .iter()
                    .map(|part| (&part.selector, part.units, part.reward.as_ref()))
                    .collect();
                self.set(&parts, reward.as_ref(), limit);
            }
            Gives::Different { selector, tiers } => self.different(selector, tiers, limit),
            _ => {}
        }
    }

    fn column(&mut self, gain: i64, most: f64) -> usize {
        self.program.columns.push(Column {
            gain: gain as f64,
            most,
        });
        self.program.columns.len() - 1
    }

    /// A column for the units of each line that a selector takes.
    fn units(
        &mut self,
        selector: &Selector,
        gain: impl Fn(i64) -> i64,
        most: f64,
    ) -> Vec<(usize, usize)> {
        let mut columns = Vec::new();
        for at in 0..self.lines.len() {
            let line = &self.lines[at];
            if takes(selector, line) {
                let (gain, most) = (gain(line.unit_price.minor()), pieces(line).min(most));
                let column = self.column(gain, most);
                self.taking[at].push(column);
                columns.push((at, column));
            }
        }
        columns
    }

    fn row(&mut self, terms: Vec<(usize, f64)>, least: f64, most: f64) {
        self.program.rows.push(Row { terms, least, most });
    }

    fn unit(&mut self, selector: &Selector, steps: &[(u32, FileReward)], limit: Option<f64>) {
        let there: f64 = (self.lines.iter())
            .filter(|line| takes(selector, line))
            .map(pieces)
            .sum();
        let step = steps
            .iter()
            .rev()
            .find(|(from, _)| f64::from(*from) <= there);
        let Some((_, reward)) = step else { return };
        let columns = self.units(selector, |price| off(reward, price), f64::INFINITY);
        if let Some(limit) = limit {
            let terms = columns.iter().map(|(_, column)| (*column, 1.0)).collect();
            self.row(terms, 0.0, limit);
        }
    }

    /// So many sets, each of so many units of each part.
    fn set(
        &mut self,
        parts: &[(&Selector, u32, Option<&FileReward>)],
        whole: Option<&FileReward>,
        limit: Option<f64>,
    ) {
        let gain = match whole {
            Some(FileReward::Price(price)) => -minor(price),
            Some(FileReward::Amount(amount)) => minor(amount),
            Some(FileReward::Percent(_)) | None => 0,
        };
        let all: f64 = self.lines.iter().map(pieces).sum();
        let sets = self.column(gain, limit.unwrap_or(all).min(all));
        for (selector, units, reward) in parts {
            let gain = |price: i64| match (whole, reward) {
                (Some(FileReward::Price(_)), _) => price,
                (Some(FileReward::Percent(rate)), _) => percent(price, *rate),
                (Some(FileReward::Amount(_)), _) | (None, None) => 0,
                (None, Some(reward)) => off(reward, price),
            };
            let columns = self.units(selector, gain, f64::INFINITY);
            let mut terms: Vec<(usize, f64)> =
                columns.iter().map(|(_, column)| (*column, 1.0)).collect();
            terms.push((sets, -f64::from(*units)));
            self.row(terms, 0.0, 0.0);
        }
    }

    /// Of every `of` units the cheapest is given: so among the dearest of those that take part there
    /// are never more given ones than complete sets of paid ones.
    fn cheapest(
        &mut self,
        selector: &Selector,
        (of, units): (u32, u32),
        rate: Rate,
        limit: Option<f64>,
    ) {
        assert_eq!(units, 1, "the program knows one cheapest unit of a set");
        let all: f64 = self.lines.iter().map(pieces).sum();
        let sets = self.column(0, limit.unwrap_or(all).min(all));
        let paid = self.units(selector, |_| 0, f64::INFINITY);
        let free = self.units(selector, |price| percent(price, rate), f64::INFINITY);
        for (columns, each) in [(&paid, of - 1), (&free, 1)] {
            let mut terms: Vec<(usize, f64)> =
                columns.iter().map(|(_, column)| (*column, 1.0)).collect();
            terms.push((sets, -f64::from(each)));
            self.row(terms, 0.0, 0.0);
        }
        let price = |at: usize| self.lines[at].unit_price.minor();
        let prices: BTreeSet<i64> = free.iter().map(|(at, _)| price(*at)).collect();
        let mut rows = Vec::new();
        for least in prices {
            let dearer = |columns: &[(usize, usize)], factor: f64| -> Vec<(usize, f64)> {
                let dearer = columns.iter().filter(|(at, _)| price(*at) >= least);
                dearer.map(|(_, column)| (*column, factor)).collect()
            };
            let mut terms = dearer(&free, f64::from(of - 1));
            terms.extend(dearer(&paid, -1.0));
            rows.push(terms);
        }
        for terms in rows {
            self.row(terms, f64::NEG_INFINITY, 0.0);
        }
    }

    /// Sets one by one: which titles are in each, which tier it reaches, and what it takes off,
    /// which is a share of the whole set, rounded half up.
    fn different(&mut self, selector: &Selector, tiers: &[(u32, Rate)], limit: Option<f64>) {
        let there: f64 = (self.lines.iter())
            .filter(|line| takes(selector, line))
            .map(pieces)
            .sum();
        // More than any of its sets costs.
        let worth = (self.lines.iter()).map(|line| line.unit_price.minor() as f64);
        let big = 1.0 + worth.sum::<f64>();
        let fewest = f64::from(tiers.first().map_or(1, |(titles, _)| *titles));
        let sets = (there / fewest).floor().min(limit.unwrap_or(there)) as usize;
        for _ in 0..sets {
            let units = self.units(selector, |_| 0, 1.0);
            let mut by_title: BTreeMap<String, Vec<(usize, f64)>> = BTreeMap::new();
            for (at, column) in &units {
                let title = by_title.entry(self.lines[*at].item.0.clone()).or_default();
                title.push((*column, 1.0));
            }
            for terms in by_title.into_values() {
                self.row(terms, 0.0, 1.0);
            }
            let given = self.column(1, big);
            let mut one: Vec<(usize, f64)> = Vec::new();
            for (titles, rate) in tiers {
                let tier = self.column(0, 1.0);
                one.push((tier, 1.0));
                // A tier has its titles.
                let mut terms: Vec<(usize, f64)> =
                    units.iter().map(|(_, column)| (*column, 1.0)).collect();
                terms.push((tier, -f64::from(*titles)));
                self.row(terms, 0.0, f64::INFINITY);
                // given ≤ share + ½, where it is this tier: the largest whole number is the share
                // rounded half up.
                let share = rate.millionths() as f64 / 1e6;
                let price = |at: usize| self.lines[at].unit_price.minor() as f64;
                let mut terms: Vec<(usize, f64)> = units
                    .iter()
                    .map(|(at, column)| (*column, -share * price(*at)))
                    .collect();
                terms.push((given, 1.0));
                terms.push((tier, big));
                self.row(terms, f64::NEG_INFINITY, big + 0.5);
            }
            let mut terms = one.clone();
            // No tier, nothing given; and nothing in it.
            terms.push((given, -1.0 / big));
            self.row(terms, 0.0, f64::INFINITY);
            self.row(one, 0.0, 1.0);
        }
    }
}
