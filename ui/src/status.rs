//! The status bar's words: how the lane stands, said so that a cashier knows what to do. Knows no
//! egui.

use api::{HqStatus, LaneView, Mode, PrinterStatus};

/// How much attention a state wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Good,
    Notice,
    Alone,
    Stop,
}

/// One of the four states in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusWords {
    pub level: Level,
    /// One or two words.
    pub headline: String,
    /// The rest of the sentence; may be empty.
    pub detail: String,
}

/// What a cashier does when the lane has stopped.
pub const STOP_HINT: &str = "Do not sell here. Send customers to another lane and call a manager.";

pub fn mode_words(mode: &Mode) -> StatusWords {
    let words = |level, headline: &str, detail: String| StatusWords {
        level,
        headline: headline.to_owned(),
        detail,
    };
    match mode {
        Mode::Together => words(Level::Good, "Together", String::new()),
        Mode::Partial { reachable, lanes } if reachable == lanes => {
            words(Level::Notice, "Partial", "catching up".to_owned())
        }
        Mode::Partial { reachable, lanes } => words(
            Level::Notice,
            "Partial",
            format!("{reachable} of {lanes} lanes"),
        ),
        Mode::Alone { unshared, since } => {
            let sales = match unshared {
                0 => "every sale shared".to_owned(),
                1 => "1 sale not yet shared".to_owned(),
                n => format!("{n} sales not yet shared"),
            };
            let since = since.map_or(String::new(), |at| format!(", since {}", at.hour_minute()));
            words(Level::Alone, "Alone", format!("selling, {sales}{since}"))
        }
        Mode::Stop { reason } => words(Level::Stop, "Stop", reason.clone()),
    }
}

/// How far head office has what is sold, and whether it wants attention.
pub fn hq_words(hq: &HqStatus) -> (Level, String) {
    match (hq.configured, &hq.problem, hq.lag_entries) {
        (false, ..) => (Level::Good, "No HQ".to_owned()),
        (true, Some(_), lag) => (Level::Notice, format!("HQ away, {lag} waiting")),
        (true, None, 0) => (Level::Good, "HQ up to date".to_owned()),
        (true, None, lag) => (Level::Good, format!("HQ {lag} behind")),
    }
}

/// What a cashier is to know of the printer; nothing while it prints.
pub fn printer_words(printer: &PrinterStatus) -> Option<String> {
    let waiting = match printer.waiting {
        0 => String::new(),
        1 => "1 paper waits: ".to_owned(),
        n => format!("{n} papers wait: "),
    };
    match (&printer.trouble, &printer.name) {
        (Some(why), _) => Some(format!("{waiting}{why}")),
        (None, None) => Some(format!("{waiting}this lane was started without a printer")),
        // It is about to be printed.
        (None, Some(_)) => None,
    }
}

/// What a manager would ask about this lane, as label and value.
pub fn lane_facts(view: &LaneView) -> Vec<(&'static str, String)> {
    let status = &view.status;
    let leader = status.leader.clone().unwrap_or_else(|| "none".to_owned());
    let mut facts = vec![
        ("Lane id", view.lane.short()),
        ("Store id", view.store.short()),
        ("Leader", format!("{leader}, term {}", status.term)),
        (
            "Applied",
            format!("{} of {}", status.applied_index, status.committed_index),
        ),
        ("Not yet shared", format!("{} sales", status.unshared_sales)),
        ("Receipts here", status.receipts.to_string()),
        (
            "Items",
            format!("{}, book {}", status.items, status.book_version),
        ),
    ];
    if status.exceptions > 0 {
        facts.push(("To look at", format!("{} exceptions", status.exceptions)));
    }
    if let Some(printer) = &status.printer {
        let name = printer.name.clone().unwrap_or_else(|| "none".to_owned());
        let waiting = match printer.waiting {
            0 => String::new(),
            n => format!(", {n} waiting"),
        };
        facts.push(("Printer", format!("{name}{waiting}")));
    }
    if let Some(problem) = &status.hq.problem {
        facts.push(("HQ", problem.clone()));
    }
    facts
}

#[cfg(test)]
mod tests {
    use sale::LocalTime;

    use super::*;

    #[test]
    fn a_printer_is_spoken_of_only_where_it_does_not_print() {
        let check = |name: Option<&str>, waiting, trouble: Option<&str>, expected: Option<&str>| {
            let printer = PrinterStatus {
                name: name.map(str::to_owned),
                waiting,
                trouble: trouble.map(str::to_owned),
            };
            assert_eq!(printer_words(&printer).as_deref(), expected);
        };
        let at = Some("10.0.0.9:9100");
        let out = Some("the printer is out of paper: put a new roll in");
        check(at, 0, None, None);
        check(at, 1, None, None);
        check(
            at,
            2,
            out,
            Some("2 papers wait: the printer is out of paper: put a new roll in"),
        );
        check(
            None,
            1,
            None,
            Some("1 paper waits: this lane was started without a printer"),
        );
    }

    #[test]
    fn the_four_states_are_said_in_words() {
        let check = |mode: Mode, level, headline: &str, detail: &str| {
            let words = mode_words(&mode);
            assert_eq!(
                (words.level, words.headline.as_str(), words.detail.as_str()),
                (level, headline, detail)
            );
        };
        let since = Some(LocalTime {
            unix_ms: 1_795_873_620_000,
            offset_minutes: -300,
        });
        check(Mode::Together, Level::Good, "Together", "");
        check(
            Mode::Partial {
                reachable: 2,
                lanes: 3,
            },
            Level::Notice,
            "Partial",
            "2 of 3 lanes",
        );
        check(
            Mode::Partial {
                reachable: 3,
                lanes: 3,
            },
            Level::Notice,
            "Partial",
            "catching up",
        );
        check(
            Mode::Alone {
                unshared: 12,
                since,
            },
            Level::Alone,
            "Alone",
            "selling, 12 sales not yet shared, since 08:47",
        );
        check(
            Mode::Alone {
                unshared: 0,
                since: None,
            },
            Level::Alone,
            "Alone",
            "selling, every sale shared",
        );
        let reason = "The disk is full.".to_owned();
        check(
            Mode::Stop { reason },
            Level::Stop,
            "Stop",
            "The disk is full.",
        );
    }

    #[test]
    fn head_office_is_said_in_words() {
        let check = |configured, lag_entries, problem: Option<&str>, level, words: &str| {
            let hq = HqStatus {
                configured,
                lag_entries,
                published: 0,
                problem: problem.map(str::to_owned),
            };
            assert_eq!(hq_words(&hq), (level, words.to_owned()));
        };
        check(false, 0, None, Level::Good, "No HQ");
        check(true, 0, None, Level::Good, "HQ up to date");
        check(true, 7, None, Level::Good, "HQ 7 behind");
        check(
            true,
            7,
            Some("refused"),
            Level::Notice,
            "HQ away, 7 waiting",
        );
    }
}
