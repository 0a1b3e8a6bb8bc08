//! What happens a step away from a point.

use std::collections::BTreeMap;

use crate::ruler::{Ruler, Values};
use crate::{Axis, Choice, Coordinate, Point, Space};

/// A point's objective beside those around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stability {
    /// The objective of the point itself.
    pub value: f64,
    /// The number of neighbors with an objective.
    pub neighbors: usize,
    /// The number of neighbors that were tried and have none.
    pub undefined: usize,
    /// The median of the neighbors' objectives; none without neighbors.
    pub median: Option<f64>,
    /// The smallest of the neighbors' objectives; none without neighbors.
    pub lowest: Option<f64>,
}

/// Returns the points that differ on one axis alone, by at most `steps` values.
///
/// Listed numbers are neighbors by size, not by place in the list. Other listed values have no order and continuous axes no
/// steps: along those a point has no neighbors.
pub fn neighbors(space: &Space, point: &[Coordinate], steps: u64) -> Vec<Point> {
    let mut found = Vec::new();
    for (axis, ruler) in space.rulers().iter().enumerate() {
        for coordinate in beside(&space.axes()[axis], ruler, point[axis], steps) {
            let mut neighbor = point.to_vec();
            neighbor[axis] = coordinate;
            found.push(neighbor);
        }
    }
    found
}

/// Compares the objective at a point with those of its [`neighbors`], in one pass over the trials and memory for the neighbors
/// alone. Of trials at one point the last counts.
///
/// Returns none where the point itself was not tried or has no objective.
pub fn stability<P: AsRef<[Coordinate]>>(
    space: &Space,
    point: &[Coordinate],
    steps: u64,
    trials: impl IntoIterator<Item = (P, Option<f64>)>,
) -> Option<Stability> {
    let mut around: BTreeMap<Vec<u64>, Option<Option<f64>>> =
        neighbors(space, point, steps).iter().map(|neighbor| (places(space, neighbor), None)).collect();
    let mut value = None;
    for (tried, objective) in trials {
        let objective = objective.filter(|value| !value.is_nan());
        if tried.as_ref() == point {
            value = objective;
        } else if differs_once(tried.as_ref(), point)
            && let Some(found) = around.get_mut(&places(space, tried.as_ref()))
        {
            *found = Some(objective);
        }
    }
    let tried: Vec<Option<f64>> = around.into_values().flatten().collect();
    let mut defined: Vec<f64> = tried.iter().copied().flatten().collect();
    defined.sort_by(f64::total_cmp);
    Some(Stability {
        value: value?,
        neighbors: defined.len(),
        undefined: tried.len() - defined.len(),
        median: median(&defined),
        lowest: defined.first().copied(),
    })
}

/// Returns the median of sorted numbers, the mean of the two in the middle where there are two.
pub(crate) fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some(0.5 * (sorted[middle - 1] + sorted[middle])),
    }
}

/// Most trials differ from a point on several axes and need no look-up.
fn differs_once(one: &[Coordinate], other: &[Coordinate]) -> bool {
    one.iter().zip(other).filter(|(one, other)| one != other).count() == 1
}

fn places(space: &Space, point: &[Coordinate]) -> Vec<u64> {
    let place = |(ruler, coordinate): (&Ruler, &Coordinate)| match (ruler.place(*coordinate), coordinate) {
        (Some(place), _) => place,
        (None, Coordinate::Float(value)) => value.to_bits(),
        (None, _) => panic!("a coordinate belongs to its axis"),
    };
    space.rulers().iter().zip(point).map(place).collect()
}

fn beside(axis: &Axis, ruler: &Ruler, coordinate: Coordinate, steps: u64) -> Vec<Coordinate> {
    let (Some(place), Some(count)) = (ruler.place(coordinate), ruler.count()) else {
        return Vec::new();
    };
    let order = if matches!(ruler, Ruler::Even { values: Values::Choices, .. }) {
        let Some(order) = by_size(axis) else { return Vec::new() };
        Some(order)
    } else {
        None
    };
    let rank = order.as_ref().map_or(place, |order| {
        order.iter().position(|listed| *listed == place).expect("every listed value has a rank") as u64
    });
    let near = rank.saturating_sub(steps)..=rank.saturating_add(steps).min(count - 1);
    near.filter(|near| *near != rank)
        .map(|near| ruler.at(order.as_ref().map_or(near, |order| order[near as usize])))
        .collect()
}

/// Returns the places of listed numbers from the smallest to the largest, none where something else is listed.
pub(crate) fn by_size(axis: &Axis) -> Option<Vec<u64>> {
    let Axis::Choices { values, .. } = axis else {
        return None;
    };
    let number = |value: &Choice| if let Choice::Number(number) = value { Some(*number) } else { None };
    let numbers = values.iter().map(number).collect::<Option<Vec<f64>>>()?;
    let mut order: Vec<u64> = (0..numbers.len() as u64).collect();
    order.sort_by(|left, right| numbers[*left as usize].total_cmp(&numbers[*right as usize]));
    Some(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constraints, Grid, Sampler, Scale};
    use Coordinate::{Choice as Listed, Float, Integer};

    fn space() -> Space {
        let text = |text: &str| Choice::Text(text.into());
        Space::new(vec![
            Axis::Integers { name: "a".into(), low: 0, high: 8, step: 2, scale: Scale::Linear },
            Axis::Choices { name: "b".into(), values: [20.0, 5.0, 10.0].map(Choice::Number).to_vec() },
            Axis::Choices { name: "c".into(), values: vec![text("x"), text("y")] },
            Axis::Floats { name: "d".into(), low: 0.0, high: 0.2, step: Some(0.1), scale: Scale::Linear },
        ])
        .expect("a valid space")
    }

    #[test]
    fn neighbors_are_steps_along_one_axis() {
        let here = [Integer(2), Listed(2), Listed(0), Float(0.0)];
        let with = |axis: usize, coordinate| {
            let mut point = here.to_vec();
            point[axis] = coordinate;
            point
        };
        assert_eq!(
            neighbors(&space(), &here, 1),
            [with(0, Integer(0)), with(0, Integer(4)), with(1, Listed(1)), with(1, Listed(0)), with(3, Float(0.1))],
            "10 lies between 5 and 20"
        );
        assert_eq!(neighbors(&space(), &here, 2).len(), 3 + 2 + 2);
    }

    #[test]
    fn stability_compares_a_point_with_what_is_around_it() {
        let space = space();
        let grid = Grid::new(&space, &Constraints::none(), 1_000).expect("a small grid");
        let points = grid.points(0..grid.trials()).expect("no constraint");
        // The objective is the first setting; one neighbor has none, one was not tried.
        let trials = points.iter().filter(|point| point[3] != Float(0.1)).map(|point| {
            let Integer(a) = point[0] else { panic!("an axis of integers") };
            (point, (point[1] != Listed(0)).then_some(a as f64))
        });
        let here = [Integer(2), Listed(2), Listed(0), Float(0.0)];
        let found = stability(&space, &here, 1, trials.clone()).expect("the point was tried");
        // Neighbors: 0, 4, 2 at `b = 5`, undefined at `b = 20`.
        let expected = Stability { value: 2.0, neighbors: 3, undefined: 1, median: Some(2.0), lowest: Some(0.0) };
        assert_eq!(found, expected);
        let untried = [Integer(2), Listed(2), Listed(0), Float(0.1)];
        assert_eq!(stability(&space, &untried, 1, trials), None);
    }
}
