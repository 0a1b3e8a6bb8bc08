//! Raw prices with their events say the same as the vendor's adjusted ones.

use tidegate_data::{ActionCounts, Adjustment, ReadOptions, SignalAdjustment, SymbolBars, forward_adjusted, rename};

use super::{reference, scaled};
use crate::daily;

/// The largest relative difference between a raw series that carries its events on and a multiple of the vendor's adjusted one.
fn difference(raw: &SymbolBars, vendor: &SymbolBars) -> f64 {
    let own = forward_adjusted(&raw.bars, &raw.actions, SignalAdjustment::TotalReturn).expect("finite");
    assert_eq!(own.time(), vendor.bars.time(), "{}", raw.symbol);
    let ratios: Vec<f64> = own.close().iter().zip(vendor.bars.close()).map(|(own, vendor)| own / vendor).collect();
    ratios.iter().map(|ratio| (ratio / ratios[0] - 1.0).abs()).fold(0.0, f64::max)
}

fn both(name: &str) -> Option<(Vec<SymbolBars>, Vec<SymbolBars>)> {
    let path = reference(name)?;
    let raw = tidegate_data::read(&path, &ReadOptions { corporate_actions: true, ..daily() }).expect("readable");
    let adjusted = ReadOptions { adjustment: Adjustment::TotalReturn, ..daily() };
    Some((raw, tidegate_data::read(&path, &adjusted).expect("readable")))
}

#[test]
fn eight_shares_with_their_events_are_proportional_to_their_adjusted_closes() {
    let Some((raw, vendor)) = both("us_daily/csv") else {
        return;
    };
    assert_eq!(raw.len(), 8);
    for (raw, vendor) in raw.iter().zip(&vendor) {
        let difference = difference(raw, vendor);
        // The vendor adjusted for thirds of a cent and wrote four digits: 0.1367 twice at General Electric in 2000.
        let bound = if raw.symbol == "GE" { 2e-6 } else { 1e-6 };
        assert!(difference < bound, "{}: {difference}", raw.symbol);
    }
}

#[test]
fn the_shares_of_an_index_have_all_their_rows_and_events() {
    let Some((raw, vendor)) = both("us_daily/sp500_daily.parquet") else {
        return;
    };
    assert_eq!(raw.iter().map(|symbol| symbol.bars.len()).sum::<usize>(), 1_101_308);
    assert_eq!(raw.len(), 261);
    assert_eq!(ActionCounts::of(&raw), ActionCounts { splits: 235, dividends: 12_331, delistings: 0 });
    let differences = raw.iter().zip(&vendor).map(|(raw, vendor)| (raw.symbol.as_str(), difference(raw, vendor)));
    let apart: Vec<(&str, f64)> = differences.filter(|(_, difference)| *difference >= 1e-6).collect();
    // Dividends that the vendor rounded, and Trimble's split of 2007-02-23, which it adjusted for without listing it.
    let names: Vec<&str> = apart.iter().map(|(symbol, _)| *symbol).collect();
    let rounded = ["CVS", "ES", "GE", "HPE", "HWM", "IVZ", "LW", "MAR", "MDT", "MO", "T", "TRMB", "TXN", "VNO"];
    assert_eq!(names, rounded);
    for (symbol, difference) in apart {
        let bound = if symbol == "TRMB" { 0.51 } else { 4e-5 };
        assert!(difference < bound, "{symbol}: {difference}");
    }
}

#[test]
fn a_share_that_changed_its_ticker_twice_is_one_instrument() {
    let Some(folder) = reference("us_daily/lean/equity/usa/daily") else {
        return;
    };
    let options = ReadOptions { columns: scaled(), ..daily() };
    let one = |name: &str| tidegate_data::read(&folder.join(name), &options).expect("readable").remove(0);
    let joined = rename(vec![one("uw.zip"), one("wmi.zip")], "uw", "wmi").expect("one after the other");
    assert_eq!((joined[0].symbol.as_str(), joined[0].bars.len()), ("wmi", 135 + 2_780));
    // Under the next ticker another company traded until 2008.
    let error = rename([joined, vec![one("wm.zip")]].concat(), "wmi", "wm").expect_err("two companies").to_string();
    assert_eq!(
        error,
        "`wmi` cannot become `wm`: its bars must end before those of `wm` begin, `2009-08-04` is not before `1998-12-09`"
    );
    let events = tempfile::NamedTempFile::with_suffix(".csv").expect("temporary file");
    let text = "symbol,time,kind,value\nuw,1998-07-17,rename,wmi\nwmi,2009-08-05,rename,wm\n";
    std::fs::write(events.path(), text).expect("written");
    let events = tidegate_data::read_events(events.path(), &options).expect("readable");
    let (symbols, summary) = events.apply(vec![one("wm.zip"), one("wmi.zip"), one("uw.zip")]).expect("in order");
    assert_eq!((symbols.len(), symbols[0].bars.len()), (1, 135 + 2_780 + 2_934));
    assert_eq!((summary.renamed, summary.bars_left_out), (2, 5_399 - 2_934));
}
