//! Rows that are employees and customers.

use super::header::Cells;
use super::{ImportProblem, MapPin, Problems, Seen, both};
use crate::{Customer, CustomerField, CustomerId, Employee, EmployeeId, ItemCode, Record, Role};

/// The lengths a PIN may have, in digits.
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=8;
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
    let mut customer = Customer::new(CustomerId(String::new()));
    let mut told: Result<(), Problems> = Ok(());
    for field in CustomerField::ALL {
        let set = cells.text(field.name()).and_then(|text| {
            let set = customer.set(field, text);
            set.map_err(|error| cells.problem(field.name(), error.why))
        });
        told = both(told, set).map(|_| ());
    }
    let (id, ()) = both(id(cells, "customer_id"), told)?;
    seen.note(cells, &[("customer_id", id.clone())])?;
    customer.id = CustomerId(id);
    Ok(vec![Record::Customer(customer)])
}

/// Ids are what a person can type and a card can carry: the same as an internal code.
fn id(cells: &Cells<'_>, field: &str) -> Result<String, ImportProblem> {
    let text = cells.needed(field)?;
    match ItemCode::parse_internal(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(cells.problem(field, "write at most 48 letters, digits and dashes")),
    }
}
