//! Paying: cash and what stands for it, in any number of parts, and giving money back.
//!
//! What is due is fixed when paying begins. Below zero it is owed to the customer. Whatever the
//! parts are, tenders less change are the total, to the cent: what rounding of cash leaves over is a
//! tender of its own.

use std::borrow::Cow;

use catalog::{Action, Settings};
use money::{Money, Rounding};
use promotions::CompiledBook;
use serde::{Deserialize, Serialize};

use crate::decide::{Decision, parse_amount};
use crate::lines::holds_card_number;
use crate::people::Who;
use crate::{
    Cart, Context, Event, Phase, Receipt, ReceiptDetail, Refusal, Register, Tender, Why, card,
    gift_cards, points, price, requote, returns, terms, unreceipted,
};

/// The most cash one tender may be, in minor units: a slip of the keypad, not a payment.
const CASH_MINOR_MAX: i64 = 10_000_000;
/// The most tenders of one sale.
const TENDERS_MAX: usize = 50;
/// The most characters of a voucher's or cheque's number.
const NUMBER_CHARS_MAX: usize = 40;

/// What is handed over besides the store's own cash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PayWith {
    /// Cash of another currency that the store takes.
    ForeignCash {
        currency: String,
    },
    Voucher {
        number: String,
    },
    Cheque {
        number: String,
    },
    /// What the store owes the bearer of a credit note.
    StoreCredit {
        number: String,
    },
    /// What was loaded onto a gift card; without an amount, as much of what is due as it holds.
    GiftCard {
        number: String,
    },
    /// Loyalty points of the customer of the sale; without an amount, as many as there are and pay.
    Points,
    /// The customer of the sale pays later.
    Account,
    /// A card, at the terminal of the lane; money goes back to the card that paid for the goods.
    Card {
        /// Charged besides the amount.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tip: Option<String>,
    },
}

impl PayWith {
    /// The kind of the tender that comes of it, as [`Tender::kind`] names it.
    pub fn kind(&self) -> &'static str {
        match self {
            PayWith::ForeignCash { .. } => "foreign-cash",
            PayWith::Voucher { .. } => "voucher",
            PayWith::Cheque { .. } => "cheque",
            PayWith::StoreCredit { .. } => "store-credit",
            PayWith::GiftCard { .. } => "gift-card",
            PayWith::Points => "points",
            PayWith::Account => "account",
            PayWith::Card { .. } => "card",
        }
    }
}

/// Where a sale that is being paid stands.
pub(crate) struct Paying<'a> {
    pub cart: Cow<'a, Cart>,
    /// What it is priced by.
    book: &'a CompiledBook,
    settings: Settings,
    due: Money,
    before: Money,
    /// Begins paying where it has not begun.
    events: Vec<Event>,
    at: crate::LocalTime,
}

