//! What a cashier, a robot or a kiosk may ask of a lane.

use std::fmt;

use catalog::{CustomerId, EmployeeId};
use serde::{Deserialize, Serialize};

/// A PIN on its way to being checked. Never shown, logged or journalled.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pin(pub String);

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// A request to a lane. Amounts and quantities are text as typed: `12.34`, `3`, `0.455`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    SignIn {
        employee: EmployeeId,
        pin: Pin,
    },
    SignOut,
    /// Opens a cart before the first scan, with a reference of the caller's that the receipt keeps.
    OpenCart {
        #[serde(default)]
        reference: Option<String>,
    },
    /// Adds what a code stands for. `quantity` is pieces, or kilograms for what is weighed.
    Scan {
        code: String,
        #[serde(default)]
        quantity: Option<String>,
    },
    SetQuantity {
        line: u32,
        quantity: String,
    },
    VoidLine {
        line: u32,
    },
    /// Another unit price for a line; needs a supervisor.
    OverridePrice {
        line: u32,
        unit_price: String,
        reason: String,
    },
    /// The cashier has seen that the buyer is at least `years` old. Holds for the whole sale.
    ConfirmAge {
        years: u8,
    },
    SetCustomer {
        customer: CustomerId,
    },
    /// Pays with cash; without an amount, exactly what is due.
    TenderCash {
        #[serde(default)]
        amount: Option<String>,
    },
    /// Gives all tenders back and goes on selling.
    CancelTender,
    VoidCart {
        reason: String,
    },
}
