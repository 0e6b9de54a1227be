//! Customers, and what is said of them field by field: in files, by cashiers, in journals.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::gs1::days_of_month;
use crate::item::text_id;

text_id!(
    /// A customer's number, as printed on the loyalty card.
    CustomerId
);

/// The most groups, contracts, or consents of one customer.
const WORDS_MAX: usize = 20;
/// The longest text of a field, in characters.
const TEXT_CHARS_MAX: usize = 200;
/// The longest telephone number, in characters.
const PHONE_CHARS_MAX: usize = 32;
/// Birthdays may be on 29 February.
const A_LEAP_YEAR: i32 = 2000;

/// A loyalty tier, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    Basic,
    Silver,
    Gold,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub id: CustomerId,
    pub name: String,
    pub tier: Tier,
    pub phone: Option<String>,
    #[serde(default, skip_serializing_if = "CustomerDetail::is_empty")]
    pub detail: CustomerDetail,
}

/// What a store may know of a customer besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomerDetail {
    pub email: Option<String>,
    /// The number of the certificate by which no tax is added.
    pub exemption: Option<String>,
    /// May buy on account.
    pub on_account: bool,
    /// Groups that promotions name, such as `club`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    /// Works for the store.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub employee: bool,
    /// Contracts whose prices hold.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub contracts: BTreeSet<String>,
    /// Month and day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthday: Option<(u8, u8)>,
    /// What the customer agreed to, such as `email` or `sms`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub consent: BTreeSet<String>,
}

impl CustomerDetail {
    pub fn is_empty(&self) -> bool {
        *self == CustomerDetail::default()
    }
}

/// What can be said of a customer. Each is written as text, the same in files of customers, in
/// commands and in journals; an empty text takes it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerField {
    Name,
    /// Such as `+1 555-0123`.
    Phone,
    /// Such as `ada@example.org`.
    Email,
    /// Month and day, such as `04-27`.
    Birthday,
    /// Words divided by spaces.
    Consent,
    /// `basic`, `silver` or `gold`.
    Tier,
    /// Words divided by spaces.
    Groups,
    /// Words divided by spaces.
    Contracts,
    /// `yes` or `no`.
    Employee,
    /// `yes` or `no`.
    OnAccount,
    /// The number of a certificate.
    Exemption,
}

/// A text that a field cannot have, and what to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", field.name())]
pub struct CustomerFieldError {
    pub field: CustomerField,
    /// In words for whoever wrote it.
    pub why: &'static str,
}

impl CustomerField {
    pub const ALL: [CustomerField; 11] = [
        CustomerField::Name,
        CustomerField::Phone,
        CustomerField::Email,
        CustomerField::Birthday,
        CustomerField::Consent,
        CustomerField::Tier,
        CustomerField::Groups,
        CustomerField::Contracts,
        CustomerField::Employee,
        CustomerField::OnAccount,
        CustomerField::Exemption,
    ];

    /// As files, commands and journals name it.
    pub fn name(self) -> &'static str {
        match self {
            CustomerField::Name => "name",
            CustomerField::Phone => "phone",
            CustomerField::Email => "email",
            CustomerField::Birthday => "birthday",
            CustomerField::Consent => "consent",
            CustomerField::Tier => "tier",
            CustomerField::Groups => "groups",
            CustomerField::Contracts => "contracts",
            CustomerField::Employee => "employee",
            CustomerField::OnAccount => "on_account",
            CustomerField::Exemption => "exemption",
        }
    }

    /// Whether it decides on what the customer pays, or when.
    pub fn is_worth_money(self) -> bool {
        match self {
            CustomerField::Name
            | CustomerField::Phone
            | CustomerField::Email
            | CustomerField::Birthday
            | CustomerField::Consent => false,
            CustomerField::Tier
            | CustomerField::Groups
            | CustomerField::Contracts
            | CustomerField::Employee
            | CustomerField::OnAccount
            | CustomerField::Exemption => true,
        }
    }
}

impl Customer {
    /// A customer of whom nothing is known.
    pub fn new(id: CustomerId) -> Customer {
        Customer {
            id,
            name: String::new(),
            tier: Tier::Basic,
            phone: None,
            detail: CustomerDetail::default(),
        }
    }

