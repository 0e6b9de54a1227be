//! Makes a file's promotions ready.

use std::sync::Arc;

use money::{Currency, Money, Rate};

use super::{Act, Amount, Compiled, CompiledBook, Customers, Glance, Needed, Select, What};
use crate::best::{Part, Reward, SetOffer, Shape};
use crate::time::Schedule;
use crate::{
    Across, FileAmount, FileProblem, FileReward, Gives, Group, Measure, Need, Phase, Promotion,
    PromotionFile, Selector, Who, Within,
};

impl CompiledBook {
    /// Makes a file's promotions ready, with its amounts in `currency`, or answers everything that
    /// cannot be: amounts that this currency does not have, groups that are not there.
    pub fn compile(
        file: &PromotionFile,
        currency: Currency,
    ) -> Result<CompiledBook, Vec<FileProblem>> {
        let mut maker = Maker {
            currency,
            groups: &file.groups,
            book: CompiledBook {
                currency: Some(currency),
                choose: file.choose,
                manual_max: file.manual_max.clone(),
                ..CompiledBook::default()
            },
            problems: Vec::new(),
        };
        for group in &file.groups {
            let list = match group.across {
                Across::Combine => &mut maker.book.layers,
                Across::Compete => &mut maker.book.competing,
            };
            list.push(group.within);
        }
        let mut in_order: Vec<&Promotion> = file.promotions.iter().collect();
        in_order.sort_by(|a, b| a.id.cmp(&b.id));
        for promotion in in_order {
            let compiled = maker.promotion(promotion);
            maker.index(&compiled);
            maker.book.glances.push(Glance::of(&compiled));
            maker.book.promotions.push(compiled);
        }
        let mut problems = maker.problems;
        if problems.is_empty() {
            return Ok(maker.book);
        }
        problems.sort_by_key(|problem| problem.line);
        Err(problems)
    }
}

struct Maker<'f> {
    currency: Currency,
    groups: &'f [Group],
    book: CompiledBook,
    problems: Vec<FileProblem>,
}

