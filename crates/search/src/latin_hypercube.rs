//! Points that are spread evenly along every axis.

use std::ops::Range;

use crate::admitted::{Admitted, Source};
use crate::permutation::Permutation;
use crate::stream::{Purpose, Stream};
use crate::{Constraints, Point, Sampler, SearchError, Space};

/// As many points as strata: along every axis each of `trials` equal strata holds one point, at a random place in it (`McKay`,
/// Beckman and Conover, "A comparison of three methods for selecting values of input variables", 1979). What constraints refuse is
/// left out, so that fewer trials may remain.
#[derive(Debug, Clone)]
pub struct LatinHypercube(Admitted<Strata>);

#[derive(Debug, Clone)]
struct Strata {
    space: Space,
    orders: Vec<Permutation>,
    trials: u64,
    seed: u64,
}

impl LatinHypercube {
    /// Plans `trials` points; with constraints it looks at each once.
    ///
    /// # Errors
    /// When there is no trial, or constraints refuse all of them.
    pub fn new(space: &Space, constraints: &Constraints, trials: u64, seed: u64) -> Result<Self, SearchError> {
        if trials == 0 {
            return Err(SearchError::NoTrials);
        }
        let key = |axis| Stream::new(seed, Purpose::Strata, axis).bits();
        let orders = (0..space.axes().len() as u64).map(|axis| Permutation::new(trials, key(axis))).collect();
        Ok(Self(Admitted::new(Strata { space: space.clone(), orders, trials, seed }, constraints)?))
    }
}

impl Sampler for LatinHypercube {
    fn trials(&self) -> u64 {
        self.0.trials()
    }

    fn points(&self, numbers: Range<u64>) -> Result<Vec<Point>, SearchError> {
        Ok(self.0.points(numbers))
    }
}

impl Source for Strata {
    fn count(&self) -> u64 {
        self.trials
    }

    fn write(&self, number: u64, point: &mut Point) {
        let mut stream = Stream::new(self.seed, Purpose::Jitter, number);
        point.clear();
        point.extend(self.space.rulers().iter().zip(&self.orders).map(|(ruler, order)| {
            let stratum = order.of(number) as f64;
            // Rounding must not carry a point into the next stratum.
            let place = (stream.fraction()).clamp(1e-9, 1.0 - 1e-9);
            ruler.at_fraction((stratum + place) / self.trials as f64)
        }));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Axis, Choice, Coordinate, Scale};

    fn space() -> Space {
        Space::new(vec![
            Axis::Floats { name: "x".into(), low: -3.0, high: 5.0, step: None, scale: Scale::Linear },
            Axis::Floats { name: "rate".into(), low: 1e-4, high: 1.0, step: None, scale: Scale::Log },
            Axis::Integers { name: "n".into(), low: 1, high: 7, step: 2, scale: Scale::Linear },
            Axis::Choices { name: "c".into(), values: vec![Choice::Other; 3] },
        ])
        .expect("a valid space")
    }

    proptest! {
        #[test]
        fn every_stratum_of_every_axis_holds_one_point(trials in 1u64..300, seed in any::<u64>()) {
            let space = space();
            let points = LatinHypercube::new(&space, &Constraints::none(), trials, seed).expect("some trials")
                .points(0..trials).expect("no constraint");
            for (axis, ruler) in space.rulers().iter().enumerate().take(2) {
                let mut strata: Vec<u64> = points.iter()
                    .map(|point| crate::ruler::cell(ruler.cell_of(point[axis]).0, trials)).collect();
                strata.sort_unstable();
                prop_assert_eq!(strata, (0..trials).collect::<Vec<_>>());
            }
            // Where values are fewer than strata, each comes its share of times, but for the strata that its ends cut.
            for (axis, count) in [(2, 4), (3, 3)] {
                for place in 0..count {
                    let found = points.iter().filter(|point| space.rulers()[axis].place(point[axis]) == Some(place)).count();
                    prop_assert!((found as f64 - trials as f64 / count as f64).abs() < 2.0);
                }
            }
        }

        #[test]
        fn a_point_does_not_depend_on_the_order_of_asking(
            trials in 1u64..9_000, seed in any::<u64>(), constrained in any::<bool>(), cuts in proptest::collection::vec(0.0f64..1.0, 3),
        ) {
            let space = space();
            let texts: &[&str] = if constrained { &["x < n"] } else { &[] };
            let constraints = Constraints::compile(&space, texts).expect("valid constraints");
            let Ok(hypercube) = LatinHypercube::new(&space, &constraints, trials, seed) else {
                return Ok(());
            };
            let trials = hypercube.trials();
            let all = hypercube.points(0..trials).expect("points");
            prop_assert!(all.iter().all(|point| constraints.admits(point)));
            for cut in cuts {
                let number = (cut * trials as f64) as u64;
                prop_assert_eq!(&hypercube.points(number..number + 1).expect("points")[0], &all[number as usize]);
            }
        }
    }

    #[test]
    fn a_seed_gives_an_order_of_its_own() {
        let points = |seed| {
            let hypercube = LatinHypercube::new(&space(), &Constraints::none(), 50, seed).expect("some trials");
            hypercube.points(0..50).expect("no constraint")
        };
        assert_eq!(points(1), points(1));
        assert_ne!(points(1), points(2));
        assert!(matches!(points(1)[0][0], Coordinate::Float(_)));
        assert_eq!(LatinHypercube::new(&space(), &Constraints::none(), 0, 1).expect_err("none"), SearchError::NoTrials);
    }
}
