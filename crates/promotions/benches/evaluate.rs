//! `cargo bench -p promotions`: what `lanemesh bench promotions` measures, for a developer who changes
//! the engine and wants to know whether a figure moved. Each basket is priced anew, beside greedy.
//!
//! With the baskets of the folder that `LANEMESH_DATA` names, or else made-up ones.

#[path = "../tests/oracle/data.rs"]
mod data;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use money::Currency;
use promotions::workload::{self, AT};
use promotions::{Basket, CompiledBook, Customer, PromotionFile, evaluate, evaluate_greedily};

/// Baskets of each size, priced in turn.
const BASKETS: usize = 20;
const COMPILED: usize = 10_000;

fn book(text: &str) -> CompiledBook {
    let file = PromotionFile::parse(text).expect("a made-up file can be read");
    CompiledBook::compile(&file, Currency::USD).expect("a made-up file can be used")
}

fn price(c: &mut Criterion, name: &str, tasks: &[(CompiledBook, Basket)]) {
    let mut group = c.benchmark_group(name);
    let nobody = Customer::default();
    let mut turn = tasks.iter().cycle();
    group.bench_function("best", |b| {
        b.iter_batched(
            || turn.next().expect("a cycle does not end"),
            |(book, basket)| black_box(evaluate(book, basket, &nobody, AT)),
            criterion::BatchSize::SmallInput,
        );
    });
    group.bench_function("greedy", |b| {
        b.iter_batched(
            || turn.next().expect("a cycle does not end"),
            |(book, basket)| black_box(evaluate_greedily(book, basket, &nobody, AT)),
            criterion::BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn baskets_and_books(c: &mut Criterion) {
    let store = data::store();
    eprintln!("{}", store.from);
    let (by_id, by_category) = workload::indexed(&store.products);
    for count in workload::PROMOTIONS {
        let spread = book(&workload::sparse(&store.products, count));
        for size in workload::LINES {
            let baskets = workload::of_size(&store.baskets, size, BASKETS);
            let name = |kind: &str| format!("{size} lines × {count} promotions, {kind}");
            let sparse: Vec<(CompiledBook, Basket)> = (baskets.iter())
                .map(|basket| (spread.clone(), basket.clone()))
                .collect();
            price(c, &name("sparse"), &sparse);
            let own = |(basket, seed): (&Basket, u64)| {
                let text = workload::dense(&by_id, &by_category, basket, (count, seed));
                (book(&text), basket.clone())
            };
            let dense: Vec<(CompiledBook, Basket)> = baskets.iter().zip(0..).map(own).collect();
            price(c, &name("dense"), &dense);
        }
    }
    let (text, baskets) = workload::pathological(BASKETS);
    let tasks: Vec<(CompiledBook, Basket)> = baskets
        .into_iter()
        .map(|basket| (book(&text), basket))
        .collect();
    price(c, "any 6 of 20 products, 100 bundles", &tasks);
    let mixed = book(&data::mixed(&store, 120));
    let tasks: Vec<(CompiledBook, Basket)> = (store.baskets.iter().take(200))
        .map(|lines| (mixed.clone(), workload::basket_of(lines.iter().cloned())))
        .collect();
    price(c, "real baskets × 120 mixed", &tasks);
}

fn compile(c: &mut Criterion) {
    let store = data::store();
    let text = workload::sparse(&store.products, COMPILED);
    let file = PromotionFile::parse(&text).expect("a made-up file can be read");
    let id = BenchmarkId::new("compile", COMPILED);
    c.bench_with_input(id, &file, |b, file| {
        b.iter(|| black_box(CompiledBook::compile(file, Currency::USD)));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = baskets_and_books, compile
}
criterion_main!(benches);
