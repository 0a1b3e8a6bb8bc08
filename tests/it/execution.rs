//! What a strategy file says about fills, costs, accounts and data reaches the result.

use serde_json::Value;
use tidegate_data::{SymbolBars, bars_table, resample_to};
use tidegate_experiment::{Computed, Dataset, ResolvedExperiment, RunOptions, SilentObserver, compute};
use tidegate_market::{BarColumns, Bars, Timestamp};

use crate::support::{HEAD, Lab, SMA_CROSS, simulated, simulated_every};

const BUY_AND_HOLD: &str = "[strategy.buy_and_hold]\n";

/// Money and fills without costs.
const FREE: &str = r#"
[account]
cash = 100000.0
[execution]
fill = "next_open"
commission = "none"
slippage = "none"
"#;

/// All the money in one position, to the last cent.
const TO_THE_LAST_CENT: &str = "sizing.at_fill = { budget_fraction = 1.0, fee_basis = \"fill\" }\n";

fn file(parts: &[&str]) -> String {
    parts.concat()
}

/// Runs a strategy file of the lab and returns its metrics.
fn metrics(lab: &Lab, text: &str) -> Value {
    lab.write("s.toml", text);
    lab.attempt("run", &[]).done();
    lab.json("run/metrics.json")
}

/// Runs a strategy file on the lab's data and returns everything that was computed.
fn computed(lab: &Lab, text: &str) -> Computed {
    lab.write("s.toml", text);
    let source = tidegate_experiment::ConfigSource::read(&lab.path("s.toml")).expect("it was just written");
    let experiment = ResolvedExperiment::from_source(&source).unwrap_or_else(|error| panic!("{error}"));
    let dataset = Dataset::load(&experiment.data).unwrap_or_else(|error| panic!("{error}"));
    compute(&experiment, dataset, &RunOptions::fresh("unused"), &SilentObserver)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn total_return(metrics: &Value) -> f64 {
    metrics["performance"]["total_return"].as_f64().expect("a number")
}

#[track_caller]
fn close(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * a.abs().max(b.abs()), "{a} and {b} differ");
}

/// Divides prices from a row on by a ratio, as a split would.
fn split_from(symbol: &SymbolBars, row: usize, ratio: f64) -> SymbolBars {
    let mut columns: BarColumns = symbol.bars.columns().clone();
    for column in [&mut columns.open, &mut columns.high, &mut columns.low, &mut columns.close] {
        column[row..].iter_mut().for_each(|price| *price /= ratio);
    }
    columns.volume[row..].iter_mut().for_each(|volume| *volume *= ratio);
    let bars = Bars::new(columns, symbol.bars.label(), symbol.bars.interval()).expect("sane bars");
    SymbolBars::new(symbol.symbol.clone(), bars)
}

#[test]
fn a_split_as_an_event_changes_nothing_but_units() {
    let lab = Lab::new();
    let whole = metrics(&lab, &file(&[HEAD, SMA_CROSS, FREE]));
    let split: Vec<SymbolBars> = simulated(crate::support::BARS, 3).iter().map(|s| split_from(s, 200, 4.0)).collect();
    let date = split[0].bars.time()[200];
    bars_table(&split).write(&lab.path("bars.csv")).expect("the folder is writable");
    lab.write("events.csv", &format!("symbol,time,kind,value\nAAA,{date},split,4\n"));
    let events = "[data.corporate_actions]\nsignals = \"split\"\npath = \"events.csv\"\n";
    let through = metrics(&lab, &file(&[HEAD, SMA_CROSS, FREE, events]));
    close(total_return(&through), total_return(&whole));
    close(
        through["benchmark"]["total_return"].as_f64().expect("a number"),
        whole["benchmark"]["total_return"].as_f64().expect("a number"),
    );
    assert_eq!(through["execution"]["fills"], whole["execution"]["fills"]);
    let unseen = metrics(&lab, &file(&[HEAD, SMA_CROSS, FREE]));
    assert!((total_return(&unseen) - total_return(&whole)).abs() > 0.1, "without its event a split looks like a crash");
}

#[test]
fn forecasts_are_made_from_adjusted_prices_and_traded_at_raw_ones() {
    let lab = Lab::new();
    let text = file(&[HEAD, crate::support::LEARNING, crate::support::RIDGE, crate::support::BY_SIGN, FREE]);
    let whole = computed(&lab, &text);
    // In the middle of the second test block, so that the market that is traded begins before it.
    let split: Vec<SymbolBars> = simulated(crate::support::BARS, 3).iter().map(|s| split_from(s, 420, 4.0)).collect();
    let date = split[0].bars.time()[420];
    bars_table(&split).write(&lab.path("bars.csv")).expect("the folder is writable");
    lab.write("events.csv", &format!("symbol,time,kind,value\nAAA,{date},split,4\n"));
    let through =
        computed(&lab, &format!("{text}[data.corporate_actions]\nsignals = \"split\"\npath = \"events.csv\"\n"));
    assert_eq!(through.forecasts.len(), whole.forecasts.len());
    // Four is a power of two, so that adjusted prices have the very bits of those that were never split.
    assert!(through.forecasts.iter().zip(&whole.forecasts).all(|(a, b)| a.mean.to_bits() == b.mean.to_bits()));
    let price = |computed: &Computed| computed.journal.fills.last().expect("it traded").price.0;
    close(price(&through) * 4.0, price(&whole));
    close(total_return(&through.measured.to_json(None)), total_return(&whole.measured.to_json(None)));
}

