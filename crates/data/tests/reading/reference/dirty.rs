//! Each file with its own defect gets the report or the error that it deserves.

use tidegate_data::{ColumnMapping, DataReport, MissingVolume, OffenceKind, OffencePolicy, Policy, ReadOptions};
use tidegate_market::BarLabel;

use super::{every, reference};
use crate::daily;

fn inspect(name: &str, options: &ReadOptions) -> Option<DataReport> {
    let path = reference(&format!("dirty/{name}"))?;
    Some(tidegate_data::inspect(&path, options).expect("a table"))
}

/// The rows read and kept, and the offences: kind, how many, and the line of the first.
fn check(name: &str, options: &ReadOptions, rows: [usize; 2], offences: &[(OffenceKind, usize, usize)]) {
    let Some(report) = inspect(name, options) else {
        return;
    };
    assert_eq!([report.rows_read, report.rows_kept], rows, "{name}");
    let found: Vec<_> = report.offences.iter().map(|group| (group.kind, group.count, group.first[0].line)).collect();
    assert_eq!(found, offences, "{name}");
}

/// The error of reading, from its file's name on.
fn check_error(name: &str, options: &ReadOptions, expected: &str) {
    let Some(path) = reference(&format!("dirty/{name}")) else {
        return;
    };
    let error = tidegate_data::read(&path, options).expect_err("broken").to_string();
    assert!(error.contains(&format!("{name}` {expected}")), "{error}");
}

#[test]
fn a_message_saved_as_prices_is_no_table() {
    check_error("DA-BF.B.csv", &daily(), "must have a column `time`, has `{`");
}

#[test]
fn a_file_without_a_header_is_read() {
    check("audchf_d1_noheader.csv", &daily(), [5_017, 5_017], &[]);
}

#[test]
fn files_with_the_newest_row_first_are_unsorted_and_can_be_kept() {
    let policy = OffencePolicy { unsorted: Policy::Keep, ..OffencePolicy::default() };
    let files = [
        ("barchart_jpyusd.csv", 519, "2018-03-12", 0.009_383, 1),
        ("coin_XRP_newest_first.csv", 2_893, "2013-08-05T23:59:00Z", 0.004_680_42, 1),
        ("nasdaq_aapl_dollar.csv", 2_517, "2010-06-03", 36.5664, 1),
    ];
    for (name, rows, first, second_close, place) in files {
        check(name, &daily(), [rows, rows], &[(OffenceKind::Unsorted, rows - 1, 3)]);
        let Some(path) = reference(&format!("dirty/{name}")) else {
            continue;
        };
        let symbols = tidegate_data::read(&path, &ReadOptions { policy, ..daily() }).expect("sorted into place");
        assert_eq!(symbols[0].bars.time()[0].to_string(), first, "{name}");
        assert_eq!(symbols[0].bars.close()[place], second_close, "{name}");
    }
}

#[test]
fn columns_in_another_order_are_found_by_their_names() {
    check("cn_column_order.csv", &daily(), [2_813, 2_813], &[]);
    let Some(report) = inspect("cn_column_order.csv", &daily()) else {
        return;
    };
    // Suspensions: 52 holes of more than four days, the longest 71.
    assert_eq!((report.gaps.count, report.gaps.longest[0].nanos() / 86_400_000_000_000), (52, 71));
}

#[test]
fn dates_written_as_floats_are_read_and_a_sentinel_among_adjusted_closes_is_named() {
    check("float_dates_sentinel.csv", &daily(), [3_659, 3_659], &[]);
    let adjusted = ReadOptions { adjustment: tidegate_data::Adjustment::TotalReturn, ..daily() };
    let offences = [(OffenceKind::NonPositivePrice, 18, 3_643)];
    check("float_dates_sentinel.csv", &adjusted, [3_659, 3_641], &offences);
}

#[test]
fn a_table_of_fixings_is_no_table_of_bars() {
    check_error("gold_weekly_gaps.csv", &daily(), "must have a column `open`, has `Date, USD, GBP, EUR`");
}

