//! The state of a register: the fold of its events.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::{BookVersion, CustomerId, EmployeeId, Role, Tier};
use money::Money;
use serde::{Deserialize, Serialize};

use crate::tally::cash_effect;
use crate::{
    BusinessDay, Cards, CartId, Event, Kept, Line, LocalTime, Receipt, Tally, Tender, Terms,
    Training, WrongPins, card, suspend, terms,
};

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cashier {
    pub employee: EmployeeId,
    pub name: String,
    pub role: Role,
    pub since: LocalTime,
}

/// Where a cart stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Phase {
    Selling,
    /// Prices are fixed as of `at`.
    Paying {
        at: LocalTime,
        due: Money,
    },
}

/// An open basket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    pub id: CartId,
    pub book: BookVersion,
    pub day: BusinessDay,
    pub opened_at: LocalTime,
    pub reference: Option<String>,
    pub lines: Vec<Line>,
    pub customer: Option<(CustomerId, String, Tier)>,
    /// The age that was confirmed, in whole years; 0 while none was.
    pub age_confirmed: u8,
    pub phase: Phase,
    pub tenders: Vec<Tender>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What decides on its price besides its lines.
    #[serde(default, skip_serializing_if = "terms::is_plain")]
    pub terms: Terms,
    /// Set while it is kept as an open document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Box<Kept>>,
}

/// A drawer in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawer {
    /// Whose drawer it is.
    pub assigned: EmployeeId,
    pub opened_at: LocalTime,
    /// What should be in it, in minor units; below zero once more went out than came in. Never
    /// shown before it is counted.
    pub cash_minor: i64,
}

impl Cart {
    pub fn line(&self, number: u32) -> Option<&Line> {
        self.lines.iter().find(|l| l.number == number && !l.voided)
    }

    /// Lines that count.
    pub fn live_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.voided)
    }

    /// Gives it the promotions of another book, and these lines other prices.
    pub(crate) fn quote_anew(&mut self, book: BookVersion, prices: &BTreeMap<u32, Money>) {
        self.book = book;
        for line in &mut self.lines {
            if let Some(price) = prices.get(&line.number) {
                line.unit_price = *price;
            }
        }
    }

    pub fn paid(&self) -> Option<Money> {
        let mut tenders = self.tenders.iter().map(Tender::amount);
        let first = tenders.next()?;
        Some(tenders.fold(first, |sum, amount| sum + amount))
    }
}

/// Everything a lane's register remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    pub cashier: Option<Cashier>,
    pub cart: Option<Cart>,
    /// Number of the last cart opened.
    pub carts: u64,
    /// Number of receipts printed.
    pub receipts: u64,
    pub last_receipt: Option<Box<Receipt>>,
    /// Wrong PINs since the last right one of each number.
    #[serde(default, skip_serializing_if = "WrongPins::is_empty")]
    pub wrong_pins: WrongPins,
    /// The business day that was opened; none while days follow the calendar.
    #[serde(default)]
    pub day: Option<BusinessDay>,
    #[serde(default)]
    pub drawer: Option<Drawer>,
    /// Sums since the last Z report.
    #[serde(default)]
    pub period: Arc<Tally>,
    /// Number of the last Z report.
    #[serde(default)]
    pub reports_z: u64,
    /// Number of the last slip of a suspended sale.
    #[serde(default)]
    pub slips: u64,
    /// How many customers were made known here.
    #[serde(default, skip_serializing_if = "terms::is_plain")]
    pub customers: u64,
    /// What the card terminal is asked.
    #[serde(default, skip_serializing_if = "Cards::is_plain")]
    pub cards: Cards,
    /// Set while the lane is in training: everything is rung up there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Box<Training>>,
    /// This register is one of a training.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_training: bool,
}

impl Register {
    /// Where things are rung up: itself, or the register of its training.
    pub fn working(&self) -> &Register {
        let training = self.training.as_ref();
        training.map_or(self, |training| &training.register)
    }