    /// Says a field anew. After an error nothing was changed.
    pub fn set(&mut self, field: CustomerField, text: &str) -> Result<(), CustomerFieldError> {
        let wrong = |why| CustomerFieldError { field, why };
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(wrong("write it without line breaks"));
        }
        if text.chars().count() > TEXT_CHARS_MAX {
            return Err(wrong("write at most 200 characters"));
        }
        let told = (!text.is_empty()).then(|| text.to_owned());
        let detail = &mut self.detail;
        match field {
            CustomerField::Name => self.name = told.ok_or(wrong("it is empty"))?,
            CustomerField::Phone if !is_phone(text) => {
                return Err(wrong("write a number such as +1 555-0123"));
            }
            CustomerField::Phone => self.phone = told,
            CustomerField::Email if told.is_some() && !is_email(text) => {
                return Err(wrong("write an address such as ada@example.org"));
            }
            CustomerField::Email => detail.email = told,
            CustomerField::Birthday => {
                let day = month_and_day(text);
                if told.is_some() && day.is_none() {
                    return Err(wrong("write month and day such as 04-27"));
                }
                detail.birthday = day;
            }
            CustomerField::Consent => detail.consent = words(text).map_err(wrong)?,
            CustomerField::Tier => {
                self.tier = match text.to_lowercase().as_str() {
                    "" | "basic" => Tier::Basic,
                    "silver" => Tier::Silver,
                    "gold" => Tier::Gold,
                    _ => return Err(wrong("write basic, silver or gold")),
                };
            }
            CustomerField::Groups => detail.groups = words(text).map_err(wrong)?,
            CustomerField::Contracts => detail.contracts = words(text).map_err(wrong)?,
            CustomerField::Employee => detail.employee = yes(text).map_err(wrong)?,
            CustomerField::OnAccount => detail.on_account = yes(text).map_err(wrong)?,
            CustomerField::Exemption => detail.exemption = told,
        }
        Ok(())
    }

    /// A field as it is written; empty where nothing is known of it.
    pub fn text(&self, field: CustomerField) -> String {
        let detail = &self.detail;
        let words = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
        let yes = |is: bool| if is { "yes" } else { "" }.to_owned();
        match field {
            CustomerField::Name => self.name.clone(),
            CustomerField::Phone => self.phone.clone().unwrap_or_default(),
            CustomerField::Email => detail.email.clone().unwrap_or_default(),
            CustomerField::Birthday => match detail.birthday {
                Some((month, day)) => format!("{month:02}-{day:02}"),
                None => String::new(),
            },
            CustomerField::Consent => words(&detail.consent),
            CustomerField::Tier => match self.tier {
                Tier::Basic => "",
                Tier::Silver => "silver",
                Tier::Gold => "gold",
            }
            .to_owned(),
            CustomerField::Groups => words(&detail.groups),
            CustomerField::Contracts => words(&detail.contracts),
            CustomerField::Employee => yes(detail.employee),
            CustomerField::OnAccount => yes(detail.on_account),
            CustomerField::Exemption => detail.exemption.clone().unwrap_or_default(),
        }
    }

    /// Whether they are the one that somebody looks for: by number, by telephone, by e-mail address, or
    /// by every word of a name.
    pub fn is_found_by(&self, words: &str) -> bool {
        let words = words.trim().to_lowercase();
        if words.is_empty() {
            return false;
        }
        let digits = |text: &str| {
            text.chars()
                .filter(char::is_ascii_digit)
                .collect::<String>()
        };
        let dialled = digits(&words);
        let looks_dialled = is_phone(&words) && dialled.len() >= PHONE_DIGITS_MIN;
        let phone = self.phone.as_deref().map(digits).unwrap_or_default();
        let email = self.detail.email.as_deref().unwrap_or_default();
        let name = self.name.to_lowercase();
        self.id.0.to_lowercase() == words
            || (looks_dialled && phone.ends_with(&dialled))
            || (words.contains('@') && email.to_lowercase() == words)
            || words.split_whitespace().all(|word| name.contains(word))
    }
}

/// The fewest digits of a telephone number by which somebody is found; its last ones are enough.
const PHONE_DIGITS_MIN: usize = 4;

