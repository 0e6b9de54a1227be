//! The description of the API against the API: the same routes, and a schema for everything that
//! goes over them.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    CommandRequest, Done, HqStatus, ItemFound, LaneStatus, LaneView, Mode, PeerStatus,
    PrinterStatus, Problem,
};
use catalog::{BookVersion, Customer, CustomerField, ImportProblem, Language, Role};
use ledger::{DayTotal, ExceptionKind, ExceptionRecord};
use money::{Currency, Money, Quantity, Unit};
use sale::{
    BusinessDay, Command, Event, LaneId, LocalTime, Pin, PriceCheck, Refusal, Register, StoreId,
    Totals, Why,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::customers::{CustomerKnown, CustomerRow};
use super::slips::SlipRow;
use super::stock::StockRow;
use super::{Applied, DESCRIPTION_PATH, OPENAPI, TotalRow, routes};
use crate::client::Invitation;
use crate::golden;
use crate::import::ImportReport;
use crate::lane::LaneEvent;

fn description() -> Value {
    serde_json::from_str(OPENAPI).expect("the description is JSON")
}

/// What is wrong with `value` by `schema`, of the part of JSON Schema that the description uses.
fn wrong(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    if let Some(target) = schema["$ref"].as_str() {
        let found = root.pointer(target.trim_start_matches('#'));
        return wrong(
            root,
            found.unwrap_or_else(|| panic!("{target} is missing")),
            value,
        );
    }
    for one_of in [&schema["oneOf"], &schema["anyOf"]] {
        if let Some(choices) = one_of.as_array() {
            let fits = choices.iter().filter(|c| wrong(root, c, value).is_none());
            return (fits.count() != 1).then(|| format!("{value} fits no one choice"));
        }
    }
    if let Some(constant) = schema.get("const") {
        return (constant != value).then(|| format!("{value} is not {constant}"));
    }
    if let Some(allowed) = schema["enum"].as_array() {
        return (!allowed.contains(value)).then(|| format!("{value} is not among {allowed:?}"));
    }
    if !has_type(&schema["type"], value) {
        return Some(format!("{value} is not of type {}", schema["type"]));
    }
    if let Some(items) = value.as_array() {
        return items
            .iter()
            .find_map(|item| wrong(root, &schema["items"], item));
    }
    wrong_fields(root, schema, value)
}

fn has_type(types: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not known here"),
    };
    match types {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

fn wrong_fields(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let fields = value.as_object()?;
    let needed = schema["required"].as_array().into_iter().flatten();
    for name in needed.filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            return Some(format!("{value} has no {name}"));
        }
    }
    for (name, field) in fields {
        let known = schema["properties"].get(name);
        match known.or(schema.get("additionalProperties").filter(|s| s.is_object())) {
            Some(schema) => {
                if let Some(reason) = wrong(root, schema, field) {
                    return Some(format!("{name}: {reason}"));
                }
            }
            None if schema["additionalProperties"] == json!(false) => {
                return Some(format!("{name} is not described"));
            }
            None => {}
        }
    }
    None
}

#[track_caller]
fn check(schema: &str, sample: &impl Serialize) {
    let root = description();
    let value = serde_json::to_value(sample).expect("it is JSON");
    let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
    assert_eq!(wrong(&root, &schema, &value), None, "{value:#}");
}

/// The words by which the choices of a schema are told apart.
fn words(schema: &Value, word: &str) -> BTreeSet<String> {
    let choices = schema["oneOf"].as_array().expect("choices").iter();
    let words = choices.map(|choice| choice["properties"][word]["const"].as_str());
    words.map(|word| word.expect("a word").to_owned()).collect()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let root = description();
    let described: BTreeSet<(String, String)> = root["paths"]
        .as_object()
        .expect("paths")
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods").keys();
            methods.map(|method| (method.clone(), path.clone()))
        })
        .collect();
    let mut served: BTreeSet<(String, String)> = routes()
        .iter()
        .map(|route| (route.method.to_owned(), route.path.to_owned()))
        .collect();
    served.insert(("get".to_owned(), DESCRIPTION_PATH.to_owned()));
    assert_eq!(described, served);
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(value["$ref"].as_str().map(str::to_owned));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let root = description();
    let mut found = BTreeSet::new();
    references(&root, &mut found);
    for target in &found {
        assert!(
            root.pointer(target.trim_start_matches('#')).is_some(),
            "{target}"
        );
    }
    assert!(found.len() > 20);
}