impl<'a> Paying<'a> {
    /// Begins paying with a tender, or goes on.
    pub fn with(
        register: &'a Register,
        tender: &str,
        ctx: &Context<'a>,
    ) -> Result<Paying<'a>, Refusal> {
        let cart = register.cart.as_ref().ok_or(Refusal::NoSale)?;
        if cart.live_lines().next().is_none() {
            return Err(Refusal::NothingToPay);
        }
        if cart.tenders.len() >= TENDERS_MAX {
            return Err(Refusal::amount(Why::TendersFull(TENDERS_MAX)));
        }
        returns::still_returnable(cart, ctx)?;
        unreceipted::still_within_limits(cart, ctx)?;
        let settings = ctx.reference.settings();
        let (cart, book, mut events) = match cart.phase {
            Phase::Paying { .. } => (Cow::Borrowed(cart), ctx.book, Vec::new()),
            Phase::Selling => {
                let quoted = requote::as_paying_begins(cart, ctx);
                (quoted.cart, quoted.book, quoted.events)
            }
        };
        terms::costs_the_same_with(&cart, book, tender, settings.currency, ctx)?;
        let (at, due) = match cart.phase {
            Phase::Paying { at, due } => (at, due),
            Phase::Selling => {
                let due = price(&cart, book, ctx.now, settings.currency).total;
                events.push(Event::TenderStarted {
                    cart: cart.id,
                    at: ctx.now,
                    due,
                });
                (ctx.now, due)
            }
        };
        Ok(Paying {
            book,
            before: cart.paid().unwrap_or(Money::zero(settings.currency)),
            settings,
            cart,
            due,
            events,
            at,
        })
    }

    /// Goes on paying what is under way; nothing is checked again.
    fn going_on(register: &'a Register, ctx: &Context<'a>) -> Option<Paying<'a>> {
        let cart = register.cart.as_ref()?;
        let Phase::Paying { at, due } = cart.phase else {
            return None;
        };
        let settings = ctx.reference.settings();
        Some(Paying {
            cart: Cow::Borrowed(cart),
            book: ctx.book,
            before: cart.paid().unwrap_or(Money::zero(settings.currency)),
            settings,
            due,
            events: Vec::new(),
            at,
        })
    }

    /// What begins paying, where it has not begun.
    pub fn begun(self) -> Vec<Event> {
        self.events
    }

    /// What is still to be paid; below zero, to be given back.
    pub fn left(&self) -> Money {
        self.due - self.before
    }

    /// Refuses to pay so much with a tender where the store's rules say otherwise. `amount` is over zero.
    pub fn may_pay(&self, tender: &str, amount: Money) -> Result<(), Refusal> {
        let left = self.left();
        let Some(rule) = self.settings.tenders.get(tender) else {
            return Ok(());
        };
        let minor = |minor| Money::from_minor(minor, left.currency());
        let (tender, counts) = (tender.to_owned(), least(amount, left));
        if counts.minor() < rule.least_minor {
            let least = minor(rule.least_minor);
            return Err(Refusal::TenderTooSmall { tender, least });
        }
        let same = self.cart.tenders.iter().filter(|t| t.kind() == tender);
        let before = same.fold(0_i64, |sum, t| sum.saturating_add(t.amount().minor()));
        let most = rule.most_minor.unwrap_or(i64::MAX).saturating_sub(before);
        if counts.minor() > most {
            let left = minor(most.max(0));
            return Err(Refusal::TenderTooLarge { tender, left });
        }
        if rule.whole && amount < left {
            return Err(Refusal::TenderWhole { tender, left });
        }
        match rule.over_minor {
            Some(over) if amount.minor().saturating_sub(left.minor()) > over => {
                let left = minor(left.minor().saturating_add(over));
                Err(Refusal::OverTender { left })
            }
            _ => Ok(()),
        }
    }

    /// The most of a tender that can be handed over where change is given for the rest.
    fn with_change(&self, tender: &str) -> Money {
        let rule = self.settings.tenders.get(tender);
        let over = rule.and_then(|rule| rule.over_minor).unwrap_or(0);
        let left = self.left();
        Money::from_minor(left.minor().saturating_add(over), left.currency())
    }

    /// Refuses to give so much back with a tender, `amount` over zero, where goods without a receipt
    /// are not paid back so.
    pub fn may_give(&self, tender: &str, amount: Money) -> Result<(), Refusal> {
        let limits = &self.settings.unreceipted_returns;
        unreceipted::may_give(&self.cart, tender, amount, -self.due, limits)
    }

    /// Takes these tenders, and completes the sale where that pays it.
    fn take(
        mut self,
        register: &Register,
        who: &Who<'_>,
        tenders: Vec<Tender>,
        ctx: &Context<'_>,
    ) -> Decision {
        let mut all = self.cart.tenders.clone();
        let mut paid = self.before;
        for tender in tenders {
            paid += tender.amount();
            self.events.push(Event::Tendered {
                cart: self.cart.id,
                tender: tender.clone(),
            });
            all.push(tender);
        }
        let settled = match self.due.is_negative() {
            true => paid <= self.due,
            false => paid >= self.due,
        };
        if settled {
            let receipt = self.receipt(register, who, all, paid - self.due, ctx);
            self.events.push(Event::Completed {
                cart: self.cart.id,
                receipt: Box::new(receipt),
            });
        }
        Ok(self.events)
    }

    fn receipt(
        &self,
        register: &Register,
        who: &Who<'_>,
        tenders: Vec<Tender>,
        change: Money,
        ctx: &Context<'_>,
    ) -> Receipt {
        let cart = self.cart.as_ref();
        let totals = price(cart, self.book, self.at, self.settings.currency);
        let given: Vec<&str> = totals.given().collect();
        let coupons_used = terms::used_coupons(cart, self.book, &given, self.settings.currency);
        Receipt {
            id: receipt_id(register, ctx),
            cart: cart.id,
            lane_name: ctx.lane_name.to_owned(),
            store_name: self.settings.store_name.clone(),
            cashier: who.cashier.employee.clone(),
            cashier_name: who.cashier.name.clone(),
            customer: cart.customer.as_ref().map(|(id, _, _)| id.clone()),
            day: cart.day.clone(),
            opened_at: cart.opened_at,
            priced_at: self.at,
            book: cart.book,
            reference: cart.reference.clone(),
            lines: cart.live_lines().cloned().collect(),
            totals,
            tenders,
            change: planted::instead(
                "change-forgotten",
                Money::zero(self.settings.currency),
                change,
            ),
            detail: ReceiptDetail {
                notes: cart.notes.clone(),
                terms: cart.terms.clone(),
                coupons_used,
                training: register.is_training,
            },
        }
    }
}

