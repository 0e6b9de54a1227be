//! The rows of the replicated state.

use std::collections::BTreeMap;

use money::Currency;
use sale::{LaneId, Receipt, StoreId};
use serde::{Deserialize, Serialize};

use crate::{Head, Seq};

/// Names an invitation; the first part of the code that is shown.
pub type InvitationId = u32;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreRecord {
    pub store: StoreId,
    pub name: String,
    /// Grows by one when a store is recovered after losing its majority for good.
    pub epoch: u32,
}

/// A lane that was admitted, and how much of its journal the store has applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneRecord {
    pub lane: LaneId,
    /// From 1, printed on receipts, never used again.
    pub number: u32,
    pub name: String,
    /// The public identity of the lane's key.
    pub peer: String,
    /// The lane's Raft node id, the log index that admitted it.
    pub node: u64,
    pub head: Head,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationRecord {
    #[serde(with = "serde_bytes")]
    pub code_hash: [u8; 32],
    pub expires_ms: u64,
    pub used_by: Option<LaneId>,
}

/// What a lane took on a business day, in minor units of the store's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTotal {
    pub currency: Currency,
    pub receipts: u64,
    pub lines: u64,
    pub gross: i64,
    pub discount: i64,
    pub deposits: i64,
    pub tax_added: i64,
    pub tax_included: i64,
    pub total: i64,
    /// What stayed in the drawer by kind of tender: tendered less change.
    pub tenders: BTreeMap<String, i64>,
}

impl DayTotal {
    pub fn zero(currency: Currency) -> DayTotal {
        DayTotal {
            currency,
            receipts: 0,
            lines: 0,
            gross: 0,
            discount: 0,
            deposits: 0,
            tax_added: 0,
            tax_included: 0,
            total: 0,
            tenders: BTreeMap::new(),
        }
    }

    pub fn add_receipt(&mut self, receipt: &Receipt) {
        let totals = &receipt.totals;
        self.receipts += 1;
        self.lines += receipt.lines.len() as u64;
        self.gross += totals.gross.minor();
        self.discount += totals.discount.minor();
        self.deposits += totals.deposits.minor();
        self.tax_added += totals.tax_added.minor();
        self.tax_included += totals.tax_included.minor();
        self.total += totals.total.minor();
        for tender in &receipt.tenders {
            *self.tenders.entry(tender.kind().to_owned()).or_default() += tender.amount().minor();
        }
        // Change is always given in cash.
        if !receipt.change.is_zero() {
            *self.tenders.entry("cash".to_owned()).or_default() -= receipt.change.minor();
        }
    }

    /// Adds another total of the same currency.
    pub fn add(&mut self, other: &DayTotal) {
        self.receipts += other.receipts;
        self.lines += other.lines;
        self.gross += other.gross;
        self.discount += other.discount;
        self.deposits += other.deposits;
        self.tax_added += other.tax_added;
        self.tax_included += other.tax_included;
        self.total += other.total;
        for (kind, amount) in &other.tenders {
            *self.tenders.entry(kind.clone()).or_default() += amount;
        }
    }
}

/// What kind of thing a person has to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionKind {
    /// An entry that this release cannot read. It is kept and shipped, and counts in no total.
    UnreadableFact,
    /// An entry that does not continue its lane's chain. It is not taken.
    BrokenChain,
    /// A code that two items claim; the newer one has it.
    CodeMoved,
}

/// Something no rule settled, or a rule settled in a way a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionRecord {
    pub kind: ExceptionKind,
    /// The log index at which it was found.
    pub index: u64,
    pub lane: Option<LaneId>,
    pub seq: Option<Seq>,
    /// In business words.
    pub message: String,
}
