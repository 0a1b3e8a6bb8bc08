use std::path::Path;

use tidegate_search::Coordinate;

use super::axis::SweptKey;
use super::plan::SweepPlan;
use super::request::SweepRequest;
use super::stages::reason;
use super::template::{Section, Template};
use super::walker::Walker;
use crate::config::{AxisConfig, ConfigSource};
use crate::resolve::ResolvedExperiment;

const FILE: &str = r#"
name = "Fixture"
seed = 7

[data]
path = "bars.csv"
symbols = ["AAA", "BBB"]
interval = "1d"
timestamp = "open"
calendar = "sessions"
adjustment = "raw"

[strategy.sma_cross]
fast_bars = 5
slow_bars = 20
weight = 1.0
allow_short = false

[account]
cash = 100000.0

[execution]
fill = "next_open"
commission.bps = 5.0
slippage.bps = 1.0
"#;

fn source(text: &str) -> ConfigSource {
    ConfigSource::from_text(Path::new("folder/s.toml"), text.to_owned())
}

fn plan(source: &ConfigSource, grid: &[&str]) -> SweepPlan {
    let grid = grid.iter().map(|axis| (*axis).to_owned()).collect();
    let request = SweepRequest { grid, ..SweepRequest::default() };
    SweepPlan::new(source, &request).unwrap_or_else(|error| panic!("{error}"))
}

/// Every trial of a grid, made from the template of the first valid one, is what its config, written out, would be.
fn check(text: &str, grid: &[&str]) {
    let source = source(text);
    let plan = plan(&source, grid);
    let unwritten = source.unwritten();
    let resolve = |point: &[Coordinate]| {
        plan.config(&source, point).and_then(|config| ResolvedExperiment::from_config(&unwritten, config))
    };
    let sections: Vec<Option<Section>> = plan.keys.iter().map(|key| Section::of(&key.key, &plan.base)).collect();
    assert!(sections.iter().all(Option::is_some), "{grid:?}");
    let candidates = Walker::new(&plan).batch(1_000).expect("points");
    let mut template = None;
    let mut trial = None;
    let (mut valid, mut invalid) = (0, 0);
    for candidate in &candidates {
        let expected = resolve(&candidate.point);
        let Some(template) = &template else {
            if let Ok(base) = expected {
                let made = Template::new(base, &source, &plan.keys, &sections).expect("a template");
                trial = Some(made.trial());
                template = Some(made);
            }
            continue;
        };
        let trial = trial.as_mut().expect("made with the template");
        match (template.apply(trial, &plan.keys, &candidate.point), expected) {
            (Ok(hash), Ok(expected)) => {
                valid += 1;
                let found = &trial.experiment;
                assert_eq!(format!("{hash:016x}"), expected.config_hash);
                assert_eq!(found.config, expected.config);
                assert_eq!((&found.strategy, &found.instruments), (&expected.strategy, &expected.instruments));
                assert_eq!(found.backtest, expected.backtest);
            }
            (Err(found), Err(expected)) => {
                invalid += 1;
                assert_eq!(reason(&found), reason(&expected));
            }
            (found, expected) => panic!("{:?}: {found:?} in place of {expected:?}", candidate.point),
        }
    }
    assert!(valid > 2, "{valid} valid and {invalid} invalid of {}", candidates.len());
}

#[test]
fn a_trial_from_the_template_is_the_one_that_the_file_would_give() {
    check(FILE, &["strategy.sma_cross.fast_bars=3,5,20,30", "strategy.sma_cross.slow_bars=10,20,30"]);
    check(FILE, &["strategy.sma_cross.weight=0.5,1,-1,2", "account.cash=1000,0.5,-3", "risk.gross_leverage_max=1,2.5"]);
    check(FILE, &["execution.fill=next_open,same_close,next_close", "execution.commission.bps=0,5,10.5,-1"]);
    check(FILE, &["account.lot_size=1,0.5,0", "risk.drawdown_stop=0.1,0.5,2", "execution.session_exit=false,true"]);
}

