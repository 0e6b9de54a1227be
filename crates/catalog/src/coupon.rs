//! Paper coupons of North America, GS1 application identifier (8110): who pays, what must be bought,
//! and on which days.
//!
//! Every field is read and must be sound; what the code takes off is the promotion's to say, and so
//! is which of its items a family code means. Source: Joint Industry Coupon Committee, North American
//! Coupon Application Guideline Using GS1 DataBar Expanded Symbols. That the first purchase does not
//! count under rules code 3 is how other registers in use read it.

use money::Money;
use serde::{Deserialize, Serialize};

use crate::gs1::date;
use crate::{CodeError, CodeRules, CouponCode, Gtin};

/// A hundredth of a pound in tenths of a microgram.
const HUNDREDTH_POUND: i64 = 45_359_237;
const GRAM: i64 = 10_000_000;
const GRAMS_IN_HUNDREDTH_KILOGRAM: i64 = 10;

/// How much must be bought for a coupon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Least {
    /// Pieces of the company's goods; code 0.
    Units(i64),
    /// For so much of the company's goods, in minor units before discounts; code 1.
    Spend(i64),
    /// A sale of so much, in minor units before discounts; code 2.
    Sale(i64),
    /// A weight of the company's goods, rounded up to the gram; codes 3 (pounds) and 4 (kilograms).
    Grams(i64),
    /// What no register can count: the cashier looks; code 9.
    CashierLooks,
}

/// One purchase that a coupon asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    pub least: Least,
    /// The GS1 company prefix of the goods.
    pub company: String,
    /// Three digits that mean some of the company's goods. Which, a store does not know.
    pub family: String,
}

/// Which of the purchases are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PurchaseRule {
    /// Any one; code 0, and where there is only one.
    Any,
    /// All; code 1.
    All,
    /// The first, and the second or the third; code 2.
    FirstAndOther,
    /// The second or the third; code 3.
    Other,
}

/// What must be bought for a coupon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchases {
    pub rule: PurchaseRule,
    pub first: Purchase,
    /// The second and the third.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Purchase>,
}

impl Purchase {
    /// Whether something with this number is of the company. Six digits may be a U.P.C. company
    /// prefix, which a GTIN has behind a zero.
    pub fn is_of_company(&self, gtin: Gtin) -> bool {
        let digits = gtin.to_string();
        // In front of the company prefix stands what tells a case from a piece.
        let number = &digits[1..];
        let behind_zero = number.strip_prefix('0').filter(|_| self.company.len() == 6);
        number.starts_with(&self.company)
            || behind_zero.is_some_and(|number| number.starts_with(&self.company))
    }
}

impl Purchases {
    /// The sets of purchases of which one must be made wholly.
    pub fn alternatives(&self) -> Vec<Vec<&Purchase>> {
        let first = &self.first;
        let others = self.others.iter();
        match self.rule {
            PurchaseRule::Any => [first].into_iter().chain(others).map(|p| vec![p]).collect(),
            PurchaseRule::All => vec![[first].into_iter().chain(others).collect()],
            PurchaseRule::FirstAndOther => others.map(|other| vec![first, other]).collect(),
            PurchaseRule::Other => others.map(|other| vec![other]).collect(),
        }
    }
}

