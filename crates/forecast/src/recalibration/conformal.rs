//! Intervals that hold as many labels as they say, whatever the distribution.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ForecastError, Predictive};

/// An interval of the target's values, ends included. Without enough known labels for its coverage it is the whole line, from
/// minus to plus infinity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end, in the target's units.
    pub lower: f64,
    /// The upper end, in the target's units.
    pub upper: f64,
}

impl Interval {
    /// Returns whether a value lies in the interval.
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }
}

/// How far a label is from its forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConformalScore {
    /// `|y - mean|`: intervals of one width.
    Absolute,
    /// `|y - mean| / sqrt(variance)`: intervals as wide as the forecaster's own uncertainty; none where it states none.
    Standardised,
}

impl ConformalScore {
    /// What a score of 1 is worth, in the target's units.
    fn unit(self, forecast: &Predictive) -> Option<f64> {
        match self {
            Self::Absolute => Some(1.0),
            Self::Standardised => forecast.variance.map(f64::sqrt),
        }
    }

    /// Returns a label's score; `None` without a variance to standardise by.
    pub(super) fn of(self, forecast: &Predictive, label: f64) -> Option<f64> {
        Some((label - forecast.mean).abs() / self.unit(forecast)?)
    }

    /// Returns the values whose score is at most the given one.
    pub(super) fn within(self, forecast: &Predictive, score: f64) -> Option<Interval> {
        let reach = score * self.unit(forecast)?;
        Some(Interval { lower: forecast.mean - reach, upper: forecast.mean + reach })
    }
}

/// Returns the scores of forecasts with known labels, in their order.
///
/// # Errors
/// [`ForecastError::NotFinite`] for a score that is not.
pub(super) fn scores<'a>(
    score: ConformalScore,
    known: impl IntoIterator<Item = (&'a Predictive, f64)>,
) -> Result<Vec<f64>, ForecastError> {
    let scores = known.into_iter().filter_map(|(forecast, label)| score.of(forecast, label));
    let finite = |value: f64| {
        if value.is_finite() {
            return Ok(value);
        }
        Err(ForecastError::NotFinite { what: "a conformal score".to_owned(), value })
    };
    scores.map(finite).collect()
}

/// Returns the `ceil((n + 1) coverage)`-th smallest of `n` sorted scores, which a further, exchangeable score does not exceed with
/// at least that probability: infinite beyond the largest, `None` when even the smallest is too much.
pub(super) fn conformal_quantile(sorted: &[f64], coverage: f64) -> Option<f64> {
    // A whole number must not be rounded up because of its last bit.
    let rank = ((sorted.len() + 1) as f64 * coverage * (1.0 - 1e-12)).ceil();
    if rank < 1.0 {
        return None;
    }
    Some(sorted.get(rank as usize - 1).copied().unwrap_or(f64::INFINITY))
}

/// Split conformal intervals: as wide as the scores of forecasts with known labels say (Papadopoulos, Proedrou, Vovk and
/// Gammerman, "Inductive confidence machines for regression", 2002; Lei, G'Sell, Rinaldo, Tibshirani and Wasserman,
/// "Distribution-free predictive inference for regression", 2018).
///
/// If past and future scores are exchangeable, an interval holds its label with a probability of at least `coverage`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitConformal {
    score: ConformalScore,
    /// Half an interval's width in units of the score.
    quantile: f64,
}

impl SplitConformal {
    /// Takes the quantile from forecasts and their labels.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for a coverage outside (0, 1), [`ForecastError::NotFinite`] for a score that is not finite.
    pub fn fit<'a>(
        coverage: f64,
        score: ConformalScore,
        known: impl IntoIterator<Item = (&'a Predictive, f64)>,
    ) -> Result<Self, ForecastError> {
        ensure_coverage(coverage)?;
        let mut sorted = scores(score, known)?;
        sorted.sort_unstable_by(f64::total_cmp);
        let quantile = conformal_quantile(&sorted, coverage).expect("a coverage above 0 has a rank of at least 1");
        Ok(Self { score, quantile })
    }

    /// Returns the interval around a forecast; `None` when the score needs a variance and the forecast states none.
    pub fn interval(&self, forecast: &Predictive) -> Option<Interval> {
        self.score.within(forecast, self.quantile)
    }
}

