//! From a command to events, or a refusal. Changes nothing itself.

use catalog::{Action, CustomerId, Employee, Reference};
use money::{Money, Quantity, Unit};
use promotions::CompiledBook;

use crate::people::Who;
use crate::{
    Cart, CartId, CashMovement, Cashier, Command, Event, LaneId, Line, LocalTime, Phase, Pin,
    Receipt, ReceiptDetail, Refusal, Register, Shared, Tender, drawer, lines, people, price, scan,
    suspend,
};

/// What a decision may look at besides the register itself.
pub struct Context<'a> {
    pub reference: &'a dyn Reference,
    /// The promotions that the open cart pinned; the newest ones while no cart is open.
    pub book: &'a CompiledBook,
    pub now: LocalTime,
    pub lane: LaneId,
    /// The lane's number in its store, never used again for another lane.
    pub lane_number: u32,
    pub lane_name: &'a str,
    pub shared: &'a dyn Shared,
    /// Proves a PIN against an employee's hash.
    pub pin_matches: &'a dyn Fn(&Employee, &Pin) -> bool,
}

/// The longest reason or reference kept, in bytes.
const TEXT_BYTES_MAX: usize = 200;

/// The most cash one tender may be, in minor units: a slip of the keypad, not a payment.
const CASH_MINOR_MAX: i64 = 10_000_000;

/// The most one line may cost, its deposit apart, and the most its deposit may be, in minor units:
/// sums over a cart stay far from the bounds of an amount.
const LINE_MINOR_MAX: i128 = 1_000_000_000_000;

pub(crate) type Decision = Result<Vec<Event>, Refusal>;

/// Decides on a command. `Ok` holds the events to journal, in order; they are never empty.
pub fn decide(register: &Register, command: &Command, ctx: &Context<'_>) -> Decision {
    if let Command::SignIn { employee, pin } = command {
        return sign_in(register, employee, pin, ctx);
    }
    let cashier = register.cashier.as_ref().ok_or(Refusal::NotSignedIn)?;
    if let Command::Approved {
        employee,
        pin,
        command,
    } = command
    {
        return people::approved(register, cashier, employee, pin, command, ctx);
    }
    let who = Who {
        cashier,
        approver: None,
    };
    decide_as(register, &who, command, ctx)
}

/// Decides on a command that needs no PIN of its own.
pub(crate) fn decide_as(
    register: &Register,
    who: &Who<'_>,
    command: &Command,
    ctx: &Context<'_>,
) -> Decision {
    match command {
        Command::SignIn { .. } | Command::Approved { .. } => Err(Refusal::NotApprovable),
        Command::SignOut => match register.cart {
            Some(_) => Err(Refusal::SaleOpen),
            None => Ok(vec![Event::SignedOut { at: ctx.now }]),
        },
        Command::OpenCart { reference } => match register.cart {
            Some(_) => Err(Refusal::SaleOpen),
            None => Ok(vec![open_cart(register, reference.as_deref(), ctx)]),
        },
        Command::Scan { code, quantity } if quantity.is_none() && suspend::is_slip(code.trim()) => {
            suspend::resume(register, who, code, ctx)
        }
        Command::Scan { code, quantity } => scan::scan(register, code, quantity.as_deref(), ctx),
        Command::ConfirmAge { years } => confirm_age(register, who.cashier, *years, ctx),
        Command::SetCustomer { customer } => set_customer(register, customer, ctx),
        Command::SetQuantity { .. }
        | Command::VoidLine { .. }
        | Command::OverridePrice { .. }
        | Command::OverrideTax { .. }
        | Command::Note { .. } => lines::decide(register, who, command, ctx),
        Command::TenderCash { amount } => {
            tender_cash(register, who.cashier, amount.as_deref(), ctx)
        }
        Command::CancelTender => {
            let cart = register.cart.as_ref().ok_or(Refusal::NoSale)?;
            match cart.phase {
                Phase::Paying { .. } => Ok(vec![Event::TendersReturned { cart: cart.id }]),
                Phase::Selling => Err(Refusal::NotPaying),
            }
        }
        Command::VoidCart { reason } => void_cart(register, who, reason, ctx),
        Command::Suspend => suspend::suspend(register, who, ctx),
        Command::Resume { slip } => suspend::resume(register, who, slip, ctx),
        _ => decide_on_drawer(register, who, command, ctx),
    }
}

/// What a refused command leaves in the journal all the same.
pub fn events_of_refusal(command: &Command, refusal: &Refusal, now: LocalTime) -> Vec<Event> {
    match (command, refusal) {
        (
            Command::SignIn { employee, .. } | Command::Approved { employee, .. },
            Refusal::WrongPin,
        ) => vec![Event::SignInFailed {
            employee: catalog::EmployeeId(bounded(&employee.0)),
            at: now,
        }],
        _ => Vec::new(),
    }
}

