//! The language: what is accepted and what it means, what is refused and in which words.

use tidegate_backtest::strategies::rules::{BarField, BinaryOperation, Comparison, LiveField, UnaryOperation};
use tidegate_features::{FeatureSpec, PeriodSpec};

use super::*;

/// `rsi_14` is column 0, `sma_200` column 1.
fn names() -> Names {
    Names::new(&[FeatureSpec::Rsi(PeriodSpec::new(14)), FeatureSpec::Sma(PeriodSpec::new(200))])
}

const RSI: Number = Number::Feature(0);
const SMA: Number = Number::Feature(1);
const CLOSE: Number = Number::Bar(BarField::Close);

fn constant(value: f64) -> Number {
    Number::Constant(value)
}

fn binary(operation: BinaryOperation, a: Number, b: Number) -> Number {
    Number::Binary(operation, Box::new(a), Box::new(b))
}

fn unary(operation: UnaryOperation, a: Number) -> Number {
    Number::Unary(operation, Box::new(a))
}

fn and(a: Condition, b: Condition) -> Condition {
    Condition::And(Box::new(a), Box::new(b))
}

fn or(a: Condition, b: Condition) -> Condition {
    Condition::Or(Box::new(a), Box::new(b))
}

#[track_caller]
fn is_condition(text: &str, expected: &Condition) {
    assert_eq!(&condition(text, &names()).unwrap_or_else(|error| panic!("{error}")), expected);
}

#[track_caller]
fn is_number(text: &str, expected: &Number) {
    assert_eq!(&number(text, &names()).unwrap_or_else(|error| panic!("{error}")), expected);
}

#[test]
fn and_binds_tighter_than_or_and_not_tighter_than_both() {
    let [a, b, c] = [RSI, SMA, CLOSE].map(|number| Condition::Compare(Comparison::Greater, number, constant(1.0)));
    is_condition("rsi_14 > 1 or sma_200 > 1 and close > 1", &or(a.clone(), and(b.clone(), c.clone())));
    is_condition("(rsi_14 > 1 OR sma_200 > 1) AND close > 1", &and(or(a.clone(), b.clone()), c));
    is_condition("not rsi_14 > 1 and sma_200 > 1", &and(Condition::Not(Box::new(a)), b));
    is_condition(
        "not true or false",
        &or(Condition::Not(Box::new(Condition::Constant(true))), Condition::Constant(false)),
    );
}

#[test]
fn every_comparison_is_read() {
    for (sign, comparison) in [
        ("<", Comparison::Less),
        ("<=", Comparison::LessOrEqual),
        (">", Comparison::Greater),
        (">=", Comparison::GreaterOrEqual),
        ("=", Comparison::Equal),
        ("==", Comparison::Equal),
        ("<>", Comparison::NotEqual),
        ("!=", Comparison::NotEqual),
    ] {
        is_condition(&format!("close {sign} sma_200"), &Condition::Compare(comparison, CLOSE, SMA));
    }
    let at_least = Condition::Compare(Comparison::GreaterOrEqual, RSI, constant(30.0));
    let at_most = Condition::Compare(Comparison::LessOrEqual, RSI, constant(70.0));
    is_condition("rsi_14 between 30 and 70", &and(at_least.clone(), at_most.clone()));
    is_condition("rsi_14 not between 30 and 70", &Condition::Not(Box::new(and(at_least, at_most))));
}

#[test]
fn arithmetic_has_the_usual_precedence() {
    use BinaryOperation::{Add, Divide, Multiply, Subtract};
    is_number("close - 2 * rsi_14", &binary(Subtract, CLOSE, binary(Multiply, constant(2.0), RSI)));
    is_number("(close - 2) / rsi_14", &binary(Divide, binary(Subtract, CLOSE, constant(2.0)), RSI));
    is_number("close - 1 - 2", &binary(Subtract, binary(Subtract, CLOSE, constant(1.0)), constant(2.0)));
    is_number("-close + +1.5e-3", &binary(Add, unary(UnaryOperation::Negate, CLOSE), constant(0.0015)));
}

