//! What a store's lanes can read: the level to which the store keeps, and what needs more.
//!
//! A lane of an earlier release would keep reference data without what it does not know, and so
//! another state than its siblings. Such data is proposed only once every lane reads it.

use catalog::{Action, Language, PointsWorth, Record, Settings, TaxRounding, UnreceiptedReturns};
use promotions::{Limits, PromotionFile};

use crate::fact::{
    FORMAT_CARDS, FORMAT_CUSTOMERS, FORMAT_FIRST, FORMAT_FLOORS, FORMAT_GIFT_CARDS, FORMAT_GOODS,
    FORMAT_GOODS_AND_TAXES, FORMAT_LIMITS, FORMAT_PICTURES, FORMAT_PRINTING, FORMAT_TENDER_RULES,
    FORMAT_TERMS,
};
use crate::{StoreView, TableError};

/// The oldest entry format whose releases keep all of a record.
pub fn record_format(record: &Record) -> u16 {
    match record {
        Record::Item(item) if item.selling.gift_card => FORMAT_GIFT_CARDS,
        Record::Item(item) if item.selling.floor.is_some() => FORMAT_FLOORS,
        Record::Item(item) if !item.selling.is_plain() => FORMAT_GOODS_AND_TAXES,
        Record::Tax(tax) if !tax.parts.is_empty() => FORMAT_GOODS_AND_TAXES,
        Record::Settings(settings) => settings_format(settings),
        Record::Promotions(file) => promotions_format(file),
        Record::Customer(customer) if !customer.detail.consent.is_empty() => FORMAT_CUSTOMERS,
        Record::Item(_)
        | Record::Customer(_)
        | Record::Tax(_)
        | Record::Department(_)
        | Record::Employee(_)
        | Record::Recall(_) => FORMAT_FIRST,
    }
}

/// A lane keeps a promotion file as it is written, and sells without it where it does not know a key.
fn promotions_format(file: &str) -> u16 {
    let promotions = PromotionFile::parse(file).unwrap_or_default().promotions;
    let by_day = |limits: &Limits| limits.day.is_some() || limits.customer_day.is_some();
    match promotions.iter().any(|promotion| by_day(&promotion.limits)) {
        true => FORMAT_LIMITS,
        false => FORMAT_FIRST,
    }
}

fn settings_format(settings: &Settings) -> u16 {
    let actions = settings
        .permissions
        .keys()
        .map(|action| action_format(*action));
    fields_format(settings).max(actions.max().unwrap_or(FORMAT_FIRST))
}

fn action_format(action: Action) -> u16 {
    match action {
        Action::EditCustomer
        | Action::GrantCustomer
        | Action::MergeCustomers
        | Action::EraseCustomer => FORMAT_CUSTOMERS,
        Action::ReturnUnreceipted
        | Action::ReceiveStock
        | Action::CountStock
        | Action::AdjustStock
        | Action::TransferStock
        | Action::Train => FORMAT_GOODS,
        Action::LeaveCard => FORMAT_CARDS,
        Action::ChangeQuantity
        | Action::OverridePrice
        | Action::OverrideTax
        | Action::VoidLine
        | Action::VoidSale
        | Action::Suspend
        | Action::Resume
        | Action::OpenDay
        | Action::CloseDay
        | Action::OpenDrawer
        | Action::AssignDrawer
        | Action::NoSale
        | Action::Drop
        | Action::PayIn
        | Action::PayOut
        | Action::CountDrawer
        | Action::ReportX
        | Action::ReportZ
        | Action::Return
        | Action::TakeCheque => FORMAT_FIRST,
    }
}

fn fields_format(settings: &Settings) -> u16 {
    if !settings.receipt_logo.is_empty() || !settings.receipt_qr.is_empty() {
        return FORMAT_PICTURES;
    }
    if settings.receipts_on_request {
        return FORMAT_PRINTING;
    }
    if !settings.tenders.is_empty()
        || settings.points != PointsWorth::default()
        || settings.language != Language::default()
    {
        return FORMAT_TENDER_RULES;
    }
    if settings.unreceipted_returns != UnreceiptedReturns::default() {
        return FORMAT_GOODS;
    }
    if settings.tips {
        return FORMAT_CARDS;
    }
    if settings.deposits_taxed || settings.tax_rounding != TaxRounding::Line {
        return FORMAT_GOODS_AND_TAXES;
    }
    let placed = !settings.store_number.is_empty()
        || !settings.store_groups.is_empty()
        || !settings.self_checkout_lanes.is_empty();
    if placed { FORMAT_TERMS } else { FORMAT_FIRST }
}

impl StoreView<'_> {
    /// Which lanes keep the store from what needs a format, in words such as `lane 3 (Lane 3)`; `None`
    /// where the store keeps to that format or a later one.
    pub fn held_back_by(&self, format: u16) -> Result<Option<String>, TableError> {
        if format <= FORMAT_FIRST || format <= self.level()? {
            return Ok(None);
        }
        let lanes = self.lanes()?.into_iter();
        let behind = lanes.filter(|lane| lane.is_member() && lane.reads < format);
        let named: Vec<String> = behind
            .map(|lane| format!("lane {} ({})", lane.number, lane.name))
            .collect();
        Ok(Some(named.join(", ")))
    }
}