#[test]
fn a_trial_from_the_template_of_a_profile_is_the_one_that_the_file_would_give() {
    let text = FILE.replace("commission.bps = 5.0\nslippage.bps = 1.0", "profile = \"backtrader\"");
    check(&text, &["strategy.sma_cross.fast_bars=3,5,20", "risk.gross_leverage_max=1,2.5"]);
    let text = FILE.replace("commission.bps = 5.0\nslippage.bps = 1.0", "profile = \"zipline\"");
    check(
        &text,
        &["execution.commission.bps=0,5,10.5", "execution.volume_share_max=0.1,0.5,2", "account.lot_size=1,2"],
    );
}

#[test]
fn a_trial_by_rules_from_the_template_is_the_one_that_the_file_would_give() {
    let sma = FILE.find("[strategy").expect("there");
    let account = FILE.find("[account").expect("there");
    let rules = "[features]\ncolumns = [{ rsi = { bars = 14 } }]\n[strategy.rules]\nentry = \"rsi_14 < 30\"\nexit = \"rsi_14 > 70\"\nsize.weight = 0.5\n";
    let text = [&FILE[..sma], rules, &FILE[account..]].concat();
    check(
        &text,
        &["strategy.rules.exit=rsi_14 > 60,rsi_14 > 70,rsi_7 > 70,close >", "strategy.rules.size.weight=0.25,1"],
    );
}

#[test]
fn keys_that_data_or_forecasts_depend_on_are_not_of_trading() {
    let base = source(FILE).parse().expect("a config");
    for key in [
        "seed",
        "data.end",
        "account.currency",
        "execution.detail.path",
        "execution.profile",
        "strategy",
        "strategy.sma_cross",
        "strategy.target_weights.path",
        "instruments.AAA.lot_size",
    ] {
        assert_eq!(Section::of(key, &base), None, "{key}");
    }
    assert_eq!(Section::of("execution.fill", &base), Some(Section::Execution));
    assert_eq!(Section::of("execution.commission.bps", &base), Some(Section::Execution));
    assert_eq!(Section::of("strategy.sma_cross.fast_bars", &base), Some(Section::Strategy));
}

#[test]
fn the_last_key_changes_fastest() {
    let source = source(FILE);
    let plan = plan(&source, &["strategy.sma_cross.slow_bars=10,20,30", "account.cash=1,2"]);
    let keys: Vec<&str> = plan.keys.iter().map(|key| key.key.as_str()).collect();
    assert_eq!(keys, ["account.cash", "strategy.sma_cross.slow_bars"]);
    assert_eq!(plan.trials(), 6);
    let candidates = Walker::new(&plan).batch(100).expect("points");
    let whole = |values: [i64; 2]| values.map(toml::Value::Integer).to_vec();
    assert_eq!(plan.values(&candidates[1].point), whole([1, 20]));
    assert_eq!(plan.values(&candidates[3].point), whole([2, 10]));
    assert_eq!(plan.values_json(&candidates[3].point), "{\"account.cash\":2,\"strategy.sma_cross.slow_bars\":10}");
}

