//! Baskets from a CSV file: one row per line of a basket, gzip or plain.
//!
//! What a line costs is what was paid for it plus what the shop took off (`sales_value` +
//! `retail_disc`), exact. A file with a row that cannot be rung up is refused whole: its sum would
//! not be the file's.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use csv::{ReaderBuilder, StringRecord, Trim};
use flate2::read::MultiGzDecoder;
use money::{Currency, Money};

use super::basket::{Amount, Basket, BasketLine, Habit};

/// The most pieces one line may have; more is a slip or a fuel pump.
const PIECES_MAX: u32 = 1000;
/// Problems told; a file that is wrong throughout is wrong in the first ones, too.
const PROBLEMS_MAX: usize = 20;

const COLUMNS: [&str; 5] = [
    "basket_id",
    "product_id",
    "quantity",
    "sales_value",
    "retail_disc",
];

/// The baskets of a file, in the order in which their first lines stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasketFile {
    pub baskets: Vec<Basket>,
    /// What all lines come to.
    pub expected: Money,
    /// Lines in all baskets.
    pub lines: usize,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    /// The line of the file, from 1.
    pub row: u64,
    pub column: Option<&'static str>,
    pub message: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.row)?;
        if let Some(column) = self.column {
            write!(f, ", {column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Reads the baskets of a file, amounts in `currency`. Fails with at most 20 problems.
pub fn read_baskets(bytes: &[u8], currency: Currency) -> Result<BasketFile, Vec<FileProblem>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    match bytes.starts_with(&GZIP) {
        true => read(MultiGzDecoder::new(bytes), currency),
        false => read(bytes, currency),
    }
}

fn read(reader: impl Read, currency: Currency) -> Result<BasketFile, Vec<FileProblem>> {
    let mut rows = ReaderBuilder::new().trim(Trim::All).from_reader(reader);
    let header = rows
        .headers()
        .map_err(|error| vec![unreadable(1, &error)])?;
    let columns = columns(header).map_err(|problem| vec![problem])?;

    let mut baskets: Vec<Basket> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut problems = Vec::new();
    for row in rows.records() {
        if problems.len() >= PROBLEMS_MAX {
            break;
        }
        let read = match &row {
            Ok(row) => line(row, &columns, currency),
            Err(error) => Err(unreadable(0, error)),
        };
        match read {
            Ok((id, line)) => {
                let place = *places.entry(id.clone()).or_insert(baskets.len());
                if place == baskets.len() {
                    baskets.push(Basket {
                        id,
                        customer: None,
                        lines: Vec::new(),
                        habit: Habit::Plain,
                    });
                }
                baskets[place].lines.push(line);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if baskets.is_empty() && problems.is_empty() {
        problems.push(FileProblem {
            row: 1,
            column: None,
            message: "the file holds no basket".to_owned(),
        });
    }
    match problems.is_empty() {
        true => Ok(BasketFile {
            expected: baskets
                .iter()
                .filter_map(Basket::expected)
                .fold(Money::zero(currency), |sum, amount| sum + amount),
            lines: baskets.iter().map(|basket| basket.lines.len()).sum(),
            baskets,
        }),
        false => Err(problems),
    }
}

fn unreadable(row: u64, error: &csv::Error) -> FileProblem {
    FileProblem {
        row: error.position().map_or(row, csv::Position::line),
        column: None,
        message: format!("the row cannot be read: {error}"),
    }
}

/// Where each of [`COLUMNS`] stands.
fn columns(header: &StringRecord) -> Result<[usize; COLUMNS.len()], FileProblem> {
    let mut found = [0; COLUMNS.len()];
    for (place, name) in found.iter_mut().zip(COLUMNS) {
        *place = header
            .iter()
            .position(|title| title == name)
            .ok_or_else(|| FileProblem {
                row: 1,
                column: Some(name),
                message: format!(
                    "the header lacks it: a file of baskets has {}",
                    COLUMNS.join(", ")
                ),
            })?;
    }
    Ok(found)
}

fn line(
    row: &StringRecord,
    columns: &[usize; COLUMNS.len()],
    currency: Currency,
) -> Result<(String, BasketLine), FileProblem> {
    let at = row.position().map_or(0, csv::Position::line);
    let problem = |column: usize, message: String| FileProblem {
        row: at,
        column: Some(COLUMNS[column]),
        message,
    };
    let text = |column: usize| row.get(columns[column]).unwrap_or_default();
    let amount = |column: usize| match text(column) {
        "" => Ok(Money::zero(currency)),
        text => Money::parse(text, currency).map_err(|e| problem(column, e.to_string())),
    };
    for column in [0, 1] {
        if text(column).is_empty() {
            return Err(problem(column, "it is empty".to_owned()));
        }
    }
    let pieces = text(2)
        .parse()
        .ok()
        .filter(|n| (1..=PIECES_MAX).contains(n));
    let pieces = pieces.ok_or_else(|| {
        let message = format!("'{}' is not a whole number from 1 to {PIECES_MAX}", text(2));
        problem(2, message)
    })?;
    let extended = amount(3)? + amount(4)?;
    if extended.is_negative() {
        return Err(problem(
            3,
            format!("the line comes to {extended}, below zero"),
        ));
    }
    let line = BasketLine {
        code: text(1).to_owned(),
        quantity: Amount::Pieces(pieces),
        extended: Some(extended),
    };
    Ok((text(0).to_owned(), line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    const HEADER: &str = "basket_id,household_id,store_id,transaction_timestamp,product_id,\
                          quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc\n";

    fn check(rows: &str, expected: Result<&str, &str>) {
        let text = format!("{HEADER}{rows}");
        let shown = match read_baskets(text.as_bytes(), Currency::USD) {
            Ok(file) => {
                let baskets = file.baskets.iter().map(|basket| {
                    let lines = basket.lines.iter().map(|line| {
                        format!(
                            "{} {:?} {}",
                            line.code,
                            line.quantity,
                            line.extended.unwrap()
                        )
                    });
                    format!("{}: {}", basket.id, lines.collect::<Vec<_>>().join(", "))
                });
                let baskets = baskets.collect::<Vec<_>>().join("; ");
                Ok(format!("{baskets} = {} in {}", file.expected, file.lines))
            }
            Err(problems) => {
                let problems = problems.iter().map(FileProblem::to_string);
                Err(problems.collect::<Vec<_>>().join("; "))
            }
        };
        let shown = shown.as_ref().map(String::as_str).map_err(String::as_str);
        assert_eq!(shown, expected);
    }

    #[test]
    fn rows_become_baskets() {
        check(
            "1,8,3,2017-01-01 18:24:46,852856,2,7.38,0.0,0.0,0.0\n\
             1,8,3,2017-01-01 18:24:46,899814,1,3.77,0.22,0.0,0.0\n\
             2,9,3,2017-01-01 18:30:00,852856,1,3.69,,0,0\n\
             1,8,3,2017-01-01 18:24:46,948420,1,0.82,0.07,0.0,0.0\n",
            Ok(
                "1: 852856 Pieces(2) 7.38, 899814 Pieces(1) 3.99, 948420 Pieces(1) 0.89; \
                 2: 852856 Pieces(1) 3.69 = 15.95 in 4",
            ),
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        check("", Err("line 1: the file holds no basket"));
        check(
            "1,8,3,x,852856,0,7.38,0.0,0.0,0.0\n1,8,3,x,,1,7.38,0.0,0.0,0.0\n",
            Err(
                "line 2, quantity: '0' is not a whole number from 1 to 1000; \
                 line 3, product_id: it is empty",
            ),
        );
        check(
            "1,8,3,x,852856,1,7.385,0.0,0.0,0.0\n1,8,3,x,852856,1,-1.00,0.5,0.0,0.0\n",
            Err(
                "line 2, sales_value: '7.385' has more than 2 decimal places, the most that \
                 USD has; line 3, sales_value: the line comes to -0.50, below zero",
            ),
        );
    }

    #[test]
    fn a_header_without_a_column_is_refused() {
        let problems = read_baskets(b"basket_id,quantity\n1,1\n", Currency::USD).unwrap_err();
        assert_eq!(problems[0].column, Some("product_id"));
    }

    #[test]
    fn gzip_is_read_as_it_is() {
        let text = format!("{HEADER}1,8,3,x,852856,2,7.38,0.0,0.0,0.0\n");
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        let plain = read_baskets(text.as_bytes(), Currency::USD);
        assert_eq!(read_baskets(&packed, Currency::USD), plain);
        assert!(read_baskets(&packed[..packed.len() / 2], Currency::USD).is_err());
    }
}
