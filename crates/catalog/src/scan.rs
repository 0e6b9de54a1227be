//! What a scan stands for: an item with what its code fixes (price, weight, count, lot, dates,
//! serial), or a coupon.
//!
//! Nothing here looks anything up: a scan is understood from its text, the store's layouts, its
//! currency and the current year alone.

use money::{Currency, Money, Quantity};
use serde::{Deserialize, Serialize};

use crate::coupon::coupon_8110;
use crate::gs1::{Element, SCAN_CHARS_MAX, date, elements, without_symbology};
use crate::{CodeError, EmbeddedLayout, Embeds, Gtin, ItemCode, Purchases};

/// What a code says about the very piece that carries it. Dates are ISO 8601.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Batch or lot, AI 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// Serial number, AI 21.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Best before, AI 15.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_before: Option<String>,
    /// Expires at the end of this day, AI 17.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The two or five digits beside the bars of a magazine or a book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_on: Option<String>,
}

/// An item as a code names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScannedItem {
    /// Look this up.
    pub code: ItemCode,
    /// Sell it for this, whatever the price book says: a label's price, or AI 392 and 393.
    pub price: Option<Money>,
    /// Sell this weight: a label's, or AI 310.
    pub weight: Option<Quantity>,
    /// Sell this many pieces, AI 30.
    pub count: Option<Quantity>,
    pub marks: Marks,
}

/// A coupon's own number, by which it can be told from every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponCode {
    /// The GS1 company prefix of whoever pays for it.
    pub funder: String,
    pub offer: String,
    pub serial: Option<String>,
    /// What it takes off, where its code says so in money.
    pub value: Option<Money>,
    /// The first and the last day on which it is good.
    pub starts: Option<String>,
    pub expires: Option<String>,
    /// What must be bought, where its code says so.
    pub asks: Option<Purchases>,
}

impl CouponCode {
    /// By which promotions name it: `0614141-123456`, company prefix and offer; the 13 digits of a
    /// Global Coupon Number.
    pub fn name(&self) -> String {
        match self.funder == self.offer {
            true => self.offer.clone(),
            false => format!("{}-{}", self.funder, self.offer),
        }
    }
}

/// A code as scanned or typed, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScannedCode {
    Item(Box<ScannedItem>),
    Coupon(Box<CouponCode>),
}

/// What the store lays down about reading codes.
#[derive(Clone, Copy, Debug)]
pub struct CodeRules<'a> {
    pub layouts: &'a [EmbeddedLayout],
    pub currency: Currency,
    /// Decides on the century of dates of six digits.
    pub this_year: i32,
}

impl ScannedItem {
    fn plain(code: ItemCode) -> ScannedItem {
        ScannedItem {
            code,
            price: None,
            weight: None,
            count: None,
            marks: Marks::default(),
        }
    }
}

impl From<ScannedItem> for ScannedCode {
    fn from(item: ScannedItem) -> ScannedCode {
        ScannedCode::Item(Box::new(item))
    }
}

impl ScannedCode {
    /// Understands what a scanner read or a person typed.
    ///
    /// Callers look the text up as `ItemCode::Internal` first, because an item number may look like
    /// anything; this is for what is not found that way. In this order: GS1 element strings and
    /// Digital Links; ISBN and ISSN with hyphens, ISBN-10, and codes with an add-on; by length, 8,
    /// 12, 13 and 14 digits are a GTIN and must have the right check digit; 4 and 5 digits in the
    /// IFPS ranges are a PLU code; everything else is a code of the store's own. Of two layouts
    /// that match, the first wins.
    pub fn parse(text: &str, rules: &CodeRules<'_>) -> Result<ScannedCode, CodeError> {
        let text = text.trim();
        if text.chars().count() > SCAN_CHARS_MAX {
            return Err(CodeError::TooLong);
        }
        if let Some(elements) = elements(text) {
            return of_elements(&elements?, rules);
        }
        let ean_8 = text.starts_with("]E4");
        let text = without_symbology(text);
        if let Some(item) = book_or_magazine(text)? {
            return Ok(item.into());
        }
        let code = match ean_8 {
            true => ItemCode::Gtin(Gtin::parse_ean_8(text)?),
            false => ItemCode::parse_bare(text)?,
        };
        match embedded(&code, text, rules)? {
            Some(item) => Ok(item.into()),
            None => Ok(ScannedItem::plain(code).into()),
        }
    }
}

