//! Text to the parser's tree.

use std::ops::Range;

use sqlparser::ast::Expr;
use sqlparser::dialect::Dialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};

use super::error::{RuleError, characters, offset};

/// The longest expression, in characters: it bounds the depth of the tree.
const CHARACTERS_MAX: usize = 2_000;

/// The deepest nesting of parentheses and functions.
const DEPTH_MAX: usize = 30;

/// The words and signs of SQL without the habits of any one product.
#[derive(Debug)]
struct RuleDialect;

impl Dialect for RuleDialect {
    fn is_identifier_start(&self, character: char) -> bool {
        character.is_alphabetic() || character == '_'
    }

    fn is_identifier_part(&self, character: char) -> bool {
        character.is_alphanumeric() || character == '_'
    }

    fn supports_named_fn_args_with_eq_operator(&self) -> bool {
        true
    }
}

/// Parses one expression.
pub(super) fn parse(text: &str) -> Result<Expr, RuleError> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        return Err(RuleError::new(text, 0..length, "an expression must not be empty"));
    }
    if length > CHARACTERS_MAX {
        let message = format!("an expression must have at most {CHARACTERS_MAX} characters, has `{length}`");
        return Err(RuleError::new(text, 0..0, message));
    }
    let tokens = Tokenizer::new(&RuleDialect, text)
        .tokenize_with_location()
        .map_err(|error| RuleError::new(text, place(text, error.location), lower(&error.message)))?;
    for token in &tokens {
        admit(text, token)?;
    }
    let mut parser = Parser::new(&RuleDialect).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(tokens);
    let expression = parser.parse_expr().map_err(|error| syntax_error(text, &error))?;
    let rest = parser.peek_token();
    if rest.token == Token::EOF {
        return Ok(expression);
    }
    let message = format!("an expression must end where it is complete, but `{}` follows", rest.token);
    Err(RuleError::new(text, characters(text, rest.span), message).hint("join conditions with `and` or `or`"))
}

/// Refuses what is no sign of the language.
fn admit(text: &str, token: &TokenWithSpan) -> Result<(), RuleError> {
    let hint = match &token.token {
        Token::EOF
        | Token::Word(_)
        | Token::Number(_, false)
        | Token::SingleQuotedString(_)
        | Token::Whitespace(Whitespace::Space | Whitespace::Newline | Whitespace::Tab)
        | Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::Eq
        | Token::DoubleEq
        | Token::Neq
        | Token::Lt
        | Token::LtEq
        | Token::Gt
        | Token::GtEq
        | Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div
        | Token::RArrow => return Ok(()),
        Token::Whitespace(_) => "an expression has no comments; a number below zero after a minus needs parentheses",
        Token::Overlap | Token::Ampersand => "write `and`",
        Token::StringConcat | Token::Pipe => "write `or`",
        Token::ExclamationMark | Token::Tilde => "write `not`",
        Token::LBracket | Token::RBracket => "write `lag(close, 1)` for the close one bar ago",
        _ => "signs are `+ - * / ( ) ,` and `< <= > >= = <>`; words are `and`, `or`, `not`, `between`",
    };
    let sign = token.token.to_string();
    let message = format!("`{}` is not part of an expression", sign.trim());
    Err(RuleError::new(text, characters(text, token.span), message).hint(hint))
}

fn syntax_error(text: &str, error: &ParserError) -> RuleError {
    match error {
        ParserError::RecursionLimitExceeded => {
            let message = format!("an expression must be nested at most {DEPTH_MAX} deep");
            RuleError::new(text, 0..text.chars().count(), message)
                .hint("make a part of it a rule or a feature of its own")
        }
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            let (message, location) = split_location(message);
            RuleError::new(text, place(text, location), lower(&message.replace("EOF", "the end")))
        }
    }
}

/// Splits "what is wrong at Line: 1, Column: 5" into its parts; without a place it is the end.
fn split_location(message: &str) -> (&str, Location) {
    let parts = message.rsplit_once(" at Line: ").and_then(|(message, place)| {
        let (line, column) = place.split_once(", Column: ")?;
        Some((message, Location { line: line.parse().ok()?, column: column.parse().ok()? }))
    });
    parts.unwrap_or((message, Location { line: 0, column: 0 }))
}

/// Returns the character at a location, the one after the last where it is unknown.
fn place(text: &str, location: Location) -> Range<usize> {
    let length = text.chars().count();
    let start = if location.line == 0 { length } else { offset(text, location).min(length) };
    start..start + 1
}

/// Starts a message of the parser like one of ours.
fn lower(message: &str) -> String {
    let mut characters = message.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
