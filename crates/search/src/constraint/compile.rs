//! The parser's tree to ours, with every name and every kind of value checked.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, InTarget, UnaryOperator,
    Value,
};

use super::evaluate::{Comparison, Condition, Number, Operation};
use super::names::{Refusal, find, nearest};
use super::parse::parse;
use crate::{Axis, Choice, SearchError, Space};

/// What is being compiled, and over which axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compiler<'a> {
    space: &'a Space,
    text: &'a str,
}

/// What an expression is.
enum Compiled {
    Number(Number),
    Condition(Condition),
    Text(String),
    /// An axis whose values are texts.
    TextAxis(usize),
}

impl<'a> Compiler<'a> {
    pub(super) fn new(space: &'a Space, text: &'a str) -> Self {
        Self { space, text }
    }

    /// Compiles the whole text.
    pub(super) fn constraint(self) -> Result<Condition, SearchError> {
        let compiled = parse(self.text, |name| find(self.space, name).is_ok()).and_then(|expression| {
            let condition = self.condition(&expression)?;
            if has_axis(&condition) { Ok(condition) } else { Err(rule("a constraint must name at least one axis")) }
        });
        compiled.map_err(|(message, hint)| SearchError::Constraint { text: self.text.to_owned(), message, hint })
    }

    fn condition(self, expression: &Expr) -> Result<Condition, Refusal> {
        match self.compile(expression)? {
            Compiled::Condition(condition) => Ok(condition),
            Compiled::Number(number) => {
                let found = self.shown(expression, &number);
                Err((
                    format!("must be a condition, but `{found}` is a number"),
                    Some(format!("compare it: `{found} > 0`")),
                ))
            }
            Compiled::Text(_) | Compiled::TextAxis(_) => {
                Err(rule(format!("must be a condition, but `{}` is a text", plain(expression))))
            }
        }
    }

    fn number(self, expression: &Expr) -> Result<Number, Refusal> {
        match self.compile(expression)? {
            Compiled::Number(number) => Ok(number),
            Compiled::Condition(_) => {
                Err(rule(format!("must be a number, but `{}` is a condition", plain(expression))))
            }
            Compiled::Text(_) | Compiled::TextAxis(_) => Err((
                format!("must be a number, but `{}` is a text", plain(expression)),
                Some("texts are compared by `=`, `<>` and `in`".to_owned()),
            )),
        }
    }

    fn compile(self, expression: &Expr) -> Result<Compiled, Refusal> {
        match expression {
            Expr::Nested(inner) => self.compile(inner),
            Expr::Identifier(name) => self.axis(name),
            Expr::Value(value) => literal(&value.value),
            Expr::UnaryOp { op, expr } => self.unary(expression, *op, expr),
            Expr::BinaryOp { left, op, right } => self.binary(expression, left, op, right),
            Expr::Between { expr, negated, low, high } => {
                let (value, low, high) = (self.number(expr)?, self.number(low)?, self.number(high)?);
                let above = Condition::Compare(Comparison::LessOrEqual, low, value.clone());
                let below = Condition::Compare(Comparison::LessOrEqual, value, high);
                Ok(negated_if(*negated, Condition::And(Box::new(above), Box::new(below))))
            }
            Expr::In { expr, target: InTarget::List(list), negated, global: false } => {
                let equals = list.iter().map(|value| self.equal(expr, value)).collect::<Result<Vec<_>, _>>()?;
                let any = equals.into_iter().reduce(|left, right| Condition::Or(Box::new(left), Box::new(right)));
                Ok(negated_if(*negated, any.unwrap_or(Condition::Constant(false))))
            }
            Expr::Function(function) => self.call(function).map(Compiled::Number),
            other => Err(unknown(other)),
        }
    }

