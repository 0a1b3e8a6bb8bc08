//! The Sharpe ratio that the best of many worthless trials is expected to show.

use crate::normal::standard_quantile;
use crate::sample::finite;

/// The Euler-Mascheroni constant.
const EULER_MASCHERONI: f64 = 0.577_215_664_901_532_9;

/// Computes the expected maximum of the Sharpe ratios of `trials` independent trials whose true Sharpe ratio is 0, per period as
/// the variance is; `None` without trials and for a variance that is negative or not finite.
///
/// `sqrt(V) ((1 - g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e)))`, `g` the Euler-Mascheroni constant, `V` the variance of the
/// trials' Sharpe ratios; 0 for one trial, which nothing was selected from.
/// Source: Bailey and Lopez de Prado (2014), "The Deflated Sharpe Ratio".
pub fn expected_maximum_sharpe_ratio(trials: u64, variance: f64) -> Option<f64> {
    if trials == 0 || variance < 0.0 {
        return None;
    }
    if trials == 1 {
        return Some(0.0);
    }
    let count = trials as f64;
    let low = standard_quantile(1.0 - count.recip())?;
    let high = standard_quantile(1.0 - (count * std::f64::consts::E).recip())?;
    finite(variance.sqrt() * ((1.0 - EULER_MASCHERONI) * low + EULER_MASCHERONI * high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{SHARPE, assert_close};

    #[test]
    fn the_best_of_ten_worthless_trials_shows_one_and_a_half() {
        // Bailey et al. (2014), "Pseudo-Mathematics and Financial Charlatanism": 1.57 for ten trials; here to six decimals.
        for (trials, expected) in [(10, 1.574_598), (45, 2.235_640), (100, 2.530_603)] {
            let found = expected_maximum_sharpe_ratio(trials, 1.0).expect("several trials");
            assert!((found - expected).abs() < 5e-7, "{trials} trials: {found}");
        }
    }

    #[test]
    fn it_equals_the_reference_cases() {
        for case in SHARPE["formula_cases"].as_array().expect("a list") {
            let trials = case["n_trials"].as_u64().expect("a count");
            let variance = case["var_sr"].as_f64().expect("a number");
            assert_close(expected_maximum_sharpe_ratio(trials, variance), case["sr0"].as_f64().expect("a number"));
        }
    }

    #[test]
    fn one_trial_selects_nothing_and_none_is_undefined() {
        assert_eq!(expected_maximum_sharpe_ratio(1, 0.002), Some(0.0));
        assert_eq!(expected_maximum_sharpe_ratio(0, 0.002), None);
        assert_eq!(expected_maximum_sharpe_ratio(10, -0.1), None);
        assert_eq!(expected_maximum_sharpe_ratio(10, f64::NAN), None);
    }
}
