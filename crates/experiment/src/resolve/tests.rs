//! Every key of the account, its instruments and its execution, from text to what the engine is given.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;

use tidegate_backtest::{
    AccountKind, BacktestConfig, BracketLegs, Commission, CommissionTier, DataEnd, FeeBasis, FillOrder, FillTiming,
    Financing, Latency, LimitFill, PathModel, RiskLimits, Shortfall, Slippage, SlippageScope, TargetSizing,
};
use tidegate_data::SignalAdjustment;
use tidegate_market::{Bps, Cash, Instrument, Price};

use super::{RateFiles, ResolvedExperiment};
use crate::config::{ConfigSource, ExperimentConfig};

const HEAD: &str = r#"
name = "Fixture"
seed = 7
strategy.buy_and_hold = {}

[data]
path = "bars.csv"
symbols = ["AAA", "BRK.B"]
interval = "1d"
timestamp = "open"
calendar = "sessions"
adjustment = "raw"
"#;

/// Everything that has no default.
const PLAIN: &str = r#"
[account]
cash = 1000.0
[execution]
fill = "next_open"
commission = "none"
slippage = "none"
"#;

fn source(tables: &str) -> ConfigSource {
    ConfigSource::from_text(Path::new("folder/s.toml"), format!("{HEAD}{tables}"))
}

#[track_caller]
fn resolved(tables: &str) -> ResolvedExperiment {
    ResolvedExperiment::from_source(&source(tables)).unwrap_or_else(|error| panic!("{error}"))
}

/// Resolves an `[execution]` with these keys beside the three that have no default; a key here replaces one of them.
#[track_caller]
fn execution(keys: &str) -> BacktestConfig {
    let is_replaced = |line: &&str| {
        let key = line.split(['.', ' ']).next().unwrap_or_default();
        !line.starts_with('[') && keys.lines().any(|own| own.split(['.', ' ']).next() == Some(key))
    };
    let kept: Vec<&str> = PLAIN.lines().filter(|line| !is_replaced(line)).collect();
    resolved(&format!("{}\n{keys}\n", kept.join("\n"))).backtest
}

#[track_caller]
fn refused(tables: &str, message: &str) {
    let error = ResolvedExperiment::from_source(&source(tables)).expect_err(message).to_string();
    assert!(error.contains(message), "`{message}` is not in: {error}");
}

fn plain() -> BacktestConfig {
    BacktestConfig::frictionless(Cash(1_000.0), FillTiming::NextOpen)
}

#[test]
fn without_optional_keys_the_engine_is_plain() {
    assert_eq!(resolved(PLAIN).backtest, plain());
    assert_eq!(resolved(PLAIN).instruments, ["AAA", "BRK.B"].map(Instrument::fractional));
}

#[test]
fn every_fill_is_read() {
    for (name, fill) in [
        ("next_open", FillTiming::NextOpen),
        ("next_close", FillTiming::NextClose),
        ("same_close", FillTiming::SameClose),
        ("same_close_booked_next", FillTiming::SameCloseBookedNext),
    ] {
        assert_eq!(execution(&format!("fill = \"{name}\"")), BacktestConfig { fill, ..plain() });
    }
}

