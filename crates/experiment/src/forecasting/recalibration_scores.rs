//! What a recalibration did: how many outcomes its intervals hold, and how wide they are.

use serde::Serialize;
use tidegate_forecast::{Interval, Recalibration};

use super::{FoldOutcome, ForecastOutcome};

/// A recalibration at one horizon, over all test samples; what it does not state is null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RecalibrationScores {
    /// How many bars ahead the horizon reaches.
    pub horizon_bars: u32,
    /// The share of outcomes that its intervals should hold.
    pub coverage_stated: Option<f64>,
    /// The share that they hold.
    pub coverage: Option<f64>,
    /// The mean width of those that are bounded, in the target's units.
    pub mean_width: Option<f64>,
    /// Outcomes held against an interval.
    pub count: usize,
    /// Of those, how many against the whole line, for want of known labels.
    pub unbounded: usize,
    /// The smallest factor of any fold on the variances.
    pub variance_factor_min: Option<f64>,
    /// The largest.
    pub variance_factor_max: Option<f64>,
}

impl RecalibrationScores {
    pub(super) fn of(recalibration: Recalibration, outcome: &ForecastOutcome) -> Vec<Self> {
        let coverage_stated = match recalibration {
            Recalibration::None {} => return Vec::new(),
            Recalibration::VarianceScaling {} => None,
            Recalibration::SplitConformal { coverage, .. } | Recalibration::AdaptiveConformal { coverage, .. } => {
                Some(coverage)
            }
        };
        let of_horizon = |(horizon, &horizon_bars): (usize, &u32)| {
            let factors = || outcome.folds.iter().filter_map(|fold| fold.variance_factors.get(horizon)).copied();
            let horizons = outcome.horizon_bars.len();
            let pairs: Vec<(Interval, f64)> =
                outcome.folds.iter().flat_map(|fold| intervals(fold, horizon, horizons)).collect();
            Self {
                horizon_bars,
                coverage_stated,
                variance_factor_min: factors().reduce(f64::min),
                variance_factor_max: factors().reduce(f64::max),
                ..held(&pairs)
            }
        };
        outcome.horizon_bars.iter().enumerate().map(of_horizon).collect()
    }
}

/// Returns the intervals of a fold at a horizon, each with what came true.
fn intervals(fold: &FoldOutcome, horizon: usize, horizons: usize) -> impl Iterator<Item = (Interval, f64)> {
    let pairs = fold.intervals.iter().zip(&fold.actual).skip(horizon).step_by(horizons);
    pairs.filter_map(|(interval, actual)| interval.zip(*actual))
}

/// Counts the outcomes inside their intervals.
fn held(pairs: &[(Interval, f64)]) -> RecalibrationScores {
    let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
    let inside = pairs.iter().filter(|(interval, actual)| interval.contains(*actual)).count();
    let widths: Vec<f64> =
        pairs.iter().map(|(interval, _)| interval.upper - interval.lower).filter(|width| width.is_finite()).collect();
    RecalibrationScores {
        horizon_bars: 0,
        coverage_stated: None,
        coverage: share(inside, pairs.len()),
        mean_width: (!widths.is_empty()).then(|| widths.iter().sum::<f64>() / widths.len() as f64),
        count: pairs.len(),
        unbounded: pairs.len() - widths.len(),
        variance_factor_min: None,
        variance_factor_max: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_without_bounds_holds_everything_and_has_no_width() {
        let whole = Interval { lower: f64::NEG_INFINITY, upper: f64::INFINITY };
        let pairs = [
            (Interval { lower: -1.0, upper: 1.0 }, 0.5),
            (Interval { lower: -1.0, upper: 2.0 }, 2.5),
            (Interval { lower: 0.0, upper: 1.0 }, 1.0),
            (whole, 9.0),
        ];
        // Three of four are inside, ends included; the bounded widths are 2, 3 and 1.
        let found = held(&pairs);
        assert_eq!((found.coverage, found.mean_width), (Some(0.75), Some(2.0)));
        assert_eq!((found.count, found.unbounded), (4, 1));
    }

    #[test]
    fn no_outcome_gives_no_coverage() {
        assert_eq!((held(&[]).coverage, held(&[]).mean_width), (None, None));
    }
}
