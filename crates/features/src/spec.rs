//! Which features: what a config file says, its rules, and the columns it makes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::FeatureError;

mod bollinger;
#[cfg(test)]
mod checks;
mod macd;
mod outputs;

pub use bollinger::{BollingerOutput, BollingerSpec};
pub use macd::{MacdOutput, MacdSpec};

/// One feature of a config, such as `{ rsi = { bars = 14 } }`; formulas and sources are with each kernel in
/// `tidegate_indicators`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeatureSpec {
    /// Close over the close `bars` earlier, minus one.
    SimpleReturn(PeriodSpec),
    /// Logarithm of close over the close `bars` earlier.
    LogReturn(PeriodSpec),
    /// Sample standard deviation of the last `bars` one-bar log returns, not annualised; two bars or more.
    Volatility(PeriodSpec),
    /// Simple moving average of the close.
    Sma(PeriodSpec),
    /// Close over its simple moving average, minus one.
    SmaRatio(PeriodSpec),
    /// Exponential moving average of the close.
    Ema(PeriodSpec),
    /// Relative strength index with Wilder's smoothing, 0 to 100.
    Rsi(PeriodSpec),
    /// Relative strength index with simple means, 0 to 100.
    RsiCutler(PeriodSpec),
    /// Moving average convergence divergence, its signal and their difference.
    Macd(MacdSpec),
    /// Bollinger bands, the close's place within them and their relative width.
    Bollinger(BollingerSpec),
    /// Average true range with Wilder's smoothing.
    Atr(PeriodSpec),
    /// Volume over its simple moving average.
    VolumeRatio(PeriodSpec),
    /// Sample z-score of the close within the last `bars` closes; two bars or more.
    ZScore(PeriodSpec),
}

/// A feature with one parameter: how many bars it looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodSpec {
    /// The period.
    pub bars: usize,
    /// The column's name in place of `<feature>_<bars>`.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl PeriodSpec {
    /// Returns a period whose column has the default name.
    pub const fn new(bars: usize) -> Self {
        Self { bars, name: None }
    }
}

/// A feature by its shape: what the rules, names and warm-ups of all features are made of.
enum Shape<'a> {
    Period { name: &'static str, spec: &'a PeriodSpec, bars_min: usize, lookback_bars: usize },
    Macd(&'a MacdSpec),
    Bollinger(&'a BollingerSpec),
}

impl<'a> Shape<'a> {
    /// A feature of the last `bars` values.
    const fn of_values(name: &'static str, spec: &'a PeriodSpec, bars_min: usize) -> Self {
        Self::Period { name, spec, bars_min, lookback_bars: spec.bars.saturating_sub(1) }
    }

    /// A feature of the last `bars` changes from bar to bar.
    const fn of_changes(name: &'static str, spec: &'a PeriodSpec, bars_min: usize) -> Self {
        Self::Period { name, spec, bars_min, lookback_bars: spec.bars }
    }
}

impl FeatureSpec {
    /// Checks the parameters.
    ///
    /// # Errors
    /// [`FeatureError::TooShort`], [`FeatureError::Width`], [`FeatureError::FastNotBelowSlow`], [`FeatureError::Outputs`] or
    /// [`FeatureError::ReservedColumn`], naming the parameter and its value.
    pub fn validate(&self) -> Result<(), FeatureError> {
        match self.shape() {
            Shape::Period { name, spec, bars_min, .. } => at_least(name, "bars", bars_min, spec.bars)?,
            Shape::Macd(macd) => macd.validate()?,
            Shape::Bollinger(bollinger) => bollinger.validate()?,
        }
        match self.column_names().into_iter().find(|name| ["", "time", "symbol"].contains(&name.as_str())) {
            Some(name) => Err(FeatureError::ReservedColumn { name }),
            None => Ok(()),
        }
    }

    /// Returns the names of the columns, in order: `<feature>_<parameters>` unless renamed with `as`.
    pub fn column_names(&self) -> Vec<String> {
        match self.shape() {
            Shape::Period { name, spec, .. } => {
                vec![spec.name.clone().unwrap_or_else(|| format!("{name}_{}", spec.bars))]
            }
            Shape::Macd(macd) => macd.column_names(),
            Shape::Bollinger(bollinger) => bollinger.column_names(),
        }
    }

    /// Returns the warm-up: the number of first rows, in the feature's own bars, that have no value.
    pub fn lookback_bars(&self) -> usize {
        match self.shape() {
            Shape::Period { lookback_bars, .. } => lookback_bars,
            Shape::Macd(macd) => macd.lookback_bars(),
            Shape::Bollinger(bollinger) => bollinger.lookback_bars(),
        }
    }

    /// Returns the shape: the one table of names, shortest periods and warm-ups.
    const fn shape(&self) -> Shape<'_> {
        match self {
            Self::SimpleReturn(spec) => Shape::of_changes("simple_return", spec, 1),
            Self::LogReturn(spec) => Shape::of_changes("log_return", spec, 1),
            Self::Volatility(spec) => Shape::of_changes("volatility", spec, 2),
            Self::Sma(spec) => Shape::of_values("sma", spec, 1),
            Self::SmaRatio(spec) => Shape::of_values("sma_ratio", spec, 1),
            Self::Ema(spec) => Shape::of_values("ema", spec, 1),
            Self::Rsi(spec) => Shape::of_changes("rsi", spec, 1),
            Self::RsiCutler(spec) => Shape::of_changes("rsi_cutler", spec, 1),
            Self::Macd(spec) => Shape::Macd(spec),
            Self::Bollinger(spec) => Shape::Bollinger(spec),
            Self::Atr(spec) => Shape::of_changes("atr", spec, 1),
            Self::VolumeRatio(spec) => Shape::of_values("volume_ratio", spec, 1),
            Self::ZScore(spec) => Shape::of_values("z_score", spec, 2),
        }
    }
}

