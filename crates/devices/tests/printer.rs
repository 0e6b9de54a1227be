//! Printing over real lines to a simulated printer: what comes out, what is said when nothing does,
//! and that a paper comes out once.

use std::time::Duration;

use devices::printer::{PrintTrouble, Printer, PrinterAt, PrinterLimits, PrinterSimulator};
use devices::{Document, text_of};

const LIMITS: PrinterLimits = PrinterLimits {
    connect: Duration::from_secs(2),
    answer: Duration::from_millis(300),
    stall: Duration::from_secs(1),
    finish: Duration::from_secs(2),
};

fn document(rows: &[&str]) -> Document {
    let blocks = rows.iter().map(
        |text| serde_json::json!({ "row": { "align": "left", "emphasis": "plain", "text": text } }),
    );
    let blocks: Vec<_> = blocks.collect();
    let document = serde_json::json!({ "language": "en", "blocks": blocks });
    serde_json::from_value(document).unwrap()
}

fn printer_at(simulator: &PrinterSimulator) -> Printer {
    let at: PrinterAt = simulator.address().to_string().parse().unwrap();
    Printer::new(at, LIMITS)
}

/// One that runs out, and the words that it is told by.
type Trouble = (fn(&PrinterSimulator), fn(&PrinterSimulator), &'static str);

#[test]
fn a_paper_comes_out_as_it_was_laid_out() {
    let simulator = PrinterSimulator::start(0).unwrap();
    let mut printer = printer_at(&simulator);
    let paper = document(&["Brötchen  2 €", "Total"]);
    printer.print(1, &paper).unwrap();
    printer.print(2, &paper).unwrap();
    assert_eq!(simulator.papers(), [text_of(&paper), text_of(&paper)]);
    assert_eq!(simulator.pulses(), 0);
}

#[test]
fn a_printer_that_cannot_print_says_why_and_prints_once_it_can() {
    let troubles: [Trouble; 2] = [
        (
            |printer| printer.set_rows_left(Some(0)),
            |printer| printer.set_rows_left(None),
            "out of paper",
        ),
        (
            |printer| printer.set_cover_open(true),
            |printer| printer.set_cover_open(false),
            "cover is open",
        ),
    ];
    for (breaks, mends, words) in troubles {
        let simulator = PrinterSimulator::start(0).unwrap();
        let mut printer = printer_at(&simulator);
        breaks(&simulator);
        for _ in 0..2 {
            let told = printer
                .print(1, &document(&["one"]))
                .unwrap_err()
                .to_string();
            assert!(told.contains(words), "{told}");
        }
        mends(&simulator);
        printer.print(1, &document(&["one"])).unwrap();
        assert_eq!(simulator.papers(), ["one\n"]);
    }
}

#[test]
fn a_paper_that_the_roll_ends_in_goes_on_where_it_was() {
    let simulator = PrinterSimulator::start(0).unwrap();
    let mut printer = printer_at(&simulator);
    let paper = document(&["one", "two", "three", "four"]);
    simulator.set_rows_left(Some(2));
    for _ in 0..2 {
        let told = printer.print(7, &paper).unwrap_err();
        assert!(matches!(told, PrintTrouble::PaperOut), "{told}");
    }
    assert_eq!(simulator.hanging(), "one\ntwo\n");
    // Meanwhile the drawer opens.
    printer.open_drawer().unwrap();
    simulator.set_rows_left(None);
    printer.print(7, &paper).unwrap();
    assert_eq!(simulator.papers(), [text_of(&paper)]);
    assert_eq!(simulator.pulses(), 1);
}

#[test]
fn a_line_that_is_lost_in_the_middle_of_a_paper_is_told() {
    let simulator = PrinterSimulator::start(0).unwrap();
    let mut printer = printer_at(&simulator);
    let paper = document(&["one", "two", "three"]);
    simulator.lose_line_after(2);
    let told = printer.print(1, &paper).unwrap_err();
    assert!(matches!(told, PrintTrouble::Lost { .. }), "{told}");
    printer.print(1, &paper.as_reprint()).unwrap();
    // It was not centred with spaces.
    let expected = text_of(&paper.as_reprint()).trim_start().to_owned();
    assert_eq!(simulator.papers(), [expected]);
}

#[test]
fn a_printer_that_answers_nothing_is_believed() {
    let simulator = PrinterSimulator::start(0).unwrap();
    let mut printer = printer_at(&simulator);
    simulator.set_silent(true);
    printer.print(1, &document(&["one"])).unwrap();
    printer.open_drawer().unwrap();
    printer.print(2, &document(&["two"])).unwrap();
    assert_eq!(simulator.papers(), ["one\n", "two\n"]);
    assert_eq!(simulator.pulses(), 1);
}

#[test]
fn the_drawer_opens_at_a_printer_without_paper() {
    let simulator = PrinterSimulator::start(0).unwrap();
    let mut printer = printer_at(&simulator);
    printer.open_drawer().unwrap();
    simulator.set_rows_left(Some(0));
    printer.open_drawer().unwrap();
    assert_eq!(simulator.pulses(), 2);
}

#[test]
fn where_nothing_is_attached_it_is_said() {
    let at = {
        let simulator = PrinterSimulator::start(0).unwrap();
        simulator.address().to_string()
    };
    let mut printer = Printer::new(at.parse().unwrap(), LIMITS);
    for told in [
        printer.print(1, &document(&["one"])).unwrap_err(),
        printer.open_drawer().unwrap_err(),
    ] {
        assert!(matches!(told, PrintTrouble::Unreachable { .. }), "{told}");
        assert!(told.to_string().contains(&at), "{told}");
    }
}

#[test]
fn papers_go_to_the_end_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let check = |name: &str, expected: fn(&[u8]) -> bool| {
        let path = folder.path().join(name);
        let at: PrinterAt = path.to_str().unwrap().parse().unwrap();
        for text in ["one", "two"] {
            let mut printer = Printer::new(at.clone(), LIMITS);
            printer.print(1, &document(&[text])).unwrap();
            printer.open_drawer().unwrap();
        }
        let written = std::fs::read(&path).unwrap();
        assert!(expected(&written), "{name}: {written:?}");
    };
    check("papers.txt", |written| written == b"one\ntwo\n");
    check("papers.bin", |written| {
        written.starts_with(b"\x1b@") && written.ends_with(b"two\n\x1dVB\0")
    });
}

/// A serial line, by a pair of pseudo terminals.
#[cfg(unix)]
#[test]
fn papers_go_over_a_serial_line() {
    use std::io::Read as _;

    use serialport::{SerialPort as _, TTYPort};

    let (mut far, mut near) = TTYPort::pair().unwrap();
    let name = near.name().unwrap();
    near.set_exclusive(false).unwrap();
    // Kept open, so that the far end is not told of an end before there was a beginning.
    let _held = std::fs::File::open(&name).unwrap();
    drop(near);
    far.set_timeout(Duration::from_secs(5)).unwrap();
    let reading = std::thread::spawn(move || {
        let mut heard = Vec::new();
        let mut bytes = [0; 256];
        while !heard.ends_with(b"\x1dVB\0") {
            match far.read(&mut bytes) {
                Ok(count) => heard.extend(bytes.iter().take(count)),
                Err(error) => panic!("{error} after {heard:?}"),
            }
        }
        heard
    });
    let at: PrinterAt = format!("serial:{name}:19200").parse().unwrap();
    let mut printer = Printer::new(at, LIMITS);
    printer.print(1, &document(&["one"])).unwrap();
    let heard = reading.join().unwrap();
    assert!(heard.windows(4).any(|part| part == b"one\n"), "{heard:?}");
}
