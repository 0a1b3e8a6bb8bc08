//! Pinball loss.

/// Computes the pinball loss of a quantile forecast, in units of the observation; lower is better.
///
/// `level (actual - quantile)` when the observation is not below the quantile, else `(1 - level) (quantile - actual)`.
/// Source: Koenker and Bassett (1978), "Regression Quantiles". `level` must be in (0, 1).
pub fn pinball_loss(quantile: f64, level: f64, actual: f64) -> f64 {
    if actual >= quantile { level * (actual - quantile) } else { (1.0 - level) * (quantile - actual) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal::standard_quantile;
    use crate::sample::mean;
    use crate::vectors::{FORECAST, assert_close, floats};

    #[test]
    fn the_mean_of_every_level_equals_the_reference() {
        let read = |key: &str| floats(&FORECAST[key]);
        let (means, deviations, actuals) = (read("mu"), read("sigma"), read("y"));
        let levels = FORECAST["pinball_mean"].as_object().expect("an object");
        assert_eq!(levels.len(), 9);
        for (text, expected) in levels {
            let level: f64 = text.parse().expect("a level");
            let z = standard_quantile(level).expect("in (0, 1)");
            let losses: Vec<f64> = (0..means.len())
                .map(|row| pinball_loss(means[row] + z * deviations[row], level, actuals[row]))
                .collect();
            assert_close(mean(&losses), expected.as_f64().expect("a number"));
        }
    }
}
