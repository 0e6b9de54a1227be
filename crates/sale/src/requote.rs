//! Prices that changed while a sale was open.
//!
//! A sale keeps the prices and promotions that were in force when it was opened. As paying begins it
//! is quoted anew with the newest ones where it then costs less; where it would cost more, or the
//! same, that is the cashier's choice. The customer's coupons, discounts by hand and the prices that
//! were typed, overridden, printed on a label or paid back stay as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;

use catalog::Reference;
use money::Money;
use promotions::CompiledBook;

use crate::decide::{Decision, bounded_cost, selling};
use crate::{Cart, Context, Event, Line, LocalTime, Refusal, Register, limits, price, terms};

/// A cart and the promotions it is priced by, as paying begins.
pub(crate) struct Quoted<'a> {
    pub cart: Cow<'a, Cart>,
    pub book: &'a CompiledBook,
    /// What made it so: what is left of limited promotions, and what quotes it anew.
    pub events: Vec<Event>,
}

impl Quoted<'_> {
    /// Looks once more at what is left of promotions that are given only so often.
    fn look_at_limits(&mut self, ctx: &Context<'_>) {
        if let Some(event) = limits::known(&self.cart, self.book, ctx) {
            terms::evolve(&mut self.cart.to_mut().terms, &event);
            self.events.push(event);
        }
    }
}

/// The cart as paying begins: with the newest prices where the customer gains.
pub(crate) fn as_paying_begins<'a>(cart: &'a Cart, ctx: &Context<'a>) -> Quoted<'a> {
    let mut quoted = Quoted {
        cart: Cow::Borrowed(cart),
        book: ctx.book,
        events: Vec::new(),
    };
    quoted.look_at_limits(ctx);
    let newer = of_context(&quoted.cart, ctx).filter(|_| ctx.requotes);
    let newer = newer.map(|newer| (pinned_total(&quoted.cart, ctx), newer));
    if let Some((before, newer)) = newer.filter(|(before, newer)| newer.due < *before) {
        quoted.events.push(newer.event(before));
        quoted.book = newer.book;
        quoted.cart = Cow::Owned(newer.cart);
        quoted.look_at_limits(ctx);
    }
    quoted
}

/// Quotes the open sale anew, whatever it then costs.
pub(crate) fn requote(register: &Register, ctx: &Context<'_>) -> Decision {
    let cart = selling(register)?;
    let newer = of_context(cart, ctx).ok_or(Refusal::NoNewerPrices)?;
    Ok(vec![newer.event(pinned_total(cart, ctx))])
}

/// Quotes a sale anew that was told to cost `before`; `None` where there are no newer prices.
pub(crate) fn costs_now(cart: &Cart, before: Money, ctx: &Context<'_>) -> Option<Event> {
    Some(of_context(cart, ctx)?.event(before))
}

fn of_context<'a>(cart: &Cart, ctx: &Context<'a>) -> Option<Anew<'a>> {
    anew(cart, ctx.reference, ctx.newest, ctx.now)
}

/// What a sale costs with what it pinned.
fn pinned_total(cart: &Cart, ctx: &Context<'_>) -> Money {
    let currency = ctx.reference.settings().currency;
    price(cart, ctx.book, ctx.now, currency).total
}

/// What an open sale would cost with the newest prices and promotions, and not those it pinned; `None`
/// where it has them.
pub fn newest_total(
    cart: &Cart,
    reference: &dyn Reference,
    newest: &CompiledBook,
    now: LocalTime,
) -> Option<Money> {
    anew(cart, reference, newest, now).map(|newer| newer.due)
}

/// A sale with the newest prices and promotions.
struct Anew<'a> {
    cart: Cart,
    book: &'a CompiledBook,
    prices: BTreeMap<u32, Money>,
    due: Money,
}

impl Anew<'_> {
    fn event(&self, before: Money) -> Event {
        Event::Requoted {
            cart: self.cart.id,
            book: self.cart.book,
            prices: self.prices.clone(),
            before,
            due: self.due,
        }
    }
}

fn anew<'a>(
    cart: &Cart,
    reference: &dyn Reference,
    book: &'a CompiledBook,
    now: LocalTime,
) -> Option<Anew<'a>> {
    let newest = reference.version();
    if newest <= cart.book {
        return None;
    }
    let lines = cart.live_lines();
    let prices = lines.filter_map(|line| Some((line.number, newer_price(line, cart, reference)?)));
    let prices: BTreeMap<u32, Money> = prices.collect();
    let mut newer = cart.clone();
    newer.quote_anew(newest, &prices);
    let currency = reference.settings().currency;
    let due = price(&newer, book, now, currency).total;
    Some(Anew {
        cart: newer,
        book,
        prices,
        due,
    })
}

/// The newest price of a line that has its item's price, where that is another.
fn newer_price(line: &Line, cart: &Cart, reference: &dyn Reference) -> Option<Money> {
    let detail = &line.detail;
    if line.price_override.is_some() || detail.returned.is_some() || detail.gift_card.is_some() {
        return None;
    }
    let item = reference.item(&line.item)?;
    let is_items = !item.selling.open_price
        && line.quantity.unit() == item.sold_by
        && line.unit_price == item.price_at(cart.book);
    let changed = is_items && item.price != line.unit_price;
    let bounded = bounded_cost(line.quantity, item.price, line.deposit).is_ok();
    (changed && bounded).then_some(item.price)
}