#[test]
fn every_name_and_function_is_read() {
    for (name, field) in [
        ("open", BarField::Open),
        ("high", BarField::High),
        ("low", BarField::Low),
        ("close", BarField::Close),
        ("volume", BarField::Volume),
    ] {
        is_number(name, &Number::Bar(field));
    }
    for (name, field) in [
        ("forecast_mean", LiveField::ForecastMean),
        ("forecast_volatility", LiveField::ForecastVolatility),
        ("position", LiveField::Position),
        ("entry_price", LiveField::EntryPrice),
        ("bars_held", LiveField::BarsHeld),
        ("unrealized_pnl", LiveField::UnrealizedPnl),
        ("equity", LiveField::Equity),
    ] {
        is_number(name, &Number::Live(field));
    }
    for (name, operation) in [
        ("abs", UnaryOperation::Absolute),
        ("log", UnaryOperation::Log),
        ("ln", UnaryOperation::Log),
        ("EXP", UnaryOperation::Exp),
        ("sqrt", UnaryOperation::Sqrt),
    ] {
        is_number(&format!("{name}(close)"), &unary(operation, CLOSE));
    }
    let lag = |bars| Number::Lag(Box::new(CLOSE), bars);
    is_number("lag(close, 3)", &lag(3));
    is_number("shift(close, 0)", &lag(0));
    is_number(
        "max(close, lag(close, 1), sma_200)",
        &binary(BinaryOperation::Larger, binary(BinaryOperation::Larger, CLOSE, lag(1)), SMA),
    );
    is_number("min(close, 5)", &binary(BinaryOperation::Smaller, CLOSE, constant(5.0)));
    is_condition("crosses_above(close, sma_200)", &Condition::CrossesAbove(CLOSE, SMA));
    is_condition("crosses_below(close, 5)", &Condition::CrossesBelow(CLOSE, constant(5.0)));
}

#[test]
fn a_column_with_any_other_name_stands_in_double_quotes() {
    let named = PeriodSpec { bars: 5, name: Some("my column".to_owned()) };
    let names = Names::new(&[FeatureSpec::Ema(named)]);
    assert_eq!(number("\"my column\" * 2", &names), Ok(binary(BinaryOperation::Multiply, RSI, constant(2.0))));
}
const FUNCTIONS: &str = "functions are `lag`, `shift`, `crosses_above`, `crosses_below`, `abs`, `min`, `max`, `log`, `ln`, `exp`, `sqrt`; anything over several bars is a feature, such as `{ sma = { bars = 20 } }`";

const NAMES: &str = "`[features]` has `rsi_14`, `sma_200`; the bar's names are `open`, `high`, `low`, `close`, `volume`; the forecast's names are `forecast_mean`, `forecast_volatility`; the position's names are `position`, `entry_price`, `bars_held`, `unrealized_pnl`; the account's names are `equity`";

const SIGNS: &str = "signs are `+ - * / ( ) ,` and `< <= > >= = <>`; words are `and`, `or`, `not`, `between`";

const PARTS: &str =
    "an expression has columns, numbers, `+ - * /`, comparisons, `between`, `and`, `or`, `not` and functions";

/// Expects a condition to be refused: the message, the characters that are underlined, the hint.
#[track_caller]
fn refused(text: &str, message: &str, underlined: &str, hint: &str) {
    let error = condition(text, &names()).expect_err("must be refused");
    let found: String = text.chars().skip(error.place.start).take(error.place.len()).collect();
    let hint = (!hint.is_empty()).then_some(hint);
    assert_eq!((error.message.as_str(), found.as_str(), error.hint.as_deref()), (message, underlined, hint));
}

/// Expects a function to be refused because it reads later bars; `does` follows its text.
#[track_caller]
fn looks_ahead(text: &str, call: &str, does: &str, hint: &str) {
    refused(text, &format!("a rule must not look ahead, but `{call}` {does}"), call, hint);
}

#[test]
fn a_mistake_is_underlined_in_its_line() {
    let error = condition("close >= 1 or\n  opn > 2\nand close > 3", &names()).expect_err("no such column");
    assert_eq!(
        error.to_string(),
        format!("column `opn` is not known\n    opn > 2\n    ^^^\nhint: did you mean `open`? {NAMES}")
    );
    let error = condition("close >", &names()).expect_err("unfinished");
    assert_eq!(error.to_string(), "expected: an expression, found: the end\n  close >\n         ^");
}

#[test]
fn an_unknown_column_is_refused_with_those_that_are_known() {
    refused("clos > 1", "column `clos` is not known", "clos", &format!("did you mean `close`? {NAMES}"));
    refused("rsi_41 > 1", "column `rsi_41` is not known", "rsi_41", &{
        format!("add `{{ rsi = {{ bars = 41 }} }}` to `features.columns`; {NAMES}")
    });
    refused("1 < banana", "column `banana` is not known", "banana", NAMES);
    let error = number("x", &Names::default()).expect_err("no such column");
    assert!(error.hint.expect("a hint").starts_with("`[features]` has no columns; the bar's names are `open`"));
}

