//! The rows of the replicated state.

use std::collections::{BTreeMap, BTreeSet};

use catalog::BookVersion;
use money::Currency;
use sale::{BusinessDay, Cart, LaneId, Receipt, StoreId};
use serde::{Deserialize, Serialize};

use crate::entry::{format_unsaid, is_format_unsaid};
use crate::{Epoch, Head, Left, Run, Seq};

/// Names an invitation; the first part of the code that is shown.
pub type InvitationId = u32;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreRecord {
    pub store: StoreId,
    pub name: String,
    /// Grows by one when a store is recovered after losing its majority for good.
    pub epoch: u32,
    /// The mark of [`crate::Epoch`]; 0 in the first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch_mark: u32,
    /// The newest entry format that is used in this store, see [`crate::ENTRY_FORMAT`].
    #[serde(default = "format_unsaid", skip_serializing_if = "is_format_unsaid")]
    pub level: u16,
}

impl StoreRecord {
    pub fn epoch(&self) -> Epoch {
        Epoch {
            number: self.epoch,
            mark: self.epoch_mark,
        }
    }
}

fn is_zero<T: PartialEq + Default>(value: &T) -> bool {
    *value == T::default()
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
    /// When it was admitted, by the wall clock of the lane that let it in; 0 where that is unknown.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub admitted_ms: u64,
    /// Its journal, as far as it is known, ends with a farewell: it is closed on purpose.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub closed: bool,
    /// The newest entry format that it reads; until its first start what the store's level was.
    #[serde(default = "format_unsaid", skip_serializing_if = "is_format_unsaid")]
    pub reads: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// Runs that were found to work on a copy of this lane's disk, the last
    /// [`crate::BARRED_RUNS_KEPT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub barred: Vec<Run>,
    /// The runs for whose sake those were barred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmed: Vec<Run>,
}

impl LaneRecord {
    /// Whether it belongs to the store.
    pub fn is_member(&self) -> bool {
        self.left.is_none()
    }
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

    /// Adds a receipt. After an error nothing was added.
    pub fn add_receipt(&mut self, receipt: &Receipt) -> Result<(), TotalError> {
        let one = DayTotal::of(receipt).ok_or(TotalError::TooLarge)?;
        self.add(&one)
    }

    /// Adds another total. After an error nothing was added.
    pub fn add(&mut self, other: &DayTotal) -> Result<(), TotalError> {
        if self.currency != other.currency {
            return Err(TotalError::OtherCurrency {
                expected: self.currency,
                found: other.currency,
            });
        }
        *self = self.plus(other).ok_or(TotalError::TooLarge)?;
        Ok(())
    }

    /// What one receipt took; `None` where its tenders are beyond all sums.
    fn of(receipt: &Receipt) -> Option<DayTotal> {
        let totals = &receipt.totals;
        let mut tenders: BTreeMap<String, i64> = BTreeMap::new();
        for tender in &receipt.tenders {
            let sum = tenders.entry(tender.kind().to_owned()).or_default();
            *sum = sum.checked_add(tender.amount().minor())?;
        }
        // Change is always given in cash.
        if !receipt.change.is_zero() && !planted::is("change-stays-in-drawer") {
            let cash = tenders.entry("cash".to_owned()).or_default();
            *cash = cash.checked_sub(receipt.change.minor())?;
        }
        Some(DayTotal {
            currency: totals.total.currency(),
            receipts: 1,
            lines: receipt.lines.len() as u64,
            gross: totals.gross.minor(),
            discount: totals.discount.minor(),
            deposits: totals.deposits.minor(),
            tax_added: totals.tax_added.minor(),
            tax_included: totals.tax_included.minor(),
            total: totals.total.minor(),
            tenders,
        })
    }

    fn plus(&self, other: &DayTotal) -> Option<DayTotal> {
        let mut tenders = self.tenders.clone();
        for (kind, amount) in &other.tenders {
            let sum = tenders.entry(kind.clone()).or_default();
            *sum = sum.checked_add(*amount)?;
        }
        Some(DayTotal {
            currency: self.currency,
            receipts: self.receipts.checked_add(other.receipts)?,
            lines: self.lines.checked_add(other.lines)?,
            gross: self.gross.checked_add(other.gross)?,
            discount: self.discount.checked_add(other.discount)?,
            deposits: self.deposits.checked_add(other.deposits)?,
            tax_added: self.tax_added.checked_add(other.tax_added)?,
            tax_included: self.tax_included.checked_add(other.tax_included)?,
            total: self.total.checked_add(other.total)?,
            tenders,
        })
    }
}