    /// The register where things are rung up as its window may show it: without the sums, and without
    /// what should be in the drawer, because counts are blind.
    pub fn shown(&self) -> Register {
        let mut shown = self.working().clone();
        shown.wrong_pins.clone_from(&self.wrong_pins);
        shown.period = Arc::default();
        if let Some(drawer) = &mut shown.drawer {
            drawer.cash_minor = 0;
        }
        shown
    }
}

/// Folds one event into the state. Events come from `decide` or from the journal, in order; one
/// that does not fit the state changes nothing.
pub fn evolve(register: &mut Register, event: &Event) {
    tally(register, event);
    match event {
        Event::SignedIn {
            employee,
            name,
            role,
            at,
        } => {
            register.wrong_pins.forgive(employee);
            register.cashier = Some(Cashier {
                employee: employee.clone(),
                name: name.clone(),
                role: *role,
                since: *at,
            });
        }
        Event::SignInFailed { employee, at } => register.wrong_pins.add(employee, *at),
        Event::SignedOut { .. } => register.cashier = None,
        Event::CartOpened {
            cart,
            book,
            day,
            at,
            reference,
            place,
        } => {
            register.carts = cart.number;
            register.cart = Some(Cart {
                id: *cart,
                book: *book,
                day: day.clone(),
                opened_at: *at,
                reference: reference.clone(),
                lines: Vec::new(),
                customer: None,
                age_confirmed: 0,
                phase: Phase::Selling,
                tenders: Vec::new(),
                notes: Vec::new(),
                terms: Terms {
                    place: place.clone(),
                    ..Terms::default()
                },
                kept: None,
            });
        }
        Event::CartVoided { cart, .. } => close(register, *cart),
        Event::Completed { cart, receipt } => {
            close(register, *cart);
            register.receipts += 1;
            register.last_receipt = Some(receipt.clone());
        }
        Event::LineAdded { cart, .. }
        | Event::QuantityChanged { cart, .. }
        | Event::PriceOverridden { cart, .. }
        | Event::LineVoided { cart, .. }
        | Event::AgeConfirmed { cart, .. }
        | Event::CustomerSet { cart, .. }
        | Event::TenderStarted { cart, .. }
        | Event::Tendered { cart, .. }
        | Event::TaxOverridden { cart, .. }
        | Event::Noted { cart, .. }
        | Event::TenderVoided { cart, .. }
        | Event::CouponTaken { cart, .. }
        | Event::CouponReturned { cart, .. }
        | Event::DiscountGiven { cart, .. }
        | Event::DiscountVoided { cart, .. }
        | Event::TenderQuoted { cart, .. }
        | Event::Requoted { cart, .. }
        | Event::LimitsKnown { cart, .. }
        | Event::TendersReturned { cart } => {
            if let Some(open) = register.cart.as_mut().filter(|open| open.id == *cart) {
                evolve_cart(open, event);
            }
        }
        Event::Suspended { slip, open, .. } => {
            register.slips = suspend::number_on(slip).unwrap_or(register.slips);
            close(register, open.id);
        }
        Event::Resumed { open, .. } => register.cart = Some(open.as_ref().clone()),
        Event::DayOpened { day, .. } => register.day = Some(day.clone()),
        Event::DayClosed { .. } => register.day = None,
        Event::DrawerOpened { float, by, at } => {
            register.drawer = Some(Drawer {
                assigned: by.clone(),
                opened_at: *at,
                cash_minor: float.minor(),
            });
        }
        Event::DrawerAssigned { employee, .. } => {
            if let Some(drawer) = &mut register.drawer {
                drawer.assigned = employee.clone();
            }
        }
        Event::DrawerCounted { .. } => register.drawer = None,
        Event::Approved { by, .. } => register.wrong_pins.forgive(by),
        Event::CustomerKept { created, .. } => {
            register.customers = register.customers.saturating_add(u64::from(*created));
        }
        Event::NoSale { .. }
        | Event::CashMoved { .. }
        | Event::StockMoved { .. }
        | Event::CustomersMerged { .. }
        | Event::CustomerErased { .. } => {}
        Event::CardAsked { .. }
        | Event::CardCancelled { .. }
        | Event::CardAnswered { .. }
        | Event::CardLeft { .. } => card::evolve(register, event),
        Event::TrainingBegun { by, at } => {
            let training = Training::new(by, *at, register);
            register.training = Some(Box::new(training));
        }
        Event::TrainingEnded { .. } => register.training = None,
        Event::Training { event } => {
            // A right PIN is one, whatever it is typed for.
            if let Event::Approved { by, .. } = event.as_ref() {
                register.wrong_pins.forgive(by);
            }
            if let Some(training) = &mut register.training {
                evolve(&mut training.register, event);
            }
        }
        Event::ReportedZ { number, .. } => {
            register.reports_z = *number;
            register.period = Arc::default();
        }
    }
}

