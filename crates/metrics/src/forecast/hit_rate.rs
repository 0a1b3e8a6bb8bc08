//! Share of forecasts with the right sign.

use super::ScoredForecast;
use crate::sample::finite;

/// Computes the share of forecasts whose sign came true, among those where neither side is 0; `None` without any.
///
/// `count(mean * actual > 0) / count(mean * actual != 0)`, by sign. Source: Pesaran and Timmermann (1992), the proportion of
/// correctly predicted signs.
pub(super) fn hit_rate(forecasts: &[ScoredForecast]) -> Option<f64> {
    let signed = |forecast: &&ScoredForecast| forecast.mean != 0.0 && forecast.actual != 0.0;
    let count = forecasts.iter().filter(signed).count();
    let right = forecasts.iter().filter(signed).filter(|row| (row.mean > 0.0) == (row.actual > 0.0)).count();
    finite(right as f64 / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(f64, f64)]) -> Option<f64> {
        let row = |&(mean, actual)| ScoredForecast::from_moments(mean, None, actual);
        hit_rate(&pairs.iter().map(row).collect::<Vec<_>>())
    }

    #[test]
    fn zeros_are_neither_right_nor_wrong() {
        assert_eq!(of(&[(0.1, 0.2), (-0.1, 0.2), (0.0, 0.2), (0.1, 0.0), (-0.1, -0.1), (0.3, -1.0)]), Some(0.5));
        assert_eq!(of(&[(0.0, 0.2)]), None);
    }

    #[test]
    fn tiny_numbers_keep_their_sign() {
        assert_eq!(of(&[(1e-200, 1e-200)]), Some(1.0));
    }
}
