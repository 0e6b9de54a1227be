//! The search against trying everything, on small random baskets of every kind of set.
//!
//! The reference hands every unit to every offer in every way, and then counts what each offer's
//! units give at best when they are divided into sets in every way. It shares no code with the
//! engine but the rounding of a percentage.

use money::{Rate, Rounding};
use proptest::prelude::*;

use crate::common::{basket, book, priced, usd};

/// A promotion over some of the items i0 … i4.
#[derive(Clone, Debug)]
enum Deal {
    Percent(u32, Vec<u8>),
    Limited(u32, u32, Vec<u8>),
    NFor(usize, i64, Vec<u8>),
    Cheapest(usize, usize, u32, Vec<u8>),
    Dearest(usize, u32, Vec<u8>),
    /// Price, and one unit of each part.
    Bundle(i64, Vec<Vec<u8>>),
    /// So many of the first earn a share off one of the second.
    BuyGet(usize, Vec<u8>, u32, Vec<u8>),
    /// Two and three different ones.
    Different(u32, u32, Vec<u8>),
    AmountOff(usize, i64, Vec<u8>),
}

fn items() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::subsequence(vec![0, 1, 2, 3, 4], 1..=4)
}

fn deal() -> impl Strategy<Value = Deal> {
    prop_oneof![
        (1..=60_u32, items()).prop_map(|(p, i)| Deal::Percent(p, i)),
        (1..=80_u32, 1..=2_u32, items()).prop_map(|(p, n, i)| Deal::Limited(p, n, i)),
        (2..=3_usize, 50..300_i64, items()).prop_map(|(n, p, i)| Deal::NFor(n, p, i)),
        (2..=3_usize, 1..=2_usize, 30..=100_u32, items())
            .prop_map(|(of, free, p, i)| Deal::Cheapest(of, free.min(of - 1), p, i)),
        (2..=3_usize, 10..=60_u32, items()).prop_map(|(of, p, i)| Deal::Dearest(of, p, i)),
        (50..350_i64, prop::collection::vec(items(), 2..=3)).prop_map(|(p, i)| Deal::Bundle(p, i)),
        (1..=2_usize, items(), 20..=100_u32, items())
            .prop_map(|(n, a, p, b)| Deal::BuyGet(n, a, p, b)),
        (5..=20_u32, 21..=50_u32, items()).prop_map(|(a, b, i)| Deal::Different(a, b, i)),
        (2..=3_usize, 1..=40_i64, items()).prop_map(|(n, off, i)| Deal::AmountOff(n, off, i)),
    ]
}

fn list(items: &[u8]) -> String {
    let items: Vec<String> = items.iter().map(|i| format!("\"i{i}\"")).collect();
    format!("items = [{}]", items.join(", "))
}

fn dollars(minor: i64) -> String {
    format!("\"{}.{:02}\"", minor / 100, minor % 100)
}

impl Deal {
    fn text(&self) -> String {
        match self {
            Deal::Percent(p, i) => format!("percent_off = {p}; {}", list(i)),
            Deal::Limited(p, n, i) => {
                format!("percent_off = {p}; limit = {{ basket = {n} }}; {}", list(i))
            }
            Deal::NFor(n, p, i) => format!(
                "n_for = {{ units = {n}, price = {} }}; {}",
                dollars(*p),
                list(i)
            ),
            Deal::Cheapest(of, free, p, i) => format!(
                "cheapest = {{ of = {of}, units = {free}, percent_off = {p} }}; {}",
                list(i)
            ),
            Deal::Dearest(of, p, i) => {
                format!("dearest = {{ of = {of}, percent_off = {p} }}; {}", list(i))
            }
            Deal::Bundle(p, parts) => {
                let parts: Vec<String> = parts
                    .iter()
                    .map(|part| format!("{{ {} }}", list(part)))
                    .collect();
                let parts = parts.join(", ");
                format!("set = {{ price = {}, parts = [{parts}] }}", dollars(*p))
            }
            Deal::BuyGet(n, a, p, b) => format!(
                "set = {{ parts = [{{ units = {n}, {} }}, {{ percent_off = {p}, {} }}] }}",
                list(a),
                list(b)
            ),
            Deal::Different(a, b, i) => format!(
                "different = [{{ titles = 2, percent_off = {a} }}, {{ titles = 3, percent_off = {b} }}]; {}",
                list(i)
            ),
            Deal::AmountOff(n, off, i) => format!(
                "set = {{ amount_off = {}, parts = [{{ units = {n}, {} }}] }}",
                dollars(*off),
                list(i)
            ),
        }
    }

    /// The sizes that one of its sets may have.
    fn sizes(&self) -> Vec<usize> {
        match self {
            Deal::Percent(..) | Deal::Limited(..) => vec![1],
            Deal::NFor(n, ..) | Deal::AmountOff(n, ..) => vec![*n],
            Deal::Cheapest(of, ..) | Deal::Dearest(of, ..) => vec![*of],
            Deal::Bundle(_, parts) => vec![parts.len()],
            Deal::BuyGet(n, ..) => vec![n + 1],
            Deal::Different(..) => vec![2, 3, 4, 5],
        }
    }

    fn sets_max(&self) -> usize {
        match self {
            Deal::Limited(_, n, _) => *n as usize,
            _ => usize::MAX,
        }
    }

