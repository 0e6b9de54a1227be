//! The rules: how each command changes the store's state.

use std::collections::{BTreeMap, btree_map};

use catalog::{BookVersion, Item, ItemCode, ItemId, PriceSince, Recall, Record, Settings};
use sale::{Event, LaneId, Receipt};

use crate::store::{
    BOOK, ENTRIES, EXCEPTIONS, HQ_CURSOR, ITEMS, SETTINGS, STORE, carried_key, counter, day_key,
    encode, row,
};
use crate::{
    Command, DayTotal, Entry, EntryError, Epoch, ExceptionKind, ExceptionRecord, Fact, Hashed,
    InvitationRecord, LaneRecord, Outcome, StoreRecord, StoreView, Table, TableError, Tables,
};

/// How many promotion files are kept, so that open carts can be priced by the one they pinned.
const PROMOTIONS_KEPT: usize = 16;

/// The Raft node id of the lane that created the store. Later lanes get the log index of their
/// admission, which is always larger.
pub(crate) const FOUNDER_NODE: u64 = 1;

/// Applies the command at log `index`. Fails only where the state cannot be read or written.
pub fn apply(
    tables: &mut dyn Tables,
    index: u64,
    command: &Command,
) -> Result<Outcome, TableError> {
    let mut hashed = Hashed::new(tables)?;
    let outcome = Rules {
        tables: &mut hashed,
        index,
    }
    .apply(command)?;
    hashed.seal(index)?;
    Ok(outcome)
}

pub(crate) struct Rules<'a, 'b> {
    pub tables: &'a mut Hashed<'b>,
    pub index: u64,
}

pub(crate) fn refused(reason: impl Into<String>) -> Result<Outcome, TableError> {
    Ok(Outcome::Refused {
        reason: reason.into(),
    })
}

impl Rules<'_, '_> {
    fn apply(&mut self, command: &Command) -> Result<Outcome, TableError> {
        match command {
            Command::CreateStore {
                store,
                name,
                lane,
                lane_name,
                peer,
                reads,
            } => {
                if self.store()?.is_some() {
                    return refused("This store exists already.");
                }
                let record = StoreRecord {
                    store: *store,
                    name: name.clone(),
                    epoch: Epoch::FIRST.number,
                    epoch_mark: Epoch::FIRST.mark,
                    level: *reads,
                };
                self.put(Table::Meta, STORE, &record)?;
                self.admit(*lane, lane_name, peer, FOUNDER_NODE, 0)
            }
            Command::Ingest { entries } => self.ingest(entries),
            Command::Reference { records, .. } => self.reference(records),
            Command::Publish {
                number,
                after,
                records,
                left_out,
                ..
            } => self.publish((*number, *after), records, left_out),
            Command::Invite {
                invitation,
                code_hash,
                expires_ms,
                ..
            } => {
                let record = InvitationRecord {
                    code_hash: *code_hash,
                    expires_ms: expires_ms + planted::noise("clock-in-apply"),
                    used_by: None,
                };
                self.put(Table::Invitation, &invitation.to_be_bytes(), &record)?;
                Ok(Outcome::Done)
            }
            Command::Admit {
                invitation,
                lane,
                lane_name,
                peer,
                now_ms,
            } => self.admit_invited(*invitation, *lane, lane_name, peer, *now_ms),
            Command::HqCursor { cursor } => {
                let known = counter(self.tables, ENTRIES)?;
                let before = counter(self.tables, HQ_CURSOR)?;
                if *cursor > known {
                    return refused("Head office names an entry that this store does not have.");
                }
                if *cursor > before {
                    self.put(Table::Meta, HQ_CURSOR, cursor)?;
                }
                Ok(Outcome::Done)
            }
            Command::Retire {
                lane,
                why,
                by,
                now_ms,
            } => self.retire(*lane, why, by, *now_ms),
            Command::Recover {
                epoch,
                keeper,
                by,
                now_ms,
            } => self.recover(*epoch, *keeper, by, *now_ms),
            Command::Bar { lane, keeps, bars } => self.bar(*lane, *keeps, *bars),
        }
    }

    pub(crate) fn put<T: serde::Serialize>(
        &mut self,
        table: Table,
        key: &[u8],
        value: &T,
    ) -> Result<(), TableError> {
        self.tables.set(table, key, Some(&encode(value)))
    }

    pub(crate) fn count(&mut self, key: &[u8]) -> Result<u64, TableError> {
        let next = counter(self.tables, key)? + 1;
        self.put(Table::Meta, key, &next)?;
        Ok(next)
    }

    pub(crate) fn store(&self) -> Result<Option<StoreRecord>, TableError> {
        StoreView::new(self.tables).store()
    }

