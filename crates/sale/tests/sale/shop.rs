//! A small shop and a register in it. What the shop knows stands in `tests/shop` once more, as files that
//! a lane imports. Commands are written as `testkit::words` reads them.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{
    BookVersion, Customer, CustomerDetail, CustomerId, Department, DepartmentId, Employee,
    EmployeeId, Import, Item, ItemCode, ItemId, KitPart, PriceSince, Recall, Record, Reference,
    Role, Selling, Settings, TaxCategory, TaxHoliday, TaxId, TaxPart, TaxThreshold, Tier,
};
use money::{Currency, Money, Rate, Unit};
use promotions::{CompiledBook, PromotionFile};
use sale::{
    BusinessDay, Cart, Context, CutOff, Event, Given, History, LaneId, LocalRights, LocalTime,
    PriceCheck, Receipt, Refusal, Register, Shared, SoldReceipt, Tender, Totals, card_answered,
    decide, events_of_refusal, evolve, points_key, price, price_check,
};
use testkit::words::{command, said_by_terminal};

pub const LANE: LaneId = LaneId([0xa0; 16]);

const PROMOTIONS: &str = include_str!("../shop/promotions.toml");

/// The files that say what the shop knows.
const FILES: [&str; 6] = [
    include_str!("../shop/taxes.csv"),
    include_str!("../shop/departments.csv"),
    include_str!("../shop/items.csv"),
    include_str!("../shop/employees.csv"),
    include_str!("../shop/customers.csv"),
    include_str!("../shop/recalls.csv"),
];

pub fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

pub fn at(second: u64) -> LocalTime {
    LocalTime {
        // 2026-11-27 05:00 in the shop.
        unix_ms: 1_795_773_600_000 + second * 1000,
        offset_minutes: -300,
    }
}

/// What the shop knows.
pub struct Books {
    pub version: BookVersion,
    pub items: Vec<Item>,
    pub settings: Settings,
}

fn item(id: &str, code: &str, unit: Unit, minor: i64, tax: &str) -> Item {
    Item {
        id: ItemId::from(id),
        description: id.to_owned(),
        department: DepartmentId::from("grocery"),
        brand: None,
        sold_by: unit,
        price: usd(minor),
        earlier_prices: Vec::new(),
        price_since: BookVersion(1),
        tax: TaxId::from(tax),
        age_min: None,
        deposit: None,
        codes: vec![ItemCode::parse(code).unwrap()],
        selling: Default::default(),
    }
}

/// Food with a number of its own that is sold in a way of its own.
fn with(id: &str, unit: Unit, minor: i64, how: impl FnOnce(&mut Selling)) -> Item {
    let mut item = item(id, &format!("i:{id}"), unit, minor, "food");
    how(&mut item.selling);
    item
}

impl Books {
    fn new() -> Books {
        use Unit::{Each, Kilogram};
        let mut wine = item("wine", "96385074", Each, 1200, "standard");
        wine.age_min = Some(21);
        wine.department = DepartmentId::from("wine");
        let mut cola = item("cola", "036000291452", Each, 150, "standard");
        cola.deposit = Some(usd(25));
        let mut bread = item("bread", "i:bread", Each, 300, "food");
        bread.price_since = BookVersion(5);
        bread.earlier_prices = vec![PriceSince {
            since: BookVersion(1),
            price: usd(280),
        }];
        Books {
            version: BookVersion(5),
            settings: Settings {
                store_name: "Corner shop".to_owned(),
                ..Settings::default()
            },
            items: vec![
                item("milk", "4006381333931", Each, 199, "standard"),
                item("bananas", "4011", Kilogram, 129, "food"),
                item("ham", "e:12345", Kilogram, 899, "food"),
                item("yogurt", "i:yogurt", Each, 100, "food"),
                item("book", "i:book", Each, 1070, "vat"),
                item("gold", "i:gold", Each, 500_000_000_000, "food"),
                item("soup", "i:soup", Each, 100, "food"),
                item("pen", "i:pen", Each, 101, "local"),
                item("shirt", "i:shirt", Each, 6000, "clothes"),
                item("coat", "i:coat", Each, 12000, "clothes"),
                item("ring", "i:ring", Each, 20000, "luxury"),
                item("laptop", "i:laptop", Each, 80000, "school"),
                item("maple", "i:maple", Each, 1120, "contained"),
                with("gift", Each, 0, |s| s.open_price = true),
                with("cheese", Kilogram, 0, |s| s.open_price = true),
                with("phone", Each, 29900, |s| s.ask_serial = true),
                with("bottle", Each, 25, |_| {}),
                with("water", Each, 90, |s| s.linked = vec!["bottle".into()]),
                with("crate", Each, 900, |s| {
                    s.linked = vec!["bottle".into(), "wine".into()];
                }),
                with("broken", Each, 100, |s| s.linked = vec!["nowhere".into()]),
                with("hamper", Each, 2500, |s| {
                    let part = |item: &str, milli| KitPart {
                        item: item.into(),
                        milli,
                    };
                    s.kit = vec![part("milk", 2000), part("bananas", 500)];
                }),
                with("nuts", Kilogram, 1000, |s| s.tare_grams = 20),
                with("gift-card", Each, 0, |s| {
                    (s.open_price, s.gift_card) = (true, true);
                }),
                with("card-25", Each, 2500, |s| s.gift_card = true),
                with("lamp", Each, 5000, |s| s.floor = Some(usd(4500))),
                with("razor", Each, 500, |s| s.not_returnable = true),
                item("orphan", "i:orphan", Each, 100, "lost"),
                wine,
                cola,
                bread,
            ],
        }
    }
}

