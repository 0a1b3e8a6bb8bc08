//! Ljung-Box test of serial independence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::probability_integral_transform::Transform;
use crate::chi_squared::upper_tail;
use crate::sample::{is_constant, mean};

const LAGS_MAX: usize = 10;

/// A Ljung-Box test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LjungBox {
    /// How many lags it looks back.
    pub lags: usize,
    /// `Q`.
    pub statistic: f64,
    /// The probability of a `Q` at least as large without autocorrelation.
    pub p_value: f64,
}

/// Tests whether transforms are uncorrelated with those before them in their series, at the first ten lags or a fifth of the rows of
/// the longest series if that is fewer; `None` when that is none, or when they do not vary.
///
/// `Q = n (n + 2) sum_k r_k^2 / m_k`, chi-squared with as many degrees of freedom as lags; `m_k` is the number of pairs at lag `k`,
/// `n - k` in a single series, and `r_k` their autocovariance around the mean of all over the variance of all. Source: Ljung and
/// Box (1978), "On a Measure of Lack of Fit in Time Series Models". Several series count as independent of each other.
pub(super) fn ljung_box(transforms: &[Transform]) -> Option<LjungBox> {
    let values: Vec<f64> = transforms.iter().map(|transform| transform.at_most).collect();
    let center = mean(&values)?;
    if is_constant(&values) {
        return None;
    }
    let mut series: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for transform in transforms {
        series.entry(transform.series).or_default().push(transform.at_most - center);
    }
    let longest = series.values().map(Vec::len).max()?;
    let lags = LAGS_MAX.min(longest / 5);
    if lags == 0 {
        return None;
    }
    let variation: f64 = series.values().flatten().map(|value| value * value).sum();
    let term = |lag: usize| {
        let pairs: usize = series.values().map(|values| values.len().saturating_sub(lag)).sum();
        let products = |values: &Vec<f64>| values.iter().zip(values.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>();
        (series.values().map(products).sum::<f64>() / variation).powi(2) / pairs as f64
    };
    let count = values.len() as f64;
    let statistic = count * (count + 2.0) * (1..=lags).map(term).sum::<f64>();
    Some(LjungBox { lags, statistic, p_value: upper_tail(statistic, lags as f64) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::assert_close;

    fn rows(values: &[(f64, u32)]) -> Vec<Transform> {
        values.iter().map(|&(at_most, series)| Transform { at_most, below: at_most, series }).collect()
    }

    #[test]
    fn five_values_by_hand() {
        // Around 0.5: -0.2, 0.2, -0.1, 0.1, 0. Variation 0.1; lag 1: -0.04 - 0.02 - 0.01 = -0.07, r = -0.7.
        // Q = 5 * 7 * 0.49 / 4 = 4.2875.
        let found = ljung_box(&rows(&[0.3, 0.7, 0.4, 0.6, 0.5].map(|value| (value, 0)))).expect("a lag");
        assert_eq!(found.lags, 1);
        assert_close(Some(found.statistic), 4.2875);
    }

    #[test]
    fn neighbors_of_other_series_are_no_neighbors() {
        // The same five values in series 0, a constant one at the mean in series 1: the products stay, m_1 is 4 + 4, n is 10.
        let one = [0.3, 0.7, 0.4, 0.6, 0.5];
        let mixed: Vec<(f64, u32)> = one.iter().flat_map(|&value| [(value, 0), (0.5, 1)]).collect();
        let found = ljung_box(&rows(&mixed)).expect("a lag");
        assert_close(Some(found.statistic), 10.0 * 12.0 * 0.49 / 8.0);
    }

    #[test]
    fn four_values_have_no_lag_and_equal_ones_no_correlation() {
        assert_eq!(ljung_box(&rows(&[(0.1, 0), (0.2, 0), (0.3, 0), (0.4, 0)])), None);
        assert_eq!(ljung_box(&rows(&[(0.5, 0); 20])), None);
        assert_eq!(ljung_box(&[]), None);
    }
}
