//! The target: what a forecaster learns of later prices, the only thing here that looks forward.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::{Bars, TargetColumn, TargetLabel};

use crate::Horizons;

/// What to learn of the prices from `p_0` to `p_h`, one bar apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetSpec {
    /// The logarithm of the later price over the earlier, `ln(p_h / p_0)`.
    LogReturn(ReturnTarget),
    /// The later price over the earlier, minus one, `p_h / p_0 - 1`.
    SimpleReturn(ReturnTarget),
    /// The later price minus the earlier, `p_h - p_0`, in units of price: for series such as exchange rates and yields.
    Difference(ReturnTarget),
    /// The sum of the squared one-bar log returns, `sum_{j = 1..h} ln(p_j / p_{j-1})^2` (Andersen and Bollerslev 1998).
    RealizedVariance(ReturnTarget),
    /// The logarithm of the volatility per bar, `ln(sqrt(realized variance / h))`; there is none where the price never moves.
    LogVolatility(ReturnTarget),
}

/// Between which prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnTarget {
    /// Bars between the first and the last price: one number, or several that rise, for a forecast at each.
    pub horizon_bars: Horizons,
    /// Which prices.
    pub price: TargetPrice,
}

/// The prices of a target that is forecast at the close of bar `t` over `h` bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetPrice {
    /// From `open[t + 1]` to `open[t + 1 + h]`: what an order filled at the next open earns.
    NextOpen,
    /// From `close[t + 1]` to `close[t + 1 + h]`: what an order filled at the next close earns.
    NextClose,
    /// From `close[t]` to `close[t + h]`: not what is traded unless orders fill at the close they are decided on.
    Close,
}

impl TargetSpec {
    /// Returns the name, such as `log_return_1`, or `log_return_3_6_12` for several horizons.
    pub fn name(&self) -> String {
        let bars: Vec<String> = self.parameters().horizon_bars.bars().map(|bars| bars.to_string()).collect();
        format!("{}_{}", self.kind(), bars.join("_"))
    }

    /// Returns the horizons and prices.
    pub const fn parameters(&self) -> &ReturnTarget {
        match self {
            Self::LogReturn(parameters)
            | Self::SimpleReturn(parameters)
            | Self::Difference(parameters)
            | Self::RealizedVariance(parameters)
            | Self::LogVolatility(parameters) => parameters,
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::LogReturn(_) => "log_return",
            Self::SimpleReturn(_) => "simple_return",
            Self::Difference(_) => "difference",
            Self::RealizedVariance(_) => "realized_variance",
            Self::LogVolatility(_) => "log_volatility",
        }
    }

    /// Returns what the prices from the first to the last of a span make.
    fn value(&self, prices: &[f64]) -> Option<f64> {
        let [first, .., last] = prices else { return None };
        let squares = || prices.windows(2).map(|pair| (pair[1] / pair[0]).ln().powi(2)).sum::<f64>();
        match self {
            Self::LogReturn(_) => Some((last / first).ln()),
            Self::SimpleReturn(_) => Some(last / first - 1.0),
            Self::Difference(_) => Some(last - first),
            Self::RealizedVariance(_) => Some(squares()),
            Self::LogVolatility(_) => {
                let variance = squares() / (prices.len() - 1) as f64;
                (variance > 0.0).then(|| variance.sqrt().ln())
            }
        }
    }
}

/// Returns the labels of each row at every horizon, the nearest first, with the rows of bars that they read.
///
/// The next-bar labels of row `t` read rows `t + 1` to `t + 1 + horizon_bars`, the close labels rows `t` to `t + horizon_bars`;
/// there is none where the bars end before.
pub fn targets(spec: &TargetSpec, bars: &Bars) -> Vec<TargetColumn> {
    let ReturnTarget { horizon_bars, price } = spec.parameters();
    let (prices, delay) = price.of(bars);
    let column = |horizon_bars: u32| {
        let label = |row: usize| {
            let (first, last) = (row + delay, row + delay + horizon_bars as usize);
            let value = spec.value(prices.get(first..=last)?)?;
            Some(TargetLabel { value, span_first_row: first, span_last_row: last })
        };
        TargetColumn {
            name: format!("{}_{horizon_bars}", spec.kind()),
            horizon_bars,
            labels: (0..bars.len()).map(label).collect(),
        }
    };
    horizon_bars.bars().map(column).collect()
}

/// Returns the price from which each row's target is measured, where there is one.
pub fn start_prices(spec: &TargetSpec, bars: &Bars) -> Vec<Option<f64>> {
    let (prices, delay) = spec.parameters().price.of(bars);
    (0..bars.len()).map(|row| prices.get(row + delay).copied()).collect()
}

