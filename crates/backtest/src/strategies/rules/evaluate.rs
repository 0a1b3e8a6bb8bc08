//! The value of an expression at the close of a bar.

use tidegate_market::FeatureMatrix;

use super::expression::{BarField, BinaryOperation, Comparison, Condition, LiveField, Number, UnaryOperation};
use super::memory::Memory;
use crate::History;

/// What an expression may look at: bars, columns and live fields of one instrument, up to its last closed bar.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) history: History<'a>,
    pub(super) features: &'a FeatureMatrix,
    /// The row of the matrix that belongs to the first bar of the history.
    pub(super) first_row: usize,
    pub(super) memory: &'a Memory,
}

impl View<'_> {
    /// Returns a number; `None` is missing.
    pub(super) fn number(&self, number: &Number) -> Option<f64> {
        let value = self.value(number, 0);
        (!value.is_nan()).then_some(value)
    }

    /// Returns whether a condition holds; one that cannot be told does not.
    pub(super) fn holds(&self, condition: &Condition) -> bool {
        self.truth(condition) == Some(true)
    }

    /// Returns whether a condition holds; `None` cannot be told.
    fn truth(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::Constant(truth) => Some(*truth),
            Condition::Compare(comparison, a, b) => compare(*comparison, self.value(a, 0), self.value(b, 0)),
            Condition::CrossesAbove(a, b) => self.crosses(a, b, Comparison::Greater, Comparison::LessOrEqual),
            Condition::CrossesBelow(a, b) => self.crosses(a, b, Comparison::Less, Comparison::GreaterOrEqual),
            Condition::Not(condition) => self.truth(condition).map(|truth| !truth),
            Condition::And(a, b) => match self.truth(a) {
                Some(false) => Some(false),
                Some(true) => self.truth(b),
                None => self.truth(b).filter(|&truth| !truth),
            },
            Condition::Or(a, b) => match self.truth(a) {
                Some(true) => Some(true),
                Some(false) => self.truth(b),
                None => self.truth(b).filter(|&truth| truth),
            },
        }
    }

    /// Returns whether two numbers compare one way now and another way one bar ago.
    fn crosses(&self, a: &Number, b: &Number, now: Comparison, before: Comparison) -> Option<bool> {
        let now = compare(now, self.value(a, 0), self.value(b, 0))?;
        let before = compare(before, self.value(a, 1), self.value(b, 1))?;
        Some(now && before)
    }

    /// Returns a number `ago` bars ago; NaN is missing.
    fn value(&self, number: &Number, ago: usize) -> f64 {
        match number {
            Number::Constant(value) => *value,
            Number::Bar(field) => self.bar(*field, ago),
            Number::Feature(column) => self.feature(*column, ago),
            Number::Live(field) => self.memory.value(*field, ago),
            Number::Lag(number, bars) => self.value(number, ago.saturating_add(*bars)),
            Number::Unary(operation, number) => finite(unary(*operation, self.value(number, ago))),
            Number::Binary(operation, a, b) => finite(binary(*operation, self.value(a, ago), self.value(b, ago))),
        }
    }

    fn bar(&self, field: BarField, ago: usize) -> f64 {
        let column = match field {
            BarField::Open => self.history.open,
            BarField::High => self.history.high,
            BarField::Low => self.history.low,
            BarField::Close => self.history.close,
            BarField::Volume => self.history.volume,
        };
        self.row(ago).map_or(f64::NAN, |row| column[row])
    }

    fn feature(&self, column: usize, ago: usize) -> f64 {
        let values = self.features.columns()[column].values();
        self.row(ago).and_then(|row| values.get(self.first_row + row).copied()).unwrap_or(f64::NAN)
    }

    /// Returns the row of the history that closed `ago` bars ago.
    fn row(&self, ago: usize) -> Option<usize> {
        self.history.close.len().checked_sub(1)?.checked_sub(ago)
    }
}

