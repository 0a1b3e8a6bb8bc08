//! Independent uniform points.

use std::ops::Range;

use crate::stream::{Purpose, Stream};
use crate::{Constraints, Point, Sampler, SearchError, Space};

/// The most points that one trial tries before it gives up on constraints.
const ATTEMPTS_MAX: u64 = 100_000;

/// Points drawn independently and uniformly, on a log scale where the axis has one (Bergstra and Bengio, "Random search for
/// hyper-parameter optimization", 2012). A point that constraints refuse is drawn again. The same point may come twice.
#[derive(Debug, Clone)]
pub struct RandomSearch {
    space: Space,
    constraints: Constraints,
    trials: u64,
    seed: u64,
}

impl RandomSearch {
    /// Plans `trials` points.
    ///
    /// # Errors
    /// When there is no trial.
    pub fn new(space: &Space, constraints: &Constraints, trials: u64, seed: u64) -> Result<Self, SearchError> {
        if trials == 0 {
            return Err(SearchError::NoTrials);
        }
        Ok(Self { space: space.clone(), constraints: constraints.clone(), trials, seed })
    }
}

impl Sampler for RandomSearch {
    fn trials(&self) -> u64 {
        self.trials
    }

    fn points(&self, numbers: Range<u64>) -> Result<Vec<Point>, SearchError> {
        assert!(numbers.end <= self.trials, "a search of `{}` trials has none below `{}`", self.trials, numbers.end);
        numbers.map(|number| draw(&self.space, &self.constraints, self.seed, number)).collect()
    }
}

/// Draws the admitted point of a trial.
pub(crate) fn draw(space: &Space, constraints: &Constraints, seed: u64, number: u64) -> Result<Point, SearchError> {
    let mut stream = Stream::new(seed, Purpose::Random, number);
    draw_from(&mut stream, space, constraints)
}

/// Draws an admitted point.
pub(crate) fn draw_from(stream: &mut Stream, space: &Space, constraints: &Constraints) -> Result<Point, SearchError> {
    let mut point = Point::with_capacity(space.axes().len());
    for _ in 0..ATTEMPTS_MAX {
        point.clear();
        point.extend(space.rulers().iter().map(|ruler| ruler.at_fraction(stream.fraction())));
        if constraints.admits(&point) {
            return Ok(point);
        }
    }
    Err(SearchError::NothingAdmitted { constraints: constraints.to_string(), tried: ATTEMPTS_MAX })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Axis, Coordinate, Scale};

    fn integers(name: &str, low: i64, high: i64, step: i64) -> Axis {
        Axis::Integers { name: name.into(), low, high, step, scale: Scale::Linear }
    }

    #[test]
    fn every_whole_number_is_equally_likely_with_both_ends() {
        let space = Space::new(vec![integers("a", -3, 3, 1), integers("b", 10, 40, 5)]).expect("a valid space");
        let search = RandomSearch::new(&space, &Constraints::none(), 70_000, 42).expect("some trials");
        let points = search.points(0..70_000).expect("no constraint");
        // All 49 pairs: chi-square with 48 degrees of freedom exceeds 84.0 once in a thousand.
        let mut counts = [0u32; 49];
        for point in &points {
            let [Coordinate::Integer(a), Coordinate::Integer(b)] = point[..] else { panic!("two axes of integers") };
            counts[((a + 3) * 7 + (b - 10) / 5) as usize] += 1;
        }
        let expected = 70_000.0 / 49.0;
        let chi_square: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        assert!(chi_square < 84.0, "{chi_square}: {counts:?}");
    }

    #[test]
    fn constraints_that_refuse_everything_are_named() {
        let space = Space::new(vec![integers("a", 1, 9, 1)]).expect("a valid space");
        let constraints = Constraints::compile(&space, &["a > 9"]).expect("a valid constraint");
        let search = RandomSearch::new(&space, &constraints, 3, 1).expect("some trials");
        assert_eq!(
            search.points(0..1).expect_err("nothing is admitted").to_string(),
            "constraints must admit some point, `a > 9` refused all `100000` that were tried"
        );
    }

    proptest! {
        #[test]
        fn a_point_does_not_depend_on_the_order_of_asking(seed in any::<u64>(), number in 0u64..500, constrained in any::<bool>()) {
            let float = Axis::Floats { name: "x".into(), low: 0.0, high: 9.0, step: None, scale: Scale::Linear };
            let space = Space::new(vec![integers("a", 1, 9, 1), float]).expect("a valid space");
            let texts: &[&str] = if constrained { &["a < x"] } else { &[] };
            let constraints = Constraints::compile(&space, texts).expect("a valid constraint");
            let search = RandomSearch::new(&space, &constraints, 500, seed).expect("some trials");
            let all = search.points(0..500).expect("points");
            prop_assert!(all.iter().all(|point| constraints.admits(point)));
            prop_assert_eq!(&search.points(number..number + 1).expect("points")[0], &all[number as usize]);
            let longer = RandomSearch::new(&space, &constraints, 501, seed).expect("some trials");
            prop_assert_eq!(&longer.points(0..500).expect("points"), &all, "more trials change none");
        }
    }
}
