//! Longest drawdown.

use crate::{Returns, drawdowns};

/// Computes the most periods in a row that ended below the highest value so far, 0 without any; `None` without periods.
///
/// The longest drawdown, which need not be the deepest. Source: the definition; quantstats calls it the longest drawdown and
/// counts calendar days.
pub fn max_drawdown_periods(returns: &Returns) -> Option<usize> {
    if returns.is_empty() {
        return None;
    }
    Some(drawdowns(returns).iter().map(|drawdown| drawdown.periods).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{periods, published, returns};

    #[test]
    fn it_equals_the_reference() {
        let expected = published("scipy", "longest underwater run in bars (peak starts at 1.0, strict <)");
        assert_eq!(max_drawdown_periods(&returns()).map(|periods| periods as f64), Some(expected));
    }

    #[test]
    fn the_longest_need_not_be_the_deepest() {
        // Growth 1, 0.5, 1, 0.9, 0.99, 1.089: one period down 50 %, then two down 10 % at most.
        assert_eq!(max_drawdown_periods(&periods(&[-0.5, 1.0, -0.1, 0.1, 0.1])), Some(2));
    }

    #[test]
    fn gains_alone_have_zero_and_nothing_has_none() {
        assert_eq!(max_drawdown_periods(&periods(&[0.1])), Some(0));
        assert_eq!(max_drawdown_periods(&periods(&[])), None);
    }
}
