//! What is wrong with what was typed or scanned.

use catalog::{CodeError, CustomerField};
use money::{Money, MoneyError, Quantity, QuantityError};
use serde::{Deserialize, Serialize};

/// Why an amount, a quantity, a code, a note or a field cannot be taken. It goes over the API as words,
/// and comes back from there as [`Why::Told`]; two are equal where they say the same.
#[derive(Clone, Debug, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Why {
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    #[error(transparent)]
    Code(#[from] CodeError),
    /// A customer's field is not written as it has to be.
    #[error("{why}")]
    Field { field: CustomerField, why: String },
    #[error("it looks like the number of a payment card")]
    LooksLikeCard,
    #[error("That looks like a card number, and no card number may be kept.")]
    CardNumber,
    #[error("That is a coupon, and no goods.")]
    CouponNoGoods,
    /// A day, as ISO 8601 writes it.
    #[error("from {0}")]
    GoodFrom(String),
    /// A day, as ISO 8601 writes it.
    #[error("until {0}")]
    GoodUntil(String),
    #[error("{0} is negative.")]
    Negative(Money),
    #[error("{quantity} at {price} is more than one line can cost.")]
    LineTooDear { quantity: Quantity, price: Money },
    #[error("A sale is paid in at most {0} parts.")]
    TendersFull(usize),
    #[error("{0} is more cash than a drawer holds.")]
    TooMuchCash(Money),
    #[error("No more than {0} is to be given back.")]
    GiveBackAtMost(Money),
    #[error("Nothing was handed over.")]
    NothingHandedOver,
    /// Its ISO 4217 code.
    #[error("Say how much {0} was given.")]
    SayHowMuch(String),
    #[error("{0} {currency} cannot be taken.", currency = .0.currency())]
    ForeignNotTaken(Money),
    /// Its ISO 4217 code.
    #[error("The rate of {0} cannot be used.")]
    NoRate(String),
    #[error("Nothing is to be charged.")]
    NothingToCharge,
    #[error("A tip is no more than what is paid.")]
    TipTooLarge,
    #[error("From 0.01 to {0} goes back to that card.")]
    ToCard(Money),
    #[error("Nothing would be moved.")]
    NothingMoved,
    #[error("{0} is more than there should be in the drawer.")]
    MoreThanInDrawer(Money),
    #[error("{0} is more than a drawer holds.")]
    MoreThanHeld(Money),
    #[error("A count has at most {0} values.")]
    CountTooLong(usize),
    #[error("{pieces} pieces of {value} cannot be counted.")]
    NotCountable { pieces: u32, value: String },
    #[error("Points pay in steps of {0}.")]
    PointSteps(Money),
    #[error("Nothing would be charged.")]
    NothingCharged,
    #[error("At most {0} discounts are given in a sale.")]
    DiscountsFull(usize),
    #[error("Say either a percentage or an amount.")]
    PercentOrAmount,
    #[error("Nothing would be taken off.")]
    NothingOff,
    #[error("Coupons are handed over one by one.")]
    CouponsOneByOne,
    #[error("Each piece has a number of its own: sell them one by one.")]
    PiecesOneByOne,
    #[error("{gross} is no more than the packing of {grams} g.")]
    OnlyPacking { gross: Quantity, grams: i64 },
    #[error("There are {0} notes already.")]
    NotesFull(usize),
    #[error("The note is empty.")]
    NoteEmpty,
    #[error("A document is named in at most {0} characters.")]
    DocumentTooLong(usize),
    /// As a lane told it, in its words.
    #[error("{0}")]
    Told(String),
}

impl PartialEq for Why {
    fn eq(&self, other: &Why) -> bool {
        self.to_string() == other.to_string()
    }
}

impl From<Why> for String {
    fn from(why: Why) -> String {
        why.to_string()
    }
}

impl From<String> for Why {
    fn from(words: String) -> Why {
        Why::Told(words)
    }
}
