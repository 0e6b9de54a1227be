//! The rows of a CSV file, also of a damaged one.
//!
//! Splitting is done here and not by the `csv` crate for one reason: a quote that is never closed
//! must not swallow the rest of the file. A row whose quotes do not come out is given up at its
//! first line, and the next line is tried as a row of its own. What is well-formed reads as that
//! crate reads it (a test compares the two).

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};

use super::ImportProblem;

/// The longest line read, in bytes.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// The most lines that one row may span inside quotes.
const ROW_LINES_MAX: usize = 16;

/// One row: its cells, not yet known to be UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The line at which it begins, from 1.
    pub line: u64,
    pub cells: Vec<Vec<u8>>,
}

/// A line without its end, or what was wrong with it.
struct Line {
    number: u64,
    text: Result<Vec<u8>, String>,
}

pub(super) struct Rows<R> {
    reader: BufReader<R>,
    lines_read: u64,
    /// Lines given back by a row that did not come out.
    ahead: VecDeque<Line>,
    pub delimiter: u8,
    ended: bool,
}

impl<R: Read> Rows<R> {
    pub fn new(reader: R) -> Rows<R> {
        Rows {
            reader: BufReader::new(reader),
            lines_read: 0,
            ahead: VecDeque::new(),
            delimiter: b',',
            ended: false,
        }
    }

    /// The next line as it stands, to choose the delimiter from before the first row is split.
    pub fn peek(&mut self) -> Option<&[u8]> {
        if self.ahead.is_empty()
            && let Some(line) = self.line()
        {
            self.ahead.push_front(line);
        }
        self.ahead.front()?.text.as_deref().ok()
    }

    fn line(&mut self) -> Option<Line> {
        self.ahead.pop_front().or_else(|| self.read_line())
    }

    fn read_line(&mut self) -> Option<Line> {
        if self.ended {
            return None;
        }
        let number = self.lines_read + 1;
        let mut text = Vec::new();
        let limit = LINE_BYTES_MAX as u64 + 1;
        let read = self
            .reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut text);
        let text = match read {
            Err(error) => {
                self.ended = true;
                Err(format!(
                    "the file cannot be read from here on ({error}): rows after this line are not imported"
                ))
            }
            Ok(0) => {
                self.ended = true;
                return None;
            }
            Ok(_) if text.len() > LINE_BYTES_MAX && text.last() != Some(&b'\n') => {
                self.skip_line();
                Err(format!(
                    "the line is longer than {LINE_BYTES_MAX} bytes: is this a CSV file?"
                ))
            }
            Ok(_) => {
                for end in [b'\n', b'\r'] {
                    if text.last() == Some(&end) {
                        text.pop();
                    }
                }
                Ok(text)
            }
        };
        self.lines_read = number;
        Some(Line { number, text })
    }

    /// Leaves the rest of a line out. Errors come back when the next line is read.
    fn skip_line(&mut self) {
        loop {
            let Ok(buffer) = self.reader.fill_buf() else {
                return;
            };
            let (used, found) = match buffer.iter().position(|b| *b == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.reader.consume(used);
            if found {
                return;
            }
        }
    }

    /// Reads lines until the quotes of the row that begins with `first` are closed.
    fn row(&mut self, number: u64, first: Vec<u8>) -> Result<Row, ImportProblem> {
        let mut text = first;
        let mut taken = Vec::new();
        let why = loop {
            match split(&text, self.delimiter) {
                Ok(cells) => {
                    return Ok(Row {
                        line: number,
                        cells,
                    });
                }
                Err(Quotes::Stray) => {
                    break "a quote stands inside a quoted cell: write it twice, or leave it out";
                }
                Err(Quotes::Open) => {}
            }
            let next = (taken.len() + 1 < ROW_LINES_MAX)
                .then(|| self.line())
                .flatten();
            let Some(next) = next else {
                break "a quote is opened in this row and not closed";
            };
            if let Ok(more) = &next.text {
                text.push(b'\n');
                text.extend_from_slice(more);
            }
            let damaged = next.text.is_err();
            taken.push(next);
            if damaged {
                break "a quote is opened in this row and not closed";
            }
        };
        for line in taken.into_iter().rev() {
            self.ahead.push_front(line);
        }
        Err(ImportProblem::of_row(number, why))
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row, ImportProblem>;

    /// The next row that is not empty.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Line { number, text } = self.line()?;
            let first = match text {
                Ok(first) => first,
                Err(message) => return Some(Err(ImportProblem::of_row(number, message))),
            };
            match self.row(number, first) {
                Ok(row) if row.cells.iter().all(|cell| cell.trim_ascii().is_empty()) => {}
                answer => return Some(answer),
            }
        }
    }
}

/// Why a text is not a whole row.
#[derive(Debug, PartialEq, Eq)]
enum Quotes {
    /// A quoted cell goes on past the end.
    Open,
    /// Something other than a delimiter follows a closing quote.
    Stray,
}