fn at() -> LocalTime {
    LocalTime {
        unix_ms: 1_795_773_600_000,
        offset_minutes: -300,
    }
}

/// Every command; a new one has to be added here and to the description.
fn commands() -> Vec<Command> {
    let text = |text: &str| text.to_owned();
    let all = vec![
        Command::SignIn {
            employee: "101".into(),
            pin: Pin(text("1111")),
        },
        Command::SignOut,
        Command::OpenCart {
            reference: Some(text("web-7")),
        },
        Command::Scan {
            code: text("4011"),
            quantity: Some(text("0.455")),
        },
        Command::SetQuantity {
            line: 1,
            quantity: text("2"),
        },
        Command::VoidLine { line: 1 },
        Command::OverridePrice {
            line: 1,
            unit_price: text("1.00"),
            reason: text("damaged"),
        },
        Command::ConfirmAge { years: 21 },
        Command::SetCustomer {
            customer: "700".into(),
        },
        Command::TenderCash { amount: None },
        Command::CancelTender,
        Command::VoidCart {
            reason: text("left"),
        },
        Command::Approved {
            employee: "102".into(),
            pin: Pin(text("1111")),
            command: Box::new(Command::ReportZ),
        },
        Command::OverrideTax {
            line: 1,
            tax: "food".into(),
            reason: text("medical"),
        },
        Command::Note {
            line: None,
            text: text("gift"),
        },
        Command::Suspend,
        Command::Keep {
            kind: sale::DocumentKind::Order,
            until: Some(BusinessDay(text("2026-12-24"))),
        },
        Command::Resume { slip: text("S1-1") },
        Command::OpenDay { day: None },
        Command::CloseDay,
        Command::OpenDrawer { float: text("100") },
        Command::AssignDrawer {
            employee: "101".into(),
        },
        Command::NoSale {
            reason: text("change"),
        },
        Command::Drop { amount: text("50") },
        Command::PayIn {
            amount: text("5"),
            reason: text("change"),
        },
        Command::PayOut {
            amount: text("5"),
            reason: text("stamps"),
        },
        Command::CountDrawer {
            counted: vec![sale::CountedCash {
                value: text("20"),
                pieces: 3,
            }],
        },
        Command::ReportZ,
        Command::Return {
            receipt: text("1-000001"),
            line: 1,
            quantity: None,
            reason: text("does not fit"),
            restock: true,
            serial: Some(text("SN-1")),
        },
        Command::ReturnUnreceipted {
            code: text("gift"),
            quantity: Some(text("2")),
            price: Some(text("4.50")),
            serial: Some(text("SN-1")),
            document: Some(text("passport C01X0006H")),
            reason: text("torn"),
            restock: true,
        },
        Command::Sell {
            code: text("gift"),
            quantity: Some(text("2")),
            price: Some(text("4.50")),
            serial: Some(text("SN-1")),
        },
        Command::ConfirmBirth {
            born: text("1999-12-31"),
        },
        Command::Tender {
            with: sale::PayWith::Account,
            amount: None,
        },
        Command::VoidTender { number: 1 },
        Command::Discount {
            line: None,
            percent: Some(text("5")),
            amount: None,
            reason: text("damaged"),
        },
        Command::VoidDiscount { number: 1 },
        Command::Coupon {
            code: text("SPRING"),
        },
        Command::VoidCoupon { number: 1 },
        Command::Quote {
            tender: Some(text("account")),
        },
        Command::Requote,
        Command::Stock {
            code: text("milk"),
            quantity: text("12"),
            work: sale::StockWork::Receive { reference: None },
        },
        Command::CreateCustomer {
            customer: Some("700".into()),
            fields: customer_fields(),
        },
        Command::EditCustomer {
            customer: "700".into(),
            fields: customer_fields(),
        },
        Command::MergeCustomers {
            from: "701".into(),
            into: "700".into(),
            reason: text("signed up twice"),
        },
        Command::EraseCustomer {
            customer: "700".into(),
            reason: text("asked for it"),
        },
        Command::BeginTraining,
        Command::EndTraining,
        Command::CancelCard,
        Command::LeaveCard {
            reason: text("the terminal is broken"),
        },
    ];
    let names: BTreeSet<&str> = all.iter().map(Command::name).collect();
    assert_eq!(names, Command::NAMES.into_iter().collect());
    all
}

