//! A lane in memory: the real rules and prices over a small made-up store, without journal, network
//! or siblings. What the example window and the tests show and drive.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use api::{
    Done, HqStatus, ItemFound, Lane, LaneStatus, LaneView, Mode, PeerStatus, PrinterStatus,
    Problem, Ticket, Update,
};
use catalog::{
    BookVersion, Customer, CustomerId, Department, DepartmentId, Employee, EmployeeId, Gtin, Item,
    ItemCode, ItemId, Language, Reference, Role, Settings, TaxCategory, TaxId, Tier,
};
use money::{Currency, Money, Rate, Unit};
use promotions::{CompiledBook, PromotionFile};
use sale::{
    Command, Context, LaneId, LocalRights, LocalTime, NothingShared, Pin, Register, StoreId,
    decide, evolve, price,
};

/// A Friday morning.
const NOW: LocalTime = LocalTime {
    unix_ms: 1_795_783_620_000,
    offset_minutes: -300,
};

/// Identity, description, department, tax, price, unit.
type Row = (&'static str, &'static str, &'static str, &'static str, Unit);

const ITEMS: &[Row] = &[
    (
        "10001",
        "Whole wheat bread 500 g",
        "bakery",
        "2.79",
        Unit::Each,
    ),
    ("10002", "Milk 1 l", "dairy", "1.09", Unit::Each),
    (
        "10003",
        "Yogurt strawberry 150 g",
        "dairy",
        "0.89",
        Unit::Each,
    ),
    ("10004", "Butter 250 g", "dairy", "2.49", Unit::Each),
    ("10005", "Cola 0.5 l", "drinks", "1.49", Unit::Each),
    ("10006", "Mineral water 1.5 l", "drinks", "0.69", Unit::Each),
    ("10007", "Red wine Rioja 0.75 l", "wine", "7.99", Unit::Each),
    ("10008", "Lager 0.33 l", "wine", "1.29", Unit::Each),
    (
        "10009",
        "Dark chocolate 70 % 100 g",
        "sweets",
        "2.29",
        Unit::Each,
    ),
    ("10010", "Coffee beans 500 g", "grocery", "8.99", Unit::Each),
    (
        "10011",
        "Extra virgin olive oil from the southern hills, cold pressed, 750 ml",
        "grocery",
        "14.90",
        Unit::Each,
    ),
    ("10012", "Spaghetti 500 g", "grocery", "1.19", Unit::Each),
    ("10013", "Toothpaste 75 ml", "household", "2.95", Unit::Each),
    ("10014", "Dish soap 500 ml", "household", "1.85", Unit::Each),
    (
        "10015",
        "Gouda mature, sliced",
        "cheese",
        "12.90",
        Unit::Kilogram,
    ),
    ("4011", "Bananas", "produce", "1.99", Unit::Kilogram),
    ("4131", "Apples Fuji", "produce", "3.49", Unit::Kilogram),
    ("4087", "Tomatoes Roma", "produce", "2.99", Unit::Kilogram),
];

const PROMOTIONS: &str = r#"
schema = 2
manual_max = { supervisor = 20 }

[[promotion]]
id = "cola-week"
name = "Cola: 3 for 3.50"
n_for = { units = 3, price = "3.50" }
items = ["10005"]

[[promotion]]
id = "fruit-friday"
name = "Fruit Friday 20 % off"
percent_off = 20
departments = ["produce"]

[[promotion]]
id = "gold-coffee"
name = "Gold card: coffee 1.50 off"
amount_off = "1.50"
items = ["10010"]
tiers = ["gold"]

[[promotion]]
id = "butter-coupon"
name = "Butter coupon"
amount_off = "1.00"
items = ["10004"]
coupon = "SPRING"

[[promotion]]
id = "cash-soap"
name = "Dish soap for cash"
amount_off = "0.50"
items = ["10014"]
tender = "cash"
"#;

/// The barcode of an item by its number: an own GTIN-13 in the range 20.
pub fn barcode(item: &str) -> String {
    let digits: u64 = format!("20{:0>10}", item).parse().expect("digits only");
    format!("{digits}{}", Gtin::check_digit(digits))
}

struct Store {
    items: Vec<Item>,
    settings: Settings,
}

impl Store {
    fn new() -> Store {
        Store {
            items: ITEMS.iter().map(item).collect(),
            settings: Settings {
                store_name: "Harbour Street Market".to_owned(),
                address: vec!["12 Quay Street".to_owned()],
                ..Settings::default()
            },
        }
    }
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).expect("a literal amount")
}

