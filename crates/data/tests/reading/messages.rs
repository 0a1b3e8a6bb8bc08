//! The exact words for each kind of bad input.

use std::fs;

use tidegate_data::{Adjustment, ColumnMapping, ReadOptions, SimulationSpec, Table, bars_table};
use tidegate_market::TradingCalendar;

use super::{Folder, daily};

const HEADER: &str = "symbol,time,open,high,low,close,volume\n";

/// Reads `prices.csv` of the given text and compares the message.
fn check_with(options: &ReadOptions, text: &str, expected: &str) {
    let folder = Folder::with(&[("prices.csv", text.as_bytes())]);
    let error = tidegate_data::read(&folder.path("prices.csv"), options).expect_err(expected);
    assert_eq!(folder.message(&error), expected);
}

/// As [`check_with`], with rows under the canonical header.
fn check(rows: &str, expected: &str) {
    check_with(&daily(), &format!("{HEADER}{rows}"), expected);
}

#[test]
fn a_missing_file_offers_its_neighbour() {
    let folder = Folder::with(&[("prices.csv", b"")]);
    let error = tidegate_data::read(&folder.path("price.csv"), &daily()).expect_err("missing");
    assert_eq!(folder.message(&error), "no file or folder at `price.csv`; hint: did you mean `prices.csv`?");
}

#[test]
fn a_missing_column_lists_those_there() {
    check_with(
        &daily(),
        "time,open,low,close,volume\n2018-12-31,1,1,1,1\n",
        "`prices.csv` must have a column `high`, has `time, open, low, close, volume`",
    );
}

#[test]
fn a_misspelled_column_is_pointed_at() {
    check_with(
        &daily(),
        "time,open,hihg,low,close,volume\n2018-12-31,1,1,1,1,1\n",
        "`prices.csv` must have a column `high`, has `time, open, hihg, low, close, volume`; hint: if it is `hihg`, map `high` to that",
    );
}

#[test]
fn a_web_page_or_message_saved_as_csv_is_no_data() {
    check_with(&daily(), "rate limit reached\n", "`prices.csv` must have at least one row, has none");
    check_with(
        &daily(),
        "{\"error\": \"unknown symbol\"}\n{}\n",
        "`prices.csv` must have a column `time`, has `{error: unknown symbol}`",
    );
}

#[test]
fn a_word_among_numbers_is_named_with_its_line() {
    check(
        "SPX,2018-12-28,10,12,9,11,5\nSPX,2018-12-31,10,12,9,eleven,5\n",
        "`prices.csv` line 3: column `close` must hold numbers, was `eleven`",
    );
}

#[test]
fn a_text_that_is_no_time_is_named_with_its_line() {
    check(
        "SPX,2018-12-28,10,12,9,11,5\nSPX,2018-13-31,10,12,9,11,5\n",
        "`prices.csv` line 3: column `time` must hold dates or times, was `2018-13-31`",
    );
    check("SPX,11:26,10,12,9,11,5\n", "`prices.csv` line 2: column `time` must hold dates or times, was `11:26`");
}

#[test]
fn dates_without_a_day_above_twelve_need_a_format() {
    let rows = "SPX,1/4/1999,10,12,9,11,5\nSPX,1/5/1999,10,12,9,11,5\n";
    check(
        rows,
        "`prices.csv`: dates such as `1/4/1999` must show which number is the month, and none here is above 12; hint: set the column \
         mapping's `time_format`, such as `%m/%d/%Y`",
    );
    let columns = ColumnMapping { time_format: Some("%m/%d/%Y".to_owned()), ..ColumnMapping::default() };
    let folder = Folder::with(&[("prices.csv", format!("{HEADER}{rows}").as_bytes())]);
    let symbols = tidegate_data::read(&folder.path("prices.csv"), &ReadOptions { columns, ..daily() });
    assert_eq!(symbols.expect("readable")[0].bars.time()[1].to_string(), "1999-01-05");
}

#[test]
fn rows_out_of_order_are_named() {
    check(
        "SPX,2018-12-31,10,12,9,11,5\nSPX,2018-12-28,10,12,9,11,5\nSPX,2018-12-27,10,12,9,11,5\n",
        "`prices.csv` line 3, symbol `SPX`, time `2018-12-28`: rows must be in time order, was `2018-12-28 after 2018-12-31`; 2 such rows; \
         hint: repair the file, or set the policy for `unsorted` to `keep` (sorts them into place) or `drop`",
    );
}

