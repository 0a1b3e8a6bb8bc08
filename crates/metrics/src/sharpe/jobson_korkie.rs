//! A quick test that two Sharpe ratios are equal.

use crate::normal::standard_cumulative;
use crate::performance::sharpe_ratio::{excess, sharpe_ratio_per_period};
use crate::sample::{correlation, finite};
use crate::{MetricOptions, MetricsError, Returns, TestOutcome};

/// Tests whether two strategies of the same periods have equal Sharpe ratios, two-sided; `None` where a ratio is undefined or the two
/// are the same up to scale.
///
/// `z = (s1 - s2) / sqrt((2 - 2 rho + (s1^2 + s2^2 - 2 s1 s2 rho^2) / 2) / n)`, ratios of one period, `rho` their correlation. It holds
/// for normal returns that do not depend on those before; [`paired_difference`](crate::paired_difference()) needs neither.
/// Source: Jobson and Korkie (1981), "Performance Hypothesis Testing with the Sharpe and Treynor Measures", as corrected by Memmel
/// (2003).
///
/// # Errors
/// [`MetricsError::Length`] for series of different length.
pub fn jobson_korkie(
    first: &Returns,
    second: &Returns,
    options: &MetricOptions,
) -> Result<Option<TestOutcome>, MetricsError> {
    if first.len() != second.len() {
        let (name, expected, found) = ("returns of the second strategy", first.len(), second.len());
        return Err(MetricsError::Length { name, expected, found });
    }
    if first.is_ruined() || second.is_ruined() {
        return Ok(None);
    }
    Ok(test_of(&excess(first, options), &excess(second, options)))
}

fn test_of(first: &[f64], second: &[f64]) -> Option<TestOutcome> {
    let (one, two) = (sharpe_ratio_per_period(first)?, sharpe_ratio_per_period(second)?);
    let rho = correlation(first, second)?;
    let spread = 2.0 - 2.0 * rho + 0.5 * (one * one + two * two - 2.0 * one * two * rho * rho);
    if spread < 1e-12 {
        return None;
    }
    let statistic = finite((one - two) / (spread / first.len() as f64).sqrt())?;
    Some(TestOutcome { statistic, p_value: 2.0 * standard_cumulative(-statistic.abs()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Convention;
    use crate::vectors::{LUCK, assert_close, floats, periods};

    const OPTIONS: MetricOptions = MetricOptions::new(Convention::Tidegate);

    #[test]
    fn it_is_the_formula_of_memmel() {
        let case = &LUCK["memmel"];
        let series = |key: &str| periods(&floats(&case[key]));
        let found = jobson_korkie(&series("first"), &series("second"), &OPTIONS).expect("valid").expect("varies");
        assert_close(Some(found.statistic), case["statistic"].as_f64().expect("a number"));
        assert_close(Some(found.p_value), case["p_value"].as_f64().expect("a number"));
        let mirrored = jobson_korkie(&series("second"), &series("first"), &OPTIONS).expect("valid").expect("varies");
        assert_eq!((mirrored.statistic, mirrored.p_value), (-found.statistic, found.p_value));
    }

    #[test]
    fn a_strategy_and_its_double_have_no_test() {
        let (one, two) = (periods(&[0.01, -0.02, 0.03]), periods(&[0.02, -0.04, 0.06]));
        assert_eq!(jobson_korkie(&one, &two, &OPTIONS), Ok(None));
        assert_eq!(jobson_korkie(&one, &periods(&[0.01; 3]), &OPTIONS), Ok(None));
        let error = jobson_korkie(&one, &periods(&[0.01]), &OPTIONS).expect_err("shorter").to_string();
        assert_eq!(error, "returns of the second strategy must have `3` rows, has `1`");
    }
}
