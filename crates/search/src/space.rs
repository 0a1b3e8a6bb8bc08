//! All axes together.

use crate::ruler::Ruler;
use crate::{Axis, Point, SearchError};

/// The settings that vary, each with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    axes: Vec<Axis>,
    rulers: Vec<Ruler>,
}

impl Space {
    /// Checks the axes.
    ///
    /// # Errors
    /// When there is none, a name stands twice, an axis has no value, or a range makes no sense.
    pub fn new(axes: Vec<Axis>) -> Result<Self, SearchError> {
        if axes.is_empty() {
            return Err(SearchError::NoAxes);
        }
        for (later, axis) in axes.iter().enumerate() {
            if axes[..later].iter().any(|earlier| earlier.name() == axis.name()) {
                return Err(SearchError::SameName { axis: axis.name().to_owned() });
            }
        }
        let rulers = axes.iter().map(Ruler::new).collect::<Result<_, _>>()?;
        Ok(Self { axes, rulers })
    }

    /// Returns the axes, in the order of a point's coordinates.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Returns the number of points: none where an axis is continuous, `u128::MAX` where there are more.
    pub fn size(&self) -> Option<u128> {
        self.rulers
            .iter()
            .try_fold(1u128, |product, ruler| ruler.count().map(|count| product.saturating_mul(u128::from(count))))
    }

    pub(crate) fn rulers(&self) -> &[Ruler] {
        &self.rulers
    }

    /// Writes the point with a number into a buffer, the last axis changing fastest.
    pub(crate) fn write_combination(&self, number: u64, point: &mut Point) {
        let mut rest = number;
        point.clear();
        point.extend(self.rulers.iter().rev().map(|ruler| {
            let count = ruler.count().expect("a grid has no continuous axis");
            let place = rest % count;
            rest /= count;
            ruler.at(place)
        }));
        point.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Choice, Scale};

    fn integers(name: &str, low: i64, high: i64) -> Axis {
        Axis::Integers { name: name.into(), low, high, step: 1, scale: Scale::Linear }
    }

    #[test]
    fn a_space_counts_its_points() {
        let space = Space::new(vec![integers("a", 1, 1_000_000), integers("b", 1, 1_000_000)]).expect("a valid space");
        assert_eq!(space.size(), Some(1_000_000_000_000));
        let axes = (0..3).map(|axis| integers(&format!("axis_{axis}"), 0, (1 << 53) - 1)).collect();
        assert_eq!(Space::new(axes).expect("a valid space").size(), Some(u128::MAX), "2^159 does not fit");
        let continuous = Axis::Floats { name: "c".into(), low: 0.0, high: 1.0, step: None, scale: Scale::Linear };
        assert_eq!(Space::new(vec![integers("a", 1, 2), continuous]).expect("a valid space").size(), None);
    }

    #[test]
    fn a_space_has_axes_with_values_and_names_of_their_own() {
        assert_eq!(Space::new(Vec::new()), Err(SearchError::NoAxes));
        let twice = Space::new(vec![integers("a", 1, 2), integers("b", 1, 2), integers("a", 3, 4)]);
        assert_eq!(twice.expect_err("a name stands twice").to_string(), "an axis must be named once, `a` stands twice");
        let empty = Space::new(vec![Axis::Choices { name: "a".into(), values: Vec::<Choice>::new() }]);
        assert!(empty.expect_err("no value").to_string().starts_with("`a` must list at least one value, was empty"));
    }
}
