//! Simulated bars, strategy files, and audits of them.

use std::path::Path;
use std::sync::Arc;

use tidegate_data::{Garch, Jumps, SimulationSpec, SymbolBars, simulate};
use tidegate_market::TradingCalendar;

use super::super::chain::Chain;
use super::super::{AuditOptions, AuditReport, audit_chain};
use crate::config::ConfigSource;
use crate::dataset::Dataset;
use crate::observer::SilentObserver;
use crate::pipeline::RunOptions;
use crate::resolve::ResolvedExperiment;

const HEAD: &str = r#"
name = "Fixture"
seed = 7

[data]
path = "bars.csv"
symbols = ["AAA"]
interval = "1d"
timestamp = "open"
calendar = "sessions"
adjustment = "raw"

[account]
cash = 100000.0

[execution]
fill = "next_open"
commission.bps = 5.0
slippage.bps = 1.0
"#;

/// A linear model, two folds on 500 bars, long or short by the sign of the forecast.
pub(crate) fn ridge() -> String {
    let learning = r"
[features]
columns = [{ log_return = { bars = 1 } }, { volatility = { bars = 10 } }, { rsi = { bars = 7 } }]
scaler.standard = { winsorize_iqr = 3.0 }

[target.log_return]
horizon_bars = 1

[walk_forward.expanding]
train_bars = 200
valid_bars = 60
test_bars = 120

[model]
scales = [{ window_bars = 1, bar_multiple = 1 }]
ensemble_size = 1
yardstick.ridge = { lambda = 1e-3 }

[strategy.forecast_threshold]
entry_threshold = 0.0
long_weight = 1.0
short_weight = -0.5
";
    [HEAD, learning].concat()
}

/// Two moving averages.
pub(crate) fn sma_cross() -> String {
    let strategy = r"
[strategy.sma_cross]
fast_bars = 5
slow_bars = 20
weight = 1.0
allow_short = false
";
    [HEAD, strategy].concat()
}

/// The same file on two symbols.
pub(crate) fn on_two_symbols(strategy: &str) -> String {
    strategy.replace(r#"["AAA"]"#, r#"["AAA", "BBB"]"#)
}

/// Simulates daily bars of `AAA` and `BBB`.
pub(crate) fn simulated(bars: usize) -> Vec<SymbolBars> {
    let spec = SimulationSpec {
        symbols: vec!["AAA".to_owned(), "BBB".to_owned()],
        bars,
        interval: "1d".parse().expect("a day"),
        calendar: TradingCalendar::Sessions,
        start: "2000-01-03".parse().expect("a date"),
        seed: 3,
        start_price: 100.0,
        annual_drift: 0.05,
        annual_volatility: 0.2,
        correlation: 0.3,
        open_gap_share: 0.2,
        garch: Garch { alpha: 0.08, beta: 0.9 },
        jump: Jumps { per_year: 2.0, mean: -0.01, sd: 0.03 },
    };
    simulate(&spec).expect("the parameters are in range")
}

/// Returns bars of `AAA` alone.
pub(crate) fn whole_dataset(bars: usize) -> Dataset {
    dataset(simulated(bars).into_iter().take(1))
}

/// Puts symbols into a dataset.
pub(crate) fn dataset(symbols: impl IntoIterator<Item = SymbolBars>) -> Dataset {
    let (names, bars) = symbols.into_iter().map(|symbol| (symbol.symbol, Arc::new(symbol.bars))).unzip();
    Dataset::new(names, bars)
}

pub(crate) fn resolved(text: &str) -> ResolvedExperiment {
    let source = ConfigSource::from_text(Path::new("s.toml"), text.to_owned());
    ResolvedExperiment::from_source(&source).unwrap_or_else(|error| panic!("{error}"))
}

/// Audits a chain at eight cuts.
pub(crate) fn audited(strategy: &str, dataset: &Dataset, chain: &dyn Chain) -> AuditReport {
    let options = AuditOptions { cuts: 8, run: RunOptions { threads: Some(1), ..RunOptions::fresh("unused") } };
    audit_chain(&resolved(strategy), dataset, &options, &SilentObserver, chain)
        .unwrap_or_else(|error| panic!("{error}"))
}
