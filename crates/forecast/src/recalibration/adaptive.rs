//! Conformal intervals that learn from their misses.

use std::collections::VecDeque;

use super::conformal::{conformal_quantile, ensure_coverage, scores};
use super::{ConformalScore, Interval};
use crate::{ForecastError, Predictive};

/// The settings of [`AdaptiveConformal`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveSettings {
    /// The share of labels that intervals should hold, in (0, 1).
    pub coverage: f64,
    /// How far a label is from its forecast.
    pub score: ConformalScore,
    /// How far a single label moves the level, `gamma`, in (0, 1).
    pub step: f64,
    /// How many of the latest scores widths are taken from, at least 1; `None` keeps all.
    pub window: Option<usize>,
}

/// Adaptive conformal intervals (Gibbs and Candes, "Adaptive conformal inference under distribution shift", 2021): like
/// [`super::SplitConformal`], at a miss rate that falls with every label outside its interval and rises with every one inside:
/// `alpha' = alpha + gamma (1 - coverage - 1{y outside})`.
///
/// Whatever the labels, after `n` of them the share outside differs from `1 - coverage` by at most
/// `(max(coverage, 1 - coverage) + (d + 1) gamma) / (gamma n)`, where `d` forecasts at most are made between one and its label.
#[derive(Debug, Clone)]
pub struct AdaptiveConformal {
    settings: AdaptiveSettings,
    /// `alpha`, which may leave `[0, 1]`: below it intervals are the whole line, above it there are none.
    miss_rate: f64,
    /// From the oldest to the latest.
    recent: VecDeque<f64>,
    sorted: Vec<f64>,
}

impl AdaptiveConformal {
    /// Starts at the asked coverage, with the scores of forecasts whose labels are known, the oldest first.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for a setting outside its range, [`ForecastError::NotFinite`] for a score that is not finite.
    pub fn new<'a>(
        settings: AdaptiveSettings,
        known: impl IntoIterator<Item = (&'a Predictive, f64)>,
    ) -> Result<Self, ForecastError> {
        settings.validate()?;
        let mut adaptive =
            Self { settings, miss_rate: 1.0 - settings.coverage, recent: VecDeque::new(), sorted: Vec::new() };
        for score in scores(settings.score, known)? {
            adaptive.remember(score);
        }
        Ok(adaptive)
    }

    /// Returns the interval around a forecast made now; `None` when the score needs a variance and the forecast states none, or
    /// when intervals held so many labels that none is due.
    pub fn interval(&self, forecast: &Predictive) -> Option<Interval> {
        let quantile = conformal_quantile(&self.sorted, 1.0 - self.miss_rate)?;
        self.settings.score.within(forecast, quantile)
    }

    /// Learns the label of an earlier forecast with the interval that was given then. A forecast without a score teaches nothing.
    ///
    /// # Errors
    /// [`ForecastError::NotFinite`] for a score that is not finite.
    pub fn observe(&mut self, forecast: &Predictive, given: Option<Interval>, label: f64) -> Result<(), ForecastError> {
        for score in scores(self.settings.score, [(forecast, label)])? {
            let missed = given.is_none_or(|interval| !interval.contains(label));
            let excess = 1.0 - self.settings.coverage - if missed { 1.0 } else { 0.0 };
            self.miss_rate += self.settings.step * excess;
            self.remember(score);
        }
        Ok(())
    }

    /// Returns the miss rate at which the next interval is given, `alpha`.
    pub const fn miss_rate(&self) -> f64 {
        self.miss_rate
    }

    fn remember(&mut self, score: f64) {
        self.recent.push_back(score);
        let place = self.sorted.partition_point(|&other| other < score);
        self.sorted.insert(place, score);
        if self.settings.window.is_some_and(|window| self.recent.len() > window) {
            let oldest = self.recent.pop_front().expect("a score was just remembered");
            let place = self.sorted.partition_point(|&other| other < oldest);
            self.sorted.remove(place);
        }
    }
}

