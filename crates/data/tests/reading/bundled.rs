//! The market data of this repository are what their page says.

use std::path::Path;

use super::daily;

fn check(name: &str, symbol: &str, first_close: f64, last_close: f64, stale_opens: usize, without_volume: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(name);
    let (symbols, report) = tidegate_data::read_with_report(&path, &daily()).expect("in the repository");
    let bars = &symbols[0].bars;
    assert_eq!(symbols[0].symbol, symbol);
    assert_eq!((report.rows_read, report.rows_kept, report.symbols.len()), (5_031, 5_031, 1));
    assert_eq!(report.offences, []);
    assert_eq!(
        (bars.time()[0].to_string(), bars.time()[5_030].to_string()),
        ("1999-01-04".into(), "2018-12-31".into())
    );
    assert_eq!([bars.close()[0], bars.close()[5_030]], [first_close, last_close]);
    let gaps: Vec<String> = report.gaps.longest.iter().map(|gap| gap.from.to_string()).collect();
    assert_eq!(gaps, ["2001-09-10", "2006-12-29", "2012-10-26"]);
    let stale = (1..bars.len()).filter(|row| (bars.open()[*row] / bars.close()[row - 1] - 1.0).abs() < 1e-5);
    assert_eq!(stale.count(), stale_opens);
    let zero = (0..bars.len()).filter(|row| bars.volume()[*row] == 0.0).map(|row| bars.time()[row].to_string());
    assert_eq!(zero.collect::<Vec<_>>(), without_volume);
}

#[test]
fn the_sp500_has_its_rows_and_its_known_defects() {
    check("sp500_daily.csv", "SPX", 1_228.099_976, 2_506.850_098, 2_108, &[]);
}

#[test]
fn the_nasdaq_has_its_rows_and_its_known_defects() {
    check("nasdaq_daily.csv", "IXIC", 2_208.050_049, 6_635.279_785, 19, &["2015-05-12", "2018-01-09"]);
}