fn is_phone(text: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_digit() || " +-().".contains(c);
    text.len() <= PHONE_CHARS_MAX && text.chars().all(is_fit)
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
fn words(text: &str) -> Result<BTreeSet<String>, &'static str> {
    let words: BTreeSet<String> = text.split_whitespace().map(str::to_owned).collect();
    match words.len() <= WORDS_MAX {
        true => Ok(words),
        false => Err("write at most 20"),
    }
}

fn yes(text: &str) -> Result<bool, &'static str> {
    match text.to_lowercase().as_str() {
        "" | "no" | "false" => Ok(false),
        "yes" | "true" => Ok(true),
        _ => Err("write yes or no"),
    }
}

/// `04-27`.
fn month_and_day(text: &str) -> Option<(u8, u8)> {
    let (month, day) = text.split_once('-')?;
    let (month, day): (u8, u8) = (month.parse().ok()?, day.parse().ok()?);
    let longest = days_of_month(A_LEAP_YEAR, month.into())?;
    (1..=longest).contains(&day.into()).then_some((month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(fields: &[(CustomerField, &str)]) -> Customer {
        let mut customer = Customer::new("C1".into());
        for (field, text) in fields {
            customer.set(*field, text).unwrap();
        }
        customer
    }

    #[test]
    fn what_is_said_is_written_the_same_way() {
        let said = [
            (CustomerField::Name, "Ada King"),
            (CustomerField::Phone, "+1 555-0101"),
            (CustomerField::Email, "ada@example.org"),
            (CustomerField::Birthday, "02-29"),
            (CustomerField::Consent, "email sms"),
            (CustomerField::Tier, "gold"),
            (CustomerField::Groups, "club north"),
            (CustomerField::Contracts, "acme"),
            (CustomerField::Employee, "yes"),
            (CustomerField::OnAccount, "yes"),
            (CustomerField::Exemption, "EX-17"),
        ];
        assert_eq!(said.map(|(field, _)| field), CustomerField::ALL);
        let ada = customer(&said);
        for (field, text) in said {
            assert_eq!(ada.text(field), text);
            let written = toml::Value::try_from(field).unwrap();
            assert_eq!(
                written.as_str(),
                Some(field.name()),
                "as it is named in journals"
            );
        }
        let mut nobody = ada.clone();
        for field in CustomerField::ALL.into_iter().skip(1) {
            nobody.set(field, " ").unwrap();
        }
        assert_eq!(nobody, customer(&[(CustomerField::Name, "Ada King")]));
    }

    #[test]
    fn what_cannot_be_is_refused_and_changes_nothing() {
        let check = |field, text: &str, why: &str| {
            let before = customer(&[(CustomerField::Name, "Ada")]);
            let mut after = before.clone();
            let error = after.set(field, text).unwrap_err();
            assert_eq!((error.field, error.why), (field, why));
            assert_eq!(after, before, "{text}");
        };
        check(CustomerField::Name, "  ", "it is empty");
        check(CustomerField::Name, "A\nda", "write it without line breaks");
        check(
            CustomerField::Name,
            &"x".repeat(201),
            "write at most 200 characters",
        );
        check(
            CustomerField::Phone,
            "call me",
            "write a number such as +1 555-0123",
        );
        check(
            CustomerField::Email,
            "ada@",
            "write an address such as ada@example.org",
        );
        check(
            CustomerField::Birthday,
            "04-31",
            "write month and day such as 04-27",
        );
        check(CustomerField::Tier, "iron", "write basic, silver or gold");
        check(CustomerField::OnAccount, "maybe", "write yes or no");
        let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        check(CustomerField::Groups, &many.join(" "), "write at most 20");
    }

    #[test]
    fn somebody_is_found_by_what_they_say_of_themselves() {
        let ada = customer(&[
            (CustomerField::Name, "Ada King"),
            (CustomerField::Phone, "+1 (555) 010-1234"),
            (CustomerField::Email, "Ada@Example.org"),
        ]);
        let check = |words: &str, expected: bool| {
            assert_eq!(ada.is_found_by(words), expected, "{words}");
        };
        check("c1", true);
        check("king ada", true);
        check("kin", true);
        check("ada lovelace", false);
        check("555 0101234", true);
        check("1234", true);
        check("234", false);
        check("5550109999", false);
        check("ada@example.ORG", true);
        check("example.org", false);
        check("@", false);
        check(" ", false);
    }
}