fn item((id, description, department, price, unit): &Row) -> Item {
    let code = match *department {
        "produce" => ItemCode::parse_plu(id),
        _ => ItemCode::parse(&barcode(id)),
    };
    Item {
        id: ItemId::from(*id),
        description: (*description).to_owned(),
        department: DepartmentId::from(*department),
        brand: None,
        sold_by: *unit,
        price: usd(price),
        earlier_prices: Vec::new(),
        price_since: BookVersion(0),
        tax: TaxId::from(match *department {
            "drinks" | "wine" | "household" => "standard",
            _ => "food",
        }),
        age_min: (*department == "wine").then_some(18),
        deposit: (*department == "drinks").then(|| usd("0.25")),
        codes: vec![code.expect("a literal code")],
        selling: Default::default(),
    }
}

impl Reference for Store {
    fn version(&self) -> BookVersion {
        BookVersion(3)
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
        let (name, rate) = match id.0.as_str() {
            "food" => ("Food", "2.25"),
            "standard" => ("Sales tax", "8.25"),
            _ => return None,
        };
        Some(TaxCategory {
            id: id.clone(),
            name: name.to_owned(),
            rate: Rate::parse_percent(rate).expect("a literal rate"),
            included: false,
            parts: Vec::new(),
        })
    }

    fn employee(&self, id: &EmployeeId) -> Option<Employee> {
        let (name, role, pin) = match id.0.as_str() {
            "101" => ("Ann Miller", Role::Cashier, "1234"),
            "201" => ("Sam Ortega", Role::Supervisor, "2222"),
            _ => return None,
        };
        Some(Employee {
            id: id.clone(),
            name: name.to_owned(),
            role,
            pin_hash: pin.to_owned(),
        })
    }

    fn customer(&self, id: &CustomerId) -> Option<Customer> {
        (id.0 == "900017").then(|| Customer {
            id: id.clone(),
            name: "Eva Lind".to_owned(),
            tier: Tier::Gold,
            phone: None,
            detail: Default::default(),
        })
    }

    fn settings(&self) -> Settings {
        self.settings.clone()
    }
}

/// The lane's inside, shared by the lane in the window and whoever steers it.
pub struct Inside {
    store: Store,
    book: CompiledBook,
    pub register: Register,
    pub mode: Mode,
    pub hq: HqStatus,
    pub printer: Option<PrinterStatus>,
    /// The receipts that were printed on request.
    pub printed: Vec<String>,
    pub warnings: Vec<String>,
    /// While set, commands are kept instead of being answered.
    pub held: bool,
    /// While set, every command is answered with it.
    pub problem: Option<Problem>,
    pub kept: Vec<(Ticket, Command)>,
    out: Vec<Update>,
    /// What was carried out, in order.
    pub done: Vec<Command>,
}

/// Steers a lane that a window has.
#[derive(Clone)]
pub struct Handle(pub Rc<RefCell<Inside>>);

struct InMemory(Handle);

/// A lane that is up, with its handle.
pub fn lane() -> (Box<dyn Lane>, Handle) {
    let file = PromotionFile::parse(PROMOTIONS).expect("the promotions above are sound");
    let inside = Inside {
        store: Store::new(),
        book: CompiledBook::compile(&file, Currency::USD).expect("the amounts above are sound"),
        register: Register::default(),
        mode: Mode::Together,
        hq: HqStatus {
            configured: true,
            lag_entries: 0,
            published: 0,
            problem: None,
        },
        printer: None,
        printed: Vec::new(),
        warnings: Vec::new(),
        held: false,
        problem: None,
        kept: Vec::new(),
        out: Vec::new(),
        done: Vec::new(),
    };
    let handle = Handle(Rc::new(RefCell::new(inside)));
    handle.show();
    (Box::new(InMemory(handle.clone())), handle)
}

impl Lane for InMemory {
    fn submit(&mut self, ticket: Ticket, command: Command) {
        self.0.0.borrow_mut().submit(ticket, command);
    }

    fn search(&mut self, ticket: Ticket, words: &str) {
        self.0.0.borrow_mut().search(ticket, words);
    }

    fn print(&mut self, receipt: &str) {
        self.0.0.borrow_mut().print(receipt);
    }

    fn poll(&mut self) -> Vec<Update> {
        std::mem::take(&mut self.0.0.borrow_mut().out)
    }
}

impl Handle {
    /// Changes something and shows it.
    pub fn set(&self, change: impl FnOnce(&mut Inside)) {
        change(&mut self.0.borrow_mut());
        self.show();
    }

    pub fn show(&self) {
        let mut inside = self.0.borrow_mut();
        let view = inside.view();
        inside.out.push(Update::View(Arc::new(view)));
    }
}