fn receipt_id(register: &Register, ctx: &Context<'_>) -> String {
    // No number of a training can be taken for one of a receipt.
    let mark = if register.is_training { "T" } else { "" };
    format!("{mark}{}-{:06}", ctx.lane_number, receipt_number(register))
}

fn receipt_number(register: &Register) -> u64 {
    register.receipts + u64::from(!planted::every(7, "receipt-number-used-again"))
}

/// Takes a tender that was decided on before, whatever else may have happened since, and completes
/// the sale where that pays it.
pub(crate) fn tendered_by(
    register: &Register,
    who: &Who<'_>,
    tender: Tender,
    ctx: &Context<'_>,
) -> Decision {
    let paying = Paying::going_on(register, ctx).ok_or(Refusal::NotPaying)?;
    paying.take(register, who, vec![tender], ctx)
}

/// An amount rounded to what can be paid in cash.
fn in_cash(amount: Money, settings: &Settings) -> Money {
    let step = settings.cash_rounding_minor;
    if step <= 1 {
        return amount;
    }
    amount.ratio(1, step, Rounding::HalfUp).times(step)
}

/// Takes cash, or gives it back where money is owed to the customer.
pub(crate) fn cash(
    register: &Register,
    who: &Who<'_>,
    amount: Option<&str>,
    ctx: &Context<'_>,
) -> Decision {
    let paying = Paying::with(register, "cash", ctx)?;
    let drawer = register.drawer.as_ref();
    if let Some(drawer) = drawer.filter(|_| paying.settings.drawer_per_cashier)
        && drawer.assigned != who.cashier.employee
    {
        return Err(Refusal::DrawerOfAnother {
            employee: drawer.assigned.to_string(),
        });
    }
    let left = paying.left();
    let to_pay = in_cash(left, &paying.settings);
    let amount = match amount {
        None => to_pay,
        Some(text) => {
            let given = parse_amount(text, left)?;
            if left.is_negative() { -given } else { given }
        }
    };
    check_cash(amount, left, to_pay)?;
    match left.is_negative() {
        true => paying.may_give("cash", -amount)?,
        false => paying.may_pay("cash", amount)?,
    }
    let settles = match left.is_negative() {
        true => amount <= to_pay,
        false => amount >= to_pay,
    };
    let mut tenders = vec![Tender::Cash { amount }];
    if settles && left != to_pay {
        let amount = left - to_pay;
        tenders.push(Tender::Rounding { amount });
    }
    paying.take(register, who, tenders, ctx)
}

