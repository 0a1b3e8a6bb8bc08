//! The chi-squared distribution.

use statrs::function::gamma::gamma_ur;

/// Returns the probability of a value above `statistic`: the p-value of a likelihood ratio.
pub(crate) fn upper_tail(statistic: f64, degrees_of_freedom: f64) -> f64 {
    if statistic > 0.0 { gamma_ur(0.5 * degrees_of_freedom, 0.5 * statistic) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tails_are_those_of_the_tables() {
        // The 5 % points of 1, 2 and 10 degrees of freedom: 3.841, 5.991, 18.307; two degrees are exp(-x / 2).
        for (degrees, point) in
            [(1.0, 3.841_458_820_694_124), (2.0, 5.991_464_547_107_979), (10.0, 18.307_038_053_275_146)]
        {
            assert!((upper_tail(point, degrees) - 0.05).abs() < 1e-10);
        }
        assert!((upper_tail(100.0, 2.0) / (-50.0_f64).exp() - 1.0).abs() < 1e-10);
        assert_eq!((upper_tail(0.0, 1.0), upper_tail(-1e-12, 1.0)), (1.0, 1.0));
    }
}
