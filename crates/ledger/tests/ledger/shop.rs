//! A store in memory, and lanes that write journals for it.

use catalog::{BookVersion, Employee, EmployeeId, Item, ItemId, Record, Role, TaxId};
use ledger::{
    Command, Entry, EntryBody, ExceptionKind, Fact, Head, Hlc, LaneId, MemoryTables, Outcome,
    StoreId, StoreView, apply, computed_hash, stored_hash,
};
use money::{Currency, Money, Quantity, Rate, Unit};
use sale::{BusinessDay, CartId, Event, Line, LineTax, LocalTime, Receipt, Tender, Totals};

pub const STORE: StoreId = StoreId([0x5a; 16]);
pub const DAY: &str = "2026-11-27";

/// Lane `a`, `b`, … as the tests write them.
pub fn lane(letter: char) -> LaneId {
    LaneId([letter as u8; 16])
}

pub fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

/// The replicated state of a store, fed by hand.
#[derive(Clone, Default)]
pub struct Shop {
    pub tables: MemoryTables,
    pub index: u64,
}

impl Shop {
    /// A store that was created on lane `a`, with a lane for every further letter.
    pub fn with_lanes(letters: &str) -> Shop {
        let mut shop = Shop::default();
        for command in creation(letters) {
            shop.apply(&command);
        }
        shop
    }

    pub fn apply(&mut self, command: &Command) -> Outcome {
        self.index += 1;
        // Commands reach every replica as bytes.
        let command = Command::decode(&command.encode()).unwrap();
        let outcome = apply(&mut self.tables, self.index, &command).unwrap();
        assert_eq!(
            stored_hash(&self.tables).unwrap(),
            computed_hash(&self.tables).unwrap(),
            "the running hash is the hash of the rows"
        );
        Outcome::decode(&outcome.encode()).unwrap()
    }

    pub fn view(&self) -> StoreView<'_> {
        StoreView::new(&self.tables)
    }

    /// Changes reference data; gives the book version.
    pub fn change(&mut self, records: Vec<Record>) -> BookVersion {
        let author = "test".to_owned();
        match self.apply(&Command::Reference { author, records }) {
            Outcome::Changed { version } => version,
            other => panic!("{other:?}"),
        }
    }

    /// The exceptions so far: kind, and lane and number of the entry.
    pub fn exceptions(&self) -> Vec<(ExceptionKind, Option<(LaneId, u64)>)> {
        let list = self.view().exception_list().unwrap();
        assert_eq!(list.len() as u64, self.view().exceptions().unwrap());
        list.iter().map(|e| (e.kind, e.lane.zip(e.seq))).collect()
    }
}

/// The commands that create a store with a lane for each letter.
pub fn creation(letters: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    for (number, letter) in (1..).zip(letters.chars()) {
        let (lane, lane_name) = (lane(letter), format!("Lane {number}"));
        let peer = format!("peer-{letter}");
        if number == 1 {
            commands.push(Command::CreateStore {
                store: STORE,
                name: "Corner shop".to_owned(),
                lane,
                lane_name,
                peer,
                reads: ledger::ENTRY_FORMAT,
            });
        } else {
            commands.push(invite(number, 1_000));
            commands.push(Command::Admit {
                invitation: number,
                lane,
                lane_name,
                peer,
                now_ms: 0,
            });
        }
    }
    commands
}

pub fn invite(invitation: u32, expires_ms: u64) -> Command {
    Command::Invite {
        invitation,
        code_hash: [1; 32],
        expires_ms,
        by: lane('a'),
    }
}

/// The journal of one lane.
#[derive(Clone)]
pub struct Journal {
    pub store: StoreId,
    pub lane: LaneId,
    pub head: Head,
    pub entries: Vec<Entry>,
}

impl Journal {
    pub fn of(letter: char) -> Journal {
        Journal {
            store: STORE,
            lane: lane(letter),
            head: Head::default(),
            entries: Vec::new(),
        }
    }

    pub fn write(&mut self, fact: Fact) -> Entry {
        self.write_in_format(fact.format(), fact)
    }

    pub fn write_in_format(&mut self, v: u16, fact: Fact) -> Entry {
        let hlc = Hlc {
            wall_ms: 1_795_773_600_000 + self.head.next_seq,
            counter: 0,
        };
        self.seal(v, hlc, fact)
    }

