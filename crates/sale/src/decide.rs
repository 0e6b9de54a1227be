//! From a command to events, or a refusal. Changes nothing itself.

use catalog::{Action, Employee, Reference};
use money::{Money, Quantity, Unit};
use promotions::CompiledBook;

use crate::people::Who;
use crate::returns::Asked;
use crate::{
    Cart, CartId, CashMovement, Cashier, Command, Event, LaneId, Line, LocalTime, Phase, Pin,
    Refusal, Register, Rights, Shared, SoldAt, Why, card, customers, drawer, limits, lines, people,
    requote, returns, scan, stock, suspend, tender, terms, training, unreceipted,
};

/// What a decision may look at besides the register itself.
pub struct Context<'a> {
    pub reference: &'a dyn Reference,
    /// The promotions that the open cart pinned; the newest ones while no cart is open.
    pub book: &'a CompiledBook,
    /// The newest promotions.
    pub newest: &'a CompiledBook,
    /// Whether all lanes of the store can read that a sale was quoted anew: it is by itself, where
    /// the customer gains.
    pub requotes: bool,
    /// Whether all lanes of the store can read what is left of promotions that are given only so often:
    /// those that are limited in the store or by the day are not given before.
    pub limits: bool,
    pub now: LocalTime,
    pub lane: LaneId,
    /// The lane's number in its store, never used again for another lane.
    pub lane_number: u32,
    pub lane_name: &'a str,
    pub shared: &'a dyn Shared,
    pub rights: &'a dyn Rights,
    /// The name of the card terminal at this lane, where there is one.
    pub terminal: Option<&'a str>,
    /// Proves a PIN against an employee's hash.
    pub pin_matches: &'a dyn Fn(&Employee, &Pin) -> bool,
}

/// The longest reason or reference kept, in bytes.
const TEXT_BYTES_MAX: usize = 200;

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
    if let Some(refusal) = card::waits(register, command) {
        return Err(refusal);
    }
    match (command, &register.training) {
        (Command::BeginTraining, _) => training::begin(register, who, ctx),
        (Command::EndTraining, _) => training::end(register, who, ctx),
        (_, Some(training)) => training::decide(training, who, command, ctx),
        (_, None) => decide_here(register, who, command, ctx),
    }
}

/// Decides on this register and no other.
pub(crate) fn decide_here(
    register: &Register,
    who: &Who<'_>,
    command: &Command,
    ctx: &Context<'_>,
) -> Decision {
    let events = decided(register, who, command, ctx)?;
    Ok(limits::with_limits(register, events, ctx))
}

