//! The rules about what lanes say of customers, whatever order it reaches the store in.
//!
//! - Of each field holds what was said of it last, by the lanes' clocks ([`Hlc`]); of two lanes at the
//!   same moment, what the one with the greater id said.
//! - A file, or a publication of head office, that names a customer replaces all that was known; what
//!   reaches the store after it holds from then on.
//! - Two lanes that made different people known under one number: the fields are settled as above, and
//!   a person looks at it.
//! - Two customers that were found to be one: the first one's number stands for the second from then
//!   on, for good, also in files and on lanes that have not heard of it. What the first bought and was
//!   given counts as the second's. Where it was not known how the second is reached, or when they have
//!   their birthday, what was known of the first holds; what decides on prices stays the second's own.
//! - A customer who was erased is gone, and so is what they bought and were given. What was said of
//!   them before, or by somebody who did not know it, is not kept; files that still name them change
//!   nothing. The number can be given anew at a lane.
//!
//! The entries that say it remain in the lanes' journals, whose chains would not hold without them.

use std::collections::BTreeMap;

use catalog::{Customer, CustomerField, CustomerId};
use sale::{Event, History, LaneId, Receipt, points_key};
use serde::{Deserialize, Serialize};

use crate::apply::Rules;
use crate::limits::given_key;
use crate::returns::bought_key;
use crate::store::{decode, encode, row};
use crate::tables::Over;
use crate::{Entry, ExceptionKind, GivenRecord, Hlc, StoreView, Table, TableError, Tables};

/// When something was said, and on which lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Said {
    pub at: Hlc,
    pub on: LaneId,
}

/// What a store notes of a customer besides what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CustomerNotes {
    /// When each field was last said at a lane.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    said: BTreeMap<CustomerField, Said>,
    /// The customer for whom the number stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    stands_for: Option<CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<Said>,
}

/// The fields that are taken over from a customer who was found to be another one.
const TAKEN_OVER: [CustomerField; 3] = [
    CustomerField::Phone,
    CustomerField::Email,
    CustomerField::Birthday,
];

/// The customer for whom a number stands: itself, unless it was found to be another one's.
pub(crate) fn stands_for(
    tables: &dyn Tables,
    customer: &CustomerId,
) -> Result<CustomerId, TableError> {
    let mut id = customer.clone();
    // Ends: a number stands for another only where that one did not stand for it.
    while let Some(other) = notes(tables, &id)?.stands_for {
        id = other;
    }
    Ok(id)
}

/// The customer to whom counts what happened under a number; none where they were erased.
pub(crate) fn counts_to(
    tables: &dyn Tables,
    customer: &CustomerId,
) -> Result<Option<CustomerId>, TableError> {
    let id = stands_for(tables, customer)?;
    let erased = notes(tables, &id)?.erased.is_some();
    Ok((!erased).then_some(id))
}

fn notes(tables: &dyn Tables, id: &CustomerId) -> Result<CustomerNotes, TableError> {
    Ok(row(tables, Table::CustomerNotes, id.0.as_bytes())?.unwrap_or_default())
}

/// The rules, over any tables.
struct Customers<'a>(&'a mut dyn Tables);

/// What a person should look at.
type Conflict = Option<String>;