#[test]
fn a_negative_shift_is_refused_with_the_lag_that_was_meant() {
    let hint = "write `lag(close, 1)` for the value that long ago";
    looks_ahead("shift(close, -1) > 0", "shift(close, -1)", "is the value 1 bar later", hint);
    looks_ahead("close > close.shift(-1)", "close.shift(-1)", "is the value 1 bar later", hint);
    looks_ahead("LAG(close, - (2)) > 0", "LAG(close, - (2))", "is the value 2 bars later", &hint.replace('1', "2"));
    let lead = "write `lag(x, n)` for the value `n` bars ago";
    looks_ahead("lag(lead(close, 1), 1) > 0", "lead(close, 1)", "is the value of a later bar", lead);
    looks_ahead("lead(close) > 0", "lead(close)", "is the value of a later bar", lead);
}

#[test]
fn an_aggregate_of_a_whole_column_is_refused_with_a_trailing_feature() {
    let whole = "is over the whole column, later bars included";
    let average = "add a trailing average such as `{ sma = { bars = 20 } }` to `features.columns` and write `sma_20`";
    looks_ahead("close > mean(close)", "mean(close)", whole, average);
    looks_ahead("close + avg(close)", "avg(close)", whole, average);
    let volatility = "add `{ volatility = { bars = 20 } }` to `features.columns` and write `volatility_20`";
    looks_ahead("std(close) > 1", "std(close)", whole, volatility);
    let extreme =
        "name what is compared: `max(close, open)` of one bar, or `max(high, lag(high, 1), lag(high, 2))` of three";
    looks_ahead("close = max(close)", "max(close)", whole, extreme);
    looks_ahead("close = min(close)", "min(close)", whole, extreme);
    let sum = "name the bars that are meant, such as `close + lag(close, 1)`, or use a feature with a look-back";
    looks_ahead("sum(volume) > 1", "sum(volume)", whole, sum);
    looks_ahead("count(*) > 1", "count(*)", whole, sum);
    looks_ahead(
        "rank(close) > 0.9",
        "rank(close)",
        "ranks a bar among all bars, later ones included",
        "compare with a trailing feature such as `z_score_20` or `rsi_14`",
    );
    looks_ahead(
        "bfill(close) > 1",
        "bfill(close)",
        "fills or changes a bar by later ones",
        "leave the value missing: a condition that needs it is not met",
    );
}

#[test]
fn a_window_is_refused_centered_or_not() {
    let centered = "with a centered window reads later bars";
    let trailing = "use a feature with a look-back, whose window ends at the bar";
    for call in ["sma(close, 20, center = true)", "mean(close, 20, centre => 1)", "f(close, centered = false)"] {
        looks_ahead(&format!("{call} > 1"), call, centered, trailing);
    }
    let over = "is over a window (`over`), which may hold later bars";
    let hint = "use a feature with a look-back, or `lag(x, n)`";
    looks_ahead("avg(close) over (rows between 5 preceding and 5 following) > 1", "avg(close)", over, hint);
    looks_ahead("rank() over (order by close) = 1", "rank()", over, hint);
    looks_ahead("lag(close, 1) over w > 1", "lag(close, 1)", over, hint);
}

#[test]
fn a_subquery_is_refused() {
    let message = "a rule must not ask a table, whose rows may be later bars; a subquery or a list was found";
    let hint = "compare with a column of `[features]`, or with `lag(x, n)`";
    refused("close > (select max(close) from bars)", message, "select max(close) from bars", hint);
    refused("exists (select 1)", message, "select 1", hint);
    refused("close in (select 1)", message, "close in (select 1)", hint);
    refused("close in (1, 2)", message, "close in (1, 2)", hint);
}

#[test]
fn a_number_is_no_condition_and_a_condition_no_number() {
    let number = |found: &str| format!("must be a condition, which is true or false, but `{found}` is a number");
    refused("close", &number("close"), "close", "compare it: `close > 0`");
    refused("close > 1 and rsi_14", &number("rsi_14"), "rsi_14", "compare it: `rsi_14 > 0`");
    refused("not sqrt(close)", &number("sqrt(close)"), "sqrt(close)", "compare it: `sqrt(close) > 0`");
    let condition = |found: &str| format!("must be a number, but `{found}` is a condition");
    let hint = "conditions are joined by `and` and `or`; a range is `x between low and high`";
    refused("30 < rsi_14 < 70", &condition("30 < rsi_14"), "30 < rsi_14", hint);
    refused("lag(close > open, 1) > 0", &condition("close > open"), "close > open", hint);
    refused("(close > 1) = (open > 1)", &condition("close > 1"), "close > 1", hint);
    let error = super::number("close > 1", &names()).expect_err("a price is a number");
    assert_eq!(error.message, condition("close > 1"));
}

