//! The values of one axis as places from zero, and as fractions from 0 to 1.

use crate::{Axis, Coordinate, Scale, SearchError};

/// The most values of one axis, and the largest whole number: beyond 2^53 floats leave whole numbers out.
const WHOLE_MAX: i64 = 1 << 53;

/// What is computed once per axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ruler {
    /// Values in equal cells of the fraction.
    Even { count: u64, values: Values },
    /// Whole numbers whose logarithms are spread evenly, each from half below to half above.
    LogIntegers { low: i64, high: i64 },
    /// Every number between the ends.
    Continuous { low: f64, high: f64, scale: Scale },
}

/// How a place becomes a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Values {
    Choices,
    Integers {
        low: i64,
        step: i64,
    },
    /// `(low + place * step) / divisor`, where all three are whole numbers if the decimals of the range allow it: the value is
    /// then the float nearest to the decimal, as if it had been written out.
    Decimals {
        low: f64,
        step: f64,
        divisor: f64,
    },
}

impl Ruler {
    pub(crate) fn new(axis: &Axis) -> Result<Self, SearchError> {
        match axis {
            Axis::Choices { name, values } => {
                if values.is_empty() {
                    return Err(SearchError::NoValues { axis: name.clone() });
                }
                Ok(Self::Even { count: values.len() as u64, values: Values::Choices })
            }
            Axis::Integers { name, low, high, step, scale } => integers(name, *low, *high, *step, *scale),
            Axis::Floats { name, low, high, step, scale } => floats(name, *low, *high, *step, *scale),
        }
    }

    /// Returns the number of values, none for a continuous axis.
    pub(crate) fn count(&self) -> Option<u64> {
        match self {
            Self::Even { count, .. } => Some(*count),
            Self::LogIntegers { low, high } => Some((high - low) as u64 + 1),
            Self::Continuous { .. } => None,
        }
    }

    /// Returns the value at a place below the count.
    ///
    /// # Panics
    /// On a continuous axis, which has no places.
    pub(crate) fn at(&self, place: u64) -> Coordinate {
        match self {
            Self::Even { values, .. } => match *values {
                Values::Choices => Coordinate::Choice(place as usize),
                Values::Integers { low, step } => Coordinate::Integer(low + place as i64 * step),
                Values::Decimals { low, step, divisor } => Coordinate::Float((low + place as f64 * step) / divisor),
            },
            Self::LogIntegers { low, .. } => Coordinate::Integer(low + place as i64),
            Self::Continuous { .. } => panic!("a continuous axis has no places"),
        }
    }

    /// Returns the place of a value, none on a continuous axis.
    pub(crate) fn place(&self, coordinate: Coordinate) -> Option<u64> {
        match (self, coordinate) {
            (Self::Even { values: Values::Choices, .. }, Coordinate::Choice(place)) => Some(place as u64),
            (Self::Even { values: Values::Integers { low, step }, .. }, Coordinate::Integer(value)) => {
                Some(((value - low) / step) as u64)
            }
            (Self::Even { values: Values::Decimals { low, step, divisor }, .. }, Coordinate::Float(value)) => {
                Some(((value * divisor - low) / step).round() as u64)
            }
            (Self::LogIntegers { low, .. }, Coordinate::Integer(value)) => Some((value - low) as u64),
            _ => None,
        }
    }

    /// Returns the value at a fraction in [0, 1): uniform fractions give uniform values on the axis's scale.
    pub(crate) fn at_fraction(&self, fraction: f64) -> Coordinate {
        match self {
            Self::Even { count, .. } => self.at(cell(fraction, *count)),
            Self::LogIntegers { low, high } => {
                let (first, last) = log_ends(*low, *high);
                let value = (first + fraction * (last - first)).exp().round() as i64;
                Coordinate::Integer(value.clamp(*low, *high))
            }
            Self::Continuous { low, high, scale: Scale::Linear } => {
                Coordinate::Float((low + fraction * (high - low)).clamp(*low, *high))
            }
            Self::Continuous { low, high, scale: Scale::Log } => {
                let (first, last) = (low.ln(), high.ln());
                Coordinate::Float((first + fraction * (last - first)).exp().clamp(*low, *high))
            }
        }
    }