fn customer_fields() -> BTreeMap<CustomerField, String> {
    CustomerField::ALL
        .map(|field| (field, "x".to_owned()))
        .into()
}

#[test]
fn every_command_is_described() {
    let commands = commands();
    for command in commands.clone() {
        let id = Some("robot-7/42".to_owned());
        check("CommandRequest", &CommandRequest { id, command });
    }
    let root = description();
    let described = words(&root["components"]["schemas"]["Command"], "type");
    assert_eq!(described.len(), commands.len());
}

#[test]
fn every_event_is_described() {
    let mut kinds = BTreeSet::new();
    for (seq, event) in golden::events() {
        let shown = serde_json::to_value(&event).expect("it is JSON");
        kinds.insert(shown["type"].as_str().expect("a type").to_owned());
        let events = vec![event.clone()];
        check("Done", &Done { seq, events });
        if let Event::Completed { receipt, .. } = &event {
            check("Receipt", receipt);
        }
        check("LaneEvent", &LaneEvent { seq, event });
    }
    let root = description();
    let described = words(&root["components"]["schemas"]["Event"], "type");
    assert_eq!(described, kinds);
}

/// Every refusal; a new one has to be added here and to the description.
fn refusals() -> Vec<Refusal> {
    let word = || "x".to_owned();
    let money = Money::from_minor(100, Currency::USD);
    let all = vec![
        Refusal::NotSignedIn,
        Refusal::AlreadySignedIn { name: word() },
        Refusal::WrongPin,
        Refusal::TooManyWrongPins { seconds: 5 },
        Refusal::NotInStoreYet { lanes: word() },
        Refusal::SaleOpen,
        Refusal::NoSale,
        Refusal::Paying {
            paid: money,
            due: money,
        },
        Refusal::NotPaying,
        Refusal::UnknownCode { scanned: word() },
        Refusal::BadCode {
            scanned: word(),
            reason: Box::new(Why::Told(word())),
        },
        Refusal::WeightNeeded {
            scanned: word(),
            description: word(),
        },
        Refusal::PriceNeeded {
            scanned: word(),
            description: word(),
        },
        Refusal::PriceIsSet {
            description: word(),
        },
        Refusal::SerialNeeded {
            scanned: word(),
            description: word(),
        },
        Refusal::SerialTwice {
            description: word(),
            serial: word(),
        },
        Refusal::OtherSerial {
            description: word(),
        },
        Refusal::LinkedLine { with: 1 },
        Refusal::LinkedMissing {
            description: word(),
            item: word(),
        },
        Refusal::BadBirth { born: word() },
        Refusal::AgeCheck {
            scanned: word(),
            description: word(),
            years: 18,
        },
        Refusal::Expired {
            description: word(),
            expires: word(),
        },
        Refusal::Recalled {
            description: word(),
            reason: word(),
        },
        Refusal::CouponUnknown { coupon: word() },
        Refusal::CouponNotNow {
            coupon: word(),
            good: Box::new(Why::Told(word())),
        },
        Refusal::CouponTwice { coupon: word() },
        Refusal::CouponUsed {
            coupon: word(),
            receipt: word(),
        },
        Refusal::NoSuchOffer { number: 1 },
        Refusal::DiscountTooLarge,
        Refusal::BadTender,
        Refusal::OtherPrice {
            tender: word(),
            told: money,
            due: money,
        },
        Refusal::BadQuantity {
            reason: Box::new(Why::Told(word())),
        },
        Refusal::BadAmount {
            reason: Box::new(Why::Told(word())),
        },
        Refusal::NoSuchLine { line: 1 },
        Refusal::UnknownCustomer { customer: word() },
        Refusal::NotAllowed {
            needs: Role::Manager,
        },
        Refusal::CartFull { lines: 999 },
        Refusal::NothingToPay,
        Refusal::TaxMissing { tax: word() },
        Refusal::ReasonNeeded,
        Refusal::NotApprovable,
        Refusal::BadNote {
            reason: Box::new(Why::Told(word())),
        },
        Refusal::UnknownSlip { slip: word() },
        Refusal::DayOpen {
            day: BusinessDay(word()),
        },
        Refusal::NoDayOpen,
        Refusal::BadDay {
            day: BusinessDay(word()),
        },
        Refusal::DrawerOpen,
        Refusal::NoDrawer,
        Refusal::DrawerOfAnother { employee: word() },
        Refusal::UnknownEmployee { employee: word() },
        Refusal::UnknownReceipt { receipt: word() },
        Refusal::NotReturnable {
            description: word(),
        },
        Refusal::AlreadyReturned {
            description: word(),
            left: word(),
        },
        Refusal::NotIdentified,
        Refusal::ReturnLimit { left: money },
        Refusal::RefundLimit {
            tender: word(),
            left: money,
        },
        Refusal::KitStock {
            description: word(),
        },
        Refusal::PlaceNeeded,
        Refusal::InTraining,
        Refusal::NotInTraining,
        Refusal::ReturnLine,
        Refusal::OverTender { left: money },
        Refusal::TenderTooSmall {
            tender: word(),
            least: money,
        },
        Refusal::TenderTooLarge {
            tender: word(),
            left: money,
        },
        Refusal::TenderWhole {
            tender: word(),
            left: money,
        },
        Refusal::NotForRefunds,
        Refusal::CurrencyNotTaken { currency: word() },
        Refusal::BadNumber,
        Refusal::UnknownCredit { number: word() },
        Refusal::CustomerNeeded,
        Refusal::CustomerExists { customer: word() },
        Refusal::BadCustomer {
            field: CustomerField::Phone,
            reason: Box::new(Why::Told(word())),
        },
        Refusal::CustomerAsKnown { name: word() },
        Refusal::SameCustomer { customer: word() },
        Refusal::NoPoints,
        Refusal::PointsTooFew {
            points: 7,
            step: 100,
        },
        Refusal::PointsCutOff,
        Refusal::UnknownGiftCard { number: word() },
        Refusal::GiftCardTooSmall { left: money },
        Refusal::GiftCardCutOff,
        Refusal::GiftCardNeeded {
            scanned: word(),
            description: word(),
        },
        Refusal::GiftCardLine {
            description: word(),
        },
        Refusal::CreditTooSmall { left: money },
        Refusal::NoAccount,
        Refusal::NoSuchTender { number: 1 },
        Refusal::NoTerminal,
        Refusal::CardOpen { amount: money },
        Refusal::NoCardOpen,
        Refusal::CardPaid { number: 1 },
        Refusal::CardRefunded,
        Refusal::NoCardToRefund,
        Refusal::NoTips,
        Refusal::NoNewerPrices,
    ];
    for refusal in &all {
        match refusal {
            Refusal::NotSignedIn
            | Refusal::AlreadySignedIn { .. }
            | Refusal::WrongPin
            | Refusal::TooManyWrongPins { .. }
            | Refusal::NotInStoreYet { .. }
            | Refusal::SaleOpen
            | Refusal::NoSale
            | Refusal::Paying { .. }
            | Refusal::NotPaying
            | Refusal::UnknownCode { .. }
            | Refusal::BadCode { .. }
            | Refusal::WeightNeeded { .. }
            | Refusal::PriceNeeded { .. }
            | Refusal::PriceIsSet { .. }
            | Refusal::SerialNeeded { .. }
            | Refusal::SerialTwice { .. }
            | Refusal::OtherSerial { .. }
            | Refusal::LinkedLine { .. }
            | Refusal::LinkedMissing { .. }
            | Refusal::BadBirth { .. }
            | Refusal::AgeCheck { .. }
            | Refusal::Expired { .. }
            | Refusal::Recalled { .. }
            | Refusal::CouponUnknown { .. }
            | Refusal::CouponNotNow { .. }
            | Refusal::CouponTwice { .. }
            | Refusal::CouponUsed { .. }
            | Refusal::NoSuchOffer { .. }
            | Refusal::DiscountTooLarge
            | Refusal::BadTender
            | Refusal::OtherPrice { .. }
            | Refusal::BadQuantity { .. }
            | Refusal::BadAmount { .. }
            | Refusal::NoSuchLine { .. }
            | Refusal::UnknownCustomer { .. }
            | Refusal::NotAllowed { .. }
            | Refusal::CartFull { .. }
            | Refusal::NothingToPay
            | Refusal::TaxMissing { .. }
            | Refusal::ReasonNeeded
            | Refusal::NotApprovable
            | Refusal::BadNote { .. }
            | Refusal::UnknownSlip { .. }
            | Refusal::DayOpen { .. }
            | Refusal::NoDayOpen
            | Refusal::BadDay { .. }
            | Refusal::DrawerOpen
            | Refusal::NoDrawer
            | Refusal::DrawerOfAnother { .. }
            | Refusal::UnknownEmployee { .. }
            | Refusal::UnknownReceipt { .. }
            | Refusal::NotReturnable { .. }
            | Refusal::AlreadyReturned { .. }
            | Refusal::NotIdentified
            | Refusal::ReturnLimit { .. }
            | Refusal::RefundLimit { .. }
            | Refusal::KitStock { .. }
            | Refusal::PlaceNeeded
            | Refusal::InTraining
            | Refusal::NotInTraining
            | Refusal::ReturnLine
            | Refusal::OverTender { .. }
            | Refusal::TenderTooSmall { .. }
            | Refusal::TenderTooLarge { .. }
            | Refusal::TenderWhole { .. }
            | Refusal::NotForRefunds
            | Refusal::CurrencyNotTaken { .. }
            | Refusal::CustomerNeeded
            | Refusal::CustomerExists { .. }
            | Refusal::BadCustomer { .. }
            | Refusal::CustomerAsKnown { .. }
            | Refusal::SameCustomer { .. }
            | Refusal::BadNumber
            | Refusal::UnknownCredit { .. }
            | Refusal::CreditTooSmall { .. }
            | Refusal::UnknownGiftCard { .. }
            | Refusal::GiftCardTooSmall { .. }
            | Refusal::GiftCardCutOff
            | Refusal::GiftCardNeeded { .. }
            | Refusal::GiftCardLine { .. }
            | Refusal::NoPoints
            | Refusal::PointsTooFew { .. }
            | Refusal::PointsCutOff
            | Refusal::NoAccount
            | Refusal::NoSuchTender { .. }
            | Refusal::NoTerminal
            | Refusal::CardOpen { .. }
            | Refusal::NoCardOpen
            | Refusal::CardPaid { .. }
            | Refusal::CardRefunded
            | Refusal::NoCardToRefund
            | Refusal::NoTips
            | Refusal::NoNewerPrices => {}
        }
    }
    all
}

