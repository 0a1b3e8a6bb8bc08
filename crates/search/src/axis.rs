//! One setting and the values it may take.

/// How values are spread between the ends of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equally likely.
    Linear,
    /// Equal ratios are equally likely.
    Log,
}

/// A listed value, as far as constraints and neighbors need to know it.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// True or false.
    Boolean(bool),
    /// Anything else, such as a list or a table; an axis with such a value cannot stand in a constraint.
    Other,
}

/// A setting and its values.
#[derive(Debug, Clone, PartialEq)]
pub enum Axis {
    /// Listed values.
    Choices {
        /// The name of the setting.
        name: String,
        /// The values, in the order in which they are numbered.
        values: Vec<Choice>,
    },
    /// The whole numbers `low`, `low + step`, ... that are not above `high`.
    Integers {
        /// The name of the setting.
        name: String,
        /// The first value.
        low: i64,
        /// The end, itself a value where steps hit it.
        high: i64,
        /// The distance of two values, above zero.
        step: i64,
        /// How random values are spread; [`Scale::Log`] needs `low >= 1` and `step = 1`.
        scale: Scale,
    },
    /// The numbers from `low` to `high`.
    Floats {
        /// The name of the setting.
        name: String,
        /// The lowest value.
        low: f64,
        /// The end, itself a value where steps hit it.
        high: f64,
        /// The distance of two values, above zero; none for every number between the ends.
        step: Option<f64>,
        /// How random values are spread; [`Scale::Log`] needs `low > 0` and no step.
        scale: Scale,
    },
}

impl Axis {
    /// Returns the name of the setting.
    pub fn name(&self) -> &str {
        match self {
            Self::Choices { name, .. } | Self::Integers { name, .. } | Self::Floats { name, .. } => name,
        }
    }
}

/// A value of one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Coordinate {
    /// The place, from zero, of a listed value.
    Choice(usize),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
}

/// A value for every axis of a space, in the order of the axes.
pub type Point = Vec<Coordinate>;