/// Taxes that several authorities take: `local` by three, `clothes` from 110.00 a piece, `luxury` of
/// what is above 175.00 a piece, `school` not on the shop's day up to 1000.00 a piece, `contained` in
/// the price.
fn shared_tax(id: &TaxId) -> Option<TaxCategory> {
    let part = |name: &str, percent: &str| TaxPart {
        name: name.to_owned(),
        rate: Rate::parse_percent(percent).unwrap(),
        threshold: None,
        holidays: Vec::new(),
    };
    let (rate, included, mut parts) = match id.0.as_str() {
        "local" => {
            let parts = [("State", "4"), ("County", "0.375"), ("City", "4.5")];
            (
                "8.875",
                false,
                parts.map(|(name, rate)| part(name, rate)).to_vec(),
            )
        }
        "clothes" => ("8.5", false, vec![part("State", "4"), part("City", "4.5")]),
        "luxury" => ("6.25", false, vec![part("State", "6.25")]),
        "school" => ("8.5", false, vec![part("State", "4"), part("City", "4.5")]),
        "contained" => ("12", true, vec![part("Union", "5"), part("Province", "7")]),
        _ => return None,
    };
    match id.0.as_str() {
        "clothes" => parts[1].threshold = Some(TaxThreshold::ExemptBelow(usd(11_000))),
        "luxury" => parts[0].threshold = Some(TaxThreshold::OnlyAbove(usd(17_500))),
        "school" => {
            parts[0].holidays = vec![TaxHoliday {
                first_day: "2026-11-27".to_owned(),
                last_day: "2026-11-27".to_owned(),
                price_max: Some(usd(100_000)),
            }];
        }
        _ => {}
    }
    Some(TaxCategory {
        id: id.clone(),
        name: id.0.clone(),
        rate: Rate::parse_percent(rate).unwrap(),
        included,
        parts,
    })
}

impl Reference for Books {
    fn version(&self) -> BookVersion {
        self.version
    }

    fn item(&self, id: &ItemId) -> Option<Item> {
        self.items.iter().find(|item| item.id == *id).cloned()
    }

    fn item_by_code(&self, code: &ItemCode) -> Option<Item> {
        let found = self.items.iter().find(|item| item.codes.contains(code));
        found.cloned()
    }

    fn department(&self, _: &DepartmentId) -> Option<Department> {
        None
    }

    fn tax(&self, id: &TaxId) -> Option<TaxCategory> {
        if let Some(shared) = shared_tax(id) {
            return Some(shared);
        }
        let (percent, included) = match id.0.as_str() {
            "standard" => (8, false),
            "vat" => (7, true),
            "food" => (0, false),
            _ => return None,
        };
        Some(TaxCategory {
            id: id.clone(),
            name: id.0.clone(),
            rate: Rate::from_percent(percent),
            included,
            parts: Vec::new(),
        })
    }

    fn employee(&self, id: &EmployeeId) -> Option<Employee> {
        let (name, role) = match id.0.as_str() {
            "101" => ("Ada", Role::Cashier),
            "102" => ("Barbara", Role::Supervisor),
            "103" => ("Chien", Role::Manager),
            _ => return None,
        };
        Some(Employee {
            id: id.clone(),
            name: name.to_owned(),
            role,
            pin_hash: "1111".to_owned(),
        })
    }