#[test]
fn every_refusal_is_said_in_every_language() {
    for refusal in refusals() {
        let said = Language::ALL.map(|language| refusal.said(language));
        for (place, (message, hint)) in said.iter().enumerate() {
            assert!(
                message.ends_with(|end: char| !end.is_whitespace()),
                "{refusal:?}"
            );
            assert!(hint.ends_with('.'), "{hint}");
            // What a lane was told of, it says as it was told it.
            let is_told = message == "x";
            let others = said.iter().take(place);
            for (other_message, other_hint) in others {
                assert!(is_told || message != other_message, "{message}");
                assert_ne!(hint, other_hint);
            }
        }
    }
}

#[test]
fn every_problem_is_described() {
    let refusals = refusals();
    let root = description();
    let codes = &root["components"]["schemas"]["Refused"]["properties"]["code"]["enum"];
    assert_eq!(codes.as_array().map(Vec::len), Some(refusals.len()));
    for refusal in refusals {
        check("Refused", &Problem::refused(refusal, Language::English));
    }
    for problem in [
        Problem::Stopped {
            message: "the disk is full".to_owned(),
        },
        Problem::Unavailable {
            message: "This lane is closing.".to_owned(),
        },
    ] {
        check("Unavailable", &problem);
    }
}

fn status(mode: Mode) -> LaneStatus {
    LaneStatus {
        mode,
        term: 1,
        leader: None,
        is_leader: false,
        applied_index: 1,
        committed_index: 1,
        state_hash: "00".to_owned(),
        journal_seq: 1,
        unshared_entries: 0,
        unshared_sales: 0,
        receipts: 0,
        book_version: 1,
        items: 0,
        exceptions: 0,
        lanes: vec![PeerStatus {
            lane: LaneId([1; 16]),
            number: 1,
            name: "Lane 1".to_owned(),
            this_lane: true,
            reachable: true,
            leader: false,
            voter: true,
        }],
        hq: HqStatus {
            configured: true,
            lag_entries: 0,
            published: 0,
            problem: None,
        },
        printer: Some(PrinterStatus {
            name: Some("192.168.1.50:9100".to_owned()),
            waiting: 2,
            trouble: Some("the printer is out of paper: put a new roll in".to_owned()),
        }),
        warnings: vec!["multicast is blocked".to_owned()],
    }
}

