//! The command `mutants`.

use std::process::Command;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context as _, bail};
use serde_json::Value;
use simulations::baskets;
use simulations::mutants::{MUTANTS, Mutant};

/// How the outcome is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Text,
    Markdown,
    Json,
}

/// Hunts the mutants. One alone is hunted in this process; several each in one of their own,
/// since one bug at a time is planted in a process.
pub fn mutants(
    only: &[String],
    seed: u64,
    seeds: Option<u64>,
    jobs: Option<usize>,
    shape: Shape,
) -> anyhow::Result<bool> {
    if let Some(unknown) = only.iter().find(|name| !is_known(name)) {
        bail!(unknown_mutant(unknown));
    }
    let chosen = MUTANTS
        .iter()
        .filter(|mutant| only.is_empty() || only.iter().any(|name| name == mutant.name));
    let chosen: Vec<&Mutant> = chosen.collect();
    let outcomes = match chosen[..] {
        [one] => vec![serde_json::to_value(one.hunt(seed, seeds)?)?],
        _ => in_processes(&chosen, seed, seeds, jobs)?,
    };
    let survived = outcomes.iter().filter(|o| o["caught"].is_null()).count();
    match shape {
        Shape::Json => {
            let report = serde_json::json!({ "ok": survived == 0, "mutants": outcomes });
            println!("{report}");
            return Ok(survived == 0);
        }
        Shape::Markdown => {
            println!("| planted bug | what it does | caught by | scenario, seed | seeds at most |");
            println!("|---|---|---|---|---|");
            outcomes.iter().for_each(print_row);
            println!();
        }
        Shape::Text => {
            println!(
                "{:<36} {:<16} {:>5}  {:<20} at seed",
                "mutant", "scenario", "seeds", "caught by"
            );
            outcomes.iter().for_each(print);
        }
    }
    println!(
        "{} mutants, {} caught, {survived} not",
        outcomes.len(),
        outcomes.len() - survived
    );
    Ok(survived == 0)
}

/// Plants one bug for all that this process does.
pub fn plant(name: &str) -> anyhow::Result<()> {
    let mutant = MUTANTS.iter().find(|mutant| mutant.name == name);
    let mutant = mutant.with_context(|| unknown_mutant(name))?;
    mutant.plant()
}

fn unknown_mutant(name: &str) -> String {
    let names: Vec<&str> = MUTANTS.iter().map(|mutant| mutant.name).collect();
    format!(
        "there is no mutant '{name}'; there are: {}",
        names.join(", ")
    )
}

fn is_known(name: &str) -> bool {
    MUTANTS.iter().any(|mutant| mutant.name == name)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The check that saw it first, and the others.
fn catchers(caught: &Value) -> (&str, Vec<&str>) {
    match caught["by"].as_array().map(Vec::as_slice) {
        Some([first, rest @ ..]) => (text(first), rest.iter().map(text).collect()),
        _ => ("", Vec::new()),
    }
}

fn print(outcome: &Value) {
    let caught = &outcome["caught"];
    let (name, scenario) = (text(&outcome["mutant"]), text(&outcome["scenario"]));
    if caught.is_null() {
        println!(
            "{name:<36} {scenario:<16} {:>5}  NOT CAUGHT: {}",
            outcome["seeds_max"],
            text(&outcome["about"])
        );
        return;
    }
    let (by, also) = catchers(caught);
    let of = format!("{}/{}", caught["seeds"], outcome["seeds_max"]);
    let also = match also.is_empty() {
        true => String::new(),
        false => format!(", also by {}", also.join(" ")),
    };
    println!(
        "{name:<36} {scenario:<16} {of:>5}  {by:<20} {}{also}",
        caught["seed"]
    );
}

/// A row of a table in Markdown.
fn print_row(outcome: &Value) {
    let caught = &outcome["caught"];
    let (by, also) = catchers(caught);
    let by = match (by, also.is_empty()) {
        ("", _) => "NOT CAUGHT".to_owned(),
        (first, true) => format!("`{first}`"),
        (first, false) => format!("`{first}`, then {}", also.join(", ")),
    };
    let seed = match caught["seed"].as_u64() {
        Some(seed) => format!(", {seed}"),
        None => String::new(),
    };
    println!(
        "| {} | {} | {by} | {}{seed} | {} |",
        text(&outcome["mutant"]),
        text(&outcome["about"]),
        text(&outcome["scenario"]),
        outcome["seeds_max"]
    );
}

fn in_processes(
    chosen: &[&Mutant],
    seed: u64,
    seeds: Option<u64>,
    jobs: Option<usize>,
) -> anyhow::Result<Vec<Value>> {
    let machine = thread::available_parallelism().map_or(1, usize::from);
    let waiting = Mutex::new(chosen.iter().enumerate());
    let hunted = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs.unwrap_or(machine).max(1) {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().ok().and_then(|mut waiting| waiting.next());
                    let Some((number, mutant)) = next else {
                        return;
                    };
                    let outcome = in_process(mutant, seed, seeds);
                    eprintln!("  {}", mutant.name);
                    if let Ok(mut hunted) = hunted.lock() {
                        hunted.push((number, outcome));
                    }
                }
            });
        }
    });
    let mut hunted = hunted.into_inner().context("a hunter panicked")?;
    hunted.sort_by_key(|(number, _)| *number);
    hunted.into_iter().map(|(_, outcome)| outcome).collect()
}

fn in_process(mutant: &Mutant, seed: u64, seeds: Option<u64>) -> anyhow::Result<Value> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["mutants", "--json", "--only", mutant.name]);
    command.args(["--seed", &seed.to_string()]);
    if let Some(file) = baskets::file() {
        command.args(["--baskets", file]);
    }
    if let Some(seeds) = seeds {
        command.args(["--seeds", &seeds.to_string()]);
    }
    let output = command.output().context("the hunt did not start")?;
    let report: Value = serde_json::from_slice(&output.stdout).with_context(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("the hunt for {} ended early: {said}", mutant.name)
    })?;
    Ok(report["mutants"][0].clone())
}
