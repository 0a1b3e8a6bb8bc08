//! Average win.

use crate::sample::mean;

/// Computes the mean pnl of the trades that gained, in money; `None` without such trades.
///
/// `mean(pnl | pnl > 0)`. Source: the definition.
pub fn average_win(pnl: &[f64]) -> Option<f64> {
    let wins: Vec<f64> = pnl.iter().copied().filter(|&pnl| pnl > 0.0).collect();
    mean(&wins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_mean_of_the_gains() {
        assert_eq!(average_win(&[10.0, 0.0, -5.0, 20.0]), Some(15.0));
        assert_eq!(average_win(&[-5.0, 0.0]), None);
    }
}