/// The cells of a row (RFC 4180). A quote inside a cell that does not begin with one is an ordinary
/// character, as in `Nail 3"`.
fn split(text: &[u8], delimiter: u8) -> Result<Vec<Vec<u8>>, Quotes> {
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let (cell, after) = match rest.strip_prefix(b"\"") {
            Some(quoted) => quoted_cell(quoted)?,
            None => {
                let end = rest.iter().position(|b| *b == delimiter);
                let (cell, after) = rest.split_at(end.unwrap_or(rest.len()));
                (cell.to_vec(), after)
            }
        };
        cells.push(cell);
        match after.split_first() {
            None => return Ok(cells),
            Some((first, after)) if *first == delimiter => rest = after,
            Some(_) => return Err(Quotes::Stray),
        }
    }
}

/// A cell up to its closing quote, and what follows it.
fn quoted_cell(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), Quotes> {
    let mut cell = Vec::new();
    loop {
        let end = rest.iter().position(|b| *b == b'"').ok_or(Quotes::Open)?;
        cell.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(b"\"") {
            Some(after) => {
                cell.push(b'"');
                rest = after;
            }
            None => return Ok((cell, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &[u8]) -> Vec<String> {
        Rows::new(text)
            .map(|row| match row {
                Ok(row) => {
                    let cells = row.cells.iter().map(|c| String::from_utf8_lossy(c));
                    format!("{}: {}", row.line, cells.collect::<Vec<_>>().join("|"))
                }
                Err(problem) => problem.to_string(),
            })
            .collect()
    }

    #[test]
    fn rows_are_split() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(shown(text.as_bytes()), expected, "{text:?}");
        };
        check("", &[]);
        check("a,b\r\nc,d", &["1: a|b", "2: c|d"]);
        check("a,\n\n,,\n,b\n", &["1: a|", "4: |b"]);
        check("\"a,b\",\"say \"\"hi\"\"\"", &["1: a,b|say \"hi\""]);
        check("Nail 3\",x", &["1: Nail 3\"|x"]);
        check("\"two\nlines\",x\ny,z", &["1: two\nlines|x", "3: y|z"]);
    }

    #[test]
    fn damage_stays_where_it_is() {
        let open = "a quote is opened in this row and not closed";
        let stray = "a quote stands inside a quoted cell: write it twice, or leave it out";
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(shown(text.as_bytes()), expected, "{text:?}");
        };
        check(
            "a,b\n1,\"x\n2,y\n3,z",
            &["1: a|b", &format!("line 2: {open}"), "3: 2|y", "4: 3|z"],
        );
        check(
            "1,\"x,2\n2,\"y\",3",
            &[&format!("line 1: {stray}"), "2: 2|y|3"],
        );
        check("1,\"x\"y,2\n2,z", &[&format!("line 1: {stray}"), "2: 2|z"]);
        let long_after = format!("\"x\n{}last,1\n", "row,1\n".repeat(40));
        let rows = shown(long_after.as_bytes());
        assert_eq!(rows.len(), 42);
        assert_eq!(rows[0], format!("line 1: {open}"));
        assert_eq!(rows[41], "42: last|1");
    }

    #[test]
    fn an_endless_line_is_left_out() {
        let mut text = vec![b'x'; 3 * LINE_BYTES_MAX];
        text.extend_from_slice(b"\na,b\n");
        let rows = shown(&text);
        assert!(
            rows[0].starts_with("line 1: the line is longer"),
            "{rows:?}"
        );
        assert_eq!(rows[1..], ["2: a|b"]);
    }

    #[test]
    fn a_reader_that_fails_ends_the_file_with_a_problem() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("unplugged"))
            }
        }
        let rows: Vec<_> = Rows::new(b"a,b\n".chain(Fails)).collect();
        assert!(rows[0].is_ok());
        assert!(rows[1].as_ref().unwrap_err().message.contains("unplugged"));
        assert_eq!(rows.len(), 2);
    }

    proptest! {
        #[test]
        fn well_formed_rows_read_as_the_csv_crate_reads_them(
            rows in prop::collection::vec(
                prop::collection::vec("[a,\" é\n]{0,6}", 2..5), 0..8)
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let filled = |row: &&Vec<String>| {
                row.iter().any(|c| !c.as_bytes().trim_ascii().is_empty())
            };
            let expected: Vec<&Vec<String>> = rows.iter().filter(filled).collect();
            let got: Vec<Vec<String>> = Rows::new(text.as_slice())
                .map(|row| {
                    let cells = row.unwrap().cells.into_iter();
                    cells.map(|cell| String::from_utf8(cell).unwrap()).collect()
                })
                .collect();
            prop_assert_eq!(got.iter().collect::<Vec<_>>(), expected);
        }
    }
}
