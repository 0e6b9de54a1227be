//! ISO 4217 currencies.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::MoneyError;

/// An ISO 4217 alphabetic code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Codes whose number of minor digits is not 2. Source: ISO 4217 list one.
const DIGITS_NOT_TWO: &[(&[u8; 3], u32)] = &[
    (b"BHD", 3),
    (b"BIF", 0),
    (b"CLF", 4),
    (b"CLP", 0),
    (b"DJF", 0),
    (b"GNF", 0),
    (b"IQD", 3),
    (b"ISK", 0),
    (b"JOD", 3),
    (b"JPY", 0),
    (b"KMF", 0),
    (b"KRW", 0),
    (b"KWD", 3),
    (b"LYD", 3),
    (b"OMR", 3),
    (b"PYG", 0),
    (b"RWF", 0),
    (b"TND", 3),
    (b"UGX", 0),
    (b"UYI", 0),
    (b"UYW", 4),
    (b"VND", 0),
    (b"VUV", 0),
    (b"XAF", 0),
    (b"XOF", 0),
    (b"XPF", 0),
];

/// Currencies by the number that codes and terminals carry. Source: ISO 4217, list one.
#[rustfmt::skip]
const NUMBERS: &[(&[u8; 3], &[u8; 3])] = &[
    (b"AED", b"784"), (b"AFN", b"971"), (b"ALL", b"008"), (b"AMD", b"051"), (b"AOA", b"973"), (b"ARS", b"032"),
    (b"AUD", b"036"), (b"AWG", b"533"), (b"AZN", b"944"), (b"BAM", b"977"), (b"BBD", b"052"), (b"BDT", b"050"),
    (b"BGN", b"975"), (b"BHD", b"048"), (b"BIF", b"108"), (b"BMD", b"060"), (b"BND", b"096"), (b"BOB", b"068"),
    (b"BOV", b"984"), (b"BRL", b"986"), (b"BSD", b"044"), (b"BTN", b"064"), (b"BWP", b"072"), (b"BYN", b"933"),
    (b"BZD", b"084"), (b"CAD", b"124"), (b"CDF", b"976"), (b"CHE", b"947"), (b"CHF", b"756"), (b"CHW", b"948"),
    (b"CLF", b"990"), (b"CLP", b"152"), (b"CNY", b"156"), (b"COP", b"170"), (b"COU", b"970"), (b"CRC", b"188"),
    (b"CUP", b"192"), (b"CVE", b"132"), (b"CZK", b"203"), (b"DJF", b"262"), (b"DKK", b"208"), (b"DOP", b"214"),
    (b"DZD", b"012"), (b"EGP", b"818"), (b"ERN", b"232"), (b"ETB", b"230"), (b"EUR", b"978"), (b"FJD", b"242"),
    (b"FKP", b"238"), (b"GBP", b"826"), (b"GEL", b"981"), (b"GHS", b"936"), (b"GIP", b"292"), (b"GMD", b"270"),
    (b"GNF", b"324"), (b"GTQ", b"320"), (b"GYD", b"328"), (b"HKD", b"344"), (b"HNL", b"340"), (b"HTG", b"332"),
    (b"HUF", b"348"), (b"IDR", b"360"), (b"ILS", b"376"), (b"INR", b"356"), (b"IQD", b"368"), (b"IRR", b"364"),
    (b"ISK", b"352"), (b"JMD", b"388"), (b"JOD", b"400"), (b"JPY", b"392"), (b"KES", b"404"), (b"KGS", b"417"),
    (b"KHR", b"116"), (b"KMF", b"174"), (b"KPW", b"408"), (b"KRW", b"410"), (b"KWD", b"414"), (b"KYD", b"136"),
    (b"KZT", b"398"), (b"LAK", b"418"), (b"LBP", b"422"), (b"LKR", b"144"), (b"LRD", b"430"), (b"LSL", b"426"),
    (b"LYD", b"434"), (b"MAD", b"504"), (b"MDL", b"498"), (b"MGA", b"969"), (b"MKD", b"807"), (b"MMK", b"104"),
    (b"MNT", b"496"), (b"MOP", b"446"), (b"MRU", b"929"), (b"MUR", b"480"), (b"MVR", b"462"), (b"MWK", b"454"),
    (b"MXN", b"484"), (b"MXV", b"979"), (b"MYR", b"458"), (b"MZN", b"943"), (b"NAD", b"516"), (b"NGN", b"566"),
    (b"NIO", b"558"), (b"NOK", b"578"), (b"NPR", b"524"), (b"NZD", b"554"), (b"OMR", b"512"), (b"PAB", b"590"),
    (b"PEN", b"604"), (b"PGK", b"598"), (b"PHP", b"608"), (b"PKR", b"586"), (b"PLN", b"985"), (b"PYG", b"600"),
    (b"QAR", b"634"), (b"RON", b"946"), (b"RSD", b"941"), (b"RUB", b"643"), (b"RWF", b"646"), (b"SAR", b"682"),
    (b"SBD", b"090"), (b"SCR", b"690"), (b"SDG", b"938"), (b"SEK", b"752"), (b"SGD", b"702"), (b"SHP", b"654"),
    (b"SLE", b"925"), (b"SOS", b"706"), (b"SRD", b"968"), (b"SSP", b"728"), (b"STN", b"930"), (b"SVC", b"222"),
    (b"SYP", b"760"), (b"SZL", b"748"), (b"THB", b"764"), (b"TJS", b"972"), (b"TMT", b"934"), (b"TND", b"788"),
    (b"TOP", b"776"), (b"TRY", b"949"), (b"TTD", b"780"), (b"TWD", b"901"), (b"TZS", b"834"), (b"UAH", b"980"),
    (b"UGX", b"800"), (b"USD", b"840"), (b"USN", b"997"), (b"UYI", b"940"), (b"UYU", b"858"), (b"UYW", b"927"),
    (b"UZS", b"860"), (b"VED", b"926"), (b"VES", b"928"), (b"VND", b"704"), (b"VUV", b"548"), (b"WST", b"882"),
    (b"XAF", b"950"), (b"XCD", b"951"), (b"XOF", b"952"), (b"XPF", b"953"), (b"YER", b"886"), (b"ZAR", b"710"),
    (b"ZMW", b"967"), (b"ZWG", b"924"),
];

impl Currency {
    pub const USD: Currency = Currency(*b"USD");
    pub const EUR: Currency = Currency(*b"EUR");

    /// Digits behind the decimal point, 0 to 4.
    pub fn minor_digits(self) -> u32 {
        DIGITS_NOT_TWO
            .iter()
            .find(|(code, _)| **code == self.0)
            .map_or(2, |(_, digits)| *digits)
    }

    /// The currency of a three-digit number, such as `840`; `None` for a number that is not given
    /// out.
    pub fn from_numeric(number: &str) -> Option<Currency> {
        let found = NUMBERS
            .iter()
            .find(|(_, known)| known.as_slice() == number.as_bytes())?;
        Some(Currency(*found.0))
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        match text.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|x| x.is_ascii_uppercase()) => {
                Ok(Currency([*a, *b, *c]))
            }
            _ => Err(MoneyError::NotACurrency(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}