impl Inside {
    /// Carries a command out, or refuses it, or keeps it.
    pub fn submit(&mut self, ticket: Ticket, command: Command) {
        if self.held {
            return self.kept.push((ticket, command));
        }
        if let Some(problem) = self.problem.clone() {
            let answer = Err(problem);
            return self.out.push(Update::Answer { ticket, answer });
        }
        let answer = match self.decide(&command) {
            Ok(events) => {
                for event in &events {
                    evolve(&mut self.register, event);
                }
                self.done.push(command);
                Ok(Done { seq: 1, events })
            }
            Err(refusal) => Err(Problem::refused(refusal, Language::English)),
        };
        let view = self.view();
        self.out.push(Update::View(Arc::new(view)));
        self.out.push(Update::Answer { ticket, answer });
    }

    fn decide(&self, command: &Command) -> Result<Vec<sale::Event>, sale::Refusal> {
        let context = Context {
            reference: &self.store,
            book: &self.book,
            newest: &self.book,
            requotes: true,
            limits: true,
            now: NOW,
            lane: LaneId([1; 16]),
            lane_number: 1,
            lane_name: "Lane 1",
            shared: &NothingShared,
            rights: &LocalRights,
            terminal: None,
            pin_matches: &|employee: &Employee, pin: &Pin| employee.pin_hash == pin.0,
        };
        decide(&self.register, command, &context)
    }

    fn print(&mut self, receipt: &str) {
        let has_printer = self.printer.is_some();
        if has_printer {
            self.printed.push(receipt.to_owned());
        }
        let kept = match has_printer {
            true => Ok(()),
            false => Err("This lane has no printer.".to_owned()),
        };
        self.out.push(Update::Printing(kept));
    }

    fn search(&mut self, ticket: Ticket, words: &str) {
        let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let items = self.store.items.iter().filter(|item| {
            let description = item.description.to_lowercase();
            words.iter().all(|word| description.contains(word.as_str()))
        });
        let items = items.map(|item| ItemFound {
            code: match item.department.0.as_str() {
                "produce" => item.id.to_string(),
                _ => barcode(&item.id.0),
            },
            description: item.description.clone(),
            department: item.department.to_string(),
            price: match item.sold_by {
                Unit::Each => item.price.to_string(),
                Unit::Kilogram => format!("{} /kg", item.price),
            },
        });
        let items = items.collect();
        self.out.push(Update::Found { ticket, items });
    }

    fn view(&self) -> LaneView {
        let cart = self.register.cart.as_ref();
        LaneView {
            store: StoreId([9; 16]),
            store_name: self.store.settings.store_name.clone(),
            address: self.store.settings.address.clone(),
            receipt_footer: self.store.settings.receipt_footer.clone(),
            language: self.store.settings.language,
            lane: LaneId([1; 16]),
            lane_number: 1,
            lane_name: "Lane 1".to_owned(),
            currency: Currency::USD,
            now: NOW,
            register: self.register.clone(),
            hints: cart.map_or(Vec::new(), |cart| {
                let totals = price(cart, &self.book, NOW, Currency::USD);
                sale::hints(cart, &self.book, NOW, &totals)
            }),
            used_up: cart.map_or(Vec::new(), |cart| {
                sale::used_up(cart, &self.book, NOW, false)
            }),
            newest_total: None,
            totals: cart.map(|cart| price(cart, &self.book, NOW, Currency::USD)),
            status: self.status(),
        }
    }

    fn status(&self) -> LaneStatus {
        let away = |number| match self.mode {
            Mode::Together | Mode::Stop { .. } => false,
            Mode::Partial { .. } => number == 3,
            Mode::Alone { .. } => number != 1,
        };
        let leader = if away(2) { 1 } else { 2 };
        let lanes = (1..=3).map(|number| PeerStatus {
            lane: LaneId([u8::try_from(number).unwrap_or(0); 16]),
            number,
            name: format!("Lane {number}"),
            this_lane: number == 1,
            reachable: !away(number),
            leader: number == leader && !away(2),
            voter: true,
        });
        LaneStatus {
            mode: self.mode.clone(),
            term: 4,
            leader: (!away(2)).then(|| "Lane 2".to_owned()),
            is_leader: false,
            applied_index: 1042,
            committed_index: 1042,
            state_hash: "5e1f0c".to_owned(),
            journal_seq: 311,
            unshared_entries: 0,
            unshared_sales: match self.mode {
                Mode::Alone { unshared, .. } => unshared,
                _ => 0,
            },
            receipts: self.register.receipts,
            book_version: 3,
            items: self.store.items.len() as u64,
            exceptions: 0,
            lanes: lanes.collect(),
            hq: self.hq.clone(),
            printer: self.printer.clone(),
            warnings: self.warnings.clone(),
        }
    }
}
