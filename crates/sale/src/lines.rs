//! Changes to lines: quantity, price, tax, notes, and taking a line back.

use catalog::{Action, TaxId};

use crate::decide::{
    Decision, bounded, bounded_cost, line_of, parse_amount, parse_quantity, selling,
};
use crate::people::{Who, reasoned};
use crate::{
    Cart, Command, Context, Event, Line, LineTax, OverrideReason, Refusal, Register, Why,
    gift_cards, goods,
};

/// The most notes of one sale or line.
const NOTES_MAX: usize = 20;

pub(crate) fn decide(
    register: &Register,
    who: &Who<'_>,
    command: &Command,
    ctx: &Context<'_>,
) -> Decision {
    match command {
        Command::SetQuantity { line, quantity } => {
            set_quantity(register, who, *line, quantity, ctx)
        }
        Command::VoidLine { line } => {
            let cart = selling(register)?;
            let found = goods::own_line(line_of(cart, *line)?)?;
            who.may(Action::VoidLine, ctx)?;
            let along = goods::lines_along(cart, *line);
            let voided = [found].into_iter().chain(along).map(|line| line.number);
            let cart = cart.id;
            Ok(voided
                .map(|line| Event::LineVoided { cart, line })
                .collect())
        }
        Command::OverridePrice {
            line,
            unit_price,
            reason,
        } => override_price(register, who, *line, unit_price, reason, ctx),
        Command::OverrideTax { line, tax, reason } => {
            override_tax(register, who, *line, tax, reason, ctx)
        }
        Command::Note { line, text } => note(register, *line, text),
        _ => unreachable!("the commands about lines are all above"),
    }
}

/// A line that sells. What goods cost that come back is not for anybody to change.
pub(crate) fn sold_line(cart: &Cart, line: u32) -> Result<&Line, Refusal> {
    let found = line_of(cart, line)?;
    match found.detail.returned {
        Some(_) => Err(Refusal::ReturnLine),
        None => Ok(found),
    }
}

fn set_quantity(
    register: &Register,
    who: &Who<'_>,
    line: u32,
    quantity: &str,
    ctx: &Context<'_>,
) -> Decision {
    let cart = selling(register)?;
    let found = goods::own_line(sold_line(cart, line)?)?;
    who.may(Action::ChangeQuantity, ctx)?;
    let quantity = parse_quantity(quantity, found.quantity.unit())?;
    let quantity = goods::net(quantity, found.detail.tare_grams)?;
    goods::one_piece(found, quantity, ctx)?;
    let along = goods::lines_along(cart, line).map(|line| (line, goods::along(quantity)));
    let changed = [(found, quantity)].into_iter().chain(along);
    changed
        .map(|(line, quantity)| {
            bounded_cost(quantity, line.unit_price, line.deposit).map_err(Refusal::quantity)?;
            Ok(Event::QuantityChanged {
                cart: cart.id,
                line: line.number,
                quantity,
            })
        })
        .collect()
}

fn override_price(
    register: &Register,
    who: &Who<'_>,
    line: u32,
    unit_price: &str,
    reason: &str,
    ctx: &Context<'_>,
) -> Decision {
    let cart = selling(register)?;
    let found = sold_line(cart, line)?;
    gift_cards::costs_what_it_holds(found)?;
    who.may(Action::OverridePrice, ctx)?;
    let unit_price = parse_amount(unit_price, found.unit_price)?;
    bounded_cost(found.quantity, unit_price, found.deposit).map_err(Refusal::amount)?;
    Ok(vec![Event::PriceOverridden {
        cart: cart.id,
        line,
        unit_price,
        reason: OverrideReason {
            by: who.id(),
            reason: bounded(reason),
        },
    }])
}

fn override_tax(
    register: &Register,
    who: &Who<'_>,
    line: u32,
    tax: &TaxId,
    reason: &str,
    ctx: &Context<'_>,
) -> Decision {
    let cart = selling(register)?;
    sold_line(cart, line)?;
    who.may(Action::OverrideTax, ctx)?;
    let tax = ctx.reference.tax(tax).ok_or_else(|| Refusal::TaxMissing {
        tax: tax.to_string(),
    })?;
    Ok(vec![Event::TaxOverridden {
        cart: cart.id,
        line,
        tax: LineTax::from(tax),
        reason: OverrideReason {
            by: who.id(),
            reason: reasoned(reason)?,
        },
    }])
}

fn note(register: &Register, line: Option<u32>, text: &str) -> Decision {
    let cart = selling(register)?;
    let notes = match line {
        Some(line) => &line_of(cart, line)?.detail.notes,
        None => &cart.notes,
    };
    if notes.len() >= NOTES_MAX {
        return Err(Refusal::note(Why::NotesFull(NOTES_MAX)));
    }
    let text: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    if text.is_empty() {
        return Err(Refusal::note(Why::NoteEmpty));
    }
    if holds_card_number(&text) {
        return Err(Refusal::note(Why::CardNumber));
    }
    Ok(vec![Event::Noted {
        cart: cart.id,
        line,
        text: bounded(&text),
    }])
}

/// Whether a text holds what looks like a payment card's number: 15 to 19 digits, with spaces or
/// hyphens between them or not, that begin as card numbers do and fit the Luhn formula. Source:
/// ISO/IEC 7812-1.
pub(crate) fn holds_card_number(text: &str) -> bool {
    let mut run: Vec<u32> = Vec::new();
    for c in text.chars().chain(['.']) {
        match c.to_digit(10) {
            Some(digit) => run.push(digit),
            None if matches!(c, ' ' | '-') => {}
            None => {
                if is_card_number(&run) {
                    return true;
                }
                run.clear();
            }
        }
    }
    false
}

fn is_card_number(digits: &[u32]) -> bool {
    let sum: u32 = (0..)
        .zip(digits.iter().rev())
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    // Fifteen digits that begin with 35 are the serial number of a telephone, and no card's.
    let begins = match digits {
        [3, 5, ..] => digits.len() > 15,
        [first, ..] => (3..=6).contains(first),
        [] => false,
    };
    (15..=19).contains(&digits.len()) && begins && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_noticed() {
        let check = |text: &str, expected: bool| {
            assert_eq!(holds_card_number(text), expected, "{text}");
        };
        check("call 555-0141", false);
        check("4111 1111 1111 1111", true);
        check("card 4111-1111-1111-1111 exp 12/30", true);
        check("378282246310005", true);
        check("356938035643809", false);
        check("3530111333300000", true);
        check("4111 1111 1111 1112", false);
        check("order 9780306406157", false);
        check("1111 1111 1111 1117", false);
    }
}