/// The message that a file with this `[sweep]` is refused with.
fn refused(sweep: &str) -> String {
    let source = source(&format!("{FILE}\n{sweep}"));
    match SweepPlan::new(&source, &SweepRequest::default()) {
        Ok(_) => panic!("not refused: {sweep}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_mistake_in_a_sweep_is_shown_where_it_stands() {
    let head = "[sweep]\nobjective = \"sharpe_ratio\"\n";
    let unknown = refused(&format!("{head}[sweep.grid]\n\"strategy.sma_cross.fats_bars\" = [3]\n"));
    assert!(unknown.starts_with("folder/s.toml:30:34: sweep.grid.\"strategy.sma_cross.fats_bars\": "), "{unknown}");
    assert!(
        unknown.contains("unknown field `fats_bars`") && unknown.contains("did you mean `fast_bars`?"),
        "{unknown}"
    );
    let empty = refused(&format!("{head}[sweep.grid]\n\"strategy.sma_cross.fast_bars\" = []\n"));
    assert!(empty.starts_with("folder/s.toml:30:34: "), "{empty}");
    assert!(empty.contains("must list at least one value, was empty"), "{empty}");
    let twisted = refused(&format!("{head}[sweep.grid]\n\"strategy.sma_cross.fast_bars\" = {{ from = 9, to = 3 }}\n"));
    assert!(twisted.starts_with("folder/s.toml:30:34: "), "{twisted}");
    let endless = refused(&format!("{head}[sweep.grid]\n\"strategy.sma_cross.weight\" = {{ from = 0.1, to = 1.0 }}\n"));
    assert!(endless.contains("needs a `step` for every range of a grid"), "{endless}");
    let twice = refused("[sweep]\nobjective = \"cagr\"\nobjectives = [\"cagr\"]\n[sweep.grid]\nseed = [1]\n");
    assert!(twice.contains("sweep.objectives: must not stand beside `objective`"), "{twice}");
    let none = refused("[sweep]\n[sweep.grid]\nseed = [1]\n");
    assert!(none.contains("needs `objective`, which is missing"), "{none}");
}

#[test]
fn a_constraint_that_nothing_fulfils_and_one_that_cannot_be_read_are_refused() {
    let sweep = |constraint: &str| {
        refused(&format!(
            "[sweep]\nobjective = \"cagr\"\nconstraints = [\"{constraint}\"]\n[sweep.grid]\n\"strategy.sma_cross.fast_bars\" = [30, 40]\n\"strategy.sma_cross.slow_bars\" = [10, 20]\n"
        ))
    };
    let nothing = sweep("fast_bars < slow_bars");
    assert!(nothing.contains("constraints must admit some point") && nothing.contains("s.toml:29:15"), "{nothing}");
    let unread = sweep("fats_bars < slow_bars");
    assert!(unread.contains("sweep.constraints[0]") && unread.contains("fats_bars"), "{unread}");
}

#[test]
fn a_million_million_combinations_are_refused_with_their_number() {
    let axis = "{ from = 1, to = 1000000 }";
    let text = format!(
        "[sweep]\nobjective = \"cagr\"\n[sweep.grid]\n\"strategy.sma_cross.fast_bars\" = {axis}\n\"strategy.sma_cross.slow_bars\" = {axis}\n"
    );
    assert!(
        refused(&text).contains("at most `10000000` combinations, the grid has `1000000000000`"),
        "{}",
        refused(&text)
    );
}

#[test]
fn a_range_of_a_grid_steps_from_one_end_to_the_other() {
    let axis: AxisConfig = toml::from_str::<toml::Table>("axis = { from = 5, to = 21, step = 5 }")
        .expect("a table")
        .remove("axis")
        .expect("there")
        .try_into()
        .expect("a range");
    let (key, axis) = SweptKey::new("n", &axis).expect("a range");
    let space = tidegate_search::Space::new(vec![axis]).expect("one axis");
    assert_eq!(space.size(), Some(4));
    assert_eq!(key.value(Coordinate::Integer(20)), toml::Value::Integer(20));
}

#[test]
fn successive_halving_runs_the_best_again_with_more_of_the_resource() {
    let text = format!(
        "{FILE}\n[sweep]\nobjective = \"cagr\"\nmethod.successive_halving = {{ resource = \"seed\", from = 1, to = 4, reduction = 2 }}\n[sweep.grid]\n\"strategy.sma_cross.fast_bars\" = [3, 4, 5, 6]\n"
    );
    let source = source(&text);
    let plan = SweepPlan::new(&source, &SweepRequest::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plan.trials(), 4 + 2 + 1);
    let mut walker = Walker::new(&plan);
    let mut seen = Vec::new();
    loop {
        let batch = walker.batch(3).expect("points");
        if batch.is_empty() {
            break;
        }
        // The slower the fast average, the better.
        let results: Vec<_> = batch
            .iter()
            .map(|candidate| {
                let values = plan.values(&candidate.point);
                let (fast, resource) = (values[0].as_integer().expect("whole"), values[1].as_integer().expect("whole"));
                seen.push((candidate.number, fast, resource));
                (candidate.number, &candidate.point, Some(fast as f64))
            })
            .collect();
        walker.tell(results.into_iter());
    }
    assert_eq!(seen, [(0, 3, 1), (1, 4, 1), (2, 5, 1), (3, 6, 1), (4, 5, 2), (5, 6, 2), (6, 6, 4)]);
}
