//! Exposure.

use crate::sample::finite;

/// Computes the share of bars at whose end a position was open; `None` without bars.
///
/// `count(gross_exposure != 0) / count`, from the gross exposure at the end of each bar in any unit. Source: the definition.
pub fn exposure(gross_exposure: &[f64]) -> Option<f64> {
    finite(gross_exposure.iter().filter(|&&gross| gross != 0.0).count() as f64 / gross_exposure.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_share_of_bars_with_a_position() {
        assert_eq!(exposure(&[0.0, 0.5, 1.0, 0.0]), Some(0.5));
        assert_eq!(exposure(&[]), None);
    }
}
