//! Reads promotions and what a file says of all of them.

use std::collections::BTreeMap;

use catalog::{CustomerId, DepartmentId, ItemId, Role, Tier};

use super::Schema;
use super::reader::{Keys, Reader};
use crate::tree::{Node, Value};
use crate::{
    Across, Choose, Day, Exclusive, FileReward, Give, Gives, Group, Limits, Measure, Need, Of,
    Over, Phase, Promotion, PromotionFile, PromotionId, Selector, SetPart, Span, Spread, TaxBasis,
    Weekday, When, Where, Who, Window, Within,
};

/// The most units of one set, and of one part of it.
const SET_UNITS_MAX: u32 = 1000;
/// The most parts of a set, and tiers or steps of a promotion.
const PARTS_MAX: usize = 12;
/// The most things that a promotion gives or needs.
const GIVES_MAX: usize = 16;
/// The most characters of an id, of a name.
const ID_CHARS_MAX: usize = 48;
const NAME_CHARS_MAX: usize = 80;
const COUNT_MAX: u32 = 1_000_000_000;

const TIERS: &str = "write basic, silver or gold";
const PHASES: &[(&str, Phase)] = &[
    ("base", Phase::Base),
    ("line", Phase::Line),
    ("multi-buy", Phase::MultiBuy),
    ("threshold", Phase::Threshold),
    ("coupon", Phase::Coupon),
];

/// What a promotion or an entry of `gives` may give.
const KINDS: [&str; 17] = [
    "percent_off",
    "amount_off",
    "price",
    "steps",
    "n_for",
    "cheapest",
    "dearest",
    "set",
    "different",
    "total_percent_off",
    "total_amount_off",
    "total_steps",
    "prices",
    "points",
    "points_per",
    "points_times",
    "next_coupon",
];

