//! Sessions of a market from its local opening hours.

mod text;

use std::collections::BTreeMap;

use chrono::{Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::{Bars, Session, Sessions, Timestamp};

use crate::{DataError, TimeZone};

/// The opening hours of a market, in its own time: known in advance, never read off the bars.
///
/// A session belongs to the day on which it closes. One that opens at or after the time at which it closes opens on the day before: `open = "18:00"`,
/// `close = "17:00"` is a futures market, whose Monday session opens on Sunday evening, and `"00:00"` to `"00:00"` is round the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionSpec {
    /// The market's time zone, such as `America/New_York`.
    pub time_zone: TimeZone,
    /// The time of day of the open, such as `09:30`.
    #[serde(deserialize_with = "text::time_of_day")]
    #[schemars(with = "String")]
    pub open: NaiveTime,
    /// The time of day of the close, such as `16:00`.
    #[serde(deserialize_with = "text::time_of_day")]
    #[schemars(with = "String")]
    pub close: NaiveTime,
    /// The days of the week with a session; Monday to Friday when absent.
    #[serde(default = "working_days", deserialize_with = "text::days")]
    #[schemars(with = "Vec<String>")]
    pub days: Vec<Weekday>,
    /// Dates without a session.
    #[serde(default, deserialize_with = "text::dates")]
    #[schemars(with = "Vec<String>")]
    pub holidays: Vec<NaiveDate>,
    /// Dates whose session closes earlier, and when: `"2018-11-23" = "13:00"`.
    #[serde(default, deserialize_with = "text::early_closes")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub early_closes: BTreeMap<NaiveDate, NaiveTime>,
}

fn working_days() -> Vec<Weekday> {
    vec![Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri]
}

impl SessionSpec {
    /// Checks the rules that span fields.
    ///
    /// # Errors
    /// [`DataError::Setting`] for no day at all, and for an early close that is not early or falls on a day without a session.
    pub fn validate(&self) -> Result<(), DataError> {
        let setting = |name, rule, value: String| Err(DataError::Setting { name, rule, value });
        if self.days.is_empty() {
            return setting("days", "at least one day of the week", "none".to_owned());
        }
        for (day, close) in &self.early_closes {
            if !self.has_session(*day) {
                return setting("early_closes", "dates with a session", day.to_string());
            }
            if *close >= self.close || (!self.opens_the_day_before() && *close <= self.open) {
                return setting("early_closes", "times between open and close", format!("{day} = {close}"));
            }
        }
        Ok(())
    }

    /// Returns whether a session closes on a date.
    pub fn has_session(&self, day: NaiveDate) -> bool {
        self.days.contains(&day.weekday()) && !self.holidays.contains(&day)
    }

    /// Returns the session that closes on a date. One that lies wholly in an hour that clocks skip does not take place.
    fn session(&self, day: NaiveDate) -> Option<Session> {
        let opening_day = if self.opens_the_day_before() { day.pred_opt()? } else { day };
        let close = self.early_closes.get(&day).copied().unwrap_or(self.close);
        let (open, close) = (self.moment(opening_day.and_time(self.open))?, self.moment(day.and_time(close))?);
        (self.has_session(day) && open < close).then_some(Session { open, close })
    }

    fn opens_the_day_before(&self) -> bool {
        self.open >= self.close
    }

    /// Returns the moment of a local time: of one that clocks show twice the earlier, of one that they skip the first minute after.
    fn moment(&self, local: NaiveDateTime) -> Option<Timestamp> {
        const MINUTES_SKIPPED_MAX: i64 = 1_500;
        (0..MINUTES_SKIPPED_MAX).find_map(|minutes| {
            match self.time_zone.moments(local.checked_add_signed(TimeDelta::minutes(minutes))?) {
                MappedLocalTime::Single(moment) | MappedLocalTime::Ambiguous(moment, _) => Some(moment),
                MappedLocalTime::None => None,
            }
        })
    }
}

/// Returns the sessions that are open at some moment from `first` to `last`, in UTC.
///
/// # Errors
/// [`DataError::Setting`] for rules that contradict each other.
pub fn sessions(spec: &SessionSpec, first: Timestamp, last: Timestamp) -> Result<Sessions, DataError> {
    spec.validate()?;
    let day = |time: Timestamp| spec.time_zone.local(time).date();
    let end = day(last) + Days::new(1);
    let mut found = Vec::new();
    for day in day(first).iter_days().take_while(|day| *day <= end) {
        if let Some(session) = spec.session(day)
            && session.close > first
            && session.open <= last
        {
            found.push(session);
        }
    }
    Sessions::new(found).map_err(|source| DataError::Setting {
        name: "session",
        rule: "hours that do not overlap",
        value: source.to_string(),
    })
}

/// Returns the bars that open inside a session, its open included and its close not. Bars of a day or longer, which are labelled by their date,
/// are all kept.
///
/// Bars of the clock's hours open before a session that opens at half past: state the full hour as the session's open for them.
pub fn in_sessions(bars: &Bars, sessions: &Sessions) -> Bars {
    if bars.interval().nanos() >= Timestamp::NANOS_PER_DAY {
        return bars.clone();
    }
    let mut columns = bars.columns().clone();
    let kept: Vec<bool> = (0..bars.len()).map(|row| sessions.containing(bars.open_time(row)).is_some()).collect();
    retain(&mut columns.time, &kept);
    for column in [&mut columns.open, &mut columns.high, &mut columns.low, &mut columns.close, &mut columns.volume] {
        retain(column, &kept);
    }
    Bars::new(columns, bars.label(), bars.interval()).expect("a part of sane bars is sane")
}