#[test]
fn every_rule_of_fills_is_read() {
    let cases = [
        ("path = \"nearest_extreme\"", BacktestConfig { path: PathModel::NearestExtreme, ..plain() }),
        ("path = \"close_only\"", BacktestConfig { path: PathModel::CloseOnly, ..plain() }),
        ("path = \"pessimistic\"", plain()),
        ("bracket_legs = \"next_bar\"", BacktestConfig { bracket_legs: BracketLegs::NextBar, ..plain() }),
        (
            "bracket_legs = \"with_market_entry\"",
            BacktestConfig { bracket_legs: BracketLegs::WithMarketEntry, ..plain() },
        ),
        ("bracket_legs = \"with_entry\"", plain()),
        ("fill_order = \"oldest_first\"", BacktestConfig { fill_order: FillOrder::OldestFirst, ..plain() }),
        ("fill_order = \"reducing_first\"", plain()),
        ("shortfall = \"drop\"", BacktestConfig { shortfall: Shortfall::Drop, ..plain() }),
        ("shortfall = \"trim\"", plain()),
        ("limit_fill = \"penetrate\"", BacktestConfig { limit_fill: LimitFill::Penetrate, ..plain() }),
        ("limit_fill = \"touch\"", plain()),
        ("latency.bars = 2", BacktestConfig { latency: Latency::Bars(NonZeroU32::new(2).expect("two")), ..plain() }),
        ("latency.time = \"5s\"", BacktestConfig { latency: Latency::Nanos(5_000_000_000), ..plain() }),
        ("volume_share_max = 0.1", BacktestConfig { volume_share_max: Some(0.1), ..plain() }),
        ("data_end = \"close\"", BacktestConfig { data_end: DataEnd::Close, ..plain() }),
        ("data_end = \"keep\"", plain()),
        ("slippage_scope = \"entries\"", BacktestConfig { slippage_scope: SlippageScope::Entries, ..plain() }),
        ("slippage_scope = \"every\"", BacktestConfig { slippage_scope: SlippageScope::Every, ..plain() }),
        ("slippage_scope = \"market\"", BacktestConfig { slippage_scope: SlippageScope::Market, ..plain() }),
        ("slippage_scope = \"all\"", plain()),
        (
            "sizing.at_decision = { cash_buffer = 0.01, fees_included = true }",
            BacktestConfig { sizing: TargetSizing::AtDecision { cash_buffer: 0.01, fees_included: true }, ..plain() },
        ),
        (
            "sizing.at_fill = { budget_fraction = 0.9, fee_basis = \"fill\" }",
            BacktestConfig {
                sizing: TargetSizing::AtFill { budget_fraction: 0.9, fee_basis: FeeBasis::Fill },
                ..plain()
            },
        ),
    ];
    for (keys, expected) in cases {
        assert_eq!(execution(keys), expected, "{keys}");
    }
}

#[test]
fn every_commission_is_read() {
    let tier = |from_value, bps| CommissionTier { from_value, bps: Bps(bps) };
    let cases = [
        ("commission.bps = 5.0", Commission::Bps(Bps(5.0))),
        ("commission.fixed = 2.5", Commission::Fixed(Cash(2.5))),
        (
            "commission.fixed_plus_bps = { fixed = 2.5, bps = 10.0 }",
            Commission::FixedPlusBps { fixed: Cash(2.5), bps: Bps(10.0) },
        ),
        (
            "commission.per_share = { rate = 0.005, minimum = 1.0 }",
            Commission::PerShare { per_share: 0.005, minimum: 1.0, maximum_fraction: None },
        ),
        (
            "commission.per_share = { rate = 0.005, minimum = 1.0, maximum_fraction = 0.01 }",
            Commission::PerShare { per_share: 0.005, minimum: 1.0, maximum_fraction: Some(0.01) },
        ),
        (
            "commission.tiered = [{ from_value = 0.0, bps = 5.0 }, { from_value = 1e6, bps = 3.0 }]",
            Commission::Tiered([tier(0.0, 5.0), tier(1e6, 3.0)].into()),
        ),
        (
            "commission.maker_taker = { maker_bps = -0.5, taker_bps = 4.0 }",
            Commission::MakerTaker { maker: Bps(-0.5), taker: Bps(4.0) },
        ),
    ];
    for (keys, commission) in cases {
        assert_eq!(execution(keys), BacktestConfig { commission, ..plain() }, "{keys}");
    }
}

#[test]
fn every_slippage_is_read() {
    let lookback_bars = NonZeroUsize::new(20).expect("above zero");
    let cases = [
        ("slippage.bps = 5.0", Slippage::Bps(Bps(5.0))),
        ("slippage.half_spread = 0.01", Slippage::HalfSpread(Price(0.01))),
        (
            "slippage.volume_share = { impact = 0.1, share_max = 0.025 }",
            Slippage::VolumeShare { impact: 0.1, share_max: 0.025 },
        ),
        (
            "slippage.square_root_impact = { coefficient = 1.0, lookback_bars = 20 }",
            Slippage::SquareRootImpact { coefficient: 1.0, lookback_bars },
        ),
        (
            "slippage.ticks = 2.0\n[instruments.AAA]\ntick_size = 0.01\n[instruments.\"BRK.B\"]\ntick_size = 0.01",
            Slippage::Ticks(2.0),
        ),
    ];
    for (keys, slippage) in cases {
        assert_eq!(execution(keys), BacktestConfig { slippage, ..plain() }, "{keys}");
    }
}