impl Customers<'_> {
    fn put<T: Serialize>(&mut self, table: Table, key: &[u8], value: &T) -> Result<(), TableError> {
        self.0.set(table, key, Some(&encode(value)))
    }

    fn known(&self, id: &CustomerId) -> Result<Option<Customer>, TableError> {
        row(self.0, Table::Customer, id.0.as_bytes())
    }

    /// Applies what was said at a lane; other events change nothing.
    fn apply(&mut self, event: &Event, said: Said) -> Result<Conflict, TableError> {
        match event {
            Event::CustomerKept {
                customer,
                created,
                fields,
                ..
            } => self.keep(customer, *created, fields, said),
            Event::CustomersMerged { from, into, .. } => self.merge(from, into),
            Event::CustomerErased { customer, .. } => self.erase(customer, said).map(|()| None),
            _ => Ok(None),
        }
    }

    fn keep(
        &mut self,
        customer: &CustomerId,
        created: bool,
        fields: &BTreeMap<CustomerField, String>,
        said: Said,
    ) -> Result<Conflict, TableError> {
        let id = stands_for(self.0, customer)?;
        let mut notes = notes(self.0, &id)?;
        match notes.erased {
            Some(erased) if created && said > erased => notes = CustomerNotes::default(),
            Some(erased) if said > erased => {
                return Ok(Some(format!(
                    "Something was said of customer {id} after they had been erased. It is not kept. \
                     If they are a customer again, make them known again."
                )));
            }
            Some(_) => return Ok(None),
            None => {}
        }
        let known = self.known(&id)?;
        let conflict = (created && known.is_some()).then(|| {
            format!(
                "Two lanes made a customer known under the number {id}. Of each field holds what was \
                 said last. Check whether it is one person; if not, give one of them another number."
            )
        });
        let mut known = known.unwrap_or_else(|| Customer::new(id.clone()));
        for (field, text) in fields {
            let is_newest = notes.said.get(field).is_none_or(|before| *before < said);
            // What a later release lets be said is left out, as it is everywhere.
            if is_newest && known.set(*field, text).is_ok() {
                notes.said.insert(*field, said);
            }
        }
        self.put(Table::Customer, id.0.as_bytes(), &known)?;
        self.put(Table::CustomerNotes, id.0.as_bytes(), &notes)?;
        Ok(conflict)
    }

    fn merge(&mut self, from: &CustomerId, into: &CustomerId) -> Result<Conflict, TableError> {
        let (from, into) = (stands_for(self.0, from)?, stands_for(self.0, into)?);
        if from == into {
            return Ok(None);
        }
        let mut from_notes = notes(self.0, &from)?;
        let mut into_notes = notes(self.0, &into)?;
        if into_notes.erased.is_some() || from_notes.erased.is_some() {
            return Ok(Some(format!(
                "The customers {from} and {into} were found to be one, and one of the two had been \
                 erased meanwhile. Nothing was changed; erase the other one, too, if that was meant."
            )));
        }
        let mut known = self
            .known(&into)?
            .unwrap_or_else(|| Customer::new(into.clone()));
        if let Some(old) = self.known(&from)? {
            for field in TAKEN_OVER {
                if known.text(field).is_empty() && known.set(field, &old.text(field)).is_ok() {
                    let said = from_notes.said.get(&field).copied();
                    into_notes.said.extend(said.map(|said| (field, said)));
                }
            }
            if known.name.is_empty() {
                known.name = old.name;
            }
        }
        self.put(Table::Customer, into.0.as_bytes(), &known)?;
        self.put(Table::CustomerNotes, into.0.as_bytes(), &into_notes)?;
        from_notes = CustomerNotes {
            stands_for: Some(into.clone()),
            ..CustomerNotes::default()
        };
        self.put(Table::CustomerNotes, from.0.as_bytes(), &from_notes)?;
        self.0.set(Table::Customer, from.0.as_bytes(), None)?;
        let taken = self.take_history(&from)?;
        self.add_history(&into, taken)?;
        Ok(None)
    }

    fn erase(&mut self, customer: &CustomerId, said: Said) -> Result<(), TableError> {
        let id = stands_for(self.0, customer)?;
        self.0.set(Table::Customer, id.0.as_bytes(), None)?;
        let erased = CustomerNotes {
            erased: Some(said),
            ..CustomerNotes::default()
        };
        self.put(Table::CustomerNotes, id.0.as_bytes(), &erased)?;
        self.take_history(&id)?;
        Ok(())
    }

    /// Takes away what is counted of a customer.
    fn take_history(&mut self, id: &CustomerId) -> Result<Counted, TableError> {
        let key = id.0.as_bytes();
        let history: History = row(self.0, Table::History, key)?.unwrap_or_default();
        self.0.set(Table::History, key, None)?;
        let mut given = BTreeMap::new();
        for promotion in history.given.keys() {
            let key = given_key(promotion, Some(id));
            if let Some(record) = row::<GivenRecord>(self.0, Table::Given, &key)? {
                self.0.set(Table::Given, &key, None)?;
                given.insert(promotion.clone(), record);
            }
        }
        let key = points_key(id);
        let points: i64 = row(self.0, Table::Credit, key.as_bytes())?.unwrap_or(0);
        self.0.set(Table::Credit, key.as_bytes(), None)?;
        let prefix = bought_key(id, &catalog::ItemId(String::new()));
        let mut bought = BTreeMap::new();
        loop {
            let page = self.0.scan(Table::Bought, &prefix, PAGE)?;
            let of_this = page.into_iter().filter(|(key, _)| key.starts_with(&prefix));
            let of_this: Vec<_> = of_this.collect();
            for (key, value) in &of_this {
                self.0.set(Table::Bought, key, None)?;
                bought.insert(key[prefix.len()..].to_vec(), decode(value)?);
            }
            if of_this.len() < PAGE {
                return Ok(Counted {
                    points,
                    history,
                    given,
                    bought,
                });
            }
        }
    }

    fn add_history(&mut self, id: &CustomerId, more: Counted) -> Result<(), TableError> {
        let key = id.0.as_bytes();
        let mut history: History = row(self.0, Table::History, key)?.unwrap_or_default();
        history.receipts = history.receipts.saturating_add(more.history.receipts);
        history.spent_minor = history.spent_minor.saturating_add(more.history.spent_minor);
        for (promotion, times) in more.history.given {
            let sum = history.given.entry(promotion).or_default();
            *sum = sum.saturating_add(times);
        }
        if history != History::default() {
            self.put(Table::History, key, &history)?;
        }
        if more.points != 0 {
            let key = points_key(id);
            let points: i64 = row(self.0, Table::Credit, key.as_bytes())?.unwrap_or(0);
            let sum = points.saturating_add(more.points);
            self.put(Table::Credit, key.as_bytes(), &sum)?;
        }
        for (promotion, record) in more.given {
            let key = given_key(&promotion, Some(id));
            let sum = row::<GivenRecord>(self.0, Table::Given, &key)?;
            let mut sum = sum.unwrap_or_default();
            sum.join(record);
            self.put(Table::Given, &key, &sum)?;
        }
        for (item, pieces) in more.bought {
            let key = [id.0.as_bytes(), &[0], item.as_slice()].concat();
            let before: i64 = row(self.0, Table::Bought, &key)?.unwrap_or(0);
            self.put(Table::Bought, &key, &before.saturating_add(pieces))?;
        }
        Ok(())
    }
}

