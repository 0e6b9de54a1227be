//! A small shop, a register in it, and commands and events as text.
//!
//! Commands are written as a cashier would say them: `scan 4011 x 0.455`, `line 2 x 3`, `void 2`,
//! `price 2 0.99`, `age 21`, `customer 700`, `cash`, `cash 20`, `take back`, `void sale`, `open b-9`,
//! `in 101 1111`, `out`, `102: price 2 0.99` (approved by 102), `tax 1 food why`, `note 1 gift`,
//! `note gift`, `suspend`, `resume S3-1`, `open day`, `close day`, `drawer 100`, `assign 102`,
//! `no sale why`, `drop 50`, `pay in 5 why`, `pay out 5 why`, `count 20x3 0.25x4`, `z`,
//! `return 3-000001 1 x 2` (line 1, two of it), `with voucher V1 5`, `with account`, `untender 1`,
//! `off 10% why`, `off 1 0.50 why` (line 1), `on 1` (discount 1 back), `coupon SPRING`, `uncoupon 1`,
//! `quote account`, `quote`, `sell gift x 2 at 4.50`, `sell phone no SN-1`, `return 3-000001 1 no SN-1`,
//! `back yogurt x 2 by ID-7 damaged why sour` (without a receipt; `at` and `no` as with `sell`),
//! `stock receive yogurt x 10 D-1`, `stock count yogurt x 8`, `stock adjust yogurt x -2 broken`, `stock
//! in yogurt x 2 north`, `train`, `train off`, `stock out yogurt x 2 north`, `born 1999-12-31`, `with card`, `with card 5 tip 1`, `cancel card`, `leave card why`. What the card
//! terminal says: `terminal approves`, `terminal approves 3` (3.00 in all), `terminal tips 1`, `terminal
//! declines`, `terminal doubts`, each with `#2` for an earlier question than the open one.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{
    BookVersion, Customer, CustomerDetail, CustomerId, Department, DepartmentId, Employee,
    EmployeeId, Item, ItemCode, ItemId, KitPart, PriceSince, Recall, Reference, Role, Selling,
    Settings, TaxCategory, TaxHoliday, TaxId, TaxPart, TaxThreshold, Tier,
};
use money::{Currency, Money, Rate, Unit};
use promotions::{CompiledBook, PromotionFile};
use sale::{
    BusinessDay, CardAnswer, CardApproval, CardTransaction, CardWork, Cart, Command, Context,
    CountedCash, CutOff, Event, Given, HandOff, History, LaneId, LocalRights, LocalTime, PayWith,
    Pin, PriceCheck, Receipt, Refusal, Register, Shared, SoldReceipt, StockWork, Tender, Totals,
    card_answered, decide, events_of_refusal, evolve, price, price_check,
};

pub const LANE: LaneId = LaneId([0xa0; 16]);

const PROMOTIONS: &str = r#"
schema = 2
manual_max = { cashier = 5, supervisor = 20 }

[[promotion]]
id = "three-yogurts"
name = "3 yogurts for 2.50"
n_for = { units = 3, price = "2.50" }
items = ["yogurt"]

[[promotion]]
id = "gold-wine"
name = "10% off wine"
percent_off = 10
departments = ["wine"]
tiers = ["gold"]

[[promotion]]
id = "spring"
name = "Spring coupon"
amount_off = "0.50"
items = ["book"]
coupon = "SPRING"

[[promotion]]
id = "maker"
name = "The maker's coupon"
total_amount_off = "1.00"
items = ["cola"]
coupon = "0036000-123456"
limit = { basket = 1 }

[[promotion]]
id = "global"
name = "Global coupon"
percent_off = 50
items = ["milk"]
coupon = "9501101021501"

[[promotion]]
id = "on-account"
name = "5% off on account"
total_percent_off = 5
items = ["book"]
tender = "account"

[[promotion]]
id = "lane-3"
name = "Bread at lane 3"
amount_off = "0.25"
items = ["bread"]
where = { lanes = [3] }
who = { groups = ["club"] }

[[promotion]]
id = "once"
name = "Once a customer"
price = "0.30"
items = ["bananas"]
limit = { customer = 1 }
who = { spent = "5.00" }

[[promotion]]
id = "points"
name = "Points on books"
points = 7
needs = [{ units = 1, items = ["book"] }]
"#;

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
}

