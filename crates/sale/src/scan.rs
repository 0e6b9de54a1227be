//! From a scan to a line: finds the item, and refuses what must not be sold.

use catalog::{CodeRules, CouponCode, Item, ItemCode, Marks, ScannedCode};
use money::{Money, Quantity, Unit};

use crate::decide::{Decision, bounded_cost, parse_quantity, paying, with_cart};
use crate::{
    Cart, Context, Event, HandedCoupon, LINES_MAX, Line, LineDetail, LineTax, Refusal, Register,
    terms,
};

pub(crate) fn scan(
    register: &Register,
    code: &str,
    quantity: Option<&str>,
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
    let found = match find(code, ctx)? {
        Found::Item(found) => *found,
        Found::Coupon(handed) if quantity.is_none() => return take(register, handed, ctx),
        Found::Coupon(_) => {
            return Err(Refusal::BadQuantity {
                message: "Coupons are handed over one by one.".to_owned(),
            });
        }
    };
    may_be_sold(&found, ctx)?;
    let confirmed = register.cart.as_ref().map_or(0, |c| c.age_confirmed);
    if let Some(years) = found.item.age_min.filter(|years| *years > confirmed) {
        return Err(Refusal::AgeCheck {
            scanned: code.to_owned(),
            description: found.item.description,
            years,
        });
    }
    let number = u32::try_from(lines + 1).expect("bounded by LINES_MAX");
    let line = line_for(found, code, number, quantity, register.cart.as_ref(), ctx)?;
    with_cart(register, ctx, |cart| Event::LineAdded { cart, line })
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
struct FoundItem {
    item: Item,
    price: Option<Money>,
    quantity: Option<Quantity>,
    marks: Marks,
}

fn find(code: &str, ctx: &Context<'_>) -> Result<Found, Refusal> {
    // The store's own numbers come first: some are as long as a GTIN and carry no check digit.
    let internal = ItemCode::Internal(code.to_owned());
    if let Some(item) = ctx.reference.item_by_code(&internal) {
        return Ok(Found::Item(Box::new(FoundItem {
            item,
            price: None,
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
        message: error.to_string(),
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
        marks: scanned.marks,
    })))
}

/// A code as a message shows it: without what cannot be shown, and not without end.
fn shown(code: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    let visible = code.chars().filter(|c| !c.is_control());
    visible.take(SHOWN_CHARS_MAX).collect()
}

/// Refuses goods that are past their date, and goods whose lot was recalled.
fn may_be_sold(found: &FoundItem, ctx: &Context<'_>) -> Result<(), Refusal> {
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

fn line_for(
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
        quantity: fixed,
        marks,
    } = found;
    let cart = cart.filter(|_| !planted::is("price-not-pinned"));
    let pinned = cart.map_or(ctx.reference.version(), |cart| cart.book);
    // A label that carries its price is one piece at that price, whatever the item is sold by.
    let (unit, unit_price) = match price {
        Some(price) => (Unit::Each, price),
        None => (item.sold_by, item.price_at(pinned)),
    };
    let fixed = fixed.filter(|fixed| fixed.unit() == unit);
    let quantity = match (fixed, quantity) {
        (Some(fixed), _) => fixed,
        (None, Some(text)) => parse_quantity(text, unit)?,
        (None, None) if unit == Unit::Each => Quantity::ONE,
        (None, None) => {
            return Err(Refusal::WeightNeeded {
                scanned: code.to_owned(),
                description: item.description,
            });
        }
    };
    bounded_cost(quantity, unit_price, item.deposit)
        .map_err(|message| Refusal::BadQuantity { message })?;
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
            ..LineDetail::default()
        },
    })
}
