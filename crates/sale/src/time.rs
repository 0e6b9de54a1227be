//! Moments and business days, as the store's wall clock shows them.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

/// The most years that anybody is old.
const YEARS_MAX: u8 = 130;

/// A moment with the store's offset from UTC at that moment, so that a receipt can be read, and
/// priced again, without any time zone table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LocalTime {
    /// Milliseconds since the Unix epoch.
    pub unix_ms: u64,
    /// Minutes east of UTC.
    pub offset_minutes: i32,
}

impl LocalTime {
    fn civil(self) -> jiff::civil::DateTime {
        let timestamp = i64::try_from(self.unix_ms)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .unwrap_or(Timestamp::MAX);
        let offset = Offset::from_seconds(self.offset_minutes * 60).unwrap_or(Offset::UTC);
        timestamp.to_zoned(TimeZone::fixed(offset)).datetime()
    }

    /// The calendar day in the store.
    pub fn business_day(self) -> BusinessDay {
        BusinessDay(self.civil().date().to_string())
    }

    /// The business day where days begin at this full hour: before it, the day before goes on.
    pub fn business_day_from(self, hour: u8) -> BusinessDay {
        let earlier = LocalTime {
            unix_ms: self
                .unix_ms
                .saturating_sub(u64::from(hour.min(23)) * 3_600_000),
            ..self
        };
        earlier.business_day()
    }

    /// As ISO 8601 with the offset from UTC, to the second: `2026-11-27T09:47:05-05:00`.
    pub fn iso(self) -> String {
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let minutes = self.offset_minutes.unsigned_abs();
        let local = self.civil().strftime("%Y-%m-%dT%H:%M:%S");
        format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// `00` to `23`.
    pub fn hour(self) -> String {
        self.civil().strftime("%H").to_string()
    }

    pub fn year(self) -> i32 {
        i32::from(self.civil().year())
    }

    /// Whole years since a day, as an ISO 8601 date; `None` where it is no such date, is yet to come or
    /// was more than [`YEARS_MAX`] years ago. Who was born on 29 February is a year older on 1 March.
    pub fn years_since(self, day: &str) -> Option<u8> {
        if !BusinessDay(day.to_owned()).is_date() {
            return None;
        }
        let born: jiff::civil::Date = day.parse().ok()?;
        let today = self.civil().date();
        let birthday_to_come = (today.month(), today.day()) < (born.month(), born.day());
        let years = today.year() - born.year() - i16::from(birthday_to_come);
        u8::try_from(years).ok().filter(|years| *years <= YEARS_MAX)
    }

    /// `hh:mm`, as the status bar shows it.
    pub fn hour_minute(self) -> String {
        self.civil().strftime("%H:%M").to_string()
    }
}

impl fmt::Display for LocalTime {
    /// `2026-11-27 09:47`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.civil().strftime("%Y-%m-%d %H:%M"))
    }
}

impl From<LocalTime> for promotions::Instant {
    fn from(time: LocalTime) -> promotions::Instant {
        promotions::Instant {
            unix_ms: time.unix_ms,
            offset_minutes: time.offset_minutes,
        }
    }
}

/// A trading day of the store, as an ISO 8601 date.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BusinessDay(pub String);

impl BusinessDay {
    /// Whether it is a day of the calendar, written as ISO 8601 says.
    pub fn is_date(&self) -> bool {
        let date: Result<jiff::civil::Date, _> = self.0.parse();
        date.is_ok_and(|date| date.to_string() == self.0)
    }
}

impl fmt::Display for BusinessDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_whole() {
        // 2026-11-28 08:47 in the store.
        let now = LocalTime {
            unix_ms: 1_795_873_620_000,
            offset_minutes: -300,
        };
        let check = |day: &str, expected: Option<u8>| {
            assert_eq!(now.years_since(day), expected, "{day}");
        };
        check("2008-11-28", Some(18));
        check("2008-11-29", Some(17));
        check("2008-02-29", Some(18));
        check("2026-11-28", Some(0));
        check("2026-11-29", None);
        check("1896-01-01", Some(130));
        check("1895-01-01", None);
        check("28.11.2008", None);
        check("2009-02-29", None);
    }

    #[test]
    fn the_business_day_is_the_stores_own() {
        let check = |unix_ms, offset_minutes, day: &str, shown: &str| {
            let time = LocalTime {
                unix_ms,
                offset_minutes,
            };
            assert_eq!(time.business_day().0, day);
            assert_eq!(time.to_string(), shown);
        };
        check(0, 0, "1970-01-01", "1970-01-01 00:00");
        let at_two = LocalTime {
            unix_ms: 7_200_000,
            offset_minutes: 0,
        };
        assert_eq!(at_two.business_day_from(2).0, "1970-01-01");
        let day = |text: &str| BusinessDay(text.to_owned());
        assert!(day("2026-02-28").is_date());
        assert!(!day("2026-02-29").is_date());
        assert!(!day("20260228").is_date());
        check(0, -300, "1969-12-31", "1969-12-31 19:00");
        check(1_795_873_620_000, -300, "2026-11-28", "2026-11-28 08:47");
    }
}
