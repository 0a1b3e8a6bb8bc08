//! Two axes of a search as a table.

use crate::neighborhood::median;
use crate::{Axis, Choice, Coordinate, Space};

/// What stands for the trials of one cell, which differ on the other axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// The largest objective.
    Best,
    /// The median objective.
    Median,
    /// The smallest objective.
    Worst,
}

/// The values of an axis that one row or column stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A listed value.
    Listed(Choice),
    /// A number.
    Number(f64),
    /// Numbers from the first, inclusive, to the last, inclusive for the last cell only.
    Range(f64, f64),
}

/// Objectives over two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// What the rows stand for.
    pub rows: Vec<Cell>,
    /// What the columns stand for.
    pub columns: Vec<Cell>,
    /// One per cell, row by row; none where no trial has an objective.
    pub values: Vec<Option<f64>>,
    /// How many trials each cell has, those without an objective included.
    pub counts: Vec<u64>,
}

impl HeatMap {
    /// Sorts trials into cells. An axis with more than `bins` values, or a continuous one, is cut into `bins` parts that are
    /// equal on its scale.
    ///
    /// # Panics
    /// When there are no bins, an axis does not exist, or both are the same.
    pub fn new<P: AsRef<[Coordinate]>>(
        space: &Space,
        row_axis: usize,
        column_axis: usize,
        bins: usize,
        aggregate: Aggregate,
        trials: impl IntoIterator<Item = (P, Option<f64>)>,
    ) -> Self {
        assert!(bins > 0 && row_axis != column_axis, "a heat map has two axes and cells");
        let (rows, columns) = (Side::new(space, row_axis, bins), Side::new(space, column_axis, bins));
        let width = columns.cells.len();
        let mut objectives: Vec<Vec<f64>> = vec![Vec::new(); rows.cells.len() * width];
        let mut counts = vec![0; objectives.len()];
        for (point, objective) in trials {
            let point = point.as_ref();
            let cell = rows.of(point[row_axis]) * width + columns.of(point[column_axis]);
            counts[cell] += 1;
            objectives[cell].extend(objective.filter(|value| !value.is_nan()));
        }
        let values = objectives.into_iter().map(|objectives| aggregate.of(objectives)).collect();
        Self { rows: rows.cells, columns: columns.cells, values, counts }
    }
}

impl Aggregate {
    fn of(self, mut objectives: Vec<f64>) -> Option<f64> {
        objectives.sort_by(f64::total_cmp);
        match self {
            Self::Best => objectives.last().copied(),
            Self::Median => median(&objectives),
            Self::Worst => objectives.first().copied(),
        }
    }
}

/// One axis of the table.
struct Side<'a> {
    ruler: &'a crate::ruler::Ruler,
    cells: Vec<Cell>,
}

impl<'a> Side<'a> {
    fn new(space: &'a Space, axis: usize, bins: usize) -> Self {
        let ruler = &space.rulers()[axis];
        let cells = match (&space.axes()[axis], ruler.count()) {
            (Axis::Choices { values, .. }, _) => values.iter().cloned().map(Cell::Listed).collect(),
            (_, Some(count)) if count <= bins as u64 => {
                (0..count).map(|place| Cell::Number(number(ruler.at(place)))).collect()
            }
            _ => {
                let end = |bin: usize| number(ruler.at_fraction((bin as f64 / bins as f64).min(1.0 - f64::EPSILON)));
                (0..bins).map(|bin| Cell::Range(end(bin), end(bin + 1))).collect()
            }
        };
        Self { ruler, cells }
    }

    fn of(&self, coordinate: Coordinate) -> usize {
        match self.ruler.place(coordinate) {
            Some(place) if self.ruler.count() == Some(self.cells.len() as u64) => place as usize,
            _ => {
                let (start, end) = self.ruler.cell_of(coordinate);
                crate::ruler::cell(0.5 * (start + end), self.cells.len() as u64) as usize
            }
        }
    }
}

fn number(coordinate: Coordinate) -> f64 {
    match coordinate {
        Coordinate::Integer(value) => value as f64,
        Coordinate::Float(value) => value,
        Coordinate::Choice(_) => panic!("listed values are cells of their own"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constraints, Grid, Sampler, Scale};

    fn integers(name: &str, low: i64, high: i64) -> Axis {
        Axis::Integers { name: name.into(), low, high, step: 1, scale: Scale::Linear }
    }

    #[test]
    fn a_cell_stands_for_all_trials_that_share_its_two_values() {
        let space = Space::new(vec![integers("a", 1, 2), integers("b", 1, 3), integers("c", 0, 2)]).expect("valid");
        let grid = Grid::new(&space, &Constraints::none(), 100).expect("a small grid");
        let points = grid.points(0..18).expect("no constraint");
        // The objective is 100 a + 10 b + c^2, and there is none at a = 2, b = 3.
        let trials = points.iter().map(|point| {
            let [a, b, c] = [0, 1, 2].map(|axis| number(point[axis]));
            (point, (a < 2.0 || b < 3.0).then_some(100.0 * a + 10.0 * b + c * c))
        });
        let map = |aggregate| HeatMap::new(&space, 1, 0, 50, aggregate, trials.clone());
        assert_eq!(
            map(Aggregate::Best).values,
            [Some(114.0), Some(214.0), Some(124.0), Some(224.0), Some(134.0), None]
        );
        assert_eq!(map(Aggregate::Median).values[..2], [Some(111.0), Some(211.0)]);
        assert_eq!(map(Aggregate::Worst).values[..2], [Some(110.0), Some(210.0)]);
        assert_eq!(map(Aggregate::Best).counts, [3; 6]);
        assert_eq!(map(Aggregate::Best).rows, [1.0, 2.0, 3.0].map(Cell::Number));
        assert_eq!(map(Aggregate::Best).columns, [1.0, 2.0].map(Cell::Number));
    }

    #[test]
    fn long_and_continuous_axes_are_cut_into_equal_parts_of_their_scale() {
        let rate = Axis::Floats { name: "rate".into(), low: 0.01, high: 100.0, step: None, scale: Scale::Log };
        let space = Space::new(vec![integers("a", 0, 99), rate]).expect("a valid space");
        let point = |a, rate| vec![Coordinate::Integer(a), Coordinate::Float(rate)];
        let trials = [(point(0, 0.01), Some(1.0)), (point(24, 0.99), Some(2.0)), (point(99, 100.0), Some(3.0))];
        let map = HeatMap::new(&space, 0, 1, 2, Aggregate::Best, trials);
        assert_eq!(map.rows, [Cell::Range(0.0, 50.0), Cell::Range(50.0, 99.0)]);
        let Cell::Range(low, middle) = map.columns[0] else { panic!("a continuous axis has ranges") };
        assert!((low - 0.01).abs() < 1e-12 && (middle - 1.0).abs() < 1e-12, "halfway from 10^-2 to 10^2 is 1");
        assert_eq!(map.values, [Some(2.0), None, None, Some(3.0)]);
        assert_eq!(map.counts, [2, 0, 0, 1]);
    }
}