impl Maker<'_> {
    fn problem(&mut self, line: u32, message: String, hint: &str) {
        self.problems.push(FileProblem {
            line,
            message,
            hint: hint.to_owned(),
        });
    }

    /// An amount over 0, in minor units.
    fn amount(&mut self, amount: &FileAmount) -> i64 {
        match Money::parse(&amount.text, self.currency) {
            Ok(money) if money.minor() > 0 => money.minor(),
            _ => {
                let message = format!(
                    "'{}' is not an amount over 0 in {}",
                    amount.text, self.currency
                );
                let hint = format!(
                    "write an amount such as \"2.50\", with at most {} decimal places",
                    self.currency.minor_digits()
                );
                self.problem(amount.line, message, &hint);
                1
            }
        }
    }

    fn promotion(&mut self, promotion: &Promotion) -> Compiled {
        let (layer, competing) = self.layer(promotion);
        let schedule = Schedule::new(&promotion.when).unwrap_or_else(|| {
            let message = "its time zone is not known".to_owned();
            self.problem(promotion.line, message, "write one such as Europe/Berlin");
            Schedule::default()
        });
        Compiled {
            id: promotion.id.clone(),
            name: promotion.name.clone(),
            schedule,
            who: self.customers(&promotion.who),
            place: promotion.place.clone(),
            coupon: promotion.coupon.clone(),
            tender: promotion.tender.clone(),
            priority: promotion.priority,
            layer,
            competing,
            exclusive: promotion.exclusive,
            of: promotion.of,
            limits: promotion.limits.clone(),
            cap: promotion.cap.as_ref().map(|cap| self.amount(cap)),
            spread: promotion.spread,
            over: promotion.over,
            needs: self.needs(&promotion.needs),
            acts: promotion
                .gives
                .iter()
                .map(|give| {
                    let what = self.what(&give.what);
                    Act {
                        phase: phase(promotion, &what),
                        needs: self.needs(&give.needs),
                        what,
                    }
                })
                .collect(),
        }
    }

    /// Its layer, and its competing group.
    fn layer(&mut self, promotion: &Promotion) -> (usize, Option<usize>) {
        let Some(name) = &promotion.group else {
            return (0, None);
        };
        let Some(at) = self.groups.iter().position(|group| group.id == *name) else {
            let message = format!("the group '{name}' is not in the file");
            let hint = "write it under a line [[group]], with its id";
            self.problem(promotion.line, message, hint);
            return (0, None);
        };
        let group = &self.groups[at];
        let alike = self.groups[..at]
            .iter()
            .filter(|other| other.across == group.across);
        let place = alike.count();
        let by_unit = |give: &crate::Give| matches!(give.what, Gives::Unit { .. });
        let combined = match group.within {
            Within::Add => true,
            Within::Chain | Within::First => group.across == Across::Compete,
            Within::Best => false,
        };
        let sets = promotion
            .gives
            .iter()
            .any(|give| !by_unit(give) && !matches!(give.what, Gives::Total { .. }));
        if combined && sets {
            let message = "only what is given by the unit can be in this group".to_owned();
            let hint = "put it into a group that combines and is within = \"best\" or \"chain\"";
            self.problem(promotion.line, message, hint);
        }
        match group.across {
            Across::Combine => (place + 1, None),
            Across::Compete => (0, Some(place)),
        }
    }

    fn customers(&mut self, who: &Who) -> Customers {
        Customers {
            tiers: who.tiers.clone(),
            groups: who.groups.clone(),
            customers: who.customers.clone(),
            employees: who.employees,
            contracts: who.contracts.clone(),
            first_purchase: who.first_purchase,
            birthday_days: who.birthday_days,
            spent: who.spent.as_ref().map(|spent| self.amount(spent)),
            bought: who.bought.clone(),
        }
    }

    fn needs(&mut self, needs: &[Need]) -> Vec<Needed> {
        let need = |need: &Need| Needed {
            select: self.select(&need.selector),
            amount: match &need.measure {
                Measure::Units(units) => Amount::Units(*units),
                Measure::Distinct(items) => Amount::Distinct(*items),
                Measure::Grams(grams) => Amount::Grams(*grams),
                Measure::Spend {
                    amount,
                    over,
                    of,
                    tax,
                } => Amount::Spend {
                    minor: self.amount(amount),
                    over: *over,
                    of: *of,
                    tax: *tax,
                },
            },
        };
        needs.iter().map(need).collect()
    }

    fn select(&mut self, selector: &Selector) -> Select {
        let bounds = [&selector.price_from, &selector.price_to];
        let bounds = bounds.map(|bound| bound.as_ref().map(|bound| self.amount(bound)));
        let select = self.book.names.select(selector, bounds);
        let except = selector.except.as_ref();
        select.with_except(except.map(|except| self.select(except)))
    }

    fn reward(&mut self, reward: &FileReward) -> Reward {
        match reward {
            FileReward::Percent(rate) => Reward::Percent(*rate),
            FileReward::Amount(off) => Reward::Amount(self.amount(off)),
            FileReward::Price(price) => Reward::Price(self.amount(price)),
        }
    }

    fn what(&mut self, gives: &Gives) -> What {
        match gives {
            Gives::Unit { selector, steps } => What::Unit {
                select: self.select(selector),
                steps: steps
                    .iter()
                    .map(|(units, r)| (*units, self.reward(r)))
                    .collect(),
            },
            Gives::NFor {
                selector,
                units,
                price,
            } => {
                let whole = Reward::Price(self.amount(price));
                let parts = vec![(*units, Reward::Nothing, self.select(selector))];
                set(parts, whole)
            }
            Gives::OfEvery {
                selector,
                of,
                units,
                rate,
                dearest,
            } => self.of_every(selector, (*of, *units), *rate, *dearest),
            Gives::Set { parts, reward } => {
                let whole = reward.as_ref().map_or(Reward::Nothing, |r| self.reward(r));
                let part = |part: &crate::SetPart| {
                    let reward = part.reward.as_ref().map(|r| self.reward(r));
                    let reward = reward.unwrap_or(Reward::Nothing);
                    (part.units, reward, self.select(&part.selector))
                };
                set(parts.iter().map(part).collect(), whole)
            }
            Gives::Different { selector, tiers } => What::Set {
                offer: unlimited(Shape::Different {
                    tiers: tiers.clone(),
                }),
                parts: vec![self.select(selector)],
            },
            Gives::Total {
                selector,
                steps,
                per,
            } => What::Total {
                select: self.select(selector),
                steps: steps
                    .iter()
                    .map(|(from, reward)| {
                        let from = from.as_ref().map_or(0, |from| self.amount(from));
                        (from, self.reward(reward))
                    })
                    .collect(),
                per: per.as_ref().map(|per| self.amount(per)),
            },
            Gives::Prices(prices) => What::Prices(
                prices
                    .iter()
                    .map(|(item, breaks)| {
                        let breaks = breaks.iter().map(|(units, p)| (*units, self.amount(p)));
                        let breaks: Vec<(u32, i64)> = breaks.collect();
                        (self.book.names.item(&item.0), breaks)
                    })
                    .collect(),
            ),
            Gives::Points(points) => What::Points(*points),
            Gives::PointsPer {
                selector,
                points,
                spend,
            } => What::PointsPer {
                select: self.select(selector),
                points: *points,
                spend: self.amount(spend),
            },
            Gives::PointsTimes(times) => What::PointsTimes(*times),
            Gives::NextCoupon { code } => What::NextCoupon(code.clone()),
        }
    }

    /// The customer's best choice of the dearest is that of any units, so that is a set of parts.
    fn of_every(
        &mut self,
        selector: &Selector,
        (of, units): (u32, u32),
        rate: Rate,
        dearest: bool,
    ) -> What {
        let select = self.select(selector);
        if !dearest && units < of {
            return What::Set {
                offer: unlimited(Shape::Cheapest { of, units, rate }),
                parts: vec![select],
            };
        }
        let mut parts = vec![(units, Reward::Percent(rate), select.clone())];
        if of > units {
            parts.push((of - units, Reward::Nothing, select));
        }
        set(parts, Reward::Nothing)
    }

    /// Notes a promotion under what it is for.
    fn index(&mut self, compiled: &Compiled) {
        let index = self.book.promotions.len() as u32;
        let (items, departments, brands) = self.book.names.counts();
        let book = &mut self.book;
        book.by_item.resize(items, Vec::new());
        book.by_department.resize(departments, Vec::new());
        book.by_brand.resize(brands, Vec::new());
        let note = |list: &mut Vec<u32>| {
            if list.last() != Some(&index) {
                list.push(index);
            }
        };
        let mut by_select = |select: &Select| match select.is_named() {
            false => note(&mut book.anywhere),
            true => {
                let [items, departments, brands] = select.found_by();
                items
                    .iter()
                    .for_each(|n| note(&mut book.by_item[*n as usize]));
                for name in departments {
                    note(&mut book.by_department[*name as usize]);
                }
                brands
                    .iter()
                    .for_each(|n| note(&mut book.by_brand[*n as usize]));
            }
        };
        for act in &compiled.acts {
            match &act.what {
                What::Unit { select, .. }
                | What::Total { select, .. }
                | What::PointsPer { select, .. } => by_select(select),
                What::Set { parts, .. } => parts.iter().for_each(&mut by_select),
                What::Prices(_) | What::Points(_) | What::PointsTimes(_) | What::NextCoupon(_) => {}
            }
        }
        for act in &compiled.acts {
            match &act.what {
                What::Prices(prices) => {
                    prices
                        .keys()
                        .for_each(|n| note(&mut book.by_item[*n as usize]));
                }
                What::Points(_) | What::PointsTimes(_) | What::NextCoupon(_) => {
                    note(&mut book.anywhere);
                }
                _ => {}
            }
        }
    }
}

fn unlimited(shape: Shape) -> SetOffer {
    SetOffer {
        shape: Arc::new(shape),
        sets_max: None,
        cap: None,
    }
}

fn set(parts: Vec<(u32, Reward, Select)>, whole: Reward) -> What {
    let (mut shapes, mut selects) = (Vec::new(), Vec::new());
    for (units, reward, select) in parts {
        shapes.push(Part { units, reward });
        selects.push(select);
    }
    What::Set {
        offer: unlimited(Shape::Parts {
            parts: shapes,
            whole,
        }),
        parts: selects,
    }
}

/// The phase of what is given: as the promotion says, or else by its kind.
fn phase(promotion: &Promotion, what: &What) -> Phase {
    let own = match what {
        What::Prices(_) => Phase::Base,
        What::Unit { .. } => Phase::Line,
        What::Set { .. } => Phase::MultiBuy,
        What::Total { .. } => Phase::Threshold,
        What::Points(_) | What::PointsPer { .. } | What::PointsTimes(_) | What::NextCoupon(_) => {
            return Phase::Points;
        }
    };
    match (promotion.phase, &promotion.coupon) {
        (Some(stated), _) => stated,
        (None, Some(_)) => Phase::Coupon,
        (None, None) => own,
    }
}
