//! Days and months of UTC, by arithmetic.

use tidegate_market::{Sessions, Timestamp};

/// Returns the day that a moment belongs to: the place of its session, or the UTC day without sessions.
pub(crate) fn day(time: Timestamp, sessions: Option<&Sessions>) -> i64 {
    match sessions {
        Some(sessions) => sessions.place(time) as i64,
        None => time.nanos().div_euclid(Timestamp::NANOS_PER_DAY),
    }
}

/// Returns the number of the civil month that a moment lies in, counted from January of year 0.
pub(crate) fn month(time: Timestamp) -> i64 {
    month_of_day(time.nanos().div_euclid(Timestamp::NANOS_PER_DAY))
}

/// Returns the months since January of the year zero of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, `civil_from_days`: years begin in March, so that the leap day comes
/// last, and eras of 400 years all have 146,097 days.
pub(crate) fn month_of_day(day: i64) -> i64 {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    12 * (400 * era + year_of_era) + months_since_march + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_on_its_first_day() {
        let month = |text: &str| month(text.parse().expect("valid date"));
        assert_eq!(month("2024-03-01"), 2024 * 12 + 2);
        assert_eq!(month("2024-02-29"), 2024 * 12 + 1);
        assert_eq!(month("2023-12-31"), 2023 * 12 + 11);
        assert_eq!(month("2024-01-01"), 2024 * 12);
        assert_eq!(month("1969-12-31"), 1969 * 12 + 11);
    }

    #[test]
    fn months_equal_those_of_the_civil_calendar() {
        // From 1679 to 2260.
        for day in -106_000..106_000 {
            let date = Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY).to_string();
            let part = |range: std::ops::Range<usize>| date[range].parse::<i64>().expect("a number");
            assert_eq!(month_of_day(day), 12 * part(0..4) + part(5..7) - 1, "{date}");
        }
    }

    #[test]
    fn a_day_is_that_of_utc_without_sessions() {
        assert_eq!(day("1970-01-02".parse().expect("valid"), None), 1);
    }
}
