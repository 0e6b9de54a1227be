//! A register, its terminal and the network between them, with everything lost that can be: what the
//! register's receipts say was paid by card is what the terminal charged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use catalog::{
    BookVersion, Customer, CustomerId, Department, DepartmentId, Employee, EmployeeId, Item,
    ItemCode, ItemId, Reference, Role, Settings, TaxCategory, TaxId,
};
use devices::nexo::{Behaviour, Script, Simulator, Terminal, TerminalSettings};
use money::{Currency, Money, Rate, Unit};
use promotions::{CompiledBook, PromotionFile};
use sale::{
    CardAnswer, CardAsk, CardOpen, CardWork, Command, Context, Event, LaneId, LocalRights,
    LocalTime, NothingShared, PayWith, Phase, Pin, Receipt, Refusal, Register, Tender,
    card_answered, decide, evolve,
};
use testkit::sums::assert_balances;

/// By each of the tills.
const PAYMENTS: u64 = 1250;
const TILLS: u64 = 8;
const TIME: &str = "2026-11-27T09:00:00Z";
/// After so many cards that were not charged, a customer pays cash.
const CARDS_TRIED_MAX: u32 = 3;
/// The most questions that wait for a person before they are asked about again.
const LEFT_MAX: usize = 50;

/// Random numbers from one seed, with the constants of Knuth's MMIX.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What the shop knows: soup, and two people.
struct Books;

impl Reference for Books {
    fn version(&self) -> BookVersion {
        BookVersion(1)
    }

    fn item(&self, id: &ItemId) -> Option<Item> {
        (id.0 == "soup").then(|| Item {
            id: id.clone(),
            description: "Soup".to_owned(),
            department: DepartmentId::from("grocery"),
            brand: None,
            sold_by: Unit::Each,
            price: Money::from_minor(137, Currency::USD),
            earlier_prices: Vec::new(),
            price_since: BookVersion(1),
            tax: TaxId::from("food"),
            age_min: None,
            deposit: None,
            codes: Vec::new(),
            selling: Default::default(),
        })
    }

    fn item_by_code(&self, code: &ItemCode) -> Option<Item> {
        match code {
            ItemCode::Internal(number) => self.item(&ItemId(number.clone())),
            _ => None,
        }
    }

    fn department(&self, _id: &DepartmentId) -> Option<Department> {
        None
    }

    fn tax(&self, id: &TaxId) -> Option<TaxCategory> {
        Some(TaxCategory {
            id: id.clone(),
            name: "Food".to_owned(),
            rate: Rate::from_percent(2),
            included: true,
            parts: Vec::new(),
        })
    }

    fn employee(&self, id: &EmployeeId) -> Option<Employee> {
        let role = match id.0.as_str() {
            "101" => Role::Cashier,
            "102" => Role::Supervisor,
            _ => return None,
        };
        Some(Employee {
            id: id.clone(),
            name: "Ada".to_owned(),
            role,
            pin_hash: "1111".to_owned(),
        })
    }

    fn customer(&self, _id: &CustomerId) -> Option<Customer> {
        None
    }

    fn settings(&self) -> Settings {
        Settings::default()
    }
}

/// A register whose journal survives it, and its terminal.
struct Till {
    register: Register,
    journal: Vec<Event>,
    /// The register as it was folded last, and how many events that took.
    folded: (Register, usize),
    now: LocalTime,
    book: CompiledBook,
    terminal: Terminal,
    /// The network to the terminal is down.
    away: Arc<AtomicBool>,
    /// Questions that the terminal may have heard.
    heard: BTreeSet<u64>,
    dice: Dice,
    crashes: u32,
}

