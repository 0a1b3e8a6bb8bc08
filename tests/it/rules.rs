//! Strategies written as rules: the same trades as code, causal, and mistakes shown where they stand.

use tidegate_backtest::Journal;
use tidegate_experiment::{Dataset, ResolvedExperiment, RunOptions, SilentObserver, compute};
use tidegate_market::Timestamp;

use crate::support::{ACCOUNT, BARS, HEAD, LEARNING, Lab, RIDGE, SMA_CROSS, dataset, resolved, simulated};

/// What rules of these tests may name.
const COLUMNS: &str = r"
[features]
columns = [{ sma = { bars = 5 } }, { sma = { bars = 20 } }, { rsi = { bars = 7 } }, { atr = { bars = 10 } }]
";

/// The crosses of [`SMA_CROSS`].
const CROSS: &str = r#"
[strategy.rules]
entry = "crosses_above(sma_5, sma_20)"
exit = "crosses_below(sma_5, sma_20)"
size.weight = 1.0
"#;

/// Both sides, stops, targets and everything that a rule may name but the forecast.
const BOTH_SIDES: &str = r#"
[strategy.rules]
entry = "rsi_7 < 60 and close > lag(close, 1) and equity > 0"
exit = "rsi_7 > 65 or bars_held >= 4 or unrealized_pnl < -0.03"
stop = "close - 2 * atr_10"
target = "close + 3 * atr_10"
short_entry = "crosses_below(close, sma_20) and volume > 0"
short_exit = "not (position < 0 and close < entry_price * 1.02)"
short_stop = "max(high, lag(high, 1)) + atr_10"
size.risk = { fraction = 0.02, weight_max = 0.5 }
"#;

fn file(parts: &[&str]) -> String {
    parts.concat()
}