    pub(crate) fn exception(
        &mut self,
        kind: ExceptionKind,
        entry: Option<&Entry>,
        message: String,
    ) -> Result<(), TableError> {
        let number = self.count(EXCEPTIONS)?;
        let record = ExceptionRecord {
            kind,
            index: self.index,
            lane: entry.map(|e| e.lane),
            seq: entry.map(|e| e.seq),
            message,
        };
        self.put(Table::Exception, &number.to_be_bytes(), &record)
    }

    /// An exception about a lane rather than about one of its entries.
    pub(crate) fn exception_of_lane(
        &mut self,
        kind: ExceptionKind,
        lane: LaneId,
        message: String,
    ) -> Result<(), TableError> {
        let number = self.count(EXCEPTIONS)?;
        let record = ExceptionRecord {
            kind,
            index: self.index,
            lane: Some(lane),
            seq: None,
            message,
        };
        self.put(Table::Exception, &number.to_be_bytes(), &record)
    }

    fn ingest(&mut self, entries: &[Entry]) -> Result<Outcome, TableError> {
        let Some(store) = self.store()? else {
            return refused("The store has not been created yet.");
        };
        let mut lanes: BTreeMap<LaneId, Option<LaneRecord>> = BTreeMap::new();
        for entry in entries {
            let known = match lanes.entry(entry.lane) {
                btree_map::Entry::Occupied(known) => known.into_mut(),
                btree_map::Entry::Vacant(new) => {
                    new.insert(StoreView::new(self.tables).lane(entry.lane)?)
                }
            };
            let Some(lane) = known else {
                continue;
            };
            // An older entry was offered twice; a later one comes too early and is offered again.
            if entry.seq < lane.head.next_seq && planted::is("ingest-dedupe-off") {
                self.take(entry, lane)?;
            }
            if entry.seq != lane.head.next_seq {
                continue;
            }
            match entry.check_follows(store.store, &lane.head) {
                Ok(head) => {
                    lane.head = head;
                    self.take(entry, lane)?;
                }
                Err(error) => self.refuse_entry(entry, &error)?,
            }
        }
        let mut next = BTreeMap::new();
        for (id, lane) in lanes {
            if let Some(lane) = lane {
                next.insert(id, lane.head.next_seq);
                self.put(Table::Lane, &id.0, &lane)?;
            }
        }
        Ok(Outcome::Ingested { next })
    }

    /// Keeps a note of an entry that breaks its chain, once per entry.
    fn refuse_entry(&mut self, entry: &Entry, error: &EntryError) -> Result<(), TableError> {
        let known = StoreView::new(self.tables).exception_list()?;
        let noted = known.iter().any(|e| {
            e.kind == ExceptionKind::BrokenChain
                && e.lane == Some(entry.lane)
                && e.seq == Some(entry.seq)
        });
        if noted {
            return Ok(());
        }
        let message = format!(
            "Lane {} offered a journal that does not continue the one it shared before ({error}). \
             Its later sales are kept on that lane and wait for a person.",
            entry.lane.short()
        );
        self.exception(ExceptionKind::BrokenChain, Some(entry), message)
    }

    fn take(&mut self, entry: &Entry, lane: &mut LaneRecord) -> Result<(), TableError> {
        let global = self.count(ENTRIES)?;
        self.put(Table::Entry, &global.to_be_bytes(), entry)?;
        let level = StoreView::new(self.tables).level()?;
        let read = match entry.body() {
            Ok(body) if body.v > level => Err(format!(
                "it has format {}, and the store keeps to format {level}",
                body.v
            )),
            read => read.map_err(|error| error.to_string()),
        };
        match read {
            Ok(body) => {
                match body.fact {
                    Fact::LaneStarted { reads, .. } => {
                        lane.closed = false;
                        lane.reads = reads;
                        self.put(Table::Lane, &lane.lane.0, lane)?;
                        self.raise_level()?;
                    }
                    Fact::LaneClosed => lane.closed = true,
                    Fact::Register { .. }
                    | Fact::SellingResumed { .. }
                    | Fact::CarriedOver { .. } => {}
                }
                self.fact(entry, global, &body.fact)
            }
            Err(error) => {
                let message = format!(
                    "Something that happened on lane {} cannot be counted ({error}). It is kept and \
                     goes to head office, but the store's totals leave it out, also after an \
                     upgrade. Bring every lane to one release, and add it by hand.",
                    entry.lane.short()
                );
                self.exception(ExceptionKind::UnreadableFact, Some(entry), message)
            }
        }
    }