    fn customer(&self, id: &CustomerId) -> Option<Customer> {
        let tier = match id.0.as_str() {
            "700" => Tier::Gold,
            "701" | "702" => Tier::Basic,
            _ => return None,
        };
        Some(Customer {
            id: id.clone(),
            name: "Grace".to_owned(),
            tier,
            phone: None,
            detail: CustomerDetail {
                on_account: tier == Tier::Gold,
                exemption: (id.0 == "702").then(|| "EX-17".to_owned()),
                groups: ["club".to_owned()].into(),
                ..CustomerDetail::default()
            },
        })
    }

    /// Lot L7 of milk and all of the soup were recalled.
    fn recall(&self, id: &ItemId) -> Option<Recall> {
        let (all_lots, lots) = match id.0.as_str() {
            "milk" => (false, vec!["L7".to_owned()]),
            "soup" => (true, Vec::new()),
            _ => return None,
        };
        Some(Recall {
            item: id.clone(),
            all_lots,
            lots,
            reason: "glass was found in it".to_owned(),
        })
    }

    fn settings(&self) -> Settings {
        self.settings.clone()
    }
}

/// What the lane knows of suspended sales: its own and those of other lanes.
#[derive(Default)]
pub struct Known {
    pub suspended: BTreeMap<String, Cart>,
    pub unshared_receipts: u64,
    pub receipts: BTreeMap<String, SoldReceipt>,
    pub credit_minor: BTreeMap<String, i64>,
    pub coupons: BTreeMap<String, String>,
    pub histories: BTreeMap<CustomerId, History>,
    pub stock_milli: BTreeMap<ItemId, i64>,
    pub unreceipted_minor: BTreeMap<(BusinessDay, String), i64>,
    /// How often promotions were given on other lanes; below zero, what came back.
    pub given_elsewhere: BTreeMap<String, i64>,
    /// Customers of whom something was said; those who are gone are none.
    pub customers: BTreeMap<CustomerId, Option<Customer>>,
    /// Customers who were found to be others.
    pub stands_for: BTreeMap<CustomerId, CustomerId>,
}

impl Known {
    fn learn(&mut self, event: &Event, books: &Books) {
        for (item, milli) in event.stock_moves() {
            let stock = self.stock_milli.entry(item.clone()).or_default();
            *stock += i64::try_from(milli).unwrap();
        }
        match event {
            Event::Suspended { slip, open, .. } => {
                self.suspended.insert(slip.clone(), open.as_ref().clone());
            }
            Event::Resumed { slip, .. } => {
                self.suspended.remove(slip);
            }
            Event::Completed { receipt, .. } => self.learn_receipt(receipt),
            Event::CustomerKept {
                customer, fields, ..
            } => {
                let known = self.customer(books, customer);
                let mut known = known.unwrap_or_else(|| Customer::new(customer.clone()));
                for (field, text) in fields {
                    known.set(*field, text).unwrap();
                }
                self.customers.insert(customer.clone(), Some(known));
            }
            Event::CustomersMerged { from, into, .. } => {
                self.stands_for.insert(from.clone(), into.clone());
            }
            Event::CustomerErased { customer, .. } => {
                self.customers.insert(customer.clone(), None);
            }
            _ => {}
        }
    }
}

impl Known {
    fn learn_receipt(&mut self, receipt: &Receipt) {
        self.unshared_receipts += 1;
        for line in &receipt.lines {
            let of = line.detail.returned.as_ref();
            if let Some(of) = of.filter(|of| of.unreceipted.is_none()) {
                let source = self.receipts.get_mut(&of.receipt).unwrap();
                let before = source.receipt.points_back(&source.returned_milli);
                *source.returned_milli.entry(of.line).or_default() += line.quantity.milli();
                let back = source.receipt.points_back(&source.returned_milli) - before;
                if let Some(customer) = &source.receipt.customer {
                    let points = self.credit_minor.entry(points_key(customer));
                    *points.or_default() -= back;
                }
            }
        }
        for (key, minor) in receipt.unreceipted() {
            let sum = self.unreceipted_minor.entry((receipt.day.clone(), key));
            *sum.or_default() += minor;
        }
        for (key, added) in receipt.credit_moves() {
            *self.credit_minor.entry(key).or_default() += added;
        }
        for tender in &receipt.tenders {
            if let Tender::Card { amount, card } = tender
                && let Some(of) = &card.refund_of
            {
                let source = self.receipts.get_mut(&of.receipt).unwrap();
                *source.refunded_minor.entry(of.tender).or_default() -= amount.minor();
            }
        }
        for single in receipt
            .detail
            .coupons_used
            .iter()
            .filter_map(|c| c.single())
        {
            self.coupons.insert(single, receipt.id.clone());
        }
        if let Some(customer) = &receipt.customer {
            let history = self.histories.entry(customer.clone()).or_default();
            history.add(receipt);
            let points = self.credit_minor.entry(points_key(customer));
            *points.or_default() += receipt.points_moved();
        }
        let sold = SoldReceipt {
            receipt: receipt.clone(),
            returned_milli: BTreeMap::new(),
            refunded_minor: BTreeMap::new(),
        };
        self.receipts.insert(receipt.id.clone(), sold);
    }
}