/// Takes fields off the front of the code, and says which of them is wrong.
struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    fn digits(&mut self, count: usize, field: &str) -> Result<&'a str, CodeError> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| wrong(format!("it ends within the {field}")))?;
        self.0 = rest;
        Ok(taken)
    }

    fn digit(&mut self, allowed: &str, field: &str) -> Result<char, CodeError> {
        let found = self.digits(1, field)?.chars().next();
        found
            .filter(|digit| allowed.contains(*digit))
            .ok_or_else(|| wrong(format!("the {field} must be one of {allowed}")))
    }

    /// A field behind a digit that says how much longer than `base` it is.
    fn sized(&mut self, base: u32, allowed: &str, field: &str) -> Result<&'a str, CodeError> {
        let size = self.digit(allowed, &format!("length of the {field}"))?;
        let digits = base + size.to_digit(10).unwrap_or(0);
        self.digits(digits as usize, field)
    }

    fn number(&mut self, field: &str) -> Result<i64, CodeError> {
        let digits = self.sized(0, "12345", field)?;
        digits
            .parse()
            .map_err(|_| wrong(format!("the {field} is no number")))
    }

    fn least(&mut self) -> Result<(Least, String), CodeError> {
        let number = self.number("purchase requirement")?;
        let least = match self.digit("012349", "purchase requirement code")? {
            '0' => Least::Units(number),
            '1' => Least::Spend(number),
            '2' => Least::Sale(number),
            '3' => Least::Grams((number * HUNDREDTH_POUND + GRAM - 1) / GRAM),
            '4' => Least::Grams(number * GRAMS_IN_HUNDREDTH_KILOGRAM),
            _ => Least::CashierLooks,
        };
        Ok((least, self.digits(3, "family code")?.to_owned()))
    }

    /// The second or third purchase; without a company of its own it is of the first one's.
    fn other(&mut self, company: &str) -> Result<Purchase, CodeError> {
        let (least, family) = self.least()?;
        let company = if let Some(rest) = self.0.strip_prefix('9') {
            self.0 = rest;
            company
        } else {
            self.sized(6, "0123456", "company prefix")?
        };
        Ok(Purchase {
            least,
            company: company.to_owned(),
            family,
        })
    }

    fn day(&mut self, field: &str, rules: &CodeRules<'_>) -> Result<String, CodeError> {
        let digits = self.digits(6, field)?;
        date(digits, rules.this_year).map_err(|()| wrong(format!("the {field} is no date")))
    }
}

fn wrong(reason: String) -> CodeError {
    CodeError::WrongElement {
        ai: "8110".to_owned(),
        reason,
    }
}

/// Reads the digits after the application identifier.
pub(crate) fn coupon_8110(text: &str, rules: &CodeRules<'_>) -> Result<CouponCode, CodeError> {
    let mut fields = Fields(text);
    let funder = fields.sized(6, "0123456", "company prefix")?.to_owned();
    let offer = fields.digits(6, "offer code")?.to_owned();
    let saved = fields.number("save value")?;
    let (least, family) = fields.least()?;
    let mut purchases = Purchases {
        rule: PurchaseRule::Any,
        first: Purchase {
            least,
            company: funder.clone(),
            family,
        },
        others: Vec::new(),
    };
    let mut coupon = CouponCode {
        funder,
        offer,
        serial: None,
        value: Some(Money::from_minor(saved, rules.currency)),
        starts: None,
        expires: None,
        asks: None,
    };
    let mut before = '0';
    while !fields.0.is_empty() {
        let field = fields.digit("1234569", "number of an optional field")?;
        if field <= before {
            return Err(wrong(format!("the optional field {field} is out of order")));
        }
        before = field;
        optional(field, &mut fields, &mut coupon, &mut purchases, rules)?;
    }
    if let (Some(first), Some(last)) = (&coupon.starts, &coupon.expires)
        && first > last
    {
        return Err(wrong("it expires before it starts".to_owned()));
    }
    coupon.asks = Some(purchases);
    Ok(coupon)
}