    fn axis(self, name: &Ident) -> Result<Compiled, Refusal> {
        let axis = find(self.space, &name.value)?;
        let Axis::Choices { name, values } = &self.space.axes()[axis] else {
            return Ok(Compiled::Number(Number::Axis(axis)));
        };
        let numbers = values.iter().map(|value| if let Choice::Number(number) = value { Some(*number) } else { None });
        if let Some(numbers) = numbers.collect::<Option<Vec<f64>>>() {
            return Ok(Compiled::Number(Number::Listed(axis, numbers)));
        }
        let truths = values.iter().map(|value| if let Choice::Boolean(truth) = value { Some(*truth) } else { None });
        if let Some(truths) = truths.collect::<Option<Vec<bool>>>() {
            return Ok(Compiled::Condition(Condition::Listed(axis, truths)));
        }
        if values.iter().all(|value| matches!(value, Choice::Text(_))) {
            return Ok(Compiled::TextAxis(axis));
        }
        Err(rule(format!("`{name}` must be all numbers, all texts or all true or false to stand in a constraint")))
    }

    fn unary(self, whole: &Expr, operator: UnaryOperator, operand: &Expr) -> Result<Compiled, Refusal> {
        match operator {
            UnaryOperator::Plus => self.number(operand).map(Compiled::Number),
            UnaryOperator::Minus => Ok(Compiled::Number(Number::Negate(Box::new(self.number(operand)?)))),
            UnaryOperator::Not => Ok(Compiled::Condition(Condition::Not(Box::new(self.condition(operand)?)))),
            _ => Err(unknown(whole)),
        }
    }

    fn binary(self, whole: &Expr, left: &Expr, operator: &BinaryOperator, right: &Expr) -> Result<Compiled, Refusal> {
        let arithmetic = |operation| {
            let (left, right) = (self.number(left)?, self.number(right)?);
            Ok(Compiled::Number(Number::Binary(operation, Box::new(left), Box::new(right))))
        };
        let comparison = |comparison, left, right| {
            Ok(Compiled::Condition(Condition::Compare(comparison, self.number(left)?, self.number(right)?)))
        };
        let both = || Ok((Box::new(self.condition(left)?), Box::new(self.condition(right)?)));
        match operator {
            BinaryOperator::Plus => arithmetic(Operation::Add),
            BinaryOperator::Minus => arithmetic(Operation::Subtract),
            BinaryOperator::Multiply => arithmetic(Operation::Multiply),
            BinaryOperator::Divide => arithmetic(Operation::Divide),
            BinaryOperator::Lt => comparison(Comparison::Less, left, right),
            BinaryOperator::LtEq => comparison(Comparison::LessOrEqual, left, right),
            BinaryOperator::Gt => comparison(Comparison::Less, right, left),
            BinaryOperator::GtEq => comparison(Comparison::LessOrEqual, right, left),
            BinaryOperator::Eq => self.equal(left, right).map(Compiled::Condition),
            BinaryOperator::NotEq => self.equal(left, right).map(|equal| negated_if(true, equal)),
            BinaryOperator::And => both().map(|(left, right)| Compiled::Condition(Condition::And(left, right))),
            BinaryOperator::Or => both().map(|(left, right)| Compiled::Condition(Condition::Or(left, right))),
            _ => Err(unknown(whole)),
        }
    }

    fn equal(self, left: &Expr, right: &Expr) -> Result<Condition, Refusal> {
        match (self.compile(left)?, self.compile(right)?) {
            (Compiled::Number(left), Compiled::Number(right)) => Ok(Condition::Compare(Comparison::Equal, left, right)),
            (Compiled::Condition(left), Compiled::Condition(right)) => {
                Ok(Condition::Same(Box::new(left), Box::new(right)))
            }
            (Compiled::TextAxis(axis), Compiled::Text(text)) | (Compiled::Text(text), Compiled::TextAxis(axis)) => {
                self.text_equal(axis, &text)
            }
            (Compiled::Text(_), _) => Err(rule(format!("must be a text, but `{}` is none", plain(right)))),
            (_, Compiled::Text(_)) => Err(rule(format!("must be a text, but `{}` is none", plain(left)))),
            _ => Err(rule(format!("`{}` and `{}` cannot be equal", plain(left), plain(right)))),
        }
    }

    fn text_equal(self, axis: usize, wanted: &str) -> Result<Condition, Refusal> {
        let Axis::Choices { name, values } = &self.space.axes()[axis] else {
            panic!("only listed values are texts");
        };
        let truths: Vec<bool> =
            values.iter().map(|value| matches!(value, Choice::Text(text) if text == wanted)).collect();
        if truths.contains(&true) {
            return Ok(Condition::Listed(axis, truths));
        }
        let texts =
            values.iter().filter_map(|value| if let Choice::Text(text) = value { Some(text.as_str()) } else { None });
        let hint = nearest(wanted, texts).map(|text| format!("did you mean `{text}`?"));
        Err((format!("no value of `{name}` is `{wanted}`"), hint))
    }

