//! An ensemble as one distribution.

use crate::{Predictive, PredictiveShape};

/// Joins the members' forecasts sample by sample as an equally weighted mixture (law of total variance):
/// mean = average of the means, variance = average of the variances + population variance of the means. The second term is the
/// epistemic variance. The variance is `None` for a sample for which some member states none.
///
/// # Shapes
/// One list per member, all of one length; the result has that length.
///
/// # Panics
/// Without members, or when they differ in length.
pub fn mixture(members: &[Vec<Predictive>]) -> Vec<Predictive> {
    let samples = members.first().expect("an ensemble has at least one member").len();
    assert!(members.iter().all(|member| member.len() == samples), "every member forecasts the same samples");
    (0..samples).map(|sample| join(members, sample)).collect()
}

fn join(members: &[Vec<Predictive>], sample: usize) -> Predictive {
    let count = members.len() as f64;
    let mean = members.iter().map(|member| member[sample].mean).sum::<f64>() / count;
    let epistemic = members.iter().map(|member| (member[sample].mean - mean).powi(2)).sum::<f64>() / count;
    let within: Option<f64> = members.iter().map(|member| member[sample].variance).sum();
    Predictive {
        mean,
        variance: within.map(|within| within / count + epistemic),
        epistemic_variance: Some(epistemic),
        shape: PredictiveShape::Normal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(mean: f64, variance: Option<f64>) -> Vec<Predictive> {
        vec![Predictive { mean, variance, epistemic_variance: None, shape: PredictiveShape::Normal }]
    }

    #[test]
    fn the_variance_is_the_mean_variance_plus_the_variance_of_the_means() {
        // Means 1, 2, 6: average 3, population variance (4 + 1 + 9) / 3 = 14/3; variances 1, 2, 3: average 2.
        let joined = mixture(&[member(1.0, Some(1.0)), member(2.0, Some(2.0)), member(6.0, Some(3.0))]);
        assert_eq!(joined[0].mean, 3.0);
        assert_eq!(joined[0].epistemic_variance, Some(14.0 / 3.0));
        assert_eq!(joined[0].variance, Some(2.0 + 14.0 / 3.0));
    }

    #[test]
    fn a_single_member_keeps_its_bits() {
        let joined = mixture(&[member(0.1, Some(0.3))]);
        assert_eq!((joined[0].mean, joined[0].variance, joined[0].epistemic_variance), (0.1, Some(0.3), Some(0.0)));
    }

    #[test]
    fn a_member_without_a_variance_leaves_the_mixture_without_one() {
        let joined = mixture(&[member(1.0, None), member(3.0, Some(1.0))]);
        assert_eq!((joined[0].variance, joined[0].epistemic_variance), (None, Some(1.0)));
    }
}
