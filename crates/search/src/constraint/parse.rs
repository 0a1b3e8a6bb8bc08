//! Text to the parser's tree.

use sqlparser::ast::Expr;
use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer, Word};

use super::names::Refusal;

/// The longest constraint, in characters: it bounds the depth of the tree.
const CHARACTERS_MAX: usize = 2_000;

/// The deepest nesting of parentheses and functions.
const DEPTH_MAX: usize = 30;

/// The words and signs of SQL without the habits of any one product.
#[derive(Debug)]
struct ConstraintDialect;

impl Dialect for ConstraintDialect {
    fn is_identifier_start(&self, character: char) -> bool {
        character.is_alphabetic() || character == '_'
    }

    fn is_identifier_part(&self, character: char) -> bool {
        character.is_alphanumeric() || character == '_'
    }
}

/// Parses one constraint; `is_name` says of a word whether it is an axis, so that a name may also be a word of the language.
pub(super) fn parse(text: &str, is_name: impl Fn(&str) -> bool) -> Result<Expr, Refusal> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        return Err(("a constraint must not be empty".to_owned(), None));
    }
    if length > CHARACTERS_MAX {
        return Err((format!("a constraint must have at most `{CHARACTERS_MAX}` characters, has `{length}`"), None));
    }
    let tokens = Tokenizer::new(&ConstraintDialect, text).tokenize().map_err(|error| (lower(&error.message), None))?;
    let mut parser =
        Parser::new(&ConstraintDialect).with_recursion_limit(DEPTH_MAX).with_tokens(with_whole_names(tokens, is_name));
    let expression = parser.parse_expr().map_err(|error| syntax_error(&error))?;
    let rest = parser.peek_token();
    if rest.token == Token::EOF {
        return Ok(expression);
    }
    let message = format!("a constraint must end where it is complete, but `{}` follows", unquoted(&rest.token));
    Err((message, Some("join conditions with `and` or `or`".to_owned())))
}

/// Makes one word of a name with dots; a word in quotes is never one of the language.
fn with_whole_names(tokens: Vec<Token>, is_name: impl Fn(&str) -> bool) -> Vec<Token> {
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let Token::Word(first) = token else {
            joined.push(token);
            continue;
        };
        let mut name = first.value.clone();
        let mut parts = 1;
        while tokens.next_if_eq(&Token::Period).is_some() {
            name.push('.');
            parts += 1;
            if let Some(Token::Word(next)) = tokens.next_if(|token| matches!(token, Token::Word(_))) {
                name.push_str(&next.value);
            }
        }
        let is_call = tokens.peek() == Some(&Token::LParen);
        let is_whole = first.quote_style.is_some() || parts > 1 || (is_name(&name) && !is_call);
        joined.push(Token::Word(if is_whole {
            Word { value: name, quote_style: Some('"'), keyword: Keyword::NoKeyword }
        } else {
            first
        }));
    }
    joined
}

fn unquoted(token: &Token) -> String {
    match token {
        Token::Word(word) => word.value.clone(),
        other => other.to_string(),
    }
}

fn syntax_error(error: &ParserError) -> Refusal {
    match error {
        ParserError::RecursionLimitExceeded => (
            format!("a constraint must be nested at most `{DEPTH_MAX}` deep"),
            Some("write two constraints".to_owned()),
        ),
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
            let message = message.split(" at Line: ").next().unwrap_or_default();
            (lower(&message.replace("EOF", "the end")), None)
        }
    }
}

/// Starts a message of the parser like one of ours.
fn lower(message: &str) -> String {
    let mut characters = message.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