    /// Returns the ends of the fractions that give a value; they are equal on a continuous axis.
    pub(crate) fn cell_of(&self, coordinate: Coordinate) -> (f64, f64) {
        match (self, coordinate) {
            (Self::LogIntegers { low, high }, Coordinate::Integer(value)) => {
                let (first, last) = log_ends(*low, *high);
                let fraction = |end: f64| ((end.ln() - first) / (last - first)).clamp(0.0, 1.0);
                (fraction(value as f64 - 0.5), fraction(value as f64 + 0.5))
            }
            (Self::Continuous { low, high, scale }, Coordinate::Float(value)) => {
                let fraction = match scale {
                    _ if high <= low => 0.5,
                    Scale::Linear => (value - low) / (high - low),
                    Scale::Log => (value.ln() - low.ln()) / (high.ln() - low.ln()),
                };
                (fraction, fraction)
            }
            (Self::Even { count, .. }, coordinate) => {
                let place = self.place(coordinate).expect("a coordinate belongs to its axis") as f64;
                (place / *count as f64, (place + 1.0) / *count as f64)
            }
            _ => panic!("a coordinate belongs to its axis"),
        }
    }
}

/// Returns which of `count` equal cells holds a fraction.
pub(crate) fn cell(fraction: f64, count: u64) -> u64 {
    ((fraction * count as f64) as u64).min(count - 1)
}

fn log_ends(low: i64, high: i64) -> (f64, f64) {
    ((low as f64 - 0.5).ln(), (high as f64 + 0.5).ln())
}

fn integers(name: &str, low: i64, high: i64, step: i64, scale: Scale) -> Result<Ruler, SearchError> {
    for end in [low, high] {
        if !(-WHOLE_MAX..=WHOLE_MAX).contains(&end) {
            let most = WHOLE_MAX as f64;
            return Err(SearchError::End { axis: name.to_owned(), low: -most, high: most, found: end as f64 });
        }
    }
    if low > high {
        return Err(SearchError::LowAboveHigh { axis: name.to_owned(), low: low.to_string(), high: high.to_string() });
    }
    if step <= 0 {
        return Err(SearchError::Step { axis: name.to_owned(), step: step.to_string() });
    }
    if scale == Scale::Linear {
        let count = (high - low) / step + 1;
        if count > WHOLE_MAX {
            return Err(SearchError::TooManyValues { axis: name.to_owned(), found: count as f64 });
        }
        return Ok(Ruler::Even { count: count as u64, values: Values::Integers { low, step } });
    }
    if low < 1 {
        return Err(SearchError::LogLow { axis: name.to_owned(), low: low.to_string() });
    }
    if step != 1 {
        return Err(SearchError::LogStep { axis: name.to_owned(), step: step.to_string() });
    }
    Ok(Ruler::LogIntegers { low, high })
}

fn floats(name: &str, low: f64, high: f64, step: Option<f64>, scale: Scale) -> Result<Ruler, SearchError> {
    let most = f64::MAX / 4.0;
    for end in [low, high] {
        if !(-most..=most).contains(&end) {
            return Err(SearchError::End { axis: name.to_owned(), low: -most, high: most, found: end });
        }
    }
    if low > high {
        return Err(SearchError::LowAboveHigh { axis: name.to_owned(), low: low.to_string(), high: high.to_string() });
    }
    match (step, scale) {
        (Some(step), _) if !(step > 0.0 && step.is_finite()) => {
            Err(SearchError::Step { axis: name.to_owned(), step: step.to_string() })
        }
        (Some(step), Scale::Log) => Err(SearchError::LogStep { axis: name.to_owned(), step: step.to_string() }),
        (None, Scale::Log) if low <= 0.0 => Err(SearchError::LogLow { axis: name.to_owned(), low: low.to_string() }),
        (None, _) => Ok(Ruler::Continuous { low, high, scale }),
        (Some(step), Scale::Linear) => {
            let steps = (high - low) / step;
            if steps >= WHOLE_MAX as f64 {
                return Err(SearchError::TooManyValues { axis: name.to_owned(), found: steps + 1.0 });
            }
            // Rounding must not lose the last value: (0.5 - 0.1) / 0.1 is a little below 4.
            let count = (steps * (1.0 + 1e-12) + 1e-9).floor() as u64 + 1;
            Ok(Ruler::Even { count, values: decimals(low, high, step) })
        }
    }
}

