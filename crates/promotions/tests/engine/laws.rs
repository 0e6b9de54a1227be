//! What holds for every basket, with promotions of every kind.

use promotions::{CompiledBook, Customer, PromotionFile, evaluate, explain};
use proptest::prelude::*;

use crate::common::{NOON, assert_sound, basket, book, priced};

/// One of each kind, over items i0 … i4, by number.
const KINDS: [&str; 14] = [
    r#"percent_off = 13; items = ["i0", "i1", "i2"]"#,
    r#"amount_off = "0.31"; items = ["i2", "i3"]"#,
    r#"price = "0.75"; items = ["i4"]"#,
    r#"steps = [{ units = 2, percent_off = 5 }, { units = 4, percent_off = 17 }]; items = ["i1", "i4"]"#,
    r#"n_for = { units = 3, price = "2.00" }; items = ["i0", "i1", "i2", "i3"]"#,
    r#"cheapest = { of = 3 }; items = ["i1", "i2", "i3", "i4"]"#,
    r#"cheapest = { of = 2, percent_off = 45 }; items = ["i0", "i4"]"#,
    r#"dearest = { of = 4, percent_off = 60 }; everything = true"#,
    r#"set = { price = "2.10", parts = [{ items = ["i0"] }, { units = 2, items = ["i1", "i3"] }] }"#,
    r#"set = { parts = [{ units = 2, items = ["i3"] }, { percent_off = 50, items = ["i4", "i0"] }] }; spread_over = "reward""#,
    r#"different = [{ titles = 2, percent_off = 6 }, { titles = 4, percent_off = 21 }]; everything = true"#,
    r#"total_amount_off = "1.11"; needs = [{ spend = "6.00" }]"#,
    r#"total_percent_off = 7; cap = "0.50""#,
    r#"percent_off = 90; items = ["i2"]; limit = { basket = 2 }"#,
];

type Line = (u8, i64, i64, bool);

fn lines() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((0..5_u8, 1..=3_i64, 1..300_i64, any::<bool>()), 0..=5)
}

fn kinds() -> impl Strategy<Value = Vec<usize>> {
    prop::sample::subsequence((0..KINDS.len()).collect::<Vec<_>>(), 0..=7)
}

fn promotions(kinds: &[usize]) -> Vec<String> {
    kinds
        .iter()
        .map(|kind| format!("p{kind:02}: {}", KINDS[*kind]))
        .collect()
}

fn words(lines: &[Line]) -> Vec<String> {
    let word = |(item, pieces, price, floor): &Line| match floor {
        true => format!("i{item} {pieces} {price} floor:{}", price * 3 / 4),
        false => format!("i{item} {pieces} {price}"),
    };
    lines.iter().map(word).collect()
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn a_pricing_is_sound_and_explained_as_it_is(kinds in kinds(), lines in lines()) {
        let book = book(&strs(&promotions(&kinds)));
        let basket = basket(&strs(&words(&lines)));
        let pricing = priced(&book, &basket);
        let explained = explain(&book, &basket, &Customer::default(), NOON);
        assert_sound(&explained.pricing, &basket);
        prop_assert_eq!(explained.pricing, pricing);
    }

    #[test]
    fn the_order_of_promotions_and_lines_does_not_matter(
        kinds in kinds(), lines in lines(), turn in any::<prop::sample::Index>(),
    ) {
        let basket = basket(&strs(&words(&lines)));
        let expected = priced(&book(&strs(&promotions(&kinds))), &basket);
        let mut turned = promotions(&kinds);
        if !turned.is_empty() {
            let by = turn.index(turned.len());
            turned.rotate_left(by);
        }
        let mut moved = basket.clone();
        if !moved.lines.is_empty() {
            let by = turn.index(moved.lines.len());
            moved.lines.rotate_left(by);
            moved.lines[..by].reverse();
        }
        prop_assert_eq!(priced(&book(&strs(&turned)), &moved), expected);
    }

    #[test]
    fn no_single_promotion_is_better(kinds in kinds(), lines in lines()) {
        // Of those that compete: what follows on what others left is not weighed against them.
        let kinds: Vec<usize> = kinds.into_iter().filter(|kind| ![11, 12].contains(kind)).collect();
        let lines: Vec<Line> = lines.into_iter().map(|(i, n, p, _)| (i, n, p, false)).collect();
        let basket = basket(&strs(&words(&lines)));
        let all = priced(&book(&strs(&promotions(&kinds))), &basket);
        let all = all.total().minor();
        for kind in kinds {
            let alone = priced(&book(&strs(&promotions(&[kind]))), &basket).total().minor();
            prop_assert!(alone <= all, "p{} gives {} alone, all give {}", kind, alone, all);
        }
    }

    #[test]
    fn a_promotion_for_other_goods_changes_nothing(
        kinds in kinds(), lines in lines(), other in 0..KINDS.len(),
    ) {
        let other = KINDS[other].replace("\"i", "\"other").replace("everything = true", "items = [\"z\"]");
        prop_assume!(!other.contains("total_"));
        let basket = basket(&strs(&words(&lines)));
        let mut more = promotions(&kinds);
        let expected = priced(&book(&strs(&more)), &basket);
        more.push(format!("a: {other}"));
        prop_assert_eq!(priced(&book(&strs(&more)), &basket), expected);
    }

    #[test]
    fn no_text_makes_the_reader_panic(
        at in any::<prop::sample::Index>(), with in "[\\[\\]{}\"=,.0-9a-z\n-]{0,12}", cut in 0..30_usize,
        json in any::<bool>(),
    ) {
        let whole = match json {
            true => r#"{"schema": 2, "promotion": [{"id": "a", "name": "a", "percent_off": 5, "items": ["1"], "needs": [{"units": 2}]}]}"#.to_owned(),
            false => format!("schema = 2\n[[group]]\nid = \"g\"\n[[promotion]]\nid = \"a\"\nname = \"a\"\n{}\nfrom = 2026-05-01\ntimes = [\"1:00-2:00\"]\nlimit = {{ basket = 1 }}\n", KINDS[8]),
        };
        let from = at.index(whole.len());
        let until = (from + cut).min(whole.len());
        let text = format!("{}{with}{}", &whole[..from], &whole[until..]);
        if let Ok(file) = PromotionFile::parse(&text)
            && let Ok(book) = CompiledBook::compile(&file, money::Currency::USD)
        {
            evaluate(&book, &basket(&["1 3 100", "i0 2 99"]), &Customer::default(), NOON);
        }
    }
}