    /// What a set of these units (item and price, the dearest first) takes off; `None` where they
    /// are no set.
    fn off(&self, set: &[(u8, i64)]) -> Option<i64> {
        let all = |items: &[u8]| set.iter().all(|(item, _)| items.contains(item));
        let whole: i64 = set.iter().map(|(_, price)| price).sum();
        match self {
            Deal::Percent(p, i) | Deal::Limited(p, _, i) => all(i).then(|| percent(whole, *p)),
            Deal::NFor(_, price, i) => (all(i) && whole > *price).then(|| whole - price),
            Deal::AmountOff(_, off, i) => all(i).then(|| *off.min(&whole)),
            Deal::Cheapest(of, free, p, i) => all(i).then(|| {
                let cheapest = &set[of - free..];
                cheapest.iter().map(|(_, price)| percent(*price, *p)).sum()
            }),
            Deal::Dearest(_, p, i) => all(i).then(|| percent(set[0].1, *p)),
            Deal::Bundle(price, parts) => {
                let fits = fits(set, parts);
                (fits && whole > *price).then(|| whole - price)
            }
            Deal::BuyGet(_, a, p, b) => {
                let rewarded = (0..set.len()).filter(|&get| {
                    let buys = set.iter().enumerate().filter(|(at, _)| *at != get);
                    b.contains(&set[get].0) && buys.clone().all(|(_, (item, _))| a.contains(item))
                });
                rewarded.map(|get| percent(set[get].1, *p)).max()
            }
            Deal::Different(two, three, i) => {
                let mut titles: Vec<u8> = set.iter().map(|(item, _)| *item).collect();
                titles.sort_unstable();
                titles.dedup();
                let rate = if set.len() > 2 { *three } else { *two };
                (all(i) && titles.len() == set.len()).then(|| percent(whole, rate))
            }
        }
    }
}

fn percent(minor: i64, percent: u32) -> i64 {
    let share = usd(minor).share(Rate::from_percent(percent), Rounding::HalfUp);
    share.minor()
}

/// Whether each part can have a unit of its own.
fn fits(set: &[(u8, i64)], parts: &[Vec<u8>]) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return true;
    };
    (0..set.len()).any(|at| {
        let mut left = set.to_vec();
        let (item, _) = left.remove(at);
        first.contains(&item) && fits(&left, rest)
    })
}

/// The largest discount, by trying for the first unit every set that it can be in, or none.
fn best_by_trying(deals: &[Deal], units: &[(u8, i64)], made: &mut Vec<usize>) -> i64 {
    let Some((&first, rest)) = units.split_first() else {
        return 0;
    };
    let mut best = best_by_trying(deals, rest, made);
    for (at, deal) in deals.iter().enumerate() {
        if made[at] >= deal.sets_max() {
            continue;
        }
        for size in deal.sizes().into_iter().filter(|size| *size <= units.len()) {
            for others in subsets(rest.len(), size - 1) {
                let mut set = vec![first];
                set.extend(others.iter().map(|at| rest[*at]));
                let Some(off) = deal.off(&set) else { continue };
                let left: Vec<(u8, i64)> = (0..rest.len())
                    .filter(|at| !others.contains(at))
                    .map(|at| rest[at])
                    .collect();
                made[at] += 1;
                best = best.max(off + best_by_trying(deals, &left, made));
                made[at] -= 1;
            }
        }
    }
    best
}

fn subsets(of: usize, size: usize) -> Vec<Vec<usize>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for last in size - 1..of {
        for mut subset in subsets(last, size - 1) {
            subset.push(last);
            all.push(subset);
        }
    }
    all
}

fn check(deals: &[Deal], lines: &[(u8, i64, i64)]) -> Result<(), TestCaseError> {
    let texts: Vec<String> = (deals.iter().zip(0..))
        .map(|(deal, number)| format!("p{number}: {}", deal.text()))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let words: Vec<String> = lines
        .iter()
        .map(|(item, pieces, price)| format!("i{item} {pieces} {price}"))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let pricing = priced(&book(&texts), &basket(&words));
    let mut units: Vec<(u8, i64)> = lines
        .iter()
        .flat_map(|&(item, pieces, price)| (0..pieces).map(move |_| (item, price)))
        .collect();
    units.sort_by_key(|(item, price)| (-price, *item));
    let best = best_by_trying(deals, &units, &mut vec![0; deals.len()]);
    prop_assert!(pricing.proven);
    prop_assert_eq!(pricing.total().minor(), best, "{:?} {:?}", texts, words);
    Ok(())
}

/// Two prices of one title: found at random, when an open set was named by its order before the title
/// that came last was forgotten, and by another order after.
#[test]
fn one_title_at_two_prices_is_one_title() {
    let titles = [Deal::Different(5, 21, vec![3, 4])];
    check(&titles, &[(3, 2, 50), (3, 2, 100), (4, 1, 100)]).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_better_can_be_found(
        deals in prop::collection::vec(deal(), 1..=3),
        lines in prop::collection::vec((0..5_u8, 1..=2_i64, 20..200_i64), 1..=4),
    ) {
        check(&deals, &lines)?;
    }

    /// So many that they are looked at set by set.
    #[test]
    fn nothing_better_can_be_found_among_many(
        deals in prop::collection::vec(deal(), 10..=16),
        lines in prop::collection::vec((0..5_u8, 1..=2_i64, 20..200_i64), 2..=3),
    ) {
        check(&deals, &lines)?;
    }

    #[test]
    fn nothing_better_can_be_found_for_few_prices(
        deals in prop::collection::vec(deal(), 2..=3),
        lines in prop::collection::vec((0..5_u8, 1..=3_i64, prop::sample::select(vec![50_i64, 100])), 1..=3),
    ) {
        check(&deals, &lines)?;
    }
}
