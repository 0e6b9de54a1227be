//! When a promotion holds, at the store's local time.

use std::fmt;

use crate::Instant;

const MINUTES_PER_DAY: i64 = 24 * 60;

/// A calendar day (Gregorian), as days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    /// The day of a date; `None` where the calendar has no such date.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Day> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days_in_month = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if !(1..=days_in_month).contains(&day) {
            return None;
        }
        // Years are counted from March, so that the leap day comes last. Source: Hinnant,
        // "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
        let (month, day) = (i64::from(month), i64::from(day));
        let year = i64::from(year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year - era * 400;
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Day(era * 146_097 + day_of_era - 719_468))
    }

    /// Reads `2026-05-01`.
    pub fn parse(text: &str) -> Option<Day> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let lengths = (year.len(), month.len(), day.len());
        if lengths != (4, 2, 2) || parts.next().is_some() {
            return None;
        }
        Day::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }

    pub fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday, the fourth day of `Weekday::ALL`.
        Weekday::ALL[(self.0 + 3).rem_euclid(7) as usize]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    pub const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    /// Reads `mon`, `Monday`.
    pub fn parse(text: &str) -> Option<Weekday> {
        let text = text.to_lowercase();
        Weekday::ALL.into_iter().find(|day| {
            let name = format!("{day:?}").to_lowercase();
            text == name || text == name[..3]
        })
    }
}

/// A time of day from `from` up to but not including `until`, in minutes after midnight. Where
/// `until` is not after `from`, it goes on past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: u16,
    until: u16,
}

impl Span {
    /// Reads `16:00-18:00`; `24:00` is the end of the day.
    pub fn parse(text: &str) -> Option<Span> {
        let (from, until) = text.split_once('-')?;
        let (from, until) = (minutes(from.trim())?, minutes(until.trim())?);
        (i64::from(from) < MINUTES_PER_DAY && from != until).then_some(Span { from, until })
    }

    /// Whether a minute of the day lies in it, and whether that part began the day before.
    fn holds(self, minute: u16) -> Option<SpanDay> {
        if self.from < self.until {
            return (self.from..self.until)
                .contains(&minute)
                .then_some(SpanDay::Same);
        }
        if minute >= self.from {
            Some(SpanDay::Same)
        } else {
            (minute < self.until).then_some(SpanDay::Before)
        }
    }
}

enum SpanDay {
    Same,
    Before,
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    if !matches!(hours.len(), 1 | 2) || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let sound = hours < 24 && minutes < 60 || (hours, minutes) == (24, 0);
    sound.then_some(hours * 60 + minutes)
}

/// When a promotion holds. Every part that is empty holds always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// The first day.
    pub from: Option<Day>,
    /// The last day, which still counts.
    pub until: Option<Day>,
    pub weekdays: Vec<Weekday>,
    /// Hours past midnight belong to the day on which their span began.
    pub times: Vec<Span>,
}

impl When {
    pub fn holds(&self, at: Instant) -> bool {
        let minutes = (at.unix_ms / 60_000).cast_signed() + i64::from(at.offset_minutes);
        let today = minutes.div_euclid(MINUTES_PER_DAY);
        let minute = minutes.rem_euclid(MINUTES_PER_DAY) as u16;
        if self.times.is_empty() {
            return self.holds_on(Day(today));
        }
        self.times.iter().any(|span| match span.holds(minute) {
            Some(SpanDay::Same) => self.holds_on(Day(today)),
            Some(SpanDay::Before) => self.holds_on(Day(today - 1)),
            None => false,
        })
    }

    fn holds_on(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day)
            && self.until.is_none_or(|until| day <= until)
            && (self.weekdays.is_empty() || self.weekdays.contains(&day.weekday()))
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_by_the_calendar() {
        let check = |text: &str, expected: Option<(i64, &str)>| {
            let got = Day::parse(text).map(|day| (day.0, day.weekday().to_string()));
            assert_eq!(got, expected.map(|(n, w)| (n, w.to_owned())), "{text}");
        };
        check("1970-01-01", Some((0, "Thursday")));
        check("1969-12-31", Some((-1, "Wednesday")));
        check("2000-02-29", Some((11_016, "Tuesday")));
        check("2026-05-01", Some((20_574, "Friday")));
        for bad in [
            "2026-02-29",
            "2026-13-01",
            "2026-04-31",
            "2026-5-1",
            "2026-05-01-1",
            "x",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn days_follow_each_other() {
        let mut expected = Day::new(1999, 1, 1).unwrap().0;
        for year in 1999..2030 {
            for month in 1..=12 {
                for day in (1..=31).filter_map(|day| Day::new(year, month, day)) {
                    assert_eq!(day.0, expected);
                    expected += 1;
                }
            }
        }
    }

    #[test]
    fn promotions_hold_when_they_say() {
        // Friday 2026-05-01, at the given local time five hours behind UTC.
        let friday = 20_574_i64;
        let check = |when: &When, day: i64, time: &str, expected: bool| {
            let local = (friday + day) * MINUTES_PER_DAY + i64::from(minutes(time).unwrap());
            let at = Instant {
                unix_ms: ((local + 300) * 60_000 + 59_999).cast_unsigned(),
                offset_minutes: -300,
            };
            assert_eq!(when.holds(at), expected, "{when:?} {day} {time}");
        };
        let day = |text| Day::parse(text);
        let dates = When {
            from: day("2026-05-01"),
            until: day("2026-05-02"),
            ..When::default()
        };
        check(&When::default(), 0, "12:00", true);
        check(&dates, -1, "23:59", false);
        check(&dates, 0, "0:00", true);
        check(&dates, 1, "23:59", true);
        check(&dates, 2, "0:00", false);
        let hours = When {
            weekdays: vec![Weekday::Friday],
            times: vec![
                Span::parse("9:00-12:00").unwrap(),
                Span::parse("22:00-02:00").unwrap(),
            ],
            ..When::default()
        };
        check(&hours, 0, "8:59", false);
        check(&hours, 0, "9:00", true);
        check(&hours, 0, "12:00", false);
        check(&hours, 0, "23:00", true);
        check(&hours, 0, "1:00", false);
        check(&hours, 1, "1:59", true);
        check(&hours, 1, "2:00", false);
        check(&hours, 1, "10:00", false);
    }

    #[test]
    fn spans_and_weekdays_are_read() {
        for good in ["16:00-18:00", "0:00-24:00", "22:00 - 02:00"] {
            assert!(Span::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "16:00",
            "16-18",
            "25:00-26:00",
            "24:00-1:00",
            "9:60-10:00",
            "9:00-9:00",
        ] {
            assert!(Span::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(Weekday::parse("Fri"), Some(Weekday::Friday));
        assert_eq!(Weekday::parse("sunday"), Some(Weekday::Sunday));
        assert_eq!(Weekday::parse("f"), None);
    }
}