/// Why something cannot be added to a total. No lane writes such a receipt; a damaged or forged
/// one must not stop the others from being counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TotalError {
    #[error("it is in {found}, the total is in {expected}")]
    OtherCurrency { expected: Currency, found: Currency },
    #[error("the sum is too large")]
    TooLarge,
}

/// A suspended sale. It stays known after it was taken up, so that nobody takes it up again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspendedRecord {
    /// The sale; none once it was taken up.
    pub open: Option<Cart>,
    pub resumed_on: Option<LaneId>,
}

/// A receipt in the books.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptRecord {
    /// Global sequence of its entry; none while only a return of it is known.
    pub entry: Option<u64>,
    /// Thousandths sold of each line.
    pub sold_milli: BTreeMap<u32, i64>,
    /// Thousandths returned of each line.
    pub returned_milli: BTreeMap<u32, i64>,
    /// What was given back to each of its card tenders, counted from 1, in minor units.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunded_minor: BTreeMap<u32, i64>,
}

impl ReceiptRecord {
    /// Lines of which more came back than was sold.
    pub(crate) fn returned_too_much(&self) -> BTreeSet<u32> {
        let sold = |line: &u32| self.sold_milli.get(line).copied().unwrap_or(0);
        let over = self.returned_milli.iter();
        over.filter(|(line, back)| self.entry.is_some() && **back > sold(line))
            .map(|(line, _)| *line)
            .collect()
    }
}

/// How often a promotion was given, less what came back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenRecord {
    /// On all days.
    pub times: u64,
    /// By business day, the last [`crate::GIVEN_DAYS_KEPT`] on which it was given.
    pub days: BTreeMap<BusinessDay, u64>,
}

impl GivenRecord {
    pub fn on(&self, day: &BusinessDay) -> u64 {
        self.days.get(day).copied().unwrap_or(0)
    }
}

/// Where a lane stands in its business days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneDayRecord {
    /// The day that was opened on the lane and not closed.
    pub open: Option<BusinessDay>,
    /// The day on which something last happened.
    pub last: Option<BusinessDay>,
    /// The day that was closed last.
    pub closed: Option<BusinessDay>,
}

/// What the store has taken of head office's publications.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedRecord {
    /// The number of the last one; 0 before the first.
    pub last: u64,
    /// In the order in which they were taken, the last [`crate::PUBLICATIONS_KEPT`].
    pub recent: Vec<TakenPublication>,
}

/// A publication that the store has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenPublication {
    pub number: u64,
    /// Since when what it says holds.
    pub version: BookVersion,
}

/// What kind of thing a person has to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionKind {
    /// An entry that cannot be read, or is above the store's level. It is kept and shipped, and counts
    /// in no total, also after an upgrade: what was applied once is not applied again.
    UnreadableFact,
    /// An entry that does not continue its lane's chain. It is not taken.
    BrokenChain,
    /// A code that two items claim; the newer one has it.
    CodeMoved,
    /// A receipt that cannot be added to its day's total. It is kept and shipped.
    NotCounted,
    /// A suspended sale that two lanes took up.
    ResumedTwice,
    /// More of a receipt's line came back than was sold: two lanes that could not reach each other
    /// took it back.
    ReturnedTwice,
    /// More was given back without a receipt to one person on a day than the settings allow: by lanes
    /// that could not reach each other, or because the limit was lowered that day.
    ReturnedOverLimit,
    /// A credit note was spent beyond what it held.
    CreditOverspent,
    /// A coupon that can be used once was used by two lanes.
    CouponUsedTwice,
    /// A lane was missing when the store was recovered; what it sold last may not be known.
    LaneMissing,
    /// Two processes claimed one lane: its disk was copied.
    LaneCopied,
    /// A receipt that was given out by a machine with a copy of a lane's disk. It is kept in the
    /// journal that carried it over, and counts in no total.
    SoldOnCopy,
    /// Records that head office published and that this store cannot use. The rest of the publication
    /// is in force.
    NotPublished,
    /// A card may have been charged, or given money, and nobody could say. The sale went on without it.
    CardInDoubt,
    /// What became of a card payment that had been in doubt.
    CardFound,
    /// Lanes that could not reach each other said of a customer what does not go together.
    CustomerConflict,
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