/// Adds the event to the sums of the period and to what should be in the drawer.
fn tally(register: &mut Register, event: &Event) {
    if Tally::counts(event) {
        Arc::make_mut(&mut register.period).add(event);
    }
    if let Some(drawer) = &mut register.drawer {
        drawer.cash_minor = drawer.cash_minor.saturating_add(cash_effect(event));
    }
}

fn close(register: &mut Register, cart: CartId) {
    register.cart.take_if(|open| open.id == cart);
}

fn evolve_cart(cart: &mut Cart, event: &Event) {
    let line_mut = |cart: &mut Cart, number: u32, change: &dyn Fn(&mut Line)| {
        if let Some(line) = cart.lines.iter_mut().find(|l| l.number == number) {
            change(line);
        }
    };
    match event {
        Event::LineAdded { line, .. } => cart.lines.push(line.clone()),
        Event::QuantityChanged { line, quantity, .. } => {
            line_mut(cart, *line, &|l| l.quantity = *quantity);
        }
        Event::PriceOverridden {
            line,
            unit_price,
            reason,
            ..
        } => line_mut(cart, *line, &|l| {
            l.unit_price = *unit_price;
            l.price_override = Some(reason.clone());
        }),
        Event::LineVoided { line, .. } => line_mut(cart, *line, &|l| l.voided = true),
        Event::TaxOverridden {
            line, tax, reason, ..
        } => line_mut(cart, *line, &|l| {
            l.tax = tax.clone();
            l.detail.tax_override = Some(reason.clone());
        }),
        Event::Noted { line, text, .. } => match line {
            Some(line) => line_mut(cart, *line, &|l| l.detail.notes.push(text.clone())),
            None => cart.notes.push(text.clone()),
        },
        Event::AgeConfirmed { years, .. } => cart.age_confirmed = cart.age_confirmed.max(*years),
        Event::CustomerSet {
            customer,
            name,
            tier,
            standing,
            ..
        } => {
            cart.customer = Some((customer.clone(), name.clone(), *tier));
            cart.terms.standing = standing.as_ref().clone();
        }
        Event::Requoted { book, prices, .. } => cart.quote_anew(*book, prices),
        Event::TenderStarted { at, due, .. } => cart.phase = Phase::Paying { at: *at, due: *due },
        Event::Tendered { tender, .. } => cart.tenders.push(tender.clone()),
        Event::TendersReturned { .. } => {
            cart.tenders.clear();
            cart.phase = Phase::Selling;
        }
        Event::TenderVoided { number, .. } => {
            let place = usize::try_from(*number).unwrap_or(usize::MAX);
            if (1..=cart.tenders.len()).contains(&place) {
                cart.tenders.remove(place - 1);
            }
            if cart.tenders.is_empty() {
                cart.phase = Phase::Selling;
            }
        }
        _ => terms::evolve(&mut cart.terms, event),
    }
}
