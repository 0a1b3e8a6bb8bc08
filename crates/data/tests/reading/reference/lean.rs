//! Lean's zip archives: what its publishers state of them, and what they state of each other.

use tidegate_data::{
    Adjustment, ColumnMapping, FileLayout, QuoteSide, ReadOptions, SessionSpec, in_sessions, sessions,
};
use tidegate_market::{BarLabel, Bars};

use super::{every, reference, scaled};
use crate::daily;

const MINUTES: &str = "intraday/lean/equity/usa/minute/spy";

fn in_new_york(options: ReadOptions) -> ReadOptions {
    ReadOptions { time_zone: Some("America/New_York".parse().expect("known")), ..options }
}

fn lean(options: ReadOptions, layout: FileLayout, quote_side: Option<QuoteSide>) -> ReadOptions {
    ReadOptions { columns: ColumnMapping { layout: Some(layout), quote_side, ..scaled() }, ..options }
}

fn new_york() -> SessionSpec {
    let text = r#"{"time_zone": "America/New_York", "open": "09:30", "close": "16:00"}"#;
    serde_json::from_str(text).expect("valid")
}

/// Open, high, low, close and volume of a range of bars together.
fn together(bars: &Bars, rows: std::ops::Range<usize>) -> [f64; 5] {
    let highest = bars.high()[rows.clone()].iter().copied().fold(0.0, f64::max);
    let lowest = bars.low()[rows.clone()].iter().copied().fold(f64::MAX, f64::min);
    [bars.open()[rows.start], highest, lowest, bars.close()[rows.end - 1], bars.volume()[rows].iter().sum()]
}

#[test]
fn hours_in_new_york_add_up_to_the_days_through_all_clock_changes() {
    let (Some(hours), Some(days)) =
        (reference("intraday/lean/equity/usa/hour/spy.zip"), reference("us_daily/lean/equity/usa/daily/spy.zip"))
    else {
        return;
    };
    let options = in_new_york(ReadOptions { columns: scaled(), ..every("1h", BarLabel::Open) });
    let hours = tidegate_data::read(&hours, &options).expect("readable").remove(0).bars;
    let days =
        tidegate_data::read(&days, &in_new_york(ReadOptions { columns: scaled(), ..daily() })).expect("readable");
    let days = &days[0].bars;
    assert_eq!((hours.len(), days.len()), (40_832, 5_849));
    let mut start = 0;
    for day in 0..days.len() {
        let date = days.time()[day].date();
        let length = hours.time()[start..].iter().take_while(|time| time.date() == date).count();
        let bar = days.bar(day);
        let daily = [bar.open, bar.high, bar.low, bar.close, bar.volume];
        assert_eq!(together(&hours, start..start + length), daily, "{date}");
        start += length;
    }
    assert_eq!(start, hours.len());
    // The market opens in the hour of 14:00 UTC in winter and of 13:00 in summer.
    let first_of =
        |date: &str| hours.time().iter().find(|time| time.date().to_string() == date).expect("there").to_string();
    assert_eq!(first_of("2021-03-12"), "2021-03-12T14:00:00Z");
    assert_eq!(first_of("2021-03-15"), "2021-03-15T13:00:00Z");
}

#[test]
fn the_regular_minutes_of_a_day_add_up_to_it() {
    let Some(folder) = reference(MINUTES) else {
        return;
    };
    let options = in_new_york(lean(every("1m", BarLabel::Open), FileLayout::LeanTrade, None));
    let symbols = tidegate_data::read(&folder, &options).expect("readable");
    assert_eq!((symbols.len(), symbols[0].symbol.as_str(), symbols[0].bars.len()), (1, "spy", 5_786));
    let bars = &symbols[0].bars;
    let regular = sessions(&new_york(), bars.time()[0], bars.time()[bars.len() - 1]).expect("valid");
    let regular = in_sessions(bars, &regular);
    let of_day = |time: &&tidegate_market::Timestamp| time.date().to_string() == "2013-10-07";
    let start = regular.time().iter().position(|time| of_day(&time)).expect("there");
    let minutes = regular.time().iter().filter(of_day).count();
    assert_eq!(minutes, 390);
    // The day in the daily file.
    let day = [167.43, 168.45, 167.25, 167.42, 81_489_219.0];
    assert_eq!(together(&regular, start..start + minutes), day);
}