    fn fact(&mut self, entry: &Entry, global: u64, fact: &Fact) -> Result<(), TableError> {
        match fact {
            Fact::Register {
                event: Event::Completed { receipt, .. },
                ..
            } => {
                self.sold(entry, receipt)?;
                self.receipt(entry, global, receipt)
            }
            Fact::CarriedOver { entry: original } => self.carried_over(entry, original),
            Fact::Register { .. }
            | Fact::LaneStarted { .. }
            | Fact::LaneClosed
            | Fact::SellingResumed { .. } => Ok(()),
        }?;
        match fact {
            Fact::Register { event, .. } => {
                if let Event::StockMoved { item, milli, .. } = event {
                    self.move_stock(item, i128::from(*milli))?;
                }
                self.card(entry, event)?;
                self.customers(entry, event)?;
                self.day(entry, event)
            }
            Fact::LaneStarted { .. }
            | Fact::LaneClosed
            | Fact::SellingResumed { .. }
            | Fact::CarriedOver { .. } => Ok(()),
        }
    }

    /// Puts a receipt that a copy of a lane's disk gave out before a person, once, however many lanes
    /// held it. Its number is likely to be that of another sale, too, and what is in that machine's
    /// drawer nobody but a person can say: no rule counts it.
    fn carried_over(&mut self, entry: &Entry, original: &Entry) -> Result<(), TableError> {
        let key = carried_key(original.hash());
        if self.tables.get(Table::Meta, &key)?.is_some() {
            return Ok(());
        }
        self.put(Table::Meta, &key, &entry.lane)?;
        let receipt = match original.body().map(|body| body.fact) {
            Ok(Fact::Register {
                event: Event::Completed { receipt, .. },
                ..
            }) => receipt,
            _ => return Ok(()),
        };
        let lane = StoreView::new(self.tables).lane(original.lane)?;
        let lane = lane.map_or_else(
            || format!("lane {}", original.lane.short()),
            |lane| format!("lane {} ({})", lane.number, lane.name),
        );
        let message = format!(
            "Receipt {} over {} was given out by a second machine that worked as {lane} with a copy \
             of its disk. It is kept, and goes to head office, but the store's totals leave it out. \
             Count that machine's drawer, and add the sale by hand.",
            receipt.id, receipt.totals.total
        );
        self.exception(ExceptionKind::SoldOnCopy, Some(entry), message)
    }

    fn sold(&mut self, entry: &Entry, receipt: &Receipt) -> Result<(), TableError> {
        let key = day_key(&receipt.day, entry.lane);
        let mut total = row::<DayTotal>(self.tables, Table::Total, &key)?
            .unwrap_or_else(|| DayTotal::zero(receipt.totals.total.currency()));
        match total.add_receipt(receipt) {
            Ok(()) => self.put(Table::Total, &key, &total)?,
            Err(error) => {
                let message = format!(
                    "Receipt {} of lane {} is not in the totals of {} ({error}). It is kept; add \
                     it by hand.",
                    receipt.id,
                    entry.lane.short(),
                    receipt.day
                );
                self.exception(ExceptionKind::NotCounted, Some(entry), message)?;
            }
        }
        let skipped = usize::from(planted::is("stock-skips-a-line"));
        for line in receipt.lines.iter().skip(skipped) {
            for (item, milli) in line.stock_moves() {
                self.move_stock(item, milli)?;
            }
        }
        Ok(())
    }

    /// Adds thousandths to what is in stock of an item. Only damaged lines reach the bounds, and stock
    /// that far off needs counting anyway.
    fn move_stock(&mut self, item: &ItemId, milli: i128) -> Result<(), TableError> {
        let key = item.0.as_bytes();
        let stock: i64 = row(self.tables, Table::Stock, key)?.unwrap_or(0);
        let left = i128::from(stock).saturating_add(milli);
        let left = left.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        let left = i64::try_from(left).expect("clamped to its bounds");
        self.put(Table::Stock, key, &left)
    }

    fn reference(&mut self, records: &[Record]) -> Result<Outcome, TableError> {
        if let Some(reason) = self.mixed_currencies(records)? {
            return refused(reason);
        }
        let version = BookVersion(self.count(BOOK)?);
        for record in records {
            self.record(record, version)?;
        }
        Ok(Outcome::Changed { version })
    }

    pub(crate) fn record(
        &mut self,
        record: &Record,
        version: BookVersion,
    ) -> Result<(), TableError> {
        match record {
            Record::Item(item) => self.item(item, version),
            Record::Department(d) => self.put(Table::Department, d.id.0.as_bytes(), d),
            Record::Tax(tax) => self.put(Table::Tax, tax.id.0.as_bytes(), tax),
            Record::Employee(e) => self.put(Table::Employee, e.id.0.as_bytes(), e),
            Record::Customer(customer) => self.customer(customer),
            Record::Promotions(text) => self.promotions(text, version),
            Record::Recall(recall) => self.recall(recall),
            Record::Settings(settings) => self.put(Table::Settings, SETTINGS, settings),
        }
    }

