//! Turnover.

use tidegate_market::Cash;

use crate::EquityCurve;
use crate::returns::years_between;
use crate::sample::{finite, mean};

/// Computes the turnover, times a year; `None` when the curve spans no time or its mean is not above 0.
///
/// `traded / mean(equity) / years`: `traded` is the money value of all fills, bought and sold, so that replacing a whole
/// portfolio once counts 2; years are calendar time of 365.25 days, the mean is over all points.
/// Source: the definition, two-sided; funds report the lesser of purchases and sales instead.
pub fn turnover(traded: Cash, curve: &EquityCurve) -> Option<f64> {
    let (first, last) = (curve.time().first()?, curve.time().last()?);
    let years = years_between(*first, *last);
    let equity = mean(curve.equity()).filter(|&mean| mean > 0.0)?;
    if years > 0.0 { finite(traded.0 / equity / years) } else { None }
}

#[cfg(test)]
mod tests {
    use tidegate_market::Timestamp;

    use super::*;

    fn curve(days: &[i64]) -> EquityCurve {
        let time = days.iter().map(|day| Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)).collect();
        EquityCurve::new(time, vec![100.0; days.len()]).expect("valid")
    }

    #[test]
    fn buying_and_selling_everything_once_in_a_year_is_two() {
        // 1461 days are four years; 800 traded over 100 of equity.
        assert_eq!(turnover(Cash(800.0), &curve(&[0, 1461])), Some(2.0));
    }

    #[test]
    fn no_time_has_none() {
        assert_eq!(turnover(Cash(800.0), &curve(&[0])), None);
    }
}
