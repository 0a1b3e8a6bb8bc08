//! `forecasts.parquet`: one row per forecast and horizon, in the order in which they were known.

use tidegate_data::{Column, Table};
use tidegate_forecast::{Predictive, PredictiveShape};
use tidegate_market::Forecast;

use super::{Naming, floats, optional_floats, table, texts};
use crate::ExperimentError;
use crate::forecasting::{Statement, stated};

/// The central interval that is written beside each forecast.
const INTERVAL: f64 = 0.95;

/// Writes forecasts of which no more is known than a strategy sees.
pub(crate) fn forecasts(forecasts: &[Forecast], naming: Naming<'_>) -> Result<Table, ExperimentError> {
    let statement = |forecast: &Forecast| Statement {
        forecast: *forecast,
        shape: PredictiveShape::Normal,
        epistemic_variance: None,
        interval: None,
    };
    statements(&forecasts.iter().map(statement).collect::<Vec<_>>(), naming)
}

/// Writes forecasts with what their model says of the distribution.
pub(crate) fn statements(statements: &[Statement], naming: Naming<'_>) -> Result<Table, ExperimentError> {
    let ints = |value: fn(&Forecast) -> u32| {
        Column::Int(statements.iter().map(|statement| i64::from(value(&statement.forecast))).collect())
    };
    let intervals: Vec<Option<(f64, f64)>> = statements.iter().map(interval).collect();
    table(vec![
        ("time", naming.time(statements.iter().map(|statement| statement.forecast.time).collect())),
        ("symbol", texts(statements, |statement| naming.symbol(statement.forecast.instrument))),
        ("horizon_bars", ints(|forecast| forecast.horizon_bars)),
        ("mean", floats(statements, |statement| statement.forecast.mean)),
        ("volatility", optional_floats(statements, |statement| statement.forecast.variance.map(f64::sqrt))),
        ("fold", ints(|forecast| forecast.fold)),
        ("epistemic_volatility", optional_floats(statements, |statement| statement.epistemic_variance.map(f64::sqrt))),
        ("distribution", texts(statements, |statement| distribution_name(statement).to_owned())),
        ("degrees_of_freedom", optional_floats(statements, degrees_of_freedom)),
        ("lower_95", optional_floats(&intervals, |interval| interval.map(|(lower, _)| lower))),
        ("upper_95", optional_floats(&intervals, |interval| interval.map(|(_, upper)| upper))),
        ("interval_lower", optional_floats(statements, |statement| statement.interval.map(|interval| interval.lower))),
        ("interval_upper", optional_floats(statements, |statement| statement.interval.map(|interval| interval.upper))),
    ])
}

const fn distribution_name(statement: &Statement) -> &'static str {
    match (&statement.shape, statement.forecast.variance) {
        (PredictiveShape::Quantiles(_), _) => "quantiles",
        (_, None) => "point",
        (PredictiveShape::Normal, _) => "normal",
        (PredictiveShape::StudentT { .. }, _) => "student_t",
    }
}

const fn degrees_of_freedom(statement: &Statement) -> Option<f64> {
    match statement.shape {
        PredictiveShape::StudentT { degrees_of_freedom } => Some(degrees_of_freedom),
        _ => None,
    }
}

fn interval(statement: &Statement) -> Option<(f64, f64)> {
    let Forecast { mean, variance, .. } = statement.forecast;
    let prediction = Predictive { mean, variance, epistemic_variance: None, shape: statement.shape.clone() };
    let interval = stated(&prediction)?.interval(INTERVAL)?;
    Some((interval.lower, interval.upper))
}
