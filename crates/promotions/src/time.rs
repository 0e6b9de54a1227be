//! When a promotion holds, at the store's local time.
//!
//! Everything is judged by the wall clock of the store, or of the zone that the promotion names. An
//! hour that the clock shows twice when summer ends holds twice; one that it leaves out does not
//! come.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::Instant;

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;
/// How far ahead the next time is looked for.
const DAYS_AHEAD_MAX: i64 = 800;

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

    /// The day so many days after 1970-01-01.
    pub fn since_epoch(days: i64) -> Day {
        Day(days)
    }

    /// How many days later another day is; negative where it is earlier.
    pub fn days_until(self, other: Day) -> i64 {
        other.0 - self.0
    }

    /// Year, month and day. Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms",
    /// civil_from_days.
    pub fn date(self) -> (i64, u8, u8) {
        let days = self.0 + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month as u8, day as u8)
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

/// A time of day from `from` up to but not including `until`, in seconds after midnight. Where
/// `until` is not after `from`, it goes on past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: i64,
    until: i64,
}

impl Span {
    /// Reads `16:00-18:00` and `16:00:30-16:01:00`; `24:00` is the end of the day.
    pub fn parse(text: &str) -> Option<Span> {
        let (from, until) = text.split_once('-')?;
        let (from, until) = (seconds(from.trim())?, seconds(until.trim())?);
        (from < SECONDS_PER_DAY && from != until).then_some(Span { from, until })
    }

    /// Whether a second of the day lies in it, and whether that part began the day before.
    fn holds(self, second: i64) -> Option<SpanDay> {
        if self.from < self.until {
            return (self.from..self.until)
                .contains(&second)
                .then_some(SpanDay::Same);
        }
        if second >= self.from {
            Some(SpanDay::Same)
        } else {
            (second < self.until).then_some(SpanDay::Before)
        }
    }
}

enum SpanDay {
    Same,
    Before,
}

/// Reads `hh:mm` and `hh:mm:ss`.
fn seconds(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hours, minutes) = (parts.next()?, parts.next()?);
    let seconds = parts.next().unwrap_or("00");
    let lengths = matches!(hours.len(), 1 | 2) && minutes.len() == 2 && seconds.len() == 2;
    if !lengths || parts.next().is_some() {
        return None;
    }
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds: u8 = seconds.parse().ok()?;
    let in_day = hours < 24 && minutes < 60 && seconds < 60;
    let sound = in_day || (hours, minutes, seconds) == (24, 0, 0);
    sound.then_some((i64::from(hours) * 60 + i64::from(minutes)) * 60 + i64::from(seconds))
}

/// A moment of the wall clock, in seconds since 1970-01-01 00:00 of the same clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// Reads `2026-11-27T09:00` and `2026-11-27T09:00:30`.
    pub fn parse(text: &str) -> Option<Moment> {
        let (day, time) = text.trim().split_once(['T', ' '])?;
        Some(Moment(
            Day::parse(day)?.0 * SECONDS_PER_DAY + seconds(time)?,
        ))
    }
}

impl Moment {
    /// Seconds since 1970-01-01 00:00 of the same wall clock.
    pub fn seconds(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = Day(self.0.div_euclid(SECONDS_PER_DAY)).date();
        let second = self.0.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year}-{month:02}-{day:02} {hour:02}:{minute:02}")?;
        match second {
            0 => Ok(()),
            second => write!(f, ":{second:02}"),
        }
    }
}

/// A flash: from a moment up to but not including another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    from: Moment,
    until: Moment,
}

impl Window {
    /// Reads `2026-11-27T09:00:00/2026-11-27T09:15:00`.
    pub fn parse(text: &str) -> Option<Window> {
        let (from, until) = text.split_once('/')?;
        let (from, until) = (Moment::parse(from)?, Moment::parse(until)?);
        (from < until).then_some(Window { from, until })
    }
}

/// When a promotion holds. Every part that is empty holds always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// The first day.
    pub from: Option<Day>,
    /// The last day, which still counts.
    pub until: Option<Day>,
    pub weekdays: Vec<Weekday>,
    /// Days of the month, from 1; from −1 backwards for those before its end.
    pub month_days: Vec<i8>,
    /// The first to fifth of its weekday in the month; from −1 backwards for the last ones.
    pub weeks: Vec<i8>,
    /// Every so many days, counted from `from`.
    pub every_days: Option<u32>,
    /// Hours past midnight belong to the day on which their span began.
    pub times: Vec<Span>,
    pub windows: Vec<Window>,
    /// An IANA time zone; the store's where it is left out.
    pub zone: Option<String>,
}