#[test]
fn what_a_lane_shows_is_described() {
    let since = Some(at());
    for mode in [
        Mode::Together,
        Mode::Partial {
            reachable: 2,
            lanes: 5,
        },
        Mode::Alone { unshared: 1, since },
        Mode::Alone {
            unshared: 0,
            since: None,
        },
        Mode::Stop {
            reason: "the disk is full".to_owned(),
        },
    ] {
        check("LaneStatus", &status(mode));
    }
    check(
        "LaneView",
        &LaneView {
            store: StoreId([1; 16]),
            store_name: "Corner Shop".to_owned(),
            address: vec!["12 Quay Street".to_owned()],
            receipt_footer: String::new(),
            language: Language::German,
            lane: LaneId([1; 16]),
            lane_number: 1,
            lane_name: "Lane 1".to_owned(),
            currency: Currency::USD,
            now: at(),
            register: Register {
                is_training: true,
                ..Register::default()
            },
            totals: None,
            hints: vec![promotions::Hint {
                promotion: "soup".into(),
                name: "4 soups".to_owned(),
                lacks: promotions::Lacks::Units { units: 1 },
            }],
            used_up: [sale::WhyUsedUp::LimitReached, sale::WhyUsedUp::CutOff]
                .map(|why| sale::UsedUp {
                    promotion: "tv".to_owned(),
                    name: "The first 50".to_owned(),
                    why,
                })
                .into(),
            newest_total: Some(Money::from_minor(298, Currency::USD)),
            status: status(Mode::Together),
        },
    );
}