fn check_cash(amount: Money, left: Money, to_pay: Money) -> Result<(), Refusal> {
    let bad = |reason| Err(Refusal::amount(reason));
    if amount.minor().abs() > CASH_MINOR_MAX {
        return bad(Why::TooMuchCash(amount));
    }
    if left.is_negative() && amount < to_pay {
        return bad(Why::GiveBackAtMost(-to_pay));
    }
    if amount.is_zero() && !to_pay.is_zero() {
        return bad(Why::NothingHandedOver);
    }
    Ok(())
}

/// Takes what is not the store's own cash.
pub(crate) fn pay_with(
    register: &Register,
    who: &Who<'_>,
    with: &PayWith,
    amount: Option<&str>,
    ctx: &Context<'_>,
) -> Decision {
    if let PayWith::Card { tip } = with {
        return card::pay(register, who, tip.as_deref(), amount, ctx);
    }
    let paying = Paying::with(register, with.kind(), ctx)?;
    let left = paying.left();
    if left.is_negative() {
        return give_back(register, who, paying, with, ctx);
    }
    if let PayWith::ForeignCash { currency } = with {
        let tender = foreign(&paying, currency, amount)?;
        paying.may_pay(with.kind(), tender.amount())?;
        return paying.take(register, who, vec![tender], ctx);
    }
    let asked = amount.map(|text| parse_amount(text, left)).transpose()?;
    let amount = asked.unwrap_or(left);
    if amount.is_zero() {
        return Err(Refusal::amount(Why::NothingHandedOver));
    }
    let most = paying.with_change(with.kind());
    if amount > most && !matches!(with, PayWith::Voucher { .. }) {
        return Err(Refusal::OverTender { left: most });
    }
    let tender = match with {
        PayWith::ForeignCash { .. } | PayWith::Card { .. } => unreachable!("taken above"),
        // A voucher may be worth more than is due, and than what change is given for: the rest is lost,
        // as is printed on vouchers.
        PayWith::Voucher { number } => Tender::Voucher {
            number: number_of(number)?,
            face: amount,
            amount: least(amount, most),
        },
        PayWith::Cheque { number } => {
            who.may(Action::TakeCheque, ctx)?;
            Tender::Cheque {
                number: number_of(number)?,
                amount,
            }
        }
        PayWith::StoreCredit { number } => {
            let number = number_of(number)?;
            credit_covers(&paying.cart, &number, amount, ctx)?;
            Tender::StoreCredit { number, amount }
        }
        PayWith::GiftCard { number } => gift_cards::spend(&paying.cart, number, asked, left, ctx)?,
        PayWith::Points => points::spend(&paying.cart, asked, left, ctx)?,
        PayWith::Account => on_account(&paying.cart, amount, ctx)?,
    };
    paying.may_pay(with.kind(), tender.amount())?;
    paying.take(register, who, vec![tender], ctx)
}

pub(crate) fn least(a: Money, b: Money) -> Money {
    if a < b { a } else { b }
}

