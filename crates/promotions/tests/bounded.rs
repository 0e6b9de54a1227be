//! The search ends: what it counts stays below a named maximum, over all phases of one evaluation,
//! whatever the basket and the book. A count and never a clock, so this holds on any machine.

use money::Currency;
use promotions::workload::{self, AT, Dice, Product};
use promotions::{
    Basket, CompiledBook, Customer, EVALUATION_WORK_MAX, PromotionFile, evaluate_counted,
};

fn book(text: &str) -> CompiledBook {
    let file = PromotionFile::parse(text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    CompiledBook::compile(&file, Currency::USD).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// Prices the basket and answers the work it was.
fn check(what: &str, book: &CompiledBook, basket: &Basket) -> u64 {
    let (pricing, work) = evaluate_counted(book, basket, &Customer::default(), AT);
    assert!(work <= EVALUATION_WORK_MAX, "{what}: {work}");
    assert!(!pricing.total().is_negative(), "{what}");
    work
}

/// A line of each of `items` products, `pieces` of each, at prices that differ.
fn basket(items: usize, pieces: i64) -> Basket {
    let mut dice = Dice(items as u64);
    let lines = (0..items).map(|item| {
        let product = Product {
            id: format!("i{item}"),
            category: format!("c{}", item % 3),
            brand: String::new(),
            price_minor: 100 + dice.roll(900) as i64,
        };
        workload::line_of(&product, pieces)
    });
    workload::basket_of(lines.collect::<Vec<_>>())
}

fn every(promotions: &[String]) -> CompiledBook {
    let named = promotions
        .iter()
        .enumerate()
        .map(|(number, keys)| format!("[[promotion]]\nid = \"p{number}\"\nname = \"p\"\n{keys}\n"));
    book(&("schema = 2\n".to_owned() + &named.collect::<String>()))
}

#[test]
fn nasty_baskets_end() {
    let titles = "different = [{ titles = 2, percent_off = 6 }, { titles = 4, percent_off = 21 }]";
    let thirds = "cheapest = { of = 3 }";
    let sixes = "n_for = { units = 6, price = \"15.00\" }";
    let dearest = "dearest = { of = 4, percent_off = 60 }";
    let all = |keys: &str| format!("{keys}\neverything = true");
    let everything: Vec<String> = [titles, thirds, sixes, dearest].map(all).to_vec();
    let exclusive = |number: usize| {
        let keys = everything[number % everything.len()].as_str();
        format!("{keys}\nexclusive = \"if-better\"")
    };
    let alone: Vec<String> = (0..24).map(exclusive).collect();
    let in_category = |number: usize| {
        let category = number % 3;
        format!(
            "set = {{ percent_off = {}, parts = [{{ units = 2, departments = [\"c{category}\"] }}, {{ items = [\"i{}\"] }}] }}",
            10 + number,
            number % 20,
        )
    };
    let sets: Vec<String> = (0..60).map(in_category).collect();
    let mut most = 0;
    for (items, pieces) in [(5, 100_000), (20, 3), (40, 60), (300, 7), (1_000, 1)] {
        let basket = basket(items, pieces);
        for (what, promotions) in [
            ("everything", &everything),
            ("exclusive", &alone),
            ("sets", &sets),
        ] {
            let what = format!("{what} on {items} lines of {pieces}");
            most = most.max(check(&what, &every(promotions), &basket));
        }
    }
    assert!(
        most > EVALUATION_WORK_MAX / 4,
        "none of it was nasty: {most}"
    );
}

#[test]
fn crowded_baskets_end() {
    let (text, baskets) = workload::pathological(3);
    let overlapping = book(&text);
    for basket in &baskets {
        check("any 6 of 20 products", &overlapping, basket);
    }
    let (products, _) = workload::made_up();
    let few: Vec<&Product> = products.iter().take(40).collect();
    let crowd = book(&workload::promotions(&few, &[], 1_000, 1));
    check("1,000 promotions on 40 items", &crowd, &{
        let lines = few.iter().map(|product| workload::line_of(product, 4));
        workload::basket_of(lines.collect::<Vec<_>>())
    });
}
