//! Every example of the guide costs what the guide says.

use std::collections::BTreeMap;

use catalog::{Role, Tier};
use money::{Currency, Money, Rate};
use promotions::{
    Basket, CompiledBook, Customer, Instant, ManualDiscount, ManualOff, Moment, Pricing,
    PromotionFile, ReturnPolicy, evaluate, reprice,
};

use crate::common::{NOON, assert_sound, basket, hand_over, net, unit_prices, usd};

const GUIDE: &str = include_str!("../../README.md");

/// What an example prices.
struct Example {
    basket: Basket,
    customer: Customer,
    at: Instant,
}

/// What is between single backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn dollars(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap_or_else(|problem| panic!("{text}: {problem}"))
}

impl Example {
    /// Of lines, codes on coupons in brackets, and words such as `who: employee`.
    fn read(text: &str) -> Example {
        let words = quoted(text);
        let is_line = |text: &&str| !text.starts_with('(') && !text.contains(": ");
        let (lines, others): (Vec<&str>, Vec<&str>) = words.into_iter().partition(is_line);
        let mut example = Example {
            basket: basket(&lines),
            customer: Customer::default(),
            at: NOON,
        };
        for other in others {
            match other.split_once(": ") {
                Some((key, value)) => example.set(key, value),
                None => hand_over(&mut example.basket, other),
            }
        }
        example
    }

    fn set(&mut self, key: &str, value: &str) {
        match key {
            "who" => self.who(value),
            "where" => self.place(value),
            "at" => self.at = instant(value),
            "coupon" => *self.basket.coupons.entry(value.to_owned()).or_default() += 1,
            "pays" => {
                self.basket.tenders.insert(value.to_owned());
            }
            "right" => {
                let (promotion, held) = value.split_once(' ').unwrap();
                let held = held.parse().unwrap();
                self.basket.rights.insert(promotion.into(), held);
            }
            "by hand" => self.basket.manual.push(by_hand(value)),
            other => panic!("the guide says '{other}: {value}'"),
        }
    }

    fn who(&mut self, text: &str) {
        let customer = &mut self.customer;
        match text.split(' ').collect::<Vec<_>>()[..] {
            ["employee"] => customer.employee = true,
            ["first", "purchase"] => customer.first_purchase = true,
            ["tier", "gold"] => customer.tier = Some(Tier::Gold),
            ["tier", "silver"] => customer.tier = Some(Tier::Silver),
            ["group", group] => {
                customer.groups.insert(group.to_owned());
            }
            ["birthday", date] => {
                let (month, day) = date.split_once('-').unwrap();
                customer.birthday = Some((month.parse().unwrap(), day.parse().unwrap()));
            }
            ["spent", amount] => customer.spent_minor = dollars(amount).minor(),
            ["bought", item, pieces] => {
                customer.bought.insert(item.into(), pieces.parse().unwrap());
            }
            ["given", promotion, times] => {
                customer
                    .given
                    .insert(promotion.into(), times.parse().unwrap());
            }
            _ => panic!("the guide says 'who: {text}'"),
        }
    }

    fn place(&mut self, text: &str) {
        let place = &mut self.basket.place;
        match text.split(' ').collect::<Vec<_>>()[..] {
            ["self-checkout"] => place.self_checkout = true,
            ["channel", channel] => place.channel = Some(channel.to_owned()),
            ["lane", lane] => place.lane = Some(lane.parse().unwrap()),
            ["store", "group", group] => {
                place.store_groups.insert(group.to_owned());
            }
            _ => panic!("the guide says 'where: {text}'"),
        }
    }

    fn priced(&self, book: &CompiledBook) -> Pricing {
        let pricing = evaluate(book, &self.basket, &self.customer, self.at);
        assert_sound(&pricing, &self.basket);
        pricing
    }
}

/// A time in the store, or with a Z of UTC.
fn instant(text: &str) -> Instant {
    let wall = text.trim_end_matches('Z');
    let seconds = Moment::parse(wall).expect(text).seconds();
    let ahead = match text.len() == wall.len() {
        true => i64::from(NOON.offset_minutes) * 60,
        false => 0,
    };
    Instant {
        unix_ms: u64::try_from(seconds - ahead).unwrap() * 1000,
        ..NOON
    }
}

/// `cashier 5%`, `manager 2.00 on line 2`.
fn by_hand(text: &str) -> ManualDiscount {
    let (text, line) = match text.split_once(" on line ") {
        Some((text, line)) => (text, Some(line.parse().unwrap())),
        None => (text, None),
    };
    let (role, off) = text.split_once(' ').unwrap();
    ManualDiscount {
        line,
        off: match off.strip_suffix('%') {
            Some(percent) => ManualOff::Percent(Rate::parse_percent(percent).unwrap()),
            None => ManualOff::Amount(dollars(off)),
        },
        role: match role {
            "cashier" => Role::Cashier,
            "supervisor" => Role::Supervisor,
            "manager" => Role::Manager,
            _ => panic!("the guide names the role {role}"),
        },
        reason: "by hand".to_owned(),
    }
}

