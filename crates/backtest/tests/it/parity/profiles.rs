//! What the profiles resolve to: the config and the instrument that make this engine fill as another one does.

use serde_json::Value;
use tidegate_backtest::{
    AccountKind, BacktestConfig, BracketLegs, Commission, DataEnd, FeeBasis, FillOrder, FillTiming, PathModel,
    RiskLimits, Shortfall, Slippage, SlippageScope, TargetSizing,
};
use tidegate_market::{Bps, Cash};

use super::vectors::Run;

/// The account's and the instrument's part of a profile.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) config: BacktestConfig,
    pub(crate) lot: Option<f64>,
}

/// Returns the profile of a run's engine with the run's costs and cash.
pub(crate) fn of(run: &Run) -> Profile {
    match run.engine.as_str() {
        "backtesting_py" => backtesting_py(run),
        "vectorbt" => vectorbt(run),
        "backtrader" => backtrader(run),
        _ => zipline(run),
    }
}

fn bps(fraction: f64) -> Bps {
    Bps(fraction * 1e4)
}

fn at_fill(budget_fraction: f64, fee_basis: FeeBasis) -> TargetSizing {
    TargetSizing::AtFill { budget_fraction, fee_basis }
}

fn commission(fixed: f64, fraction: f64) -> Commission {
    match (fixed, fraction) {
        (0.0, 0.0) => Commission::None,
        (fixed, 0.0) => Commission::Fixed(Cash(fixed)),
        (0.0, fraction) => Commission::Bps(bps(fraction)),
        (fixed, fraction) => Commission::FixedPlusBps { fixed: Cash(fixed), bps: bps(fraction) },
    }
}

fn slippage(fraction: Option<f64>) -> Slippage {
    fraction.map_or(Slippage::None, |fraction| Slippage::Bps(bps(fraction)))
}

fn backtesting_py(run: &Run) -> Profile {
    let fill = if run.flag("trade_on_close") { FillTiming::SameCloseBookedNext } else { FillTiming::NextOpen };
    let [fixed, fraction] = match &run.settings["commission"] {
        Value::Array(parts) => [0, 1].map(|place: usize| parts[place].as_f64().expect("a number")),
        fraction => [0.0, fraction.as_f64().unwrap_or(0.0)],
    };
    let leverage = 1.0 / run.number("margin").unwrap_or(1.0);
    let config = BacktestConfig {
        shortfall: Shortfall::Drop,
        bracket_legs: BracketLegs::WithMarketEntry,
        sizing: at_fill(1.0 - f64::EPSILON, FeeBasis::Quote),
        commission: commission(fixed, fraction),
        slippage: slippage(run.number("spread")),
        slippage_scope: SlippageScope::Entries,
        data_end: if run.flag("finalize_trades") { DataEnd::Close } else { DataEnd::Keep },
        limits: RiskLimits { gross_leverage_max: Some(leverage), ..RiskLimits::UNLIMITED },
        ..BacktestConfig::frictionless(Cash(run.number("cash").unwrap_or(10_000.0)), fill)
    };
    Profile { config, lot: Some(run.number("fractional_unit").unwrap_or(1.0)) }
}

fn vectorbt(run: &Run) -> Profile {
    let config = BacktestConfig {
        sizing: at_fill(1.0, FeeBasis::Fill),
        commission: commission(run.number("fixed_fees").unwrap_or(0.0), run.number("fees").unwrap_or(0.0)),
        slippage: slippage(run.number("slippage")),
        slippage_scope: SlippageScope::Market,
        ..BacktestConfig::frictionless(Cash(run.number("init_cash").unwrap_or(100.0)), FillTiming::SameClose)
    };
    let prices = run.text("prices");
    let fill = if prices == Some("next_open") { FillTiming::NextOpen } else { FillTiming::SameClose };
    let path = if prices == Some("close") { PathModel::CloseOnly } else { PathModel::Pessimistic };
    Profile { config: BacktestConfig { fill, path, ..config }, lot: None }
}

fn backtrader(run: &Run) -> Profile {
    let cash = Cash(run.number("cash").unwrap_or(10_000.0));
    let config = BacktestConfig {
        account: AccountKind::CashAndShorts,
        shortfall: Shortfall::Drop,
        fill_order: FillOrder::OldestFirst,
        bracket_legs: BracketLegs::NextBar,
        sizing: at_fill(1.0 - 1e-12, FeeBasis::Fill),
        commission: commission(0.0, run.number("commission").unwrap_or(0.0)),
        ..BacktestConfig::frictionless(cash, FillTiming::NextOpen)
    };
    Profile { config, lot: None }
}

fn zipline(run: &Run) -> Profile {
    let per_share = Commission::PerShare { per_share: 0.001, minimum: 0.0, maximum_fraction: None };
    let config = BacktestConfig {
        commission: if run.text("commission") == Some("none") { Commission::None } else { per_share },
        path: PathModel::CloseOnly,
        slippage: slippage(Some(0.0005)),
        slippage_scope: SlippageScope::Every,
        fill_order: FillOrder::OldestFirst,
        volume_share_max: Some(0.1),
        ..BacktestConfig::frictionless(Cash(run.number("capital_base").expect("cash")), FillTiming::NextClose)
    };
    Profile { config, lot: Some(1.0) }
}