/// Ten thousand baskets of a fixed generator, folded into one number: what any lane must compute.
#[test]
fn ten_thousand_baskets_price_the_same_everywhere() {
    // Four kinds in each book, every one of them in some.
    let of_four = |first: usize| {
        let kinds = [0, 3, 7, 11].map(|step| (first + step) % KINDS.len());
        book(&strs(&promotions(&kinds)))
    };
    let books: Vec<CompiledBook> = (0..KINDS.len()).map(of_four).collect();
    let mut state = 1_u64;
    let mut roll = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for number in 0..10_000 {
        let lines: Vec<Line> = (0..roll(4))
            .map(|_| {
                (
                    roll(5) as u8,
                    1 + roll(2) as i64,
                    1 + roll(300) as i64,
                    roll(4) == 0,
                )
            })
            .collect();
        let basket = basket(&strs(&words(&lines)));
        let book = &books[number % books.len()];
        let pricing = evaluate(book, &basket, &Customer::default(), NOON);
        let text = serde_json::to_string(&pricing).unwrap();
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    assert_eq!(format!("{hash:016x}"), "2abe9b34804dfdfe");
}

/// Very many sets compete for a few units, so that the search ends before the proof: the answer is
/// still no worse than each promotion alone, and than taking the best promotion first.
#[test]
fn an_answer_that_is_not_proven_is_no_worse_than_greedy() {
    let mut unproven = 0;
    for seed in 1..=6_u64 {
        let mut state = seed;
        let mut roll = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let bundle = |number: usize, roll: &mut dyn FnMut(u64) -> u64| {
            let mut item = || format!("\"i{}\"", roll(12));
            let (a, b, c) = (item(), item(), item());
            let percent = 20 + roll(40);
            match roll(3) {
                0 => format!(
                    "p{number:02}: cheapest = {{ of = 3, percent_off = {percent} }}; items = [{a}, {b}, {c}]"
                ),
                1 => format!(
                    "p{number:02}: set = {{ price = \"{}.00\", parts = [{{ items = [{a}] }}, {{ items = [{b}, {c}] }}] }}",
                    2 + roll(3)
                ),
                _ => format!(
                    "p{number:02}: set = {{ percent_off = {percent}, parts = [{{ units = 2, items = [{a}, {b}] }}, {{ items = [{c}] }}] }}"
                ),
            }
        };
        let promotions: Vec<String> = (0..150).map(|n| bundle(n, &mut roll)).collect();
        let lines: Vec<String> = (0..12)
            .map(|item| format!("i{item} {} {}", 1 + roll(4), 150 + roll(300)))
            .collect();
        let basket = basket(&strs(&lines));
        let all = priced(&book(&strs(&promotions)), &basket);
        assert_sound(&all, &basket);
        unproven += usize::from(!all.proven);
        for promotion in &promotions {
            let alone = priced(&book(&[promotion]), &basket).total();
            assert!(
                alone <= all.total(),
                "seed {seed}: {promotion} gives {alone} alone"
            );
        }
        let first = choose_first(&promotions, &lines);
        assert!(
            first <= all.total().minor(),
            "seed {seed}: one by one gives {first}"
        );
    }
    assert!(
        unproven > 0,
        "every search came to its end: the test shows nothing"
    );
}

/// Lets the promotion that takes most off choose first, then the next, each on whole lines that are
/// left.
fn choose_first(promotions: &[String], lines: &[String]) -> i64 {
    let mut left: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut sum = 0;
    loop {
        let on_left = basket(&left);
        let offers = promotions.iter().map(|p| priced(&book(&[p]), &on_left));
        let best = offers.max_by_key(|pricing| pricing.total().minor());
        let Some(best) = best.filter(|best| best.total().minor() > 0) else {
            return sum;
        };
        sum += best.total().minor();
        let touched: Vec<u32> = best.applied[0].per_line.iter().map(|(l, _)| *l).collect();
        let mut number = 0;
        left.retain(|_| {
            number += 1;
            !touched.contains(&number)
        });
    }
}
