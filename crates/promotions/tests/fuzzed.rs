//! The bodies of the fuzz targets, driven by random bytes: a short run with every test, and as long
//! as one likes with `FUZZ_SECONDS=3600 cargo test --release -p promotions --test fuzzed`. It prints
//! its seed; `FUZZ_SEED` repeats one.

#[path = "fuzz/bodies.rs"]
mod bodies;

use std::time::{Duration, Instant};

use money::Currency;
use promotions::workload::{AT, Dice};
use promotions::{CompiledBook, Customer, EVALUATION_WORK_MAX, PromotionFile, evaluate_counted};

/// Inputs of a short run.
const SHORT: usize = 40;
/// The longest input, in bytes.
const BYTES_MAX: usize = 300;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs a body on inputs that `input` makes, of which `input` may keep to a grammar.
fn drive(name: &str, body: fn(&[u8]), input: fn(&mut Dice) -> Vec<u8>) {
    let long = number("FUZZ_SECONDS").map(Duration::from_secs);
    let seed = number("FUZZ_SEED").unwrap_or(match long {
        Some(_) => u64::from(std::process::id()),
        None => 1,
    });
    let (started, mut dice, mut done) = (Instant::now(), Dice(seed), 0);
    println!("{name}: FUZZ_SEED={seed}");
    while long.map_or(done < SHORT, |long| started.elapsed() < long) {
        let bytes = input(&mut dice);
        let shown = bytes.clone();
        let caught = std::panic::catch_unwind(|| body(&bytes));
        assert!(caught.is_ok(), "seed {seed}, input {done}: {shown:?}");
        done += 1;
    }
    println!("{name}: {done} inputs");
}

fn bytes(dice: &mut Dice) -> Vec<u8> {
    (0..dice.roll(BYTES_MAX))
        .map(|_| dice.roll(256) as u8)
        .collect()
}

/// A file that is right but for a few of its characters, and for lines that are gone or doubled.
fn nearly_a_file(dice: &mut Dice) -> Vec<u8> {
    let mut lines: Vec<&str> = include_str!("fuzz/book.toml").lines().collect();
    for _ in 0..dice.roll(4) {
        let (from, to) = (dice.roll(lines.len()), dice.roll(lines.len()));
        match dice.roll(3) {
            0 => _ = lines.remove(from),
            1 => lines.insert(to, lines[from]),
            _ => lines.swap(from, to),
        }
    }
    let mut text = lines.join("\n").into_bytes();
    for _ in 0..dice.roll(4) {
        let at = dice.roll(text.len());
        let with = br#"0123456789.-"[]{}=,#eE "#;
        text[at] = with[dice.roll(with.len())];
    }
    text
}

#[test]
fn promotion_files() {
    drive("promotion files", bodies::promotion_file, nearly_a_file);
}

#[test]
fn baskets() {
    drive("baskets", bodies::basket, bytes);
}

/// Those that took longest before all phases of an evaluation shared one budget.
#[test]
fn baskets_that_were_slow_end() {
    let file = PromotionFile::parse(bodies::BOOK).expect("the book of this test can be read");
    let book = CompiledBook::compile(&file, Currency::USD).expect("and compiled");
    let mut dice = Dice(1);
    let inputs: Vec<Vec<u8>> = (0..300).map(|_| bytes(&mut dice)).collect();
    for number in [31, 53, 74, 122, 197, 211, 293] {
        let basket = bodies::basket_of(&inputs[number]);
        let (_, work) = evaluate_counted(&book, &basket, &Customer::default(), AT);
        assert!(work <= EVALUATION_WORK_MAX, "input {number}: {work}");
    }
}

/// Codes of GS1 elements: application identifiers, digits and separators, right or nearly so.
fn nearly_a_code(dice: &mut Dice) -> Vec<u8> {
    let parts = [
        "8110",
        "8112",
        "255",
        "01",
        "(8110)",
        "]C1",
        "\u{1d}",
        "]d2",
        "106141416543213",
        "SPRING:1-",
    ];
    let mut code = String::new();
    for _ in 0..dice.roll(8) {
        match dice.roll(3) {
            0 => code += parts[dice.roll(parts.len())],
            1 => code += &dice.roll(100_000_000).to_string(),
            _ => code.push(char::from(32 + dice.roll(95) as u8)),
        }
    }
    code.into_bytes()
}

#[test]
fn codes() {
    drive("codes", bodies::code, nearly_a_code);
}