/// `When`, with its zone looked up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    pub when: When,
    pub zone: Option<TimeZone>,
}

impl Schedule {
    /// `None` where the zone is not known.
    pub fn new(when: &When) -> Option<Schedule> {
        let zone = match &when.zone {
            None => None,
            Some(name) => Some(TimeZone::get(name).ok()?),
        };
        let when = when.clone();
        Some(Schedule { when, zone })
    }

    fn local(&self, at: Instant) -> i64 {
        let seconds = (at.unix_ms / 1_000).cast_signed();
        let offset = match &self.zone {
            None => i64::from(at.offset_minutes) * 60,
            Some(zone) => {
                let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
                i64::from(zone.to_offset(time).seconds())
            }
        };
        seconds.saturating_add(offset)
    }

    pub fn holds(&self, at: Instant) -> bool {
        self.when.holds_at(self.local(at))
    }

    /// The next moment at which it begins to hold, within about two years.
    pub fn next_start(&self, at: Instant) -> Option<Moment> {
        self.when.next_start(self.local(at))
    }
}

impl When {
    fn holds_at(&self, local: i64) -> bool {
        let within = |window: &Window| (window.from.0..window.until.0).contains(&local);
        if !self.windows.is_empty() && !self.windows.iter().any(within) {
            return false;
        }
        let today = local.div_euclid(SECONDS_PER_DAY);
        let second = local.rem_euclid(SECONDS_PER_DAY);
        if self.times.is_empty() {
            return self.holds_on(Day(today));
        }
        self.times.iter().any(|span| match span.holds(second) {
            Some(SpanDay::Same) => self.holds_on(Day(today)),
            Some(SpanDay::Before) => self.holds_on(Day(today - 1)),
            None => false,
        })
    }

    fn holds_on(&self, day: Day) -> bool {
        let every = self
            .every_days
            .zip(self.from)
            .is_none_or(|(days, from)| (day.0 - from.0).rem_euclid(i64::from(days.max(1))) == 0);
        self.from.is_none_or(|from| from <= day)
            && self.until.is_none_or(|until| day <= until)
            && (self.weekdays.is_empty() || self.weekdays.contains(&day.weekday()))
            && every
            && self.holds_in_month(day)
    }

    fn holds_in_month(&self, day: Day) -> bool {
        if self.month_days.is_empty() && self.weeks.is_empty() {
            return true;
        }
        let (year, month, number) = day.date();
        let number = i64::from(number);
        let last = (28..=31)
            .rev()
            .find(|n| Day::new(year as u16, month, *n).is_some())
            .map_or(28, i64::from);
        let named = |list: &[i8], first: i64, back: i64| {
            list.is_empty() || list.iter().any(|n| [first, -back].contains(&i64::from(*n)))
        };
        named(&self.month_days, number, last - number + 1)
            && named(&self.weeks, (number - 1) / 7 + 1, (last - number) / 7 + 1)
    }