impl Known {
    fn learn(&mut self, event: &Event) {
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
                *source.returned_milli.entry(of.line).or_default() += line.quantity.milli();
            }
        }
        for (key, minor) in receipt.unreceipted() {
            let sum = self.unreceipted_minor.entry((receipt.day.clone(), key));
            *sum.or_default() += minor;
        }
        for tender in &receipt.tenders {
            match tender {
                Tender::StoreCredit { number, amount } => {
                    *self.credit_minor.entry(number.clone()).or_default() -= amount.minor();
                }
                Tender::Card { amount, card } => {
                    if let Some(of) = &card.refund_of {
                        let source = self.receipts.get_mut(&of.receipt).unwrap();
                        *source.refunded_minor.entry(of.tender).or_default() -= amount.minor();
                    }
                }
                _ => {}
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
            self.shared.learn(event);
        }
        self.journal.extend(events);
    }

    /// What the open cart costs now.
    pub fn totals(&self) -> Totals {
        let cart = self.register.cart.as_ref().unwrap();
        price(cart, &self.promotions, self.now, Currency::USD)
    }
}

/// What the terminal says of the open question, or of the one that is named.
fn said_by_terminal(register: &Register, text: &str) -> (u64, CardAnswer) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let named = words.iter().find_map(|word| word.strip_prefix('#'));
    let number = named.map(|number| number.parse().unwrap());
    let number = number.unwrap_or(register.cards.asked);
    let asked = register.cards.pending(number);
    let asked = asked.map_or(usd(0), |open| open.ask.work.amount());
    let amount = |text: &&str| Money::parse(text, Currency::USD).unwrap();
    let said = words.get(1).filter(|word| !word.starts_with('#'));
    let reason = "the terminal says so".to_owned();
    let approves = |amount: Money, tip: Option<Money>| CardAnswer::Approved {
        approval: Box::new(CardApproval {
            amount,
            tip,
            transaction: CardTransaction {
                id: format!("t{number}"),
                time: "2026-11-27T10:00:00Z".to_owned(),
            },
            brand: Some("VISA".to_owned()),
            last_four: Some("0119".to_owned()),
            token: Some(format!("tok-{number}")),
            approval_code: Some("000001".to_owned()),
            offline: false,
        }),
    };
    let answer = match words[0] {
        "approves" => approves(said.map_or(asked, amount), None),
        "tips" => {
            let tip = amount(said.unwrap());
            approves(asked + tip, Some(tip))
        }
        "declines" => CardAnswer::Declined { reason },
        "doubts" => CardAnswer::Doubtful { reason },
        other => panic!("no terminal {other}"),
    };
    (number, answer)
}

