//! Best period.

use crate::Returns;

/// Computes the highest return of one period, a fraction; `None` without periods.
///
/// `max(r)`. Source: the definition.
pub fn best_period(returns: &Returns) -> Option<f64> {
    returns.values().iter().copied().reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::periods;

    #[test]
    fn it_is_the_highest_return() {
        assert_eq!(best_period(&periods(&[-0.1, 0.2, 0.05])), Some(0.2));
        assert_eq!(best_period(&periods(&[])), None);
    }
}
