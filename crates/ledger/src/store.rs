//! The replicated state, read with types.

use std::cell::RefCell;

use catalog::{
    BookVersion, Customer, CustomerId, Department, DepartmentId, Employee, EmployeeId, Item,
    ItemCode, ItemId, Recall, Reference, Settings, TaxCategory, TaxId,
};
use sale::{BusinessDay, Cart, History, LaneId, Tally};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::limits::given_key;
use crate::returns::bought_key;
use crate::{
    DayTotal, Entry, EntryHash, ExceptionRecord, FORMAT_FIRST, GivenRecord, InvitationId,
    InvitationRecord, LaneDayRecord, LaneRecord, PublishedRecord, ReceiptRecord, StoreRecord,
    SuspendedRecord, Table, TableError, Tables,
};

pub(crate) const STORE: &[u8] = b"store";
pub(crate) const ENTRIES: &[u8] = b"entries";
pub(crate) const BOOK: &[u8] = b"book";
pub(crate) const ITEMS: &[u8] = b"items";
pub(crate) const LANES: &[u8] = b"lanes";
pub(crate) const EXCEPTIONS: &[u8] = b"exceptions";
pub(crate) const HQ_CURSOR: &[u8] = b"hq-cursor";
pub(crate) const PUBLISHED: &[u8] = b"published";
pub(crate) const SETTINGS: &[u8] = b"settings";

/// Reads a row's value.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, TableError> {
    cbor4ii::serde::from_slice(bytes).map_err(|error| TableError {
        action: "read",
        reason: error.to_string(),
    })
}

/// Writes a row's value.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    cbor4ii::serde::to_vec(Vec::new(), value).expect("plain data always encodes")
}

pub(crate) fn row<T: DeserializeOwned>(
    tables: &dyn Tables,
    table: Table,
    key: &[u8],
) -> Result<Option<T>, TableError> {
    tables
        .get(table, key)?
        .map(|bytes| decode(&bytes))
        .transpose()
}

pub(crate) fn counter(tables: &dyn Tables, key: &[u8]) -> Result<u64, TableError> {
    Ok(row(tables, Table::Meta, key)?.unwrap_or(0))
}

pub(crate) fn day_key(day: &BusinessDay, lane: LaneId) -> Vec<u8> {
    let mut key = day.0.as_bytes().to_vec();
    key.push(b'/');
    key.extend(lane.0);
    key
}

/// Where it is counted what was given back without a receipt to a person on a day.
pub(crate) fn unreceipted_key(day: &BusinessDay, person: &str) -> Vec<u8> {
    format!("{day}/{person}").into_bytes()
}

/// Where it is noted that an entry was carried over.
pub(crate) fn carried_key(hash: EntryHash) -> Vec<u8> {
    let mut key = b"carried/".to_vec();
    key.extend(hash.0);
    key
}

/// The first key after an item's.
fn key_after(item: Option<&ItemId>) -> Vec<u8> {
    match item {
        Some(item) => [item.0.as_bytes(), &[0]].concat(),
        None => Vec::new(),
    }
}

/// The store as this lane has applied it.
pub struct StoreView<'a> {
    pub(crate) tables: &'a dyn Tables,
    /// The first failure of a read that could not answer with an error of its own.
    error: RefCell<Option<TableError>>,
}

/// Rows read at once.
const PAGE: usize = 1000;
/// The most rows that one listing returns.
const LISTING_MAX: usize = 100_000;