/// Reads a command as the head of this file describes.
pub fn command(text: &str) -> Command {
    let words: Vec<&str> = text.split_whitespace().collect();
    let own = |text: &str| text.to_owned();
    let line = |text: &str| text.parse().unwrap();
    match words.as_slice() {
        ["in", employee, pin] => Command::SignIn {
            employee: EmployeeId::from(*employee),
            pin: Pin(own(pin)),
        },
        [by, rest @ ..] if by.ends_with(':') => Command::Approved {
            employee: EmployeeId::from(by.trim_end_matches(':')),
            pin: Pin(own("1111")),
            command: Box::new(command(&rest.join(" "))),
        },
        ["tax", number, tax, why @ ..] => Command::OverrideTax {
            line: line(number),
            tax: TaxId::from(*tax),
            reason: why.join(" "),
        },
        ["note", number, text @ ..] if number.parse::<u32>().is_ok() => Command::Note {
            line: Some(line(number)),
            text: text.join(" "),
        },
        ["note", text @ ..] => Command::Note {
            line: None,
            text: text.join(" "),
        },
        ["suspend"] => Command::Suspend,
        ["resume", slip] => Command::Resume { slip: own(slip) },
        ["open", "day"] => Command::OpenDay { day: None },
        ["open", "day", day] => Command::OpenDay {
            day: Some(BusinessDay(own(day))),
        },
        ["close", "day"] => Command::CloseDay,
        ["drawer", float] => Command::OpenDrawer { float: own(float) },
        ["assign", employee] => Command::AssignDrawer {
            employee: EmployeeId::from(*employee),
        },
        ["no", "sale", why @ ..] => Command::NoSale {
            reason: why.join(" "),
        },
        ["drop", amount] => Command::Drop {
            amount: own(amount),
        },
        ["pay", "in", amount, why @ ..] => Command::PayIn {
            amount: own(amount),
            reason: why.join(" "),
        },
        ["pay", "out", amount, why @ ..] => Command::PayOut {
            amount: own(amount),
            reason: why.join(" "),
        },
        ["count", pieces @ ..] => Command::CountDrawer {
            counted: pieces
                .iter()
                .map(|piece| {
                    let (value, pieces) = piece.split_once('x').unwrap();
                    CountedCash {
                        value: own(value),
                        pieces: pieces.parse().unwrap(),
                    }
                })
                .collect(),
        },
        ["return", receipt, number] => take_back(receipt, number, None),
        ["return", receipt, number, "x", quantity] => {
            take_back(receipt, number, Some(own(quantity)))
        }
        ["return", receipt, number, "no", serial] => {
            let mut command = take_back(receipt, number, None);
            if let Command::Return { serial: named, .. } = &mut command {
                *named = Some(own(serial));
            }
            command
        }
        ["back", code, rest @ ..] => back(code, rest),
        ["stock", work, code, "x", quantity, rest @ ..] => stock(work, code, quantity, rest),
        ["train"] => Command::BeginTraining,
        ["train", "off"] => Command::EndTraining,
        ["sell", code, rest @ ..] => sell(code, rest),
        ["born", day] => Command::ConfirmBirth { born: own(day) },
        ["with", kind, rest @ ..] => pay(kind, rest),
        ["untender", number] => Command::VoidTender {
            number: line(number),
        },
        ["z"] => Command::ReportZ,
        ["out"] => Command::SignOut,
        ["open"] => Command::OpenCart { reference: None },
        ["open", reference] => Command::OpenCart {
            reference: Some(own(reference)),
        },
        ["scan", code] => Command::Scan {
            code: own(code),
            quantity: None,
        },
        ["scan", code, "x", quantity] => Command::Scan {
            code: own(code),
            quantity: Some(own(quantity)),
        },
        ["line", number, "x", quantity] => Command::SetQuantity {
            line: line(number),
            quantity: own(quantity),
        },
        ["void", "sale"] => Command::VoidCart {
            reason: own("left the shop"),
        },
        ["void", number] => Command::VoidLine { line: line(number) },
        ["price", number, unit_price] => Command::OverridePrice {
            line: line(number),
            unit_price: own(unit_price),
            reason: own("dented"),
        },
        ["age", years] => Command::ConfirmAge {
            years: years.parse().unwrap(),
        },
        ["customer", id] => Command::SetCustomer {
            customer: CustomerId::from(*id),
        },
        ["cash"] => Command::TenderCash { amount: None },
        ["cash", amount] => Command::TenderCash {
            amount: Some(own(amount)),
        },
        ["off", number, much, why @ ..] if number.parse::<u32>().is_ok() => {
            off(Some(line(number)), much, why)
        }
        ["off", much, why @ ..] => off(None, much, why),
        ["on", number] => Command::VoidDiscount {
            number: line(number),
        },
        ["coupon", code] => Command::Coupon { code: own(code) },
        ["uncoupon", number] => Command::VoidCoupon {
            number: line(number),
        },
        ["requote"] => Command::Requote,
        ["quote"] => Command::Quote { tender: None },
        ["quote", tender] => Command::Quote {
            tender: Some(own(tender)),
        },
        ["take", "back"] => Command::CancelTender,
        ["cancel", "card"] => Command::CancelCard,
        ["leave", "card", why @ ..] => Command::LeaveCard {
            reason: why.join(" "),
        },
        _ => panic!("'{text}' is no command"),
    }
}

fn off(line: Option<u32>, much: &str, why: &[&str]) -> Command {
    let percent = much.strip_suffix('%');
    Command::Discount {
        line,
        percent: percent.map(str::to_owned),
        amount: percent.is_none().then(|| much.to_owned()),
        reason: why.join(" "),
    }
}

fn take_back(receipt: &str, line: &str, quantity: Option<String>) -> Command {
    Command::Return {
        receipt: receipt.to_owned(),
        line: line.parse().unwrap(),
        quantity,
        reason: "does not fit".to_owned(),
        restock: true,
        serial: None,
    }
}

/// `x 2`, `at 4.50` and `no SN-1` after a code, in any order.
fn sell(code: &str, rest: &[&str]) -> Command {
    let of = |word: &str| {
        let place = rest.iter().position(|found| *found == word)?;
        rest.get(place + 1).map(|text| (*text).to_owned())
    };
    Command::Sell {
        code: code.to_owned(),
        quantity: of("x"),
        price: of("at"),
        serial: of("no"),
    }
}

/// `x 2`, `at 4.50`, `no SN-1`, `by DOCUMENT`, `damaged` and `why REASON` after a code, in any order.
fn back(code: &str, rest: &[&str]) -> Command {
    let of = |word: &str| {
        let place = rest.iter().position(|found| *found == word)?;
        rest.get(place + 1).map(|text| (*text).to_owned())
    };
    Command::ReturnUnreceipted {
        code: code.to_owned(),
        quantity: of("x"),
        price: of("at"),
        serial: of("no"),
        document: of("by"),
        reason: of("why").unwrap_or_default(),
        restock: !rest.contains(&"damaged"),
    }
}

