//! The same prices on every lane, in every run and in every release that does not say otherwise.

use money::Currency;
use promotions::workload::{self, AT, Dice};
use promotions::{CompiledBook, Customer, PromotionFile, evaluate, evaluate_greedily};

/// Items of the small store, promotions on them, and baskets.
const ITEMS: usize = 150;
const PROMOTIONS: usize = 60;
const BASKETS: usize = 10_000;

/// FNV-1a.
fn hash(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A change of this hash is a change of prices, or of how they are written: it must be meant, and
/// lanes of the releases before and after it must not sell in one store.
const GOLDEN: u64 = 0x8750_76f1_7cb2_1cb2;

#[test]
fn ten_thousand_baskets_cost_what_they_always_cost() {
    let (mut products, _) = workload::made_up();
    products.truncate(ITEMS);
    for (product, number) in products.iter_mut().zip(0..) {
        product.category = format!("c{}", number % 12);
    }
    let text = workload::sparse(&products, PROMOTIONS);
    let file = PromotionFile::parse(&text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let book = CompiledBook::compile(&file, Currency::USD).unwrap();
    let mut dice = Dice(10_000);
    let mut got = 0xcbf2_9ce4_8422_2325;
    for number in 0..BASKETS {
        let lines: Vec<_> = (0..1 + dice.roll(9))
            .map(|_| {
                let product = &products[dice.roll(products.len())];
                workload::line_of(product, 1 + dice.roll(3) as i64)
            })
            .collect();
        let basket = workload::basket_of(lines);
        let pricing = evaluate(&book, &basket, &Customer::default(), AT);
        let greedy = evaluate_greedily(&book, &basket, &Customer::default(), AT);
        assert!(pricing.total() >= greedy.total(), "basket {number}");
        got = hash(got, &serde_json::to_vec(&pricing).unwrap());
    }
    assert_eq!(got, GOLDEN, "{got:#018x}");
}
