//! Reference values for the kernels' tests; `tests/vectors/README.md` says how each file was made.

use std::num::NonZeroUsize;

use serde_json::Value;

use crate::Indicator;

/// 600 bars and what TA-Lib says about them.
pub(crate) struct Talib {
    pub(crate) high: Vec<f64>,
    pub(crate) low: Vec<f64>,
    pub(crate) close: Vec<f64>,
    pub(crate) volume: Vec<f64>,
    indicators: Value,
}

impl Talib {
    /// Returns one indicator, `None` in its warm-up.
    pub(crate) fn expected(&self, name: &str) -> Vec<Option<f64>> {
        column(&self.indicators, name)
    }
}

/// Returns the bars with TA-Lib's values.
pub(crate) fn talib() -> Talib {
    let file = parse(include_str!("../../../tests/vectors/indicators_talib.json"));
    let bars = |name| column(&file["bars"], name).into_iter().map(|value| value.expect("bars are complete")).collect();
    Talib {
        high: bars("high"),
        low: bars("low"),
        close: bars("close"),
        volume: bars("volume"),
        indicators: file["indicators"].clone(),
    }
}

/// Returns a pandas column on the same bars.
pub(crate) fn pandas(name: &str) -> Vec<Option<f64>> {
    column(&parse(include_str!("../../../tests/vectors/features_pandas.json"))["features"], name)
}

/// Returns a column of textbook definitions on the same bars.
pub(crate) fn reference(name: &str) -> Vec<Option<f64>> {
    column(&parse(include_str!("../../../tests/vectors/rolling_reference.json")), name)
}

/// Returns a period in bars.
pub(crate) fn bars(bars: usize) -> NonZeroUsize {
    NonZeroUsize::new(bars).expect("tests use periods above zero")
}

/// Asserts that a kernel has exactly the expected warm-up, as many rows as it says, and the expected values to 1e-9 relative.
pub(crate) fn check<K>(mut kernel: K, inputs: &[K::Input], expected: &[Option<f64>])
where
    K: Indicator<Input: Copy, Output = f64>,
{
    assert_eq!(inputs.len(), expected.len());
    let warm_up = expected.iter().take_while(|value| value.is_none()).count();
    assert_eq!(kernel.lookback_bars(), warm_up);
    for (row, (&input, &expected)) in inputs.iter().zip(expected).enumerate() {
        match (kernel.update(input), expected) {
            (Some(value), Some(expected)) => {
                assert!((value - expected).abs() <= 1e-9 * expected.abs(), "row {row}: {value}, expected {expected}");
            }
            (value, expected) => assert_eq!(value, expected, "row {row}"),
        }
    }
}

/// One output of a kernel that has several.
pub(crate) struct Projected<K: Indicator>(pub(crate) K, pub(crate) fn(K::Output) -> f64);

impl<K: Indicator> Indicator for Projected<K> {
    type Input = K::Input;
    type Output = f64;

    fn update(&mut self, input: K::Input) -> Option<f64> {
        self.0.update(input).map(self.1)
    }

    fn lookback_bars(&self) -> usize {
        self.0.lookback_bars()
    }
}

/// One output that may be undefined of a kernel that has several.
pub(crate) struct ProjectedOption<K: Indicator>(pub(crate) K, pub(crate) fn(K::Output) -> Option<f64>);

impl<K: Indicator> Indicator for ProjectedOption<K> {
    type Input = K::Input;
    type Output = f64;

    fn update(&mut self, input: K::Input) -> Option<f64> {
        self.0.update(input).and_then(self.1)
    }

    fn lookback_bars(&self) -> usize {
        self.0.lookback_bars()
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("vectors are JSON")
}

fn column(table: &Value, name: &str) -> Vec<Option<f64>> {
    let column = table[name].as_array().unwrap_or_else(|| panic!("vectors have no column `{name}`"));
    column.iter().map(Value::as_f64).collect()
}
