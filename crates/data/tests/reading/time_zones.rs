//! Local times to UTC.

use tidegate_data::{DataError, ReadOptions, SymbolBars};
use tidegate_market::BarLabel;

use super::Folder;

const HEADER: &str = "symbol,time,open,high,low,close,volume\n";

fn options(interval: &str) -> ReadOptions {
    let options = ReadOptions::new(interval.parse().expect("valid"), BarLabel::Open);
    ReadOptions { time_zone: Some("America/New_York".parse().expect("known")), ..options }
}

fn read(folder: &Folder, interval: &str, rows: &[(&str, &str)]) -> Result<Vec<SymbolBars>, DataError> {
    let line = |(symbol, time): &(&str, &str)| format!("{symbol},{time},10,12,9,11,5\n");
    let text: String = std::iter::once(HEADER.to_owned()).chain(rows.iter().map(line)).collect();
    std::fs::write(folder.path("local.csv"), text).expect("written");
    tidegate_data::read(&folder.path("local.csv"), &options(interval))
}

fn check(interval: &str, times: &[&str], expected: &[&str]) {
    let rows: Vec<(&str, &str)> = times.iter().map(|time| ("SPX", *time)).collect();
    let symbols = read(&Folder::with(&[]), interval, &rows).expect("readable");
    let found: Vec<String> = symbols[0].bars.time().iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

#[test]
fn local_times_become_utc_on_both_sides_of_a_clock_change() {
    check("1m", &["2013-03-08 09:30", "2013-03-11 09:30"], &["2013-03-08T14:30:00Z", "2013-03-11T13:30:00Z"]);
    check("1m", &["20131007 093000"], &["2013-10-07T13:30:00Z"]);
}

#[test]
fn a_stated_offset_and_a_count_since_1970_are_kept() {
    check("1m", &["2013-03-08 09:30:00-08:00"], &["2013-03-08T17:30:00Z"]);
    check("1m", &["2013-03-08T09:30:00Z"], &["2013-03-08T09:30:00Z"]);
    check("1m", &["1546272000"], &["2018-12-31T16:00:00Z"]);
}

#[test]
fn daily_dates_stay_dates_and_daily_times_do_not() {
    check("1d", &["2013-03-08", "2013-03-11"], &["2013-03-08", "2013-03-11"]);
    check("1d", &["20130308 00:00"], &["2013-03-08"]);
    check("1d", &["2013-03-08 16:00"], &["2013-03-08T21:00:00Z"]);
    // A minute at midnight is a local time like any other.
    check("1m", &["2013-03-08"], &["2013-03-08T05:00:00Z"]);
}

#[test]
fn the_repeated_hour_is_told_apart_for_each_symbol_of_a_long_file() {
    // Two symbols, row by row; clocks went back at 02:00 on 2013-11-03.
    let stamps = ["2013-11-03 01:00", "2013-11-03 01:30", "2013-11-03 01:00", "2013-11-03 01:30", "2013-11-03 02:00"];
    let rows: Vec<(&str, &str)> = stamps.iter().flat_map(|time| [("SPX", *time), ("NDX", *time)]).collect();
    let symbols = read(&Folder::with(&[]), "30m", &rows).expect("readable");
    for symbol in symbols {
        let found: Vec<String> = symbol.bars.time().iter().map(ToString::to_string).collect();
        let expected = [
            "2013-11-03T05:00:00Z",
            "2013-11-03T05:30:00Z",
            "2013-11-03T06:00:00Z",
            "2013-11-03T06:30:00Z",
            "2013-11-03T07:00:00Z",
        ];
        assert_eq!(found, expected, "{}", symbol.symbol);
    }
}

#[test]
fn a_time_that_clocks_skipped_is_named_with_its_line() {
    let folder = Folder::with(&[]);
    let rows = [("SPX", "2013-03-10 01:59"), ("SPX", "2013-03-10 02:00")];
    let error = read(&folder, "1m", &rows).expect_err("skipped");
    assert_eq!(
        folder.message(&error),
        "`local.csv` line 3, symbol `SPX`: a local time must exist in `America/New_York`, whose clocks skipped `2013-03-10 02:00:00`; \
         hint: the times may be of another zone, or UTC"
    );
}

#[test]
fn a_stooq_date_and_its_time_of_day_are_one_local_time() {
    let text = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n\
                SPY.US,5,20130311,093000,10,12,9,11,5,0\n";
    let folder = Folder::with(&[("spy.txt", text.as_bytes())]);
    let symbols = tidegate_data::read(&folder.path("spy.txt"), &options("5m")).expect("readable");
    assert_eq!(symbols[0].bars.time()[0].to_string(), "2013-03-11T13:30:00Z");
}