fn decided(register: &Register, who: &Who<'_>, command: &Command, ctx: &Context<'_>) -> Decision {
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
        Command::Scan { code, quantity } => {
            let given = scan::Given {
                quantity: quantity.as_deref(),
                ..scan::Given::default()
            };
            scan::scan(register, code, &given, ctx)
        }
        Command::Sell {
            code,
            quantity,
            price,
            serial,
        } => {
            let given = scan::Given {
                quantity: quantity.as_deref(),
                price: price.as_deref(),
                serial: serial.as_deref(),
            };
            scan::scan(register, code, &given, ctx)
        }
        Command::ConfirmAge { years } => confirm_age(register, who.cashier, *years, ctx),
        Command::ConfirmBirth { born } => {
            let years = ctx.now.years_since(born.trim());
            let years = years.ok_or_else(|| Refusal::BadBirth {
                born: born.chars().take(40).collect(),
            })?;
            confirm_age(register, who.cashier, years, ctx)
        }
        Command::SetCustomer { .. }
        | Command::CreateCustomer { .. }
        | Command::EditCustomer { .. }
        | Command::MergeCustomers { .. }
        | Command::EraseCustomer { .. } => customers::decide(register, who, command, ctx),
        Command::SetQuantity { .. }
        | Command::VoidLine { .. }
        | Command::OverridePrice { .. }
        | Command::OverrideTax { .. }
        | Command::Note { .. } => lines::decide(register, who, command, ctx),
        Command::TenderCash { amount } => tender::cash(register, who, amount.as_deref(), ctx),
        Command::Tender { with, amount } => {
            tender::pay_with(register, who, with, amount.as_deref(), ctx)
        }
        Command::VoidTender { number } => match card::void(register, who, *number, ctx) {
            Some(decision) => decision,
            None => tender::void(register, *number),
        },
        Command::CancelCard => card::cancel(register, who, ctx),
        Command::LeaveCard { reason } => card::leave(register, who, reason, ctx),
        Command::Return {
            receipt,
            line,
            quantity,
            reason,
            restock,
            serial,
        } => {
            let asked = Asked {
                serial: serial.as_deref(),
                receipt,
                line: *line,
                quantity: quantity.as_deref(),
                reason,
                restock: *restock,
            };
            returns::take_back(register, who, &asked, ctx)
        }
        Command::ReturnUnreceipted {
            code,
            quantity,
            price,
            serial,
            document,
            reason,
            restock,
        } => {
            let asked = unreceipted::Asked {
                code,
                given: scan::Given {
                    quantity: quantity.as_deref(),
                    price: price.as_deref(),
                    serial: serial.as_deref(),
                },
                document: document.as_deref(),
                reason,
                restock: *restock,
            };
            unreceipted::take_back(register, who, &asked, ctx)
        }
        Command::CancelTender => {
            let cart = register.cart.as_ref().ok_or(Refusal::NoSale)?;
            match cart.phase {
                Phase::Paying { .. } => {
                    card::none_paid(cart)?;
                    Ok(vec![Event::TendersReturned { cart: cart.id }])
                }
                Phase::Selling => Err(Refusal::NotPaying),
            }
        }
        Command::VoidCart { reason } => void_cart(register, who, reason, ctx),
        Command::Suspend => suspend::suspend(register, who, ctx),
        Command::Keep { kind, until } => suspend::keep(register, who, *kind, until.as_ref(), ctx),
        Command::Resume { slip } => suspend::resume(register, who, slip, ctx),
        Command::Discount { .. }
        | Command::VoidDiscount { .. }
        | Command::Coupon { .. }
        | Command::VoidCoupon { .. }
        | Command::Quote { .. }
        | Command::Requote => decide_on_terms(register, who, command, ctx),
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

/// Decides on what changes a sale's price besides its lines.
fn decide_on_terms(
    register: &Register,
    who: &Who<'_>,
    command: &Command,
    ctx: &Context<'_>,
) -> Decision {
    match command {
        Command::Discount {
            line,
            percent,
            amount,
            reason,
        } => {
            let asked = terms::AskedDiscount {
                line: *line,
                percent: percent.as_deref(),
                amount: amount.as_deref(),
                reason,
            };
            terms::give_discount(register, who, &asked, ctx)
        }
        Command::VoidDiscount { number } => terms::void_discount(register, *number),
        Command::Coupon { code } => scan::coupon(register, code, ctx),
        Command::VoidCoupon { number } => terms::return_coupon(register, *number),
        Command::Quote { tender } => terms::quote(register, tender.as_deref(), ctx),
        Command::Requote => requote::requote(register, ctx),
        _ => unreachable!("`decide_as` takes every other command"),
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
        Command::Stock {
            code,
            quantity,
            work,
        } => stock::move_stock(who, code, quantity, work, ctx),
        _ => unreachable!("`decide_as` takes every other command"),
    }
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
        place: SoldAt::of(&ctx.reference.settings(), ctx.lane_number),
    }
}

/// The event for the open cart, which is opened first where there is none.
pub(crate) fn with_cart(
    register: &Register,
    ctx: &Context<'_>,
    event: impl FnOnce(CartId) -> Event,
) -> Decision {
    with_cart_all(register, ctx, |cart| vec![event(cart)])
}

/// The same for several events.
pub(crate) fn with_cart_all(
    register: &Register,
    ctx: &Context<'_>,
    events: impl FnOnce(CartId) -> Vec<Event>,
) -> Decision {
    match &register.cart {
        Some(cart) => match paying(cart) {
            Some(refusal) => Err(refusal),
            None => Ok(events(cart.id)),
        },
        None => {
            let mut all = vec![open_cart(register, None, ctx)];
            all.extend(events(CartId {
                lane: ctx.lane,
                number: register.carts + 1,
            }));
            Ok(all)
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
    Quantity::parse(text, unit).map_err(Refusal::quantity)
}

/// Checks that a line costs no more than a cart can add up.
pub(crate) fn bounded_cost(
    quantity: Quantity,
    unit_price: Money,
    deposit: Option<Money>,
) -> Result<(), Why> {
    let deposit = deposit.map_or(0, Money::minor);
    let dearer = i128::from(unit_price.minor().abs().max(deposit.abs()));
    if dearer * i128::from(quantity.milli()) / 1000 > LINE_MINOR_MAX {
        return Err(Why::LineTooDear {
            quantity,
            price: unit_price,
        });
    }
    Ok(())
}

/// An amount that is not negative, in the currency of `like`.
pub(crate) fn parse_amount(text: &str, like: Money) -> Result<Money, Refusal> {
    let amount = Money::parse(text, like.currency()).map_err(Refusal::amount)?;
    if amount.is_negative() {
        return Err(Refusal::amount(Why::Negative(amount)));
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