fn compare(comparison: Comparison, a: f64, b: f64) -> Option<bool> {
    if a.is_nan() || b.is_nan() {
        return None;
    }
    Some(match comparison {
        Comparison::Less => a < b,
        Comparison::LessOrEqual => a <= b,
        Comparison::Greater => a > b,
        Comparison::GreaterOrEqual => a >= b,
        Comparison::Equal => a == b,
        Comparison::NotEqual => a != b,
    })
}

fn unary(operation: UnaryOperation, a: f64) -> f64 {
    match operation {
        UnaryOperation::Negate => -a,
        UnaryOperation::Absolute => a.abs(),
        UnaryOperation::Log => a.ln(),
        UnaryOperation::Exp => a.exp(),
        UnaryOperation::Sqrt => a.sqrt(),
    }
}

fn binary(operation: BinaryOperation, a: f64, b: f64) -> f64 {
    match operation {
        BinaryOperation::Add => a + b,
        BinaryOperation::Subtract => a - b,
        BinaryOperation::Multiply => a * b,
        BinaryOperation::Divide => a / b,
        // The standard library's `min` and `max` pass over a NaN; here it is a missing number, and so is the result.
        BinaryOperation::Smaller | BinaryOperation::Larger if a.is_nan() || b.is_nan() => f64::NAN,
        BinaryOperation::Smaller => a.min(b),
        BinaryOperation::Larger => a.max(b),
    }
}

/// Makes what is not finite missing.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

impl Memory {
    /// Returns a live field `ago` bars ago; NaN is missing.
    fn value(&self, field: LiveField, ago: usize) -> f64 {
        self.row(ago).map_or(f64::NAN, |row| row[field as usize])
    }
}

#[cfg(test)]
mod tests {
    use tidegate_market::FeatureColumn;

    use super::*;

    const CLOSE: Number = Number::Bar(BarField::Close);
    const MISSING: Number = Number::Feature(0);

    fn constant(value: f64) -> Number {
        Number::Constant(value)
    }

    fn lag(number: Number, bars: usize) -> Number {
        Number::Lag(Box::new(number), bars)
    }