#[test]
fn a_currency_that_doubles_doubles_the_money() {
    let lab = Lab::new();
    let own = metrics(&lab, &file(&[HEAD, BUY_AND_HOLD, FREE, TO_THE_LAST_CENT]));
    lab.write("eur.csv", "time,rate\n1999-12-01,1.25\n2000-06-01,2.5\n");
    let euros = "[instruments.AAA]\ncurrency = \"EUR\"\n[data.fx.EUR]\npath = \"eur.csv\"\n";
    let converted = metrics(&lab, &file(&[HEAD, BUY_AND_HOLD, FREE, TO_THE_LAST_CENT, euros]));
    close(1.0 + total_return(&converted), 2.0 * (1.0 + total_return(&own)));
    lab.write("eur.csv", "time,rate\n2000-06-01,2.5\n");
    lab.attempt("run", &[]).refused(&["an exchange rate for `AAA` must be known at its first close"]);
}

#[test]
fn funding_is_paid_by_who_is_long() {
    let lab = Lab::new();
    // One payment of a tenth of the value, after the first fill.
    lab.write("funding.csv", "time,rate\n2000-03-01,0.1\n");
    let funding = "[instruments.AAA]\nfunding.path = \"funding.csv\"\n";
    let run = computed(&lab, &file(&[HEAD, BUY_AND_HOLD, FREE, TO_THE_LAST_CENT, funding]));
    let [flow] = &run.journal.cash_flows[..] else { panic!("{:?}", run.journal.cash_flows) };
    // The date is known when its day ends; what counts is what was held and worth at the close before.
    assert_eq!(flow.time.to_string(), "2000-03-01");
    let row = run.journal.equity.time().partition_point(|time| *time < flow.time);
    close(flow.amount.0, -0.1 * run.journal.equity.equity()[row - 1]);
}

#[test]
fn finer_bars_settle_what_a_daily_bar_leaves_open() {
    let lab = Lab::new();
    let minutes = simulated_every("1h", 24 * 60);
    let daily = |symbol: &SymbolBars| {
        SymbolBars::new(
            symbol.symbol.clone(),
            resample_to(&symbol.bars, "1d".parse().expect("a day")).expect("hours fit"),
        )
    };
    bars_table(&minutes).write(&lab.path("fine.csv")).expect("the folder is writable");
    bars_table(&minutes.iter().map(daily).collect::<Vec<_>>()).write(&lab.path("bars.csv")).expect("writable");
    let rules = "[strategy.rules]\nentry = \"close > 0\"\nstop = \"close * 0.995\"\ntarget = \"close * 1.005\"\nsize.weight = 1.0\n";
    let head = HEAD.replace("timestamp = \"open\"", "timestamp = \"close\"");
    let ambiguous = |detail: &str| {
        let metrics = metrics(&lab, &file(&[&head, rules, FREE, detail]));
        metrics["execution"]["ambiguous_bars"].as_u64().expect("a count")
    };
    let detail = "detail = { path = \"fine.csv\", interval = \"1h\", timestamp = \"open\" }\n";
    let (coarse, fine) = (ambiguous(""), ambiguous(detail));
    assert!(coarse > 3 * fine, "{coarse} bars are ambiguous without finer ones, {fine} with them");
    lab.attempt("check", &["execution.detail.interval=30m"])
        .refused(&["execution.detail.interval must be that of the bars, was `30m`"]);
}

#[test]
fn nothing_is_held_overnight_with_a_session_exit() {
    let lab = Lab::new();
    bars_table(&simulated_every("1h", 24 * 40)).write(&lab.path("bars.csv")).expect("the folder is writable");
    let head = HEAD.replace("interval = \"1d\"", "interval = \"1h\"");
    let session =
        "session_exit = true\n[data.session]\ntime_zone = \"America/New_York\"\nopen = \"10:00\"\nclose = \"16:00\"\n";
    let run = computed(&lab, &file(&[&head, SMA_CROSS, FREE, session]));
    assert!(run.dataset.bars[0].len() < 24 * 40 / 3, "bars outside the session are left out");
    let trades = &run.journal.trades;
    assert!(trades.len() > 3, "only {} trades", trades.len());
    let day = |time: Timestamp| time.to_string()[..10].to_owned();
    assert!(trades.iter().all(|trade| day(trade.entry_time) == day(trade.exit_time)));
}

