//! Share of winning periods.

use crate::Returns;
use crate::sample::finite;

/// Computes the share of periods that gained among those that gained or lost; `None` when none did either.
///
/// `count(r > 0) / count(r != 0)`: a strategy is not judged by the periods that it sat out. Source: `QuantStats`, `win_rate`.
pub fn hit_rate(returns: &Returns) -> Option<f64> {
    let gains = returns.values().iter().filter(|&&value| value > 0.0).count();
    let moves = returns.values().iter().filter(|&&value| value != 0.0).count();
    finite(gains as f64 / moves as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    #[test]
    fn it_equals_quantstats() {
        assert_close(hit_rate(&returns()), published("quantstats", "win_rate"));
    }

    #[test]
    fn periods_without_a_return_do_not_count() {
        assert_eq!(hit_rate(&periods(&[0.1, 0.0, -0.1, 0.0])), Some(0.5));
        assert_eq!(hit_rate(&periods(&[0.0, 0.0])), None);
        assert_eq!(hit_rate(&periods(&[])), None);
    }
}
