//! What scripts and notebooks rely on: the documents, files, keys and columns of the command line.

use serde_json::Value;
use tidegate_data::{Column, TimeKind};

use crate::support::{ACCOUNT, BARS, HEAD, Lab, SMA_CROSS, ridge, sma_cross};

const PERFORMANCE: [&str; 21] = [
    "total_return",
    "cagr",
    "volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "calmar_ratio",
    "omega_ratio",
    "tail_ratio",
    "max_drawdown",
    "max_drawdown_periods",
    "value_at_risk_95",
    "conditional_value_at_risk_95",
    "skewness",
    "kurtosis",
    "alpha",
    "beta",
    "information_ratio",
    "probabilistic_sharpe_ratio",
    "best_period",
    "worst_period",
    "hit_rate",
];

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("a JSON object").keys().map(String::as_str).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("a number, was {value}"))
}

#[test]
fn run_prints_one_document_and_writes_its_metrics() {
    let lab = Lab::with(&ridge());
    let document = lab.tidegate("run s.toml --json --out results/mine").json();
    assert_eq!(keys(&document), ["run_dir", "metrics", "cached"]);
    assert_eq!(document["run_dir"], "results/mine");
    assert_eq!(document["metrics"], lab.json("results/mine/metrics.json"));
    let metrics = &document["metrics"];
    assert_eq!(keys(metrics), ["performance", "benchmark", "forecast", "execution"]);
    assert_eq!(keys(&metrics["performance"]), PERFORMANCE);
    assert_eq!(keys(&metrics["benchmark"]), PERFORMANCE);
    assert_eq!(
        keys(&metrics["forecast"]),
        ["pooled", "by_horizon", "versus_yardsticks", "cross_section", "calibration", "members", "by_fold"]
    );
    let pooled = &metrics["forecast"]["pooled"];
    assert_eq!(pooled["name"], "ridge");
    assert_eq!(
        keys(&pooled["yardsticks"]),
        ["zero", "historical_mean", "ewma_volatility", "garch", "ridge", "boosted_trees"]
    );
    // 500 bars, 260 before the first test block; the last two have no next open to earn a return to.
    assert_eq!(pooled["model"]["count"], 238);
    for score in ["mse", "r2_out_of_sample", "information_coefficient", "hit_rate", "crps", "coverage_80"] {
        number(&pooled["model"][score]);
    }
    let folds = metrics["forecast"]["by_fold"].as_array().expect("a list");
    assert_eq!(folds.iter().map(|fold| fold["fold"].as_u64()).collect::<Vec<_>>(), [Some(0), Some(1)]);
}

#[test]
fn undefined_metrics_are_null_and_a_run_without_a_model_has_no_forecast() {
    let lab = Lab::with(&sma_cross());
    let metrics = lab.tidegate("run s.toml --json").json()["metrics"].clone();
    assert_eq!(metrics["forecast"], Value::Null);
    // Buy-and-hold is its own benchmark.
    assert_eq!(metrics["benchmark"]["beta"], Value::Null);
    number(&metrics["performance"]["beta"]);
}