impl<'a> StoreView<'a> {
    pub fn new(tables: &'a dyn Tables) -> StoreView<'a> {
        StoreView {
            tables,
            error: RefCell::new(None),
        }
    }

    /// Whether an answer given through [`Reference`] was wanting because the state could not be
    /// read. Ask after a decision, before acting on it.
    pub fn check(&self) -> Result<(), TableError> {
        match self.error.borrow_mut().take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn look_up<T: DeserializeOwned>(&self, table: Table, key: &[u8]) -> Option<T> {
        self.noted(row(self.tables, table, key)).flatten()
    }

    fn noted<T>(&self, read: Result<T, TableError>) -> Option<T> {
        read.map_err(|error| {
            self.error.borrow_mut().get_or_insert(error);
        })
        .ok()
    }

    fn list<T: DeserializeOwned>(&self, table: Table) -> Result<Vec<T>, TableError> {
        let rows = self.tables.scan(table, &[], LISTING_MAX)?;
        rows.iter().map(|(_, value)| decode(value)).collect()
    }

    pub fn store(&self) -> Result<Option<StoreRecord>, TableError> {
        row(self.tables, Table::Meta, STORE)
    }

    /// The newest entry format that is used in the store, see [`crate::ENTRY_FORMAT`].
    pub fn level(&self) -> Result<u16, TableError> {
        Ok(self.store()?.map_or(FORMAT_FIRST, |store| store.level))
    }

    pub fn lane(&self, lane: LaneId) -> Result<Option<LaneRecord>, TableError> {
        row(self.tables, Table::Lane, &lane.0)
    }

    /// Every lane ever admitted, by lane number.
    pub fn lanes(&self) -> Result<Vec<LaneRecord>, TableError> {
        let mut lanes: Vec<LaneRecord> = self.list(Table::Lane)?;
        lanes.sort_by_key(|lane| lane.number);
        Ok(lanes)
    }

    pub fn employees(&self) -> Result<Vec<Employee>, TableError> {
        self.list(Table::Employee)
    }

    pub fn departments(&self) -> Result<Vec<Department>, TableError> {
        self.list(Table::Department)
    }

    pub fn invitation(&self, id: InvitationId) -> Result<Option<InvitationRecord>, TableError> {
        row(self.tables, Table::Invitation, &id.to_be_bytes())
    }

    /// Whether any invitation is neither used nor expired.
    pub fn invitation_open(&self, now_ms: u64) -> Result<bool, TableError> {
        let invitations: Vec<InvitationRecord> = self.list(Table::Invitation)?;
        let open = |i: &InvitationRecord| i.used_by.is_none() && i.expires_ms >= now_ms;
        Ok(invitations.iter().any(open))
    }

    /// How many journal entries the store has applied: the newest global sequence.
    pub fn entries(&self) -> Result<u64, TableError> {
        counter(self.tables, ENTRIES)
    }

    /// Whether the entry with this hash was carried over, see [`crate::Fact::CarriedOver`].
    pub fn is_carried_over(&self, hash: EntryHash) -> Result<bool, TableError> {
        Ok(self.tables.get(Table::Meta, &carried_key(hash))?.is_some())
    }

    /// The global sequence up to which head office has everything.
    pub fn hq_cursor(&self) -> Result<u64, TableError> {
        counter(self.tables, HQ_CURSOR)
    }

    /// What the store has taken of head office's publications.
    pub fn published(&self) -> Result<PublishedRecord, TableError> {
        Ok(row(self.tables, Table::Meta, PUBLISHED)?.unwrap_or_default())
    }

    pub fn items(&self) -> Result<u64, TableError> {
        counter(self.tables, ITEMS)
    }

    pub fn exceptions(&self) -> Result<u64, TableError> {
        counter(self.tables, EXCEPTIONS)
    }

    pub fn exception_list(&self) -> Result<Vec<ExceptionRecord>, TableError> {
        self.list(Table::Exception)
    }

    /// Applied entries after a global sequence, in order, at most `limit`.
    pub fn entries_after(&self, after: u64, limit: usize) -> Result<Vec<(u64, Entry)>, TableError> {
        let rows = self
            .tables
            .scan(Table::Entry, &(after + 1).to_be_bytes(), limit)?;
        rows.into_iter()
            .map(|(key, value)| {
                let global = key.try_into().map(u64::from_be_bytes);
                let global = global.map_err(|_| TableError {
                    action: "read",
                    reason: "an entry's key is not a number".to_owned(),
                })?;
                Ok((global, decode(&value)?))
            })
            .collect()
    }

    /// The text of the promotions in force at a book version.
    pub fn promotions_at(&self, version: BookVersion) -> Result<Option<String>, TableError> {
        let rows = self.tables.scan(Table::Promotions, &[], LISTING_MAX)?;
        rows.iter()
            .rev()
            .find(|(key, _)| key.as_slice() <= version.0.to_be_bytes().as_slice())
            .map(|(_, value)| decode(value))
            .transpose()
    }

    /// Totals by business day and lane, in that order.
    pub fn totals(&self) -> Result<Vec<(BusinessDay, LaneId, DayTotal)>, TableError> {
        let rows = self.tables.scan(Table::Total, &[], LISTING_MAX)?;
        rows.into_iter()
            .filter_map(|(key, value)| {
                let slash = key.len().checked_sub(17)?;
                let day = String::from_utf8(key[..slash].to_vec()).ok()?;
                let lane = LaneId(key[slash + 1..].try_into().ok()?);
                Some(decode(&value).map(|total| (BusinessDay(day), lane, total)))
            })
            .collect()
    }

    /// A suspended sale by its slip, also after it was taken up.
    pub fn suspended(&self, slip: &str) -> Result<Option<SuspendedRecord>, TableError> {
        row(self.tables, Table::Suspended, slip.as_bytes())
    }

    /// Sales that are put aside and were not taken up, by slip, after a slip, at most `limit`.
    pub fn put_aside_after(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Cart)>, TableError> {
        let mut from = after.map_or(Vec::new(), |slip| [slip.as_bytes(), &[0]].concat());
        let mut found = Vec::new();
        loop {
            let rows = self.tables.scan(Table::Suspended, &from, PAGE)?;
            let is_last = rows.len() < PAGE;
            for (key, value) in rows {
                let record: SuspendedRecord = decode(&value)?;
                if let Some(cart) = record.open {
                    let slip = String::from_utf8_lossy(&key).into_owned();
                    found.push((slip, cart));
                }
                from = [key.as_slice(), &[0]].concat();
                if found.len() >= limit {
                    return Ok(found);
                }
            }
            if is_last {
                return Ok(found);
            }
        }
    }

    /// A receipt in the books by its number.
    pub fn receipt(&self, id: &str) -> Result<Option<ReceiptRecord>, TableError> {
        row(self.tables, Table::Receipt, id.as_bytes())
    }

    /// What a credit note holds, in minor units; `None` where none was made.
    pub fn credit_minor(&self, number: &str) -> Result<Option<i64>, TableError> {
        row(self.tables, Table::Credit, number.as_bytes())
    }

    /// What was given back without a receipt on a business day under a key of [`sale::Returner`], in
    /// minor units.
    pub fn unreceipted_minor(&self, day: &BusinessDay, person: &str) -> Result<i64, TableError> {
        let key = unreceipted_key(day, person);
        Ok(row(self.tables, Table::Unreceipted, &key)?.unwrap_or(0))
    }

    /// The receipt on which a coupon that can be used once was used.
    pub fn coupon_used(&self, single: &str) -> Result<Option<String>, TableError> {
        row(self.tables, Table::Coupon, single.as_bytes())
    }

    /// What a customer bought.
    pub fn history(&self, customer: &CustomerId) -> Result<History, TableError> {
        let found = row(self.tables, Table::History, customer.0.as_bytes())?;
        Ok(found.unwrap_or_default())
    }

    /// Pieces that a customer bought of an item, less what came back: below zero where more came back
    /// than was counted. They are counted once the store's level is [`crate::FORMAT_BOUGHT`].
    pub fn bought(&self, customer: &CustomerId, item: &ItemId) -> Result<i64, TableError> {
        let found = row(self.tables, Table::Bought, &bought_key(customer, item))?;
        Ok(found.unwrap_or(0))
    }

    /// How often a promotion that is given only so often was: in the store, or to a customer. They are
    /// counted once the store's level is [`crate::FORMAT_LIMITS`].
    pub fn given(
        &self,
        promotion: &str,
        customer: Option<&CustomerId>,
    ) -> Result<GivenRecord, TableError> {
        let found = row(self.tables, Table::Given, &given_key(promotion, customer))?;
        Ok(found.unwrap_or_default())
    }

    /// The sums of reports of a business day, by lane.
    pub fn tallies(&self, day: &BusinessDay) -> Result<Vec<(LaneId, Tally)>, TableError> {
        let prefix = [day.0.as_bytes(), b"/"].concat();
        let rows = self.tables.scan(Table::Tally, &prefix, LISTING_MAX)?;
        rows.iter()
            .filter_map(|(key, value)| {
                let lane = LaneId(key.strip_prefix(prefix.as_slice())?.try_into().ok()?);
                Some(decode(value).map(|tally| (lane, tally)))
            })
            .collect()
    }

    /// Where a lane stands in its business days.
    pub fn lane_day(&self, lane: LaneId) -> Result<LaneDayRecord, TableError> {
        Ok(row(self.tables, Table::LaneDay, &lane.0)?.unwrap_or_default())
    }

    /// Stock of an item in thousandths of its unit; negative once more was sold than received, 0 where
    /// nothing was ever moved of it.
    pub fn stock_milli(&self, item: &ItemId) -> Result<i64, TableError> {
        Ok(self.stock_known(item)?.unwrap_or(0))
    }

    /// The same, and `None` where nothing was ever moved of it.
    pub fn stock_known(&self, item: &ItemId) -> Result<Option<i64>, TableError> {
        row(self.tables, Table::Stock, item.0.as_bytes())
    }

    /// Stock after an item, in order of items, at most `limit`: a page of all of which something was
    /// ever moved.
    pub fn stock_after(
        &self,
        after: Option<&ItemId>,
        limit: usize,
    ) -> Result<Vec<(ItemId, i64)>, TableError> {
        let rows = self.tables.scan(Table::Stock, &key_after(after), limit)?;
        rows.into_iter()
            .map(|(key, value)| {
                let item = String::from_utf8(key).map_err(|_| TableError {
                    action: "read",
                    reason: "the number of an item in stock is no text".to_owned(),
                })?;
                Ok((ItemId(item), decode(&value)?))
            })
            .collect()
    }

    /// Items after an id, in order of id, at most `limit`: a page of the whole catalog.
    pub fn items_after(
        &self,
        after: Option<&ItemId>,
        limit: usize,
    ) -> Result<Vec<Item>, TableError> {
        let rows = self.tables.scan(Table::Item, &key_after(after), limit)?;
        rows.iter().map(|(_, value)| decode(value)).collect()
    }
}

impl Reference for StoreView<'_> {
    fn version(&self) -> BookVersion {
        BookVersion(self.look_up(Table::Meta, BOOK).unwrap_or(0))
    }

    fn item(&self, id: &ItemId) -> Option<Item> {
        self.look_up(Table::Item, id.0.as_bytes())
    }

    fn item_by_code(&self, code: &ItemCode) -> Option<Item> {
        let id: ItemId = self.look_up(Table::Code, code.key().as_bytes())?;
        self.item(&id)
    }

    fn department(&self, id: &DepartmentId) -> Option<Department> {
        self.look_up(Table::Department, id.0.as_bytes())
    }

    fn tax(&self, id: &TaxId) -> Option<TaxCategory> {
        self.look_up(Table::Tax, id.0.as_bytes())
    }

    fn employee(&self, id: &EmployeeId) -> Option<Employee> {
        self.look_up(Table::Employee, id.0.as_bytes())
    }

    fn customer(&self, id: &CustomerId) -> Option<Customer> {
        self.noted(self.customer_of(id)).flatten()
    }

    fn settings(&self) -> Settings {
        let set: Option<Settings> = self.look_up(Table::Settings, SETTINGS);
        let mut settings = set.unwrap_or_default();
        if settings.store_name.is_empty() {
            let store = self.noted(self.store()).flatten();
            settings.store_name = store.map_or(String::new(), |store| store.name);
        }
        settings
    }

    fn recall(&self, item: &ItemId) -> Option<Recall> {
        self.look_up(Table::Recall, item.0.as_bytes())
    }
}