/// Decides on what concerns no sale.
fn decide_on_drawer(
    register: &Register,
    who: &Who<'_>,
    command: &Command,
    ctx: &Context<'_>,
) -> Decision {
    let move_cash = |movement, amount: &str, reason: &str| {
        drawer::move_cash(register, who, movement, amount, reason, ctx)
    };
    match command {
        Command::OpenDay { day } => drawer::open_day(register, who, day.as_ref(), ctx),
        Command::CloseDay => drawer::close_day(register, who, ctx),
        Command::OpenDrawer { float } => drawer::open_drawer(register, who, float, ctx),
        Command::AssignDrawer { employee } => drawer::assign(register, who, employee, ctx),
        Command::NoSale { reason } => drawer::no_sale(register, who, reason, ctx),
        Command::Drop { amount } => move_cash(CashMovement::Drop, amount, ""),
        Command::PayIn { amount, reason } => move_cash(CashMovement::PayIn, amount, reason),
        Command::PayOut { amount, reason } => move_cash(CashMovement::PayOut, amount, reason),
        Command::CountDrawer { counted } => drawer::count(register, who, counted, ctx),
        Command::ReportZ => drawer::report_z(register, who, ctx),
        _ => unreachable!("`decide_as` takes every other command"),
    }
}

fn set_customer(register: &Register, customer: &CustomerId, ctx: &Context<'_>) -> Decision {
    let found = ctx.reference.customer(customer);
    let found = found.ok_or(Refusal::UnknownCustomer {
        customer: customer.to_string(),
    })?;
    with_cart(register, ctx, |cart| Event::CustomerSet {
        cart,
        customer: found.id.clone(),
        name: found.name.clone(),
        tier: found.tier,
    })
}

fn void_cart(register: &Register, who: &Who<'_>, reason: &str, ctx: &Context<'_>) -> Decision {
    let cart = register.cart.as_ref().ok_or(Refusal::NoSale)?;
    if let Some(refusal) = paying(cart) {
        return Err(refusal);
    }
    who.may(Action::VoidSale, ctx)?;
    Ok(vec![Event::CartVoided {
        cart: cart.id,
        reason: bounded(reason),
        at: ctx.now,
    }])
}

fn sign_in(
    register: &Register,
    employee: &catalog::EmployeeId,
    pin: &Pin,
    ctx: &Context<'_>,
) -> Decision {
    if let Some(cashier) = &register.cashier {
        return Err(Refusal::AlreadySignedIn {
            name: cashier.name.clone(),
        });
    }
    let seconds = register.wrong_pins.wait_s(employee, ctx.now);
    if seconds > 0 {
        return Err(Refusal::TooManyWrongPins { seconds });
    }
    let found = ctx
        .reference
        .employee(employee)
        .filter(|found| (ctx.pin_matches)(found, pin))
        .ok_or(Refusal::WrongPin)?;
    Ok(vec![Event::SignedIn {
        employee: found.id,
        name: found.name,
        role: found.role,
        at: ctx.now,
    }])
}

fn open_cart(register: &Register, reference: Option<&str>, ctx: &Context<'_>) -> Event {
    Event::CartOpened {
        cart: CartId {
            lane: ctx.lane,
            number: register.carts + 1,
        },
        book: ctx.reference.version(),
        day: drawer::day(register, ctx),
        at: ctx.now,
        reference: reference.map(bounded),
    }
}

/// The event for the open cart, which is opened first where there is none.
pub(crate) fn with_cart(
    register: &Register,
    ctx: &Context<'_>,
    event: impl FnOnce(CartId) -> Event,
) -> Decision {
    match &register.cart {
        Some(cart) => match paying(cart) {
            Some(refusal) => Err(refusal),
            None => Ok(vec![event(cart.id)]),
        },
        None => {
            let opened = open_cart(register, None, ctx);
            let id = CartId {
                lane: ctx.lane,
                number: register.carts + 1,
            };
            Ok(vec![opened, event(id)])
        }
    }
}

fn confirm_age(register: &Register, cashier: &Cashier, years: u8, ctx: &Context<'_>) -> Decision {
    let by = cashier.employee.clone();
    with_cart(register, ctx, |cart| Event::AgeConfirmed {
        cart,
        years,
        by,
    })
}

