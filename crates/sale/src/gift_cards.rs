//! Gift cards: what is paid for one is loaded onto it, and what it holds pays like money.
//!
//! A card is loaded by a line of a sale, once that is paid, and by what is given back to it. Nothing takes
//! anything off such a line, so that a card holds what was paid for it. What a card holds is kept with
//! what credit notes hold, under a key that is no number of a note.
//!
//! A lane that is cut off from the store takes no gift card ([`crate::Rights::may_spend`]): what it holds
//! may be spent elsewhere at the same moment.

use money::Money;

use crate::tender::{least, number_of};
use crate::{Cart, Context, Line, Receipt, Refusal, Tender};

/// No number of a credit note begins like this.
const KEY: &str = "gift:";

/// Under what a card's balance is kept with those of credit notes, see [`crate::Shared::credit_minor`].
pub fn gift_card_key(number: &str) -> String {
    format!("{KEY}{number}")
}

/// The number of the card whose balance has this key; `None` where it is a credit note's.
pub fn gift_card_of(key: &str) -> Option<&str> {
    key.strip_prefix(KEY)
}

impl Receipt {
    /// What it adds to what credit notes and gift cards hold, in minor units: by the number of the note,
    /// or the key of the card.
    pub fn credit_moves(&self) -> Vec<(String, i64)> {
        // A damaged receipt may say any amount, and must not stop the others from being counted.
        let less = |amount: &Money| amount.minor().saturating_neg();
        let tenders = self.tenders.iter().filter_map(|tender| match tender {
            Tender::StoreCredit { number, amount } => Some((number.clone(), less(amount))),
            Tender::GiftCard { number, amount, .. } => Some((gift_card_key(number), less(amount))),
            _ => None,
        });
        let lines = self.lines.iter().filter_map(|line| {
            let number = line.detail.gift_card.as_ref()?;
            Some((gift_card_key(number), line.unit_price.minor()))
        });
        lines.chain(tenders).collect()
    }
}

/// What a card holds as far as this lane knows, less what the open sale has spent of it.
fn holds(cart: &Cart, number: &str, ctx: &Context<'_>) -> Result<Money, Refusal> {
    let known = ctx.shared.credit_minor(&gift_card_key(number));
    let known = known.ok_or_else(|| Refusal::UnknownGiftCard {
        number: number.to_owned(),
    })?;
    let here = cart.tenders.iter().map(|tender| match tender {
        Tender::GiftCard {
            number: n, amount, ..
        } if n == number => amount.minor(),
        _ => 0,
    });
    let left = here.fold(known, i64::saturating_sub);
    Ok(Money::from_minor(left, ctx.reference.settings().currency))
}

/// Pays with a card: so much, or without an amount what it holds of what is `due`.
pub(crate) fn spend(
    cart: &Cart,
    number: &str,
    amount: Option<Money>,
    due: Money,
    ctx: &Context<'_>,
) -> Result<Tender, Refusal> {
    let number = number_of(number)?;
    let held = holds(cart, &number, ctx)?;
    let amount = amount.unwrap_or(least(held, due));
    if amount > held || amount.minor() <= 0 {
        return Err(Refusal::GiftCardTooSmall { left: held });
    }
    if !ctx
        .rights
        .may_spend(&gift_card_key(&number), amount.minor())
    {
        return Err(Refusal::GiftCardCutOff);
    }
    Ok(Tender::GiftCard {
        number,
        amount,
        left: held - amount,
    })
}

/// Gives money back to a card that is known: `amount` is below zero.
pub(crate) fn give_back(
    cart: &Cart,
    number: &str,
    amount: Money,
    ctx: &Context<'_>,
) -> Result<Tender, Refusal> {
    let number = number_of(number)?;
    let held = holds(cart, &number, ctx)?;
    Ok(Tender::GiftCard {
        number,
        amount,
        left: held - amount,
    })
}

/// Refuses to change what the line of a gift card costs: that is what was loaded.
pub(crate) fn costs_what_it_holds(line: &Line) -> Result<(), Refusal> {
    match line.detail.gift_card {
        Some(_) => Err(Refusal::GiftCardLine {
            description: line.description.clone(),
        }),
        None => Ok(()),
    }
}
