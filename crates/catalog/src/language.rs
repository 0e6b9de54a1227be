//! The languages of papers and messages.

use serde::{Deserialize, Serialize};

/// A language in which papers are written and a lane answers, with its numbers and dates, by its
/// ISO 639-1 code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "de")]
    German,
    #[serde(rename = "fr")]
    French,
    #[serde(rename = "es")]
    Spanish,
}

impl Language {
    pub const ALL: [Language; 4] = [
        Language::English,
        Language::German,
        Language::French,
        Language::Spanish,
    ];

    /// Its ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::French => "fr",
            Language::Spanish => "es",
        }
    }

    /// A number that is written with a point.
    pub fn decimal(self, number: &str) -> String {
        match self {
            Language::English => number.to_owned(),
            Language::German | Language::French | Language::Spanish => number.replace('.', ","),
        }
    }

    /// A day that is written as ISO 8601 says.
    pub fn day(self, iso: &str) -> String {
        let parts: Vec<&str> = iso.split('-').collect();
        match (self, parts.as_slice()) {
            (Language::German, [year, month, day]) => format!("{day}.{month}.{year}"),
            (Language::French | Language::Spanish, [year, month, day]) => {
                format!("{day}/{month}/{year}")
            }
            _ => iso.to_owned(),
        }
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Language::default()
    }
}
