//! Expressions over what is known at a close: two closed trees, one of numbers and one of conditions.
//!
//! There is no parser here and no name of a column: a tree is built by whoever reads the user's text. What cannot be written in
//! these trees cannot be computed, and nothing in them reaches past the bar that just closed.

/// A field of the bar that just closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarField {
    /// The first price.
    Open,
    /// The highest price.
    High,
    /// The lowest price.
    Low,
    /// The last price.
    Close,
    /// Units traded.
    Volume,
}

/// A number that belongs to the moment, not to the bars: the forecast in force, the position, the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveField {
    /// The mean of the forecast while it speaks about the future, over its horizon.
    ForecastMean,
    /// The square root of that forecast's variance.
    ForecastVolatility,
    /// The closes that have seen the position, this one included; missing without a position.
    BarsHeld,
    /// The gain since the entry over the entry's value, before commission; missing without a position.
    UnrealizedPnl,
    /// Units held; negative is short.
    Position,
    /// The average cost of the units held, in prices as signals see them now; missing without a position.
    EntryPrice,
    /// Cash plus the value of all positions.
    Equity,
}

impl LiveField {
    /// The number of fields.
    pub(super) const COUNT: usize = 7;
}

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOperation {
    /// The number with the other sign.
    Negate,
    /// The number without its sign.
    Absolute,
    /// The natural logarithm.
    Log,
    /// The exponential.
    Exp,
    /// The square root.
    Sqrt,
}

/// A function of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperation {
    /// The sum.
    Add,
    /// The difference.
    Subtract,
    /// The product.
    Multiply,
    /// The quotient; missing where it is not finite.
    Divide,
    /// The smaller of the two.
    Smaller,
    /// The larger of the two.
    Larger,
}

/// A comparison of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `=`, exactly.
    Equal,
    /// `<>`, exactly.
    NotEqual,
}

/// A number at a close.
///
/// A number is missing in the warm-up of a column, before the first bar, and where a result is not finite; whatever is computed
/// from a missing number is missing.
#[derive(Debug, Clone, PartialEq)]
pub enum Number {
    /// The same at every close.
    Constant(f64),
    /// A field of the bar.
    Bar(BarField),
    /// A column of the instrument's feature matrix, by its place.
    Feature(usize),
    /// The forecast, the position or the account.
    Live(LiveField),
    /// What a number was so many bars of the instrument ago.
    Lag(Box<Self>, usize),
    /// A function of one number.
    Unary(UnaryOperation, Box<Self>),
    /// A function of two numbers.
    Binary(BinaryOperation, Box<Self>, Box<Self>),
}

/// What holds, does not hold, or cannot be told at a close.
///
/// A comparison with a missing number cannot be told. `not` of it cannot be told either; `and` does not hold as soon as one side
/// does not, `or` holds as soon as one side does, and both cannot be told otherwise (Kleene's logic, which is also SQL's).
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The same at every close.
    Constant(bool),
    /// A comparison.
    Compare(Comparison, Number, Number),
    /// The first number is above the second and was not one bar ago.
    CrossesAbove(Number, Number),
    /// The first number is below the second and was not one bar ago.
    CrossesBelow(Number, Number),
    /// The opposite.
    Not(Box<Self>),
    /// Both.
    And(Box<Self>, Box<Self>),
    /// One or both.
    Or(Box<Self>, Box<Self>),
}

/// What an expression needs besides the bar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// The feature columns: one more than the highest place.
    pub(super) columns: usize,
    /// How many bars ago a live field is asked for.
    pub(super) live_bars: usize,
}

impl Needs {
    pub(super) fn and(self, other: Self) -> Self {
        Self { columns: self.columns.max(other.columns), live_bars: self.live_bars.max(other.live_bars) }
    }
}

impl Number {
    /// Returns what the number needs when it is asked for `ago` bars ago.
    pub(super) fn needs(&self, ago: usize) -> Needs {
        match self {
            Self::Constant(_) | Self::Bar(_) => Needs::default(),
            Self::Feature(column) => Needs { columns: column + 1, live_bars: 0 },
            Self::Live(_) => Needs { columns: 0, live_bars: ago },
            Self::Lag(number, bars) => number.needs(ago.saturating_add(*bars)),
            Self::Unary(_, number) => number.needs(ago),
            Self::Binary(_, a, b) => a.needs(ago).and(b.needs(ago)),
        }
    }
}

impl Condition {
    /// Returns what the condition needs.
    pub(super) fn needs(&self) -> Needs {
        match self {
            Self::Constant(_) => Needs::default(),
            Self::Compare(_, a, b) => a.needs(0).and(b.needs(0)),
            Self::CrossesAbove(a, b) | Self::CrossesBelow(a, b) => a.needs(1).and(b.needs(1)),
            Self::Not(condition) => condition.needs(),
            Self::And(a, b) | Self::Or(a, b) => a.needs().and(b.needs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_knows_the_columns_and_the_past_that_it_needs() {
        let live = Number::Live(LiveField::ForecastMean);
        let lagged = Number::Lag(Box::new(Number::Lag(Box::new(live), 2)), 3);
        let crossed = Condition::CrossesAbove(lagged, Number::Feature(4));
        let either = Condition::Or(Box::new(Condition::Constant(true)), Box::new(crossed));
        assert_eq!(either.needs(), Needs { columns: 5, live_bars: 6 });
        let of_bars = Number::Lag(Box::new(Number::Bar(BarField::Close)), 9);
        assert_eq!(of_bars.needs(0), Needs::default(), "the engine keeps the bars");
    }
}
