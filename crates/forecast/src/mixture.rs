//! An ensemble as one distribution.

use std::sync::Arc;

use crate::{Predictive, PredictiveShape, Quantile};

/// Joins the members' forecasts one by one as an equally weighted mixture (law of total variance):
/// mean = average of the means, variance = average of the variances + population variance of the means. The second term is the
/// epistemic variance. The variance is `None` where some member states none.
///
/// The shape is that of the members:
/// - normal where they are normal, which holds for the first two moments alone;
/// - Student's t where some are and the others are normal, with `1 / nu` the average of the members' (0 for a normal one): of the
///   mixture's mean and variance, and with tails between the members';
/// - quantiles where all state the same levels, each the average of the members' (Vincent, "The functions of the vibrissae in the
///   behavior of the white rat", 1912; Ratcliff, "Group reaction time distributions and an analysis of distribution
///   statistics", 1979). They keep the members' form and are sharper than the mixture's own, whose variance contains the
///   epistemic one;
/// - normal for any other company.
///
/// # Shapes
/// One list per member, `[N]` or `[N, K]` row-major, all of one length; the result has that length.
///
/// # Panics
/// Without members, or when they differ in length.
pub fn mixture(members: &[Vec<Predictive>]) -> Vec<Predictive> {
    let length = members.first().expect("an ensemble has at least one member").len();
    assert!(members.iter().all(|member| member.len() == length), "every member forecasts the same samples");
    (0..length).map(|place| join(members, place)).collect()
}

fn join(members: &[Vec<Predictive>], place: usize) -> Predictive {
    let count = members.len() as f64;
    let mean = members.iter().map(|member| member[place].mean).sum::<f64>() / count;
    let epistemic = members.iter().map(|member| (member[place].mean - mean).powi(2)).sum::<f64>() / count;
    let within: Option<f64> = members.iter().map(|member| member[place].variance).sum();
    Predictive {
        mean,
        variance: within.map(|within| within / count + epistemic),
        epistemic_variance: Some(epistemic),
        shape: join_shapes(&members.iter().map(|member| &member[place].shape).collect::<Vec<_>>()),
    }
}

fn join_shapes(shapes: &[&PredictiveShape]) -> PredictiveShape {
    let count = shapes.len();
    let mut quantiles = Vec::new();
    let mut heaviness = Vec::new();
    for shape in shapes {
        match shape {
            PredictiveShape::Normal => {}
            PredictiveShape::StudentT { degrees_of_freedom } => heaviness.push(degrees_of_freedom.recip()),
            PredictiveShape::Quantiles(values) => quantiles.push(values),
        }
    }
    match (&quantiles[..], &heaviness[..]) {
        ([], []) => PredictiveShape::Normal,
        // One member, or several of one mind, keep their bits.
        ([], [first, rest @ ..]) if heaviness.len() == count && rest.iter().all(|other| other == first) => {
            shapes[0].clone()
        }
        ([], heaviness) => {
            PredictiveShape::StudentT { degrees_of_freedom: count as f64 / heaviness.iter().sum::<f64>() }
        }
        ([first, rest @ ..], []) if quantiles.len() == count && rest.iter().all(|other| same_levels(first, other)) => {
            PredictiveShape::Quantiles(average(&quantiles))
        }
        _ => PredictiveShape::Normal,
    }
}

fn same_levels(one: &[Quantile], other: &[Quantile]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.level == other.level)
}

fn average(members: &[&Arc<[Quantile]>]) -> Arc<[Quantile]> {
    let value = |place: usize| members.iter().map(|member| member[place].value).sum::<f64>() / members.len() as f64;
    members[0].iter().enumerate().map(|(place, one)| Quantile { level: one.level, value: value(place) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(mean: f64, variance: Option<f64>) -> Vec<Predictive> {
        shaped(mean, variance, PredictiveShape::Normal)
    }

    fn shaped(mean: f64, variance: Option<f64>, shape: PredictiveShape) -> Vec<Predictive> {
        vec![Predictive { mean, variance, epistemic_variance: None, shape }]
    }

    fn student(degrees_of_freedom: f64) -> Vec<Predictive> {
        shaped(0.0, Some(1.0), PredictiveShape::StudentT { degrees_of_freedom })
    }

    fn quantiles(points: &[(f64, f64)]) -> Vec<Predictive> {
        let points = points.iter().map(|&(level, value)| Quantile { level, value });
        shaped(0.0, None, PredictiveShape::Quantiles(points.collect()))
    }

    fn shape(members: &[Vec<Predictive>]) -> PredictiveShape {
        mixture(members)[0].shape.clone()
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
        for alone in [student(3.3), quantiles(&[(0.1, -0.7), (0.9, 0.3)])] {
            assert_eq!(shape(std::slice::from_ref(&alone)), alone[0].shape);
        }
        assert_eq!(shape(&[student(3.3), student(3.3), student(3.3)]), student(3.3)[0].shape);
    }

    #[test]
    fn a_member_without_a_variance_leaves_the_mixture_without_one() {
        let joined = mixture(&[member(1.0, None), member(3.0, Some(1.0))]);
        assert_eq!((joined[0].variance, joined[0].epistemic_variance), (None, Some(1.0)));
    }

    #[test]
    fn every_horizon_is_joined_on_its_own() {
        let [near, far] = [1.0, 10.0].map(|mean| [member(mean, Some(1.0)), member(3.0 * mean, Some(1.0))]);
        let members: Vec<Vec<Predictive>> = (0..2).map(|one| [near[one].clone(), far[one].clone()].concat()).collect();
        let joined = mixture(&members);
        assert_eq!(joined.iter().map(|one| one.mean).collect::<Vec<_>>(), [2.0, 20.0]);
        assert_eq!(joined, [mixture(&near), mixture(&far)].concat());
    }

    #[test]
    fn heaviness_of_tails_is_averaged() {
        // 1 / nu: (1/4 + 1/12) / 2 = 1/6. With a normal member (1/4 + 0) / 2 = 1/8.
        let nu = |members: &[Vec<Predictive>]| match shape(members) {
            PredictiveShape::StudentT { degrees_of_freedom } => degrees_of_freedom,
            other => panic!("{other:?}"),
        };
        assert!((nu(&[student(4.0), student(12.0)]) - 6.0).abs() < 1e-12);
        assert!((nu(&[student(4.0), member(0.0, Some(1.0))]) - 8.0).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_averaged_level_by_level() {
        let members =
            [quantiles(&[(0.1, -2.0), (0.5, 0.0), (0.9, 4.0)]), quantiles(&[(0.1, -1.0), (0.5, 1.0), (0.9, 2.0)])];
        assert_eq!(shape(&members), quantiles(&[(0.1, -1.5), (0.5, 0.5), (0.9, 3.0)])[0].shape);
    }

    #[test]
    fn shapes_that_do_not_go_together_leave_the_moments() {
        let deciles = quantiles(&[(0.1, -2.0), (0.9, 4.0)]);
        assert_eq!(shape(&[deciles.clone(), student(4.0)]), PredictiveShape::Normal);
        assert_eq!(shape(&[deciles.clone(), quantiles(&[(0.2, -2.0), (0.9, 4.0)])]), PredictiveShape::Normal);
        assert_eq!(shape(&[deciles, member(0.0, Some(1.0))]), PredictiveShape::Normal);
    }
}
