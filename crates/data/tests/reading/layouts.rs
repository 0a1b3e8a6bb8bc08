//! Layouts of vendors, compressed files, folders and patterns.

use tidegate_data::{Adjustment, ColumnMapping, Layout, MissingVolume, ReadOptions};
use tidegate_market::Bar;

use super::{Folder, daily, read};

/// `gzip` of [`TEXT`], by Python's `gzip.compress(text, mtime=0)`.
pub(crate) const GZIP: [u8; 75] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x05, 0xc1, 0xdb, 0x09, 0x80, 0x30, 0x10, 0x45, 0xc1,
    0xff, 0xd4, 0x72, 0x02, 0xb9, 0x11, 0x41, 0xeb, 0x91, 0xc5, 0x04, 0x36, 0xae, 0xe0, 0xab, 0x7d, 0x67, 0xee, 0x3e,
    0x8c, 0x38, 0xed, 0xa0, 0xf5, 0xbd, 0xe1, 0xf1, 0xb1, 0x79, 0x5c, 0xc6, 0x1b, 0xfe, 0x0c, 0x4b, 0xb5, 0x68, 0xc9,
    0xaa, 0x79, 0x12, 0x2a, 0xa8, 0xb2, 0x22, 0x31, 0xa7, 0x1f, 0x7c, 0xaa, 0x34, 0xe4, 0x38, 0x00, 0x00, 0x00,
];
const TEXT: &str = "time,open,high,low,close,volume\n2018-12-31,10,12,9,11,5\n";

/// A file of one bar: its symbol, open time, prices and volume.
fn check_with(options: &ReadOptions, text: &str, layout: Layout, symbol: &str, time: &str, values: [f64; 5]) {
    let folder = Folder::with(&[("prices.csv", text.as_bytes())]);
    let (symbols, report) = tidegate_data::read_with_report(&folder.path("prices.csv"), options).expect("readable");
    assert_eq!(report.layouts, [layout]);
    assert_eq!(symbols.len(), 1);
    assert_eq!(symbols[0].symbol, symbol);
    let Bar { open_time, open, high, low, close, volume, .. } = symbols[0].bars.bar(0);
    assert_eq!(open_time.to_string(), time);
    assert_eq!([open, high, low, close, volume], values);
}

fn check(text: &str, layout: Layout, symbol: &str, time: &str, values: [f64; 5]) {
    check_with(&daily(), text, layout, symbol, time, values);
}

const VALUES: [f64; 5] = [10.0, 12.0, 9.0, 11.0, 5.0];

#[test]
fn the_canonical_layout() {
    let text = "symbol,time,open,high,low,close,volume\nSPX,2018-12-31,10,12,9,11,5\n";
    check(text, Layout::Canonical, "SPX", "2018-12-31", VALUES);
}

#[test]
fn a_file_without_symbols_takes_its_stem_or_the_given_one() {
    check(TEXT, Layout::Canonical, "prices", "2018-12-31", VALUES);
    let options = ReadOptions { symbol: Some("SPX".to_owned()), ..daily() };
    check_with(&options, TEXT, Layout::Canonical, "SPX", "2018-12-31", VALUES);
}

#[test]
fn yahoo() {
    let text = "Date,Open,High,Low,Close,Adj Close,Volume\n2018-12-31,10,12,9,11,5.5,5\n";
    check(text, Layout::Yahoo, "prices", "2018-12-31", VALUES);
    let options = ReadOptions { adjustment: Adjustment::TotalReturn, ..daily() };
    check_with(&options, text, Layout::Yahoo, "prices", "2018-12-31", [5.0, 6.0, 4.5, 5.5, 5.0]);
}

#[test]
fn stooq_with_its_date_and_time_of_day() {
    let text = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n\
                SPY.US,60,20181231,153000,10,12,9,11,5,0\n";
    check(text, Layout::Stooq, "SPY.US", "2018-12-31T15:30:00Z", VALUES);
}

#[test]
fn alpha_vantage() {
    let text = "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n\
                2018-12-31,10,12,9,11,5.5,5,0.0,1.0\n";
    check(text, Layout::AlphaVantage, "prices", "2018-12-31", VALUES);
}

#[test]
fn a_split_is_read_from_its_column() {
    let text = "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n\
                2018-12-28,10,12,9,11,5.5,5,0.0,1.0\n2018-12-31,5,6,4,5,5,8,0.0,2.0\n";
    let options = ReadOptions { adjustment: Adjustment::Split, ..daily() };
    let values = [5.0, 6.0, 4.5, 5.5, 10.0];
    check_with(&options, text, Layout::AlphaVantage, "prices", "2018-12-28", values);
}

#[test]
fn binance_klines_with_and_without_a_header() {
    // 1,546,272,000,000 ms is 2018-12-31T16:00:00Z.
    let row = "1546272000000,10,12,9,11,5,1546275599999,55.0,3,2,22.0,0\n";
    check(row, Layout::Binance, "prices", "2018-12-31T16:00:00Z", VALUES);
    let header = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n";
    check(&format!("{header}{row}"), Layout::Binance, "prices", "2018-12-31T16:00:00Z", VALUES);
}

