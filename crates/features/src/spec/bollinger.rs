//! Bollinger bands in a config.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{at_least, outputs};
use crate::FeatureError;

/// A column of [`crate::FeatureSpec::Bollinger`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BollingerOutput {
    /// The mean plus `width` deviations.
    Upper,
    /// The mean.
    Middle,
    /// The mean minus `width` deviations.
    Lower,
    /// The close's place between the bands: 0 on the lower, 1 on the upper.
    PercentB,
    /// The distance between the bands over the mean.
    Bandwidth,
}

impl BollingerOutput {
    /// Every output, in the default order.
    pub(crate) const ALL: [Self; 5] = [Self::Upper, Self::Middle, Self::Lower, Self::PercentB, Self::Bandwidth];

    const fn name(self) -> &'static str {
        match self {
            Self::Upper => "upper",
            Self::Middle => "middle",
            Self::Lower => "lower",
            Self::PercentB => "percent_b",
            Self::Bandwidth => "bandwidth",
        }
    }
}

/// The parameters of [`crate::FeatureSpec::Bollinger`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BollingerSpec {
    /// The period of mean and deviation.
    pub bars: usize,
    /// The distance of a band from the mean, in population standard deviations.
    pub width: f64,
    /// The columns to make, in this order; all when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<BollingerOutput>>,
    /// The name of the column, or `<name>_upper` and so on when there are several.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl BollingerSpec {
    /// Returns the columns to make, in order.
    pub(crate) fn outputs(&self) -> &[BollingerOutput] {
        self.outputs.as_deref().unwrap_or(&BollingerOutput::ALL)
    }

    /// Checks the parameters.
    pub(super) fn validate(&self) -> Result<(), FeatureError> {
        at_least("bollinger", "bars", 1, self.bars)?;
        if !self.width.is_finite() || self.width <= 0.0 {
            return Err(FeatureError::Width { value: self.width });
        }
        outputs::check("bollinger", self.outputs(), BollingerOutput::name)
    }

    /// Returns the warm-up in bars.
    pub(super) const fn lookback_bars(&self) -> usize {
        self.bars.saturating_sub(1)
    }

    /// Returns the names of the columns, in order.
    pub(super) fn column_names(&self) -> Vec<String> {
        let default_name =
            |output: BollingerOutput| format!("bollinger_{}_{}_{}", output.name(), self.bars, self.width);
        outputs::names(self.outputs(), self.name.as_deref(), BollingerOutput::name, default_name)
    }
}

#[cfg(test)]
mod tests {
    use crate::spec::checks::{check_error, check_names};

    #[test]
    fn columns_are_named_by_output_and_parameters() {
        check_names(
            r#"{"bollinger":{"bars":20,"width":2.0}}"#,
            &[
                "bollinger_upper_20_2",
                "bollinger_middle_20_2",
                "bollinger_lower_20_2",
                "bollinger_percent_b_20_2",
                "bollinger_bandwidth_20_2",
            ],
        );
        check_names(
            r#"{"bollinger":{"bars":20,"width":2.5,"outputs":["bandwidth","percent_b"]}}"#,
            &["bollinger_bandwidth_20_2.5", "bollinger_percent_b_20_2.5"],
        );
    }

    #[test]
    fn as_is_the_name_of_one_column_and_a_prefix_of_several() {
        check_names(r#"{"bollinger":{"bars":20,"width":2.0,"outputs":["percent_b"],"as":"place"}}"#, &["place"]);
        check_names(
            r#"{"bollinger":{"bars":20,"width":2.0,"outputs":["percent_b","bandwidth"],"as":"band"}}"#,
            &["band_percent_b", "band_bandwidth"],
        );
    }

    #[test]
    fn a_period_or_width_of_zero_is_refused() {
        check_error(r#"{"bollinger":{"bars":0,"width":2}}"#, "`bollinger`: bars must be at least `1`, was `0`");
        check_error(r#"{"bollinger":{"bars":20,"width":0}}"#, "`bollinger`: width must be finite and above 0, was `0`");
    }

    #[test]
    fn an_output_named_twice_is_refused() {
        let json = r#"{"bollinger":{"bars":20,"width":2,"outputs":["upper","upper"]}}"#;
        let message = "`bollinger`: outputs must name at least one output and none twice, was `upper, upper`; hint: leave `outputs` out for all";
        check_error(json, message);
    }
}