/// Checks every feature of a list and that no two columns share a name.
///
/// # Errors
/// The first error of [`FeatureSpec::validate`], then [`FeatureError::DuplicateColumn`].
pub fn validate(specs: &[FeatureSpec]) -> Result<(), FeatureError> {
    let mut names: Vec<String> = Vec::new();
    for spec in specs {
        spec.validate()?;
        for name in spec.column_names() {
            if names.contains(&name) {
                return Err(FeatureError::DuplicateColumn { name });
            }
            names.push(name);
        }
    }
    Ok(())
}

/// Checks a period.
pub(crate) const fn at_least(
    feature: &'static str,
    field: &'static str,
    minimum: usize,
    value: usize,
) -> Result<(), FeatureError> {
    if value < minimum { Err(FeatureError::TooShort { feature, field, minimum, value }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::checks::{check_error, check_names, parse};
    use super::*;

    #[test]
    fn columns_are_named_by_feature_and_period() {
        check_names(r#"{"simple_return":{"bars":1}}"#, &["simple_return_1"]);
        check_names(r#"{"log_return":{"bars":1}}"#, &["log_return_1"]);
        check_names(r#"{"volatility":{"bars":20}}"#, &["volatility_20"]);
        check_names(r#"{"sma":{"bars":20}}"#, &["sma_20"]);
        check_names(r#"{"sma_ratio":{"bars":20}}"#, &["sma_ratio_20"]);
        check_names(r#"{"ema":{"bars":20}}"#, &["ema_20"]);
        check_names(r#"{"rsi":{"bars":14}}"#, &["rsi_14"]);
        check_names(r#"{"rsi_cutler":{"bars":14}}"#, &["rsi_cutler_14"]);
        check_names(r#"{"atr":{"bars":14}}"#, &["atr_14"]);
        check_names(r#"{"volume_ratio":{"bars":20}}"#, &["volume_ratio_20"]);
        check_names(r#"{"z_score":{"bars":20}}"#, &["z_score_20"]);
    }

    #[test]
    fn as_renames_a_column() {
        check_names(r#"{"rsi":{"bars":14,"as":"strength"}}"#, &["strength"]);
    }

    #[test]
    fn periods_that_are_too_short_are_refused() {
        check_error(r#"{"rsi":{"bars":0}}"#, "`rsi`: bars must be at least `1`, was `0`");
        check_error(r#"{"volatility":{"bars":1}}"#, "`volatility`: bars must be at least `2`, was `1`");
        check_error(r#"{"z_score":{"bars":1}}"#, "`z_score`: bars must be at least `2`, was `1`");
    }

    #[test]
    fn a_name_of_the_tables_own_is_refused() {
        let message =
            "feature column must have a name other than `time` and `symbol`, was `time`; hint: change its `as`";
        check_error(r#"{"rsi":{"bars":14,"as":"time"}}"#, message);
    }

    #[test]
    fn two_columns_with_one_name_are_refused() {
        let specs = [r#"{"rsi":{"bars":14}}"#, r#"{"sma":{"bars":3,"as":"rsi_14"}}"#].map(parse);
        let message = "feature columns must have different names, found `rsi_14` twice; hint: rename one with `as`";
        assert_eq!(validate(&specs).expect_err("duplicate").to_string(), message);
    }

    #[test]
    fn a_misspelled_key_is_named() {
        let error = serde_json::from_str::<FeatureSpec>(r#"{"rsi":{"bars":14,"bar":3}}"#).expect_err("unknown key");
        assert!(error.to_string().contains("unknown field `bar`, expected `bars` or `as`"), "{error}");
        let error = serde_json::from_str::<FeatureSpec>(r#"{"rsy":{"bars":14}}"#).expect_err("unknown feature");
        assert!(error.to_string().contains("unknown variant `rsy`"), "{error}");
    }
}
