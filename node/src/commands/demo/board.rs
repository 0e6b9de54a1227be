//! The live board: what it shows, and how that looks in 80 columns. Pure: a state in, lines out.

use std::fmt::Write;
use std::time::Duration;

use api::Mode;

/// Columns of the board.
pub const WIDTH: usize = 80;

/// How a lane stands, as the board says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneState {
    Up(Mode),
    /// The process runs, its API does not answer yet.
    Starting,
    Down {
        back_in: Duration,
    },
    GivenUp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneRow {
    pub name: String,
    pub pid: Option<u32>,
    pub state: LaneState,
    pub leader: bool,
    /// A robot works here.
    pub robot: bool,
    pub applied: Option<u64>,
    /// Sales that are on this lane alone.
    pub unshared: u64,
    pub receipts: u64,
    pub sales_per_minute: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HqRow {
    pub pid: Option<u32>,
    pub up: bool,
    /// Entries of the store that head office does not have yet.
    pub lag: Option<u64>,
    pub receipts: u64,
    /// What head office has counted, with its currency.
    pub gross: Option<String>,
}

/// Everything that the board shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    pub store: String,
    pub elapsed: Duration,
    pub lanes: Vec<LaneRow>,
    pub hq: HqRow,
    /// What is left for the robots, in words.
    pub work: Option<String>,
    /// What happened, with the seconds since the start; newest last.
    pub notes: Vec<(u64, String)>,
}

/// Whether states are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Plain,
    Colour,
}

/// The block that is drawn again and again, each line at most [`WIDTH`] columns.
pub fn block(board: &Board, paint: Paint) -> Vec<String> {
    let rule = "─".repeat(WIDTH);
    let mut lines = vec![
        spread(&board.store, &clock(board.elapsed.as_secs())),
        rule.clone(),
        format!(
            "{:<10} {:>7}  {:<22} {:>10} {:>8} {:>8} {:>7}",
            "", "pid", "state", "applied", "unshared", "receipts", "per min"
        ),
    ];
    lines.extend(board.lanes.iter().map(|lane| lane_line(lane, paint)));
    lines.push(hq_line(&board.hq, paint));
    lines.push(rule);
    let receipts: u64 = board.lanes.iter().map(|lane| lane.receipts).sum();
    let pace: u64 = board.lanes.iter().map(|lane| lane.sales_per_minute).sum();
    let mut sum = format!("{} receipts, {} a minute", grouped(receipts), grouped(pace));
    if let Some(work) = &board.work {
        let _ = write!(sum, "; {work}");
    }
    lines.push(spread(&sum, "* leader, Ctrl-C stops"));
    let notes = board.notes.iter();
    lines.extend(notes.map(|(at, text)| cut(&format!("{}  {text}", clock(*at)), WIDTH)));
    lines
}

/// One line for where nothing can be drawn over.
pub fn line(board: &Board) -> String {
    let mut text = clock(board.elapsed.as_secs());
    for lane in &board.lanes {
        let mark = if lane.leader { "*" } else { "" };
        let _ = write!(
            text,
            " | {}{mark} {}, {} receipts",
            lane.name,
            state_text(&lane.state),
            lane.receipts
        );
        if lane.unshared > 0 {
            let _ = write!(text, ", {} unshared", lane.unshared);
        }
    }
    let hq = match (board.hq.up, board.hq.lag) {
        (false, None) => "down".to_owned(),
        (false, Some(lag)) => format!("down, {lag} behind"),
        (true, None) => "up".to_owned(),
        (true, Some(lag)) => format!("{lag} behind"),
    };
    let pace: u64 = board.lanes.iter().map(|lane| lane.sales_per_minute).sum();
    let _ = write!(text, " | HQ {hq} | {pace} sales/min");
    if let Some(work) = &board.work {
        let _ = write!(text, " | {work}");
    }
    text
}

