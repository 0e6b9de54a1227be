//! `lanemesh terminal`: a card terminal that is none, for trying out what a lane does when cards are
//! declined and answers are lost.

use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use devices::nexo::{Behaviour, Simulator};
use serde_json::{Value, json};

use crate::cli::{Report, TerminalArgs};

/// How often it looks what was charged and shown.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the terminal is told, a line each.
const WORDS: &str = "\
What it does with the next payments, until it is told something else:
  approve         charges
  offline         charges without asking the acquirer
  decline
  delay SECONDS   charges after so long
  drop-before     hangs up without charging
  drop-after      charges, then hangs up
  deaf            answers nothing at all";

/// What the terminal does from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Payments(Behaviour),
    Deaf,
}

impl std::str::FromStr for Told {
    type Err = String;

    fn from_str(line: &str) -> Result<Told, String> {
        let mut words = line.split_whitespace();
        let behaviour = match (words.next(), words.next(), words.next()) {
            (Some("approve"), None, _) => Behaviour::Approve,
            (Some("offline"), None, _) => Behaviour::ApproveOffline,
            (Some("decline"), None, _) => Behaviour::Decline,
            (Some("drop-before"), None, _) => Behaviour::DropBefore,
            (Some("drop-after"), None, _) => Behaviour::DropAfter,
            (Some("deaf"), None, _) => return Ok(Told::Deaf),
            (Some("delay"), Some(seconds), None) => match seconds.parse() {
                Ok(seconds @ 0..=600_u64) => Behaviour::Delay(Duration::from_secs(seconds)),
                _ => return Err("A delay is 0 to 600 seconds, such as: delay 20".to_owned()),
            },
            _ => return Err(format!("'{}' is none of its words.\n{WORDS}", line.trim())),
        };
        Ok(Told::Payments(behaviour))
    }
}

pub fn run(args: &TerminalArgs, json: bool) -> anyhow::Result<Report> {
    let behaviour = Arc::new(Mutex::new(Behaviour::Approve));
    let script = behaviour.clone();
    let script = move |_| *script.lock().unwrap_or_else(PoisonError::into_inner);
    let simulator = Simulator::start(args.port, Box::new(script))
        .with_context(|| format!("port {} of this machine cannot be listened on", args.port))?;
    let simulator = Arc::new(simulator);
    let tell = Tell { json };
    tell.listens(&simulator);
    let heard = simulator.clone();
    // A thread of its own: a read that waits for ever would keep this process from ending.
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if line.trim().is_empty() {
                continue;
            }
            match line.parse() {
                Ok(told) => {
                    heard.set_offline(told == Told::Deaf);
                    if let Told::Payments(told) = told {
                        *behaviour.lock().unwrap_or_else(PoisonError::into_inner) = told;
                    }
                    tell.line(
                        json!({ "told": line.trim() }),
                        &format!("From now on: {}", line.trim()),
                    );
                }
                Err(why) => tell.line(json!({ "not_understood": line.trim() }), &why),
            }
        }
    });
    super::runtime()?.block_on(async {
        let mut watched = Watched::default();
        let stop = super::asked_to_stop();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(LOOK_EVERY) => watched.look(&simulator, tell),
            }
        }
        watched.look(&simulator, tell);
    });
    let charges = simulator.charges();
    let text = format!("{} charges. Closed.", charges.len());
    Ok(Report::done(
        text,
        json!({ "ok": true, "charges": charges.len() }),
    ))
}

/// How much of what happened at the terminal was told.
#[derive(Default)]
struct Watched {
    shown: usize,
    charges: usize,
    reversed: Vec<String>,
}

impl Watched {
    fn look(&mut self, simulator: &Simulator, tell: Tell) {
        let shown = simulator.shown();
        for text in shown.iter().skip(self.shown) {
            tell.line(
                json!({ "shown": text }),
                &format!("Its display says: {text}"),
            );
        }
        self.shown = shown.len();
        let charges = simulator.charges();
        for (place, charge) in charges.iter().enumerate() {
            let (number, amount) = (&charge.service_id, &charge.amount);
            if place >= self.charges {
                let (name, words) = match charge.refund {
                    true => ("refunded", "given back"),
                    false => ("charged", "charged"),
                };
                let value = json!({ name: amount, "payment": number });
                tell.line(value, &format!("Payment {number}: {amount} {words}"));
            }
            if charge.reversed && !self.reversed.contains(number) {
                self.reversed.push(number.clone());
                let value = json!({ "reversed": amount, "payment": number });
                tell.line(value, &format!("Payment {number}: {amount} taken back"));
            }
        }
        self.charges = charges.len();
    }
}

/// Says what happens, a line each: as JSON on standard error, or for a person.
#[derive(Clone, Copy)]
struct Tell {
    json: bool,
}

impl Tell {
    fn listens(self, simulator: &Simulator) {
        let address = simulator.address();
        let text = format!(
            "A terminal that charges no card listens. Start a lane with --terminal POI-1@{address}\n{WORDS}\n\
             Ctrl-C closes it."
        );
        self.line(json!({ "listening": address }), &text);
    }

    fn line(self, value: Value, text: &str) {
        // Whoever closed our output does not want the rest.
        let _ = match self.json {
            true => writeln!(std::io::stderr(), "{value}"),
            false => writeln!(std::io::stdout(), "{text}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_understood_or_said_to_be_none() {
        let check = |line: &str, expected: Option<Told>| {
            assert_eq!(line.parse::<Told>().ok(), expected, "{line}");
        };
        check("approve", Some(Told::Payments(Behaviour::Approve)));
        check(" decline ", Some(Told::Payments(Behaviour::Decline)));
        let slow = Behaviour::Delay(Duration::from_secs(20));
        check("delay 20", Some(Told::Payments(slow)));
        check("deaf", Some(Told::Deaf));
        check("delay", None);
        check("delay 601", None);
        check("delay x", None);
        check("approve all", None);
        check("", None);
        let told = "pay".parse::<Told>().unwrap_err();
        assert!(
            told.contains("'pay'") && told.contains("drop-after"),
            "{told}"
        );
    }
}