fn retain<T>(values: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    values.retain(|_| *kept.next().expect("one per row"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_market::{BarColumns, BarLabel};

    fn spec(fields: &str) -> SessionSpec {
        serde_json::from_str(fields).expect("valid")
    }

    fn check(fields: &str, first: &str, last: &str, expected: &[(&str, &str)]) {
        let span = [first, last].map(|time| time.parse().expect("valid"));
        let found = sessions(&spec(fields), span[0], span[1]).expect("valid");
        let found: Vec<(String, String)> =
            found.all().iter().map(|session| (session.open.to_string(), session.close.to_string())).collect();
        let expected: Vec<(String, String)> =
            expected.iter().map(|(open, close)| ((*open).to_owned(), (*close).to_owned())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn sessions_follow_the_clocks_holidays_and_early_closes() {
        // Clocks went back on Sunday 2018-11-04; Thanksgiving was 2018-11-22.
        let new_york = r#"{"time_zone": "America/New_York", "open": "09:30", "close": "16:00",
            "holidays": ["2018-11-22"], "early_closes": {"2018-11-23": "13:00"}}"#;
        let weekend =
            [("2018-11-02T13:30:00Z", "2018-11-02T20:00:00Z"), ("2018-11-05T14:30:00Z", "2018-11-05T21:00:00Z")];
        check(new_york, "2018-11-02", "2018-11-06", &weekend);
        let thanksgiving =
            [("2018-11-21T14:30:00Z", "2018-11-21T21:00:00Z"), ("2018-11-23T14:30:00Z", "2018-11-23T18:00:00Z")];
        check(new_york, "2018-11-21", "2018-11-26", &thanksgiving);
    }

    #[test]
    fn a_session_over_midnight_belongs_to_the_day_of_its_close() {
        // Chicago is six hours behind in January: 17:00 is 23:00 UTC. 2024-01-15 is a Monday, a holiday here.
        let futures =
            r#"{"time_zone": "America/Chicago", "open": "17:00", "close": "16:00", "holidays": ["2024-01-15"]}"#;
        let expected =
            [("2024-01-11T23:00:00Z", "2024-01-12T22:00:00Z"), ("2024-01-15T23:00:00Z", "2024-01-16T22:00:00Z")];
        check(futures, "2024-01-12", "2024-01-16", &expected);
    }

    #[test]
    fn round_the_clock_has_no_break_even_when_clocks_change() {
        let berlin = r#"{"time_zone": "Europe/Berlin", "open": "00:00", "close": "00:00",
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "Sunday"]}"#;
        let expected = [
            ("2018-10-26T22:00:00Z", "2018-10-27T22:00:00Z"),
            // Twenty-five hours.
            ("2018-10-27T22:00:00Z", "2018-10-28T23:00:00Z"),
            ("2018-10-28T23:00:00Z", "2018-10-29T23:00:00Z"),
        ];
        check(berlin, "2018-10-27", "2018-10-29", &expected);
    }

    #[test]
    fn an_open_in_the_hour_that_clocks_skip_is_the_first_minute_after() {
        // On 2018-03-25 clocks went from 02:00 to 03:00: 01:00 UTC.
        let night = r#"{"time_zone": "Europe/Berlin", "open": "02:15", "close": "06:00", "days": ["sun"]}"#;
        check(night, "2018-03-25", "2018-03-26", &[("2018-03-25T01:00:00Z", "2018-03-25T04:00:00Z")]);
    }

    #[test]
    fn only_bars_that_open_inside_a_session_stay() {
        let times = ["2018-11-23T14:29:00Z", "2018-11-23T14:30:00Z", "2018-11-23T20:59:00Z", "2018-11-23T21:00:00Z"];
        let columns = |times: &[&str]| BarColumns {
            time: times.iter().map(|time| time.parse().expect("valid")).collect(),
            open: vec![1.0; times.len()],
            high: vec![1.0; times.len()],
            low: vec![1.0; times.len()],
            close: vec![1.0; times.len()],
            volume: vec![1.0; times.len()],
        };
        let new_york = spec(r#"{"time_zone": "America/New_York", "open": "09:30", "close": "16:00"}"#);
        let kept = |interval: &str, label, times: &[&str]| {
            let bars = Bars::new(columns(times), label, interval.parse().expect("valid")).expect("sane");
            let (first, last) = (bars.time()[0], bars.time()[times.len() - 1]);
            let bars = in_sessions(&bars, &sessions(&new_york, first, last).expect("valid"));
            bars.time().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(kept("1m", BarLabel::Open, &times), times[1..3]);
        // Labelled by its close, the first opened at 14:28 and the last at 20:59.
        assert_eq!(kept("1m", BarLabel::Close, &times), times[2..4]);
        assert_eq!(kept("1d", BarLabel::Open, &["2018-11-23", "2018-11-24"]), ["2018-11-23", "2018-11-24"]);
    }

    #[test]
    fn rules_that_contradict_each_other_are_refused() {
        let error = |fields: &str| {
            let spec = spec(&format!(r#"{{"time_zone": "UTC", "open": "09:30", "close": "16:00", {fields}}}"#));
            spec.validate().expect_err("contradiction").to_string()
        };
        assert_eq!(error(r#""days": []"#), "days must be at least one day of the week, was `none`");
        assert_eq!(
            error(r#""early_closes": {"2018-11-24": "13:00"}"#),
            "early_closes must be dates with a session, was `2018-11-24`"
        );
        assert_eq!(
            error(r#""early_closes": {"2018-11-23": "16:00"}"#),
            "early_closes must be times between open and close, was `2018-11-23 = 16:00:00`"
        );
    }
}
