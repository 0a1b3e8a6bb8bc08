//! Ledgers of other engines, run by run: fills, refusals, trades and equity at every bar.
//!
//! The numbers are those of `tests/vectors/parity`. A run that the profile cannot follow by design is listed with the first bar on
//! which it differs; the table in `docs/PARITY.md` says why.

pub(crate) mod compare;
pub(crate) mod profiles;
mod replay;
pub(crate) mod vectors;

use compare::What;

/// Engine, run, first bar that differs, what differs there.
const DEVIATIONS: &[(&str, &str, usize, What)] = &[
    ("zipline", "stop_limit_volatile", 234, What::Fills),
    ("backtesting_py", "reverse_volatile_fixed_commission", 30, What::Fills),
    ("backtesting_py", "bracket_on_stop_entry", 51, What::Fills),
    ("backtesting_py", "bracket_on_limit_entry", 272, What::Fills),
    ("backtesting_py", "stop_limit_volatile", 26, What::Fills),
    ("backtesting_py", "adds_and_netting", 27, What::Fills),
    ("backtesting_py", "ruin_short_margin", 20, What::Equity),
    ("vectorbt", "short_squeezed", 70, What::Fills),
    ("vectorbt", "stop_trailing", 158, What::Fills),
    ("backtrader", "stop_limit_volatile", 16, What::Fills),
    ("backtrader", "trailing_volatile", 4, What::Fills),
    ("backtrader", "orders_that_cash_cannot_pay", 9, What::Fills),
];

#[test]
fn every_run_is_the_same_at_every_bar_or_deviates_where_the_table_says() {
    let runs = vectors::all();
    assert_eq!(runs.len(), 56);
    let listed = |engine: &str, name: &str| {
        let row = DEVIATIONS.iter().find(|(listed, run, ..)| (*listed, *run) == (engine, name));
        row.map(|(_, _, bar, what)| (*bar, *what))
    };
    let mut wrong = Vec::new();
    for run in &runs {
        let difference = replay::compare(run);
        if difference.as_ref().map(|found| (found.bar, found.what)) != listed(&run.engine, &run.name) {
            let found = difference.map_or_else(|| "the same".to_owned(), |found| found.to_string());
            wrong.push(format!("{} {}: {found}", run.engine, run.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let is_run = |engine: &str, name: &str| runs.iter().any(|run| run.engine == engine && run.name == name);
    assert!(DEVIATIONS.iter().all(|(engine, name, ..)| is_run(engine, name)));
}

#[track_caller]
fn check(found: Option<compare::Difference>, expected: Option<(usize, What)>) {
    let place = found.as_ref().map(|found| (found.bar, found.what));
    assert_eq!(place, expected, "{}", found.map_or_else(String::new, |found| found.to_string()));
}

#[test]
fn sizes_that_the_profile_does_not_reckon_are_followed_when_they_are_named() {
    let with_sizes = |name| replay::compare_without_limits(&vectors::named("backtesting_py", name).with_its_sizes());
    check(with_sizes("reverse_volatile_fixed_commission"), None);
    // Up to an order for four times what the account has, which fills here.
    check(with_sizes("adds_and_netting"), Some((34, What::Fills)));
}

#[test]
fn a_trailing_stop_that_moves_between_bars_is_a_stop_that_the_strategy_replaces() {
    check(replay::compare_moving_stops(&vectors::named("vectorbt", "stop_trailing")), None);
    check(replay::compare_moving_stops(&vectors::named("backtrader", "trailing_volatile")), None);
}

#[test]
fn the_table_of_the_documentation_names_every_deviation() {
    let page = include_str!("../../../../docs/PARITY.md");
    for (engine, name, bar, _) in DEVIATIONS {
        let row = format!("| {} | `{name}` | {bar} | ", engine.replace("_py", ".py"));
        assert!(page.contains(&row), "no row starts `{row}`");
    }
    let rows = page.lines().filter(|line| line.split('|').nth(2).is_some_and(|cell| cell.starts_with(" `"))).count();
    assert_eq!(rows, DEVIATIONS.len());
}
