//! Zip archives and Lean's files.

use tidegate_data::{Adjustment, ColumnMapping, DataError, FileLayout, Layout, QuoteSide, ReadOptions, SymbolBars};
use tidegate_market::BarLabel;

use super::{Folder, daily, zipped};

fn columns(layout: FileLayout, quote_side: Option<QuoteSide>) -> ColumnMapping {
    ColumnMapping { layout: Some(layout), quote_side, price_scale: Some(0.0001), ..ColumnMapping::default() }
}

fn minutes(layout: FileLayout, quote_side: Option<QuoteSide>) -> ReadOptions {
    let options = ReadOptions::new("1m".parse().expect("valid"), BarLabel::Open);
    ReadOptions { columns: columns(layout, quote_side), ..options }
}

const DAYS: &str =
    "20131007 00:00,1674300,1684500,1672500,1674200,81489219\n20131008 00:00,1674500,1676200,1653700,1654800,9\n";
/// The minutes of 09:30 and 09:31, then of 09:30 on the next day.
const TRADES: [&str; 2] = [
    "34200000,1674100,1675200,1674100,1674400,500\n34260000,1674400,1675000,1674300,1674900,600\n",
    "34200000,1674500,1674500,1674500,1674500,7\n",
];
const QUOTES: &str = "34200000,1674100,1675200,1674100,1674400,4400,1674300,1675400,1674300,1674600,1400\n";

/// A folder of minutes: two days of trades and one of quotes of `spy`.
fn minute_folder() -> Folder {
    let folder = Folder::with(&[]);
    let name = |day: &str, kind: &str| format!("{day}_spy_minute_{kind}.csv");
    for (day, text) in ["20131007", "20131008"].into_iter().zip(TRADES) {
        folder.add(&format!("minute/spy/{day}_trade.zip"), &zipped(&[(&name(day, "trade"), text)]));
    }
    folder.add("minute/spy/20131007_quote.zip", &zipped(&[("20131007_spy_minute_quote.csv", QUOTES)]));
    folder
}

fn read(folder: &Folder, name: &str, options: &ReadOptions) -> Result<Vec<SymbolBars>, DataError> {
    tidegate_data::read(&folder.path(name), options)
}

#[test]
fn the_one_file_of_a_zip_archive_is_read_like_any_other() {
    let text = "Date,Open,High,Low,Close,Volume\n2018-12-31,10,12,9,11,5\n";
    let folder = Folder::with(&[("spx.zip", &zipped(&[("anything.csv", text)]))]);
    let symbols = read(&folder, "spx.zip", &daily()).expect("readable");
    assert_eq!((symbols[0].symbol.as_str(), symbols[0].bars.close()), ("spx", &[11.0][..]));
}

#[test]
fn an_archive_of_no_or_two_files_and_one_cut_off_are_errors() {
    let two = zipped(&[("a.csv", "x"), ("b.csv", "y")]);
    let folder = Folder::with(&[("two.zip", &two), ("none.zip", &zipped(&[])), ("cut.zip", &two[..two.len() - 30])]);
    let error = |name: &str| folder.message(&read(&folder, name, &daily()).expect_err("not one whole file"));
    assert_eq!(error("two.zip"), "`two.zip` must hold one file, holds a.csv, b.csv");
    assert_eq!(error("none.zip"), "`none.zip` must hold one file, holds none");
    assert!(error("cut.zip").starts_with("`cut.zip` is not a whole zip file: "), "{}", error("cut.zip"));
}

#[test]
fn a_changed_byte_in_an_archive_is_an_error() {
    let whole = zipped(&[("a.csv", DAYS)]);
    let read_changed = |place: usize| {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xff;
        let folder = Folder::with(&[("a.zip", &bytes)]);
        read(&folder, "a.zip", &daily()).map_err(|error| folder.message(&error))
    };
    // Packed text follows a header of 30 bytes and a name of 5.
    let error = read_changed(30 + 5 + 8).expect_err("damaged");
    assert!(error.starts_with("`a.zip` is not a whole zip file: "), "{error}");
    // Elsewhere a byte may be a date that nobody reads; then the bars are what they were.
    let folder = Folder::with(&[("a.zip", &whole)]);
    let bars = read(&folder, "a.zip", &daily()).expect("whole");
    for place in 0..whole.len() {
        assert!(read_changed(place).is_ok_and(|found| found == bars) || read_changed(place).is_err(), "{place}");
    }
}

#[test]
fn daily_prices_in_ten_thousandths_are_scaled_exactly() {
    let folder = Folder::with(&[("spy.zip", &zipped(&[("spy.csv", DAYS)]))]);
    let check = |columns: ColumnMapping, layout: Layout| {
        let options = ReadOptions { columns, ..daily() };
        let (symbols, report) = tidegate_data::read_with_report(&folder.path("spy.zip"), &options).expect("readable");
        assert_eq!(report.layouts, [layout]);
        assert_eq!(symbols[0].symbol, "spy");
        assert_eq!(symbols[0].bars.close(), [167.42, 165.48]);
        assert_eq!(symbols[0].bars.volume(), [81_489_219.0, 9.0]);
        assert_eq!(symbols[0].bars.time()[0].to_string(), "2013-10-07");
    };
    check(columns(FileLayout::LeanTrade, None), Layout::LeanTrade);
    // Nothing but the scale has to be stated for these.
    check(ColumnMapping { price_scale: Some(0.0001), ..ColumnMapping::default() }, Layout::Headerless);
}

