//! The store's wall clock: the lane's clock in the store's time zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sale::LocalTime;

/// Remembers the time zone it looked up last.
#[derive(Default)]
pub struct StoreTime {
    known: Option<(String, TimeZone)>,
}

impl StoreTime {
    /// A moment as the store's clock shows it. An unknown zone counts as UTC: it was checked when
    /// it was set.
    pub fn at(&mut self, unix_ms: u64, zone: &str) -> LocalTime {
        let known = self.known.take().filter(|(name, _)| name == zone);
        let (name, time_zone) = known.unwrap_or_else(|| {
            let found = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
            (zone.to_owned(), found)
        });
        let timestamp = i64::try_from(unix_ms)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .unwrap_or(Timestamp::MAX);
        let offset_minutes = time_zone.to_offset(timestamp).seconds() / 60;
        self.known = Some((name, time_zone));
        LocalTime {
            unix_ms,
            offset_minutes,
        }
    }
}