impl Till {
    fn with<T>(&self, look: impl FnOnce(&Context<'_>) -> T) -> T {
        look(&Context {
            reference: &Books,
            book: &self.book,
            newest: &self.book,
            requotes: true,
            limits: true,
            now: self.now,
            lane: LaneId([1; 16]),
            lane_number: 1,
            lane_name: "Lane 1",
            shared: &NothingShared,
            rights: &LocalRights,
            terminal: Some("POI-1"),
            pin_matches: &|employee, pin| employee.pin_hash == pin.0,
        })
    }

    fn keep(&mut self, events: Vec<Event>) {
        self.now.unix_ms += 1000;
        for event in events {
            evolve(&mut self.register, &event);
            self.journal.push(event);
        }
    }

    fn submit(&mut self, command: &Command) -> Result<(), Refusal> {
        let events = self.with(|context| decide(&self.register, command, context))?;
        self.keep(events);
        Ok(())
    }

    fn done(&mut self, command: &Command) {
        if let Err(refusal) = self.submit(command) {
            panic!("{command:?}: {refusal}");
        }
    }

    fn answered(&mut self, number: u64, answer: &CardAnswer) {
        let events = self.with(|context| card_answered(&self.register, number, answer, context));
        self.keep(events.expect("the question is open, or left"));
    }

    /// The lane's process dies, and another one begins with the journal.
    fn crash(&mut self) {
        let (mut register, from) = self.folded.clone();
        for event in &self.journal[from..] {
            evolve(&mut register, event);
        }
        assert_eq!(register, self.register);
        self.folded = (register, self.journal.len());
        // Whatever is written down may have been heard.
        let cards = &self.register.cards;
        let pending = cards.open.as_deref().into_iter().chain(cards.left.values());
        self.heard.extend(pending.map(|open| open.ask.number));
        self.crashes += 1;
    }

    /// Has the terminal do what was never asked, and else asks what became of it.
    fn ask(&mut self, ask: &CardAsk) -> CardAnswer {
        match self.heard.insert(ask.number) {
            true => self.terminal.carry_out(ask, TIME, "0.1.0"),
            false => self.terminal.what_became_of(ask),
        }
    }

    fn network_is_back(&mut self) {
        self.away.store(false, Ordering::SeqCst);
    }

    /// The question for which the sale waits comes a step further.
    fn wait_for(&mut self, open: &CardOpen) {
        let number = open.ask.number;
        if open.doubt.is_some() {
            match self.dice.percent(50) {
                true => self.network_is_back(),
                false => {
                    let left = Command::LeaveCard {
                        reason: "the customer has to go".to_owned(),
                    };
                    self.done(&Command::Approved {
                        employee: "102".into(),
                        pin: Pin("1111".to_owned()),
                        command: Box::new(left),
                    });
                    return;
                }
            }
        } else if !open.cancelled && self.dice.percent(2) {
            self.done(&Command::CancelCard);
        } else if self.dice.percent(1) {
            self.crash();
        }
        let answer = self.ask(&open.ask);
        if self.dice.percent(1) {
            // Nobody wrote the answer down.
            self.crash();
            return;
        }
        self.answered(number, &answer);
    }

    /// Asks about everything that was left to a person.
    fn ask_about_left(&mut self) {
        self.network_is_back();
        let left: Vec<CardAsk> = self
            .register
            .cards
            .left
            .values()
            .map(|o| o.ask.clone())
            .collect();
        for ask in left {
            let answer = self.ask(&ask);
            self.answered(ask.number, &answer);
        }
    }

    fn sell(&mut self) {
        if self.dice.percent(70) {
            self.network_is_back();
        }
        let pieces = 1 + self.dice.below(9);
        self.done(&Command::Scan {
            code: "soup".to_owned(),
            quantity: Some(pieces.to_string()),
        });
        let mut tried = 0;
        while let Some(cart) = self.register.cart.clone() {
            if let Some(open) = self.register.cards.open.clone() {
                self.wait_for(&open);
                continue;
            }
            let by_card = |tender: &Tender| matches!(tender, Tender::Card { .. });
            if cart.tenders.iter().any(by_card) && self.dice.percent(20) {
                self.done(&Command::VoidTender { number: 1 });
                continue;
            }
            if tried == CARDS_TRIED_MAX {
                self.done(&Command::TenderCash { amount: None });
                continue;
            }
            tried += 1;
            let is_first = matches!(cart.phase, Phase::Selling);
            let part = is_first && pieces > 1 && self.dice.percent(20);
            self.done(&Command::Tender {
                with: PayWith::Card { tip: None },
                amount: part.then(|| "1.37".to_owned()),
            });
        }
    }

    fn payments(&self) -> u64 {
        let asked = self.journal.iter().filter(|event| match event {
            Event::CardAsked { ask } => matches!(ask.work, CardWork::Pay { .. }),
            _ => false,
        });
        u64::try_from(asked.count()).expect("few")
    }
}

/// What a random payment meets; now and then the network is down once it was charged, or not.
fn script(mut dice: Dice, away: Arc<AtomicBool>) -> Script {
    Box::new(move |_| {
        let lost = match dice.below(100) {
            0..15 => Behaviour::DropBefore,
            15..30 => Behaviour::DropAfter,
            30..40 => return Behaviour::Decline,
            40..45 => return Behaviour::ApproveOffline,
            45..50 => return Behaviour::Delay(Duration::from_micros(50)),
            _ => return Behaviour::Approve,
        };
        if dice.percent(30) {
            away.store(true, Ordering::SeqCst);
        }
        lost
    })
}

fn count(journal: &[Event], is_it: impl Fn(&Event) -> bool) -> usize {
    journal.iter().filter(|event| is_it(event)).count()
}

/// What happened at tills.
#[derive(Debug, Default)]
struct Counts {
    payments: u64,
    charges: usize,
    taken_back: usize,
    receipts: usize,
    crashes: u32,
    in_doubt: usize,
    left: usize,
    found_out: usize,
    /// Which a person has to look at in the end.
    told: usize,
}

/// Ten thousand payments: no customer is charged twice, none for nothing, and no receipt is unpaid,
/// except where a person was told.
#[test]
fn what_receipts_say_was_paid_by_card_is_what_was_charged() {
    let seed = 0x0ff1_ce0f_cafe;
    println!("seeds {seed:#x} and after");
    // Most of the time they wait for each other's terminals.
    let tills: Vec<_> = (0..TILLS)
        .map(|till| std::thread::spawn(move || work(seed + 3 * till)))
        .collect();
    let mut sum = Counts::default();
    for till in tills {
        let counts = till.join().expect("the till's sums are right");
        sum.payments += counts.payments;
        sum.charges += counts.charges;
        sum.taken_back += counts.taken_back;
        sum.receipts += counts.receipts;
        sum.crashes += counts.crashes;
        sum.in_doubt += counts.in_doubt;
        sum.left += counts.left;
        sum.found_out += counts.found_out;
        sum.told += counts.told;
    }
    println!("{sum:#?}");
    // All of it happened.
    for happened in [sum.in_doubt, sum.left, sum.found_out, sum.taken_back] {
        assert!(happened > 50, "{happened}");
    }
    assert!(sum.told > 0 && sum.crashes > 50 && sum.payments >= PAYMENTS * TILLS);
}

fn work(seed: u64) -> Counts {
    let away = Arc::new(AtomicBool::new(false));
    let simulator = Simulator::start(0, script(Dice(seed), away.clone())).expect("a free port");
    let mut losses = Dice(seed ^ 1);
    let is_away = away.clone();
    simulator.set_losing(Box::new(move || {
        is_away.load(Ordering::SeqCst) || losses.percent(5)
    }));
    let file = PromotionFile::parse("schema = 2").expect("no promotions");
    let mut till = Till {
        register: Register::default(),
        journal: Vec::new(),
        folded: (Register::default(), 0),
        now: LocalTime {
            unix_ms: 1_795_773_600_000,
            offset_minutes: 0,
        },
        book: CompiledBook::compile(&file, Currency::USD).expect("no promotions"),
        terminal: Terminal::new(TerminalSettings {
            address: simulator.address(),
            sale_id: "Lane 1".to_owned(),
            poi_id: "POI-1".to_owned(),
            connect_limit: Duration::from_secs(20),
            answer_limit: Duration::from_secs(20),
            doubt_limit: Duration::from_millis(3),
            ask_again_every: Duration::from_millis(1),
        }),
        away,
        heard: BTreeSet::new(),
        dice: Dice(seed ^ 2),
        crashes: 0,
    };
    till.done(&Command::SignIn {
        employee: "101".into(),
        pin: Pin("1111".to_owned()),
    });
    while till.payments() < PAYMENTS {
        till.sell();
        if till.dice.percent(3) || till.register.cards.left.len() > LEFT_MAX {
            till.ask_about_left();
        }
    }
    simulator.set_losing(Box::new(|| false));
    while !till.register.cards.left.is_empty() {
        till.ask_about_left();
    }
    check(&till, &simulator)
}

/// The register's receipts against the terminal's charges.
fn check(till: &Till, simulator: &Simulator) -> Counts {
    let charges = simulator.charges();
    // What a person was told: a charge was to be taken back, and nobody knows whether it was.
    let told: BTreeSet<String> = till
        .journal
        .iter()
        .filter_map(|event| match event {
            Event::CardLeft { ask, .. } => match &ask.work {
                CardWork::Reverse { original, .. } => Some(original.at_terminal()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let receipts: Vec<&Receipt> = till
        .journal
        .iter()
        .filter_map(|event| match event {
            Event::Completed { receipt, .. } => Some(receipt.as_ref()),
            _ => None,
        })
        .collect();
    let mut paid: BTreeMap<String, &str> = BTreeMap::new();
    for receipt in &receipts {
        assert_balances(receipt);
        for tender in &receipt.tenders {
            let Tender::Card { amount, card } = tender else {
                continue;
            };
            let id = card.approval.transaction.at_terminal();
            let place: usize = id.parse().expect("a number");
            let charge = &charges[place - 1];
            assert_eq!(charge.amount, amount.to_string(), "{}", receipt.id);
            assert!(
                !charge.reversed || told.contains(&id),
                "{} is unpaid",
                receipt.id
            );
            let before = paid.insert(id, &receipt.id);
            assert_eq!(before, None, "{} counts it, too", receipt.id);
        }
    }
    for (number, charge) in (1..).zip(&charges) {
        let id = number.to_string();
        let counts = paid.contains_key(&id) || charge.reversed || told.contains(&id);
        assert!(counts, "{charge:?} paid for nothing");
    }
    Counts {
        payments: till.payments(),
        charges: charges.len(),
        taken_back: charges.iter().filter(|charge| charge.reversed).count(),
        receipts: receipts.len(),
        crashes: till.crashes,
        in_doubt: count(&till.journal, |event| match event {
            Event::CardAnswered { answer, .. } => matches!(answer, CardAnswer::Doubtful { .. }),
            _ => false,
        }),
        left: count(&till.journal, |e| matches!(e, Event::CardLeft { .. })),
        found_out: count(&till.journal, |event| {
            matches!(event, Event::CardAnswered { late: true, .. })
        }),
        told: told.len(),
    }
}
