//! Functions: the few that are known, and the many that look ahead.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, UnaryOperator, Value,
};
use tidegate_backtest::strategies::rules::{BinaryOperation, Condition, Number, UnaryOperation};

use super::compile::{Compiled, Compiler};
use super::error::RuleError;
use super::look_ahead::{family, is_centering};
use super::names::missing_feature;
use crate::config::nearest;

/// The functions, as they are written.
const FUNCTIONS: [&str; 11] =
    ["lag", "shift", "crosses_above", "crosses_below", "abs", "min", "max", "log", "ln", "exp", "sqrt"];

/// The furthest a lag reaches.
const LAG_MAX: f64 = 1_000_000.0;

impl Compiler<'_> {
    pub(super) fn call(self, whole: &Expr, function: &Function) -> Result<Compiled, RuleError> {
        let written = function.name.to_string();
        let name = written.rsplit('.').next().unwrap_or_default().to_lowercase();
        if function.over.is_some() {
            let does = "is over a window (`over`), which may hold later bars";
            return Err(self.looks_ahead(whole, does, "use a feature with a look-back, or `lag(x, n)`"));
        }
        let count = if let FunctionArguments::List(list) = &function.args { list.args.len() } else { 0 };
        if let Some(family) = family(&name).filter(|family| family.reads_later_bars(count)) {
            return Err(self.looks_ahead(whole, family.does, family.instead));
        }
        let arguments = self.arguments(whole, &written, function)?;
        let method = (name != written.to_lowercase()).then(|| written.rsplit_once('.').map_or("x", |(owner, _)| owner));
        if let Some(owner) = method {
            return Err(self.method(whole, owner, &name, &arguments));
        }
        match (name.as_str(), arguments.as_slice()) {
            ("lag" | "shift", [value, bars]) => self.lag(whole, &name, value, bars),
            ("crosses_above", [a, b]) => {
                Ok(Compiled::Condition(Condition::CrossesAbove(self.number(a)?, self.number(b)?)))
            }
            ("crosses_below", [a, b]) => {
                Ok(Compiled::Condition(Condition::CrossesBelow(self.number(a)?, self.number(b)?)))
            }
            ("abs", [value]) => self.unary_call(UnaryOperation::Absolute, value),
            ("log" | "ln", [value]) => self.unary_call(UnaryOperation::Log, value),
            ("exp", [value]) => self.unary_call(UnaryOperation::Exp, value),
            ("sqrt", [value]) => self.unary_call(UnaryOperation::Sqrt, value),
            ("min", [first, rest @ ..]) => self.extreme(BinaryOperation::Smaller, first, rest),
            ("max", [first, rest @ ..]) => self.extreme(BinaryOperation::Larger, first, rest),
            (known, _) if FUNCTIONS.contains(&known) => Err(self.arity(whole, known, arguments.len())),
            _ => Err(self.unknown_function(whole, &name, &arguments)),
        }
    }

    /// Returns the plain arguments of a call that has nothing else.
    fn arguments<'e>(self, whole: &Expr, name: &str, function: &'e Function) -> Result<Vec<&'e Expr>, RuleError> {
        let FunctionArguments::List(FunctionArgumentList { args, clauses, duplicate_treatment }) = &function.args
        else {
            return Err(self.error(whole, format!("`{name}` must have its arguments in parentheses")));
        };
        let extras = !clauses.is_empty()
            || duplicate_treatment.is_some()
            || function.filter.is_some()
            || function.null_treatment.is_some()
            || !function.within_group.is_empty()
            || !matches!(function.parameters, FunctionArguments::None);
        if extras {
            return Err(self.error(whole, format!("`{name}` must have nothing but its arguments")));
        }
        args.iter().map(|argument| self.argument(whole, name, argument)).collect()
    }

    fn argument<'e>(self, whole: &Expr, function: &str, argument: &'e FunctionArg) -> Result<&'e Expr, RuleError> {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Ok(value),
            FunctionArg::Named { name, .. } if is_centering(&name.value.to_lowercase()) => {
                let does = "with a centered window reads later bars";
                Err(self.looks_ahead(whole, does, "use a feature with a look-back, whose window ends at the bar"))
            }
            FunctionArg::Named { name, .. } => {
                let message =
                    format!("an argument must be a value alone, but `{function}` has one named `{}`", name.value);
                Err(self.error(whole, message).hint(known_functions()))
            }
            other => {
                let message = format!("an argument must be a number, but `{function}` has `{other}`");
                Err(self.error(whole, message).hint(known_functions()))
            }
        }
    }

    fn looks_ahead(self, whole: &Expr, does: &str, instead: &str) -> RuleError {
        let message = format!("a rule must not look ahead, but `{}` {does}", self.slice(whole));
        self.error(whole, message).hint(instead)
    }

    fn lag(self, whole: &Expr, name: &str, value: &Expr, bars: &Expr) -> Result<Compiled, RuleError> {
        let Some(count) = literal(bars) else {
            let message =
                format!("the bars of `{name}` must be a number that is written out, was `{}`", self.slice(bars));
            return Err(self.error(bars, message).hint(format!("write `{name}({}, 1)`", self.slice(value))));
        };
        if count < 0.0 {
            let does = format!("is the value {} later", bars_in_words(-count));
            let instead = format!("write `lag({}, {})` for the value that long ago", self.slice(value), -count);
            return Err(self.looks_ahead(whole, &does, &instead));
        }
        if count.fract() != 0.0 || count > LAG_MAX {
            let message = format!("the bars of `{name}` must be whole and at most {LAG_MAX}, was `{count}`");
            return Err(self.error(bars, message));
        }
        Ok(Compiled::Number(Number::Lag(Box::new(self.number(value)?), count as usize)))
    }

    fn unary_call(self, operation: UnaryOperation, value: &Expr) -> Result<Compiled, RuleError> {
        Ok(Compiled::Number(Number::Unary(operation, Box::new(self.number(value)?))))
    }

    fn extreme(self, operation: BinaryOperation, first: &Expr, rest: &[&Expr]) -> Result<Compiled, RuleError> {
        let mut extreme = self.number(first)?;
        for value in rest {
            extreme = Number::Binary(operation, Box::new(extreme), Box::new(self.number(value)?));
        }
        Ok(Compiled::Number(extreme))
    }

    /// Refuses a call in the style of data frames, such as `close.shift(-1)`.
    fn method(self, whole: &Expr, owner: &str, name: &str, arguments: &[&Expr]) -> RuleError {
        let bars = arguments.first().and_then(|bars| literal(bars));
        match (name, bars) {
            ("shift" | "lag", Some(bars)) if bars < 0.0 => {
                let does = format!("is the value {} later", bars_in_words(-bars));
                let instead = format!("write `lag({owner}, {})` for the value that long ago", -bars);
                self.looks_ahead(whole, &does, &instead)
            }
            ("shift" | "lag", Some(bars)) => {
                let message = format!("a function stands before its arguments, but `{name}` stands after `{owner}`");
                self.error(whole, message).hint(format!("write `lag({owner}, {bars})`"))
            }
            _ => {
                let message = format!("a function stands before its arguments, but `{name}` stands after `{owner}`");
                self.error(whole, message).hint(known_functions())
            }
        }
    }

    fn arity(self, whole: &Expr, name: &str, found: usize) -> RuleError {
        let signature = match name {
            "lag" | "shift" => "a number and how many bars ago, such as `lag(close, 1)`",
            "crosses_above" | "crosses_below" => "two numbers, such as `crosses_above(close, open)`",
            "min" | "max" => "two numbers or more, such as `max(open, close)`",
            _ => "one number",
        };
        self.error(whole, format!("`{name}` must have {signature}; `{found}` arguments were given"))
    }

    fn unknown_function(self, whole: &Expr, name: &str, arguments: &[&Expr]) -> RuleError {
        let bars = arguments.iter().rev().find_map(|argument| literal(argument));
        let feature = bars.and_then(|bars| {
            let column = format!("{name}_{bars}");
            Some(format!("add `{}` to `features.columns` and write `{column}`", missing_feature(&column)?))
        });
        let hint = feature
            .or_else(|| family(name).map(|family| family.instead.to_owned()))
            .or_else(|| {
                let meant = nearest(name, FUNCTIONS.into_iter())?;
                Some(format!("did you mean `{meant}`? {}", known_functions()))
            })
            .unwrap_or_else(known_functions);
        self.error(whole, format!("function `{name}` is not known")).hint(hint)
    }
}

fn bars_in_words(bars: f64) -> String {
    if bars == 1.0 { "1 bar".to_owned() } else { format!("{bars} bars") }
}

fn known_functions() -> String {
    let names = FUNCTIONS.map(|name| format!("`{name}`")).join(", ");
    format!("functions are {names}; anything over several bars is a feature, such as `{{ sma = {{ bars = 20 }} }}`")
}

/// Returns the value of a number that is written out, with its sign.
fn literal(expression: &Expr) -> Option<f64> {
    match expression {
        Expr::Nested(inner) => literal(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => literal(expr).map(|value| -value),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => literal(expr),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}
