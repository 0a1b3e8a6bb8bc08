//! Tail ratio.

use crate::Returns;
use crate::sample::{quantile, ratio};

/// Computes the tail ratio; `None` without periods, when the 5 % quantile is 0, and after ruin.
///
/// `|q95(r)| / |q05(r)|`, quantiles linear between order statistics. Source: empyrical, `tail_ratio`.
pub fn tail_ratio(returns: &Returns) -> Option<f64> {
    if returns.is_ruined() {
        return None;
    }
    ratio(quantile(returns.values(), 0.95)?.abs(), quantile(returns.values(), 0.05)?.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{assert_close, periods, published, returns};

    #[test]
    fn it_equals_empyrical_and_quantstats() {
        assert_close(tail_ratio(&returns()), published("empyrical", "tail_ratio"));
        assert_close(tail_ratio(&returns()), published("quantstats", "tail_ratio(cutoff=0.95)"));
    }

    #[test]
    fn no_left_tail_has_none() {
        assert_eq!(tail_ratio(&periods(&[0.0, 0.0, 0.01])), None);
        assert_eq!(tail_ratio(&periods(&[])), None);
    }
}