impl Reader<'_> {
    pub fn promotion(&mut self, mut keys: Keys<'_>, schema: Schema) -> Option<Promotion> {
        let line = self.line(keys.at);
        let id = self.needed_text(&mut keys, "id", ID_CHARS_MAX);
        let name = self.needed_text(&mut keys, "name", NAME_CHARS_MAX);
        let gives = match schema {
            Schema::One => self.gives_one(&mut keys).map(|give| vec![give]),
            Schema::Two => self.gives(&mut keys),
        };
        let when = self.when(&mut keys, schema);
        let tiers = self.tiers(&mut keys);
        let mut promotion = Promotion {
            id: PromotionId(String::new()),
            name: String::new(),
            line,
            gives: Vec::new(),
            needs: Vec::new(),
            when,
            who: Who {
                tiers,
                ..Who::default()
            },
            place: Where::default(),
            coupon: None,
            tender: None,
            phase: None,
            priority: 0,
            group: None,
            exclusive: None,
            of: None,
            limits: Limits::default(),
            cap: None,
            spread: Spread::default(),
            over: Over::default(),
        };
        if schema == Schema::Two {
            self.more(&mut keys, &mut promotion);
        }
        keys.finish(self);
        promotion.id = PromotionId(id?);
        promotion.name = name?;
        promotion.gives = gives?;
        Some(promotion)
    }

    /// What schema 2 added around what a promotion gives.
    fn more(&mut self, keys: &mut Keys<'_>, promotion: &mut Promotion) {
        promotion.needs = self.needs(keys);
        if let Some(node) = keys.take("who") {
            let tiers = std::mem::take(&mut promotion.who.tiers);
            promotion.who = self.who(node, tiers);
        }
        if let Some(node) = keys.take("where") {
            promotion.place = self.place(node);
        }
        let mut code = |reader: &mut Self, key: &'static str| {
            keys.take(key)
                .and_then(|node| reader.text(node, key, ID_CHARS_MAX))
        };
        promotion.coupon = code(self, "coupon");
        promotion.tender = code(self, "tender");
        promotion.group = code(self, "group");
        promotion.phase = self.word(keys, "phase", PHASES);
        let priority = keys.take("priority");
        let priority = priority.and_then(|node| self.whole(node, "priority", (-9999, 9999)));
        promotion.priority = priority.map_or(0, |priority| priority as i32);
        let exclusive = [
            ("always", Exclusive::Always),
            ("if-better", Exclusive::IfBetter),
        ];
        promotion.exclusive = self.word(keys, "exclusive", &exclusive);
        promotion.of = self.of(keys);
        if let Some(node) = keys.take("limit") {
            promotion.limits = self.limits(node);
        }
        promotion.cap = keys.take("cap").and_then(|node| self.amount(node));
        let spreads = [
            ("largest", Spread::LargestRemainder),
            ("last", Spread::Last),
            ("first", Spread::First),
        ];
        promotion.spread = self.word(keys, "remainder", &spreads).unwrap_or_default();
        let overs = [("set", Over::Set), ("reward", Over::Reward)];
        promotion.over = self.word(keys, "spread_over", &overs).unwrap_or_default();
    }

    fn of(&mut self, keys: &mut Keys<'_>) -> Option<Of> {
        let words = [("list", Of::List), ("running", Of::Running)];
        self.word(keys, "of", &words)
    }

    fn limits(&mut self, node: &Node) -> Limits {
        let hint = "write limit = { basket = 1 }";
        let Some(mut keys) = self.table(node, "this is not a limit", hint) else {
            return Limits::default();
        };
        let mut limit = |key: &'static str| {
            let node = keys.take(key)?;
            self.count(node, "limit", COUNT_MAX)
        };
        let limits = Limits {
            basket: limit("basket"),
            customer: limit("customer"),
            customer_day: limit("customer_day"),
            store: limit("store"),
            day: limit("day"),
        };
        keys.finish(self);
        limits
    }

    /// What a promotion of schema 1 gives.
    fn gives_one(&mut self, keys: &mut Keys<'_>) -> Option<Give> {
        let kinds = KINDS
            .iter()
            .filter(|kind| ["percent_off", "amount_off", "n_for"].contains(kind));
        let kinds: Vec<&'static str> = kinds.copied().collect();
        let given = self.one_kind(keys, &kinds);
        let selector = self.selector_one(keys);
        let named = !selector.items.is_empty()
            || !selector.departments.is_empty()
            || !selector.brands.is_empty();
        let later = ["from", "until", "weekdays", "times", "tiers"];
        if !named && !keys.has_other_than(&later) {
            let hint = "name items, departments or brands";
            self.problem(keys.at, "it is for nothing", hint);
        }
        let (kind, node) = given?;
        let what = match kind {
            "n_for" => self.n_for(node, selector),
            _ => self.reward(kind, node).map(|reward| Gives::Unit {
                selector,
                steps: vec![(1, reward)],
            }),
        };
        let needs = Vec::new();
        Some(Give { what: what?, needs })
    }

    fn selector_one(&mut self, keys: &mut Keys<'_>) -> Selector {
        let mut selector = Selector {
            items: self.names(keys, "items", ItemId),
            departments: self.names(keys, "departments", DepartmentId),
            brands: self.names(keys, "brands", |brand| brand),
            ..Selector::default()
        };
        let excluded = self.names(keys, "exclude_items", ItemId);
        if !excluded.is_empty() {
            selector.except = Some(Box::new(Selector {
                items: excluded,
                ..Selector::default()
            }));
        }
        selector
    }

    /// The one thing that is given, by its key.
    fn one_kind<'v>(
        &mut self,
        keys: &mut Keys<'v>,
        kinds: &[&'static str],
    ) -> Option<(&'static str, &'v Node)> {
        let mut given: Vec<(&'static str, &Node)> = Vec::new();
        for kind in kinds {
            given.extend(keys.take(kind).map(|node| (*kind, node)));
        }
        match given.as_slice() {
            [one] => Some(*one),
            [] => {
                let (last, others) = kinds.split_last()?;
                let hint = format!("write {} or {last}", others.join(", "));
                self.problem(keys.at, "it gives nothing", hint);
                None
            }
            _ => {
                let hint = match kinds.len() {
                    3 => {
                        "write one of percent_off, amount_off and n_for, and a second promotion for the other"
                    }
                    _ => "write one, or each in an entry of its own under [[promotion.gives]]",
                };
                self.problem(keys.at, "it gives two things", hint);
                None
            }
        }
    }

    /// What a promotion of schema 2 gives: one thing beside its other keys, or a list.
    fn gives(&mut self, keys: &mut Keys<'_>) -> Option<Vec<Give>> {
        let Some(node) = keys.take("gives") else {
            let what = self.what(keys)?;
            let needs = Vec::new();
            return Some(vec![Give { what, needs }]);
        };
        let hint = "write each under a line [[promotion.gives]]";
        let entries = self.array(node, hint)?;
        if entries.is_empty() || entries.len() > GIVES_MAX {
            let hint = format!("write 1 to {GIVES_MAX}");
            self.problem(node.at, "this many things cannot be given", hint);
            return None;
        }
        let mut gives = Vec::with_capacity(entries.len());
        for entry in entries {
            let mut keys = self.table(entry, "this is nothing to give", hint)?;
            let what = self.what(&mut keys);
            let needs = self.needs(&mut keys);
            keys.finish(self);
            gives.push(Give { what: what?, needs });
        }
        Some(gives)
    }

    fn what(&mut self, keys: &mut Keys<'_>) -> Option<Gives> {
        let (kind, node) = self.one_kind(keys, &KINDS)?;
        match kind {
            "percent_off" | "amount_off" | "price" => {
                let selector = self.selector_needed(keys);
                let steps = vec![(1, self.reward(kind, node)?)];
                let selector = selector?;
                Some(Gives::Unit { selector, steps })
            }
            "steps" => {
                let selector = self.selector_needed(keys);
                let steps = self.steps(node);
                Some(Gives::Unit {
                    selector: selector?,
                    steps: steps?,
                })
            }
            "n_for" => {
                let selector = self.selector_needed(keys)?;
                self.n_for(node, selector)
            }
            "cheapest" | "dearest" => {
                let selector = self.selector_needed(keys);
                self.of_every(node, selector?, kind == "dearest")
            }
            "set" => self.set(node),
            "different" => {
                let selector = self.selector_needed(keys)?;
                let tiers = self.different(node)?;
                Some(Gives::Different { selector, tiers })
            }
            "total_percent_off" | "total_amount_off" | "total_steps" => {
                self.total(keys, kind, node)
            }
            "prices" => self.prices(node),
            "points" => self
                .whole(node, "number of points", (1, 1_000_000_000))
                .map(Gives::Points),
            "points_per" => {
                let selector = self.selector(keys, Everything::IfNothingElse);
                self.points_per(node, selector)
            }
            "points_times" => self.count(node, "factor", 1000).map(Gives::PointsTimes),
            _ => self
                .text(node, "coupon code", ID_CHARS_MAX)
                .map(|code| Gives::NextCoupon { code }),
        }
    }

    fn reward(&mut self, kind: &str, node: &Node) -> Option<FileReward> {
        match kind {
            "percent_off" => self.percent(node).map(FileReward::Percent),
            "amount_off" => self.amount(node).map(FileReward::Amount),
            _ => self.amount(node).map(FileReward::Price),
        }
    }

    /// The reward that a table states, if any.
    fn reward_in(&mut self, keys: &mut Keys<'_>, at: usize) -> Option<FileReward> {
        let mut rewards = Vec::new();
        for kind in ["percent_off", "amount_off", "price"] {
            if let Some(node) = keys.take(kind) {
                rewards.extend(self.reward(kind, node));
            }
        }
        if rewards.len() > 1 {
            let hint = "write one of percent_off, amount_off and price";
            self.problem(at, "it gives two things", hint);
        }
        rewards.into_iter().next()
    }

    fn n_for(&mut self, node: &Node, selector: Selector) -> Option<Gives> {
        let hint = "write n_for = { units = 3, price = \"5.00\" }";
        let mut keys = self.table(node, "this is not an n-for-a-price", hint)?;
        let units_node = keys.take("units");
        let units = units_node.map(|node| self.count(node, "number of units", SET_UNITS_MAX));
        let price = keys.take("price").map(|node| self.amount(node));
        keys.finish(self);
        match (units, price) {
            (Some(units), Some(price)) => Some(Gives::NFor {
                selector,
                units: units?,
                price: price?,
            }),
            (Some(None), None) => None,
            _ => {
                self.problem(node.at, "units or price is missing", hint);
                None
            }
        }
    }

    fn of_every(&mut self, node: &Node, selector: Selector, dearest: bool) -> Option<Gives> {
        let hint = "write { of = 3, units = 1, percent_off = 100 }";
        let mut keys = self.table(node, "this does not say of how many units", hint)?;
        let of = keys
            .take("of")
            .map(|node| self.count(node, "number of units", SET_UNITS_MAX));
        let units = keys
            .take("units")
            .map(|node| self.count(node, "number of units", SET_UNITS_MAX));
        let rate = keys.take("percent_off").map(|node| self.percent(node));
        keys.finish(self);
        let Some(of) = of else {
            self.problem(node.at, "of how many units is missing", hint);
            return None;
        };
        let (of, units) = (of?, units.unwrap_or(Some(1))?);
        if units > of {
            self.problem(node.at, "it gives more units than there are", hint);
            return None;
        }
        let rate = rate.unwrap_or(Some(money::Rate::from_percent(100)))?;
        Some(Gives::OfEvery {
            selector,
            of,
            units,
            rate,
            dearest,
        })
    }

    fn set(&mut self, node: &Node) -> Option<Gives> {
        let hint = "write set = { price = \"4.50\", parts = [{ units = 1, items = [\"…\"] }, …] }";
        let mut keys = self.table(node, "this is not a set", hint)?;
        let reward = self.reward_in(&mut keys, node.at);
        let parts_node = keys.take("parts");
        keys.finish(self);
        let Some(parts_node) = parts_node else {
            self.problem(node.at, "the parts are missing", hint);
            return None;
        };
        let entries = self.array(parts_node, hint)?;
        if entries.is_empty() || entries.len() > PARTS_MAX {
            let hint = format!("write 1 to {PARTS_MAX} parts");
            self.problem(parts_node.at, "this is not a number of parts", hint);
            return None;
        }
        let mut parts = Vec::with_capacity(entries.len());
        for entry in entries {
            let mut keys = self.table(entry, "this is not a part of a set", hint)?;
            let units = keys
                .take("units")
                .map(|node| self.count(node, "number of units", SET_UNITS_MAX));
            let reward = self.reward_in(&mut keys, entry.at);
            let selector = self.selector_needed(&mut keys);
            keys.finish(self);
            parts.push(SetPart {
                selector: selector?,
                units: units.unwrap_or(Some(1))?,
                reward,
            });
        }
        let rewarded = parts.iter().filter(|part| part.reward.is_some()).count();
        match (reward.is_some(), rewarded > 0) {
            (true, false) | (false, true) => Some(Gives::Set { parts, reward }),
            (false, false) => {
                let hint = "write a price for the set, or percent_off for one of its parts";
                self.problem(node.at, "it gives nothing", hint);
                None
            }
            (true, true) => {
                let hint = "reward the set as a whole or its parts, not both";
                self.problem(node.at, "it gives two things", hint);
                None
            }
        }
    }

    fn different(&mut self, node: &Node) -> Option<Vec<(u32, money::Rate)>> {
        let hint = "write different = [{ titles = 2, percent_off = 5 }]";
        let mut tiers: Vec<(u32, money::Rate)> = Vec::new();
        for (entry, mut keys) in self.tables(node, hint)? {
            let titles = keys
                .take("titles")
                .map(|node| self.count(node, "number of titles", 64));
            let rate = keys.take("percent_off").map(|node| self.percent(node));
            keys.finish(self);
            let (Some(titles), Some(rate)) = (titles, rate) else {
                self.problem(entry.at, "titles or percent_off is missing", hint);
                return None;
            };
            tiers.push((titles?, rate?));
        }
        self.rising(node, tiers.iter().map(|(titles, _)| i64::from(*titles)))?;
        Some(tiers)
    }

    fn steps(&mut self, node: &Node) -> Option<Vec<(u32, FileReward)>> {
        let hint = "write steps = [{ units = 3, percent_off = 10 }]";
        let mut steps = Vec::new();
        for (entry, mut keys) in self.tables(node, hint)? {
            let units = keys
                .take("units")
                .map(|node| self.count(node, "number of units", COUNT_MAX));
            let reward = self.reward_in(&mut keys, entry.at);
            keys.finish(self);
            let (Some(units), Some(reward)) = (units, reward) else {
                self.problem(entry.at, "units or percent_off is missing", hint);
                return None;
            };
            steps.push((units?, reward));
        }
        self.rising(node, steps.iter().map(|(units, _)| i64::from(*units)))?;
        Some(steps)
    }

    fn total(&mut self, keys: &mut Keys<'_>, kind: &str, node: &Node) -> Option<Gives> {
        let selector = self.selector(keys, Everything::IfNothingElse);
        let per = keys.take("per_spend").map(|node| self.amount(node));
        let steps = match kind {
            "total_percent_off" => vec![(None, FileReward::Percent(self.percent(node)?))],
            "total_amount_off" => vec![(None, FileReward::Amount(self.amount(node)?))],
            _ => self.total_steps(node)?,
        };
        if per.is_some() && kind != "total_amount_off" {
            let hint = "write total_amount_off beside per_spend";
            self.problem(node.at, "only an amount is given for every spend", hint);
            return None;
        }
        Some(Gives::Total {
            selector,
            steps,
            per: per.map_or(Some(None), |per| per.map(Some))?,
        })
    }

    fn total_steps(&mut self, node: &Node) -> Option<Vec<(Option<crate::FileAmount>, FileReward)>> {
        let hint = "write total_steps = [{ spend = \"50.00\", amount_off = \"5.00\" }]";
        let mut steps = Vec::new();
        for (entry, mut keys) in self.tables(node, hint)? {
            let spend = keys.take("spend").map(|node| self.amount(node));
            let reward = self.reward_in(&mut keys, entry.at);
            keys.finish(self);
            match (spend, reward) {
                (Some(spend), Some(reward @ (FileReward::Percent(_) | FileReward::Amount(_)))) => {
                    steps.push((Some(spend?), reward));
                }
                _ => {
                    self.problem(
                        entry.at,
                        "spend, percent_off or amount_off is missing",
                        hint,
                    );
                    return None;
                }
            }
        }
        Some(steps)
    }

    /// The tables of a list.
    fn tables<'v>(&mut self, node: &'v Node, hint: &str) -> Option<Vec<(&'v Node, Keys<'v>)>> {
        let entries = self.array(node, hint)?;
        if entries.is_empty() || entries.len() > PARTS_MAX {
            let hint = format!("write 1 to {PARTS_MAX}");
            self.problem(node.at, "this is not a number of steps", hint);
            return None;
        }
        let mut tables = Vec::with_capacity(entries.len());
        for entry in entries {
            tables.push((entry, self.table(entry, "this is not a step", hint)?));
        }
        Some(tables)
    }

    fn rising(&mut self, node: &Node, mut steps: impl Iterator<Item = i64>) -> Option<()> {
        let mut last = steps.next()?;
        for step in steps {
            if step <= last {
                self.problem(node.at, "the steps do not rise", "write the smallest first");
                return None;
            }
            last = step;
        }
        Some(())
    }

    fn prices(&mut self, node: &Node) -> Option<Gives> {
        let hint = "write prices = { \"10234\" = \"1.99\", \"10235\" = [{ units = 10, price = \"1.80\" }] }";
        let mut keys = self.table(node, "this is not a price list", hint)?;
        let mut prices = BTreeMap::new();
        for (item, node) in keys.rest() {
            let breaks = match &node.value {
                Value::List(_) => self.price_breaks(node, hint)?,
                _ => vec![(1, self.amount(node)?)],
            };
            prices.insert(ItemId(item.to_owned()), breaks);
        }
        if prices.is_empty() {
            self.problem(node.at, "it is for nothing", hint);
            return None;
        }
        Some(Gives::Prices(prices))
    }

    fn price_breaks(&mut self, node: &Node, hint: &str) -> Option<Vec<(u32, crate::FileAmount)>> {
        let mut breaks = Vec::new();
        for (entry, mut keys) in self.tables(node, hint)? {
            let units = keys
                .take("units")
                .map(|node| self.count(node, "number of units", COUNT_MAX));
            let price = keys.take("price").map(|node| self.amount(node));
            keys.finish(self);
            let (Some(units), Some(price)) = (units, price) else {
                self.problem(entry.at, "units or price is missing", hint);
                return None;
            };
            breaks.push((units?, price?));
        }
        self.rising(node, breaks.iter().map(|(units, _)| i64::from(*units)))?;
        Some(breaks)
    }

    fn points_per(&mut self, node: &Node, selector: Selector) -> Option<Gives> {
        let hint = "write points_per = { points = 1, spend = \"1.00\" }";
        let mut keys = self.table(node, "this is not points for an amount", hint)?;
        let points = keys
            .take("points")
            .map(|node| self.whole(node, "number of points", (1, 1_000_000)));
        let spend = keys.take("spend").map(|node| self.amount(node));
        keys.finish(self);
        let (Some(points), Some(spend)) = (points, spend) else {
            self.problem(node.at, "points or spend is missing", hint);
            return None;
        };
        Some(Gives::PointsPer {
            selector,
            points: points?,
            spend: spend?,
        })
    }

    fn selector_needed(&mut self, keys: &mut Keys<'_>) -> Option<Selector> {
        let at = keys.at;
        let selector = self.selector(keys, Everything::Stated);
        if selector.is_empty() {
            let hint = "name items, departments, brands or attributes, or write everything = true";
            self.problem(at, "it is for nothing", hint);
            return None;
        }
        Some(selector)
    }

    fn selector(&mut self, keys: &mut Keys<'_>, everything: Everything) -> Selector {
        let mut selector = self.selector_one(keys);
        let words = [("any", false), ("all", true)];
        selector.all = self.word(keys, "match", &words).unwrap_or_default();
        selector.everything = self.yes(keys, "everything");
        selector.fees = self.yes(keys, "fees");
        selector.price_from = keys.take("price_from").and_then(|node| self.amount(node));
        selector.price_to = keys.take("price_to").and_then(|node| self.amount(node));
        if let Some(node) = keys.take("attributes") {
            self.attributes(node, &mut selector);
        }
        if let Some(node) = keys.take("except") {
            let hint = "write except = { items = [\"…\"] }";
            if let Some(mut keys) = self.table(node, "this is not a selection", hint) {
                let mut except = self.selector(&mut keys, Everything::Stated);
                keys.finish(self);
                let excluded = selector.except.take();
                except
                    .items
                    .extend(excluded.into_iter().flat_map(|excluded| excluded.items));
                selector.except = Some(Box::new(except));
            }
        }
        if selector.is_empty() && everything == Everything::IfNothingElse {
            selector.everything = true;
        }
        selector
    }

    fn attributes(&mut self, node: &Node, selector: &mut Selector) {
        let hint = "write attributes = { size = [\"1l\"] }";
        let Some(mut keys) = self.table(node, "these are not attributes", hint) else {
            return;
        };
        for (name, node) in keys.rest() {
            let mut values = std::collections::BTreeSet::new();
            for entry in self.array(node, hint).unwrap_or_default() {
                values.extend(self.text(entry, "value", NAME_CHARS_MAX));
            }
            selector.attributes.insert(name.to_owned(), values);
        }
    }

    fn needs(&mut self, keys: &mut Keys<'_>) -> Vec<Need> {
        let Some(node) = keys.take("needs") else {
            return Vec::new();
        };
        let hint = "write needs = [{ units = 3, departments = [\"…\"] }]";
        let Some(tables) = self.tables(node, hint) else {
            return Vec::new();
        };
        tables
            .into_iter()
            .filter_map(|(entry, keys)| self.need(entry, keys, hint))
            .collect()
    }

    fn need(&mut self, entry: &Node, mut keys: Keys<'_>, hint: &str) -> Option<Need> {
        let measures = ["units", "distinct", "kilograms", "spend", "spend_over"];
        let mut stated: Vec<(&str, &Node)> = Vec::new();
        for measure in measures {
            stated.extend(keys.take(measure).map(|node| (measure, node)));
        }
        let selector = self.selector(&mut keys, Everything::IfNothingElse);
        let spends = stated
            .iter()
            .any(|(measure, _)| measure.starts_with("spend"));
        let (mut of, mut tax) = (Of::List, TaxBasis::AsPriced);
        if spends {
            of = self.of(&mut keys).unwrap_or(Of::List);
            let words = [("net", TaxBasis::Net), ("gross", TaxBasis::Gross)];
            tax = self.word(&mut keys, "tax", &words).unwrap_or_default();
        }
        keys.finish(self);
        let [(measure, node)] = stated.as_slice() else {
            self.problem(entry.at, "it does not say how much is needed", hint);
            return None;
        };
        let measure = match *measure {
            "units" => Measure::Units(self.count(node, "number of units", COUNT_MAX)?),
            "distinct" => Measure::Distinct(self.count(node, "number of items", COUNT_MAX)?),
            "kilograms" => Measure::Grams(self.grams(node)?),
            measure => Measure::Spend {
                amount: self.amount(node)?,
                over: measure == "spend_over",
                of,
                tax,
            },
        };
        Some(Need { selector, measure })
    }

    fn grams(&mut self, node: &Node) -> Option<i64> {
        let hint = "write kilograms such as 1.5";
        let text = self.number(node, hint)?;
        match money::Quantity::parse(&text, money::Unit::Kilogram) {
            Ok(quantity) => Some(quantity.milli()),
            Err(_) => {
                self.problem(node.at, "this is not a weight", hint);
                None
            }
        }
    }

    fn tiers(&mut self, keys: &mut Keys<'_>) -> Vec<Tier> {
        self.several(keys, "tiers", TIERS, |text| match text {
            "basic" => Some(Tier::Basic),
            "silver" => Some(Tier::Silver),
            "gold" => Some(Tier::Gold),
            _ => None,
        })
    }

    fn who(&mut self, node: &Node, mut tiers: Vec<Tier>) -> Who {
        let hint = "write who = { groups = [\"…\"] }";
        let Some(mut keys) = self.table(node, "this does not say who", hint) else {
            return Who::default();
        };
        tiers.extend(self.tiers(&mut keys));
        let who = Who {
            tiers,
            groups: self.names(&mut keys, "groups", |name| name),
            customers: self.names(&mut keys, "customers", CustomerId),
            employees: self.yes(&mut keys, "employees"),
            contracts: self.names(&mut keys, "contracts", |name| name),
            first_purchase: self.yes(&mut keys, "first_purchase"),
            birthday_days: keys
                .take("birthday_days")
                .and_then(|node| self.whole(node, "number of days", (0, 180)))
                .map(|days| days as u16),
            spent: keys.take("spent").and_then(|node| self.amount(node)),
            bought: keys.take("bought").and_then(|node| self.bought(node)),
        };
        keys.finish(self);
        who
    }

    fn bought(&mut self, node: &Node) -> Option<(u32, std::collections::BTreeSet<ItemId>)> {
        let hint = "write bought = { units = 3, items = [\"…\"] }";
        let mut keys = self.table(node, "this does not say what was bought", hint)?;
        let units = keys
            .take("units")
            .map(|node| self.count(node, "number of units", COUNT_MAX));
        let items = self.names(&mut keys, "items", ItemId);
        keys.finish(self);
        if items.is_empty() {
            self.problem(node.at, "the items are missing", hint);
        }
        Some((units.unwrap_or(Some(1))?, items))
    }

    fn place(&mut self, node: &Node) -> Where {
        let hint = "write where = { stores = [\"…\"] }";
        let Some(mut keys) = self.table(node, "this does not say where", hint) else {
            return Where::default();
        };
        let lane = |text: &str| text.parse().ok();
        let place = Where {
            stores: self.names(&mut keys, "stores", |name| name),
            store_groups: self.names(&mut keys, "store_groups", |name| name),
            channels: self.names(&mut keys, "channels", |name| name),
            lanes: self
                .several(&mut keys, "lanes", "write lane numbers", lane)
                .into_iter()
                .collect(),
            self_checkout: self.yes(&mut keys, "self_checkout"),
        };
        keys.finish(self);
        place
    }

    fn when(&mut self, keys: &mut Keys<'_>, schema: Schema) -> When {
        let start = keys.at;
        let from = keys.take("from").and_then(|node| self.day(node));
        let until = keys.take("until").and_then(|node| self.day(node));
        if from.zip(until).is_some_and(|(from, until)| until < from) {
            self.problem(
                start,
                "it ends before it begins",
                "until is the last day: write one that is not before from",
            );
        }
        let hint = "write mon, tue, wed, thu, fri, sat or sun";
        let weekdays = self.several(keys, "weekdays", hint, Weekday::parse);
        let hint = "write \"16:00-18:00\"";
        let times = self.several(keys, "times", hint, Span::parse);
        let mut when = When {
            from,
            until,
            weekdays,
            times,
            ..When::default()
        };
        if schema == Schema::Two {
            self.recurring(keys, &mut when);
        }
        when
    }

    fn recurring(&mut self, keys: &mut Keys<'_>, when: &mut When) {
        let within = |max: i8| {
            move |text: &str| {
                let number: i8 = text.parse().ok()?;
                (number != 0 && (-max..=max).contains(&number)).then_some(number)
            }
        };
        let hint = "write days from 1 to 31, or from -1 for the last";
        when.month_days = self.several(keys, "month_days", hint, within(31));
        let hint = "write weeks from 1 to 5, or from -1 for the last";
        when.weeks = self.several(keys, "weeks", hint, within(5));
        let hint = "write \"2026-11-27T09:00/2026-11-27T09:15\"";
        when.windows = self.several(keys, "windows", hint, Window::parse);
        if let Some(node) = keys.take("every_days") {
            when.every_days = self.count(node, "number of days", 366);
            if when.from.is_none() {
                let hint = "write from, the first of these days";
                self.problem(node.at, "it does not say from when it is counted", hint);
            }
        }
        if let Some(node) = keys.take("zone") {
            when.zone = self.text(node, "time zone", ID_CHARS_MAX);
            let known = |zone: &String| jiff::tz::TimeZone::get(zone).is_ok();
            if when.zone.as_ref().is_some_and(|zone| !known(zone)) {
                let hint = "write one such as Europe/Berlin";
                self.problem(node.at, "this is not a time zone", hint);
            }
        }
    }

    fn day(&mut self, node: &Node) -> Option<Day> {
        let day = match &node.value {
            Value::Text(text) | Value::Date(text) => Day::parse(text),
            _ => None,
        };
        if day.is_none() {
            let hint = "write a date such as 2026-05-31, without a time";
            self.problem(node.at, "this is not a date", hint);
        }
        day
    }

    /// What a file says of all its promotions.
    pub fn book(&mut self, keys: &mut Keys<'_>, file: &mut PromotionFile) {
        let words = [("best", Choose::Best), ("priority", Choose::Priority)];
        file.choose = self.word(keys, "choose", &words).unwrap_or_default();
        if let Some(node) = keys.take("manual_max") {
            let hint = "write manual_max = { cashier = 5, supervisor = 15, manager = 100 }";
            if let Some(mut keys) = self.table(node, "these are not limits", hint) {
                for (name, role) in [
                    ("cashier", Role::Cashier),
                    ("supervisor", Role::Supervisor),
                    ("manager", Role::Manager),
                ] {
                    let rate = keys.take(name).and_then(|node| self.percent(node));
                    file.manual_max.extend(rate.map(|rate| (role, rate)));
                }
                keys.finish(self);
            }
        }
        if let Some(node) = keys.take("group") {
            let hint = "write each group under a line [[group]]";
            for entry in self.array(node, hint).unwrap_or_default() {
                if let Some(keys) = self.table(entry, "this is not a group", hint) {
                    file.groups.extend(self.group(keys, &file.groups));
                }
            }
        }
    }

    fn group(&mut self, mut keys: Keys<'_>, before: &[Group]) -> Option<Group> {
        let id = self.needed_text(&mut keys, "id", ID_CHARS_MAX);
        let within = [
            ("best", Within::Best),
            ("chain", Within::Chain),
            ("add", Within::Add),
            ("first", Within::First),
        ];
        let within = self.word(&mut keys, "within", &within).unwrap_or_default();
        let across = [("combine", Across::Combine), ("compete", Across::Compete)];
        let across = self.word(&mut keys, "across", &across).unwrap_or_default();
        let at = keys.at;
        keys.finish(self);
        let id = id?;
        if before.iter().any(|group| group.id == id) {
            let hint = "give each group an id of its own";
            self.problem(at, format!("the group '{id}' is there already"), hint);
        }
        Some(Group { id, within, across })
    }
}

/// Whether a selector that names nothing selects everything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Everything {
    Stated,
    IfNothingElse,
}