/// What is moved is followed by a reference, a reason or a store.
fn stock(work: &str, code: &str, quantity: &str, rest: &[&str]) -> Command {
    let words = rest.join(" ");
    let work = match work {
        "receive" => StockWork::Receive {
            reference: Some(words),
        },
        "count" => StockWork::Count,
        "adjust" => StockWork::Adjust { reason: words },
        "in" => StockWork::TransferIn { from: words },
        "out" => StockWork::TransferOut { to: words },
        other => panic!("stock is not moved by {other}"),
    };
    Command::Stock {
        code: code.to_owned(),
        quantity: quantity.to_owned(),
        work,
    }
}

/// `voucher NUMBER AMOUNT`, `account AMOUNT`, … The amount may be left out.
fn pay(kind: &str, rest: &[&str]) -> Command {
    let number = rest
        .first()
        .map_or(String::new(), |text| (*text).to_owned());
    let tip = rest.iter().position(|word| *word == "tip");
    let tip = tip.and_then(|place| rest.get(place + 1));
    let (with, amount) = match kind {
        "card" => {
            let tip = tip.map(|text| (*text).to_owned());
            let amount = rest.first().filter(|text| **text != "tip");
            (PayWith::Card { tip }, amount)
        }
        "account" => (PayWith::Account, rest.first()),
        "voucher" => (PayWith::Voucher { number }, rest.get(1)),
        "cheque" => (PayWith::Cheque { number }, rest.get(1)),
        "credit" => (PayWith::StoreCredit { number }, rest.get(1)),
        currency => {
            let currency = currency.to_uppercase();
            (PayWith::ForeignCash { currency }, rest.first())
        }
    };
    Command::Tender {
        with,
        amount: amount.map(|text| (*text).to_owned()),
    }
}