fn tender_cash(
    register: &Register,
    cashier: &Cashier,
    amount: Option<&str>,
    ctx: &Context<'_>,
) -> Decision {
    let cart = register.cart.as_ref().ok_or(Refusal::NoSale)?;
    if cart.live_lines().next().is_none() {
        return Err(Refusal::NothingToPay);
    }
    let settings = ctx.reference.settings();
    let currency = settings.currency;
    if let Some(drawer) = register
        .drawer
        .as_ref()
        .filter(|_| settings.drawer_per_cashier)
        && drawer.assigned != cashier.employee
    {
        return Err(Refusal::DrawerOfAnother {
            employee: drawer.assigned.to_string(),
        });
    }
    let mut events = Vec::new();
    let priced_at = match cart.phase {
        Phase::Paying { at, .. } => at,
        Phase::Selling => ctx.now,
    };
    let totals = price(cart, ctx.book, priced_at, currency);
    let due = match cart.phase {
        Phase::Paying { due, .. } => due,
        Phase::Selling => {
            events.push(Event::TenderStarted {
                cart: cart.id,
                at: priced_at,
                due: totals.total,
            });
            totals.total
        }
    };
    let before = cart.paid().unwrap_or(Money::zero(currency));
    let amount = match amount {
        Some(text) => parse_amount(text, due)?,
        None => due - before,
    };
    if amount.minor() > CASH_MINOR_MAX {
        return Err(Refusal::BadAmount {
            message: format!("{amount} is more cash than a drawer holds."),
        });
    }
    let paid = before + amount;
    if amount.is_zero() && paid < due {
        return Err(Refusal::BadAmount {
            message: "Nothing was handed over.".to_owned(),
        });
    }
    let tender = Tender::Cash { amount };
    events.push(Event::Tendered {
        cart: cart.id,
        tender: tender.clone(),
    });
    if paid >= due {
        let mut tenders = cart.tenders.clone();
        tenders.push(tender);
        events.push(Event::Completed {
            cart: cart.id,
            receipt: Box::new(Receipt {
                id: format!("{}-{:06}", ctx.lane_number, receipt_number(register)),
                cart: cart.id,
                lane_name: ctx.lane_name.to_owned(),
                store_name: ctx.reference.settings().store_name,
                cashier: cashier.employee.clone(),
                cashier_name: cashier.name.clone(),
                customer: cart.customer.as_ref().map(|(id, _, _)| id.clone()),
                day: cart.day.clone(),
                opened_at: cart.opened_at,
                priced_at,
                book: cart.book,
                reference: cart.reference.clone(),
                lines: cart.live_lines().cloned().collect(),
                totals,
                tenders,
                change: planted::instead("change-forgotten", Money::zero(currency), paid - due),
                detail: ReceiptDetail {
                    notes: cart.notes.clone(),
                },
            }),
        });
    }
    Ok(events)
}

fn receipt_number(register: &Register) -> u64 {
    register.receipts + u64::from(!planted::every(7, "receipt-number-used-again"))
}

pub(crate) fn selling(register: &Register) -> Result<&Cart, Refusal> {
    let cart = register.cart.as_ref().ok_or(Refusal::NoSale)?;
    match paying(cart) {
        Some(refusal) => Err(refusal),
        None => Ok(cart),
    }
}

pub(crate) fn paying(cart: &Cart) -> Option<Refusal> {
    match cart.phase {
        Phase::Selling => None,
        Phase::Paying { due, .. } => Some(Refusal::Paying {
            paid: cart.paid().unwrap_or(Money::zero(due.currency())),
            due,
        }),
    }
}

pub(crate) fn line_of(cart: &Cart, line: u32) -> Result<&Line, Refusal> {
    cart.line(line).ok_or(Refusal::NoSuchLine { line })
}

pub(crate) fn parse_quantity(text: &str, unit: Unit) -> Result<Quantity, Refusal> {
    Quantity::parse(text, unit).map_err(|error| Refusal::BadQuantity {
        message: error.to_string(),
    })
}

/// Checks that a line costs no more than a cart can add up.
pub(crate) fn bounded_cost(
    quantity: Quantity,
    unit_price: Money,
    deposit: Option<Money>,
) -> Result<(), String> {
    let deposit = deposit.map_or(0, Money::minor);
    let dearer = i128::from(unit_price.minor().abs().max(deposit.abs()));
    if dearer * i128::from(quantity.milli()) / 1000 > LINE_MINOR_MAX {
        return Err(format!(
            "{quantity} at {unit_price} is more than one line can cost."
        ));
    }
    Ok(())
}

/// An amount that is not negative, in the currency of `like`.
pub(crate) fn parse_amount(text: &str, like: Money) -> Result<Money, Refusal> {
    let bad = |message: String| Refusal::BadAmount { message };
    let amount = Money::parse(text, like.currency()).map_err(|error| bad(error.to_string()))?;
    if amount.is_negative() {
        return Err(bad(format!("{amount} is negative.")));
    }
    Ok(amount)
}

pub(crate) fn bounded(text: &str) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