#[test]
fn a_time_twice_is_named_with_its_first_line() {
    check(
        "SPX,2018-12-28,10,12,9,11,5\nSPX,2018-12-31,10,12,9,11,5\nSPX,2018-12-31,10,12,9,11,6\n",
        "`prices.csv` line 4, symbol `SPX`, time `2018-12-31`: a symbol must have one row per time, was `2018-12-31 again, first in line 3`; \
         1 such row; hint: repair the file, or set the policy for `duplicate` to `drop` (keeps the first)",
    );
}

#[test]
fn a_missing_value_is_named() {
    for mark in ["NaN", "", "null", "-", "inf"] {
        let shown = if mark == "inf" { "inf" } else { "NaN" };
        check(
            &format!("SPX,2018-12-28,10,12,9,11,5\nSPX,2018-12-31,10,12,9,{mark},5\n"),
            &format!(
                "`prices.csv` line 3, symbol `SPX`, time `2018-12-31`: every time, price and volume must be there and finite, \
                 was `close = {shown}`; 1 such row; hint: repair the file, or set the policy for `missing` to `drop`"
            ),
        );
    }
}

#[test]
fn a_missing_time_and_a_short_row_are_named() {
    check(
        "SPX,,10,12,9,11,5\n",
        "`prices.csv` line 2, symbol `SPX`, time `missing`: every time, price and volume must be there and finite, \
         was `time = missing`; 1 such row; hint: repair the file, or set the policy for `missing` to `drop`",
    );
    check(
        "SPX,2018-12-31,10,12,9\n",
        "`prices.csv` line 2, symbol `SPX`, time `2018-12-31`: every time, price and volume must be there and finite, \
         was `close = NaN`; 1 such row; hint: repair the file, or set the policy for `missing` to `drop`",
    );
}

#[test]
fn a_row_without_a_symbol_is_named() {
    check(
        "SPX,2018-12-28,10,12,9,11,5\n,2018-12-31,10,12,9,11,5\n",
        "`prices.csv` line 3: column `symbol` must hold symbols, was `missing`",
    );
}

#[test]
fn a_price_at_or_below_zero_is_named() {
    for price in ["-10", "0"] {
        check(
            &format!("SPX,2018-12-31,10,12,{price},11,5\n"),
            &format!(
                "`prices.csv` line 2, symbol `SPX`, time `2018-12-31`: prices must be above 0, was `low = {price}`; 1 such row; \
                 hint: repair the file, or set the policy for `non_positive_price` to `drop`"
            ),
        );
    }
}

#[test]
fn a_negative_volume_is_named() {
    check(
        "SPX,2018-12-31,10,12,9,11,-5\n",
        "`prices.csv` line 2, symbol `SPX`, time `2018-12-31`: volume must be at least 0, was `volume = -5`; 1 such row; \
         hint: repair the file, or set the policy for `negative_volume` to `drop`",
    );
}

#[test]
fn a_high_below_the_low_is_named() {
    check(
        "SPX,2018-12-28,10,12,9,11,5\nIXIC,2018-12-31,10,9,12,11,5\n",
        "`prices.csv` line 3, symbol `IXIC`, time `2018-12-31`: low must not be above, nor high below, open and close, \
         was `open = 10, high = 9, low = 12, close = 11`; 1 such row; \
         hint: repair the file, or set the policy for `high_below_low` to `drop`",
    );
}

#[test]
fn a_row_with_too_many_fields_is_named() {
    check(
        "SPX,2018-12-28,10,12,9,11,5\nSPX,2018-12-31,10,12,9,11,8,966,531\n",
        "`prices.csv` line 3: a row must have 7 fields like the first line, has 9",
    );
}

#[test]
fn an_empty_file_is_named() {
    check_with(&daily(), "", "`prices.csv` must have at least one row, has none");
    check_with(&daily(), "\n\n", "`prices.csv` must have at least one row, has none");
    check("", "`prices.csv` must have at least one row, has none");
}

#[test]
fn an_adjustment_needs_its_column() {
    check_with(
        &ReadOptions { adjustment: Adjustment::TotalReturn, ..daily() },
        &format!("{HEADER}SPX,2018-12-31,10,12,9,11,5\n"),
        "`prices.csv` must have a column `adjusted_close`, has `symbol, time, open, high, low, close, volume`",
    );
}

