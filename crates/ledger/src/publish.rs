//! Taking what head office publishes: each publication once, in head office's order, and all of it that
//! this store can use.
//!
//! Invariant: what a store has taken is written with what it changed, so that no publication is taken
//! twice or left out, whoever proposes it however often. A record that cannot be used is before a
//! person and blocks neither the others of its publication nor the publications behind it. Nothing here
//! weighs head office against a manager: the later change in the log is in force.

use std::slice;

use catalog::{BookVersion, Record};

use crate::apply::{Rules, refused};
use crate::store::{BOOK, PUBLISHED};
use crate::{
    ExceptionKind, FORMAT_PUBLICATIONS, Outcome, PublishedRecord, StoreView, Table, TableError,
    TakenPublication,
};

/// Publications of which a store remembers the book version.
pub const PUBLICATIONS_KEPT: usize = 64;

/// Reasons that one exception names; more are only counted.
const REASONS_SHOWN: usize = 10;

impl Rules<'_, '_> {
    /// Takes publication `number` where `after` is what the store took last.
    pub(crate) fn publish(
        &mut self,
        (number, after): (u64, u64),
        records: &[Record],
        left_out: &[String],
    ) -> Result<Outcome, TableError> {
        let store = StoreView::new(self.tables);
        let (level, published) = (store.level()?, store.published()?);
        if level < FORMAT_PUBLICATIONS {
            return refused("Not every lane of this store reads what head office publishes.");
        }
        if after != published.last || number <= after {
            return refused(format!(
                "The store has taken head office's publications up to {}.",
                published.last
            ));
        }
        let version = BookVersion(self.count(BOOK)?);
        self.note_taken(published, TakenPublication { number, version })?;
        let mut reasons = left_out.to_vec();
        for record in records {
            match self.mixed_currencies(slice::from_ref(record))? {
                None => self.record(record, version)?,
                Some(reason) => reasons.push(reason),
            }
        }
        if !reasons.is_empty() {
            let of = records.len() + left_out.len();
            self.exception(
                ExceptionKind::NotPublished,
                None,
                in_words(number, of, &reasons),
            )?;
        }
        Ok(Outcome::Changed { version })
    }

    fn note_taken(
        &mut self,
        mut published: PublishedRecord,
        taken: TakenPublication,
    ) -> Result<(), TableError> {
        let is_first = !published.recent.iter().any(|t| t.number == taken.number);
        if !(is_first && planted::is("publication-taken-twice")) {
            published.last = taken.number;
        }
        published.recent.push(taken);
        let surplus = published.recent.len().saturating_sub(PUBLICATIONS_KEPT);
        published.recent.drain(..surplus);
        self.put(Table::Meta, PUBLISHED, &published)
    }
}

fn in_words(number: u64, of: usize, reasons: &[String]) -> String {
    let count = reasons.len();
    let shown = reasons[..count.min(REASONS_SHOWN)].join(" ");
    let more = match count.saturating_sub(REASONS_SHOWN) {
        0 => String::new(),
        more => format!(" And {more} more."),
    };
    format!(
        "Head office's publication {number}: {count} of its {of} records did not take effect in this \
         store; the others did. {shown}{more} Have head office publish them again once that is mended."
    )
}