#[test]
fn an_unknown_function_or_argument_is_refused_with_what_there_is() {
    let meant = format!("did you mean `crosses_above`? {FUNCTIONS}");
    refused("cross_above(close, 1)", "function `cross_above` is not known", "cross_above(close, 1)", &meant);
    let feature = "add `{ sma = { bars = 20 } }` to `features.columns` and write `sma_20`";
    refused("sma(close, 20) > 1", "function `sma` is not known", "sma(close, 20)", feature);
    refused("ceiling(close) > 1", "function `ceiling` is not known", "ceiling(close)", FUNCTIONS);
    let named = "an argument must be a value alone, but `abs` has one named `x`";
    refused("abs(x = close) > 1", named, "abs(x = close)", FUNCTIONS);
    refused("abs(*) > 1", "an argument must be a number, but `abs` has `*`", "abs(*)", FUNCTIONS);
    refused("max(distinct close, 1) > 1", "`max` must have nothing but its arguments", "max(distinct close, 1)", "");
    let order = "a function stands before its arguments, but `shift` stands after `close`";
    refused("close.shift(1) > close", order, "close.shift(1)", "write `lag(close, 1)`");
    let arity = "`lag` must have a number and how many bars ago, such as `lag(close, 1)`; `1` arguments were given";
    refused("lag(close) > 1", arity, "lag(close)", "");
    refused("abs() > 1", "`abs` must have one number; `0` arguments were given", "abs()", "");
    let literal = "the bars of `lag` must be a number that is written out, was `bars_held`";
    refused("lag(close, bars_held) > 1", literal, "bars_held", "write `lag(close, 1)`");
    let whole = "the bars of `lag` must be whole and at most 1000000, was `1.5`";
    refused("lag(close, 1.5) > 1", whole, "1.5", "");
}

#[test]
fn other_signs_and_other_parts_of_sql_are_refused() {
    for (text, sign, hint) in [
        ("close > 1 && open > 1", "&&", "write `and`"),
        ("close > 1 || open > 1", "||", "write `or`"),
        ("!(close > 1)", "!", "write `not`"),
        ("close[1] > 1", "[", "write `lag(close, 1)` for the close one bar ago"),
        ("close > 5%", "%", SIGNS),
        ("close > 1; drop", ";", SIGNS),
        ("close > $1", "$1", SIGNS),
        ("close > 5 --3", "--3", "an expression has no comments; a number below zero after a minus needs parentheses"),
    ] {
        refused(text, &format!("`{sign}` is not part of an expression"), sign, hint);
    }
    let not_ours = |part: &str| format!("`{part}` is not part of the language of rules");
    refused("floor(close) > 1", &not_ours("FLOOR(close)"), "close", PARTS);
    let choice = "case when close > 1 then 1 else 2 end";
    refused(&format!("{choice} > 1"), &not_ours(&choice.to_uppercase().replace("CLOSE", "close")), choice, PARTS);
    let missing = "a condition with a missing value is not met, and `not` of it neither";
    refused("close is null", "a rule does not ask whether a value is missing", "close", missing);
    let quotes = "columns are written without quotes; a missing value needs no word: it meets no condition";
    refused("close > 'abc'", "`'abc'` is neither a number nor a column", "'abc'", quotes);
    refused("close > 1e999", "a number must be finite, was `1e999`", "1e999", "");
}

#[test]
fn what_is_unfinished_too_long_or_too_deep_is_refused() {
    refused("", "an expression must not be empty", "", "");
    refused("(close > 1", "expected: ), found: the end", "", "");
    let follows = "an expression must end where it is complete, but `open` follows";
    refused("close > 1 open > 2", follows, "open", "join conditions with `and` or `or`");
    let long = format!("close > 1{}", " and close > 1".repeat(200));
    refused(&long, "an expression must have at most 2000 characters, has `2809`", "", "");
    let deep = format!("{}close{} > 1", "(".repeat(40), ")".repeat(40));
    let hint = "make a part of it a rule or a feature of its own";
    refused(&deep, "an expression must be nested at most 30 deep", &deep, hint);
    let admitted = format!("{}close{} > 1{}", "(".repeat(25), ")".repeat(25), "+1".repeat(900));
    condition(&admitted, &names()).expect("deep and long enough for anyone");
}
