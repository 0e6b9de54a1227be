//! Rows that are employees and customers.

use std::collections::BTreeSet;

use super::header::Cells;
use super::{ImportProblem, MapPin, Problems, Seen, both};
use crate::gs1::days_of_month;
use crate::{
    Customer, CustomerDetail, CustomerId, Employee, EmployeeId, ItemCode, Record, Role, Tier,
};

/// The lengths a PIN may have, in digits.
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=8;
/// The most groups, and the most contracts, of one customer.
const WORDS_MAX: usize = 20;
/// Birthdays may be on 29 February.
const A_LEAP_YEAR: i32 = 2000;
/// The longest telephone number, in characters.
const PHONE_CHARS_MAX: usize = 32;

pub(super) fn employee(
    cells: &Cells<'_>,
    seen: &mut Seen,
    map_pin: &mut MapPin,
) -> Result<Vec<Record>, Problems> {
    let role = cells
        .needed("role")
        .and_then(|role| match role.to_lowercase().as_str() {
            "cashier" => Ok(Role::Cashier),
            "supervisor" => Ok(Role::Supervisor),
            "manager" => Ok(Role::Manager),
            _ => Err(cells.problem("role", "write cashier, supervisor or manager")),
        });
    let pin = cells.needed("pin").and_then(|pin| {
        let sound = PIN_DIGITS.contains(&pin.len()) && pin.bytes().all(|b| b.is_ascii_digit());
        let why = "a PIN has 4 to 8 digits and nothing else";
        sound
            .then_some(pin)
            .ok_or_else(|| cells.problem("pin", why))
    });
    let named = both(id(cells, "employee_id"), cells.needed("name"));
    let ((id, name), (role, pin)) = both(named, both(role, pin))?;
    seen.note(cells, &[("employee_id", id.clone())])?;
    Ok(vec![Record::Employee(Employee {
        id: EmployeeId(id),
        name: name.to_owned(),
        role,
        pin_hash: map_pin(pin),
    })])
}

pub(super) fn customer(cells: &Cells<'_>, seen: &mut Seen) -> Result<Vec<Record>, Problems> {
    let tier = cells
        .text("tier")
        .and_then(|tier| match tier.to_lowercase().as_str() {
            "" | "basic" => Ok(Tier::Basic),
            "silver" => Ok(Tier::Silver),
            "gold" => Ok(Tier::Gold),
            _ => Err(cells.problem("tier", "write basic, silver or gold")),
        });
    let phone = cells.text("phone").and_then(|phone| {
        let is_fit = |c: char| c.is_ascii_digit() || " +-().".contains(c);
        let sound = phone.len() <= PHONE_CHARS_MAX && phone.chars().all(is_fit);
        let why = "write a number such as +1 555-0123";
        sound
            .then_some(phone)
            .ok_or_else(|| cells.problem("phone", why))
    });
    let email = cells.text("email").and_then(|email| {
        let why = "write an address such as ada@example.org";
        (email.is_empty() || is_email(email))
            .then_some(email)
            .ok_or_else(|| cells.problem("email", why))
    });
    let birthday = cells.text("birthday").and_then(|text| {
        let why = "write month and day such as 04-27";
        match text {
            "" => Ok(None),
            text => month_and_day(text)
                .map(Some)
                .ok_or_else(|| cells.problem("birthday", why)),
        }
    });
    let employee = both(cells.yes("employee"), cells.text("exemption"));
    let lists = both(list(cells, "groups"), list(cells, "contracts"));
    let named = both(id(cells, "customer_id"), cells.needed("name"));
    let reached = both(both(tier, phone), both(email, cells.yes("on_account")));
    let known = both(reached, both(lists, both(birthday, employee)));
    let ((id, name), (reached, ((groups, contracts), (birthday, (employee, exemption))))) =
        both(named, known)?;
    let ((tier, phone), (email, on_account)) = reached;
    seen.note(cells, &[("customer_id", id.clone())])?;
    Ok(vec![Record::Customer(Customer {
        id: CustomerId(id),
        name: name.to_owned(),
        tier,
        phone: (!phone.is_empty()).then(|| phone.to_owned()),
        detail: CustomerDetail {
            email: (!email.is_empty()).then(|| email.to_owned()),
            on_account,
            groups,
            employee,
            contracts,
            birthday,
            exemption: (!exemption.is_empty()).then(|| exemption.to_owned()),
        },
    })])
}

/// Whether it has the shape of an e-mail address; nobody is asked whether there is one.
fn is_email(text: &str) -> bool {
    let sound = |c: char| !c.is_control() && !c.is_whitespace() && c != '@';
    let parts = text.split_once('@');
    let (name, host) = parts.unwrap_or_default();
    [name, host]
        .iter()
        .all(|part| !part.is_empty() && part.chars().all(sound))
}

/// Words divided by spaces.
fn list(cells: &Cells<'_>, field: &str) -> Result<BTreeSet<String>, ImportProblem> {
    let words: BTreeSet<String> = cells
        .text(field)?
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    match words.len() <= WORDS_MAX {
        true => Ok(words),
        false => Err(cells.problem(field, format!("write at most {WORDS_MAX}"))),
    }
}

/// `04-27`.
fn month_and_day(text: &str) -> Option<(u8, u8)> {
    let (month, day) = text.split_once('-')?;
    let (month, day): (u8, u8) = (month.parse().ok()?, day.parse().ok()?);
    let longest = days_of_month(A_LEAP_YEAR, month.into())?;
    (1..=longest).contains(&day.into()).then_some((month, day))
}

/// Ids are what a person can type and a card can carry: the same as an internal code.
fn id(cells: &Cells<'_>, field: &str) -> Result<String, ImportProblem> {
    let text = cells.needed(field)?;
    match ItemCode::parse_internal(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(cells.problem(field, "write at most 48 letters, digits and dashes")),
    }
}
