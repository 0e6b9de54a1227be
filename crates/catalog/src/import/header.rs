//! The header of a file: which column means what, and the cells of a row by their meaning.

use std::io::Read;

use super::rows::{Row, Rows};
use super::{ImportKind, ImportProblem};

/// The most characters of a text cell.
const TEXT_CHARS_MAX: usize = 200;
/// The most characters of a cell that a problem shows.
const SHOWN_CHARS_MAX: usize = 60;

/// A column: its name here, and every name that a file may give it. Where a file has two of them,
/// the first named here counts.
type Column = (&'static str, &'static [&'static str]);

const ITEMS: &[Column] = &[
    ("item_id", &["item_id", "product_id", "sku"]),
    ("gtin", &["gtin", "upc", "ean", "barcode"]),
    ("plu", &["plu"]),
    ("codes", &["codes"]),
    ("description", &["description"]),
    ("product_type", &["product_type"]),
    ("brand", &["brand"]),
    ("package_size", &["package_size"]),
    ("department", &["department"]),
    ("price", &["price", "regular_price"]),
    ("price_per_kg", &["price_per_kg"]),
    ("sold_by", &["sold_by"]),
    ("tax", &["tax"]),
    ("age_min", &["age_min"]),
    ("deposit", &["deposit"]),
    ("open_price", &["open_price"]),
    ("ask_serial", &["ask_serial"]),
    ("not_returnable", &["not_returnable"]),
    ("linked", &["linked"]),
    ("kit", &["kit"]),
    ("tare", &["tare"]),
    ("floor", &["floor"]),
    ("gift_card", &["gift_card"]),
];
const DEPARTMENTS: &[Column] = &[("department_id", &["department_id"]), ("name", &["name"])];
const TAXES: &[Column] = &[
    ("tax_id", &["tax_id"]),
    ("name", &["name"]),
    ("rate", &["rate"]),
    ("included", &["included"]),
    ("parts", &["parts"]),
];
const EMPLOYEES: &[Column] = &[
    ("employee_id", &["employee_id"]),
    ("name", &["name"]),
    ("role", &["role"]),
    ("pin", &["pin"]),
];
const CUSTOMERS: &[Column] = &[
    ("customer_id", &["customer_id"]),
    ("name", &["name"]),
    ("tier", &["tier"]),
    ("phone", &["phone"]),
    ("email", &["email", "e-mail"]),
    ("on_account", &["on_account"]),
    ("groups", &["groups"]),
    ("contracts", &["contracts"]),
    ("employee", &["employee"]),
    ("birthday", &["birthday"]),
    ("exemption", &["exemption"]),
    ("consent", &["consent"]),
];

const RECALLS: &[Column] = &[
    ("item_id", &["item_id", "product_id", "sku"]),
    ("recalled_lots", &["recalled_lots"]),
    ("reason", &["reason"]),
];

fn columns(kind: ImportKind) -> &'static [Column] {
    match kind {
        ImportKind::Items => ITEMS,
        ImportKind::Departments => DEPARTMENTS,
        ImportKind::Taxes => TAXES,
        ImportKind::Employees => EMPLOYEES,
        ImportKind::Customers => CUSTOMERS,
        ImportKind::Recalls => RECALLS,
    }
}

/// What a file must have; of each group one column.
fn required(kind: ImportKind) -> &'static [&'static [&'static str]] {
    match kind {
        ImportKind::Items => &[
            &["item_id"],
            &["description", "product_type"],
            &["department"],
            &["price", "price_per_kg"],
        ],
        ImportKind::Departments => &[&["department_id"]],
        ImportKind::Taxes => &[&["tax_id"], &["rate"]],
        ImportKind::Employees => &[&["employee_id"], &["name"], &["role"], &["pin"]],
        ImportKind::Customers => &[&["customer_id"], &["name"]],
        ImportKind::Recalls => &[&["item_id"], &["recalled_lots"], &["reason"]],
    }
}

pub(super) struct Header {
    pub kind: ImportKind,
    /// The columns as the file names them.
    names: Vec<String>,
    /// The place of each of the kind's columns, in the order of `columns`.
    places: Vec<Option<usize>>,
}

impl Header {
    /// Reads the first row. Cells may be divided by commas, semicolons or tabs.
    pub fn read<R: Read>(
        rows: &mut Rows<R>,
        kind: Option<ImportKind>,
    ) -> Result<Header, ImportProblem> {
        if let Some(line) = rows.peek() {
            rows.delimiter = delimiter(line);
        }
        let Some(row) = rows.next() else {
            return Err(unusable(1, "the file is empty", kind));
        };
        let row = row?;
        let Ok(names) = row.cells.iter().map(|cell| name(cell)).collect() else {
            return Err(unusable(
                row.line,
                "the first line is not UTF-8 text: save the file as CSV in UTF-8",
                kind,
            ));
        };
        let names: Vec<String> = names;
        let kind = match kind {
            Some(kind) => kind,
            None => ImportKind::ALL
                .into_iter()
                .find(|kind| Header::places(*kind, &names).is_ok())
                .ok_or_else(|| unusable(row.line, "the columns are not understood", None))?,
        };
        let places =
            Header::places(kind, &names).map_err(|why| unusable(row.line, &why, Some(kind)))?;
        Ok(Header {
            kind,
            names,
            places,
        })
    }

    fn places(kind: ImportKind, names: &[String]) -> Result<Vec<Option<usize>>, String> {
        let place = |aliases: &[&str]| {
            aliases
                .iter()
                .find_map(|alias| names.iter().position(|name| name == alias))
        };
        for (_, aliases) in columns(kind) {
            if let Some(twice) = aliases
                .iter()
                .find(|alias| names.iter().filter(|name| name == *alias).count() > 1)
            {
                return Err(format!("the column {twice} is there twice"));
            }
        }
        let known = columns(kind);
        for group in required(kind) {
            let there = |field: &&str| known.iter().any(|(f, a)| f == field && place(a).is_some());
            if !group.iter().any(there) {
                return Err(format!("there is no column {}", group.join(" or ")));
            }
        }
        Ok(known.iter().map(|(_, aliases)| place(aliases)).collect())
    }

    pub fn ignored(&self) -> Vec<String> {
        let ignored = |(place, _): &(usize, &String)| !self.places.contains(&Some(*place));
        let names = self.names.iter().enumerate().filter(ignored);
        names.map(|(_, name)| name.clone()).collect()
    }

    /// The cells of a row; a problem where their number does not fit the header.
    pub fn cells<'a>(&'a self, row: &'a Row) -> Result<Cells<'a>, ImportProblem> {
        let (has, wants) = (row.cells.len(), self.names.len());
        let more_is_empty = row.cells.iter().skip(wants).all(Vec::is_empty);
        if has < wants || !more_is_empty {
            return Err(ImportProblem::of_row(
                row.line,
                format!(
                    "the row has {has} cells and the header {wants}: is a comma missing, or not in quotes?"
                ),
            ));
        }
        Ok(Cells {
            row: row.line,
            header: self,
            cells: &row.cells,
        })
    }
}

fn delimiter(line: &[u8]) -> u8 {
    let has = |delimiter: u8| line.contains(&delimiter);
    match (has(b','), has(b';'), has(b'\t')) {
        (false, true, _) => b';',
        (false, false, true) => b'\t',
        _ => b',',
    }
}

/// A column's name as it is compared: `Price per kg` is `price_per_kg`.
fn name(cell: &[u8]) -> Result<String, std::str::Utf8Error> {
    let text = std::str::from_utf8(cell)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    Ok(text.to_lowercase().replace([' ', '-'], "_"))
}

/// The problem of a header, with the columns that would be understood.
fn unusable(row: u64, why: &str, kind: Option<ImportKind>) -> ImportProblem {
    let kinds = match kind {
        Some(kind) => vec![kind],
        None => ImportKind::ALL.to_vec(),
    };
    let understood: Vec<String> = kinds
        .into_iter()
        .map(|kind| {
            let names = columns(kind).iter().map(|(_, names)| names.join("/"));
            format!("for {kind}: {}", names.collect::<Vec<_>>().join(", "))
        })
        .collect();
    ImportProblem::of_row(
        row,
        format!(
            "{why}. The first line must name the columns; understood are {}",
            understood.join("; ")
        ),
    )
}

/// The cells of one row, by the names of `columns`.
pub(super) struct Cells<'a> {
    pub row: u64,
    header: &'a Header,
    cells: &'a [Vec<u8>],
}