#[test]
fn an_account_lends_what_it_says_at_its_rates() {
    let account = |keys: &str| resolved(&PLAIN.replace("cash = 1000.0", &format!("cash = 1000.0\n{keys}"))).backtest;
    assert_eq!(account("kind.cash = {}"), BacktestConfig { account: AccountKind::Cash, ..plain() });
    let shorts = BacktestConfig { account: AccountKind::CashAndShorts, ..plain() };
    assert_eq!(account("kind.cash_and_shorts = {}"), shorts);
    let margin = AccountKind::Margin { initial: 0.5, maintenance: 0.25 };
    assert_eq!(
        account("kind.margin = { initial = 0.5, maintenance = 0.25 }"),
        BacktestConfig { account: margin, ..plain() }
    );
    let financing = Financing { borrow_rate: 0.03, margin_rate: 0.06, cash_rate: 0.02 };
    assert_eq!(
        account("financing = { borrow_rate = 0.03, margin_rate = 0.06, cash_rate = 0.02 }"),
        BacktestConfig { financing, ..plain() }
    );
}

#[test]
fn every_limit_is_read() {
    let risk = "
        [risk]
        gross_leverage_max = 2.0
        net_leverage_max = 1.0
        weight_max = 0.1
        group_weight_max = 0.3
        daily_turnover_max = 0.5
        positions_max = 50
        drawdown_stop = 0.25
        daily_loss_stop = 0.05
        losing_trades_stop = 7
        [instruments.AAA]
        group = \"banks\"
    ";
    let limits = RiskLimits {
        gross_leverage_max: Some(2.0),
        net_leverage_max: Some(1.0),
        weight_max: Some(0.1),
        group_weight_max: Some(0.3),
        daily_turnover_max: Some(0.5),
        positions_max: Some(50),
        drawdown_stop: Some(0.25),
        daily_loss_stop: Some(0.05),
        losing_trades_stop: Some(7),
    };
    assert_eq!(resolved(&format!("{PLAIN}{risk}")).backtest, BacktestConfig { limits, ..plain() });
}