impl AdaptiveSettings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`ForecastError::Range`] for one outside its range.
    pub fn validate(&self) -> Result<(), ForecastError> {
        ensure_coverage(self.coverage)?;
        if !(self.step > 0.0 && self.step < 1.0) {
            let value = self.step.to_string();
            return Err(ForecastError::Range { name: "step", rule: "in (0, 1)".to_owned(), value });
        }
        if self.window == Some(0) {
            let value = "0".to_owned();
            return Err(ForecastError::Range { name: "window", rule: "at least 1".to_owned(), value });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::PredictiveShape;
    use crate::fixture::normals;

    const FORECAST: Predictive =
        Predictive { mean: 0.0, variance: Some(1.0), epistemic_variance: None, shape: PredictiveShape::Normal };

    fn settings(coverage: f64, step: f64, window: Option<usize>) -> AdaptiveSettings {
        AdaptiveSettings { coverage, score: ConformalScore::Absolute, step, window }
    }

    /// Which labels lie outside intervals that learn each label `delay` forecasts after its own.
    fn missed(mut adaptive: AdaptiveConformal, labels: &[f64], delay: usize) -> Vec<bool> {
        let mut given = Vec::new();
        let mut missed = Vec::new();
        for (place, _) in labels.iter().enumerate() {
            if let Some(known) = place.checked_sub(delay + 1) {
                adaptive.observe(&FORECAST, given[known], labels[known]).expect("finite");
            }
            let interval = adaptive.interval(&FORECAST);
            missed.push(interval.is_none_or(|interval| !interval.contains(labels[place])));
            given.push(interval);
        }
        missed
    }

    fn share(missed: &[bool]) -> f64 {
        missed.iter().filter(|missed| **missed).count() as f64 / missed.len() as f64
    }

    #[test]
    fn the_miss_rate_follows_the_labels() {
        // Coverage 0.75, step 0.1, scores 1 to 3: rank ceil(4 * 0.75) = 3. A label outside: 0.25 + 0.1 (0.25 - 1) = 0.175, and
        // with it four scores: rank ceil(5 * 0.825) = 5 is beyond. A label inside: 0.175 + 0.025 = 0.2, rank ceil(6 * 0.8) = 5.
        let known = [1.0, 2.0, 3.0].map(|label| (&FORECAST, label));
        let mut adaptive = AdaptiveConformal::new(settings(0.75, 0.1, None), known).expect("fits");
        let first = adaptive.interval(&FORECAST);
        assert_eq!(first, Some(Interval { lower: -3.0, upper: 3.0 }));
        adaptive.observe(&FORECAST, first, -4.0).expect("finite");
        assert!((adaptive.miss_rate() - 0.175).abs() < 1e-15);
        let second = adaptive.interval(&FORECAST);
        assert_eq!(second.map(|interval| interval.upper), Some(f64::INFINITY));
        adaptive.observe(&FORECAST, second, 0.5).expect("finite");
        assert!((adaptive.miss_rate() - 0.2).abs() < 1e-15);
        assert_eq!(adaptive.interval(&FORECAST).map(|interval| interval.upper), Some(4.0));
    }

    #[test]
    fn only_the_latest_scores_are_kept() {
        let known = [9.0, 1.0, 2.0, 2.0].map(|label| (&FORECAST, label));
        let mut adaptive = AdaptiveConformal::new(settings(0.5, 0.01, Some(3)), known).expect("fits");
        assert_eq!(adaptive.sorted, [1.0, 2.0, 2.0]);
        adaptive.observe(&FORECAST, None, 7.0).expect("finite");
        assert_eq!((&adaptive.sorted[..], adaptive.recent.len()), (&[2.0, 2.0, 7.0][..], 3));
    }

    #[test]
    fn a_forecast_without_a_score_teaches_nothing() {
        let settings = AdaptiveSettings { score: ConformalScore::Standardised, ..settings(0.5, 0.1, None) };
        let mut adaptive = AdaptiveConformal::new(settings, [(&FORECAST, 1.0)]).expect("fits");
        let vague = Predictive { variance: None, ..FORECAST };
        assert_eq!(adaptive.interval(&vague), None);
        adaptive.observe(&vague, None, 100.0).expect("nothing to learn");
        assert_eq!((adaptive.miss_rate(), adaptive.sorted.len()), (0.5, 1));
    }

    #[test]
    fn drifting_labels_are_covered_where_a_fixed_interval_fails() {
        // The deviation rises from 1 to 5. The start's 90 % interval misses more and more; the adaptive one 10 % within its bound
        // (0.9 + 0.02) / (0.02 * 6000) = 0.0077 on the whole, and within (1 + 2 * 0.02) / (0.02 * 2000) = 0.026 in the last third.
        let labels: Vec<f64> = normals(23, 6500)
            .into_iter()
            .enumerate()
            .map(|(place, normal)| normal * (1.0 + 4.0 * place.saturating_sub(500) as f64 / 6000.0))
            .collect();
        let (known, coming) = labels.split_at(500);
        let known = || known.iter().map(|&label| (&FORECAST, label));
        let fixed = super::super::SplitConformal::fit(0.9, ConformalScore::Absolute, known()).expect("fits");
        let fixed = fixed.interval(&FORECAST).expect("an interval");
        let failed = coming.iter().filter(|&&label| !fixed.contains(label)).count() as f64 / 6000.0;
        assert!(failed > 0.4, "{failed}");
        let adaptive = AdaptiveConformal::new(settings(0.9, 0.02, Some(500)), known()).expect("fits");
        let missed = missed(adaptive, coming, 0);
        let [whole, last] = [share(&missed), share(&missed[4000..])];
        assert!((whole - 0.1).abs() < 0.0077 && (last - 0.1).abs() < 0.026, "{whole} {last}");
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let message = |settings| AdaptiveConformal::new(settings, []).expect_err("refused").to_string();
        assert_eq!(message(settings(0.0, 0.1, None)), "coverage must be in (0, 1), was `0`");
        assert_eq!(message(settings(0.9, 0.0, None)), "step must be in (0, 1), was `0`");
        assert_eq!(message(settings(0.9, 0.1, Some(0))), "window must be at least 1, was `0`");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

        #[test]
        fn no_labels_whatever_take_the_coverage_out_of_its_bound(
            labels in prop::collection::vec(prop_oneof![-1.0..1.0_f64, -1e3..1e3_f64, Just(0.0)], 20..400),
            coverage in 0.05..0.95_f64,
            step in 0.005..0.5_f64,
            window in prop::option::of(1_usize..50),
            delay in 0_usize..6,
        ) {
            let adaptive = AdaptiveConformal::new(settings(coverage, step, window), []).expect("in range");
            let share = share(&missed(adaptive, &labels, delay));
            // What is still unknown at the end, `delay` labels and the last, counts against the bound as well.
            let count = labels.len() as f64;
            let reach = coverage.max(1.0 - coverage) + (delay + 1) as f64 * step;
            let bound = reach / (step * count) + (delay + 1) as f64 / count;
            prop_assert!((share - (1.0 - coverage)).abs() <= bound + 1e-12, "{} {}", share, bound);
        }
    }
}