#[test]
fn quotes_and_factors_give_the_end_equity_that_lean_publishes() {
    let (Some(folder), Some(factors)) = (reference(MINUTES), reference("us_daily/lean/equity/usa/factor_files")) else {
        return;
    };
    let total_return = |options: ReadOptions| ReadOptions {
        adjustment: Adjustment::TotalReturn,
        factor_files: Some(factors.clone()),
        ..in_new_york(options)
    };
    let asks = total_return(lean(every("1m", BarLabel::Open), FileLayout::LeanQuote, Some(QuoteSide::Ask)));
    let trades = total_return(lean(every("1m", BarLabel::Open), FileLayout::LeanTrade, None));
    let close = |options: &ReadOptions, time: &str| {
        let bars = tidegate_data::read(&folder, options).expect("readable").remove(0).bars;
        let time = time.parse().expect("valid");
        bars.close()[bars.time().iter().position(|found| *found == time).expect("there")]
    };
    // Its basic template buys 688 shares at the close of the first regular minute, and holds them to the last of the week.
    let bought = close(&asks, "2013-10-07T13:30:00Z");
    let held = close(&trades, "2013-10-11T19:59:00Z");
    let equity = 100_000.0 - 3.44 + 688.0 * (held - bought);
    assert!((equity - 101_691.92).abs() < 0.005, "{equity}");
}

#[test]
fn currencies_and_coins_need_no_scale() {
    let (Some(euro), Some(coin)) = (
        reference("fx/lean/forex/oanda/daily/eurusd.zip"),
        reference("crypto/lean/crypto/coinbase/daily/btcusd_trade.zip"),
    ) else {
        return;
    };
    let side = |quote_side| ColumnMapping {
        layout: Some(FileLayout::LeanQuote),
        quote_side: Some(quote_side),
        ..ColumnMapping::default()
    };
    let first = |quote_side| {
        let bars = tidegate_data::read(&euro, &ReadOptions { columns: side(quote_side), ..daily() }).expect("readable");
        assert_eq!((bars[0].symbol.as_str(), bars[0].bars.len()), ("eurusd", 3_738));
        bars[0].bars.close()[0]
    };
    assert_eq!([first(QuoteSide::Bid), first(QuoteSide::Ask)], [1.320_95, 1.321_95]);
    assert!((first(QuoteSide::Mid) - 1.321_45).abs() < 1e-12);
    let columns = ColumnMapping { layout: Some(FileLayout::LeanTrade), ..ColumnMapping::default() };
    let (symbols, report) =
        tidegate_data::read_with_report(&coin, &ReadOptions { columns, ..daily() }).expect("readable");
    assert_eq!((symbols[0].symbol.as_str(), symbols[0].bars.len()), ("btcusd", 1_318));
    // Thirty-four days are missing in eight holes.
    assert_eq!(report.gaps.count, 8);
}

#[test]
fn seconds_of_a_week_are_one_series() {
    let Some(folder) = reference("intraday/lean/equity/usa/second/ibm") else {
        return;
    };
    let options = in_new_york(lean(every("1m", BarLabel::Open), FileLayout::LeanTrade, None));
    let (symbols, report) = tidegate_data::read_with_report(&folder, &options).expect("readable");
    assert_eq!((symbols[0].symbol.as_str(), symbols[0].bars.len(), report.files), ("ibm", 26_505, 5));
    // 14,430,000 ms are 04:00:30. The report shows that the stated interval is not that of the rows.
    assert_eq!(symbols[0].bars.time()[0].to_string(), "2013-10-07T08:00:30Z");
    assert!(report.step_nanos.expect("has steps") < 60_000_000_000);
}