    /// Writes it with this stamp.
    pub fn write_at(&mut self, hlc: Hlc, fact: Fact) -> Entry {
        self.seal(fact.format(), hlc, fact)
    }

    fn seal(&mut self, v: u16, hlc: Hlc, fact: Fact) -> Entry {
        let entry = Entry::seal(&EntryBody {
            v,
            store: self.store,
            lane: self.lane,
            seq: self.head.next_seq,
            prev: self.head.hash,
            hlc,
            fact,
        });
        self.head = Head {
            next_seq: self.head.next_seq + 1,
            hash: entry.hash(),
        };
        self.entries.push(entry.clone());
        entry
    }

    /// A sale: `lines` are item ids, thousandths sold and what they cost in cents.
    pub fn sell(&mut self, day: &str, lines: &[(&str, i64, i64)]) -> Entry {
        let number = self.head.next_seq;
        let receipt = receipt(
            CartId {
                lane: self.lane,
                number,
            },
            day,
            lines,
        );
        self.write(completed(receipt))
    }
}

pub fn completed(receipt: Receipt) -> Fact {
    Fact::Register {
        event: Event::Completed {
            cart: receipt.cart,
            receipt: Box::new(receipt),
        },
        request: None,
    }
}

pub fn at() -> LocalTime {
    LocalTime {
        unix_ms: 1_795_773_600_000,
        offset_minutes: -300,
    }
}

pub fn line(number: u32, item: &str, milli: i64, unit_price: Money) -> Line {
    let whole = milli % 1000 == 0;
    Line {
        number,
        item: ItemId::from(item),
        code: item.to_owned(),
        description: format!("Item {item}"),
        department: "grocery".into(),
        brand: Some("Hill Farm".to_owned()),
        quantity: if whole {
            Quantity::each(milli / 1000)
        } else {
            Quantity::grams(milli)
        },
        unit_price,
        deposit: None,
        tax: LineTax {
            id: TaxId::from("standard"),
            name: "Sales tax".to_owned(),
            rate: Rate::from_percent(8),
            included: false,
            parts: Vec::new(),
        },
        price_override: None,
        voided: false,
        detail: Default::default(),
    }
}

pub fn receipt(cart: CartId, day: &str, lines: &[(&str, i64, i64)]) -> Receipt {
    let total = usd(lines.iter().map(|(_, _, minor)| minor).sum());
    let zero = usd(0);
    Receipt {
        id: format!("1-{:06}", cart.number),
        cart,
        lane_name: "Lane 1".to_owned(),
        store_name: "Corner shop".to_owned(),
        cashier: EmployeeId::from("101"),
        cashier_name: "Ada".to_owned(),
        customer: None,
        day: BusinessDay(day.to_owned()),
        opened_at: at(),
        priced_at: at(),
        book: BookVersion(1),
        reference: None,
        lines: (1..)
            .zip(lines)
            .map(|(number, (item, milli, minor))| line(number, item, *milli, usd(*minor)))
            .collect(),
        totals: Totals {
            lines: Vec::new(),
            promotions: Vec::new(),
            taxes: Vec::new(),
            gross: total,
            discount: zero,
            deposits: zero,
            tax_added: zero,
            tax_included: zero,
            total,
            points: Vec::new(),
            next_coupons: Vec::new(),
        },
        tenders: vec![Tender::Cash {
            amount: total + usd(100),
        }],
        change: usd(100),
        detail: Default::default(),
    }
}

pub fn item(id: &str, minor: i64, codes: &[&str]) -> Item {
    Item {
        id: ItemId::from(id),
        description: format!("Item {id}"),
        department: "grocery".into(),
        brand: None,
        sold_by: Unit::Each,
        price: usd(minor),
        earlier_prices: Vec::new(),
        price_since: BookVersion(0),
        tax: TaxId::from("standard"),
        age_min: None,
        deposit: None,
        codes: codes
            .iter()
            .map(|code| catalog::ItemCode::parse(code).unwrap())
            .collect(),
        selling: Default::default(),
    }
}

pub fn employee(id: &str) -> Employee {
    Employee {
        id: EmployeeId::from(id),
        name: format!("Employee {id}"),
        role: Role::Cashier,
        pin_hash: "$argon2id$…".to_owned(),
    }
}
