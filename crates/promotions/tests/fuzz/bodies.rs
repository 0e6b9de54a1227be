//! What is fuzzed: bytes from outside become files, baskets and codes, and nothing may panic, hang or
//! break what always holds. The targets of cargo-fuzz and a randomised test drive the same bodies.

use catalog::{CodeRules, ItemId, ScannedCode};
use money::{Currency, Money, Quantity};
use promotions::workload::AT;
use promotions::{
    Basket, BasketLine, CompiledBook, Customer, ManualDiscount, ManualOff, PromotionFile, evaluate,
    explain,
};

/// One promotion of every kind that a basket can meet.
pub const BOOK: &str = include_str!("book.toml");

/// Text that may be a promotion file: it is read or refused, and what was read prices a basket.
pub fn promotion_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(file) = PromotionFile::parse(text) else {
        return;
    };
    if let Ok(book) = CompiledBook::compile(&file, Currency::USD) {
        sound(&book, &basket_of(&bytes[bytes.len() / 2..]));
    }
}

/// Bytes as a basket, at a book with every kind of promotion.
pub fn basket(bytes: &[u8]) {
    let file = PromotionFile::parse(BOOK).expect("the book of this test can be read");
    let book = CompiledBook::compile(&file, Currency::USD).expect("and compiled");
    sound(&book, &basket_of(bytes));
}

/// Bytes as a scanned code: whatever it says, and as a coupon in a basket.
pub fn code(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let rules = CodeRules {
        layouts: &[],
        currency: Currency::USD,
        this_year: 2026,
    };
    // A code or none: both are fine.
    let _ = ScannedCode::parse(&text, &rules);
    let file = PromotionFile::parse(BOOK).expect("the book of this test can be read");
    let book = CompiledBook::compile(&file, Currency::USD).expect("and compiled");
    let mut basket = basket_of(&[1, 2, 3, 4, 5, 6, 7, 8]);
    let many = bytes.len() as u32;
    for code in [text.as_ref(), "SPRING"] {
        let _ = (book.takes_coupon(code), book.counts_coupons(code));
        basket.coupons.insert(code.to_owned(), many);
    }
    sound(&book, &basket);
}

/// Five bytes a line: item, pieces and price; small, or as large as an amount may be.
pub fn basket_of(bytes: &[u8]) -> Basket {
    let line = |(number, bytes): (usize, &[u8])| {
        let item = ItemId(format!("i{}", bytes[0] % 6));
        let pieces = match bytes[1] {
            255 => 100_000,
            pieces => i64::from(pieces % 16) - 1,
        };
        let small = i64::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        let price = match bytes[4] {
            255 => 99_999_999_999,
            254 => -small,
            _ => small,
        };
        let quantity = match bytes[4] % 8 {
            7 => Quantity::grams(i64::from(bytes[1]) * 37),
            _ => Quantity::each(pieces),
        };
        let mut line = BasketLine::new(
            number as u32,
            item,
            format!("d{}", bytes[0] % 3).as_str().into(),
            quantity,
            Money::from_minor(price, Currency::USD),
        );
        line.floor = (bytes[4] % 5 == 1).then(|| Money::from_minor(small / 2, Currency::USD));
        line
    };
    let lines = bytes.chunks_exact(5).take(40).enumerate().map(line);
    let mut basket = Basket::new(Currency::USD, lines.collect());
    if let Some(by_hand) = bytes.first() {
        basket.manual.push(ManualDiscount {
            line: None,
            off: ManualOff::Amount(Money::from_minor(i64::from(*by_hand), Currency::USD)),
            role: catalog::Role::Manager,
            reason: "fuzzed".to_owned(),
        });
    }
    basket
}

/// What holds for every pricing: it is the same again, its parts are the whole, and no unit is sold
/// for less than nothing.
fn sound(book: &CompiledBook, basket: &Basket) {
    let nobody = Customer::default();
    let pricing = evaluate(book, basket, &nobody, AT);
    assert_eq!(explain(book, basket, &nobody, AT).pricing, pricing);
    let mut off = Money::zero(Currency::USD);
    for units in &pricing.units {
        assert!(!units.paid.is_negative() && units.paid <= units.list);
        off += (units.list - units.paid).times(i64::from(units.count));
    }
    assert_eq!(off, pricing.total());
    for applied in &pricing.applied {
        let parts = applied.per_line.iter().map(|(_, part)| part.minor());
        assert_eq!(parts.sum::<i64>(), applied.amount.minor());
    }
}
