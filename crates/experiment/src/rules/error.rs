//! What is wrong with an expression, and where in its text.

use std::fmt;
use std::ops::Range;

use sqlparser::tokenizer::{Location, Span};

/// A mistake in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleError {
    /// The expression.
    pub(crate) text: String,
    /// The characters that are wrong.
    pub(crate) place: Range<usize>,
    /// The rule, then what was found.
    pub(crate) message: String,
    /// The next step.
    pub(crate) hint: Option<String>,
}

impl RuleError {
    /// Points at characters of a text.
    pub(super) fn new(text: &str, place: Range<usize>, message: impl Into<String>) -> Self {
        Self { text: text.to_owned(), place, message: message.into(), hint: None }
    }

    /// Adds the next step.
    #[must_use]
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Returns the line with the mistake and a line that underlines it.
    pub(crate) fn excerpt(&self) -> String {
        let before: String = self.text.chars().take(self.place.start).collect();
        let line_start = before.chars().count() - before.rsplit('\n').next().unwrap_or_default().chars().count();
        let line: String = self.text.chars().skip(line_start).take_while(|&character| character != '\n').collect();
        let column = self.place.start - line_start;
        let width = self.place.len().clamp(1, line.chars().count().saturating_sub(column).max(1));
        format!("  {line}\n  {}{}", " ".repeat(column), "^".repeat(width))
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.message, self.excerpt())?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Returns the characters of a span, with the closing parentheses that the parser leaves out; an unknown span is the whole text.
pub(super) fn characters(text: &str, span: Span) -> Range<usize> {
    let length = text.chars().count();
    if span == Span::empty() {
        return 0..length;
    }
    let start = offset(text, span.start).min(length);
    let end = offset(text, span.end).clamp(start, length);
    start..closed(text, start, end)
}

/// Returns the place, from zero, of a line and column, which count from one.
pub(super) fn offset(text: &str, location: Location) -> usize {
    let lines = text.split('\n').take((location.line as usize).saturating_sub(1));
    let before: usize = lines.map(|line| line.chars().count() + 1).sum();
    before + (location.column as usize).saturating_sub(1)
}

/// Moves the end of a range to where its parentheses are closed, those of a call without arguments included.
fn closed(text: &str, start: usize, end: usize) -> usize {
    let mut open = 0_i32;
    let mut after_name = false;
    for (place, character) in text.chars().enumerate().skip(start) {
        let is_call = place == end && after_name && character == '(';
        if place >= end && open <= 0 && !is_call {
            return end;
        }
        after_name = character.is_alphanumeric();
        open += i32::from(character == '(') - i32::from(character == ')');
        if place >= end && open <= 0 {
            return place + 1;
        }
    }
    end
}

/// Returns a part of a text.
pub(super) fn slice(text: &str, place: &Range<usize>) -> String {
    text.chars().skip(place.start).take(place.len()).collect()
}