    /// Evaluates on closes with one column that is missing at the last row.
    fn with<T>(closes: &[f64], evaluate: impl FnOnce(View<'_>) -> T) -> T {
        let mut column: Vec<f64> = vec![0.0, 0.0];
        column.extend(closes.iter().map(|close| close * 10.0));
        *column.last_mut().expect("not empty") = f64::NAN;
        let rows = column.len();
        let features = FeatureMatrix::new(rows, vec![FeatureColumn::new("x", column)]).expect("one length");
        let history =
            History { time: &[], open: closes, high: closes, low: closes, close: closes, volume: &vec![7.0; rows] };
        evaluate(View { history, features: &features, first_row: 2, memory: &Memory::new(0) })
    }

    #[track_caller]
    fn check(number: &Number, expected: Option<f64>) {
        let found = with(&[3.0, 5.0, 4.0], |view| view.number(number));
        assert_eq!(found, expected, "{number:?}");
    }

    #[track_caller]
    fn check_truth(condition: &Condition, expected: Option<bool>) {
        assert_eq!(with(&[3.0, 5.0, 4.0], |view| view.truth(condition)), expected, "{condition:?}");
    }

    #[test]
    fn a_lag_is_the_value_so_many_bars_ago_and_missing_before_the_first() {
        check(&CLOSE, Some(4.0));
        check(&lag(CLOSE, 2), Some(3.0));
        check(&lag(lag(CLOSE, 1), 1), Some(3.0));
        check(&lag(CLOSE, 3), None);
        check(&lag(CLOSE, usize::MAX), None);
        check(&Number::Bar(BarField::Volume), Some(7.0));
    }

    #[test]
    fn a_column_is_read_from_the_row_of_the_bar() {
        check(&MISSING, None);
        check(&lag(MISSING, 1), Some(50.0));
        check(&lag(MISSING, 2), Some(30.0));
        // The matrix has two rows more at its front, which the traded bars do not.
        check(&lag(MISSING, 3), None);
    }

    #[test]
    fn arithmetic_is_that_of_numbers_and_what_is_missing_stays_missing() {
        use BinaryOperation::{Add, Divide, Larger, Multiply, Smaller, Subtract};
        let binary = |operation, a, b| Number::Binary(operation, Box::new(a), Box::new(b));
        let cases = [(Add, 6.0), (Subtract, 2.0), (Multiply, 8.0), (Divide, 2.0), (Smaller, 2.0), (Larger, 4.0)];
        for (operation, expected) in cases {
            check(&binary(operation, CLOSE, constant(2.0)), Some(expected));
            check(&binary(operation, CLOSE, MISSING), None);
            check(&binary(operation, MISSING, CLOSE), None);
        }
        check(&binary(Divide, CLOSE, constant(0.0)), None);
    }

    #[test]
    fn functions_are_those_of_numbers_and_missing_where_they_are_undefined() {
        let unary = |operation, a| Number::Unary(operation, Box::new(a));
        check(&unary(UnaryOperation::Negate, CLOSE), Some(-4.0));
        check(&unary(UnaryOperation::Absolute, constant(-4.0)), Some(4.0));
        check(&unary(UnaryOperation::Sqrt, CLOSE), Some(2.0));
        check(&unary(UnaryOperation::Exp, constant(0.0)), Some(1.0));
        check(&unary(UnaryOperation::Log, constant(1.0)), Some(0.0));
        check(&unary(UnaryOperation::Log, constant(0.0)), None);
        check(&unary(UnaryOperation::Sqrt, constant(-1.0)), None);
        check(&unary(UnaryOperation::Exp, constant(1e9)), None);
    }

    #[test]
    fn comparisons_compare() {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        for (comparison, below, same, above) in [
            (Less, true, false, false),
            (LessOrEqual, true, true, false),
            (Greater, false, false, true),
            (GreaterOrEqual, false, true, true),
            (Equal, false, true, false),
            (NotEqual, true, false, true),
        ] {
            for (value, expected) in [(3.0, below), (4.0, same), (5.0, above)] {
                check_truth(&Condition::Compare(comparison, constant(value), CLOSE), Some(expected));
            }
            check_truth(&Condition::Compare(comparison, MISSING, CLOSE), None);
            check_truth(&Condition::Compare(comparison, CLOSE, MISSING), None);
        }
    }

    #[test]
    fn logic_has_three_values() {
        let of = |truth: Option<bool>| {
            truth.map_or(Condition::Compare(Comparison::Less, MISSING, CLOSE), Condition::Constant)
        };
        let (yes, no, open) = (Some(true), Some(false), None);
        // Kleene's tables.
        for (a, b, both, either) in [
            (yes, yes, yes, yes),
            (yes, no, no, yes),
            (yes, open, open, yes),
            (no, no, no, no),
            (no, open, no, open),
            (open, open, open, open),
        ] {
            for (a, b) in [(a, b), (b, a)] {
                check_truth(&Condition::And(Box::new(of(a)), Box::new(of(b))), both);
                check_truth(&Condition::Or(Box::new(of(a)), Box::new(of(b))), either);
            }
        }
        for (truth, opposite) in [(yes, no), (no, yes), (open, open)] {
            check_truth(&Condition::Not(Box::new(of(truth))), opposite);
        }
    }

    #[test]
    fn a_cross_needs_both_bars_and_starts_from_the_other_side_or_equality() {
        let check = |closes: &[f64], level: f64, above: Option<bool>, below: Option<bool>| {
            let found = with(closes, |view| {
                let truth = |condition: &Condition| view.truth(condition);
                (
                    truth(&Condition::CrossesAbove(CLOSE, constant(level))),
                    truth(&Condition::CrossesBelow(CLOSE, constant(level))),
                )
            });
            assert_eq!(found, (above, below), "{closes:?} {level}");
        };
        check(&[1.0, 3.0], 2.0, Some(true), Some(false));
        check(&[2.0, 3.0], 2.0, Some(true), Some(false));
        check(&[2.0, 1.0], 2.0, Some(false), Some(true));
        check(&[3.0, 2.0], 2.0, Some(false), Some(false));
        check(&[3.0, 4.0], 2.0, Some(false), Some(false));
        check(&[3.0], 2.0, None, None);
    }
}