#[test]
fn an_instrument_has_its_own_lot_or_that_of_the_account() {
    let tables = PLAIN.replace("cash = 1000.0", "cash = 1000.0\nlot_size = 100.0\ncurrency = \"USD\"")
        + "
        [data.fx.EUR]
        path = \"eurusd.csv\"
        [instruments.\"BRK.B\"]
        lot_size = 1.0
        tick_size = 0.05
        multiplier = 50.0
        group = \"banks\"
        currency = \"EUR\"
        funding.path = \"funding.csv\"
        [instruments.AAA]
        currency = \"USD\"
        ";
    let experiment = resolved(&tables);
    let own = Instrument {
        symbol: "BRK.B".to_owned(),
        lot_size: Some(1.0),
        tick_size: Some(0.05),
        multiplier: 50.0,
        group: Some("banks".to_owned()),
    };
    assert_eq!(experiment.instruments, [Instrument { lot_size: Some(100.0), ..Instrument::fractional("AAA") }, own]);
    let rates = RateFiles { fx: Some("folder/eurusd.csv".into()), funding: Some("folder/funding.csv".into()) };
    assert_eq!(experiment.data.rates, [RateFiles::default(), rates]);
}

#[test]
fn data_has_hours_events_and_finer_bars() {
    let tables = format!(
        "{PLAIN}
        session_exit = true
        [execution.detail]
        path = \"fine/*.csv\"
        interval = \"5m\"
        timestamp = \"close\"
        [data.corporate_actions]
        signals = \"total_return\"
        path = \"events.csv\"
        [data.session]
        time_zone = \"America/New_York\"
        open = \"09:30\"
        close = \"16:00\"
        holidays = [\"2018-12-25\"]
        early_closes = {{ \"2018-11-23\" = \"13:00\" }}
        "
    );
    let mut source = source(&tables);
    source.push_override("data.time_zone=America/New_York");
    source.push_override("data.interval=1h");
    let experiment = ResolvedExperiment::from_source(&source).unwrap_or_else(|error| panic!("{error}"));
    assert!(experiment.backtest.session_exit);
    let data = &experiment.data;
    assert_eq!(data.time_zone.map(|zone| zone.to_string()), Some("America/New_York".to_owned()));
    assert_eq!(data.session, experiment.config.data.session);
    let actions = data.corporate_actions.as_ref().expect("events");
    assert_eq!(actions.signals, Some(SignalAdjustment::TotalReturn));
    assert_eq!(actions.path.as_deref(), Some(Path::new("folder/events.csv")));
    let detail = data.detail.as_ref().expect("finer bars");
    assert_eq!((detail.paths.len(), detail.interval.to_string().as_str()), (1, "5m"));
    assert_eq!(detail.label, tidegate_market::BarLabel::Close);
}

#[test]
fn the_config_of_a_run_means_the_same_when_it_is_read_again() {
    for tables in [
        "[account]\ncash = 1000.0\n[execution]\nprofile = \"zipline\"\n",
        "[account]\ncash = 1000.0\n[execution]\nprofile = \"lean\"\nlatency.time = \"90m\"\n",
        &format!(
            "{PLAIN}[instruments.\"BRK.B\"]\nlot_size = 2.0\n[data.session]\ntime_zone = \"UTC\"\nopen = \"09:30\"\nclose = \"16:00\"\nearly_closes = {{ \"2018-11-23\" = \"13:00\" }}\n"
        ),
    ] {
        let first = resolved(tables);
        let written = toml::to_string(&first.config).expect("a config is TOML");
        let config: ExperimentConfig = toml::from_str(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert_eq!(config, first.config);
        let source = ConfigSource::from_text(Path::new("folder/s.toml"), written);
        let again = ResolvedExperiment::from_source(&source).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((again.backtest, again.config_hash), (first.backtest, first.config_hash));
    }
}

#[test]
fn a_number_out_of_range_is_refused_with_its_range() {
    let cases = [
        ("volume_share_max = 1.5", "execution.volume_share_max: must be in (0, 1], was `1.5`"),
        ("latency.time = \"0s\"", "must be a time above zero such as `250ms`, `5s`, `10m`, `1h` or `1d`, was `0s`"),
        ("latency.bars = 0", "expected a nonzero u32"),
        ("sizing.at_decision = { cash_buffer = 1.0, fees_included = true }", "cash_buffer: must be in [0, 1), was `1`"),
        (
            "sizing.at_fill = { budget_fraction = 0.0, fee_basis = \"fill\" }",
            "budget_fraction: must be in (0, 1], was `0`",
        ),
        ("session_exit = true", "execution.session_exit: needs `[data.session]`, which is missing"),
        (
            "session_exit = true\n[data.session]\ntime_zone = \"UTC\"\nopen = \"09:00\"\nclose = \"17:00\"",
            "execution.session_exit: needs bars shorter than a day, `data.interval` is `1d`",
        ),
        (
            "detail = { path = \"f.csv\", interval = \"1d\" }",
            "execution.detail.interval: must be shorter than `data.interval`, which is `1d`, was `1d`",
        ),
        ("[risk]\nnet_leverage_max = 0.0", "risk.net_leverage_max: must be finite and above 0, was `0`"),
        ("[risk]\ndaily_loss_stop = 1.0", "risk.daily_loss_stop: must be in (0, 1), was `1`"),
        ("[risk]\nlosing_trades_stop = 0", "risk.losing_trades_stop: must be at least 1, was `0`"),
        ("[risk]\ngroup_weight_max = 0.5", "risk.group_weight_max: needs instruments in groups"),
        ("[instruments.AAA]\nmultiplier = -1.0", "instruments.AAA.multiplier: must be in [1e-9, 1e9], was `-1`"),
        ("[instruments.AAA]\ngroup = \"\"", "instruments.AAA.group: must be a name, was empty"),
        ("[metrics]\nrisk_free_rate = -1.0", "metrics.risk_free_rate: must be finite and above -1, was `-1`"),
    ];
    for (keys, message) in cases {
        refused(&format!("{PLAIN}{keys}\n"), message);
    }
    let costs = [
        (
            "commission.fixed_plus_bps = { fixed = 1.0, bps = -1.0 }",
            "execution.commission.fixed_plus_bps.bps: must be in [0, 9999], was `-1`",
        ),
        ("commission.fixed = -1.0", "execution.commission.fixed: must be in [0, 1000000000000000], was `-1`"),
        (
            "commission.per_share = { rate = 0.1, minimum = 0.0, maximum_fraction = 2.0 }",
            "execution.commission.per_share.maximum_fraction: must be in (0, 1], was `2`",
        ),
        ("commission.tiered = []", "execution.commission.tiered: must be at least 1, was `0`"),
        (
            "commission.tiered = [{ from_value = 1.0, bps = 1.0 }]",
            "tiered[0].from_value: must be 0 in the first tier, was `1`",
        ),
        (
            "commission.tiered = [{ from_value = 0.0, bps = 1.0 }, { from_value = 0.0, bps = 2.0 }]",
            "tiered[1].from_value: must be finite and above that of the tier before, which is `0`, was `0`",
        ),
        (
            "commission.maker_taker = { maker_bps = -1e4, taker_bps = 1.0 }",
            "maker_taker.maker_bps: must be in [-9999, 9999], was `-10000`",
        ),
    ];
    for (key, message) in costs {
        refused(&PLAIN.replace("commission = \"none\"", key), message);
    }
    let slippages = [
        (
            "slippage.half_spread = -0.01",
            "execution.slippage.half_spread: must be in [0, 1000000000000000], was `-0.01`",
        ),
        (
            "slippage.volume_share = { impact = 0.1, share_max = 0.0 }",
            "execution.slippage.volume_share.share_max: must be in (0, 1], was `0`",
        ),
        (
            "slippage.square_root_impact = { coefficient = 1.0, lookback_bars = 1 }",
            "square_root_impact.lookback_bars: must be at least 2, was `1`",
        ),
        ("slippage.ticks = 1.0", "hint: state `tick_size` in `[instruments.AAA]`"),
    ];
    for (key, message) in slippages {
        refused(&PLAIN.replace("slippage = \"none\"", key), message);
    }
    let accounts = [
        ("kind.margin = { initial = 0.0, maintenance = 0.0 }", "margin.initial: must be in (0, 1], was `0`"),
        (
            "kind.margin = { initial = 0.25, maintenance = 0.5 }",
            "account.kind.margin.maintenance: must be above 0 and at most `initial`, which is `0.25`, was `0.5`",
        ),
        (
            "financing = { borrow_rate = -0.01, margin_rate = 0.0, cash_rate = 0.0 }",
            "account.financing.borrow_rate: must be in [0, 10], was `-0.01`",
        ),
    ];
    for (key, message) in accounts {
        refused(&PLAIN.replace("cash = 1000.0", &format!("cash = 1000.0\n{key}")), message);
    }
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    refused(
        &PLAIN.replace("\"next_open\"", "\"same_close\"\nlatency.bars = 1"),
        "execution.latency: must be absent where orders fill at the close of their decision",
    );
    refused(
        &format!("{PLAIN}[instruments.BRKB]\nlot_size = 1.0\n"),
        "instruments.BRKB: must be one of `data.symbols`, was `BRKB`",
    );
    refused(&format!("{PLAIN}[instruments.BRKB]\n"), "hint: did you mean `BRK.B`?");
    let euros = "[instruments.AAA]\ncurrency = \"EUR\"\n";
    refused(&format!("{PLAIN}{euros}"), "needs exchange rates in `[data.fx.EUR]`, which is missing");
    refused(&format!("{PLAIN}{euros}"), "hint: if it is the account's own, state `account.currency = \"EUR\"`");
    refused(&format!("{PLAIN}{euros}[data.fx.EURO]\npath = \"f.csv\"\n"), "hint: did you mean `EURO`?");
    let adjusted = |tables: &str| {
        let text = format!("{HEAD}{tables}").replace("\"raw\"", "\"total_return\"");
        let source = ConfigSource::from_text(Path::new("s.toml"), text);
        ResolvedExperiment::from_source(&source).expect_err("adjusted prices").to_string()
    };
    let events = adjusted(&format!("{PLAIN}[data.corporate_actions]\nsignals = \"split\"\n"));
    assert!(events.contains("data.adjustment: must be `raw` beside `[data.corporate_actions]`"), "{events}");
    let lots = adjusted(&PLAIN.replace("cash = 1000.0", "cash = 1000.0\nlot_size = 1.0"));
    assert!(lots.contains("data.adjustment: must be `raw` for costs per unit or tick"), "{lots}");
    let mut raw = source(PLAIN);
    raw.push_override("data.factor_files=factors");
    let error = ResolvedExperiment::from_source(&raw).expect_err("raw prices").to_string();
    assert!(error.contains("data.factor_files: needs `adjustment` to be `split` or `total_return`"), "{error}");
}

#[test]
fn weights_are_of_the_symbols_and_every_symbol_has_one() {
    let fixed = |weights: &str| {
        let strategy = format!(
            "strategy.fixed_weights = {{ weights{weights}, rebalance = {{ schedule = \"month_end\", tolerance = 0.0 }} }}"
        );
        let text = format!("{HEAD}{PLAIN}").replace("strategy.buy_and_hold = {}", &strategy);
        ResolvedExperiment::from_source(&ConfigSource::from_text(Path::new("s.toml"), text))
    };
    fixed(" = \"equal\"").expect("equal weights");
    fixed(".by_symbol = { AAA = 0.6, \"BRK.B\" = -0.2 }").expect("a weight each");
    let error = |weights: &str| fixed(weights).expect_err(weights).to_string();
    let missing = error(".by_symbol = { AAA = 0.6 }");
    assert!(missing.contains("must have a weight for every symbol, `BRK.B` has none"), "{missing}");
    let unknown = error(".by_symbol = { AAA = 0.6, BRKB = 0.4 }");
    assert!(unknown.contains("must be one of `data.symbols`, was `BRKB`"), "{unknown}");
    assert!(unknown.contains("hint: did you mean `BRK.B`?"), "{unknown}");
    let endless = error(".by_symbol = { AAA = inf, \"BRK.B\" = 0.4 }");
    assert!(endless.contains("by_symbol.AAA: must be finite, was `inf`"), "{endless}");
}

#[test]
fn a_schedule_is_one_of_its_kinds() {
    let rotation = |rebalance: &str| {
        let strategy =
            format!("strategy.momentum_rotation = {{ lookback_bars = 5, top = 1, rebalance = {{ {rebalance} }} }}");
        let text = format!("{HEAD}{PLAIN}").replace("strategy.buy_and_hold = {}", &strategy);
        ResolvedExperiment::from_source(&ConfigSource::from_text(Path::new("s.toml"), text)).map_err(|e| e.to_string())
    };
    for schedule in ["daily", "weekly", "month_end", "quarter_end", "year_end"] {
        rotation(&format!("schedule = \"{schedule}\", tolerance = 0.01")).expect(schedule);
    }
    rotation("schedule.every_bars = 21, tolerance = 0.0").expect("bars");
    let error = rotation("schedule = \"monthly\", tolerance = 0.0").expect_err("unknown");
    assert!(error.contains("unknown variant `monthly`, expected one of `every_bars`, `daily`, `weekly`"), "{error}");
    let error = rotation("schedule = \"daily\", tolerance = -0.1").expect_err("below zero");
    assert!(error.contains("rebalance.tolerance: must be finite and at least 0, was `-0.1`"), "{error}");
}

#[test]
fn the_risk_free_rate_is_that_of_the_metrics() {
    assert_eq!(resolved(PLAIN).metrics.risk_free_annual, 0.0);
    assert_eq!(resolved(&format!("{PLAIN}[metrics]\nrisk_free_rate = 0.02\n")).metrics.risk_free_annual, 0.02);
}
