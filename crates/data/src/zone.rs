//! Time zones by name, and the way from local times to UTC.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone as _};
use chrono_tz::{TZ_VARIANTS, Tz};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::Timestamp;

use crate::DataError;
use crate::rows::SeriesRows;

/// A time zone of the IANA database, written as its name: `America/New_York`, `Europe/Berlin`, `UTC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct TimeZone(Tz);

impl TimeZone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// Returns the civil date and time that clocks there show at a moment.
    pub fn local(self, time: Timestamp) -> NaiveDateTime {
        time.datetime().with_timezone(&self.0).naive_local()
    }

    /// Returns the moments at which clocks there show a time: one, two in autumn, none in spring.
    pub(crate) fn moments(self, local: NaiveDateTime) -> MappedLocalTime<Timestamp> {
        let Some(shown) = local.and_utc().timestamp_nanos_opt() else {
            return MappedLocalTime::None;
        };
        self.0.from_local_datetime(&local).map(|found| {
            let offset = i64::from(found.offset().fix().local_minus_utc()) * 1_000_000_000;
            Timestamp::from_nanos(shown.saturating_sub(offset))
        })
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl FromStr for TimeZone {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        text.parse().map(Self).map_err(|_| DataError::TimeZone { name: text.to_owned(), hint: hint(text) })
    }
}

impl TryFrom<String> for TimeZone {
    type Error = DataError;

    fn try_from(text: String) -> Result<Self, DataError> {
        text.parse()
    }
}

impl From<TimeZone> for String {
    fn from(zone: TimeZone) -> Self {
        zone.to_string()
    }
}

/// Offers the names, up to three, that are nearest as a whole or in their last part.
fn hint(wanted: &str) -> String {
    let wanted = wanted.trim().to_lowercase().replace(' ', "_");
    let edits_max = (wanted.chars().count() / 3).clamp(1, 4);
    let edits = |name: &str| {
        let name = name.to_lowercase();
        let city = name.rsplit('/').next().unwrap_or(&name);
        strsim::damerau_levenshtein(&wanted, &name).min(strsim::damerau_levenshtein(&wanted, city))
    };
    let mut near: Vec<(usize, &str)> = TZ_VARIANTS.iter().map(|zone| (edits(zone.name()), zone.name())).collect();
    near.retain(|(edits, _)| *edits <= edits_max);
    near.sort_unstable();
    let least = near.first().map_or(0, |(edits, _)| *edits);
    near.retain(|(edits, _)| *edits == least);
    let near: Vec<String> = near.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
    if near.is_empty() { String::new() } else { format!("; hint: did you mean {}?", near.join(" or ")) }
}

