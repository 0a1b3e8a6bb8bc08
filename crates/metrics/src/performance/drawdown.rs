//! Drawdowns: falls of the equity below its highest value so far.

use serde::{Deserialize, Serialize};
use tidegate_market::Timestamp;

use crate::Returns;

/// A value this close to the peak, relative to it, has recovered: growth is a product of rounded returns.
pub(super) const RECOVERED: f64 = 1.0 - 1e-12;

/// One fall below the highest value so far, from the peak to the recovery.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Drawdown {
    /// The value at the trough over that at the peak, less 1: a negative fraction.
    pub depth: f64,
    /// When the peak was reached, if known.
    pub peak_time: Option<Timestamp>,
    /// When the trough was reached, if known.
    pub trough_time: Option<Timestamp>,
    /// When the peak's value was reached again, if it was and times are known.
    pub recovery_time: Option<Timestamp>,
    /// How many periods had passed at the peak; 0 is the initial point.
    pub peak_period: usize,
    /// How many periods had passed at the trough.
    pub trough_period: usize,
    /// How many periods had passed at the recovery; `None` while it lasts.
    pub recovery_period: Option<usize>,
    /// How many periods ended below the peak.
    pub periods: usize,
}

/// Returns, for each period, the growth over its highest value so far, less 1: 0 at a peak, else negative.
///
/// The initial point is a peak, so that a loss in the first period counts.
pub fn drawdown_series(returns: &Returns) -> Vec<f64> {
    let growth = returns.growth();
    let mut peak = 1.0_f64;
    growth[1..]
        .iter()
        .map(|&value| {
            peak = peak.max(value);
            if value < peak { value / peak - 1.0 } else { 0.0 }
        })
        .collect()
}

/// Returns every drawdown, in order of time; the last may not have recovered.
///
/// A value within 1e-12 of the peak, relative to it, counts as recovered.
pub fn drawdowns(returns: &Returns) -> Vec<Drawdown> {
    let growth = returns.growth();
    let mut found: Vec<Drawdown> = Vec::new();
    let mut open: Option<Drawdown> = None;
    let (mut peak, mut peak_period) = (growth[0], 0);
    for (period, &value) in growth.iter().enumerate().skip(1) {
        if value >= peak * RECOVERED {
            found.extend(open.take().map(|drawdown| close(drawdown, period, returns)));
            if value >= peak {
                (peak, peak_period) = (value, period);
            }
            continue;
        }
        let depth = value / peak - 1.0;
        let drawdown = open.get_or_insert_with(|| begin(peak_period, returns));
        drawdown.periods += 1;
        if depth < drawdown.depth {
            drawdown.depth = depth;
            drawdown.trough_period = period;
            drawdown.trough_time = time_at(returns, period);
        }
    }
    found.extend(open);
    found
}

/// Returns the deepest drawdown, the first of equals; `None` without any.
pub fn deepest_drawdown(returns: &Returns) -> Option<Drawdown> {
    drawdowns(returns).into_iter().reduce(|deepest, next| if next.depth < deepest.depth { next } else { deepest })
}

fn begin(peak_period: usize, returns: &Returns) -> Drawdown {
    Drawdown {
        depth: 0.0,
        peak_time: time_at(returns, peak_period),
        trough_time: None,
        recovery_time: None,
        peak_period,
        trough_period: peak_period,
        recovery_period: None,
        periods: 0,
    }
}

fn close(drawdown: Drawdown, period: usize, returns: &Returns) -> Drawdown {
    Drawdown { recovery_time: time_at(returns, period), recovery_period: Some(period), ..drawdown }
}

/// Returns the time after a number of periods.
fn time_at(returns: &Returns, period: usize) -> Option<Timestamp> {
    match period.checked_sub(1) {
        None => returns.start(),
        Some(row) => returns.time().map(|time| time[row]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{METRICS, assert_close, floats, periods, returns};

    #[test]
    fn the_series_equals_that_of_quantstats() {
        let expected = floats(&METRICS["drawdown_series"]);
        let found = drawdown_series(&returns());
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.into_iter().zip(expected) {
            assert_close(Some(found), expected);
        }
    }

    #[test]
    fn the_table_equals_that_of_quantstats() {
        let expected = METRICS["drawdowns"].as_array().expect("a list");
        let returns = returns();
        let found = drawdowns(&returns);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_close(Some(found.depth * 100.0), expected["max drawdown"].as_f64().expect("a number"));
            let shown = |time: Option<Timestamp>| time.map(|time| time.to_string());
            let date = |key: &str| expected[key].as_str().map(str::to_owned);
            assert_eq!(shown(found.trough_time), date("valley"));
            // Their table starts at the first and ends at the last period below the peak, ours at peak and recovery.
            assert_eq!(shown(time_at(&returns, found.peak_period + 1)), date("start"));
            assert_eq!(shown(time_at(&returns, found.peak_period + found.periods)), date("end"));
        }
        // The data end below the peak.
        assert_eq!(found.last().expect("eleven").recovery_period, None);
    }

    #[test]
    fn a_loss_in_the_first_period_falls_from_the_initial_point() {
        let drawdowns = drawdowns(&periods(&[-0.5, 0.5, 0.5, 0.1]));
        // Growth 1, 0.5, 0.75, 1.125, 1.2375.
        let only = drawdowns[0];
        assert_eq!(drawdowns.len(), 1);
        assert_eq!((only.depth, only.peak_period, only.trough_period), (-0.5, 0, 1));
        assert_eq!((only.recovery_period, only.periods), (Some(3), 2));
    }

    #[test]
    fn a_recovery_up_to_rounding_is_one() {
        // 0.9 * (1 + 1/9) is 1 only up to rounding; the flat periods after it are no drawdown.
        let drawdowns = drawdowns(&periods(&[-0.1, 1.0 / 9.0 - 1e-15, 0.0, 0.0]));
        assert_eq!(drawdowns.len(), 1);
        assert_eq!(drawdowns[0].recovery_period, Some(2));
    }

    #[test]
    fn ruin_is_a_drawdown_of_everything_that_never_recovers() {
        let deepest = deepest_drawdown(&periods(&[0.5, -1.0, 0.0])).expect("ruin");
        assert_eq!((deepest.depth, deepest.recovery_period, deepest.periods), (-1.0, None, 2));
    }

    #[test]
    fn gains_alone_have_no_drawdown() {
        assert_eq!(drawdowns(&periods(&[0.1, 0.0, 0.1])), []);
        assert_eq!(deepest_drawdown(&periods(&[])), None);
    }
}
