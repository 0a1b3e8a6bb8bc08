//! A condition as a tree, and its answer at a point.

use crate::Coordinate;

/// A number at a point.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    Constant(f64),
    /// The number on an axis of numbers.
    Axis(usize),
    /// The listed number on an axis of choices.
    Listed(usize, Vec<f64>),
    Negate(Box<Number>),
    Absolute(Box<Number>),
    Binary(Operation, Box<Number>, Box<Number>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Smaller,
    Larger,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Equal,
}

/// A condition at a point; missing where it compares what is not finite.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Constant(bool),
    Compare(Comparison, Number, Number),
    /// What each choice of an axis answers.
    Listed(usize, Vec<bool>),
    Same(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

impl Condition {
    /// Answers in Kleene's logic: none where the answer hangs on what is missing.
    pub(super) fn met(&self, point: &[Coordinate]) -> Option<bool> {
        match self {
            Self::Constant(truth) => Some(*truth),
            Self::Compare(comparison, left, right) => {
                let (left, right) = (left.at(point), right.at(point));
                (left.is_finite() && right.is_finite()).then_some(match comparison {
                    Comparison::Less => left < right,
                    Comparison::LessOrEqual => left <= right,
                    Comparison::Equal => left == right,
                })
            }
            Self::Listed(axis, truths) => Some(truths[choice(point[*axis])]),
            Self::Same(left, right) => Some(left.met(point)? == right.met(point)?),
            Self::Not(condition) => condition.met(point).map(|truth| !truth),
            Self::And(left, right) => match (left.met(point), right.met(point)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(left, right) => match (left.met(point), right.met(point)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }
}

impl Number {
    fn at(&self, point: &[Coordinate]) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Axis(axis) => match point[*axis] {
                Coordinate::Integer(value) => value as f64,
                Coordinate::Float(value) => value,
                Coordinate::Choice(_) => panic!("a coordinate belongs to its axis"),
            },
            Self::Listed(axis, values) => values[choice(point[*axis])],
            Self::Negate(operand) => -operand.at(point),
            Self::Absolute(operand) => operand.at(point).abs(),
            Self::Binary(operation, left, right) => operation.of(left.at(point), right.at(point)),
        }
    }
}

impl Operation {
    fn of(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            // What is missing stays missing; `f64::min` would drop it.
            Self::Smaller | Self::Larger if left.is_nan() || right.is_nan() => f64::NAN,
            Self::Smaller => left.min(right),
            Self::Larger => left.max(right),
        }
    }
}

fn choice(coordinate: Coordinate) -> usize {
    match coordinate {
        Coordinate::Choice(place) => place,
        _ => panic!("a coordinate belongs to its axis"),
    }
}
