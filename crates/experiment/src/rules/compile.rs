//! The parser's tree to ours: two functions, one for what must be a number and one for what must be a condition.

use sqlparser::ast::{BinaryOperator, Expr, Ident, Spanned, UnaryOperator, Value};
use tidegate_backtest::strategies::rules::{BinaryOperation, Comparison, Condition, Number, UnaryOperation};

use super::error::{RuleError, characters, slice};
use super::names::Names;

/// What is being compiled, and by which names.
#[derive(Clone, Copy)]
pub(super) struct Compiler<'a> {
    pub(super) text: &'a str,
    pub(super) names: &'a Names,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Compiled {
    Number(Number),
    Condition(Condition),
}

impl Compiler<'_> {
    /// Returns what must be a condition.
    pub(super) fn condition(self, expression: &Expr) -> Result<Condition, RuleError> {
        match self.compile(expression)? {
            Compiled::Condition(condition) => Ok(condition),
            Compiled::Number(_) => {
                let found = self.slice(expression);
                let message = format!("must be a condition, which is true or false, but `{found}` is a number");
                Err(self.error(expression, message).hint(format!("compare it: `{found} > 0`")))
            }
        }
    }

    /// Returns what must be a number.
    pub(super) fn number(self, expression: &Expr) -> Result<Number, RuleError> {
        match self.compile(expression)? {
            Compiled::Number(number) => Ok(number),
            Compiled::Condition(_) => {
                let found = self.slice(expression);
                Err(self
                    .error(expression, format!("must be a number, but `{found}` is a condition"))
                    .hint("conditions are joined by `and` and `or`; a range is `x between low and high`"))
            }
        }
    }

    fn compile(self, expression: &Expr) -> Result<Compiled, RuleError> {
        match expression {
            Expr::Nested(inner) => self.compile(inner),
            Expr::Identifier(name) => self.name(name).map(Compiled::Number),
            Expr::Value(value) => self.literal(expression, &value.value),
            Expr::UnaryOp { op, expr } => self.unary(expression, *op, expr),
            Expr::BinaryOp { left, op, right } => self.binary(expression, left, op, right),
            Expr::Between { expr, negated, low, high } => {
                self.between(expr, low, high, *negated).map(Compiled::Condition)
            }
            Expr::Function(function) => self.call(expression, function),
            other => Err(self.unknown(other)),
        }
    }

    fn name(self, name: &Ident) -> Result<Number, RuleError> {
        self.names.number(&name.value).ok_or_else(|| {
            RuleError::new(self.text, characters(self.text, name.span), format!("column `{}` is not known", name.value))
                .hint(self.names.hint(&name.value))
        })
    }

    fn literal(self, expression: &Expr, value: &Value) -> Result<Compiled, RuleError> {
        match value {
            Value::Boolean(truth) => Ok(Compiled::Condition(Condition::Constant(*truth))),
            Value::Number(digits, _) => match digits.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Compiled::Number(Number::Constant(number))),
                _ => Err(self.error(expression, format!("a number must be finite, was `{digits}`"))),
            },
            _ => Err(self
                .error(expression, format!("`{}` is neither a number nor a column", self.slice(expression)))
                .hint("columns are written without quotes; a missing value needs no word: it meets no condition")),
        }
    }

    fn unary(self, whole: &Expr, operator: UnaryOperator, operand: &Expr) -> Result<Compiled, RuleError> {
        match operator {
            UnaryOperator::Plus => self.number(operand).map(Compiled::Number),
            UnaryOperator::Minus => {
                let operand = Box::new(self.number(operand)?);
                Ok(Compiled::Number(Number::Unary(UnaryOperation::Negate, operand)))
            }
            UnaryOperator::Not => Ok(Compiled::Condition(Condition::Not(Box::new(self.condition(operand)?)))),
            _ => Err(self.unknown(whole)),
        }
    }

    fn binary(self, whole: &Expr, left: &Expr, operator: &BinaryOperator, right: &Expr) -> Result<Compiled, RuleError> {
        let arithmetic = |operation| {
            let (left, right) = (self.number(left)?, self.number(right)?);
            Ok(Compiled::Number(Number::Binary(operation, Box::new(left), Box::new(right))))
        };
        let comparison = |comparison| {
            Ok(Compiled::Condition(Condition::Compare(comparison, self.number(left)?, self.number(right)?)))
        };
        match operator {
            BinaryOperator::Plus => arithmetic(BinaryOperation::Add),
            BinaryOperator::Minus => arithmetic(BinaryOperation::Subtract),
            BinaryOperator::Multiply => arithmetic(BinaryOperation::Multiply),
            BinaryOperator::Divide => arithmetic(BinaryOperation::Divide),
            BinaryOperator::Lt => comparison(Comparison::Less),
            BinaryOperator::LtEq => comparison(Comparison::LessOrEqual),
            BinaryOperator::Gt => comparison(Comparison::Greater),
            BinaryOperator::GtEq => comparison(Comparison::GreaterOrEqual),
            BinaryOperator::Eq => comparison(Comparison::Equal),
            BinaryOperator::NotEq => comparison(Comparison::NotEqual),
            BinaryOperator::And => {
                let (left, right) = (self.condition(left)?, self.condition(right)?);
                Ok(Compiled::Condition(Condition::And(Box::new(left), Box::new(right))))
            }
            BinaryOperator::Or => {
                let (left, right) = (self.condition(left)?, self.condition(right)?);
                Ok(Compiled::Condition(Condition::Or(Box::new(left), Box::new(right))))
            }
            _ => Err(self.unknown(whole)),
        }
    }

    fn between(self, value: &Expr, low: &Expr, high: &Expr, negated: bool) -> Result<Condition, RuleError> {
        let (value, low, high) = (self.number(value)?, self.number(low)?, self.number(high)?);
        let within = Condition::And(
            Box::new(Condition::Compare(Comparison::GreaterOrEqual, value.clone(), low)),
            Box::new(Condition::Compare(Comparison::LessOrEqual, value, high)),
        );
        Ok(if negated { Condition::Not(Box::new(within)) } else { within })
    }

    /// Refuses a part of SQL that rules do not have.
    fn unknown(self, expression: &Expr) -> RuleError {
        let hint =
            "an expression has columns, numbers, `+ - * /`, comparisons, `between`, `and`, `or`, `not` and functions";
        match expression {
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::In { .. } | Expr::AnyOp { .. } | Expr::AllOp { .. } => self
                .error(
                    expression,
                    "a rule must not ask a table, whose rows may be later bars; a subquery or a list was found",
                )
                .hint("compare with a column of `[features]`, or with `lag(x, n)`"),
            Expr::IsNull(_) | Expr::IsNotNull(_) | Expr::IsUnknown(_) | Expr::IsNotUnknown(_) => self
                .error(expression, "a rule does not ask whether a value is missing")
                .hint("a condition with a missing value is not met, and `not` of it neither"),
            // The tree's own words: its spans leave out parts such as the name of a special function.
            _ => self.error(expression, format!("`{expression}` is not part of the language of rules")).hint(hint),
        }
    }

    /// Points at an expression.
    pub(super) fn error(self, expression: &Expr, message: impl Into<String>) -> RuleError {
        RuleError::new(self.text, characters(self.text, expression.span()), message)
    }

    /// Returns the text of an expression.
    pub(super) fn slice(self, expression: &Expr) -> String {
        slice(self.text, &characters(self.text, expression.span()))
    }
}