fn lane_line(lane: &LaneRow, paint: Paint) -> String {
    let mark = if lane.leader { " *" } else { "" };
    let works = lane.robot && matches!(lane.state, LaneState::Up(_));
    let robot = if works { " robot" } else { "" };
    let state = format!(
        "{:<22}",
        cut(&format!("{}{mark}{robot}", state_text(&lane.state)), 22)
    );
    format!(
        "{:<10} {:>7}  {} {:>10} {:>8} {:>8} {:>7}",
        cut(&lane.name, 10),
        lane.pid.map_or("–".to_owned(), |pid| pid.to_string()),
        painted(&state, lane_colour(&lane.state), paint),
        lane.applied.map_or("–".to_owned(), grouped),
        grouped(lane.unshared),
        grouped(lane.receipts),
        grouped(lane.sales_per_minute),
    )
}

fn hq_line(hq: &HqRow, paint: Paint) -> String {
    let (state, colour) = match (hq.up, hq.lag) {
        (false, None) => ("down".to_owned(), RED),
        (false, Some(lag)) => (format!("down, {} behind", grouped(lag)), RED),
        (true, None) => ("up".to_owned(), YELLOW),
        (true, Some(0)) => ("has everything".to_owned(), GREEN),
        (true, Some(lag)) => (format!("{} entries behind", grouped(lag)), YELLOW),
    };
    let state = format!("{state:<22}");
    format!(
        "{:<10} {:>7}  {} {:>19} {:>8}",
        "HQ",
        hq.pid.map_or("–".to_owned(), |pid| pid.to_string()),
        painted(&state, colour, paint),
        cut(hq.gross.as_deref().unwrap_or_default(), 19),
        grouped(hq.receipts),
    )
}

fn state_text(state: &LaneState) -> String {
    match state {
        LaneState::Up(Mode::Together) => "together".to_owned(),
        LaneState::Up(Mode::Partial { reachable, lanes }) => {
            format!("partial {reachable} of {lanes}")
        }
        LaneState::Up(Mode::Alone { .. }) => "alone".to_owned(),
        LaneState::Up(Mode::Stop { .. }) => "STOP".to_owned(),
        LaneState::Starting => "starting".to_owned(),
        LaneState::Down { back_in } => format!("down, back in {} s", back_in.as_secs()),
        LaneState::GivenUp => "down".to_owned(),
    }
}

const GREEN: u8 = 32;
const RED: u8 = 31;
const YELLOW: u8 = 33;

fn lane_colour(state: &LaneState) -> u8 {
    match state {
        LaneState::Up(Mode::Together) => GREEN,
        LaneState::Up(Mode::Partial { .. } | Mode::Alone { .. }) | LaneState::Starting => YELLOW,
        LaneState::Up(Mode::Stop { .. }) | LaneState::Down { .. } | LaneState::GivenUp => RED,
    }
}

fn painted(text: &str, colour: u8, paint: Paint) -> String {
    match paint {
        Paint::Plain => text.to_owned(),
        Paint::Colour => format!("\x1b[{colour}m{text}\x1b[0m"),
    }
}

/// Two texts at the two ends of a line; the left one gives way.
fn spread(left: &str, right: &str) -> String {
    let room = WIDTH.saturating_sub(right.chars().count() + 1);
    format!("{:<room$} {right}", cut(left, room))
}

/// At most `columns` characters of a text.
fn cut(text: &str, columns: usize) -> String {
    match text.chars().count() > columns {
        false => text.to_owned(),
        true => text
            .chars()
            .take(columns.saturating_sub(1))
            .chain(['…'])
            .collect(),
    }
}

