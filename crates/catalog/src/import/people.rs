//! Rows that are employees and customers.

use super::header::Cells;
use super::{ImportProblem, MapPin, Seen};
use crate::{
    Customer, CustomerDetail, CustomerId, Employee, EmployeeId, ItemCode, Record, Role, Tier,
};

/// The lengths a PIN may have, in digits.
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=8;
/// The longest telephone number, in characters.
const PHONE_CHARS_MAX: usize = 32;

pub(super) fn employee(
    cells: &Cells<'_>,
    seen: &mut Seen,
    map_pin: &mut MapPin,
) -> Result<Vec<Record>, ImportProblem> {
    let id = id(cells, "employee_id")?;
    let name = cells.needed("name")?.to_owned();
    let role = match cells.needed("role")?.to_lowercase().as_str() {
        "cashier" => Role::Cashier,
        "supervisor" => Role::Supervisor,
        "manager" => Role::Manager,
        _ => return Err(cells.problem("role", "write cashier, supervisor or manager")),
    };
    let pin = cells.needed("pin")?;
    if !PIN_DIGITS.contains(&pin.len()) || !pin.bytes().all(|b| b.is_ascii_digit()) {
        return Err(cells.problem("pin", "a PIN has 4 to 8 digits and nothing else"));
    }
    seen.note(cells, &[("employee_id", id.clone())])?;
    Ok(vec![Record::Employee(Employee {
        id: EmployeeId(id),
        name,
        role,
        pin_hash: map_pin(pin),
    })])
}

pub(super) fn customer(cells: &Cells<'_>, seen: &mut Seen) -> Result<Vec<Record>, ImportProblem> {
    let id = id(cells, "customer_id")?;
    let name = cells.needed("name")?.to_owned();
    let tier = match cells.text("tier")?.to_lowercase().as_str() {
        "" | "basic" => Tier::Basic,
        "silver" => Tier::Silver,
        "gold" => Tier::Gold,
        _ => return Err(cells.problem("tier", "write basic, silver or gold")),
    };
    let phone = cells.text("phone")?;
    let sound = |c: char| c.is_ascii_digit() || " +-().".contains(c);
    if phone.len() > PHONE_CHARS_MAX || !phone.chars().all(sound) {
        return Err(cells.problem("phone", "write a number such as +1 555-0123"));
    }
    seen.note(cells, &[("customer_id", id.clone())])?;
    Ok(vec![Record::Customer(Customer {
        id: CustomerId(id),
        name,
        tier,
        phone: (!phone.is_empty()).then(|| phone.to_owned()),
        detail: CustomerDetail::default(),
    })])
}

/// Ids are what a person can type and a card can carry: the same as an internal code.
fn id(cells: &Cells<'_>, field: &str) -> Result<String, ImportProblem> {
    let text = cells.needed(field)?;
    match ItemCode::parse_internal(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(cells.problem(field, "write at most 48 letters, digits and dashes")),
    }
}