/// Checks `8.50 each 4.25 4.25 and give 5 points; 1 of tea back: 4.25 prorated`.
fn check(book: &CompiledBook, text: &str) {
    let (words, expected) = text.rsplit_once(" cost ").expect(text);
    let example = Example::read(words);
    let pricing = example.priced(book);
    assert!(pricing.proven, "{text}");
    let (expected, back) = expected.split_once("; ").unwrap_or((expected, ""));
    let mut given = expected.split(" and give ");
    let cost = given.next().unwrap_or_default();
    let (cost, each) = cost.split_once(" each ").unwrap_or((cost, ""));
    assert_eq!(usd(net(&pricing, &example.basket)), dollars(cost), "{text}");
    if !each.is_empty() {
        let lines = example.basket.lines.iter();
        let got: Vec<i64> = lines
            .flat_map(|line| unit_prices(&pricing, line.line))
            .collect();
        let each: Vec<i64> = each.split(' ').map(|each| dollars(each).minor()).collect();
        assert_eq!(got, each, "{text}");
    }
    let (mut points, mut coupons) = (0, Vec::new());
    for given in given {
        match (
            given.strip_suffix(" points"),
            given.strip_prefix("the coupon "),
        ) {
            (Some(text), _) => points = text.parse().unwrap(),
            (None, Some(code)) => coupons.push(code),
            (None, None) => panic!("the guide gives {given}"),
        }
    }
    assert_eq!(pricing.points_total(), points, "{text}");
    let next: Vec<&str> = pricing
        .next_coupons
        .iter()
        .map(|next| &next.code[..])
        .collect();
    assert_eq!(next, coupons, "{text}");
    if !back.is_empty() {
        check_back(book, &example, &pricing, back);
    }
}

/// Checks `2 of tea back: 8.00 prorated, 9.00 keeping the benefit, 7.50 priced anew`.
fn check_back(book: &CompiledBook, example: &Example, pricing: &Pricing, text: &str) {
    let (what, refunds) = text.split_once(" back: ").expect(text);
    let (count, item) = what.split_once(" of ").expect(text);
    let count: u32 = count.parse().unwrap();
    let mut lines = example.basket.lines.iter();
    let line = lines.find(|line| line.item.0 == item).expect(text);
    for refund in refunds.split(", ") {
        let (amount, policy) = refund.split_once(' ').expect(text);
        let got = match policy {
            "prorated" => pricing.refund(line.line, 0, count, ReturnPolicy::Prorated),
            "keeping the benefit" => pricing.refund(line.line, 0, count, ReturnPolicy::KeepBenefit),
            "priced anew" => {
                let sold = u32::try_from(line.quantity.pieces().unwrap()).unwrap();
                let kept = BTreeMap::from([(line.line, sold - count)]);
                let sale = (&example.basket, &example.customer, example.at);
                Some(reprice(book, sale, &kept, usd(0)))
            }
            _ => panic!("the guide returns {policy}"),
        };
        assert_eq!(got, Some(dollars(amount)), "{text}: {policy}");
    }
}

#[test]
fn the_examples_are_right() {
    let mut checked = 0;
    for section in GUIDE.split("```toml\n").skip(1) {
        let (toml, after) = section.split_once("```").unwrap();
        let file = PromotionFile::parse(&format!("schema = 2\n{toml}"))
            .unwrap_or_else(|problems| panic!("{toml}\n{problems:#?}"));
        let book = CompiledBook::compile(&file, Currency::USD).unwrap();
        let examples: Vec<&str> = after
            .lines()
            .filter_map(|line| line.strip_prefix("- "))
            .filter(|line| line.contains(" cost "))
            .collect();
        assert!(!examples.is_empty(), "no basket shows\n{toml}");
        examples.iter().for_each(|example| check(&book, example));
        checked += examples.len();
    }
    assert!(checked >= 110, "{checked}");
}

#[test]
fn what_the_guide_mentions_in_comments_is_understood() {
    let when = GUIDE.split("id = \"friday-noon\"").nth(1).unwrap();
    let (block, _) = when.split_once("```").unwrap();
    let comments = block.lines().filter_map(|line| line.strip_prefix("# "));
    let text = comments.collect::<Vec<_>>().join(" ");
    let keys = [
        "month_days = [1, 15, -1]",
        "weeks = [1, -1]",
        "every_days = 14",
        "zone = \"Europe/Berlin\"",
        "coupon = \"SPRING\"",
        "tender = \"store-card\"",
    ];
    assert!(keys.iter().all(|key| text.contains(key)), "{text}");
    let windows = text
        .split("windows = ")
        .nth(1)
        .unwrap()
        .split(" zone")
        .next()
        .unwrap();
    let who = text
        .split("who = ")
        .nth(1)
        .unwrap()
        .split(" where")
        .next()
        .unwrap();
    let place = text
        .split("where = ")
        .nth(1)
        .unwrap()
        .split(" coupon")
        .next()
        .unwrap();
    let file = format!(
        "schema = 2\n[[promotion]]\nid = \"a\"\nname = \"a\"\npercent_off = 1\neverything = true\n\
         from = 2026-05-01\n{}\nwindows = {windows}\nwho = {who}\nwhere = {place}\n",
        keys.join("\n")
    );
    PromotionFile::parse(&file).unwrap_or_else(|problems| panic!("{file}\n{problems:#?}"));
}