/// The price or weight in a store code, where one of the layouts matches.
fn embedded(
    code: &ItemCode,
    text: &str,
    rules: &CodeRules<'_>,
) -> Result<Option<ScannedItem>, CodeError> {
    let ItemCode::Gtin(gtin) = code else {
        return Ok(None);
    };
    let digits = gtin.to_string();
    // A 14-digit code with an indicator digit is a case of something, never a scale's label.
    let Some(thirteen) = digits.strip_prefix('0') else {
        return Ok(None);
    };
    let twelve = &thirteen[..EmbeddedLayout::DIGITS];
    let Some((layout, parts)) = rules.layouts.iter().find_map(|layout| {
        let parts = layout.split(twelve)?;
        Some((layout, parts))
    }) else {
        return Ok(None);
    };
    if let Some((found, expected)) = parts.check.filter(|(found, expected)| found != expected) {
        return Err(CodeError::WrongValueDigit {
            text: text.to_owned(),
            found,
            expected,
        });
    }
    if parts.value == 0 {
        return Err(CodeError::NothingEmbedded(text.to_owned()));
    }
    let mut item = ScannedItem::plain(ItemCode::Embedded(parts.item));
    match layout.embeds {
        Embeds::Price => item.price = Some(Money::from_minor(parts.value, rules.currency)),
        Embeds::Weight => item.weight = Some(Quantity::grams(parts.value)),
        Embeds::Count => item.count = Some(Quantity::each(parts.value)),
    }
    Ok(Some(item))
}

/// Books and magazines as people write them and as scanners send them: ISBN-10, ISBN and ISSN with
/// hyphens, and EAN-13 or UPC-A with an add-on of two or five digits. Sources: ISBN Users' Manual,
/// ISO 3297, GS1 General Specifications, section 5.2.3.
fn book_or_magazine(text: &str) -> Result<Option<ScannedItem>, CodeError> {
    let gtin = |gtin| Ok(Some(ScannedItem::plain(ItemCode::Gtin(gtin))));
    let joined: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let hyphens = joined.len() != text.len();
    if let Some(found) = isbn_10(&joined) {
        return gtin(found);
    }
    if let Some(found) = hyphens.then(|| issn(text)).flatten() {
        return gtin(found);
    }
    if !joined.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    let printed = ["977", "978", "979"].iter().any(|p| joined.starts_with(p));
    match joined.len() {
        13 if hyphens && printed => gtin(Gtin::parse(&joined)?),
        // Only books and magazines carry add-ons, and only they are that long with digits alone.
        15 | 18 if printed => with_add_on(&joined, 13),
        17 => with_add_on(&joined, 12),
        _ => Ok(None),
    }
}

fn with_add_on(digits: &str, length: usize) -> Result<Option<ScannedItem>, CodeError> {
    let (code, add_on) = digits.split_at(length);
    let mut item = ScannedItem::plain(ItemCode::Gtin(Gtin::parse(code)?));
    item.marks.add_on = Some(add_on.to_owned());
    Ok(Some(item))
}

/// The GTIN of an ISBN-10 whose check character holds.
fn isbn_10(joined: &str) -> Option<Gtin> {
    let bytes = joined.as_bytes();
    let (digits, check) = match bytes {
        [digits @ .., check] if digits.len() == 9 => (digits, *check),
        _ => return None,
    };
    let mut sum: u64 = match check {
        b'0'..=b'9' => u64::from(check - b'0'),
        b'X' | b'x' => 10,
        _ => return None,
    };
    for (weight, digit) in (2..=10).rev().zip(digits) {
        sum += weight * u64::from(digit.checked_sub(b'0').filter(|d| *d <= 9)?);
    }
    sum.is_multiple_of(11)
        .then(|| prefixed("978", &joined[..9]))?
}

/// The GTIN of an ISSN written as `0317-8471`, variant 00.
fn issn(text: &str) -> Option<Gtin> {
    let (front, back) = text.split_once('-')?;
    if front.len() != 4 || back.len() != 4 {
        return None;
    }
    let digits = format!("{front}{}", back.get(..3)?);
    let mut sum: u64 = match back.as_bytes()[3] {
        digit @ b'0'..=b'9' => u64::from(digit - b'0'),
        b'X' | b'x' => 10,
        _ => return None,
    };
    for (weight, digit) in (2..=8).rev().zip(digits.bytes()) {
        sum += weight * u64::from(digit.checked_sub(b'0').filter(|d| *d <= 9)?);
    }
    sum.is_multiple_of(11)
        .then(|| prefixed("977", &format!("{digits}00")))?
}

fn prefixed(prefix: &str, nine: &str) -> Option<Gtin> {
    let body: u64 = format!("{prefix}{nine}").parse().ok()?;
    Gtin::parse(&format!("{body:012}{}", Gtin::check_digit(body))).ok()
}