fn on_both(text: &str) -> String {
    text.replace(r#"["AAA"]"#, r#"["AAA", "BBB"]"#)
}

fn journal(experiment: &ResolvedExperiment, dataset: Dataset) -> Journal {
    let options = RunOptions::fresh("unused");
    compute(experiment, dataset, &options, &SilentObserver).unwrap_or_else(|error| panic!("{error}")).journal
}

#[test]
fn a_moving_average_cross_written_as_rules_gives_the_same_bytes_as_the_strategy() {
    let half = |strategy: &str| strategy.replace("weight = 1.0", "weight = 0.5");
    let by_code = file(&[HEAD, SMA_CROSS, ACCOUNT]);
    let by_rules = file(&[HEAD, COLUMNS, CROSS, ACCOUNT]);
    // The strategy splits its weight over the symbols; a rule's weight is that of each.
    for (code, rules) in [(by_code.clone(), by_rules.clone()), (on_both(&by_code), on_both(&half(&by_rules)))] {
        let lab = Lab::with(&code);
        lab.write("r.toml", &rules);
        lab.tidegate("run s.toml --out code").done();
        lab.tidegate("run r.toml --out rules").done();
        assert!(lab.json("code/metrics.json")["execution"]["fills"].as_u64() > Some(20));
        for file in ["trades.parquet", "orders.parquet", "equity.parquet"] {
            assert!(lab.read(&format!("code/{file}")) == lab.read(&format!("rules/{file}")), "{file} differs");
        }
    }
}

#[test]
fn a_cross_to_both_sides_turns_around_like_the_strategy() {
    let code = file(&[HEAD, &SMA_CROSS.replace("allow_short = false", "allow_short = true"), ACCOUNT]);
    let short =
        "short_entry = \"crosses_below(sma_5, sma_20)\"\nshort_exit = \"crosses_above(sma_5, sma_20)\"\nsize.weight";
    let rules = file(&[HEAD, COLUMNS, &CROSS.replace("size.weight", short), ACCOUNT]);
    let bars = || dataset(&["AAA"], simulated(BARS, 3));
    let (code, rules) = (journal(&resolved(&code), bars()), journal(&resolved(&rules), bars()));
    assert!(code.trades.len() > 10);
    assert_eq!(code.orders, rules.orders);
    assert_eq!(code.fills, rules.fills);
    assert_eq!(code.equity.equity(), rules.equity.equity());
}

/// What was known by the label of a bar: orders asked for, fills, equity.
fn past(journal: &Journal, last: Timestamp) -> (Vec<String>, Vec<String>, Vec<u64>) {
    let orders = journal.orders.iter().filter(|order| order.submitted_time <= last);
    let asked = orders.map(|order| format!("{:?} {:?} {:?} {:?}", order.id, order.side, order.kind, order.quantity));
    let fills = journal.fills.iter().filter(|fill| fill.time <= last).map(|fill| format!("{fill:?}"));
    let rows = journal.equity.time().iter().zip(journal.equity.equity());
    let equity = rows.filter(|(time, _)| **time <= last).map(|(_, equity)| equity.to_bits());
    (asked.collect(), fills.collect(), equity.collect())
}

/// A run on the first bars is the first part of a run on all, for several ends.
fn a_prefix_is_a_prefix(text: &str, ends: &[usize]) {
    let experiment = resolved(&on_both(text));
    let symbols = ["AAA", "BBB"];
    let whole = journal(&experiment, dataset(&symbols, simulated(BARS, 3)));
    assert!(whole.trades.len() > 20, "only {} trades", whole.trades.len());
    for &end in ends {
        let mut first = simulated(BARS, 3);
        for symbol in &mut first {
            symbol.bars = symbol.bars.prefix(end);
        }
        let last = first[0].bars.time()[end - 1];
        let part = journal(&experiment, dataset(&symbols, first));
        assert_eq!(past(&part, last), past(&whole, last), "{end} bars");
    }
}

#[test]
fn the_prefix_law_holds_for_rules_on_prices_and_the_position() {
    a_prefix_is_a_prefix(&file(&[HEAD, COLUMNS, BOTH_SIDES, ACCOUNT]), &[100, 101, 233, 350, 499]);
}

#[test]
fn the_prefix_law_holds_for_rules_on_forecasts() {
    let rules = r#"
[strategy.rules]
entry = "crosses_above(forecast_mean, 0) and forecast_volatility > lag(volatility_10, 1) * 0.1"
exit = "forecast_mean < 0 or rsi_7 > 80"
stop = "close * 0.97"
size.volatility_target = { annual_volatility = 0.1, volatility = "volatility_10", weight_max = 0.5 }
"#;
    a_prefix_is_a_prefix(&file(&[HEAD, LEARNING, RIDGE, rules, ACCOUNT]), &[380, 381, 431, 499]);
}

#[test]
fn the_columns_are_those_of_the_traded_bars() {
    // Trading begins with the first forecast, long after the first bar: the columns must be read from there. On the very first traded
    // bar the average of 20 bars is known, so a rule that is always true but for it buys at the bar after.
    let rules =
        "\n[strategy.rules]\nentry = \"sma_20 > 0 and forecast_mean < 1\"\nexit = \"false\"\nsize.weight = 0.5\n";
    let features = LEARNING.replace("{ rsi = { bars = 7 } }", "{ rsi = { bars = 7 } }, { sma = { bars = 20 } }");
    let text = file(&[HEAD, &features, RIDGE, rules, ACCOUNT]);
    let journal = journal(&resolved(&text), dataset(&["AAA"], simulated(BARS, 3)));
    assert_eq!(journal.fills.iter().map(|fill| fill.row).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_sweep_varies_the_text_of_a_rule() {
    let sweep = "\n[sweep]\nobjective = \"sharpe_ratio\"\n\n[sweep.grid]\n\"strategy.rules.exit\" = [\"bars_held >= 2\", \"bars_held >= 9\"]\n\"strategy.rules.size.weight\" = [0.5, 1.0]\n";
    let lab = Lab::with(&file(&[HEAD, COLUMNS, CROSS, ACCOUNT, sweep]));
    lab.tidegate("sweep s.toml --out study --json").done();
    let table = lab.table("study/trials.parquet");
    let exits = table.texts("strategy.rules.exit").expect("a swept key is a column");
    assert_eq!(exits, ["bars_held >= 2", "bars_held >= 2", "bars_held >= 9", "bars_held >= 9"]);
    let returns = table.floats("total_return").expect("a metric is a column");
    assert!(returns[0] != returns[1] && returns[0] != returns[2], "{returns:?}");
}

/// Changes the file and expects `check` to refuse it with exactly this message.
#[track_caller]
fn refused(from: &str, to: &str, expected: &[&str]) {
    let text = file(&[HEAD, COLUMNS, CROSS, ACCOUNT]);
    assert!(text.contains(from), "{from} is not in the file");
    let finished = Lab::with(&text.replacen(from, to, 1)).attempt("check", &[]);
    assert_eq!(finished.stderr, format!("error: {}", expected.join("\n")));
    assert_eq!(finished.code, Some(1));
}

const ENTRY: &str = "entry = \"crosses_above(sma_5, sma_20)\"";
const EXIT: &str = "exit = \"crosses_below(sma_5, sma_20)\"";
const NAMES: &str = "`[features]` has `sma_5`, `sma_20`, `rsi_7`, `atr_10`; the bar's names are `open`, `high`, `low`, `close`, `volume`; the forecast's names are `forecast_mean`, `forecast_volatility`; the position's names are `position`, `entry_price`, `bars_held`, `unrealized_pnl`; the account's names are `equity`";

#[test]
fn a_mistake_in_an_expression_is_underlined_in_the_file() {
    refused(
        ENTRY,
        "entry = \"close > 1 and rsi_8 < 30\"",
        &[
            "s.toml:17:24: strategy.rules.entry: column `rsi_8` is not known",
            "   |",
            "17 | entry = \"close > 1 and rsi_8 < 30\"",
            "   |                        ^^^^^",
            &format!("hint: add `{{ rsi = {{ bars = 8 }} }}` to `features.columns`; {NAMES}"),
        ],
    );
    refused(
        EXIT,
        "exit = 'shift(close, -1) < close'",
        &[
            "s.toml:18:9: strategy.rules.exit: a rule must not look ahead, but `shift(close, -1)` is the value 1 bar later",
            "   |",
            "18 | exit = 'shift(close, -1) < close'",
            "   |         ^^^^^^^^^^^^^^^^",
            "hint: write `lag(close, 1)` for the value that long ago",
        ],
    );
    refused(
        "size.weight = 1.0",
        "size.volatility_target = { annual_volatility = 0.1, volatility = \"std(close)\", weight_max = 1.0 }",
        &[
            "s.toml:19:67: strategy.rules.size.volatility_target.volatility: a rule must not look ahead, but `std(close)` is over the whole column, later bars included",
            "   |",
            "19 | size.volatility_target = { annual_volatility = 0.1, volatility = \"std(close)\", weight_max = 1.0 }",
            "   |                                                                   ^^^^^^^^^^",
            "hint: add `{ volatility = { bars = 20 } }` to `features.columns` and write `volatility_20`",
        ],
    );
}

#[test]
fn an_expression_that_the_file_does_not_show_as_it_is_is_shown_by_itself() {
    refused(
        ENTRY,
        "entry = \"\"\"\nclose > 1\n  and opn > 2\"\"\"",
        &[
            "s.toml:17:9: strategy.rules.entry: column `opn` is not known",
            "    and opn > 2",
            "        ^^^",
            "   |",
            "17 | entry = \"\"\"",
            "   |         ^^^",
            &format!("hint: did you mean `open`? {NAMES}"),
        ],
    );
    let lab = Lab::with(&file(&[HEAD, COLUMNS, CROSS, ACCOUNT]));
    lab.attempt("check", &["strategy.rules.exit=lead(close, 1) > close"]).refused(&[
        "strategy.rules.exit: a rule must not look ahead, but `lead(close, 1)` is the value of a later bar (set by `strategy.rules.exit=lead(close, 1) > close`)\n  lead(close, 1) > close\n  ^^^^^^^^^^^^^^",
        "hint: write `lag(x, n)` for the value `n` bars ago",
    ]);
}

#[test]
fn keys_that_do_not_agree_are_refused_with_what_is_missing() {
    let place = |line: &str, column: usize, text: &str, message: &str| {
        let marks = "^".repeat(text.chars().count() + 1 - column);
        let indent = " ".repeat(column - 1);
        vec![format!("s.toml:{line}:{column}: {message}"), "   |".to_owned(), format!("{line} | {text}"), {
            format!("   | {indent}{marks}")
        }]
    };
    let check = |from: &str, to: &str, expected: Vec<String>| {
        refused(from, to, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    };
    let no_exit = "strategy.rules.entry: must have a way out: `exit`, `stop` or `target`; none is given";
    check(EXIT, "", place("17", 9, ENTRY, no_exit));
    let no_entry = "strategy.rules.short_stop: needs `short_entry`, which is missing";
    check(EXIT, &format!("{EXIT}\nshort_stop = \"close * 1.1\""), {
        place("19", 14, "short_stop = \"close * 1.1\"", no_entry)
    });
    let risk = "size.risk = { fraction = 0.01, weight_max = 1.0 }";
    let no_stop = "strategy.rules.size.risk: needs `stop` beside `entry`, which is missing";
    check("size.weight = 1.0", risk, place("19", 13, risk, no_stop));
    let negative = "size.weight = -1.0";
    let sign = "strategy.rules.size.weight: must be finite and above 0, was `-1`";
    check("size.weight = 1.0", negative, place("19", 15, negative, sign));
    let column = "features.columns[0]: must not make the column `close`: rules have a name of their own like that";
    let lab = Lab::with(&file(&[HEAD, &COLUMNS.replacen("bars = 5", "bars = 5, as = \"close\"", 1), CROSS, ACCOUNT]));
    lab.attempt("check", &[]).refused(&["s.toml:14:", column]);
}

#[test]
fn a_rule_on_forecasts_needs_them_and_a_rule_on_prices_no_model() {
    let forecast = CROSS.replace("crosses_above(sma_5, sma_20)", "forecast_mean > 0");
    let lab = Lab::with(&file(&[HEAD, COLUMNS, &forecast, ACCOUNT]));
    lab.attempt("check", &[]).refused(&["strategy: trades on forecasts, which need `[model]` or `[forecasts]`"]);
    let without_columns = CROSS.replace("crosses_above(sma_5, sma_20)", "close > lag(close, 1)");
    let without_columns = without_columns.replace("crosses_below(sma_5, sma_20)", "bars_held >= 3");
    Lab::with(&file(&[HEAD, &without_columns, ACCOUNT])).attempt("run", &[]).done();
}