/// Seconds as `m:ss` or `h:mm:ss`.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A number with commas between its thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An amount with commas between the thousands before its point.
pub fn grouped_amount(amount: &str) -> String {
    let (whole, rest) = match amount.find('.') {
        Some(point) => amount.split_at(point),
        None => (amount, ""),
    };
    match whole.parse() {
        Ok(whole) => format!("{}{rest}", grouped(whole)),
        // Negative, and then rare enough to be read without commas.
        Err(_) => amount.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(number: u32, state: LaneState) -> LaneRow {
        LaneRow {
            name: format!("Lane {number}"),
            pid: Some(41_000 + number),
            state,
            leader: number == 1,
            robot: number == 2,
            applied: Some(1_234_567),
            unshared: 0,
            receipts: 1023,
            sales_per_minute: 12,
        }
    }

    fn board() -> Board {
        let alone = Mode::Alone {
            unshared: 3,
            since: None,
        };
        let partial = Mode::Partial {
            reachable: 2,
            lanes: 5,
        };
        let back_in = Duration::from_millis(7400);
        Board {
            store: "Lantern Street Market".to_owned(),
            elapsed: Duration::from_secs(3725),
            lanes: vec![
                lane(1, LaneState::Up(Mode::Together)),
                LaneRow {
                    unshared: 3,
                    ..lane(2, LaneState::Up(alone))
                },
                LaneRow {
                    pid: None,
                    applied: None,
                    robot: true,
                    ..lane(3, LaneState::Down { back_in })
                },
                lane(4, LaneState::Up(partial)),
                LaneRow {
                    applied: None,
                    ..lane(5, LaneState::Starting)
                },
            ],
            hq: HqRow {
                pid: Some(40_999),
                up: true,
                lag: Some(1500),
                receipts: 3066,
                gross: Some("98,765.43 USD".to_owned()),
            },
            work: Some("3,041 baskets to go".to_owned()),
            notes: vec![
                (
                    59,
                    "Lane 3 was killed (signal 9); it is started again in 10 s.".to_owned(),
                ),
                (3720, "x".repeat(200)),
            ],
        }
    }

    #[test]
    fn the_board_as_it_is_drawn() {
        let expected = "\
Lantern Street Market                                                    1:02:05
────────────────────────────────────────────────────────────────────────────────
               pid  state                     applied unshared receipts per min
Lane 1       41001  together *              1,234,567        0    1,023      12
Lane 2       41002  alone robot             1,234,567        3    1,023      12
Lane 3           –  down, back in 7 s               –        0    1,023      12
Lane 4       41004  partial 2 of 5          1,234,567        0    1,023      12
Lane 5       41005  starting                        –        0    1,023      12
HQ           40999  1,500 entries behind         98,765.43 USD    3,066
────────────────────────────────────────────────────────────────────────────────
5,115 receipts, 60 a minute; 3,041 baskets to go          * leader, Ctrl-C stops
0:59  Lane 3 was killed (signal 9); it is started again in 10 s.
1:02:00  xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…";
        assert_eq!(block(&board(), Paint::Plain).join("\n"), expected);
    }

    #[test]
    fn head_office_in_every_state() {
        let check = |up: bool, lag: Option<u64>, expected: &str| {
            let mut board = board();
            (board.hq.up, board.hq.lag) = (up, lag);
            let lines = block(&board, Paint::Plain);
            let hq = lines.iter().find(|line| line.starts_with("HQ")).unwrap();
            assert!(hq.contains(&format!("  {expected}  ")), "{hq}");
        };
        check(true, Some(0), "has everything");
        check(true, Some(12), "12 entries behind");
        check(true, None, "up");
        check(false, Some(12), "down, 12 behind");
        check(false, None, "down");
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        for line in block(&board(), Paint::Plain) {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn colour_changes_nothing_but_the_colour() {
        let mut text = block(&board(), Paint::Colour).join("\n");
        for code in ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"] {
            text = text.replace(code, "");
        }
        assert_eq!(text, block(&board(), Paint::Plain).join("\n"));
    }

    #[test]
    fn the_line_for_a_file() {
        let mut board = board();
        board.lanes.truncate(3);
        assert_eq!(
            line(&board),
            "1:02:05 | Lane 1* together, 1023 receipts | Lane 2 alone, 1023 receipts, 3 unshared \
             | Lane 3 down, back in 7 s, 1023 receipts | HQ 1500 behind | 36 sales/min \
             | 3,041 baskets to go"
        );
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
        for (amount, expected) in [
            ("0.05", "0.05"),
            ("148066.04", "148,066.04"),
            ("1000", "1,000"),
            ("-1000.00", "-1000.00"),
        ] {
            assert_eq!(grouped_amount(amount), expected);
        }
    }
}