impl<'a> Cells<'a> {
    fn place(&self, field: &str) -> Option<usize> {
        let at = columns(self.header.kind)
            .iter()
            .position(|(name, _)| *name == field);
        at.and_then(|at| self.header.places[at])
    }

    /// The text of a column without the space around it; empty where the file has no such column.
    pub fn text(&self, field: &str) -> Result<&'a str, ImportProblem> {
        let Some(place) = self.place(field) else {
            return Ok("");
        };
        let text = std::str::from_utf8(&self.cells[place])
            .map_err(|_| self.problem(field, "it is not UTF-8 text: save the file as UTF-8"))?
            .trim();
        if text.chars().any(char::is_control) {
            return Err(self.problem(field, "it has a line break or another control character"));
        }
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(self.problem(
                field,
                format!("it is longer than {TEXT_CHARS_MAX} characters"),
            ));
        }
        Ok(text)
    }

    /// The same where it must not be empty.
    pub fn needed(&self, field: &str) -> Result<&'a str, ImportProblem> {
        match self.text(field)? {
            "" => Err(self.problem(field, "it is empty")),
            text => Ok(text),
        }
    }

    /// Whether a column says yes; no where it is empty.
    pub fn yes(&self, field: &str) -> Result<bool, ImportProblem> {
        match self.text(field)?.to_lowercase().as_str() {
            "" | "no" | "false" => Ok(false),
            "yes" | "true" => Ok(true),
            _ => Err(self.problem(field, "write yes or no")),
        }
    }

    /// What a column lists, at most so much, divided by `;`. `why` is the problem where `read` cannot.
    pub fn list<T>(
        &self,
        field: &str,
        most: usize,
        why: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, ImportProblem> {
        let texts = self.text(field)?.split(';').map(str::trim);
        let read: Option<Vec<T>> = texts.filter(|text| !text.is_empty()).map(read).collect();
        match read {
            Some(list) if list.len() <= most => Ok(list),
            Some(_) => Err(self.problem(field, format!("write at most {most}"))),
            None => Err(self.problem(field, why)),
        }
    }

    /// A problem with this column of this row.
    pub fn problem(&self, field: &str, message: impl Into<String>) -> ImportProblem {
        let place = self.place(field);
        let column = place.map_or(field, |place| &self.header.names[place]);
        let value = place.map_or(String::new(), |place| self.shown(place));
        ImportProblem {
            row: self.row,
            column: Some(column.to_owned()),
            value,
            message: message.into(),
        }
    }

    /// What a problem may show. In a file of employees a cell with a digit is not shown, whatever
    /// its column: where a comma is missing, the PIN stands in another column.
    fn shown(&self, place: usize) -> String {
        let text = String::from_utf8_lossy(&self.cells[place]);
        let secret = self.header.kind == ImportKind::Employees
            && text.chars().any(|c| !c.is_alphabetic() && c != ' ');
        if secret {
            return String::new();
        }
        let printable = text.trim().chars().filter(|c| !c.is_control());
        printable.take(SHOWN_CHARS_MAX).collect()
    }
}
