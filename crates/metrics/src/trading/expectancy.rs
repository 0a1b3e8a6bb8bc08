//! Expectancy.

use crate::sample::mean;

/// Computes the mean pnl of a closed trade, in money; `None` without trades.
///
/// `mean(pnl)`, which is `win_rate * average_win + loss_rate * average_loss`. Source: Tharp (1998), "Trade Your Way to Financial
/// Freedom".
pub fn expectancy(pnl: &[f64]) -> Option<f64> {
    mean(pnl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_mean() {
        assert_eq!(expectancy(&[30.0, -10.0, 0.0, -12.0]), Some(2.0));
        assert_eq!(expectancy(&[]), None);
    }
}
