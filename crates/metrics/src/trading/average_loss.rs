//! Average loss.

use crate::sample::mean;

/// Computes the mean pnl of the trades that lost, in money and negative; `None` without such trades.
///
/// `mean(pnl | pnl < 0)`. Source: the definition.
pub fn average_loss(pnl: &[f64]) -> Option<f64> {
    let losses: Vec<f64> = pnl.iter().copied().filter(|&pnl| pnl < 0.0).collect();
    mean(&losses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_mean_of_the_losses() {
        assert_eq!(average_loss(&[10.0, -5.0, 0.0, -15.0]), Some(-10.0));
        assert_eq!(average_loss(&[10.0, 0.0]), None);
    }
}