fn decimals(low: f64, high: f64, step: f64) -> Values {
    let digits = [low, step].iter().map(|value| decimal_places(*value)).max().expect("two values");
    let divisor = 10f64.powi(digits as i32);
    let largest = low.abs().max(high.abs()) * divisor;
    if digits > 15 || largest >= WHOLE_MAX as f64 {
        return Values::Decimals { low, step, divisor: 1.0 };
    }
    Values::Decimals { low: (low * divisor).round(), step: (step * divisor).round(), divisor }
}

/// Counts the digits after the point of the shortest text that reads back as the number.
fn decimal_places(value: f64) -> usize {
    value.to_string().split_once('.').map_or(0, |(_, digits)| digits.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn float_axis(low: f64, high: f64, step: Option<f64>, scale: Scale) -> Axis {
        Axis::Floats { name: "x".into(), low, high, step, scale }
    }

    fn integer_axis(low: i64, high: i64, step: i64, scale: Scale) -> Axis {
        Axis::Integers { name: "x".into(), low, high, step, scale }
    }

    fn values(axis: &Axis) -> Vec<Coordinate> {
        let ruler = Ruler::new(axis).expect("a valid axis");
        (0..ruler.count().expect("a discrete axis")).map(|place| ruler.at(place)).collect()
    }

    fn refusal(axis: &Axis) -> String {
        Ruler::new(axis).expect_err("an invalid axis").to_string()
    }

    #[test]
    fn stepped_floats_are_the_decimals_that_one_would_write() {
        let floats = |values: &[f64]| values.iter().map(|value| Coordinate::Float(*value)).collect::<Vec<_>>();
        assert_eq!(
            values(&float_axis(0.1, 0.7, Some(0.1), Scale::Linear)),
            floats(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
        );
        assert_eq!(values(&float_axis(-0.05, 0.1, Some(0.05), Scale::Linear)), floats(&[-0.05, 0.0, 0.05, 0.1]));
        assert_eq!(values(&float_axis(1.0, 2.0, Some(0.3), Scale::Linear)), floats(&[1.0, 1.3, 1.6, 1.9]));
        assert_eq!(values(&float_axis(5.0, 5.0, Some(1.0), Scale::Linear)), floats(&[5.0]));
    }

    #[test]
    fn steps_that_miss_the_end_stop_before_it() {
        let integers = |values: &[i64]| values.iter().map(|value| Coordinate::Integer(*value)).collect::<Vec<_>>();
        assert_eq!(values(&integer_axis(-3, 4, 3, Scale::Linear)), integers(&[-3, 0, 3]));
        assert_eq!(values(&integer_axis(7, 7, 5, Scale::Linear)), integers(&[7]));
        assert_eq!(values(&integer_axis(2, 4, 1, Scale::Log)), integers(&[2, 3, 4]));
    }

    #[test]
    fn logarithms_are_spread_evenly() {
        let ruler = Ruler::new(&float_axis(1e-4, 1.0, None, Scale::Log)).expect("a valid axis");
        // Halfway between 10^-4 and 10^0 lies 10^-2.
        let Coordinate::Float(middle) = ruler.at_fraction(0.5) else { panic!("an axis of floats") };
        assert!((middle - 0.01).abs() < 1e-15, "{middle}");
        let ruler = Ruler::new(&integer_axis(1, 4, 1, Scale::Log)).expect("a valid axis");
        // Cells end at ln 0.5, ln 1.5, ln 2.5, ln 3.5, ln 4.5: the first holds ln 3 / ln 9 = 1/2.
        assert_eq!(ruler.at_fraction(0.499), Coordinate::Integer(1));
        assert_eq!(ruler.at_fraction(0.501), Coordinate::Integer(2));
        assert!((ruler.cell_of(Coordinate::Integer(1)).1 - 0.5).abs() < 1e-15);
    }

    #[test]
    fn a_range_that_makes_no_sense_is_refused_with_its_numbers() {
        assert_eq!(refusal(&integer_axis(5, 4, 1, Scale::Linear)), "`x` must have low <= high, was `5` to `4`");
        assert_eq!(
            refusal(&float_axis(0.5, -0.5, None, Scale::Linear)),
            "`x` must have low <= high, was `0.5` to `-0.5`"
        );
        assert_eq!(refusal(&integer_axis(1, 4, 0, Scale::Linear)), "the step of `x` must be above 0, was `0`");
        assert_eq!(
            refusal(&float_axis(0.0, 1.0, Some(-0.1), Scale::Linear)),
            "the step of `x` must be above 0, was `-0.1`"
        );
        assert_eq!(
            refusal(&float_axis(0.0, 1.0, Some(f64::NAN), Scale::Linear)),
            "the step of `x` must be above 0, was `NaN`"
        );
        assert_eq!(refusal(&float_axis(0.0, 1.0, None, Scale::Log)), "`x` on a log scale must start above 0, was `0`");
        assert_eq!(refusal(&integer_axis(0, 9, 1, Scale::Log)), "`x` on a log scale must start above 0, was `0`");
        assert!(refusal(&float_axis(1.0, 2.0, Some(0.5), Scale::Log)).contains("must have no step, was `0.5`"));
        assert!(refusal(&float_axis(f64::NAN, 2.0, None, Scale::Linear)).contains("was `NaN`"));
        assert!(refusal(&float_axis(0.0, f64::INFINITY, None, Scale::Linear)).contains("was `inf`"));
        assert!(
            refusal(&float_axis(0.0, 1.0, Some(1e-300), Scale::Linear)).contains("at most `9007199254740992` values")
        );
        assert!(refusal(&integer_axis(0, i64::MAX, 1, Scale::Linear)).contains("must stay between"));
    }

    proptest! {
        #[test]
        fn a_value_knows_its_place_and_its_cell(
            low in -1_000i64..1_000, width in 0i64..500, step in 1i64..9, tenths in 1u32..40, log in any::<bool>(),
        ) {
            let step_size = f64::from(tenths) / 10.0;
            let axes = [
                integer_axis(low, low + width, step, Scale::Linear),
                integer_axis(low.abs() + 1, low.abs() + 1 + width, 1, Scale::Log),
                float_axis(low as f64 / 8.0, (low + width) as f64 / 8.0, Some(step_size), Scale::Linear),
            ];
            for axis in &axes {
                let ruler = Ruler::new(axis).expect("a valid axis");
                for place in 0..ruler.count().expect("a discrete axis") {
                    let value = ruler.at(place);
                    prop_assert_eq!(ruler.place(value), Some(place));
                    let (start, end) = ruler.cell_of(value);
                    prop_assert!(start < end);
                    prop_assert_eq!(ruler.at_fraction(0.5 * (start + end)), value);
                }
            }
            let scale = if log { Scale::Log } else { Scale::Linear };
            let (low, high) = (low.abs() as f64 + 0.5, (low.abs() + width) as f64 + 1.5);
            let ruler = Ruler::new(&float_axis(low, high, None, scale)).expect("a valid axis");
            for fraction in [0.0, 0.25, 0.999_999] {
                let value = ruler.at_fraction(fraction);
                prop_assert!((ruler.cell_of(value).0 - fraction).abs() < 1e-9);
                let Coordinate::Float(value) = value else { panic!("an axis of floats") };
                prop_assert!((low..=high).contains(&value));
            }
        }
    }
}
