//! The one-bar returns that a forecaster of volatility reads, at the row where each became known.

use std::sync::Arc;

use crate::{Panel, Sample};

/// The one-bar log returns of every series of a panel.
///
/// It can only be asked what a sample knows, so nothing that reads it can look ahead.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReturnHistory {
    series: Vec<Arc<[Option<f64>]>>,
}

impl ReturnHistory {
    /// Takes a panel's returns; they are shared, not copied.
    pub fn new(panel: &Panel) -> Self {
        Self { series: panel.series.iter().map(|one| Arc::clone(&one.one_bar_return)).collect() }
    }

    /// Returns the returns of the sample's series that are known at the sample: those of the first row up to its own.
    ///
    /// # Panics
    /// When the sample is not one of the panel's.
    pub fn known_at(&self, sample: Sample) -> &[Option<f64>] {
        &self.series[sample.series as usize][..=sample.row as usize]
    }

    /// Returns how many series there are.
    pub const fn series_count(&self) -> usize {
        self.series.len()
    }
}

/// Returns `ln(close_i / close_{i-1})` for every row, `None` at the first, which has no row before it.
pub fn one_bar_returns(close: &[f64]) -> Arc<[Option<f64>]> {
    let later = close.windows(2).map(|pair| Some((pair[1] / pair[0]).ln()));
    std::iter::once(None).take(close.len().min(1)).chain(later).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{daily_panel, series};
    use crate::{SampleSet, ScaleSpec, Scaler, ScalerSpec, windows};

    #[test]
    fn a_return_is_the_logarithm_of_two_closes() {
        // ln(110 / 100) = 0.0953101798, ln(99 / 110) = -0.1053605157.
        let found = one_bar_returns(&[100.0, 110.0, 99.0]);
        assert_eq!(found[0], None);
        assert!((found[1].expect("two closes") - 0.095_310_179_8).abs() < 1e-10);
        assert!((found[2].expect("two closes") + 0.105_360_515_7).abs() < 1e-10);
        assert_eq!(one_bar_returns(&[5.0])[..], [None]);
        assert!(one_bar_returns(&[]).is_empty());
    }

    #[test]
    fn a_sample_knows_nothing_after_its_own_row() {
        let panel = Panel::new(vec![series(0, &[0, 1, 2, 3], 1), series(1, &[0, 1], 1)]).expect("sane");
        let history = ReturnHistory::new(&panel);
        assert_eq!(history.known_at(Sample { series: 0, row: 2 }), [None, Some(0.001), Some(0.002)]);
        assert_eq!(history.known_at(Sample { series: 1, row: 0 }), [None]);
        assert_eq!(history.series_count(), 2);
    }

    #[test]
    fn the_windows_of_a_panel_carry_its_returns() {
        let panel = daily_panel(4, 1);
        let scaler = Scaler::fit(&panel, &[0..4], &ScalerSpec::None {}).expect("nothing to fit");
        let scale = [ScaleSpec { window_bars: 1, bar_multiple: 1, window_bars_min: None }];
        let set = SampleSet::with_all_labels(&panel, vec![Sample { series: 0, row: 1 }]);
        assert_eq!(windows(&panel, &set, &scale, &scaler).history, Some(ReturnHistory::new(&panel)));
    }
}