#[test]
fn days_of_minutes_are_one_series_of_the_folder_s_symbol() {
    let folder = minute_folder();
    let new_york = Some("America/New_York".parse().expect("known"));
    let options = ReadOptions { time_zone: new_york, ..minutes(FileLayout::LeanTrade, None) };
    for path in ["minute/spy", "minute/*/*_trade.zip", "minute/*/*"] {
        let symbols = read(&folder, path, &options).expect("readable");
        assert_eq!(symbols.len(), 1, "{path}");
        assert_eq!(symbols[0].symbol, "spy");
        let times: Vec<String> = symbols[0].bars.time().iter().map(ToString::to_string).collect();
        assert_eq!(times, ["2013-10-07T13:30:00Z", "2013-10-07T13:31:00Z", "2013-10-08T13:30:00Z"]);
        assert_eq!(symbols[0].bars.close(), [167.44, 167.49, 167.45]);
    }
}

#[test]
fn a_side_of_the_quotes_or_their_mid_becomes_bars() {
    let folder = minute_folder();
    let check = |side, open: f64, close: f64, volume: f64| {
        let symbols = read(&folder, "minute/spy", &minutes(FileLayout::LeanQuote, Some(side))).expect("readable");
        let bar = symbols[0].bars.bar(0);
        assert_eq!((symbols[0].bars.len(), bar.open, bar.close, bar.volume), (1, open, close, volume));
    };
    check(QuoteSide::Bid, 167.41, 167.44, 4_400.0);
    check(QuoteSide::Ask, 167.43, 167.46, 1_400.0);
    check(QuoteSide::Mid, 167.42, 167.45, 1_400.0);
}

#[test]
fn an_option_that_does_not_fit_is_refused_before_reading() {
    let error = |options: ReadOptions| {
        tidegate_data::read("no such file".as_ref(), &options).expect_err("contradiction").to_string()
    };
    assert_eq!(
        error(minutes(FileLayout::LeanQuote, None)),
        "quote_side must be `bid`, `ask` or `mid` for the layout `lean_quote`, was `missing`"
    );
    assert_eq!(
        error(minutes(FileLayout::LeanTrade, Some(QuoteSide::Ask))),
        "quote_side must be absent without the layout `lean_quote`, was `ask`"
    );
    let scaled = |price_scale| ColumnMapping { price_scale: Some(price_scale), ..ColumnMapping::default() };
    assert_eq!(
        error(ReadOptions { columns: scaled(0.0), ..daily() }),
        "price_scale must be finite and above 0, was `0`"
    );
    let header = ColumnMapping { header: Some(vec!["a".to_owned()]), ..columns(FileLayout::LeanTrade, None) };
    assert_eq!(
        error(ReadOptions { columns: header, ..daily() }),
        "header must be absent where `layout` names the columns, was `a`"
    );
}

#[test]
fn a_folder_without_a_file_of_the_layout_is_refused() {
    let folder = Folder::with(&[]);
    for day in ["20131007", "20131008"] {
        folder.add(&format!("spy/{day}_quote.csv"), QUOTES.as_bytes());
    }
    let error = read(&folder, "spy", &minutes(FileLayout::LeanTrade, None)).expect_err("quotes").to_string();
    assert_eq!(error, "layout must be one that a file there has by its name, was `lean_trade`");
}

#[test]
fn a_count_beyond_the_day_and_a_row_of_another_layout_are_named() {
    let folder = Folder::with(&[]);
    folder.add("spy/20131007_trade.csv", b"34200000,1,1,1,1,1\n86400000,1,1,1,1,1\n");
    folder.add("ibm/20131007_trade.csv", QUOTES.as_bytes());
    let options = minutes(FileLayout::LeanTrade, None);
    let error = read(&folder, "spy/20131007_trade.csv", &options).expect_err("tomorrow");
    let rule = "column `time` must hold milliseconds since midnight, was `86400000`";
    assert_eq!(folder.message(&error), format!("`spy/20131007_trade.csv` line 2: {rule}"));
    let error = read(&folder, "ibm/20131007_trade.csv", &options).expect_err("quotes");
    let rule = "a row must have 6 fields like the first line, has 11";
    assert_eq!(folder.message(&error), format!("`ibm/20131007_trade.csv` line 1: {rule}"));
}

#[test]
fn a_factor_file_adjusts_the_prices_of_its_symbol() {
    let folder = Folder::with(&[("SPY.zip", &zipped(&[("spy.csv", DAYS)]))]);
    folder.add("factors/spy.csv", b"20131007,0.5,0.25,167\n20501231,1,1,0\n");
    let check = |adjustment, factor_files: &str, closes: [f64; 2], volume: f64| {
        let factor_files = Some(folder.path(factor_files));
        let columns = columns(FileLayout::LeanTrade, None);
        let options = ReadOptions { adjustment, factor_files, columns, ..daily() };
        let symbols = read(&folder, "SPY.zip", &options).expect("readable");
        assert_eq!(symbols[0].bars.close(), closes);
        assert_eq!(symbols[0].bars.volume()[0], volume);
    };
    check(Adjustment::TotalReturn, "factors", [167.42 * 0.125, 165.48], 81_489_219.0 * 4.0);
    check(Adjustment::Split, "factors/spy.csv", [167.42 * 0.25, 165.48], 81_489_219.0 * 4.0);
    let options = ReadOptions { factor_files: Some(folder.path("factors")), ..daily() };
    let error = folder.message(&read(&folder, "SPY.zip", &options).expect_err("raw"));
    assert_eq!(error, "factor_files must be absent unless `adjustment` is `split` or `total_return`, was `factors`");
    let options = ReadOptions { adjustment: Adjustment::Split, ..options };
    folder.add("ibm.zip", &zipped(&[("ibm.csv", DAYS)]));
    let error = folder.message(&read(&folder, "*.zip", &options).expect_err("no factors of one"));
    assert!(error.starts_with("cannot read `factors/ibm.csv`: "), "{error}");
}
