//! Who may decide on the store's lanes: a manager, by number and PIN.

use catalog::{EmployeeId, Reference, Role};
use ledger::{StoreView, TableError, Tables};
use sale::Pin;

use super::register::PinCheck;

/// Who decides in a store that has no manager.
const NOBODY: &str = "no manager";

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAuthority {
    #[error(
        "only a manager may do this: give a manager's number and PIN (--manager and --pin-file)"
    )]
    Needed,
    #[error("this is not the number and PIN of a manager of the store: nothing was changed")]
    Wrong,
    #[error("the store's employees cannot be read: {0}")]
    Unreadable(String),
}

/// The store's managers.
pub struct Authority<'a> {
    store: StoreView<'a>,
}

impl<'a> Authority<'a> {
    pub fn new(tables: &'a dyn Tables) -> Authority<'a> {
        Authority {
            store: StoreView::new(tables),
        }
    }

    /// Whether the store has a manager at all. One that has imported no employees has none.
    pub fn has_managers(&self) -> Result<bool, TableError> {
        let employees = self.store.employees()?;
        Ok(employees.iter().any(|person| person.role == Role::Manager))
    }

    /// Checks a manager's number and PIN; who it is, for the store's books.
    pub fn manager(
        &self,
        given: Option<(&str, &Pin)>,
        pin_check: &PinCheck,
    ) -> Result<String, NoAuthority> {
        let unreadable = |error: TableError| NoAuthority::Unreadable(error.to_string());
        if !self.has_managers().map_err(unreadable)? {
            return Ok(NOBODY.to_owned());
        }
        let (number, pin) = given.ok_or(NoAuthority::Needed)?;
        let person = self.store.employee(&EmployeeId(number.to_owned()));
        match person {
            Some(person) if person.role == Role::Manager && pin_check(&person, pin) => {
                Ok(person.id.0)
            }
            _ => Err(NoAuthority::Wrong),
        }
    }
}