impl TargetPrice {
    /// Returns the prices and how many bars after its own a row's target starts.
    fn of(self, bars: &Bars) -> (&[f64], usize) {
        match self {
            Self::NextOpen => (bars.open(), 1),
            Self::NextClose => (bars.close(), 1),
            Self::Close => (bars.close(), 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_market::BarColumns;

    use super::*;
    use crate::fixture;

    fn check(kind: fn(ReturnTarget) -> TargetSpec, price: TargetPrice, expected: &[Option<(f64, usize, usize)>]) {
        let columns = BarColumns {
            open: vec![100.0, 110.0, 99.0, 198.0],
            close: vec![80.0, 100.0, 120.0, 60.0],
            high: vec![200.0; 4],
            low: vec![50.0; 4],
            volume: vec![1.0; 4],
            time: fixture::bars(4, 1).time().to_vec(),
        };
        let horizon_bars = Horizons::new(&[2]).expect("one");
        let columns = targets(&kind(ReturnTarget { horizon_bars, price }), &fixture::from_columns(columns));
        let [column] = columns.as_slice() else { panic!("one column per horizon") };
        assert_eq!(column.horizon_bars, 2);
        let labels: Vec<_> =
            column.labels.iter().map(|label| label.map(|l| (l.value, l.span_first_row, l.span_last_row))).collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn a_next_open_label_starts_at_the_next_open() {
        // Row 0: 198 / 110 = 1.8 over rows 1 to 3; the others reach past the end.
        check(TargetSpec::SimpleReturn, TargetPrice::NextOpen, &[Some((0.8, 1, 3)), None, None, None]);
        check(TargetSpec::LogReturn, TargetPrice::NextOpen, &[Some((1.8_f64.ln(), 1, 3)), None, None, None]);
    }

    #[test]
    fn a_next_close_label_starts_at_the_next_close() {
        // Row 0: 60 / 100 = 0.6 over rows 1 to 3.
        check(TargetSpec::SimpleReturn, TargetPrice::NextClose, &[Some((-0.4, 1, 3)), None, None, None]);
    }

    #[test]
    fn a_close_label_starts_at_its_own_close() {
        // 120 / 80 = 1.5 and 60 / 100 = 0.6.
        let simple = [Some((0.5, 0, 2)), Some((-0.4, 1, 3)), None, None];
        check(TargetSpec::SimpleReturn, TargetPrice::Close, &simple);
        let log = [Some((1.5_f64.ln(), 0, 2)), Some((0.6_f64.ln(), 1, 3)), None, None];
        check(TargetSpec::LogReturn, TargetPrice::Close, &log);
    }

    #[test]
    fn a_difference_is_in_units_of_price() {
        // 120 - 80 and 60 - 100.
        check(TargetSpec::Difference, TargetPrice::Close, &[Some((40.0, 0, 2)), Some((-40.0, 1, 3)), None, None]);
    }

    #[test]
    fn a_realized_variance_sums_the_squared_returns_of_single_bars() {
        // Closes 80, 100, 120, 60: ln(1.25)^2 + ln(1.2)^2 and ln(1.2)^2 + ln(0.5)^2.
        let [up, more, half] = [1.25_f64, 1.2, 0.5].map(|ratio| ratio.ln().powi(2));
        let sums = [up + more, more + half];
        let expected = [Some((sums[0], 0, 2)), Some((sums[1], 1, 3)), None, None];
        check(TargetSpec::RealizedVariance, TargetPrice::Close, &expected);
        let logs = sums.map(|sum: f64| (sum / 2.0).sqrt().ln());
        let expected = [Some((logs[0], 0, 2)), Some((logs[1], 1, 3)), None, None];
        check(TargetSpec::LogVolatility, TargetPrice::Close, &expected);
    }

    #[test]
    fn a_price_that_never_moves_has_no_log_volatility() {
        let spec = TargetSpec::LogVolatility(ReturnTarget { horizon_bars: horizons(&[1]), price: TargetPrice::Close });
        assert_eq!(spec.value(&[5.0, 5.0, 5.0]), None);
    }

    #[test]
    fn several_horizons_give_several_columns() {
        let price = TargetPrice::Close;
        let spec = TargetSpec::Difference(ReturnTarget { horizon_bars: horizons(&[1, 3]), price });
        assert_eq!(spec.name(), "difference_1_3");
        let bars = fixture::bars(5, 1);
        let columns = targets(&spec, &bars);
        assert_eq!(columns.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["difference_1", "difference_3"]);
        let spans: Vec<_> =
            columns.iter().map(|one| one.labels[1].map(|l| (l.span_first_row, l.span_last_row))).collect();
        assert_eq!(spans, [Some((1, 2)), Some((1, 4))]);
        assert_eq!(columns[1].labels[1].expect("reaches").value, bars.close()[4] - bars.close()[1]);
        assert_eq!(columns.iter().map(|one| one.labels.iter().flatten().count()).collect::<Vec<_>>(), [4, 2]);
    }

    fn horizons(bars: &[u32]) -> Horizons {
        Horizons::new(bars).expect("rising")
    }

    #[test]
    fn a_config_names_kind_horizon_and_price() {
        let read = |text: &str| serde_json::from_str::<TargetSpec>(text).expect("valid");
        let spec = read(r#"{"log_return":{"horizon_bars":5,"price":"next_open"}}"#);
        let expected = ReturnTarget { horizon_bars: horizons(&[5]), price: TargetPrice::NextOpen };
        assert_eq!(spec, TargetSpec::LogReturn(expected));
        assert_eq!(spec.name(), "log_return_5");
        let text = r#"{"difference":{"horizon_bars":[3,6,12,24],"price":"close"}}"#;
        assert_eq!(read(text).parameters().horizon_bars, horizons(&[3, 6, 12, 24]));
        assert_eq!(serde_json::to_string(&read(text)).expect("plain"), text);
    }
}