#[test]
fn a_pandas_index_without_a_name() {
    check(",Open,High,Low,Close,Volume\n2018-12-31,10,12,9,11,5.0\n", Layout::Pandas, "prices", "2018-12-31", VALUES);
}

#[test]
fn dollar_signs_and_another_order_of_columns() {
    let text = "Date, Close/Last, Volume, Open, High, Low\n12/31/2018, $11, 5, $10, $12, $9\n";
    check(text, Layout::Named, "prices", "2018-12-31", VALUES);
}

#[test]
fn tabs_semicolons_a_byte_order_mark_and_windows_lines() {
    let tabs = "\u{feff}Time\tOpen\tHigh\tLow\tClose\tVolume\r\n2018-12-31 15:30:00\t10\t12\t9\t11\t5\r\n\r\n";
    check(tabs, Layout::Named, "prices", "2018-12-31T15:30:00Z", VALUES);
    check("20181231 153000;10;12;9;11;5\n", Layout::Headerless, "prices", "2018-12-31T15:30:00Z", VALUES);
}

#[test]
fn columns_can_be_mapped_and_named() {
    let columns = ColumnMapping {
        time: Some("day".to_owned()),
        close: Some("settle".to_owned()),
        header: Some(["day", "open", "settle", "high", "low", "volume"].map(str::to_owned).to_vec()),
        ..ColumnMapping::default()
    };
    let options = ReadOptions { columns, ..daily() };
    check_with(&options, "2018-12-31,10,11,12,9,5\n", Layout::Headerless, "prices", "2018-12-31", VALUES);
}

#[test]
fn prices_without_volume_are_read_on_request() {
    let columns = ColumnMapping { missing_volume: MissingVolume::Zero, ..ColumnMapping::default() };
    let options = ReadOptions { columns, ..daily() };
    let text = "DATE,OPEN,HIGH,LOW,CLOSE\n2018-12-31,10,12,9,11\n";
    check_with(&options, text, Layout::Named, "prices", "2018-12-31", [10.0, 12.0, 9.0, 11.0, 0.0]);
}

#[test]
fn blank_lines_are_no_rows_and_lines_are_still_counted() {
    let text = "\ntime,open,high,low,close,volume\n\n2018-12-28,10,12,9,11,5\n\n2018-12-31,10,9,9,11,5\n";
    let folder = Folder::with(&[("prices.csv", text.as_bytes())]);
    let report = tidegate_data::inspect(&folder.path("prices.csv"), &daily()).expect("readable");
    assert_eq!((report.rows_read, report.rows_kept), (2, 1));
    assert_eq!(report.offences[0].first[0].line, 6);
}

#[test]
fn gzip_and_zstd() {
    let mut zstd = vec![0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0xc1, 0x01, 0x00];
    zstd.extend_from_slice(TEXT.as_bytes());
    zstd.extend_from_slice(&[0x58, 0x2a, 0xa6, 0x8d]);
    let folder = Folder::with(&[("a.csv", TEXT.as_bytes()), ("a.csv.gz", &GZIP), ("a.csv.zst", &zstd)]);
    let plain = read(&folder.path("a.csv"));
    assert_eq!(plain, read(&folder.path("a.csv.gz")));
    assert_eq!(plain, read(&folder.path("a.csv.zst")));
    assert_eq!(plain[0].symbol, "a");
}

#[test]
fn a_folder_has_a_symbol_per_file() {
    let folder = Folder::with(&[("b.csv", TEXT.as_bytes()), ("a.csv.gz", &GZIP), ("notes.md", b"no data")]);
    let symbols = read(&folder.path(""));
    assert_eq!(symbols.iter().map(|symbol| symbol.symbol.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_pattern_joins_the_parts_of_one_symbol() {
    let later = TEXT.replace("2018-12-31", "2019-01-02");
    let folder = Folder::with(&[("spx-2018.csv", TEXT.as_bytes()), ("spx-2019.csv", later.as_bytes())]);
    let options = ReadOptions { symbol: Some("SPX".to_owned()), ..daily() };
    let symbols = tidegate_data::read(&folder.path("spx-*.csv"), &options).expect("readable");
    assert_eq!(symbols.len(), 1);
    assert_eq!(symbols[0].bars.len(), 2);
}

#[test]
fn a_long_file_has_its_symbols_in_the_order_of_their_first_rows() {
    let text = "symbol,time,open,high,low,close,volume\n\
                SPX,2018-12-28,10,12,9,11,5\nIXIC,2018-12-28,20,22,19,21,6\n\
                SPX,2018-12-31,11,13,10,12,7\nIXIC,2018-12-31,21,23,20,22,8\n";
    let folder = Folder::with(&[("prices.csv", text.as_bytes())]);
    let symbols = read(&folder.path("prices.csv"));
    assert_eq!(symbols.iter().map(|symbol| symbol.symbol.as_str()).collect::<Vec<_>>(), ["SPX", "IXIC"]);
    assert_eq!(symbols[0].bars.close(), [11.0, 12.0]);
    assert_eq!(symbols[1].bars.volume(), [6.0, 8.0]);
}
