//! MACD in a config.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{at_least, outputs};
use crate::FeatureError;

/// A column of [`crate::FeatureSpec::Macd`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MacdOutput {
    /// Fast average minus slow average.
    Macd,
    /// The exponential average of that.
    Signal,
    /// Their difference.
    Histogram,
}

impl MacdOutput {
    /// Every output, in the default order.
    pub(crate) const ALL: [Self; 3] = [Self::Macd, Self::Signal, Self::Histogram];

    const fn name(self) -> &'static str {
        match self {
            Self::Macd => "macd",
            Self::Signal => "signal",
            Self::Histogram => "histogram",
        }
    }
}

/// The parameters of [`crate::FeatureSpec::Macd`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MacdSpec {
    /// The shorter average, in bars.
    pub fast: usize,
    /// The longer average, in bars.
    pub slow: usize,
    /// The average of the difference, in bars.
    pub signal: usize,
    /// The columns to make, in this order; all when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<MacdOutput>>,
    /// The name of the column, or `<name>_macd`, `<name>_signal`, `<name>_histogram` when there are several.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl MacdSpec {
    /// Returns the columns to make, in order.
    pub(crate) fn outputs(&self) -> &[MacdOutput] {
        self.outputs.as_deref().unwrap_or(&MacdOutput::ALL)
    }

    /// Checks the parameters.
    pub(super) fn validate(&self) -> Result<(), FeatureError> {
        at_least("macd", "fast", 1, self.fast)?;
        at_least("macd", "signal", 1, self.signal)?;
        if self.fast >= self.slow {
            return Err(FeatureError::FastNotBelowSlow { fast: self.fast, slow: self.slow });
        }
        outputs::check("macd", self.outputs(), MacdOutput::name)
    }

    /// Returns the warm-up in bars.
    pub(super) const fn lookback_bars(&self) -> usize {
        self.slow.saturating_add(self.signal).saturating_sub(2)
    }

    /// Returns the names of the columns, in order.
    pub(super) fn column_names(&self) -> Vec<String> {
        let parameters = format!("{}_{}_{}", self.fast, self.slow, self.signal);
        let default_name = |output: MacdOutput| match output {
            MacdOutput::Macd => format!("macd_{parameters}"),
            _ => format!("macd_{}_{parameters}", output.name()),
        };
        outputs::names(self.outputs(), self.name.as_deref(), MacdOutput::name, default_name)
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::checks::{check_error, check_names};

    #[test]
    fn columns_are_named_by_output_and_periods() {
        check_names(
            r#"{"macd":{"fast":12,"slow":26,"signal":9}}"#,
            &["macd_12_26_9", "macd_signal_12_26_9", "macd_histogram_12_26_9"],
        );
    }

    #[test]
    fn as_is_a_prefix_of_several_columns() {
        check_names(
            r#"{"macd":{"fast":12,"slow":26,"signal":9,"as":"trend"}}"#,
            &["trend_macd", "trend_signal", "trend_histogram"],
        );
    }

    #[test]
    fn periods_of_zero_are_refused() {
        check_error(r#"{"macd":{"fast":0,"slow":26,"signal":9}}"#, "`macd`: fast must be at least `1`, was `0`");
        check_error(r#"{"macd":{"fast":12,"slow":26,"signal":0}}"#, "`macd`: signal must be at least `1`, was `0`");
    }

    #[test]
    fn a_fast_average_that_is_not_below_the_slow_one_is_refused() {
        let message = "`macd`: fast must be below slow, was `26` with slow `12`";
        check_error(r#"{"macd":{"fast":26,"slow":12,"signal":9}}"#, message);
        let message = "`macd`: fast must be below slow, was `12` with slow `12`";
        check_error(r#"{"macd":{"fast":12,"slow":12,"signal":9}}"#, message);
    }

    #[test]
    fn a_list_of_no_outputs_is_refused() {
        let message =
            "`macd`: outputs must name at least one output and none twice, was ``; hint: leave `outputs` out for all";
        check_error(r#"{"macd":{"fast":12,"slow":26,"signal":9,"outputs":[]}}"#, message);
    }
}
