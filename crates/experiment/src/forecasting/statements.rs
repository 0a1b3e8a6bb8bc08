//! Forecasts as they leave the forecasting river: each with its time, its distribution and its interval.

use tidegate_forecast::{Interval, Predictive, PredictiveShape};
use tidegate_market::{Forecast, InstrumentId, Timestamp};

use super::{FoldOutcome, ForecastOutcome};

/// A forecast with everything that its model says.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What a strategy sees of it.
    pub forecast: Forecast,
    /// The form of the distribution.
    pub shape: PredictiveShape,
    /// The part of the variance that comes from disagreement between members.
    pub epistemic_variance: Option<f64>,
    /// The interval that a recalibration states.
    pub interval: Option<Interval>,
}

/// A test block of a path: the fold that forecasts it, and when the first and the last of its forecasts are known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathSpan {
    pub(crate) fold: u32,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

impl ForecastOutcome {
    /// Puts the predictions of all folds into the order in which they were known, and strings them together to paths.
    pub(crate) fn state(&mut self) {
        let mut statements: Vec<Statement> =
            self.folds.iter().flat_map(|fold| fold_statements(fold, &self.horizon_bars)).collect();
        statements.sort_by_key(|Statement { forecast, .. }| {
            (forecast.known_time, forecast.instrument, forecast.horizon_bars, forecast.fold)
        });
        let nearest = self.horizon_bars[0];
        let path = |spans: &Vec<PathSpan>| {
            let on_path = |forecast: &Forecast| {
                let within = |span: &PathSpan| (span.first..=span.last).contains(&forecast.known_time);
                let by_fold = |span: &PathSpan| span.fold == forecast.fold && within(span);
                forecast.horizon_bars == nearest && spans.iter().any(by_fold)
            };
            statements.iter().map(|statement| statement.forecast).filter(on_path).collect()
        };
        self.paths = self.path_spans.iter().map(path).collect();
        self.statements = statements;
    }
}

fn fold_statements(fold: &FoldOutcome, horizon_bars: &[u32]) -> Vec<Statement> {
    let horizons = horizon_bars.len();
    let statement = |(place, prediction): (usize, &Predictive)| {
        let (sample, horizon) = (place / horizons, place % horizons);
        Statement {
            forecast: Forecast {
                instrument: InstrumentId(fold.samples[sample].series),
                time: fold.time[sample],
                known_time: fold.known_time[sample],
                horizon_bars: horizon_bars[horizon],
                mean: prediction.mean,
                variance: prediction.variance,
                fold: fold.fold.index,
            },
            shape: prediction.shape.clone(),
            epistemic_variance: prediction.epistemic_variance,
            interval: fold.intervals.get(place).copied().flatten(),
        }
    };
    fold.predictions.iter().enumerate().map(statement).collect()
}