    fn next_start(&self, local: i64) -> Option<Moment> {
        let today = local.div_euclid(SECONDS_PER_DAY);
        let first = self.from.map_or(today, |from| from.0.max(today));
        let starts: Vec<i64> = match self.times.is_empty() {
            true => vec![0],
            false => self.times.iter().map(|span| span.from).collect(),
        };
        let of_days = (first..=first + DAYS_AHEAD_MAX).flat_map(|day| {
            starts
                .iter()
                .map(move |start| day * SECONDS_PER_DAY + start)
        });
        let of_windows = self.windows.iter().map(|window| window.from.0);
        let later = of_days.chain(of_windows).filter(|start| *start > local);
        later
            .filter(|start| self.holds_at(*start))
            .min()
            .map(Moment)
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
                    assert_eq!(
                        Day::new(day.date().0 as u16, day.date().1, day.date().2),
                        Some(day)
                    );
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
            let local = (friday + day) * SECONDS_PER_DAY + seconds(time).unwrap();
            let at = Instant {
                unix_ms: ((local + 300 * 60 + 59) * 1_000 + 999).cast_unsigned(),
                offset_minutes: -300,
            };
            let schedule = Schedule::new(when).unwrap();
            assert_eq!(schedule.holds(at), expected, "{when:?} {day} {time}");
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
    fn recurring_days_and_flashes_hold_to_the_second() {
        let check = |when: &When, moment: &str, expected: bool| {
            let local = Moment::parse(moment).unwrap().0;
            assert_eq!(when.holds_at(local), expected, "{when:?} {moment}");
        };
        let payday = When {
            month_days: vec![15, -1],
            ..When::default()
        };
        check(&payday, "2026-02-15T12:00", true);
        check(&payday, "2026-02-28T12:00", true);
        check(&payday, "2028-02-28T12:00", false);
        check(&payday, "2028-02-29T12:00", true);
        let first_and_last_monday = When {
            weekdays: vec![Weekday::Monday],
            weeks: vec![1, -1],
            ..When::default()
        };
        check(&first_and_last_monday, "2026-06-01T00:00", true);
        check(&first_and_last_monday, "2026-06-08T00:00", false);
        check(&first_and_last_monday, "2026-06-29T00:00", true);
        let fortnightly = When {
            from: Day::parse("2026-05-01"),
            every_days: Some(14),
            ..When::default()
        };
        check(&fortnightly, "2026-05-15T09:00", true);
        check(&fortnightly, "2026-05-22T09:00", false);
        check(&fortnightly, "2026-04-17T09:00", false);
        let flash = When {
            windows: vec![Window::parse("2026-11-27T09:00:00/2026-11-27T09:15:30").unwrap()],
            ..When::default()
        };
        check(&flash, "2026-11-27T08:59:59", false);
        check(&flash, "2026-11-27T09:15:29", true);
        check(&flash, "2026-11-27T09:15:30", false);
        assert!(Window::parse("2026-11-27T09:00/2026-11-27T09:00").is_none());
    }

    #[test]
    fn a_zone_follows_its_summer_time() {
        let when = When {
            times: vec![Span::parse("02:30-03:00").unwrap()],
            zone: Some("Europe/Berlin".to_owned()),
            ..When::default()
        };
        let schedule = Schedule::new(&when).unwrap();
        let check = |utc: &str, expected: bool| {
            let at = Instant {
                unix_ms: (Moment::parse(utc).unwrap().0 * 1_000).cast_unsigned(),
                offset_minutes: -300,
            };
            assert_eq!(schedule.holds(at), expected, "{utc}");
        };
        check("2026-07-01T00:30", true);
        check("2026-07-01T01:30", false);
        check("2026-12-01T01:30", true);
        // The hour from 02:00 is left out in spring and comes twice in autumn.
        check("2026-03-29T00:30", false);
        check("2026-03-29T01:30", false);
        check("2026-10-25T00:30", true);
        check("2026-10-25T01:30", true);
        let unknown = When {
            zone: Some("Europe/Atlantis".to_owned()),
            ..When::default()
        };
        assert!(Schedule::new(&unknown).is_none());
    }

    #[test]
    fn the_next_start_is_found() {
        let check = |when: &When, now: &str, expected: Option<&str>| {
            let next = when.next_start(Moment::parse(now).unwrap().0);
            assert_eq!(next.map(|m| m.to_string()).as_deref(), expected, "{when:?}");
        };
        let friday_evening = When {
            weekdays: vec![Weekday::Friday],
            times: vec![Span::parse("18:00-20:00").unwrap()],
            ..When::default()
        };
        check(
            &friday_evening,
            "2026-05-01T12:00",
            Some("2026-05-01 18:00"),
        );
        check(
            &friday_evening,
            "2026-05-01T21:00",
            Some("2026-05-08 18:00"),
        );
        let over = When {
            until: Day::parse("2026-04-30"),
            ..When::default()
        };
        check(&over, "2026-05-01T12:00", None);
        let later = When {
            from: Day::parse("2030-01-01"),
            ..When::default()
        };
        check(&later, "2026-05-01T12:00", Some("2030-01-01 00:00"));
    }

    #[test]
    fn spans_and_weekdays_are_read() {
        for good in [
            "16:00-18:00",
            "16:00:05-16:00:06",
            "0:00-24:00",
            "22:00 - 02:00",
        ] {
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