#[test]
fn the_default_run_directory_is_named_after_the_file_and_the_config() {
    let lab = Lab::with(&sma_cross());
    let plain = lab.tidegate("run s.toml --json").json()["run_dir"].clone();
    let text = plain.as_str().expect("a path");
    let hash = text.strip_prefix("runs/s/").expect("runs/<file stem>/<config hash>");
    assert!(hash.len() == 16 && hash.chars().all(|digit| digit.is_ascii_hexdigit()), "{hash}");
    assert_eq!(lab.json(&format!("{text}/manifest.json"))["config_hash"], hash);
    let costly = lab.tidegate("run s.toml --json --set execution.commission.bps=9").json()["run_dir"].clone();
    assert_ne!(plain, costly, "another config has another directory");
    let titled = lab.tidegate(r#"run s.toml --json --set name="Another""#).json()["run_dir"].clone();
    assert_eq!(plain, titled, "a title changes no number");
}

#[test]
fn the_tables_of_a_run_have_their_columns_and_agree_with_its_metrics() {
    let lab = Lab::with(&ridge());
    let metrics = lab.tidegate("run s.toml --json --out run").json()["metrics"].clone();
    let execution = &metrics["execution"];
    let columns =
        |name: &str| -> Vec<String> { lab.table(name).columns().iter().map(|(name, _)| name.clone()).collect() };
    assert_eq!(columns("run/equity.parquet")[..5], ["time", "equity", "cash", "gross_exposure", "net_exposure"]);
    assert_eq!(
        columns("run/trades.parquet"),
        [
            "symbol",
            "side",
            "quantity",
            "entry_time",
            "entry_price",
            "exit_time",
            "exit_price",
            "bars_held",
            "realized_pnl",
            "commission",
            "slippage",
            "mae",
            "mfe"
        ]
    );
    assert_eq!(
        columns("run/forecasts.parquet"),
        [
            "time",
            "symbol",
            "horizon_bars",
            "mean",
            "volatility",
            "fold",
            "epistemic_volatility",
            "distribution",
            "degrees_of_freedom",
            "lower_95",
            "upper_95",
            "interval_lower",
            "interval_upper"
        ]
    );
    let orders = lab.table("run/orders.parquet");
    assert_eq!(orders.rows() as u64, execution["orders"].as_u64().expect("a count"));
    let filled = orders.texts("status").expect("texts").iter().filter(|status| *status == "filled").count();
    assert_eq!(filled as u64, execution["fills"].as_u64().expect("a count"));

    let equity = lab.table("run/equity.parquet");
    assert!(
        matches!(&equity.columns()[0].1, Column::OptionalTime(_, TimeKind::Date)),
        "daily bars are labelled by dates"
    );
    assert_eq!(equity.rows(), BARS - 260);
    let values = equity.floats("equity").expect("numbers");
    assert_eq!(values[0], 100_000.0);
    assert_eq!(values.last().copied(), execution["final_equity"].as_f64());
    let total = values[values.len() - 1] / values[0] - 1.0;
    assert!((number(&metrics["performance"]["total_return"]) - total).abs() < 1e-12);
    let (cash, net) = (equity.floats("cash").expect("numbers"), equity.floats("net_exposure").expect("numbers"));
    for row in 0..equity.rows() {
        assert!((cash[row] + net[row] - values[row]).abs() < 1e-6, "row {row}: cash + positions = equity");
    }

    let trades = lab.table("run/trades.parquet");
    assert_eq!(trades.rows() as u64, execution["trades"]["number_of_trades"].as_u64().expect("a count"));
    assert!(trades.rows() > 10);
    let pnl: f64 = trades.floats("realized_pnl").expect("numbers").iter().sum();
    let commission: f64 = trades.floats("commission").expect("numbers").iter().sum();
    let expectancy = (pnl - commission) / trades.rows() as f64;
    assert!((number(&execution["trades"]["expectancy"]) - expectancy).abs() < 1e-6);
    let (entry, exit) = (trades.times("entry_time").expect("times"), trades.times("exit_time").expect("times"));
    assert!(entry.iter().zip(&exit).all(|(entry, exit)| entry < exit));

    let forecasts = lab.table("run/forecasts.parquet");
    assert_eq!(forecasts.rows(), BARS - 260);
    assert_eq!(forecasts.times("time").expect("times")[0], equity.times("time").expect("times")[0]);
    assert!(forecasts.floats("volatility").expect("numbers").iter().all(|value| *value > 0.0));
    assert!(forecasts.ints("horizon_bars").expect("whole numbers").iter().all(|bars| *bars == 1));
    let folds = forecasts.ints("fold").expect("whole numbers");
    assert_eq!([0, 1].map(|fold| folds.iter().filter(|found| **found == fold).count()), [120, 120]);
}

#[test]
fn the_journal_of_a_run_is_a_set_of_tables_that_tie_up() {
    let lab = Lab::with(&ridge());
    let execution = lab.tidegate("run s.toml --json --out run").json()["metrics"]["execution"].clone();
    let columns =
        |name: &str| -> Vec<String> { lab.table(name).columns().iter().map(|(name, _)| name.clone()).collect() };
    let fill_columns = [
        "order",
        "symbol",
        "side",
        "quantity",
        "price",
        "commission",
        "slippage",
        "multiplier",
        "fx_rate",
        "liquidity",
        "time",
        "moment",
    ];
    assert_eq!(columns("run/fills.parquet"), fill_columns);
    let position_columns =
        ["time", "symbol", "cause", "order", "quantity", "average_cost", "realized_pnl", "commission"];
    assert_eq!(columns("run/positions.parquet"), position_columns);
    assert_eq!(columns("run/cash_flows.parquet"), ["time", "symbol", "kind", "amount"], "empty, with its columns");
    let action_columns = ["time", "symbol", "kind", "value", "units_before", "units_after"];
    assert_eq!(columns("run/corporate_actions.parquet"), action_columns);
    assert_eq!(
        columns("run/equity.parquet")[5..],
        ["realized_pnl", "unrealized_pnl", "commission", "cash_flows"],
        "the parts of equity"
    );

    let (fills, positions) = (lab.table("run/fills.parquet"), lab.table("run/positions.parquet"));
    assert_eq!(fills.rows() as u64, execution["fills"].as_u64().expect("a count"));
    let sides = fills.texts("side").expect("texts");
    let quantities = fills.floats("quantity").expect("numbers");
    let held = positions.floats("quantity").expect("numbers");
    let mut sum = 0.0;
    for row in 0..fills.rows() {
        sum += if sides[row] == "buy" { quantities[row] } else { -quantities[row] };
        assert!((sum - held[row]).abs() < 1e-9, "row {row}: the sum of the fills is the position");
    }
    assert_eq!(positions.floats("commission").expect("numbers").last().copied(), execution["commission"].as_f64());
    let orders = lab.table("run/orders.parquet");
    let charged: f64 = orders.floats("commission").expect("numbers").iter().sum();
    assert!((charged - number(&execution["commission"])).abs() < 1e-6);

    let equity = lab.table("run/equity.parquet");
    let column = |name| equity.floats(name).expect("numbers");
    let (value, realized, unrealized) = (column("equity"), column("realized_pnl"), column("unrealized_pnl"));
    let (commission, flows) = (column("commission"), column("cash_flows"));
    for row in 0..equity.rows() {
        let sum = 100_000.0 + realized[row] + unrealized[row] + flows[row] - commission[row];
        assert!((sum - value[row]).abs() < 1e-6, "row {row}: the parts are the whole");
    }
    for key in ["dividends", "cash_interest", "borrow_fees", "margin_interest", "funding"] {
        assert_eq!(number(&execution[key]), 0.0, "{key}");
    }
    assert_eq!([&execution["margin_calls"], &execution["daily_loss_stops"]], [&Value::from(0), &Value::from(0)]);
}

#[test]
fn features_are_named_by_their_parameters_and_dated_by_the_day() {
    let all = r#"
[features]
columns = [
    { simple_return = { bars = 1 } }, { log_return = { bars = 1 } }, { volatility = { bars = 20 } },
    { sma = { bars = 20 } }, { ema = { bars = 20 } }, { rsi = { bars = 14 } }, { rsi_cutler = { bars = 14 } },
    { macd = { fast = 12, slow = 26, signal = 9 } }, { bollinger = { bars = 20, width = 2.0 } },
    { atr = { bars = 14 } }, { volume_ratio = { bars = 20 } }, { log_return = { bars = 5, as = "week" } },
]
"#;
    let lab = Lab::with(&[HEAD, all, SMA_CROSS, ACCOUNT].concat());
    let document = lab.tidegate("features s.toml --out f.csv --json").json();
    assert_eq!((&document["path"], &document["rows"]), (&Value::from("f.csv"), &Value::from(BARS)));
    lab.tidegate("features s.toml --out f.parquet").done();
    let csv = String::from_utf8(lab.read("f.csv")).expect("text");
    let mut lines = csv.lines();
    let header = "time,symbol,simple_return_1,log_return_1,volatility_20,sma_20,ema_20,rsi_14,rsi_cutler_14,\
                  macd_12_26_9,macd_signal_12_26_9,macd_histogram_12_26_9,bollinger_upper_20_2,bollinger_middle_20_2,\
                  bollinger_lower_20_2,bollinger_percent_b_20_2,bollinger_bandwidth_20_2,atr_14,volume_ratio_20,week";
    assert_eq!(lines.next(), Some(header));
    assert_eq!(lines.next(), Some("2000-01-03,AAA,,,,,,,,,,,,,,,,,,"), "warm-up is empty, never a partial window");
    assert!(lines.next().is_some_and(|line| line.starts_with("2000-01-04,AAA,")));

    let (bars, features) = (lab.table("bars.csv"), lab.table("f.parquet"));
    let close = bars.floats("close").expect("numbers");
    let returns = features.optional_floats("simple_return_1").expect("numbers");
    assert_eq!(returns[0], None);
    for row in 1..BARS {
        let expected = close[row] / close[row - 1] - 1.0;
        assert!((returns[row].expect("after the warm-up") - expected).abs() < 1e-12, "row {row}");
    }
    let volatility = features.optional_floats("volatility_20").expect("numbers");
    assert_eq!(volatility.iter().position(Option::is_some), Some(20), "20 returns need 21 closes");
    let from_csv = lab.table("f.csv").optional_floats("rsi_14").expect("numbers");
    assert_eq!(from_csv, features.optional_floats("rsi_14").expect("numbers"), "both formats hold the same numbers");
}

#[test]
fn check_lists_the_folds_without_running() {
    let lab = Lab::with(&ridge());
    let text = lab.tidegate("check s.toml").done().stdout;
    assert!(text.contains("AAA: 500 bars, 2000-01-03 to 2001-11-30"), "{text}");
    assert!(text.contains("2 folds, 2 models to train"), "{text}");
    let document = lab.tidegate("check s.toml --json").json();
    let folds = document["folds"].as_array().expect("a list");
    let counts = |fold: &Value| {
        ["fold", "train_samples", "valid_samples", "test_samples", "purged"].map(|key| number(&fold[key]) as u64)
    };
    // Rows 0 to 9 lack volatility_10; a next-open label of one bar ends two bars on, so two rows of train and two of valid go.
    assert_eq!(counts(&folds[0]), [0, 200 - 10 - 2, 60 - 2, 120, 4]);
    assert_eq!(counts(&folds[1]), [1, 320 - 10 - 2, 60 - 2, 120, 4]);
    assert!(!lab.path("runs").exists(), "nothing was run");
}

#[test]
fn a_report_is_rendered_again_in_every_format() {
    let lab = Lab::with(&ridge());
    let shown = lab.tidegate("run s.toml --out run").done().stdout;
    let again = lab.tidegate("report run").done().stdout;
    assert_eq!(shown.trim_end(), format!("{}\nreport: run/report.html", again.trim_end()));
    lab.tidegate("report run --format html --out again.html").done();
    assert_eq!(lab.read("run/report.html"), lab.read("again.html"));
    let document = lab.tidegate("report run --json").json();
    assert_eq!(document, lab.json("run/report.json"));
    let csv = lab.tidegate("report run --format csv").done().stdout;
    let sharpe = number(&lab.json("run/metrics.json")["performance"]["sharpe_ratio"]);
    let line = csv.lines().find(|line| line.starts_with("sharpe_ratio,")).expect("the metric has a line");
    assert!(line.contains(&sharpe.to_string()), "{line} holds {sharpe}");
}

#[test]
fn the_report_page_needs_nothing_from_elsewhere() {
    let lab = Lab::with(&sma_cross());
    lab.tidegate("run s.toml --out run").done();
    let page = String::from_utf8(lab.read("run/report.html")).expect("text");
    for loader in [" src=\"http", " href=\"http", "url(http", "@import", "fetch("] {
        assert!(!page.contains(loader), "the page holds `{loader}`");
    }
}

#[test]
fn the_schema_is_json_with_every_table_and_no_room_for_other_keys() {
    let schema = Lab::new().tidegate("schema").json();
    let tables = keys(&schema["properties"]);
    for table in [
        "name",
        "seed",
        "data",
        "features",
        "target",
        "walk_forward",
        "model",
        "training",
        "forecasts",
        "strategy",
        "account",
        "execution",
        "risk",
        "sweep",
    ] {
        assert!(tables.contains(&table), "{table}");
    }
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
    let required: Vec<&str> = schema["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    for key in ["seed", "data", "strategy", "account", "execution"] {
        assert!(required.contains(&key), "{key}");
    }
}

#[test]
fn completions_name_the_commands() {
    let script = Lab::new().tidegate("completions bash").done().stdout;
    for command in [
        "run",
        "audit",
        "robustness",
        "check",
        "features",
        "train",
        "backtest",
        "sweep",
        "report",
        "explain",
        "metrics",
        "data",
        "schema",
    ] {
        assert!(script.contains(&format!("tidegate__subcmd__{command})")), "{command}");
    }
}

#[test]
fn results_go_to_stdout_and_the_rest_to_stderr() {
    let lab = Lab::with(&ridge());
    let loud = lab.tidegate("run s.toml --json --out loud").done();
    assert!(loud.stderr.contains("fitting yardsticks: 2 of 2"), "{}", loud.stderr);
    let quiet = lab.tidegate("run s.toml --json --quiet --out quiet").done();
    assert_eq!(quiet.stderr, "");
}

#[test]
fn help_and_version_are_no_mistakes_but_a_mistyped_command_is() {
    let lab = Lab::new();
    assert!(lab.tidegate("--version").done().stdout.starts_with("tidegate "));
    assert!(lab.tidegate("run --help").done().stdout.contains("STRATEGY.toml"));
    lab.tidegate("rum s.toml").refused(&["unrecognized subcommand 'rum'", "'run'"]);
    lab.tidegate("run s.toml --thread 2").refused(&["unexpected argument '--thread'", "'--threads'"]);
}