#[test]
fn days_without_a_trade_and_stamps_with_changing_offsets() {
    check("google_gnrx.csv", &daily(), [430, 364], &[(OffenceKind::NonPositivePrice, 66, 211)]);
    let Some(report) = inspect("google_gnrx.csv", &daily()) else {
        return;
    };
    // 16:00 in New York, five hours behind.
    assert_eq!(report.first_time.expect("has bars").to_string(), "2016-01-13T21:00:00Z");
}

#[test]
fn a_dash_for_a_price_is_missing() {
    let policy = OffencePolicy { unsorted: Policy::Keep, ..OffencePolicy::default() };
    let offences = [(OffenceKind::Missing, 1, 3), (OffenceKind::Unsorted, 250, 4)];
    check("google_malformed_dash.csv", &ReadOptions { policy, ..daily() }, [252, 251], &offences);
    let rule = "line 3, symbol `google_malformed_dash`, time `2010-12-30`: every time, price and volume must be there and finite, was \
                `open = NaN`";
    check_error("google_malformed_dash.csv", &daily(), rule);
}

#[test]
fn an_option_s_flat_bars_without_volume_are_bars() {
    let options = every("3m", BarLabel::Open);
    check("india_option_flat.csv", &options, [595, 595], &[]);
    let Some(path) = reference("dirty/india_option_flat.csv") else {
        return;
    };
    let bars = &tidegate_data::read(&path, &options).expect("readable")[0].bars;
    let flat = |row: &usize| bars.high()[*row] == bars.low()[*row];
    assert_eq!((0..bars.len()).filter(flat).count(), 128);
    assert_eq!(bars.volume().iter().filter(|volume| **volume == 0.0).count(), 358);
    // 09:15 at +05:30.
    assert_eq!(bars.time()[0].to_string(), "2022-07-25T03:45:00Z");
}

#[test]
fn volumes_in_thousands_and_a_summary_row_are_named() {
    let columns = |volume: Option<&str>| ColumnMapping {
        close: Some("Price".to_owned()),
        volume: volume.map(str::to_owned),
        missing_volume: MissingVolume::Zero,
        ..ColumnMapping::default()
    };
    let hint = "must have a column `close`, has `Date, Price, Open, High, Low, Vol., Change %`";
    check_error("investing_oil.csv", &daily(), hint);
    let options = ReadOptions { columns: columns(None), ..daily() };
    check_error("investing_oil.csv", &options, "line 4: column `Vol.` must hold numbers, was `497.30K`");
    // Without the volumes, which `Change %` stands in for here, the summary is the next that is no price.
    let options = ReadOptions { columns: columns(Some("Change %")), ..daily() };
    check_error("investing_oil.csv", &options, "line 27: column `Open` must hold numbers, was `Lowest:49.10`");
}

#[test]
fn a_low_of_nothing_is_named_and_its_day_can_be_left_out() {
    check("link_d1_zero_low.csv", &daily(), [1_700, 1_699], &[(OffenceKind::NonPositivePrice, 1, 423)]);
}

#[test]
fn a_live_quote_among_the_days_is_named() {
    let rule = "line 2: column `date` must hold dates or times, was `11:26`";
    check_error("nasdaq_aapl_intraday_row.csv", &daily(), rule);
}

#[test]
fn steps_back_and_repetitions_in_a_packed_file_are_counted() {
    let options = every("15m", BarLabel::Open);
    let offences = [(OffenceKind::Unsorted, 52, 57_807), (OffenceKind::Duplicate, 57, 43_142)];
    check("uni_m15_dups.csv.gz", &options, [87_596, 87_539], &offences);
    let Some(report) = inspect("uni_m15_dups.csv.gz", &options) else {
        return;
    };
    assert_eq!(report.gaps.count, 4_262);
}

#[test]
fn a_hole_of_months_is_a_gap() {
    check("xrp_d1_hole.csv", &daily(), [1_732, 1_732], &[]);
    let Some(report) = inspect("xrp_d1_hole.csv", &daily()) else {
        return;
    };
    let gap = &report.gaps.longest[0];
    let days = gap.nanos() / 86_400_000_000_000;
    assert_eq!((report.gaps.count, days, gap.from.to_string().as_str()), (1, 226, "2022-11-30"));
}
