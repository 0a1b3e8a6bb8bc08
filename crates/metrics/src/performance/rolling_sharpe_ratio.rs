//! Sharpe ratio over a moving window.

use std::num::NonZeroUsize;

use super::sharpe_ratio::{excess, sharpe_ratio_per_period};
use crate::sample::{finite, mean};
use crate::{MetricOptions, Returns};

/// Below this spread the sliding sums may be nothing but rounding, and the window is summed anew.
const SPREAD_IN_DOUBT: f64 = 1e-10;

/// Computes the annualized Sharpe ratio of the last `window_periods` periods, for every period; `None` until there are so many,
/// and where [`sharpe_ratio`](crate::sharpe_ratio()) of the window is undefined.
///
/// The mean and the sum of squares slide from window to window (Welford's update) and are summed anew once per window length,
/// so that rounding does not accumulate.
pub fn rolling_sharpe_ratio(
    returns: &Returns,
    window_periods: NonZeroUsize,
    options: &MetricOptions,
) -> Vec<Option<f64>> {
    let window = window_periods.get();
    let excess = excess(returns, options);
    let annualize = returns.periods_per_year().sqrt();
    let ruin = returns.values().iter().position(|&value| value <= -1.0).unwrap_or(usize::MAX);
    let mut sums = Sums::default();
    (0..excess.len())
        .map(|end| {
            let start = (end + 1).checked_sub(window)?;
            let values = &excess[start..=end];
            if start % window == 0 {
                sums = Sums::of(values)?;
            } else {
                sums.slide(excess[start - 1], excess[end], window as f64);
            }
            if end >= ruin || window < 2 {
                return None;
            }
            let spread = (sums.squares.max(0.0) / (window - 1) as f64).sqrt();
            let per_period =
                if spread < SPREAD_IN_DOUBT { sharpe_ratio_per_period(values)? } else { sums.mean / spread };
            finite(per_period * annualize)
        })
        .collect()
}

/// The mean of a window and the sum of squared deviations from it.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    mean: f64,
    squares: f64,
}

impl Sums {
    fn of(values: &[f64]) -> Option<Self> {
        let mean = mean(values)?;
        Some(Self { mean, squares: values.iter().map(|value| (value - mean).powi(2)).sum() })
    }

    fn slide(&mut self, old: f64, new: f64, window: f64) {
        let before = self.mean;
        self.mean += (new - old) / window;
        self.squares += (new - old) * ((new - self.mean) + (old - before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, returns};
    use crate::{Convention, sharpe_ratio};

    const OPTIONS: MetricOptions = MetricOptions::new(Convention::Tidegate);

    fn window(periods: usize) -> NonZeroUsize {
        NonZeroUsize::new(periods).expect("above 0")
    }

    #[test]
    fn every_window_has_the_sharpe_ratio_of_its_periods() {
        let returns = returns();
        let rolling = rolling_sharpe_ratio(&returns, window(60), &OPTIONS);
        assert_eq!(rolling.len(), 750);
        assert!(rolling[..59].iter().all(Option::is_none));
        for (values, found) in returns.values().windows(60).zip(&rolling[59..]) {
            assert_close(*found, sharpe_ratio(&periods(values), &OPTIONS).expect("varies"));
        }
    }

    #[test]
    fn a_window_that_does_not_vary_has_none() {
        let rolling = rolling_sharpe_ratio(&periods(&[0.01, 0.02, 0.0, 0.0, 0.0, 0.01]), window(3), &OPTIONS);
        let defined: Vec<bool> = rolling.iter().map(Option::is_some).collect();
        assert_eq!(defined, [false, false, true, true, false, true]);
    }

    #[test]
    fn ruin_and_what_follows_have_none() {
        let rolling = rolling_sharpe_ratio(&periods(&[0.1, 0.2, -1.0, 0.0]), window(2), &OPTIONS);
        assert_eq!(rolling.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false, false]);
    }

    #[test]
    fn a_window_of_one_period_has_none() {
        assert_eq!(rolling_sharpe_ratio(&periods(&[0.1, 0.2]), window(1), &OPTIONS), [None, None]);
    }
}