pub(super) fn ensure_coverage(coverage: f64) -> Result<(), ForecastError> {
    if coverage > 0.0 && coverage < 1.0 {
        return Ok(());
    }
    Err(ForecastError::Range { name: "coverage", rule: "in (0, 1)".to_owned(), value: coverage.to_string() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::PredictiveShape;
    use crate::fixture::normals;

    fn normal(mean: f64, variance: Option<f64>) -> Predictive {
        Predictive { mean, variance, epistemic_variance: None, shape: PredictiveShape::Normal }
    }

    #[test]
    fn the_rank_counts_the_coming_score_too() {
        // Nine scores: ceil(10 * 0.8) = 8, ceil(10 * 0.81) = 9, ceil(10 * 0.91) = 10 is beyond, ceil(10 * 0) = 0 is none.
        let sorted: Vec<f64> = (1..10).map(f64::from).collect();
        assert_eq!(conformal_quantile(&sorted, 0.8), Some(8.0));
        assert_eq!(conformal_quantile(&sorted, 0.81), Some(9.0));
        assert_eq!(conformal_quantile(&sorted, 0.91), Some(f64::INFINITY));
        assert_eq!(conformal_quantile(&sorted, 0.0), None);
        assert_eq!(conformal_quantile(&sorted, -0.3), None);
        assert_eq!(conformal_quantile(&[], 0.5), Some(f64::INFINITY));
        // 100 * 0.55 is 55.00000000000001 in floating point, and the rank is 55.
        let sorted: Vec<f64> = (1..100).map(f64::from).collect();
        assert_eq!(conformal_quantile(&sorted, 0.55), Some(55.0));
    }

    #[test]
    fn intervals_are_as_wide_as_the_score_says() {
        // Residuals 1, 2, 3 of deviations 1, 2, 1: standardised 1, 1, 3. At coverage 0.75 the rank is 3.
        let forecasts = [normal(0.0, Some(1.0)), normal(0.0, Some(4.0)), normal(0.0, Some(1.0))];
        let known = || forecasts.iter().zip([1.0, -2.0, 3.0]);
        let absolute = SplitConformal::fit(0.75, ConformalScore::Absolute, known()).expect("fits");
        assert_eq!(absolute.interval(&normal(5.0, None)), Some(Interval { lower: 2.0, upper: 8.0 }));
        let standardised = SplitConformal::fit(0.75, ConformalScore::Standardised, known()).expect("fits");
        assert_eq!(standardised.interval(&normal(5.0, Some(4.0))), Some(Interval { lower: -1.0, upper: 11.0 }));
        assert_eq!(standardised.interval(&normal(5.0, None)), None);
        let half = SplitConformal::fit(0.5, ConformalScore::Standardised, known()).expect("fits");
        assert_eq!(half.interval(&normal(5.0, Some(4.0))), Some(Interval { lower: 3.0, upper: 7.0 }));
    }

    #[test]
    fn too_few_labels_give_the_whole_line() {
        let split = SplitConformal::fit(0.9, ConformalScore::Absolute, []).expect("nothing to fit");
        let line = split.interval(&normal(5.0, None)).expect("an interval");
        assert!(line.contains(f64::MAX) && line.contains(f64::MIN));
    }

    #[test]
    fn settings_and_labels_out_of_range_are_named() {
        let error = SplitConformal::fit(1.0, ConformalScore::Absolute, []).expect_err("refused").to_string();
        assert_eq!(error, "coverage must be in (0, 1), was `1`");
        let known = [(&normal(0.0, None), f64::NAN)];
        let error = SplitConformal::fit(0.9, ConformalScore::Absolute, known).expect_err("refused").to_string();
        assert_eq!(error, "a conformal score must be finite, was `NaN`");
    }

    #[test]
    fn heavy_tails_are_covered_where_a_normal_interval_is_not_right() {
        // 4,000 times 39 known labels and a new one, cubes of normal numbers: 36 of 40 are at least 0.9, within four binomial
        // deviations sqrt(0.9 * 0.1 / 4000) = 0.0047. At 1.645 deviations sqrt(15) a normal interval would hold 93.6 %.
        let numbers: Vec<f64> = normals(17, 160_000).iter().map(|number| number.powi(3)).collect();
        let forecast = normal(0.0, None);
        let hits = numbers.chunks(40).filter(|trial| {
            let known = trial[..39].iter().map(|&label| (&forecast, label));
            let split = SplitConformal::fit(0.9, ConformalScore::Absolute, known).expect("fits");
            split.interval(&forecast).expect("an interval").contains(trial[39])
        });
        let coverage = hits.count() as f64 / 4000.0;
        assert!((coverage - 0.9).abs() < 4.0 * 0.0047, "{coverage}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn of_all_that_could_come_last_the_promised_share_is_covered(
            labels in prop::collection::hash_set(1_u32..1_000_000, 2..60),
            coverage in 0.02..0.98_f64,
        ) {
            // Exchangeable labels: each is the last one equally often. With distinct scores exactly the rank's share is covered.
            let labels: Vec<f64> = labels.into_iter().map(f64::from).collect();
            let forecast = normal(0.0, None);
            let covered = (0..labels.len()).filter(|&last| {
                let others = labels.iter().enumerate().filter(|(place, _)| *place != last);
                let known = others.map(|(_, &label)| (&forecast, label));
                let split = SplitConformal::fit(coverage, ConformalScore::Absolute, known).expect("fits");
                split.interval(&forecast).expect("an interval").contains(labels[last])
            });
            let rank = (labels.len() as f64 * coverage).ceil() as usize;
            prop_assert_eq!(covered.count(), rank);
        }
    }
}