fn value<'a>(elements: &'a [Element], ai: &str) -> Option<&'a str> {
    let found = elements.iter().find(|element| element.ai == ai)?;
    Some(found.value.as_str())
}

/// The element of a measure or an amount, whose last digit says how many decimals it has.
fn scaled<'a>(elements: &'a [Element], prefix: &str) -> Option<(&'a Element, u32)> {
    let found = elements
        .iter()
        .find(|e| e.ai.len() == 4 && e.ai.starts_with(prefix))?;
    let decimals = found.ai.bytes().next_back().map(|b| u32::from(b - b'0'))?;
    Some((found, decimals))
}

fn wrong(ai: &str, reason: &str) -> CodeError {
    CodeError::WrongElement {
        ai: ai.to_owned(),
        reason: reason.to_owned(),
    }
}

fn of_elements(elements: &[Element], rules: &CodeRules<'_>) -> Result<ScannedCode, CodeError> {
    if let Some(text) = value(elements, "8110") {
        return Ok(ScannedCode::Coupon(Box::new(coupon_8110(text, rules)?)));
    }
    for (ai, read) in [
        ("8112", coupon_8112 as fn(&str) -> Option<CouponCode>),
        ("255", coupon_255),
    ] {
        if let Some(text) = value(elements, ai) {
            let coupon = read(text).ok_or_else(|| wrong(ai, "it is no coupon"))?;
            return Ok(ScannedCode::Coupon(Box::new(coupon)));
        }
    }
    let gtin = value(elements, "01").ok_or_else(|| wrong("01", "the code names no item"))?;
    let mut item = ScannedItem::plain(ItemCode::Gtin(Gtin::parse(gtin)?));
    item.weight = weight(elements)?;
    item.price = amount_payable(elements, rules.currency)?;
    if let Some(count) = value(elements, "30") {
        let count: i64 = count.parse().map_err(|_| wrong("30", "it is no number"))?;
        item.count = Some(Quantity::each(count)).filter(|_| (1..=99_999).contains(&count));
        if item.count.is_none() {
            return Err(wrong("30", "a count is from 1 to 99999"));
        }
    }
    let day = |ai: &str| -> Result<Option<String>, CodeError> {
        let Some(text) = value(elements, ai) else {
            return Ok(None);
        };
        let found = date(text, rules.this_year).map_err(|()| wrong(ai, "it is no date"))?;
        Ok(Some(found))
    };
    item.marks = Marks {
        lot: value(elements, "10").map(str::to_owned),
        serial: value(elements, "21").map(str::to_owned),
        best_before: day("15")?,
        expires: day("17")?,
        add_on: None,
    };
    Ok(item.into())
}

/// Net weight in kilograms, AI 310n, to the gram; finer than that is rounded half up.
fn weight(elements: &[Element]) -> Result<Option<Quantity>, CodeError> {
    let Some((found, decimals)) = scaled(elements, "310") else {
        return Ok(None);
    };
    let number: i64 = found
        .value
        .parse()
        .map_err(|_| wrong(&found.ai, "no number"))?;
    let grams = match decimals {
        0..=3 => number * 10_i64.pow(3 - decimals),
        4 | 5 => {
            let one = 10_i64.pow(decimals - 3);
            (number + one / 2) / one
        }
        _ => return Err(wrong(&found.ai, "it is not known")),
    };
    match (1..=money::MILLI_MAX).contains(&grams) {
        true => Ok(Some(Quantity::grams(grams))),
        false => Err(wrong(&found.ai, "it is no weight that can be sold")),
    }
}

/// The amount payable, AI 392n in the store's currency, AI 393n with the currency's number.
fn amount_payable(elements: &[Element], currency: Currency) -> Result<Option<Money>, CodeError> {
    let plain = scaled(elements, "392").map(|(e, decimals)| (e, decimals, e.value.as_str()));
    let with_currency = scaled(elements, "393").map(|(e, decimals)| (e, decimals, &e.value[3..]));
    if let Some((element, ..)) = with_currency
        && Currency::from_numeric(&element.value[..3]) != Some(currency)
    {
        return Err(wrong(&element.ai, "it is not in the store's currency"));
    }
    let Some((element, decimals, digits)) = plain.or(with_currency) else {
        return Ok(None);
    };
    let ai = &element.ai;
    let number: i64 = digits.parse().map_err(|_| wrong(ai, "it is no number"))?;
    let minor_digits = currency.minor_digits();
    let minor = if decimals <= minor_digits {
        number.checked_mul(10_i64.pow(minor_digits - decimals))
    } else {
        let one = 10_i64.pow(decimals - minor_digits);
        (number % one == 0).then_some(number / one)
    };
    match minor {
        Some(minor) if (1..=1_000_000_000_000).contains(&minor) => {
            Ok(Some(Money::from_minor(minor, currency)))
        }
        _ => Err(wrong(ai, "it is no amount that can be paid")),
    }
}

