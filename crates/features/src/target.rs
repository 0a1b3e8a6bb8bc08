//! The target: the return that a forecaster learns, the only thing here that looks forward.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::{Bars, TargetColumn, TargetLabel};

use crate::FeatureError;
use crate::spec::at_least;

/// The kind of return to learn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetSpec {
    /// The logarithm of the later price over the earlier.
    LogReturn(ReturnTarget),
    /// The later price over the earlier, minus one.
    SimpleReturn(ReturnTarget),
}

/// Between which prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnTarget {
    /// Bars between the two prices.
    pub horizon_bars: u32,
    /// Which prices.
    pub price: TargetPrice,
}

/// The prices of a return that is forecast at the close of bar `t` over `h` bars.
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
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`] for a horizon of zero bars.
    pub const fn validate(&self) -> Result<(), FeatureError> {
        let (name, parameters) = self.parts();
        at_least(name, "horizon_bars", 1, parameters.horizon_bars as usize)
    }

    /// Returns the name, such as `log_return_1`.
    pub fn name(&self) -> String {
        let (name, parameters) = self.parts();
        format!("{name}_{}", parameters.horizon_bars)
    }

    const fn parts(&self) -> (&'static str, &ReturnTarget) {
        match self {
            Self::LogReturn(parameters) => ("log_return", parameters),
            Self::SimpleReturn(parameters) => ("simple_return", parameters),
        }
    }
}

/// Returns the label of each row, with the rows of bars that it reads.
///
/// The next-open label of row `t` reads rows `t + 1` to `t + 1 + horizon_bars`, the close label rows `t` to `t + horizon_bars`;
/// there is none where the bars end before. A validated spec has a horizon above zero; with zero every label is zero.
pub fn target(spec: &TargetSpec, bars: &Bars) -> TargetColumn {
    let (_, parameters) = spec.parts();
    let horizon = parameters.horizon_bars as usize;
    let (prices, delay) = match parameters.price {
        TargetPrice::NextOpen => (bars.open(), 1),
        TargetPrice::NextClose => (bars.close(), 1),
        TargetPrice::Close => (bars.close(), 0),
    };
    let label = |row: usize| {
        let (first, last) = (row + delay, row + delay + horizon);
        let ratio = prices.get(last)? / prices[first];
        let value = match spec {
            TargetSpec::LogReturn(_) => ratio.ln(),
            TargetSpec::SimpleReturn(_) => ratio - 1.0,
        };
        Some(TargetLabel { value, span_first_row: first, span_last_row: last })
    };
    TargetColumn {
        name: spec.name(),
        horizon_bars: parameters.horizon_bars,
        labels: (0..bars.len()).map(label).collect(),
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
        let column = target(&kind(ReturnTarget { horizon_bars: 2, price }), &fixture::from_columns(columns));
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
    fn a_horizon_of_zero_is_refused() {
        let spec = TargetSpec::LogReturn(ReturnTarget { horizon_bars: 0, price: TargetPrice::Close });
        let message = "`log_return`: horizon_bars must be at least `1`, was `0`";
        assert_eq!(spec.validate().expect_err("zero").to_string(), message);
    }

    #[test]
    fn a_config_names_kind_horizon_and_price() {
        let spec: TargetSpec =
            serde_json::from_str(r#"{"log_return":{"horizon_bars":5,"price":"next_open"}}"#).expect("valid");
        let expected = ReturnTarget { horizon_bars: 5, price: TargetPrice::NextOpen };
        assert_eq!(spec, TargetSpec::LogReturn(expected));
        assert_eq!(spec.name(), "log_return_5");
    }
}