/// An event in a few words.
pub fn show(event: &Event) -> String {
    match event {
        Event::SignedIn { name, role, .. } => format!("{name} in as {role:?}"),
        Event::SignInFailed { employee, .. } => format!("wrong PIN for {employee}"),
        Event::SignedOut { .. } => "out".to_owned(),
        Event::CartOpened {
            cart,
            book,
            day,
            reference,
            ..
        } => {
            let reference = reference.as_deref().unwrap_or("-");
            format!(
                "cart {} opened, book {book}, {day}, {reference}",
                cart.number
            )
        }
        Event::LineAdded { line, .. } => {
            let (number, item) = (line.number, &line.item);
            let added = format!(
                "line {number}: {} {item} at {}",
                line.quantity, line.unit_price
            );
            match (line.unreceipted(), &line.detail.returned) {
                (Some(back), Some(of)) => {
                    let from = back.from.key();
                    format!("{added}, back from {from} by {}: {}", back.by, of.reason)
                }
                _ => added,
            }
        }
        Event::QuantityChanged { line, quantity, .. } => format!("line {line} now {quantity}"),
        Event::PriceOverridden {
            line,
            unit_price,
            reason,
            ..
        } => {
            let (by, why) = (&reason.by, &reason.reason);
            format!("line {line} now at {unit_price} by {by}: {why}")
        }
        Event::LineVoided { line, .. } => format!("line {line} void"),
        Event::AgeConfirmed { years, by, .. } => format!("age {years} seen by {by}"),
        Event::CustomerSet { name, tier, .. } => format!("customer {name}, {tier:?}"),
        Event::TenderStarted { due, .. } => format!("due {due}"),
        Event::Tendered { tender, .. } => format!("{} {}", tender.kind(), tender.amount()),
        Event::TendersReturned { .. } => "tenders returned".to_owned(),
        Event::CartVoided { reason, .. } => format!("cart void: {reason}"),
        Event::Approved { by, command, .. } => format!("{by} approved {command}"),
        Event::TaxOverridden { line, tax, .. } => format!("line {line} now taxed {}", tax.id),
        Event::Noted { line, text, .. } => match line {
            Some(line) => format!("line {line} noted: {text}"),
            None => format!("noted: {text}"),
        },
        Event::Suspended { slip, open, .. } => {
            format!("{slip} put aside, {} lines", open.lines.len())
        }
        Event::Resumed { slip, open, .. } => format!("{slip} goes on, {} lines", open.lines.len()),
        Event::DayOpened { day, .. } => format!("day {day} open"),
        Event::DayClosed {
            day,
            unshared_receipts,
            ..
        } => format!("day {day} closed, {unshared_receipts} unshared"),
        Event::DrawerOpened { float, by, .. } => format!("drawer of {by} with {float}"),
        Event::DrawerAssigned { employee, by, .. } => format!("drawer to {employee} by {by}"),
        Event::NoSale { reason, by, .. } => format!("no sale by {by}: {reason}"),
        Event::CashMoved {
            movement, amount, ..
        } => format!("{movement:?} {amount}"),
        Event::DrawerCounted {
            counted, expected, ..
        } => format!("counted {counted} of {expected}"),
        Event::TenderVoided { number, .. } => format!("tender {number} given back"),
        Event::CouponTaken { coupon, .. } => format!("coupon {coupon}"),
        Event::CouponReturned { number, .. } => format!("coupon {number} handed back"),
        Event::DiscountGiven { discount, .. } => {
            let off = match discount.off {
                HandOff::Percent(rate) => rate.to_string(),
                HandOff::Amount(amount) => amount.to_string(),
            };
            let place = discount
                .line
                .map_or("the sale".to_owned(), |l| format!("line {l}"));
            format!("{off} off {place} by {}: {}", discount.by, discount.reason)
        }
        Event::DiscountVoided { number, .. } => format!("discount {number} taken back"),
        Event::TenderQuoted {
            tender,
            before,
            due,
            ..
        } => format!(
            "{before} with {} is {due}",
            tender.as_deref().unwrap_or("any")
        ),
        Event::LimitsKnown { rights, given, .. } => {
            let words = |counts: &BTreeMap<String, u32>| -> String {
                let counts = counts.iter().map(|(id, times)| format!(" {id} {times}"));
                counts.collect()
            };
            format!("left{} given{}", words(rights), words(given))
        }
        Event::Requoted {
            book,
            prices,
            before,
            due,
            ..
        } => {
            let prices = prices
                .iter()
                .map(|(line, price)| format!(" {line}:{price}"));
            let prices: String = prices.collect();
            format!("quoted anew by book {}{prices}: {before} is {due}", book.0)
        }
        Event::CardAsked { ask } => {
            let amount = ask.work.amount();
            match &ask.work {
                CardWork::Pay { tip: None, .. } => {
                    format!("card {} asked for {amount}", ask.number)
                }
                CardWork::Pay { tip: Some(tip), .. } => {
                    format!("card {} asked for {amount} and {tip}", ask.number)
                }
                CardWork::Refund { of, .. } => format!(
                    "card {} to be given {amount} of {} tender {}",
                    ask.number, of.receipt, of.tender
                ),
                CardWork::Reverse { original, .. } => {
                    format!(
                        "card {} to take back {amount} of {}",
                        ask.number, original.id
                    )
                }
            }
        }
        Event::CardCancelled { number, .. } => format!("card {number} cancelled"),
        Event::CardAnswered {
            ask, answer, late, ..
        } => {
            let late = if *late { " late" } else { "" };
            let answer = match answer {
                CardAnswer::Approved { approval } => format!("approved {}", approval.amount),
                CardAnswer::Declined { reason } => format!("declined: {reason}"),
                CardAnswer::Doubtful { reason } => format!("in doubt: {reason}"),
            };
            format!("card {}{late} {answer}", ask.number)
        }
        Event::CardLeft {
            ask, reason, by, ..
        } => format!("card {} left by {by}: {reason}", ask.number),
        Event::StockMoved {
            item,
            work,
            milli,
            by,
            ..
        } => {
            let why = match work {
                StockWork::Receive { reference } => {
                    format!("received, {}", reference.as_deref().unwrap_or("-"))
                }
                StockWork::Count => "counted".to_owned(),
                StockWork::Adjust { reason } => format!("put right: {reason}"),
                StockWork::TransferIn { from } => format!("from {from}"),
                StockWork::TransferOut { to } => format!("to {to}"),
            };
            format!("{milli:+} of {item} by {by}, {why}")
        }
        Event::TrainingBegun { by, .. } => format!("training begun by {by}"),
        Event::TrainingEnded { by, .. } => format!("training ended by {by}"),
        Event::Training { event } => format!("TRAINING {}", show(event)),
        Event::ReportedZ { number, report, .. } => format!(
            "Z {number}: {} receipts, {}",
            report.receipts.count, report.receipts.amount
        ),
        Event::Completed { receipt, .. } => format!(
            "receipt {}, total {}, change {}",
            receipt.id, receipt.totals.total, receipt.change
        ),
    }
}
