//! CSV files with a header become records.
//!
//! Rows are read as they are asked for, so a file of any size needs little memory beyond the ids
//! and codes seen so far. A row that is wrong becomes an `ImportProblem` naming its line and column,
//! and the rows after it go on: one bad row blocks nothing else, nor does damage to the file as
//! long as lines can still be told apart.
//!
//! What the importer does not do: it does not open or decompress files, does not know what the
//! store already holds, and never puts a PIN into a problem.

mod header;
mod people;
mod reference;
mod rows;
mod selling;
mod taxes;
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::io::Read;

use money::Currency;
use serde::{Deserialize, Serialize};

use crate::{DepartmentId, Record};
use header::{Cells, Header};
use rows::{Row, Rows};

/// Turns an employee's PIN into an argon2id hash in PHC string format. Given by the caller, because
/// this crate has no randomness for the salt.
pub type MapPin = Box<dyn FnMut(&str) -> String + Send>;

/// What the rows of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportKind {
    Items,
    Departments,
    Taxes,
    Employees,
    Customers,
    Recalls,
}

impl ImportKind {
    /// The kinds, in the order in which a header is tried against them.
    pub const ALL: [ImportKind; 6] = [
        ImportKind::Employees,
        ImportKind::Customers,
        ImportKind::Taxes,
        ImportKind::Recalls,
        ImportKind::Items,
        ImportKind::Departments,
    ];

    /// Whether a record is what the rows stand for, and not something that they name along the way.
    pub fn is(self, record: &Record) -> bool {
        matches!(
            (self, record),
            (ImportKind::Items, Record::Item(_))
                | (ImportKind::Departments, Record::Department(_))
                | (ImportKind::Taxes, Record::Tax(_))
                | (ImportKind::Employees, Record::Employee(_))
                | (ImportKind::Customers, Record::Customer(_))
                | (ImportKind::Recalls, Record::Recall(_))
        )
    }

    /// The word for it in messages and on the command line, such as `items`.
    pub fn name(self) -> &'static str {
        match self {
            ImportKind::Items => "items",
            ImportKind::Departments => "departments",
            ImportKind::Taxes => "taxes",
            ImportKind::Employees => "employees",
            ImportKind::Customers => "customers",
            ImportKind::Recalls => "recalls",
        }
    }
}

impl fmt::Display for ImportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that is wrong with a row; a row may have several. Never holds a PIN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportProblem {
    /// The line of the file at which the row begins, from 1.
    pub row: u64,
    /// The column as the header names it, where one column is at fault.
    pub column: Option<String>,
    /// What stands there, shortened; empty where that could be a PIN.
    pub value: String,
    pub message: String,
}

impl ImportProblem {
    fn of_row(row: u64, message: impl Into<String>) -> ImportProblem {
        ImportProblem {
            row,
            column: None,
            value: String::new(),
            message: message.into(),
        }
    }
}

impl fmt::Display for ImportProblem {
    /// `line 7, price '1,5': ...`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.row)?;
        if let Some(column) = &self.column {
            write!(f, ", {column}")?;
        }
        if !self.value.is_empty() {
            write!(f, " '{}'", self.value)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything that is wrong with one row; never empty.
struct Problems(Vec<ImportProblem>);

impl From<ImportProblem> for Problems {
    fn from(problem: ImportProblem) -> Problems {
        Problems(vec![problem])
    }
}

/// Both, or everything that is wrong with either: whoever mends a row should have to do it once.
fn both<A, B>(
    one: Result<A, impl Into<Problems>>,
    other: Result<B, impl Into<Problems>>,
) -> Result<(A, B), Problems> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => {
            let (mut problems, more) = (one.into(), other.into());
            problems.0.extend(more.0);
            Err(problems)
        }
        (Err(one), Ok(_)) => Err(one.into()),
        (Ok(_), Err(other)) => Err(other.into()),
    }
}

/// What a file has given so far, to find what it gives twice.
#[derive(Default)]
struct Seen {
    /// The row of each id, and of each code's key.
    rows: BTreeMap<String, u64>,
    departments: BTreeSet<DepartmentId>,
    no_tax: bool,
}

/// The records of a CSV file, read as they are asked for.
pub struct Import<R> {
    rows: Rows<R>,
    /// `None` where the header cannot be used: then its problem is the only answer.
    header: Option<Header>,
    currency: Currency,
    map_pin: MapPin,
    seen: Seen,
    pending: VecDeque<Result<Record, ImportProblem>>,
}

impl<R: Read> Import<R> {
    /// Reads the header at once and the rows as they are asked for. Without `kind` the header says
    /// what the rows are. Prices are in `currency`.
    pub fn new(
        reader: R,
        kind: Option<ImportKind>,
        currency: Currency,
        map_pin: MapPin,
    ) -> Import<R> {
        let mut rows = Rows::new(reader);
        let mut pending = VecDeque::new();
        let header = match Header::read(&mut rows, kind) {
            Ok(header) => Some(header),
            Err(problem) => {
                pending.push_back(Err(problem));
                None
            }
        };
        Import {
            rows,
            header,
            currency,
            map_pin,
            seen: Seen::default(),
            pending,
        }
    }

    /// Names departments that the store has already, so that a file of items does not give them new
    /// names.
    pub fn with_departments(mut self, known: impl IntoIterator<Item = DepartmentId>) -> Self {
        self.seen.departments.extend(known);
        self
    }

    /// What the rows are; `None` where the header cannot be used.
    pub fn kind(&self) -> Option<ImportKind> {
        self.header.as_ref().map(|header| header.kind)
    }

    /// The columns that are not understood and are left out.
    pub fn ignored_columns(&self) -> Vec<String> {
        self.header.as_ref().map_or(Vec::new(), Header::ignored)
    }

    /// The records of one row, in the order in which they must take effect.
    fn records(&mut self, header: &Header, row: &Row) -> Result<Vec<Record>, Problems> {
        let cells = header.cells(row)?;
        match header.kind {
            ImportKind::Items => reference::item(&cells, self.currency, &mut self.seen),
            ImportKind::Departments => reference::department(&cells, &mut self.seen),
            ImportKind::Taxes => taxes::tax(&cells, self.currency, &mut self.seen),
            ImportKind::Employees => people::employee(&cells, &mut self.seen, &mut self.map_pin),
            ImportKind::Customers => people::customer(&cells, &mut self.seen),
            ImportKind::Recalls => reference::recall(&cells, &mut self.seen),
        }
    }
}

impl<R: Read> Iterator for Import<R> {
    type Item = Result<Record, ImportProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(ready) = self.pending.pop_front() {
                return Some(ready);
            }
            let header = self.header.take()?;
            let Some(row) = self.rows.next() else {
                self.header = Some(header);
                return None;
            };
            let row = row.map_err(Problems::from);
            match row.and_then(|row| self.records(&header, &row)) {
                Ok(records) => self.pending.extend(records.into_iter().map(Ok)),
                Err(Problems(problems)) => self.pending.extend(problems.into_iter().map(Err)),
            }
            self.header = Some(header);
        }
    }
}

impl Seen {
    /// Notes that this row gives these keys, or answers that an earlier row has given one of them.
    /// A row that is refused notes nothing.
    fn note(&mut self, cells: &Cells<'_>, keys: &[(&str, String)]) -> Result<(), ImportProblem> {
        for (field, key) in keys {
            if let Some(earlier) = self.rows.get(key) {
                return Err(cells.problem(
                    field,
                    format!("line {earlier} has it already: change one of the two"),
                ));
            }
        }
        for (_, key) in keys {
            self.rows.insert(key.clone(), cells.row);
        }
        Ok(())
    }
}