    fn call(self, function: &Function) -> Result<Number, Refusal> {
        let name = function.name.to_string().to_lowercase();
        let FunctionArguments::List(list) = &function.args else {
            return Err(rule(format!("`{name}` must have its arguments in parentheses")));
        };
        let argument = |argument: &FunctionArg| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => self.number(value),
            other => Err(rule(format!("an argument of `{name}` must be a number, was `{other}`"))),
        };
        if !matches!(name.as_str(), "abs" | "min" | "max") || function.over.is_some() || function.filter.is_some() {
            let hint = "functions are `abs`, `min` and `max`".to_owned();
            return Err((format!("`{name}` is not a function of constraints"), Some(hint)));
        }
        let arguments = list.args.iter().map(argument).collect::<Result<Vec<_>, _>>()?;
        let operation = if name == "min" { Operation::Smaller } else { Operation::Larger };
        let count = arguments.len();
        let mut arguments = arguments.into_iter();
        match (name.as_str(), arguments.next()) {
            ("abs", Some(only)) if count == 1 => Ok(Number::Absolute(Box::new(only))),
            ("min" | "max", Some(first)) => {
                Ok(arguments.fold(first, |left, right| Number::Binary(operation, Box::new(left), Box::new(right))))
            }
            ("abs", _) => Err(rule(format!("`abs` takes one number, was given `{count}`"))),
            _ => Err(rule(format!("`{name}` takes at least one number, was given `0`"))),
        }
    }

    /// Shows a number by its axis where it is one.
    fn shown(self, expression: &Expr, number: &Number) -> String {
        match number {
            Number::Axis(axis) | Number::Listed(axis, _) => self.space.axes()[*axis].name().to_owned(),
            _ => plain(expression),
        }
    }
}

fn literal(value: &Value) -> Result<Compiled, Refusal> {
    match value {
        Value::Boolean(truth) => Ok(Compiled::Condition(Condition::Constant(*truth))),
        Value::SingleQuotedString(text) => Ok(Compiled::Text(text.clone())),
        Value::Number(digits, _) => match digits.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Compiled::Number(Number::Constant(number))),
            _ => Err(rule(format!("a number must be finite, was `{digits}`"))),
        },
        other => Err(rule(format!("`{other}` is neither a number, a text nor an axis"))),
    }
}

fn negated_if(negated: bool, condition: Condition) -> Compiled {
    Compiled::Condition(if negated { Condition::Not(Box::new(condition)) } else { condition })
}

fn rule(message: impl Into<String>) -> Refusal {
    (message.into(), None)
}

fn unknown(expression: &Expr) -> Refusal {
    let hint = "a constraint has axes, numbers, texts in single quotes, `+ - * /`, comparisons, `between`, `in`, `and`, `or`, `not`, \
                `abs`, `min` and `max`";
    (format!("`{}` is not part of the language of constraints", plain(expression)), Some(hint.to_owned()))
}

/// An expression as its author wrote it, but for spaces: without the quotes that hold names together.
fn plain(expression: &Expr) -> String {
    expression.to_string().replace('"', "")
}

fn has_axis(condition: &Condition) -> bool {
    match condition {
        Condition::Constant(_) => false,
        Condition::Listed(..) => true,
        Condition::Compare(_, left, right) => number_has_axis(left) || number_has_axis(right),
        Condition::Not(inner) => has_axis(inner),
        Condition::Same(left, right) | Condition::And(left, right) | Condition::Or(left, right) => {
            has_axis(left) || has_axis(right)
        }
    }
}

fn number_has_axis(number: &Number) -> bool {
    match number {
        Number::Constant(_) => false,
        Number::Axis(_) | Number::Listed(..) => true,
        Number::Negate(inner) | Number::Absolute(inner) => number_has_axis(inner),
        Number::Binary(_, left, right) => number_has_axis(left) || number_has_axis(right),
    }
}