#[test]
fn what_else_is_answered_is_described() {
    let word = || "x".to_owned();
    check(
        "ItemFound",
        &ItemFound {
            code: word(),
            description: word(),
            department: word(),
            price: word(),
        },
    );
    check("Applied", &Applied { applied_seq: 7 });
    check("PriceCheck", &price_check());
    for unit in [Some(Unit::Each), Some(Unit::Kilogram), None] {
        let (item, description) = ("milk".into(), word());
        let stock_milli = Some(-1000);
        check(
            "StockRow",
            &StockRow {
                item,
                description,
                unit,
                stock_milli,
            },
        );
    }
    let row = || {
        let mut customer = Customer::new("700".into());
        customer.name = word();
        CustomerRow::of(customer)
    };
    let open = golden::events().find_map(|(_, event)| match event {
        Event::Suspended { open, .. } => open.kept.is_some().then_some(open),
        _ => None,
    });
    let open = open.expect("a sale that is kept");
    check("SlipRow", &SlipRow::of(word(), &open));
    check("CustomerRow", &row());
    let (receipts, spent) = (2, Money::from_minor(298, Currency::USD));
    check(
        "CustomerKnown",
        &CustomerKnown {
            row: row(),
            receipts,
            spent,
            points: -7,
        },
    );
    check(
        "Invitation",
        &Invitation {
            code: word(),
            valid_minutes: 60,
            addresses: vec![word()],
        },
    );
    let mut total = DayTotal::zero(Currency::USD);
    total.tenders.insert("cash".to_owned(), 100);
    check(
        "TotalRow",
        &TotalRow {
            day: BusinessDay("2026-11-27".to_owned()),
            lane: LaneId([1; 16]),
            lane_number: Some(1),
            lane_name: None,
            total,
        },
    );
    for kind in [
        ExceptionKind::UnreadableFact,
        ExceptionKind::BrokenChain,
        ExceptionKind::CodeMoved,
        ExceptionKind::NotCounted,
        ExceptionKind::ResumedTwice,
        ExceptionKind::ReturnedTwice,
        ExceptionKind::ReturnedOverLimit,
        ExceptionKind::CreditOverspent,
        ExceptionKind::CouponUsedTwice,
        ExceptionKind::LaneMissing,
        ExceptionKind::LaneCopied,
        ExceptionKind::SoldOnCopy,
        ExceptionKind::NotPublished,
        ExceptionKind::CardInDoubt,
        ExceptionKind::CardFound,
        ExceptionKind::CustomerConflict,
    ] {
        let message = word();
        let (index, lane, seq) = (1, Some(LaneId([1; 16])), Some(1));
        check(
            "Exception",
            &ExceptionRecord {
                kind,
                index,
                lane,
                seq,
                message,
            },
        );
    }
    let mut report = ImportReport::new("items");
    report.problems.push(ImportProblem {
        row: 3,
        column: Some(word()),
        value: word(),
        message: word(),
    });
    check("ImportReport", &report);
}