impl Shared for Known {
    fn customer(&self, reference: &dyn Reference, id: &CustomerId) -> Option<Customer> {
        match (self.stands_for.get(id), self.customers.get(id)) {
            (Some(other), _) => self.customer(reference, other),
            (None, Some(known)) => known.clone(),
            (None, None) => reference.customer(id),
        }
    }

    fn receipt(&self, id: &str) -> Option<SoldReceipt> {
        self.receipts.get(id).cloned()
    }

    fn credit_minor(&self, number: &str) -> Option<i64> {
        self.credit_minor.get(number).copied()
    }

    fn coupon_used(&self, single: &str) -> Option<String> {
        self.coupons.get(single).cloned()
    }

    fn bought(&self, customer: &CustomerId, items: &BTreeSet<ItemId>) -> BTreeMap<ItemId, u32> {
        let mut bought: BTreeMap<ItemId, u32> = BTreeMap::new();
        let receipts = self.receipts.values().map(|sold| &sold.receipt);
        let theirs = receipts.filter(|receipt| receipt.customer.as_ref() == Some(customer));
        for (item, pieces) in theirs.flat_map(Receipt::bought) {
            if items.contains(item) {
                let sum = bought.entry(item.clone()).or_default();
                *sum = sum.saturating_add_signed(i32::try_from(pieces).unwrap());
            }
        }
        bought.retain(|_, pieces| *pieces > 0);
        bought
    }

    fn history(&self, customer: &CustomerId) -> History {
        self.histories.get(customer).cloned().unwrap_or_default()
    }

    fn unreceipted_minor(&self, day: &BusinessDay, key: &str) -> i64 {
        let sum = self.unreceipted_minor.get(&(day.clone(), key.to_owned()));
        sum.copied().unwrap_or(0)
    }

    fn stock_milli(&self, item: &ItemId) -> Option<i64> {
        self.stock_milli.get(item).copied()
    }

    fn given(
        &self,
        promotions: &[&str],
        day: &BusinessDay,
        customer: Option<&CustomerId>,
    ) -> Vec<Given> {
        let given = promotions.iter().map(|id| {
            let mut given = Given::default();
            let receipts = self.receipts.values().map(|sold| &sold.receipt);
            for receipt in receipts {
                let parts = receipt.totals.promotions.iter();
                for part in parts.filter(|part| part.promotion == *id) {
                    let to_customer = customer.is_some() && receipt.customer.as_ref() == customer;
                    given.add(part.times, receipt.day == *day, to_customer);
                }
            }
            let elsewhere = self.given_elsewhere.get(*id).copied().unwrap_or(0);
            given.before.store = given.before.store.saturating_add_signed(elsewhere);
            given.before.day = given.before.day.saturating_add_signed(elsewhere);
            given
        });
        given.collect()
    }

    fn suspended(&self, slip: &str) -> Option<Cart> {
        self.suspended.get(slip).cloned()
    }

    fn unshared_receipts(&self) -> u64 {
        self.unshared_receipts
    }
}

/// A register, and everything that ever happened on it.
pub struct Lane {
    pub shared: Known,
    pub books: Books,
    pub promotions: CompiledBook,
    /// The newest ones, where they are others.
    pub newest: Option<CompiledBook>,
    /// Whether all lanes of the store can read that a sale was quoted anew.
    pub requotes: bool,
    /// Whether all lanes of the store can read what is left of limited promotions.
    pub limits: bool,
    /// Whether the lane is cut off from the store.
    pub cut_off: bool,
    pub register: Register,
    pub journal: Vec<Event>,
    pub now: LocalTime,
    pub terminal: Option<&'static str>,
}

