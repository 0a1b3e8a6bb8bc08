//! Average bars held.

use crate::sample::finite;

/// Computes the mean number of bars that closed trades were held; `None` without trades.
///
/// `mean(bars_held)`. Source: the definition.
pub fn average_bars_held(bars_held: &[u64]) -> Option<f64> {
    finite(bars_held.iter().sum::<u64>() as f64 / bars_held.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_mean() {
        assert_eq!(average_bars_held(&[1, 4, 4]), Some(3.0));
        assert_eq!(average_bars_held(&[]), None);
    }
}