fn optional(
    field: char,
    fields: &mut Fields<'_>,
    coupon: &mut CouponCode,
    purchases: &mut Purchases,
    rules: &CodeRules<'_>,
) -> Result<(), CodeError> {
    match field {
        '1' => {
            purchases.rule = match fields.digit("0123", "additional purchase rules code")? {
                '0' => PurchaseRule::Any,
                '1' => PurchaseRule::All,
                '2' => PurchaseRule::FirstAndOther,
                _ => PurchaseRule::Other,
            };
            purchases.others.push(fields.other(&coupon.funder)?);
        }
        '2' if purchases.others.is_empty() => {
            return Err(wrong("it has a third purchase and no second".to_owned()));
        }
        '2' => purchases.others.push(fields.other(&coupon.funder)?),
        '3' => coupon.expires = Some(fields.day("expiration date", rules)?),
        '4' => coupon.starts = Some(fields.day("start date", rules)?),
        '5' => coupon.serial = Some(fields.sized(6, "0123456789", "serial number")?.to_owned()),
        '6' => {
            fields.sized(6, "1234567", "retailer's number")?;
        }
        _ => {
            // Only 0 is an amount off goods; the others are free goods, a percentage, or off the sale.
            if fields.digit("01256", "save value code")? != '0' {
                coupon.value = None;
            }
            fields.digit("012", "number of the purchase that the value is for")?;
            fields.digits(1, "store coupon flag")?;
            fields.digit("01", "don't-multiply flag")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use money::Currency;

    fn read(text: &str) -> Result<CouponCode, CodeError> {
        let rules = CodeRules {
            layouts: &[],
            currency: Currency::USD,
            this_year: 2026,
        };
        coupon_8110(text, &rules)
    }

    /// Company 0036000, offer 123456, 1.00 off.
    const HEAD: &str = "100360001234563100";

    #[test]
    fn purchases_are_read() {
        let check = |rest: &str, expected: &str| {
            let asks = read(&format!("{HEAD}{rest}")).unwrap().asks.unwrap();
            let purchases = [&asks.first].into_iter().chain(&asks.others);
            let purchases = purchases.map(|p| format!("{:?} {} {}", p.least, p.company, p.family));
            let purchases: Vec<String> = purchases.collect();
            let got = format!("{:?}: {}", asks.rule, purchases.join(", "));
            assert_eq!(got, expected, "{rest}");
        };
        check("120110", "Any: Units(2) 0036000 110");
        check("35001110", "Any: Spend(500) 0036000 110");
        check("425002110", "Any: Sale(2500) 0036000 110");
        check("31003110", "Any: Grams(454) 0036000 110");
        check("31504110", "Any: Grams(1500) 0036000 110");
        check("109992", "Any: CashierLooks 0036000 992");
        check(
            "110110101308509",
            "Any: Units(1) 0036000 110, Units(3) 0036000 850",
        );
        check(
            "110110111208500614141",
            "All: Units(1) 0036000 110, Units(2) 614141 850",
        );
        check(
            "11011012110850921108510614141",
            "FirstAndOther: Units(1) 0036000 110, Units(1) 0036000 850, Units(1) 614141 851",
        );
        check(
            "11011013110850921108519",
            "Other: Units(1) 0036000 110, Units(1) 0036000 850, Units(1) 0036000 851",
        );
    }

    #[test]
    fn the_other_fields_are_read() {
        let coupon = |rest: &str| read(&format!("{HEAD}110110{rest}")).unwrap();
        let days = coupon("32612314261101");
        assert_eq!(days.expires.as_deref(), Some("2026-12-31"));
        assert_eq!(days.starts.as_deref(), Some("2026-11-01"));
        assert_eq!(coupon("511234567").serial.as_deref(), Some("1234567"));
        let amount = Some(Money::from_minor(100, Currency::USD));
        assert_eq!(coupon("619521234").value, amount);
        assert_eq!(coupon("90201").value, amount);
        assert_eq!(coupon("95000").value, None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |text: &str, part: &str| {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains(part), "{text}: {said}");
        };
        let then = |rest: &str, part: &str| check(&format!("{HEAD}110110{rest}"), part);
        check("", "ends within the length of the company prefix");
        check("7", "length of the company prefix must be one of 0123456");
        check("10036", "ends within the company prefix");
        check("10036000123", "ends within the offer code");
        check("10036000123456", "ends within the length of the save value");
        check("100360001234560", "length of the save value must be one of");
        check(&format!("{HEAD}115110"), "requirement code must be one of");
        check(&format!("{HEAD}11011"), "ends within the family code");
        then("7", "number of an optional field must be one of");
        then("14", "additional purchase rules code must be one of 0123");
        then("1011085", "ends within the family code");
        then("1011085070361", "company prefix must be one of");
        then("21108509", "a third purchase and no second");
        then("32612314261101511234567326", "field 3 is out of order");
        then("3261301", "expiration date is no date");
        then("426110", "ends within the start date");
        then("32611014261102", "expires before it starts");
        then("51123", "ends within the serial number");
        then("60", "length of the retailer's number must be");
        then("93000", "save value code must be one of");
        then("90300", "the purchase that the value is for must be");
        then("90002", "don't-multiply flag must be one of 01");
    }

    #[test]
    fn goods_are_known_by_their_company() {
        let check = |company: &str, gtin: &str, expected: bool| {
            let purchase = Purchase {
                least: Least::Units(1),
                company: company.to_owned(),
                family: "000".to_owned(),
            };
            let gtin = Gtin::parse(gtin).unwrap();
            assert_eq!(purchase.is_of_company(gtin), expected, "{company} {gtin}");
        };
        check("0036000", "036000291452", true);
        check("036000", "036000291452", true);
        check("036001", "036000291452", false);
        check("400638", "4006381333931", true);
        check("4006381", "4006381333931", true);
        check("4006382", "4006381333931", false);
    }
}
