//! One text in a known format to nanoseconds.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};
use tidegate_market::Timestamp;

pub(super) const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// 1970-01-01 in days from the common era.
const EPOCH_DAYS: i32 = 719_163;

/// How the texts of a time column are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TimeFormat {
    /// `2018-12-31`, with `-`, `/` or `.`, and possibly a time of day.
    YearFirst,
    /// `12/31/2018`.
    MonthFirst,
    /// `31/12/2018` or `31.12.2018`.
    DayFirst,
    /// `20181231`, possibly with a time of day.
    Compact,
    /// A count since 1970, with the nanoseconds of its unit.
    Epoch(i64),
    /// A `chrono` format.
    Custom(String),
}

/// A time as a file states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Nanoseconds since 1970-01-01, of UTC or of the local clock.
    pub(crate) nanos: i64,
    /// Whether it is of the local clock: no offset from UTC is stated.
    pub(crate) local: bool,
}

/// Reads one text.
pub(super) fn stamp(format: &TimeFormat, text: &str) -> Option<Stamp> {
    match format {
        TimeFormat::YearFirst => {
            let date = text.get(..10)?.as_bytes();
            let separated = matches!(date[4], b'-' | b'/' | b'.') && date[7] == date[4];
            let days = days(number(&date[..4])?, number(&date[5..7])?, number(&date[8..10])?)?;
            separated.then_some(())?;
            at(days, text.get(10..)?)
        }
        TimeFormat::MonthFirst => {
            let (month, day, year, rest) = numeric_date(text)?;
            at(days(year, month, day)?, rest)
        }
        TimeFormat::DayFirst => {
            let (day, month, year, rest) = numeric_date(text)?;
            at(days(year, month, day)?, rest)
        }
        TimeFormat::Compact => {
            let date = text.get(..8)?.as_bytes();
            let days = days(number(&date[..4])?, number(&date[4..6])?, number(&date[6..8])?)?;
            at(days, without_zero_fraction(text).get(8..)?)
        }
        TimeFormat::Epoch(unit) => {
            let nanos = text.parse::<i64>().ok()?.checked_mul(*unit)?;
            Some(Stamp { nanos, local: false })
        }
        TimeFormat::Custom(format) => custom(format, text),
    }
}

fn custom(format: &str, text: &str) -> Option<Stamp> {
    if let Ok(zoned) = DateTime::parse_from_str(text, format) {
        return Some(Stamp { nanos: zoned.to_utc().timestamp_nanos_opt()?, local: false });
    }
    let naive = || NaiveDateTime::parse_from_str(text, format).ok().map(|time| time.and_utc());
    let date = || Some(NaiveDate::parse_from_str(text, format).ok()?.and_hms_opt(0, 0, 0)?.and_utc());
    Some(Stamp { nanos: naive().or_else(date)?.timestamp_nanos_opt()?, local: true })
}

/// Splits `12/31/2018 16:00` into its three numbers and the rest.
pub(super) fn numeric_date(text: &str) -> Option<(u32, u32, u32, &str)> {
    let end = text.find([' ', 'T']).unwrap_or(text.len());
    let mut parts = text[..end].split(['/', '-', '.']);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    Some((number(first.as_bytes())?, number(second.as_bytes())?, number(year.as_bytes())?, &text[end..]))
}

/// Returns the time of a day and the text after its date: nothing, or a time of day and possibly an offset from UTC.
fn at(days: i64, rest: &str) -> Option<Stamp> {
    let midnight = days.checked_mul(Timestamp::NANOS_PER_DAY)?;
    let rest = rest.trim_start_matches(['T', ' ']);
    if rest.is_empty() {
        return Some(Stamp { nanos: midnight, local: true });
    }
    let zone = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let clock = clock_nanos(rest[..zone].trim_end())?;
    let nanos = midnight.checked_add(clock)?.checked_sub(offset_nanos(&rest[zone..])?)?;
    Some(Stamp { nanos, local: zone == rest.len() })
}

/// Reads `16:00`, `16:00:05.25`, `1600` or `160005`.
pub(super) fn clock_nanos(text: &str) -> Option<i64> {
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let bytes = text.as_bytes();
    let (hours, minutes, seconds) = match (bytes.len(), text.contains(':')) {
        (4, false) => (number(&bytes[..2])?, number(&bytes[2..])?, 0),
        (6, false) => (number(&bytes[..2])?, number(&bytes[2..4])?, number(&bytes[4..])?),
        (_, true) => {
            let mut parts = text.split(':').map(|part| number(part.as_bytes()));
            let clock = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
            parts.next().is_none().then_some(clock)?
        }
        _ => return None,
    };
    if hours > 23 || minutes > 59 || seconds > 59 || fraction.len() > 9 {
        return None;
    }
    let fraction_nanos = if fraction.is_empty() { 0 } else { number(format!("{fraction:0<9}").as_bytes())? };
    let whole = i64::from(hours * 3_600 + minutes * 60 + seconds) * NANOS_PER_SECOND;
    Some(whole + i64::from(fraction_nanos))
}

/// Reads nothing, `Z`, `+05:30`, `-0500` or `+01`.
fn offset_nanos(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first() {
        None => return Some(0),
        Some(b'Z') => return (text.len() == 1).then_some(0),
        Some(b'-') => -1,
        _ => 1,
    };
    let digits: Vec<u8> = text.bytes().skip(1).filter(|byte| *byte != b':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (number(&digits)?, 0),
        4 => (number(&digits[..2])?, number(&digits[2..])?),
        _ => return None,
    };
    Some(sign * i64::from(hours * 3_600 + minutes * 60) * NANOS_PER_SECOND)
}

fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    let date = NaiveDate::from_ymd_opt(year as i32, month, day)?;
    Some(i64::from(date.num_days_from_ce() - EPOCH_DAYS))
}

/// Returns the number that digits spell.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
}

/// Drops the `.0` of a date that was written as a float.
pub(super) fn without_zero_fraction(text: &str) -> &str {
    text.strip_suffix(".0").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_can_be_given() {
        let second_day = |local| Some(Stamp { nanos: Timestamp::NANOS_PER_DAY, local });
        assert_eq!(custom("%Y week %m-%d", "1970 week 01-02"), second_day(true));
        assert_eq!(custom("%m/%d/%Y %H:%M", "01/02/1970 00:00"), second_day(true));
        assert_eq!(custom("%m/%d/%Y %H:%M %z", "01/02/1970 01:00 +0100"), second_day(false));
    }
}
