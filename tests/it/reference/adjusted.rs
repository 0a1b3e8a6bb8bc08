//! Raw prices with their splits and dividends earn what the vendor's adjusted prices do.

use super::data::{Source, data_path};
use crate::support::{Finished, Lab};

/// All of equity in one stock, made good at every close, without costs.
const WHOLLY_INVESTED: &str = r#"
name = "Wholly invested"
seed = 7

[data]
path = "set by the test"
symbols = ["AAA"]
interval = "1d"
timestamp = "open"
calendar = "sessions"

[strategy.fixed_weights]
weights = "equal"
rebalance = { schedule.every_bars = 1, tolerance = 0.0 }

[account]
cash = 100000.0

[execution]
fill = "same_close"
commission = "none"
slippage = "none"
"#;

/// The total return of a stock of Alpha Vantage's between two closes.
fn total_return(source: &Source, symbol: &str, prices: &str) -> f64 {
    let lab = Lab::with(WHOLLY_INVESTED);
    let path = data_path(&[source.path(&format!("us_daily/csv/{symbol}.csv"))]);
    let symbols = format!("data.symbols=[\"{symbol}\"]");
    let mut arguments = vec!["run", "s.toml", "--json", "--out", "run", "--set", &path, "--set", &symbols];
    for assignment in prices.split("; ") {
        arguments.extend(["--set", assignment]);
    }
    let run = Finished::from(lab.command(&arguments).output().expect("the binary runs"));
    run.json()["metrics"]["performance"]["total_return"].as_f64().expect("a number")
}

#[test]
fn splits_and_dividends_as_events_earn_what_adjusted_prices_do() {
    let Some(source) = Source::find() else { return };
    // GE's file prints the dividends of 2000 with four digits, 0.1367, and its adjusted prices know more: 1.5e-6 apart.
    let stocks = ["AAPL", "IBM", "JPM", "KO", "KSU", "MSFT", "XOM"].map(|symbol| (symbol, 1e-10));
    for (symbol, tolerance) in stocks.into_iter().chain([("GE", 2e-6)]) {
        let adjusted = total_return(&source, symbol, r#"data.adjustment="total_return""#);
        for signals in ["raw", "total_return"] {
            let events = format!(r#"data.adjustment="raw"; data.corporate_actions.signals="{signals}""#);
            let raw = total_return(&source, symbol, &events);
            let difference = (1.0 + raw) / (1.0 + adjusted) - 1.0;
            assert!(difference.abs() < tolerance, "{symbol}: raw earns `{raw}`, adjusted `{adjusted}`");
        }
    }
}
