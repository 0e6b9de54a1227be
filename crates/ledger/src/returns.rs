//! The rules about what a receipt leaves behind: what can be returned of it, and credit notes.

use sale::{Receipt, Tender};

use crate::apply::Rules;
use crate::store::row;
use crate::{Entry, ExceptionKind, ReceiptRecord, Table, TableError};

impl Rules<'_, '_> {
    /// Notes where a receipt is, what it takes back, and what becomes of credit notes. `global` is
    /// the sequence of its entry.
    pub(crate) fn receipt(
        &mut self,
        entry: &Entry,
        global: u64,
        receipt: &Receipt,
    ) -> Result<(), TableError> {
        let mut record = self.receipt_record(&receipt.id)?;
        record.entry = Some(global);
        let sold = receipt.lines.iter().filter(|l| l.detail.returned.is_none());
        record.sold_milli = sold.map(|l| (l.number, l.quantity.milli())).collect();
        let over = record.returned_too_much();
        self.put(Table::Receipt, receipt.id.as_bytes(), &record)?;
        // Its returns may have come before it did.
        for line in over {
            self.returned_too_much(entry, &receipt.id, line)?;
        }
        for line in &receipt.lines {
            if let Some(of) = &line.detail.returned {
                self.returned(entry, &of.receipt, of.line, line.quantity.milli())?;
            }
        }
        for tender in &receipt.tenders {
            if let Tender::StoreCredit { number, amount } = tender {
                self.credit(entry, number, amount.minor())?;
            }
        }
        Ok(())
    }

    fn receipt_record(&self, id: &str) -> Result<ReceiptRecord, TableError> {
        Ok(row(self.tables, Table::Receipt, id.as_bytes())?.unwrap_or_default())
    }

    fn returned(
        &mut self,
        entry: &Entry,
        id: &str,
        line: u32,
        milli: i64,
    ) -> Result<(), TableError> {
        let mut record = self.receipt_record(id)?;
        let sum = record.returned_milli.entry(line).or_default();
        *sum = sum.saturating_add(milli);
        let over = record.returned_too_much().contains(&line);
        self.put(Table::Receipt, id.as_bytes(), &record)?;
        match over {
            true => self.returned_too_much(entry, id, line),
            false => Ok(()),
        }
    }

    fn returned_too_much(&mut self, entry: &Entry, id: &str, line: u32) -> Result<(), TableError> {
        let message = format!(
            "More of line {line} of receipt {id} came back than was sold; the last of it on lane \
             {}. Check who was given the money.",
            entry.lane.short()
        );
        self.exception(ExceptionKind::ReturnedTwice, Some(entry), message)
    }

    /// Takes `spent` off a credit note; below zero it is made, or filled.
    fn credit(&mut self, entry: &Entry, number: &str, spent: i64) -> Result<(), TableError> {
        let held: i64 = row(self.tables, Table::Credit, number.as_bytes())?.unwrap_or(0);
        let left = held.saturating_sub(spent);
        self.put(Table::Credit, number.as_bytes(), &left)?;
        if left >= 0 || spent <= 0 {
            return Ok(());
        }
        let message = format!(
            "Credit note {number} was spent beyond what it held, on lane {}. Check who used it.",
            entry.lane.short()
        );
        self.exception(ExceptionKind::CreditOverspent, Some(entry), message)
    }
}
