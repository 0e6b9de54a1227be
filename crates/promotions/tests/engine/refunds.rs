//! Returns: what was paid is what is refunded, in whatever order.

use std::collections::BTreeMap;

use money::Money;
use promotions::{Customer, ReturnPolicy, reprice};
use proptest::prelude::*;

use crate::common::{NOON, basket, book, priced, usd};

const TIES: &str = r#"ties: set = { parts = [{ units = 2, items = ["shirt"] }, { units = 1, items = ["tie"], percent_off = 10 }] }"#;

#[test]
fn part_of_a_set_gives_its_part_of_the_discount_back() {
    let lines = basket(&["shirt 5 1000", "tie 3 1000"]);
    let pricing = priced(&book(&[TIES]), &lines);
    let prorated =
        |line, before, count| pricing.refund(line, before, count, ReturnPolicy::Prorated);
    assert_eq!(prorated(1, 0, 2), Some(usd(1934)));
    assert_eq!(prorated(1, 2, 3), Some(usd(967 * 2 + 1000)));
    assert_eq!(prorated(2, 0, 1), Some(usd(966)));
    assert_eq!(prorated(1, 4, 2), None);
    assert_eq!(prorated(3, 0, 1), None);
    assert_eq!(pricing.paid(), usd(7800));
}

#[test]
fn the_benefit_is_kept_or_what_is_kept_is_priced_anew() {
    let kept = format!("{TIES}; spread_over = \"reward\"");
    let lines = basket(&["shirt 5 1000", "tie 3 1000"]);
    let pricing = priced(&book(&[&kept]), &lines);
    let refund = |line, count| pricing.refund(line, 0, count, ReturnPolicy::KeepBenefit);
    assert_eq!(refund(1, 5), Some(usd(5000)));
    assert_eq!(refund(2, 1), Some(usd(1000)));
    assert_eq!(refund(2, 3), Some(usd(2800)));

    let book = book(&[TIES]);
    let customer = Customer::default();
    let check = |kept: &[(u32, u32)], refunded: i64, expected: i64| {
        let kept: BTreeMap<u32, u32> = kept.iter().copied().collect();
        let got = reprice(&book, (&lines, &customer, NOON), &kept, usd(refunded));
        assert_eq!(got, usd(expected), "{kept:?}");
    };
    // Of five shirts one more than the sets need.
    check(&[(1, 4)], 0, 1000);
    check(&[(1, 3)], 1000, 900);
    check(&[(1, 0)], 1900, 2900);
    check(&[(1, 0), (2, 0)], 4800, 3000);
    // The second set breaks when a tie comes back: 1000 less its 100.
    check(&[(2, 1)], 0, 1900);
    check(&[(2, 2)], 500, 500);
}

#[test]
fn two_bought_one_free_refunds_what_was_paid() {
    let free = r#"free: cheapest = { of = 3 }; items = ["a"]"#;
    let lines = basket(&["a 3 1399"]);
    let pricing = priced(&book(&[free]), &lines);
    assert_eq!(
        pricing.refund(1, 0, 3, ReturnPolicy::Prorated),
        Some(usd(2798))
    );
    let each: Vec<i64> = (0..3)
        .filter_map(|before| pricing.refund(1, before, 1, ReturnPolicy::Prorated))
        .map(Money::minor)
        .collect();
    assert_eq!(each, [932, 933, 933]);
}

proptest! {
    #[test]
    fn returns_in_any_order_sum_to_what_was_paid(
        pieces in prop::collection::vec((1..=6_u32, 1..500_i64), 1..=5),
        order in prop::collection::vec((any::<prop::sample::Index>(), 1..=3_u32), 1..40),
        policy in prop::sample::select(vec![ReturnPolicy::Prorated, ReturnPolicy::KeepBenefit]),
    ) {
        let deals = [
            r#"a: cheapest = { of = 3 }; items = ["i0", "i1", "i2"]"#,
            r#"b: n_for = { units = 2, price = "1.99" }; items = ["i1", "i3"]"#,
            r#"c: total_amount_off = "3.33""#,
            r#"d: percent_off = 7; items = ["i4"]"#,
        ];
        let lines: Vec<String> = pieces.iter().enumerate()
            .map(|(item, (count, price))| format!("i{item} {count} {price}"))
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let pricing = priced(&book(&deals), &basket(&lines));
        let mut returned = vec![0_u32; pieces.len()];
        let mut sum = usd(0);
        let give_back = |line: usize, count: u32, returned: &mut [u32]| {
            let count = count.min(pieces[line].0 - returned[line]);
            let refund = pricing.refund(line as u32 + 1, returned[line], count, policy).unwrap();
            returned[line] += count;
            refund
        };
        for (line, count) in order {
            let line = line.index(pieces.len());
            sum += give_back(line, count, &mut returned);
        }
        for line in 0..pieces.len() {
            sum += give_back(line, u32::MAX, &mut returned);
        }
        prop_assert_eq!(sum, pricing.paid());
        let gross: i64 = pieces.iter().map(|(count, price)| i64::from(*count) * price).sum();
        prop_assert_eq!(sum.minor(), gross - pricing.total().minor());
    }
}