#[test]
fn a_profile_is_named_and_written_out() {
    let lab = Lab::new();
    let text = file(&[HEAD, SMA_CROSS, "[account]\ncash = 100000.0\n[execution]\nprofile = \"zipline\"\n"]);
    let found = metrics(&lab, &text);
    assert_eq!(
        (&found["execution"]["profile"], &found["execution"]["fill"]),
        (&"zipline".into(), &"next_close".into())
    );
    let written = String::from_utf8(lab.read("run/config.toml")).expect("text");
    for key in ["profile = \"zipline\"", "fill = \"next_close\"", "volume_share_max = 0.1", "lot_size = 1.0"] {
        assert!(written.contains(key), "{key} is not in {written}");
    }
    let notes = lab.json("run/report.json")["notes"].to_string();
    assert!(notes.contains("the unmodified defaults of the profile `zipline`"), "{notes}");
    let quantities = lab.table("run/trades.parquet").floats("quantity").expect("numbers");
    assert!(!quantities.is_empty() && quantities.iter().all(|quantity| quantity.fract() == 0.0), "{quantities:?}");
    // The folder's own config is the run again.
    let first = lab.json("run/metrics.json");
    assert_eq!(metrics(&lab, &written), first);
}

#[test]
fn the_risk_free_rate_lowers_the_sharpe_ratio() {
    let lab = Lab::new();
    let sharpe = |metrics: &Value| metrics["performance"]["sharpe_ratio"].as_f64().expect("a number");
    let without = metrics(&lab, &file(&[HEAD, BUY_AND_HOLD, FREE]));
    let with = metrics(&lab, &file(&[HEAD, BUY_AND_HOLD, FREE, "[metrics]\nrisk_free_rate = 0.04\n"]));
    // (mean - rate) / sd is the ratio less rate / sd, and the volatility is that sd in the same unit.
    let volatility = without["performance"]["volatility"].as_f64().expect("a number");
    close(sharpe(&with), sharpe(&without) - 0.04 / volatility);
    assert_eq!(with["execution"]["risk_free_rate"], 0.04);
}

#[test]
fn portfolios_are_brought_back_to_their_weights() {
    let lab = Lab::new();
    let head = HEAD.replace(r#"["AAA"]"#, r#"["AAA", "BBB"]"#);
    let rebalance = "rebalance = { schedule = \"month_end\", tolerance = 0.0 }\n";
    let equal = file(&[&head, "[strategy.fixed_weights]\nweights = \"equal\"\n", rebalance, FREE]);
    let stated = equal.replace("\"equal\"\n", "{ by_symbol = { BBB = 0.5, AAA = 0.5 } }\n");
    assert_eq!(metrics(&lab, &equal), metrics(&lab, &stated));
    let months = metrics(&lab, &equal)["execution"]["fills"].as_u64().expect("a count");
    // 500 sessions are 23 month ends and the first close.
    assert!((40..=2 * 24).contains(&months), "{months}");
    let risk = file(&[&head, "[strategy.equal_risk_contribution]\nlookback_bars = 60\n", rebalance, FREE]);
    assert!(metrics(&lab, &risk)["execution"]["fills"].as_u64().is_some_and(|fills| fills > 10));
    let weekly = risk.replace("\"month_end\"", "\"weekly\"");
    assert!(metrics(&lab, &weekly)["execution"]["fills"].as_u64().is_some_and(|fills| fills > 100));
}

#[test]
fn interest_is_charged_and_accounts_are_bounded() {
    let lab = Lab::new();
    let all_in = metrics(&lab, &file(&[HEAD, BUY_AND_HOLD, FREE, "[risk]\ngross_leverage_max = 1.0\n"]));
    let account = |keys: &str| FREE.replace("cash = 100000.0", &format!("cash = 100000.0\n{keys}"));
    let twice = "[strategy.fixed_weights]\nweights.by_symbol = { AAA = 2.0 }\nrebalance = { schedule.every_bars = 1000, tolerance = 0.0 }\n";
    let lent = computed(&lab, &file(&[HEAD, twice, &account("")]));
    let cost = computed(
        &lab,
        &file(&[HEAD, twice, &account("financing = { borrow_rate = 0.0, margin_rate = 0.1, cash_rate = 0.0 }")]),
    );
    let end = |run: &Computed| run.journal.final_equity().0;
    assert!(end(&cost) < end(&lent), "borrowed money costs something");
    assert!(!cost.journal.cash_flows.is_empty());
    let cash = metrics(&lab, &file(&[HEAD, twice, &account("kind.cash = {}")]));
    close(total_return(&cash), total_return(&all_in));
    let margin = metrics(&lab, &file(&[HEAD, twice, &account("kind.margin = { initial = 0.5, maintenance = 0.25 }")]));
    close(total_return(&margin), 2.0 * total_return(&all_in));
}