/// Gives money back as store credit or to a gift card, or takes it off what the customer owes.
fn give_back(
    register: &Register,
    who: &Who<'_>,
    paying: Paying<'_>,
    with: &PayWith,
    ctx: &Context<'_>,
) -> Decision {
    let amount = paying.left();
    let tender = match with {
        PayWith::StoreCredit { .. } => Tender::StoreCredit {
            // The credit note has the number of the receipt that made it.
            number: format!("C{}", receipt_id(register, ctx)),
            amount,
        },
        PayWith::GiftCard { number } => gift_cards::give_back(&paying.cart, number, amount, ctx)?,
        PayWith::Points => points::give_back(&paying.cart, amount, ctx)?,
        PayWith::Account => on_account(&paying.cart, amount, ctx)?,
        PayWith::ForeignCash { .. }
        | PayWith::Voucher { .. }
        | PayWith::Cheque { .. }
        | PayWith::Card { .. } => {
            return Err(Refusal::NotForRefunds);
        }
    };
    paying.may_give(with.kind(), -amount)?;
    paying.take(register, who, vec![tender], ctx)
}

fn foreign(paying: &Paying<'_>, currency: &str, amount: Option<&str>) -> Result<Tender, Refusal> {
    let bad = |why: fn(String) -> Why| Refusal::amount(why(currency.to_owned()));
    let taken = &paying.settings.foreign_cash;
    let rate = taken.iter().find(|rate| rate.currency.code() == currency);
    let rate = rate.ok_or_else(|| Refusal::CurrencyNotTaken {
        currency: currency.chars().take(3).collect(),
    })?;
    let text = amount.ok_or_else(|| bad(Why::SayHowMuch))?;
    let given = Money::parse(text, rate.currency).map_err(Refusal::amount)?;
    if given.minor() <= 0 || given.minor() > CASH_MINOR_MAX {
        return Err(Refusal::amount(Why::ForeignNotTaken(given)));
    }
    let amount = rate.convert(given, paying.settings.currency);
    let amount = amount.ok_or_else(|| bad(Why::NoRate))?;
    Ok(Tender::ForeignCash {
        given,
        rate: rate.rate.clone(),
        amount,
    })
}

pub(crate) fn number_of(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let fits = (1..=NUMBER_CHARS_MAX).contains(&text.chars().count());
    match fits && text.chars().all(sound) && !holds_card_number(text) {
        true => Ok(text.to_owned()),
        false => Err(Refusal::BadNumber),
    }
}

/// Whether a credit note still holds so much, as far as this lane knows.
fn credit_covers(
    cart: &Cart,
    number: &str,
    amount: Money,
    ctx: &Context<'_>,
) -> Result<(), Refusal> {
    let known = ctx.shared.credit_minor(number);
    let here = cart.tenders.iter().map(|tender| match tender {
        Tender::StoreCredit { number: n, amount } if n == number => amount.minor(),
        _ => 0,
    });
    let left = known.unwrap_or(0).saturating_sub(here.sum());
    match known {
        None => Err(Refusal::UnknownCredit {
            number: number.to_owned(),
        }),
        Some(_) if amount.minor() > left => Err(Refusal::CreditTooSmall {
            left: Money::from_minor(left, amount.currency()),
        }),
        Some(_) => Ok(()),
    }
}

fn on_account(cart: &Cart, amount: Money, ctx: &Context<'_>) -> Result<Tender, Refusal> {
    let customer = cart.customer.as_ref().map(|(id, _, _)| id);
    let found = customer.and_then(|id| ctx.shared.customer(ctx.reference, id));
    match found.filter(|customer| customer.detail.on_account) {
        Some(customer) => Ok(Tender::Account {
            customer: customer.id,
            amount,
        }),
        None => Err(Refusal::NoAccount),
    }
}

/// Gives one tender back; the sale goes on where it was the only one.
pub(crate) fn void(register: &Register, number: u32) -> Decision {
    let cart = register.cart.as_ref().ok_or(Refusal::NoSale)?;
    if matches!(cart.phase, Phase::Selling) {
        return Err(Refusal::NotPaying);
    }
    let there = usize::try_from(number).is_ok_and(|n| (1..=cart.tenders.len()).contains(&n));
    match there {
        true => Ok(vec![Event::TenderVoided {
            cart: cart.id,
            number,
        }]),
        false => Err(Refusal::NoSuchTender { number }),
    }
}
