//! What holds for every basket, and the best choice found by trying them all.

use money::{Currency, Money, Quantity};
use promotions::{
    Basket, BasketLine, CompiledBook, Customer, Instant, Pricing, PromotionFile, evaluate,
};
use proptest::prelude::*;

const AT: Instant = Instant {
    unix_ms: 1_777_651_200_000,
    offset_minutes: 0,
};

/// A promotion over some of the items i0 … i4.
#[derive(Clone, Debug)]
struct Deal {
    kind: Kind,
    items: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Percent(u32),
    Amount(i64),
    NFor(u32, i64),
}

/// Item, pieces, price of a piece in cents.
type Line = (u8, i64, i64);

fn deal() -> impl Strategy<Value = Deal> {
    let kind = prop_oneof![
        (1..=100_u32).prop_map(Kind::Percent),
        (1..80_i64).prop_map(Kind::Amount),
        (1..=4_u32, 1..400_i64).prop_map(|(units, price)| Kind::NFor(units, price)),
        (2..=3_u32, 50..250_i64).prop_map(|(units, price)| Kind::NFor(units, price)),
    ];
    let items = prop::sample::subsequence(vec![0, 1, 2, 3, 4], 1..=5);
    (kind, items).prop_map(|(kind, items)| Deal { kind, items })
}

fn lines(pieces_max: i64, lines_max: usize) -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((0..5_u8, 1..=pieces_max, 1..200_i64), 0..=lines_max)
}

fn book(deals: &[(String, &Deal)]) -> CompiledBook {
    let mut text = "schema = 1\n".to_owned();
    for (id, deal) in deals {
        let gives = match deal.kind {
            Kind::Percent(percent) => format!("percent_off = {percent}"),
            Kind::Amount(off) => format!("amount_off = {}.{:02}", off / 100, off % 100),
            Kind::NFor(units, price) => format!(
                "n_for = {{ units = {units}, price = {}.{:02} }}",
                price / 100,
                price % 100
            ),
        };
        let items: Vec<String> = deal.items.iter().map(|i| format!("\"i{i}\"")).collect();
        text += &format!(
            "[[promotion]]\nid = \"{id}\"\nname = \"{id}\"\n{gives}\nitems = [{}]\n",
            items.join(",")
        );
    }
    let file = PromotionFile::parse(&text).unwrap();
    CompiledBook::compile(&file, Currency::USD).unwrap()
}

fn numbered(deals: &[Deal]) -> Vec<(String, &Deal)> {
    let ids = deals.iter().enumerate();
    ids.map(|(i, deal)| (format!("p{i}"), deal)).collect()
}

fn basket(lines: &[Line]) -> Basket {
    let line = |(number, &(item, pieces, price)): (usize, &Line)| {
        let unit_price = Money::from_minor(price, Currency::USD);
        let item = format!("i{item}").as_str().into();
        BasketLine::new(
            number as u32,
            item,
            "d".into(),
            Quantity::each(pieces),
            unit_price,
        )
    };
    Basket::new(Currency::USD, lines.iter().enumerate().map(line).collect())
}

fn priced(deals: &[Deal], lines: &[Line]) -> Pricing {
    let book = book(&numbered(deals));
    evaluate(&book, &basket(lines), &Customer::default(), AT)
}

/// The largest discount, by trying every choice for every unit.
fn best_by_trying(deals: &[Deal], lines: &[Line]) -> i64 {
    let units: Vec<(u8, i64)> = lines
        .iter()
        .flat_map(|&(item, pieces, price)| (0..pieces).map(move |_| (item, price)))
        .collect();
    let mut in_sets = vec![(0, 0); deals.len()];
    try_units(deals, &units, &mut in_sets)
}

/// `in_sets` holds, for each deal, the units in its sets and what they cost.
fn try_units(deals: &[Deal], units: &[(u8, i64)], in_sets: &mut [(u32, i64)]) -> i64 {
    let Some((&(item, price), rest)) = units.split_first() else {
        return deals
            .iter()
            .zip(in_sets.iter())
            .fold(0, |sum, (deal, &(n, cost))| match deal.kind {
                Kind::NFor(units, price) if n % units == 0 => {
                    sum + cost - price * i64::from(n / units)
                }
                Kind::NFor(..) => i64::MIN / 2,
                _ => sum,
            });
    };
    let mut best = try_units(deals, rest, in_sets);
    for (at, deal) in deals.iter().enumerate() {
        if !deal.items.contains(&item) {
            continue;
        }
        let got = match deal.kind {
            Kind::Percent(percent) => {
                (price * i64::from(percent) + 50) / 100 + try_units(deals, rest, in_sets)
            }
            Kind::Amount(off) => off.min(price) + try_units(deals, rest, in_sets),
            Kind::NFor(..) => {
                in_sets[at].0 += 1;
                in_sets[at].1 += price;
                let got = try_units(deals, rest, in_sets);
                in_sets[at].0 -= 1;
                in_sets[at].1 -= price;
                got
            }
        };
        best = best.max(got);
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_best_choice_is_found(
        deals in prop::collection::vec(deal(), 1..=4),
        lines in lines(2, 3),
    ) {
        let pricing = priced(&deals, &lines);
        prop_assert!(pricing.proven);
        prop_assert_eq!(pricing.total().minor(), best_by_trying(&deals, &lines));
    }

    #[test]
    fn parts_sum_and_no_line_goes_below_zero(
        deals in prop::collection::vec(deal(), 0..=6),
        lines in lines(9, 12),
    ) {
        let pricing = priced(&deals, &lines);
        for applied in &pricing.applied {
            let parts = applied.per_line.iter().map(|(_, part)| part.minor());
            prop_assert_eq!(parts.clone().sum::<i64>(), applied.amount.minor());
            prop_assert!(parts.clone().all(|part| part > 0));
            prop_assert!(applied.per_line.is_sorted_by(|a, b| a.0 < b.0));
        }
        prop_assert!(pricing.applied.is_sorted_by(|a, b| a.promotion < b.promotion));
        for (number, (_, pieces, price)) in lines.iter().enumerate() {
            prop_assert!(pricing.line_discount(number as u32).minor() <= pieces * price);
        }
    }

    #[test]
    fn the_order_of_lines_and_of_promotions_does_not_matter(
        deals in prop::collection::vec(deal(), 0..=6),
        lines in lines(5, 8),
        seed in any::<u64>(),
    ) {
        let expected = priced(&deals, &lines);
        let mut turned = numbered(&deals);
        let mut basket = basket(&lines);
        if !turned.is_empty() {
            let by = (seed % turned.len() as u64) as usize;
            turned.rotate_left(by);
        }
        if !basket.lines.is_empty() {
            let by = (seed % basket.lines.len() as u64) as usize;
            basket.lines.rotate_left(by);
            basket.lines[..by].reverse();
        }
        let got = evaluate(&book(&turned), &basket, &Customer::default(), AT);
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn one_more_promotion_never_raises_the_price(
        deals in prop::collection::vec(deal(), 1..=4),
        lines in lines(4, 5),
    ) {
        let with = priced(&deals, &lines);
        let without = priced(&deals[1..], &lines);
        prop_assume!(with.proven);
        prop_assert!(with.total().minor() >= without.total().minor());
    }

    #[test]
    fn a_promotion_for_other_items_changes_nothing(
        deals in prop::collection::vec(deal(), 0..=4),
        other in deal(),
        lines in lines(4, 6),
    ) {
        let mut more = deals.clone();
        more.push(Deal { items: vec![9], ..other });
        prop_assert_eq!(priced(&more, &lines), priced(&deals, &lines));
    }
}
