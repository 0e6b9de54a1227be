//! A table of the state, row by row, and the tables in which two states differ.

use std::cmp::Ordering;

use ledger::{Row, Table, TableError, Tables, stored_hash};

/// Rows read at a time.
const PAGE_ROWS: usize = 1_000;

/// The rows of a table in key order.
pub struct Rows<'a> {
    tables: &'a dyn Tables,
    table: Table,
    page: std::vec::IntoIter<Row>,
    /// Where the next page begins; `None` behind the last.
    from: Option<Vec<u8>>,
}

impl<'a> Rows<'a> {
    pub fn new(tables: &'a dyn Tables, table: Table) -> Rows<'a> {
        Rows {
            tables,
            table,
            page: Vec::new().into_iter(),
            from: Some(Vec::new()),
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(row) = self.page.next() {
            return Some(Ok(row));
        }
        let from = self.from.take()?;
        match self.tables.scan(self.table, &from, PAGE_ROWS) {
            Ok(rows) => {
                if let (Some((key, _)), PAGE_ROWS) = (rows.last(), rows.len()) {
                    self.from = Some([key.as_slice(), &[0]].concat());
                }
                self.page = rows.into_iter();
                self.page.next().map(Ok)
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// How many rows of each table differ between two states, without the records of their hashes.
pub fn differing_tables(
    left: &dyn Tables,
    right: &dyn Tables,
) -> Result<Vec<(Table, u64)>, TableError> {
    let hash_rows = u64::from(stored_hash(left)? != stored_hash(right)?);
    let mut differing = Vec::new();
    for table in Table::ALL.into_iter().filter(|t| *t != Table::HashAt) {
        let rows = differing_rows(Rows::new(left, table), Rows::new(right, table))?;
        // The newest hash is a row itself.
        let rows = match table {
            Table::Meta => rows.saturating_sub(hash_rows),
            _ => rows,
        };
        if rows > 0 {
            differing.push((table, rows));
        }
    }
    Ok(differing)
}

fn differing_rows(mut left: Rows<'_>, mut right: Rows<'_>) -> Result<u64, TableError> {
    let (mut a, mut b) = (left.next().transpose()?, right.next().transpose()?);
    let mut differing = 0;
    loop {
        let order = match (&a, &b) {
            (None, None) => return Ok(differing),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.cmp(right),
        };
        differing += u64::from(a != b);
        if order.is_le() {
            a = left.next().transpose()?;
        }
        if order.is_ge() {
            b = right.next().transpose()?;
        }
    }
}
