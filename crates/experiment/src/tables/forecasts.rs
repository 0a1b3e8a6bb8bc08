//! `forecasts.parquet`: one row per forecast, in the order in which they were known.

use tidegate_data::{Column, Table};
use tidegate_market::Forecast;

use super::{Naming, floats, optional_floats, table, texts};
use crate::ExperimentError;

pub(crate) fn forecasts(forecasts: &[Forecast], naming: Naming<'_>) -> Result<Table, ExperimentError> {
    let ints = |value: fn(&Forecast) -> u32| Column::Int(forecasts.iter().map(|f| i64::from(value(f))).collect());
    table(vec![
        ("time", naming.time(forecasts.iter().map(|forecast| forecast.time).collect())),
        ("symbol", texts(forecasts, |forecast| naming.symbol(forecast.instrument))),
        ("horizon_bars", ints(|forecast| forecast.horizon_bars)),
        ("mean", floats(forecasts, |forecast| forecast.mean)),
        ("volatility", optional_floats(forecasts, |forecast| forecast.variance.map(f64::sqrt))),
        ("fold", ints(|forecast| forecast.fold)),
    ])
}
