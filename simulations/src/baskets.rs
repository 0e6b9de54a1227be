//! How many lines a basket has, and how many pieces each: as in a file of real baskets, or as the seed
//! draws them.
//!
//! Invariant: a seed and a file give one run; without a file nothing outside the simulation is looked
//! at. The file is named once, before the first simulation, and again in the command that repeats a
//! run. What is in the baskets, and at what hour, is the simulation's own.

use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context as _, anyhow, ensure};
use money::Currency;
use node::robots::read_baskets;

use crate::random::Dice;
use crate::scenario::Count;

/// The most pieces of a line; a real one with more (fuel, coins) counts as one with so many.
const PIECES_MAX: u32 = 24;

/// The pieces of each line of every basket, shortest basket first.
type Shapes = Vec<Vec<u32>>;

/// The file, as it was named, and what was in it.
static FILE: OnceLock<(String, Shapes)> = OnceLock::new();

/// Has all simulations of this process take the shapes of their baskets from a file (CSV or gzip, as
/// the demo's robots take). An error says what is wrong with the file.
pub fn shaped_as_in(path: &Path) -> anyhow::Result<()> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("{name} cannot be read"))?;
    let shapes = shapes(&bytes).with_context(|| name.clone())?;
    FILE.set((name, shapes))
        .map_err(|_| anyhow!("the shapes of baskets were chosen already"))
}

fn shapes(bytes: &[u8]) -> anyhow::Result<Shapes> {
    let file = read_baskets(bytes, Currency::USD).map_err(|problems| {
        let first = problems.first().map(ToString::to_string);
        anyhow!(first.unwrap_or_default())
    })?;
    let shapes = file.baskets.iter().map(|basket| {
        let pieces = basket.lines.iter().filter_map(|line| line.pieces());
        pieces.map(|pieces| pieces.min(PIECES_MAX)).collect()
    });
    let mut shapes: Shapes = shapes
        .filter(|shape: &Vec<u32>| !shape.is_empty())
        .collect();
    ensure!(!shapes.is_empty(), "no basket is in it");
    shapes.sort_by_key(Vec::len);
    Ok(shapes)
}

/// The file, as it was named; `None` where the seed draws.
pub fn file() -> Option<&'static str> {
    FILE.get().map(|(name, _)| name.as_str())
}

/// What the command that repeats a run needs besides scenario and seed; empty without a file.
pub fn option() -> String {
    file().map_or_else(String::new, |name| format!(" --baskets {name}"))
}

/// The next basket: for each line its pieces, where a real basket says so. Of the real ones, those
/// with as many lines as the scenario allows.
pub fn next(dice: &mut Dice, lines: Count) -> Vec<Option<u32>> {
    let real = FILE.get().map(|(_, shapes)| fitting(shapes, lines));
    match real.filter(|shapes| !shapes.is_empty()) {
        Some(shapes) => dice.pick(shapes).iter().copied().map(Some).collect(),
        None => (0..dice.between(lines.0, lines.1)).map(|_| None).collect(),
    }
}

/// The shapes that have from so many to so many lines.
fn fitting(shapes: &[Vec<u32>], Count(fewest, most): Count) -> &[Vec<u32>] {
    let from = shapes.partition_point(|shape| (shape.len() as u64) < fewest);
    let to = shapes.partition_point(|shape| shape.len() as u64 <= most);
    shapes.get(from..to).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_baskets_of_a_length_that_is_allowed_are_drawn() {
        let all: Shapes = [1, 1, 2, 4, 7].map(|lines| vec![1; lines]).into();
        let check = |fewest, most, expected: &[usize]| {
            let lengths: Vec<usize> = fitting(&all, Count(fewest, most))
                .iter()
                .map(Vec::len)
                .collect();
            assert_eq!(lengths, expected, "{fewest} to {most}");
        };
        check(1, 12, &[1, 1, 2, 4, 7]);
        check(2, 4, &[2, 4]);
        check(3, 3, &[]);
        check(8, 12, &[]);
    }

    #[test]
    fn a_basket_has_the_lines_and_pieces_of_the_file() {
        let file = "basket_id,household_id,store_id,transaction_timestamp,product_id,quantity,\
                    sales_value,retail_disc\n\
                    1,,3,2017-01-01 18:24:46,11,2,7.38,0.0\n\
                    1,,3,2017-01-01 18:24:46,12,500,5.00,0.0\n\
                    2,,3,2017-01-01 18:25:46,13,1,3.77,0.22\n";
        let shapes = shapes(file.as_bytes()).expect("a sound file");
        assert_eq!(shapes, [vec![1], vec![2, PIECES_MAX]]);
    }

    #[test]
    fn without_a_file_the_seed_draws_and_a_run_needs_no_option() {
        let basket = next(&mut Dice::new(1), Count(3, 3));
        assert_eq!(basket, [None; 3]);
        assert_eq!(option(), "");
        assert!(shapes(b"no baskets").is_err());
    }
}
