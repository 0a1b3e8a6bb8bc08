//! The language of `[strategy.rules]`: text to the closed trees that [`tidegate_backtest::strategies::rules`] evaluates.
//!
//! `sqlparser` reads the text; what it makes is taken over node by node, and a node that is not named here is refused. So a rule can
//! only be what this module knows to be causal. What reaches for a later bar is refused by name, with what to write instead.

mod call;
mod compile;
mod error;
mod look_ahead;
mod names;
mod parse;
#[cfg(test)]
mod tests;

use tidegate_backtest::strategies::rules::{Condition, Number};

use self::compile::Compiler;
pub(crate) use self::error::RuleError;
pub(crate) use self::names::{Names, is_built_in};

/// Reads an expression that is true or false.
///
/// # Errors
/// [`RuleError`] with the place in the text.
pub(crate) fn condition(text: &str, names: &Names) -> Result<Condition, RuleError> {
    let expression = parse::parse(text)?;
    Compiler { text, names }.condition(&expression)
}

/// Reads an expression that is a number.
///
/// # Errors
/// [`RuleError`] with the place in the text.
pub(crate) fn number(text: &str, names: &Names) -> Result<Number, RuleError> {
    let expression = parse::parse(text)?;
    Compiler { text, names }.number(&expression)
}