/// Turns one symbol's local stamps into UTC; the row and the time of the first that no clock ever showed otherwise.
///
/// Dates of bars of a day or longer stay dates. A time that clocks showed twice is the earlier moment until the stamps of that night
/// step back or repeat, and the later one from there on, in the order of time even where the file has the newest row first.
pub(crate) fn localize(rows: &mut SeriesRows, zone: TimeZone, daily: bool) -> Result<(), (usize, NaiveDateTime)> {
    let length = rows.time.len();
    let mut present = rows.time.iter().flatten();
    let newest_first = present.next().zip(present.next_back()).is_some_and(|(first, last)| first > last);
    // The latest stamp that clocks showed twice, and whether it was of the second hour.
    let mut twice: Option<(i64, bool)> = None;
    for place in 0..length {
        let row = if newest_first { length - 1 - place } else { place };
        let Some(stamp) = rows.time[row].filter(|_| rows.local[row]) else {
            continue;
        };
        if daily && stamp % Timestamp::NANOS_PER_DAY == 0 {
            continue;
        }
        let local = DateTime::from_timestamp_nanos(stamp).naive_utc();
        let moment = match zone.moments(local) {
            MappedLocalTime::Single(moment) => moment,
            MappedLocalTime::None => return Err((row, local)),
            MappedLocalTime::Ambiguous(earlier, later) => {
                let same_night = twice.filter(|(before, _)| stamp.abs_diff(*before) < Timestamp::NANOS_PER_DAY as u64);
                let again = same_night.is_some_and(|(before, again)| again || stamp <= before);
                twice = Some((stamp, again));
                if again { later } else { earlier }
            }
        };
        rows.time[row] = Some(moment.nanos());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_york() -> TimeZone {
        "America/New_York".parse().expect("known")
    }

    fn check(local: &[&str], daily: bool, utc: &[&str]) {
        let nanos = |text: &&str| Some(text.parse::<Timestamp>().expect("valid").nanos());
        let mut rows = SeriesRows { local: vec![true; local.len()], ..SeriesRows::default() };
        rows.time = local.iter().map(nanos).collect();
        localize(&mut rows, new_york(), daily).expect("all exist");
        assert_eq!(rows.time, utc.iter().map(nanos).collect::<Vec<_>>());
    }

    #[test]
    fn local_times_follow_the_clocks_through_the_year() {
        // Daylight saving began on 2013-03-10: five hours behind before, four after.
        check(
            &["2013-03-08 09:30:00", "2013-03-11 09:30:00"],
            false,
            &["2013-03-08T14:30:00Z", "2013-03-11T13:30:00Z"],
        );
    }

    #[test]
    fn an_hour_that_clocks_show_twice_is_told_apart_by_its_repetition() {
        // On 2013-11-03 at 02:00 clocks went back to 01:00; 01:15 is missing the first time.
        let local = [
            "2013-11-03 00:45:00",
            "2013-11-03 01:30:00",
            "2013-11-03 01:15:00",
            "2013-11-03 01:30:00",
            "2013-11-03 02:00:00",
        ];
        let utc = [
            "2013-11-03T04:45:00Z",
            "2013-11-03T05:30:00Z",
            "2013-11-03T06:15:00Z",
            "2013-11-03T06:30:00Z",
            "2013-11-03T07:00:00Z",
        ];
        check(&local, false, &utc);
        // The same file, newest first.
        let mut newest_first = (local, utc);
        newest_first.0.reverse();
        newest_first.1.reverse();
        check(&newest_first.0, false, &newest_first.1);
    }

    #[test]
    fn hourly_stamps_that_repeat_are_an_hour_apart() {
        check(
            &["2013-11-03 01:00:00", "2013-11-03 01:00:00"],
            false,
            &["2013-11-03T05:00:00Z", "2013-11-03T06:00:00Z"],
        );
    }

    #[test]
    fn a_time_that_clocks_skipped_is_refused_with_its_row() {
        let nanos = |text: &str| Some(text.parse::<Timestamp>().expect("valid").nanos());
        let mut rows = SeriesRows { local: vec![true; 2], ..SeriesRows::default() };
        rows.time = vec![nanos("2013-03-10 01:59:00"), nanos("2013-03-10 02:30:00")];
        let (row, local) = localize(&mut rows, new_york(), false).expect_err("skipped");
        assert_eq!((row, local.to_string().as_str()), (1, "2013-03-10 02:30:00"));
    }

    #[test]
    fn dates_of_daily_bars_stay_dates_and_times_with_an_offset_stay() {
        check(&["2013-11-03", "2013-11-04 16:00:00"], true, &["2013-11-03", "2013-11-04T21:00:00Z"]);
        let mut rows = SeriesRows { local: vec![false], ..SeriesRows::default() };
        rows.time = vec![Some(5)];
        localize(&mut rows, new_york(), false).expect("nothing to do");
        assert_eq!(rows.time, [Some(5)]);
    }

    #[test]
    fn an_unknown_name_offers_those_near_it() {
        let error = |name: &str| name.parse::<TimeZone>().expect_err("unknown").to_string();
        assert_eq!(
            error("New York"),
            "time zone must be a name of the IANA database such as `America/New_York`, was `New York`; hint: did you mean \
             `America/New_York`?"
        );
        assert!(
            error("Europe/Berlni").ends_with("; hint: did you mean `Europe/Berlin`?"),
            "{}",
            error("Europe/Berlni")
        );
        assert!(error("nowhere at all").ends_with("was `nowhere at all`"), "{}", error("nowhere at all"));
    }
}
