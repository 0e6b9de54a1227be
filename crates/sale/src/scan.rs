//! From a scan to a line: finds the item, and refuses what must not be sold.

use catalog::{CodeRules, CouponCode, Item, ItemCode, Marks, ScannedCode};
use money::{Money, Quantity, Unit};

use crate::decide::{Decision, bounded_cost, parse_quantity, paying, with_cart_all};
use crate::{
    Cart, Context, Event, HandedCoupon, LINES_MAX, Line, LineDetail, LineTax, Refusal, Register,
    Why, goods, terms,
};

/// What came with a code.
#[derive(Clone, Copy, Default)]
pub(crate) struct Given<'a> {
    pub quantity: Option<&'a str>,
    pub price: Option<&'a str>,
    pub serial: Option<&'a str>,
}

impl Given<'_> {
    fn is_nothing(&self) -> bool {
        self.quantity.is_none() && self.price.is_none() && self.serial.is_none()
    }
}

pub(crate) fn scan(
    register: &Register,
    code: &str,
    given: &Given<'_>,
    ctx: &Context<'_>,
) -> Decision {
    if let Some(refusal) = register.cart.as_ref().and_then(paying) {
        return Err(refusal);
    }
    let lines = register.cart.as_ref().map_or(0, |cart| cart.lines.len());
    if lines >= LINES_MAX {
        return Err(Refusal::CartFull { lines });
    }
    let code = code.trim();
    let mut found = match find(code, ctx)? {
        Found::Item(found) => *found,
        Found::Coupon(handed) if given.is_nothing() => return take(register, handed, ctx),
        Found::Coupon(_) => {
            return Err(Refusal::quantity(Why::CouponsOneByOne));
        }
    };
    let cart = register.cart.as_ref();
    let along = goods::linked(&found.item, ctx)?;
    for found in [&found].into_iter().chain(&along) {
        may_be_sold(found, ctx)?;
        old_enough(found, code, cart)?;
    }
    goods::asked_for(&mut found, code, given, cart, ctx)?;
    let number = u32::try_from(lines + 1).expect("bounded by LINES_MAX");
    let line = line_for(found, code, number, given.quantity, cart, ctx)?;
    let mut added = vec![line];
    for (number, found) in (number + 1..).zip(along) {
        let line = goods::along_with(&added[0], found, number, cart, ctx)?;
        added.push(line);
    }
    if lines + added.len() > LINES_MAX {
        return Err(Refusal::CartFull { lines });
    }
    with_cart_all(register, ctx, |cart| {
        let lines = added.into_iter();
        lines.map(|line| Event::LineAdded { cart, line }).collect()
    })
}

/// Asks for the buyer's age, unless that much was confirmed for the sale.
fn old_enough(found: &FoundItem, code: &str, cart: Option<&Cart>) -> Result<(), Refusal> {
    let confirmed = cart.map_or(0, |cart| cart.age_confirmed);
    match found.item.age_min.filter(|years| *years > confirmed) {
        Some(years) => Err(Refusal::AgeCheck {
            scanned: code.to_owned(),
            description: found.item.description.clone(),
            years,
        }),
        None => Ok(()),
    }
}

/// Takes a coupon by its code.
pub(crate) fn coupon(register: &Register, code: &str, ctx: &Context<'_>) -> Decision {
    match find(code.trim(), ctx) {
        Ok(Found::Coupon(handed)) => take(register, handed, ctx),
        Ok(Found::Item(_)) | Err(Refusal::UnknownCode { .. } | Refusal::BadCode { .. }) => {
            Err(Refusal::CouponUnknown {
                coupon: shown(code),
            })
        }
        Err(other) => Err(other),
    }
}

fn take(register: &Register, coupon: Coupon, ctx: &Context<'_>) -> Decision {
    match coupon {
        Coupon::OfBook(handed) => terms::take_coupon(register, handed, ctx),
        Coupon::Standard(code) => terms::take_standard(register, &code, ctx),
    }
}

/// What a code stands for.
enum Found {
    Item(Box<FoundItem>),
    Coupon(Coupon),
}

enum Coupon {
    /// One that promotions name as it is scanned.
    OfBook(HandedCoupon),
    /// One whose code follows a standard.
    Standard(Box<CouponCode>),
}

/// What a code led to: the item, and what the code itself fixes.
pub(crate) struct FoundItem {
    pub item: Item,
    pub price: Option<Money>,
    /// What was typed for an item with an open price, per piece or kilogram.
    pub typed_price: Option<Money>,
    pub quantity: Option<Quantity>,
    pub marks: Marks,
}