    /// A store has one currency: amounts of two cannot be added up at a lane.
    pub(crate) fn mixed_currencies(
        &self,
        records: &[Record],
    ) -> Result<Option<String>, TableError> {
        let settings: Option<Settings> = row(self.tables, Table::Settings, SETTINGS)?;
        let mut currency = settings.unwrap_or_default().currency;
        // Promotions are amounts in the currency in which they were checked.
        let mut priced = counter(self.tables, ITEMS)? > 0
            || !self.tables.scan(Table::Promotions, &[], 1)?.is_empty();
        for record in records {
            match record {
                Record::Settings(settings) if priced && settings.currency != currency => {
                    return Ok(Some(format!(
                        "The store's prices are in {currency}. Its currency can be changed only \
                         before the first item or promotion is imported."
                    )));
                }
                Record::Settings(settings) => currency = settings.currency,
                Record::Item(item) => {
                    let amounts = [Some(item.price), item.deposit, item.selling.floor];
                    let other = amounts
                        .into_iter()
                        .flatten()
                        .find(|amount| amount.currency() != currency);
                    if let Some(other) = other {
                        return Ok(Some(format!(
                            "Item {} is priced in {}, and the store's currency is {currency}. \
                             Import its prices in {currency}.",
                            item.id,
                            other.currency()
                        )));
                    }
                    priced = true;
                }
                Record::Promotions(_) => priced = true,
                _ => {}
            }
        }
        Ok(None)
    }

    fn recall(&mut self, recall: &Recall) -> Result<(), TableError> {
        let key = recall.item.0.as_bytes();
        match recall.all_lots || !recall.lots.is_empty() {
            true => self.put(Table::Recall, key, recall),
            false => self.tables.set(Table::Recall, key, None),
        }
    }

    fn item(&mut self, new: &Item, version: BookVersion) -> Result<(), TableError> {
        let key = new.id.0.as_bytes();
        let old: Option<Item> = row(self.tables, Table::Item, key)?;
        let mut item = new.clone();
        item.earlier_prices.clear();
        item.price_since = version;
        item.price_since.0 += planted::noise("unordered-map-in-apply");
        if let Some(old) = &old {
            item.price_since = old.price_since;
            item.earlier_prices = old.earlier_prices.clone();
            if old.price != new.price {
                item.price_since = version;
                let replaced = PriceSince {
                    since: old.price_since,
                    price: old.price,
                };
                item.earlier_prices.insert(0, replaced);
                item.earlier_prices.truncate(Item::PRICES_KEPT);
            }
            for code in old.codes.iter().filter(|code| !new.codes.contains(code)) {
                self.free_code(code, &old.id)?;
            }
        } else {
            self.count(ITEMS)?;
        }
        let own_number = ItemCode::Internal(new.id.0.clone());
        for code in new.codes.iter().chain([&own_number]) {
            self.claim_code(code, &new.id)?;
        }
        self.put(Table::Item, key, &item)
    }

    fn free_code(&mut self, code: &ItemCode, item: &ItemId) -> Result<(), TableError> {
        let key = code.key();
        let holder: Option<ItemId> = row(self.tables, Table::Code, key.as_bytes())?;
        if holder.as_ref() == Some(item) {
            self.tables.set(Table::Code, key.as_bytes(), None)?;
        }
        Ok(())
    }

    fn claim_code(&mut self, code: &ItemCode, item: &ItemId) -> Result<(), TableError> {
        let key = code.key();
        let holder: Option<ItemId> = row(self.tables, Table::Code, key.as_bytes())?;
        match holder {
            Some(holder) if holder == *item => return Ok(()),
            Some(holder) => {
                let message = format!(
                    "The code {key} belonged to item {holder} and now belongs to item {item}. If \
                     that is wrong, give item {item} another code."
                );
                self.exception(ExceptionKind::CodeMoved, None, message)?;
            }
            None => {}
        }
        self.put(Table::Code, key.as_bytes(), item)
    }

    fn promotions(&mut self, text: &str, version: BookVersion) -> Result<(), TableError> {
        self.put(Table::Promotions, &version.0.to_be_bytes(), &text)?;
        let rows = self
            .tables
            .scan(Table::Promotions, &[], 2 * PROMOTIONS_KEPT)?;
        let surplus = rows.len().saturating_sub(PROMOTIONS_KEPT);
        for (key, _) in rows.into_iter().take(surplus) {
            self.tables.set(Table::Promotions, &key, None)?;
        }
        Ok(())
    }
}
