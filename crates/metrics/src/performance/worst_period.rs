//! Worst period.

use crate::Returns;

/// Computes the lowest return of one period, a fraction; `None` without periods.
///
/// `min(r)`. Source: the definition.
pub fn worst_period(returns: &Returns) -> Option<f64> {
    returns.values().iter().copied().reduce(f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::periods;

    #[test]
    fn it_is_the_lowest_return() {
        assert_eq!(worst_period(&periods(&[-0.1, 0.2, 0.05])), Some(-0.1));
        assert_eq!(worst_period(&periods(&[])), None);
    }
}