impl Lane {
    pub fn new() -> Lane {
        let file = PromotionFile::parse(PROMOTIONS).unwrap();
        Lane {
            shared: Known::default(),
            books: Books::new(),
            promotions: CompiledBook::compile(&file, Currency::USD).unwrap(),
            newest: None,
            requotes: true,
            limits: true,
            cut_off: false,
            register: Register::default(),
            journal: Vec::new(),
            now: at(0),
            terminal: Some("T1"),
        }
    }

    /// A lane on which all that was done, with nothing refused. The commands are separated by `/`.
    pub fn after(commands: &str) -> Lane {
        let mut lane = Lane::new();
        lane.all(commands);
        lane
    }

    pub fn all(&mut self, commands: &str) {
        for text in commands.split('/').map(str::trim).filter(|t| !t.is_empty()) {
            if let Err(refusal) = self.submit(text) {
                panic!("'{text}' was refused: {refusal}");
            }
        }
    }

    /// Carries out a command. Whatever comes of it, the register is the fold of its journal.
    pub fn submit(&mut self, text: &str) -> Result<Vec<Event>, Refusal> {
        self.now.unix_ms += 1000;
        let context = self.context();
        if let Some(said) = text.strip_prefix("terminal ") {
            let (number, answer) = said_by_terminal(&self.register, said);
            let decision = card_answered(&self.register, number, &answer, &context);
            self.keep(decision.clone().unwrap_or_default());
            return decision;
        }
        let command = command(text);
        let decision = decide(&self.register, &command, &context);
        let events = match &decision {
            Ok(events) => events.clone(),
            Err(refusal) => events_of_refusal(&command, refusal, self.now),
        };
        assert!(
            decision.is_err() || !events.is_empty(),
            "a command that is carried out leaves a trace"
        );
        self.keep(events);
        decision
    }

    fn context(&self) -> Context<'_> {
        Context {
            reference: &self.books,
            book: &self.promotions,
            newest: self.newest.as_ref().unwrap_or(&self.promotions),
            requotes: self.requotes,
            limits: self.limits,
            now: self.now,
            lane: LANE,
            lane_number: 3,
            lane_name: "Lane 3",
            shared: &self.shared,
            rights: match self.cut_off {
                true => &CutOff,
                false => &LocalRights,
            },
            terminal: self.terminal,
            pin_matches: &|employee, pin| employee.pin_hash == pin.0,
        }
    }

    /// What one of what a code stands for costs.
    pub fn price_check(&self, code: &str) -> Result<PriceCheck, Refusal> {
        price_check(&self.register, code, &self.context())
    }

    fn keep(&mut self, events: Vec<Event>) {
        for event in &events {
            evolve(&mut self.register, event);
            self.shared.learn(event, &self.books);
        }
        self.journal.extend(events);
    }

    /// What the open cart costs now.
    pub fn totals(&self) -> Totals {
        let cart = self.register.cart.as_ref().unwrap();
        price(cart, &self.promotions, self.now, Currency::USD)
    }
}

/// A lane's process imports what the shop knows from files: they say the same.
#[test]
fn the_files_of_the_shop_say_what_its_books_say() {
    let books = Books::new();
    let mut found = BTreeSet::new();
    for text in FILES {
        let pins = Box::new(str::to_owned);
        for record in Import::new(text.as_bytes(), None, Currency::USD, pins) {
            match record.unwrap() {
                Record::Item(mut item) => {
                    let known = books.item(&item.id).unwrap();
                    // Its own number finds an item by itself, and old prices are not imported.
                    let own = ItemCode::Internal(item.id.0.clone());
                    if known.codes.contains(&own) {
                        item.codes.push(own);
                    }
                    item.price_since = known.price_since;
                    item.earlier_prices.clone_from(&known.earlier_prices);
                    assert_eq!(item, known);
                    found.insert(item.id);
                }
                // The register only passes them on.
                Record::Department(_) => {}
                Record::Tax(tax) => assert_eq!(Some(&tax), books.tax(&tax.id).as_ref()),
                Record::Employee(who) => assert_eq!(Some(&who), books.employee(&who.id).as_ref()),
                Record::Customer(who) => assert_eq!(Some(&who), books.customer(&who.id).as_ref()),
                Record::Recall(recall) => {
                    assert_eq!(Some(&recall), books.recall(&recall.item).as_ref());
                }
                other => panic!("{other:?}"),
            }
        }
    }
    let all: BTreeSet<ItemId> = books.items.into_iter().map(|item| item.id).collect();
    assert_eq!(found, all);
}
