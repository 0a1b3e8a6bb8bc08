//! Every combination.

use std::ops::Range;

use crate::admitted::{Admitted, Source};
use crate::{Constraints, Point, Sampler, SearchError, Space};

/// Every combination of a space that constraints admit, the last axis changing fastest.
#[derive(Debug, Clone)]
pub struct Grid(Admitted<Combinations>);

#[derive(Debug, Clone)]
struct Combinations {
    space: Space,
    count: u64,
}

impl Grid {
    /// Counts the combinations; with constraints it looks at each once.
    ///
    /// # Errors
    /// When an axis is continuous, when there are more than `trials_max` combinations before constraints, or when constraints
    /// refuse all of them.
    pub fn new(space: &Space, constraints: &Constraints, trials_max: u64) -> Result<Self, SearchError> {
        let Some(combinations) = space.size() else {
            let continuous = space.axes().iter().zip(space.rulers()).find(|(_, ruler)| ruler.count().is_none());
            let (axis, _) = continuous.expect("a space without a size has a continuous axis");
            return Err(SearchError::Continuous { axis: axis.name().to_owned() });
        };
        if combinations > u128::from(trials_max) {
            return Err(SearchError::TooManyCombinations { combinations, most: trials_max });
        }
        let source = Combinations { space: space.clone(), count: combinations as u64 };
        Ok(Self(Admitted::new(source, constraints)?))
    }
}

impl Sampler for Grid {
    fn trials(&self) -> u64 {
        self.0.trials()
    }

    fn points(&self, numbers: Range<u64>) -> Result<Vec<Point>, SearchError> {
        Ok(self.0.points(numbers))
    }
}

impl Source for Combinations {
    fn count(&self) -> u64 {
        self.count
    }

    fn write(&self, number: u64, point: &mut Point) {
        self.space.write_combination(number, point);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Axis, Choice, Coordinate, Scale};

    fn integers(name: &str, low: i64, high: i64, step: i64) -> Axis {
        Axis::Integers { name: name.into(), low, high, step, scale: Scale::Linear }
    }

    #[test]
    fn the_last_axis_changes_fastest() {
        let choices = Axis::Choices { name: "b".into(), values: vec![Choice::Other, Choice::Other] };
        let space = Space::new(vec![integers("a", 5, 7, 1), choices]).expect("a valid space");
        let grid = Grid::new(&space, &Constraints::none(), 10).expect("six combinations");
        let points = grid.points(1..4).expect("no constraint");
        let point = |a, b| vec![Coordinate::Integer(a), Coordinate::Choice(b)];
        assert_eq!(points, [point(5, 1), point(6, 0), point(6, 1)]);
    }

    #[test]
    fn a_grid_that_is_too_large_is_refused_with_its_number() {
        let space = Space::new(vec![integers("a", 1, 1_000_000, 1), integers("b", 1, 1_000_000, 1)]);
        let refusal = Grid::new(&space.expect("a valid space"), &Constraints::none(), 10_000_000);
        assert_eq!(
            refusal.expect_err("too many").to_string(),
            "a grid must have at most `10000000` combinations, has `1000000000000`; hint: take longer steps, or draw points at random"
        );
    }

    #[test]
    fn a_grid_over_a_continuous_axis_is_refused_by_name() {
        let axis = Axis::Floats { name: "x.y".into(), low: 0.0, high: 1.0, step: None, scale: Scale::Linear };
        let space = Space::new(vec![integers("a", 1, 2, 1), axis]).expect("a valid space");
        let refusal = Grid::new(&space, &Constraints::none(), 10).expect_err("continuous").to_string();
        assert!(refusal.starts_with("a grid must have a step on every axis, `x.y` has none"), "{refusal}");
    }

    #[test]
    fn a_grid_of_which_nothing_is_admitted_is_refused() {
        let space = Space::new(vec![integers("a", 1, 9, 1), integers("b", 1, 9, 1)]).expect("a valid space");
        let constraints = Constraints::compile(&space, &["a < b", "b < a"]).expect("valid constraints");
        let refusal = Grid::new(&space, &constraints, 100).expect_err("nothing is left").to_string();
        assert_eq!(refusal, "constraints must admit some point, `a < b and b < a` refused all `81` that were tried");
    }

    proptest! {
        #[test]
        fn every_admitted_combination_comes_once_and_in_order(
            counts in proptest::collection::vec(1i64..24, 1..5), bound in 0i64..40, constrained in any::<bool>(),
            cuts in proptest::collection::vec(0.0f64..1.0, 0..6),
        ) {
            let axes = counts.iter().enumerate().map(|(axis, count)| integers(&format!("x{axis}"), 0, count - 1, 1));
            let space = Space::new(axes.collect()).expect("a valid space");
            let names: Vec<String> = (0..counts.len()).map(|axis| format!("x{axis}")).collect();
            let texts = if constrained { vec![format!("{} <= {bound}", names.join(" + "))] } else { Vec::new() };
            let constraints = Constraints::compile(&space, &texts).expect("valid constraints");
            let grid = Grid::new(&space, &constraints, u64::MAX).expect("the origin is admitted");

            // The slow way: count like an odometer.
            let mut expected: Vec<Vec<i64>> = vec![Vec::new()];
            for count in &counts {
                expected = expected.iter().flat_map(|head| (0..*count).map(move |last| {
                    let mut point = head.clone();
                    point.push(last);
                    point
                })).collect();
            }
            expected.retain(|point| !constrained || point.iter().sum::<i64>() <= bound);
            let expected: Vec<Point> =
                expected.into_iter().map(|point| point.into_iter().map(Coordinate::Integer).collect()).collect();

            prop_assert_eq!(grid.trials(), expected.len() as u64);
            prop_assert_eq!(&grid.points(0..grid.trials()).expect("points"), &expected);
            for cut in cuts {
                let from = (cut * grid.trials() as f64) as u64;
                let to = (from + 5).min(grid.trials());
                prop_assert_eq!(&grid.points(from..to).expect("points"), &expected[from as usize..to as usize]);
            }
        }
    }
}