fn price_check() -> PriceCheck {
    let money = Money::from_minor(100, Currency::USD);
    PriceCheck {
        item: "milk".into(),
        description: "milk".to_owned(),
        quantity: Quantity::ONE,
        unit_price: money,
        total: money,
        book: BookVersion(1),
        age_min: Some(18),
        stock_milli: Some(1000),
        lines: Vec::new(),
        totals: Totals {
            lines: Vec::new(),
            promotions: Vec::new(),
            taxes: Vec::new(),
            gross: money,
            discount: money,
            deposits: money,
            tax_added: money,
            tax_included: money,
            total: money,
            points: Vec::new(),
            next_coupons: Vec::new(),
        },
        hints: vec![promotions::Hint {
            promotion: "soup".into(),
            name: "4 soups".to_owned(),
            lacks: promotions::Lacks::Units { units: 1 },
        }],
    }
}

/// A check that finds nothing wrong would pass as well as one that cannot.
#[test]
fn the_check_finds_what_is_not_described() {
    let root = description();
    let schema = &root["components"]["schemas"]["Money"];
    let check = |value: Value, expected: &str| {
        assert_eq!(wrong(&root, schema, &value).as_deref(), Some(expected));
    };
    check(json!({"minor": 1}), r#"{"minor":1} has no currency"#);
    check(
        json!({"minor": "1", "currency": "USD"}),
        r#"minor: "1" is not of type "integer""#,
    );
    check(
        json!({"minor": 1, "currency": "USD", "x": 1}),
        "x is not described",
    );
    check(json!(7), r#"7 is not of type "object""#);
}