/// Takes `length` digits off the front.
fn take<'a>(text: &mut &'a str, length: usize) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(length)?;
    *text = rest;
    Some(head)
}

/// Takes a digit that says how long the next field is, less `base`, and that field.
fn take_sized<'a>(
    text: &mut &'a str,
    base: usize,
    digits: std::ops::RangeInclusive<usize>,
) -> Option<&'a str> {
    let size: usize = take(text, 1)?.parse().ok()?;
    digits.contains(&size).then(|| take(text, size + base))?
}

/// A paperless or serialised coupon. Source: GS1 General Specifications, section 3.9.15.
fn coupon_8112(text: &str) -> Option<CouponCode> {
    let mut rest = text;
    if !matches!(take(&mut rest, 1)?, "0" | "1") {
        return None;
    }
    let funder = take_sized(&mut rest, 6, 0..=6)?.to_owned();
    let offer = take(&mut rest, 6)?.to_owned();
    let serial = take_sized(&mut rest, 6, 0..=9)?.to_owned();
    rest.is_empty().then_some(CouponCode {
        funder,
        offer,
        serial: Some(serial),
        value: None,
        starts: None,
        expires: None,
        asks: None,
    })
}

/// A Global Coupon Number, its check digit proved by [`gs1::elements`].
fn coupon_255(text: &str) -> Option<CouponCode> {
    let (number, serial) = text.split_at_checked(13)?;
    Some(CouponCode {
        funder: number.to_owned(),
        offer: number.to_owned(),
        serial: Some(serial.to_owned()).filter(|serial| !serial.is_empty()),
        value: None,
        starts: None,
        expires: None,
        asks: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, layouts: &[EmbeddedLayout]) -> String {
        let rules = CodeRules {
            layouts,
            currency: Currency::USD,
            this_year: 2026,
        };
        match ScannedCode::parse(text, &rules) {
            Ok(ScannedCode::Item(item)) => {
                let mut text = item.code.key();
                let mut add = |label: &str, part: Option<String>| {
                    if let Some(part) = part {
                        text.push_str(&format!(" {label} {part}"));
                    }
                };
                add("at", item.price.map(|p| p.to_string()));
                add("of", item.weight.map(|w| w.to_string()));
                add("times", item.count.map(|c| c.to_string()));
                add("lot", item.marks.lot);
                add("serial", item.marks.serial);
                add("best before", item.marks.best_before);
                add("expires", item.marks.expires);
                add("add-on", item.marks.add_on);
                text
            }
            Ok(ScannedCode::Coupon(c)) => format!(
                "coupon {} {} {:?} {:?} {:?} {:?}",
                c.funder, c.offer, c.serial, c.value, c.starts, c.expires
            ),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn scanned_codes_are_understood() {
        let check = |text: &str, expected: &str| {
            assert_eq!(shown(text, &EmbeddedLayout::defaults()), expected, "{text}");
        };
        check("4011", "p:4011");
        check("94011", "p:94011");
        check("2999", "i:2999");
        check("54011", "i:54011");
        check("852856", "i:852856");
        check(" HAM-2 ", "i:HAM-2");
        check("036000291452", "g:00036000291452");
        check("]E0036000291452", "g:00036000291452");
        // An EAN-8 that would also be a UPC-E.
        check("]E401234565", "g:00000001234565");
        check("01234565", "g:00012345000065");
        // The same scale's label as UPC-A and as EAN-13.
        check("212345006788", "e:12345 at 6.78");
        check("0212345006788", "e:12345 at 6.78");
        check("2112345006789", "e:12345 at 6.78");
        check("2312345004550", "e:12345 of 0.455 kg");
        check("12112345006786", "g:12112345006786");
        check("2112345000008", r#"NothingEmbedded("2112345000008")"#);
        check(
            "2112345006780",
            r#"WrongCheckDigit { text: "2112345006780", expected: 9 }"#,
        );
        check("", "Empty");
        check("a b", r#"NotACode("a b")"#);
        check(&"9".repeat(49), "TooLong");
        check(&"9".repeat(500), "TooLong");
    }

    #[test]
    fn books_and_magazines_are_understood() {
        let check = |text: &str, expected: &str| assert_eq!(shown(text, &[]), expected, "{text}");
        check("0-306-40615-2", "g:09780306406157");
        check("0306406152", "g:09780306406157");
        check("080442957X", "g:09780804429573");
        check("978-0-306-40615-7", "g:09780306406157");
        check(
            "978-0-306-40615-8",
            r#"WrongCheckDigit { text: "9780306406158", expected: 7 }"#,
        );
        check("0317-8471", "g:09770317847001");
        check("2049-3630", "g:09772049363002");
        check("978030640615752999", "g:09780306406157 add-on 52999");
        check("9770317847001 05", "g:09770317847001 add-on 05");
        check("977031784700105", "g:09770317847001 add-on 05");
        check("03600029145212345", "g:00036000291452 add-on 12345");
        check("0306406153", "i:0306406153");
        check("0317-8472", "i:0317-8472");
    }

    #[test]
    fn element_strings_become_items() {
        let check = |text: &str, expected: &str| assert_eq!(shown(text, &[]), expected, "{text}");
        check(
            "]d2010952123454321317261130\u{1d}10L7\u{1d}21S-1",
            "g:09521234543213 lot L7 serial S-1 expires 2026-11-30",
        );
        check(
            "(01)09521234543213(15)261200",
            "g:09521234543213 best before 2026-12-31",
        );
        check(
            "(01)09521234543213(3103)000455",
            "g:09521234543213 of 0.455 kg",
        );
        check(
            "(01)09521234543213(3100)000012",
            "g:09521234543213 of 12.000 kg",
        );
        check(
            "(01)09521234543213(3105)045550",
            "g:09521234543213 of 0.456 kg",
        );
        check("(01)09521234543213(3922)0599", "g:09521234543213 at 5.99");
        check("(01)09521234543213(3920)6", "g:09521234543213 at 6.00");
        check(
            "(01)09521234543213(3932)8400599",
            "g:09521234543213 at 5.99",
        );
        check("(01)09521234543213(30)12", "g:09521234543213 times 12");
        let wrong = |text: &str, part: &str| {
            let got = shown(text, &[]);
            assert!(got.contains(part), "{text}: {got}");
        };
        wrong(
            "(01)09521234543213(3932)9780599",
            "not in the store's currency",
        );
        wrong(
            "(01)09521234543213(3923)05999",
            "no amount that can be paid",
        );
        wrong(
            "(01)09521234543213(3103)000000",
            "no weight that can be sold",
        );
        wrong("(01)09521234543213(3106)000001", "it is not known");
        wrong("(01)09521234543213(30)0", "from 1 to 99999");
        wrong("(10)L7", "names no item");
    }

    #[test]
    fn coupons_are_understood() {
        let check = |text: &str, expected: &str| assert_eq!(shown(text, &[]), expected, "{text}");
        // Company 0614141, offer 123456, 0.75 off two, until 2026-12-31, serial 1234567.
        check(
            "(8110)106141411234562751201233261231511234567",
            r#"coupon 0614141 123456 Some("1234567") Some(0.75 USD) None Some("2026-12-31")"#,
        );
        check(
            "(8112)0106141411234560654321",
            r#"coupon 0614141 123456 Some("654321") None None None"#,
        );
        check(
            "(255)9501101021501123",
            r#"coupon 9501101021501 9501101021501 Some("123") None None None"#,
        );
        check(
            "(8110)99",
            r#"WrongElement { ai: "8110", reason: "the length of the company prefix must be one of 0123456" }"#,
        );
        check(
            "(8112)9",
            r#"WrongElement { ai: "8112", reason: "it is no coupon" }"#,
        );
    }

    #[test]
    fn a_stores_own_layouts_are_followed() {
        let layout =
            |prefix: &str, item_digits, value_digits, embeds, value_check| EmbeddedLayout {
                prefix: prefix.to_owned(),
                item_digits,
                value_digits,
                embeds,
                value_check,
            };
        let check = |layout: EmbeddedLayout, text: &str, expected: &str| {
            assert_eq!(shown(text, &[layout]), expected, "{text}");
        };
        // Four digits of price behind their check digit.
        let priced = layout("21", 5, 4, Embeds::Price, true);
        check(priced.clone(), "2112345928753", "e:12345 at 28.75");
        check(
            priced,
            "2112345828756",
            r#"WrongValueDigit { text: "2112345828756", found: 8, expected: 9 }"#,
        );
        check(
            layout("25", 6, 4, Embeds::Count, false),
            "2512345600121",
            "e:123456 times 12",
        );
        // A layout that does not fill the code matches nothing.
        check(
            layout("21", 5, 4, Embeds::Price, false),
            "2112345006789",
            "g:02112345006789",
        );
        check(
            layout("21", 5, 3, Embeds::Price, true),
            "2112345006789",
            "g:02112345006789",
        );
    }
}