#[test]
fn text_that_is_not_utf8_is_named() {
    let folder = Folder::with(&[("prices.csv", b"time,open\xff\n")]);
    let error = tidegate_data::read(&folder.path("prices.csv"), &daily()).expect_err("not text");
    assert_eq!(
        folder.message(&error),
        "`prices.csv` is not a whole UTF-8 text file: invalid utf-8 sequence of 1 bytes from index 9; \
         hint: it may have been cut off, copy or download it again"
    );
}

#[test]
fn an_unknown_symbol_lists_those_there() {
    let folder = Folder::with(&[("prices.csv", format!("{HEADER}SPX,2018-12-31,10,12,9,11,5\n").as_bytes())]);
    let symbols = super::read(&folder.path("prices.csv"));
    let error = tidegate_data::select(symbols, &["SPY".to_owned()]).expect_err("unknown");
    assert_eq!(error.to_string(), "symbol must be one of `SPX`, was `SPY`; hint: did you mean `SPX`?");
}

fn parquet() -> (Folder, Vec<u8>) {
    let spec = SimulationSpec {
        symbols: vec!["A".to_owned()],
        bars: 2_000,
        interval: "1d".parse().expect("valid"),
        calendar: TradingCalendar::RoundTheClock,
        start: "2000-01-01".parse().expect("valid"),
        seed: 1,
        start_price: 100.0,
        annual_drift: 0.0,
        annual_volatility: 0.2,
        correlation: 0.0,
        open_gap_share: 0.0,
        garch: tidegate_data::Garch { alpha: 0.0, beta: 0.0 },
        jump: tidegate_data::Jumps { per_year: 0.0, mean: 0.0, sd: 0.0 },
    };
    let folder = Folder::with(&[]);
    let path = folder.path("a.parquet");
    bars_table(&tidegate_data::simulate(&spec).expect("valid")).write(&path).expect("written");
    let bytes = fs::read(path).expect("there");
    (folder, bytes)
}

/// The message for a damaged `a.parquet`, as bars and as a table.
fn damaged(folder: &Folder, bytes: &[u8]) -> String {
    let path = folder.path("a.parquet");
    fs::write(&path, bytes).expect("written");
    let as_bars = folder.message(&tidegate_data::read(&path, &daily()).expect_err("damaged"));
    let as_table = folder.message(&Table::read(&path).expect_err("damaged"));
    assert_eq!(as_bars, as_table);
    as_bars
}

#[test]
fn a_parquet_file_cut_off_anywhere_is_an_error() {
    let (folder, bytes) = parquet();
    for length in [1, 4, 11, 12, 100, bytes.len() / 2, bytes.len() - 1] {
        let reason = if length < 12 { "it does not start with `PAR1`" } else { "it does not end with `PAR1`" };
        let hint = "hint: it may have been cut off, copy or download it again";
        let expected = format!("`a.parquet` is not a whole Parquet file: {reason}; {hint}");
        assert_eq!(damaged(&folder, &bytes[..length]), expected, "{length} bytes");
    }
    assert_eq!(damaged(&folder, b""), "`a.parquet` must have at least one row, has none");
}

#[test]
fn a_parquet_file_with_a_hole_is_an_error_and_not_a_panic() {
    let (folder, bytes) = parquet();
    for (from, to) in [(4, bytes.len() / 2), (bytes.len() / 3, bytes.len() - 8), (bytes.len() - 60, bytes.len() - 8)] {
        let mut holed = bytes.clone();
        holed[from..to].fill(0xff);
        let message = damaged(&folder, &holed);
        assert!(message.starts_with("`a.parquet` is not a whole Parquet file: "), "{message}");
    }
    let mut footer = bytes.clone();
    let length = footer.len();
    footer[length - 8..length - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let expected = format!("its footer of {} bytes does not fit into its {length} bytes", u32::MAX);
    assert!(damaged(&folder, &footer).contains(&expected));
}

#[test]
fn a_gzip_file_cut_off_is_an_error() {
    // gzip of the header and one row, as `gzip -n` writes it, without its last 10 bytes.
    let folder = Folder::with(&[("prices.csv.gz", &super::layouts::GZIP[..super::layouts::GZIP.len() - 10])]);
    let error = tidegate_data::read(&folder.path("prices.csv.gz"), &daily()).expect_err("cut off");
    let message = folder.message(&error);
    assert!(message.starts_with("`prices.csv.gz` is not a whole compressed file: "), "{message}");
}