fn find(code: &str, ctx: &Context<'_>) -> Result<Found, Refusal> {
    // The store's own numbers come first: some are as long as a GTIN and carry no check digit.
    let internal = ItemCode::Internal(code.to_owned());
    if let Some(item) = ctx.reference.item_by_code(&internal) {
        return Ok(Found::Item(Box::new(FoundItem {
            item,
            price: None,
            typed_price: None,
            quantity: None,
            marks: Marks::default(),
        })));
    }
    if let Some(handed) = terms::coupon_in(ctx.book, code) {
        return Ok(Found::Coupon(Coupon::OfBook(handed)));
    }
    let settings = ctx.reference.settings();
    let rules = CodeRules {
        layouts: &settings.embedded_codes,
        currency: settings.currency,
        this_year: ctx.now.year(),
    };
    let scanned = ScannedCode::parse(code, &rules).map_err(|error| Refusal::BadCode {
        scanned: shown(code),
        reason: Box::new(error.into()),
    })?;
    let scanned = match scanned {
        ScannedCode::Item(scanned) => scanned,
        ScannedCode::Coupon(coupon) => return Ok(Found::Coupon(Coupon::Standard(coupon))),
    };
    let item = ctx.reference.item_by_code(&scanned.code);
    let item = item.ok_or_else(|| Refusal::UnknownCode {
        scanned: shown(code),
    })?;
    Ok(Found::Item(Box::new(FoundItem {
        quantity: scanned.weight.or(scanned.count),
        item,
        price: scanned.price,
        typed_price: None,
        marks: scanned.marks,
    })))
}

/// The goods that a code stands for.
pub(crate) fn find_item(code: &str, ctx: &Context<'_>) -> Result<FoundItem, Refusal> {
    match find(code, ctx)? {
        Found::Item(found) => Ok(*found),
        Found::Coupon(_) => Err(Refusal::BadCode {
            scanned: shown(code),
            reason: Box::new(Why::CouponNoGoods),
        }),
    }
}

/// A code as a message shows it: without what cannot be shown, and not without end.
fn shown(code: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    let visible = code.chars().filter(|c| !c.is_control());
    visible.take(SHOWN_CHARS_MAX).collect()
}

/// Refuses goods that are past their date, and goods whose lot was recalled.
pub(crate) fn may_be_sold(found: &FoundItem, ctx: &Context<'_>) -> Result<(), Refusal> {
    let description = || found.item.description.clone();
    // ISO dates sort as text.
    let today = ctx.now.business_day().0;
    if let Some(expires) = found.marks.expires.as_ref().filter(|day| **day < today) {
        return Err(Refusal::Expired {
            description: description(),
            expires: expires.clone(),
        });
    }
    match ctx.reference.recall(&found.item.id) {
        Some(recall) if recall.covers(found.marks.lot.as_deref()) => Err(Refusal::Recalled {
            description: description(),
            reason: recall.reason,
        }),
        _ => Ok(()),
    }
}

pub(crate) fn line_for(
    found: FoundItem,
    code: &str,
    number: u32,
    quantity: Option<&str>,
    cart: Option<&Cart>,
    ctx: &Context<'_>,
) -> Result<Line, Refusal> {
    let FoundItem {
        item,
        price,
        typed_price,
        quantity: fixed,
        mut marks,
    } = found;
    let cart = cart.filter(|_| !planted::is("price-not-pinned"));
    let pinned = cart.map_or(ctx.reference.version(), |cart| cart.book);
    // A label that carries its price is one piece at that price, whatever the item is sold by.
    let (unit, unit_price) = match (price, typed_price) {
        (Some(price), _) => (Unit::Each, price),
        (None, Some(typed)) => (item.sold_by, typed),
        (None, None) => (item.sold_by, item.price_at(pinned)),
    };
    let fixed = fixed.filter(|fixed| fixed.unit() == unit);
    let (quantity, tare_grams) = match (fixed, quantity) {
        // The weight in a code is net.
        (Some(fixed), _) => (fixed, 0),
        (None, Some(text)) => {
            let tare_grams = match unit {
                Unit::Each => 0,
                Unit::Kilogram => item.selling.tare_grams.max(0),
            };
            (
                goods::net(parse_quantity(text, unit)?, tare_grams)?,
                tare_grams,
            )
        }
        (None, None) if unit == Unit::Each => (Quantity::ONE, 0),
        (None, None) => {
            return Err(Refusal::WeightNeeded {
                scanned: code.to_owned(),
                description: item.description,
            });
        }
    };
    bounded_cost(quantity, unit_price, item.deposit).map_err(Refusal::quantity)?;
    let gift_card = match item.selling.gift_card {
        true => marks.serial.take(),
        false => None,
    };
    let tax = ctx
        .reference
        .tax(&item.tax)
        .ok_or_else(|| Refusal::TaxMissing {
            tax: item.tax.to_string(),
        })?;
    Ok(Line {
        number,
        item: item.id,
        code: code.to_owned(),
        description: item.description,
        department: item.department,
        brand: item.brand,
        quantity,
        unit_price,
        deposit: item.deposit,
        tax: LineTax::from(tax),
        price_override: None,
        voided: false,
        detail: LineDetail {
            marks,
            kit: goods::kit(&item.selling),
            tare_grams,
            floor: item.selling.floor,
            gift_card,
            ..LineDetail::default()
        },
    })
}
