//! Holds the engine's best price against the one that HiGHS finds, basket by basket:
//!
//! ```text
//! LANEMESH_DATA=FOLDER cargo run --release --manifest-path crates/promotions/oracle/Cargo.toml -- [BASKETS]
//! ```
//!
//! Ends with 1 where the two differ on a basket that the engine marks as proven, or where it proves
//! fewer than 99.9 %. Needs cmake and libclang to build.

#[path = "../../tests/oracle/data.rs"]
mod data;
#[path = "../../tests/oracle/model.rs"]
mod model;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use highs::{HighsModelStatus, RowProblem, Sense};
use money::Currency;
use promotions::workload::{self, AT};
use promotions::{CompiledBook, Customer, PromotionFile, evaluate};

const PROMOTIONS: usize = 120;
const BASKETS: usize = 2_000;

/// The largest sum, or why there is none.
fn solved(program: &model::Program) -> Result<i64, HighsModelStatus> {
    let mut problem = RowProblem::default();
    let columns: Vec<highs::Col> = program
        .columns
        .iter()
        .map(|column| problem.add_integer_column(column.gain, 0.0..=column.most))
        .collect();
    for row in &program.rows {
        let terms = row.terms.iter().map(|(at, factor)| (columns[*at], *factor));
        problem.add_row(row.least..=row.most, terms);
    }
    let mut model = problem.optimise(Sense::Maximise);
    model.make_quiet();
    model.set_option("threads", 1);
    model.set_option("mip_rel_gap", 0.0);
    model.set_option("mip_abs_gap", 0.5);
    model.set_option("mip_feasibility_tolerance", 1e-9);
    let solved = model.solve();
    match solved.status() {
        HighsModelStatus::Optimal => Ok(solved.objective_value().round() as i64),
        status => Err(status),
    }
}

fn main() -> ExitCode {
    let baskets = std::env::args().nth(1).and_then(|count| count.parse().ok());
    let store = data::store();
    let text = data::mixed(&store, PROMOTIONS);
    let file = PromotionFile::parse(&text).expect("the made-up file can be read");
    let book = CompiledBook::compile(&file, Currency::USD).expect("the made-up file can be used");
    println!("{PROMOTIONS} promotions, {}", store.from);
    let (mut held, mut proven, mut equal, mut wrong, mut off) = (0, 0, 0, 0, 0);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for (number, lines) in store.baskets.iter().enumerate() {
        if held >= baskets.unwrap_or(BASKETS) {
            break;
        }
        let basket = workload::basket_of(lines.iter().cloned());
        let started = Instant::now();
        let pricing = evaluate(&book, &basket, &Customer::default(), AT);
        let took = started.elapsed();
        let got = pricing.total().minor();
        if got == 0 && lines.len() < 2 {
            continue;
        }
        ours.push(took);
        let started = Instant::now();
        let best = solved(&model::program(&file, &basket));
        theirs.push(started.elapsed());
        held += 1;
        off += got;
        proven += usize::from(pricing.proven);
        match best {
            Ok(best) if best == got => equal += 1,
            Ok(best) if best > got && !pricing.proven => {
                println!("basket {number}: {got} of {best}, not marked as proven");
            }
            other => {
                wrong += 1;
                println!(
                    "basket {number}: {got}, HiGHS says {other:?}, proven: {}",
                    pricing.proven
                );
            }
        }
    }
    println!("{held} baskets, {off} cents off; equal {equal}, proven {proven}, wrong {wrong}");
    for (who, times) in [("engine", &mut ours), ("HiGHS", &mut theirs)] {
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1));
        let ms = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
        println!(
            "{who}: p50 {:.3} ms, p99 {:.3} ms, worst {:.3} ms",
            ms(at(50)),
            ms(at(99)),
            ms(at(100))
        );
    }
    match wrong == 0 && proven * 1_000 >= held * 999 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
