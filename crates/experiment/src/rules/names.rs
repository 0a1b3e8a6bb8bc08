//! The names that an expression may use.

use tidegate_backtest::strategies::rules::{BarField, LiveField, Number};
use tidegate_features::FeatureSpec;

use crate::config::nearest;

/// Names that are known without `[features]`, by what they belong to.
const BUILT_IN: [(&str, &[(&str, Number)]); 4] = [
    (
        "the bar's",
        &[
            ("open", Number::Bar(BarField::Open)),
            ("high", Number::Bar(BarField::High)),
            ("low", Number::Bar(BarField::Low)),
            ("close", Number::Bar(BarField::Close)),
            ("volume", Number::Bar(BarField::Volume)),
        ],
    ),
    (
        "the forecast's",
        &[
            ("forecast_mean", Number::Live(LiveField::ForecastMean)),
            ("forecast_volatility", Number::Live(LiveField::ForecastVolatility)),
        ],
    ),
    (
        "the position's",
        &[
            ("position", Number::Live(LiveField::Position)),
            ("entry_price", Number::Live(LiveField::EntryPrice)),
            ("bars_held", Number::Live(LiveField::BarsHeld)),
            ("unrealized_pnl", Number::Live(LiveField::UnrealizedPnl)),
        ],
    ),
    ("the account's", &[("equity", Number::Live(LiveField::Equity))]),
];

/// Returns whether a name is known without `[features]`.
pub(crate) fn is_built_in(name: &str) -> bool {
    built_in(name).is_some()
}

fn built_in(name: &str) -> Option<Number> {
    let mut known = BUILT_IN.iter().flat_map(|(_, fields)| fields.iter());
    known.find(|(known, _)| *known == name).map(|(_, number)| number.clone())
}

/// The names that an expression may use: the built-in ones and the columns of `[features]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    columns: Vec<String>,
}

impl Names {
    /// Takes over the columns of features, in their order.
    pub(crate) fn new(features: &[FeatureSpec]) -> Self {
        Self { columns: features.iter().flat_map(FeatureSpec::column_names).collect() }
    }

    /// Returns the number that a name stands for.
    pub(super) fn number(&self, name: &str) -> Option<Number> {
        let column = || self.columns.iter().position(|column| column == name).map(Number::Feature);
        built_in(name).or_else(column)
    }

    /// Returns what to do about a name that is not known.
    pub(super) fn hint(&self, name: &str) -> String {
        let fields = BUILT_IN.iter().flat_map(|(_, fields)| fields.iter().map(|(name, _)| *name));
        let first = missing_feature(name)
            .map(|feature| format!("add `{feature}` to `features.columns`; "))
            .or_else(|| {
                let known = self.columns.iter().map(String::as_str).chain(fields);
                nearest(name, known).map(|name| format!("did you mean `{name}`? "))
            })
            .unwrap_or_default();
        format!("{first}{}", self.known())
    }

    /// Lists every name.
    fn known(&self) -> String {
        let list = |names: &mut dyn Iterator<Item = &str>| {
            names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        let columns = if self.columns.is_empty() {
            "`[features]` has no columns".to_owned()
        } else {
            format!("`[features]` has {}", list(&mut self.columns.iter().map(String::as_str)))
        };
        let groups = BUILT_IN
            .iter()
            .map(|(group, fields)| format!("{group} names are {}", list(&mut fields.iter().map(|(name, _)| *name))));
        std::iter::once(columns).chain(groups).collect::<Vec<_>>().join("; ")
    }
}

/// Returns how the config asks for a column of this name, where it is the usual name of a feature with one period.
pub(super) fn missing_feature(name: &str) -> Option<String> {
    let (feature, bars) = name.rsplit_once('_')?;
    let bars: u32 = bars.parse().ok()?;
    let spec = serde_json::json!({ feature: { "bars": bars } });
    let spec: FeatureSpec = serde_json::from_value(spec).ok()?;
    (spec.validate().is_ok() && spec.column_names() == [name]).then(|| format!("{{ {feature} = {{ bars = {bars} }} }}"))
}