/// Rows read at once.
const PAGE: usize = 1000;

/// What is counted of a customer.
struct Counted {
    points: i64,
    history: History,
    given: BTreeMap<String, GivenRecord>,
    /// Pieces by item, as in its key.
    bought: BTreeMap<Vec<u8>, i64>,
}

impl Rules<'_, '_> {
    /// Applies what was said of customers.
    pub(crate) fn customers(&mut self, entry: &Entry, event: &Event) -> Result<(), TableError> {
        if !event.is_about_customers() {
            return Ok(());
        }
        // An entry whose body can be read has a stamp.
        let said = Said {
            at: entry.stamp().unwrap_or_default(),
            on: entry.lane,
        };
        match Customers(self.tables).apply(event, said)? {
            Some(message) => self.exception(ExceptionKind::CustomerConflict, Some(entry), message),
            None => Ok(()),
        }
    }

    /// The customer to whom a receipt counts.
    pub(crate) fn customer_on(&self, receipt: &Receipt) -> Result<Option<CustomerId>, TableError> {
        match &receipt.customer {
            Some(customer) => counts_to(self.tables, customer),
            None => Ok(None),
        }
    }

    /// A customer as a file or head office has them.
    pub(crate) fn customer(&mut self, customer: &Customer) -> Result<(), TableError> {
        let key = customer.id.0.as_bytes();
        let notes = notes(self.tables, &customer.id)?;
        if notes.stands_for.is_some() || notes.erased.is_some() {
            return Ok(());
        }
        if notes != CustomerNotes::default() {
            self.tables.set(Table::CustomerNotes, key, None)?;
        }
        self.put(Table::Customer, key, customer)
    }
}

impl StoreView<'_> {
    /// The customer for whom a number stands.
    pub fn customer_of(&self, number: &CustomerId) -> Result<Option<Customer>, TableError> {
        let id = stands_for(self.tables, number)?;
        row(self.tables, Table::Customer, id.0.as_bytes())
    }

    /// Customers after a number, in order of numbers, at most `limit`: a page of all of them.
    pub fn customers_after(
        &self,
        after: Option<&CustomerId>,
        limit: usize,
    ) -> Result<Vec<Customer>, TableError> {
        let from = match after {
            Some(id) => [id.0.as_bytes(), &[0]].concat(),
            None => Vec::new(),
        };
        let rows = self.tables.scan(Table::Customer, &from, limit)?;
        rows.iter().map(|(_, value)| decode(value)).collect()
    }

    /// The store as it is once these events are applied, each with the time at which it was said, in any
    /// order: as far as they are about customers.
    pub fn with_customers<T>(
        &self,
        mut events: Vec<(Said, Event)>,
        ask: impl FnOnce(&StoreView<'_>) -> Result<T, TableError>,
    ) -> Result<T, TableError> {
        events.sort_by_key(|(said, _)| *said);
        let mut over = Over::new(self.tables);
        for (said, event) in &events {
            Customers(&mut over).apply(event, *said)?;
        }
        ask(&StoreView::new(&over))
    }
}
