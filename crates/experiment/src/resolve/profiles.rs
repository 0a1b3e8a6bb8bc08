//! Other engines' unmodified defaults, as keys of `[execution]`, `[account]` and `[risk]`.
//!
//! A profile states what the file leaves open and nothing else: a key in the file wins. A config that has been through
//! [`fill_in`] states every key itself, so that it means the same without knowing the profile.

use crate::config::{
    AccountKindConfig, AtDecisionConfig, AtFillConfig, BracketLegsConfig, CommissionConfig, DataEndConfig,
    ExperimentConfig, FeeBasisConfig, FillConfig, FillOrderConfig, LimitFillConfig, PathConfig, PerShareConfig,
    ProfileConfig, ShortfallConfig, SizingConfig, SlippageConfig, SlippageScopeConfig,
};

/// What an engine does where nobody says otherwise.
struct Defaults {
    fill: FillConfig,
    path: PathConfig,
    fill_order: FillOrderConfig,
    shortfall: ShortfallConfig,
    bracket_legs: BracketLegsConfig,
    account_kind: Option<AccountKindConfig>,
    gross_leverage_max: Option<f64>,
    volume_share_max: Option<f64>,
    commission: CommissionConfig,
    slippage: SlippageConfig,
    slippage_scope: SlippageScopeConfig,
    sizing: SizingConfig,
    lot_size: Option<f64>,
}

/// The close of the decision, all equity, costs not counted.
const AT_DECISION: SizingConfig = SizingConfig::AtDecision(AtDecisionConfig { cash_buffer: 0.0, fees_included: false });

/// Writes the defaults of the config's profile into the keys that it does not state; without a profile nothing changes.
pub(super) fn fill_in(config: &mut ExperimentConfig) {
    let Some(profile) = config.execution.profile else { return };
    let defaults = defaults(profile);
    let execution = &mut config.execution;
    execution.fill.get_or_insert(defaults.fill);
    execution.path.get_or_insert(defaults.path);
    execution.fill_order.get_or_insert(defaults.fill_order);
    execution.shortfall.get_or_insert(defaults.shortfall);
    execution.bracket_legs.get_or_insert(defaults.bracket_legs);
    execution.limit_fill.get_or_insert(LimitFillConfig::Touch);
    execution.volume_share_max = execution.volume_share_max.or(defaults.volume_share_max);
    execution.data_end.get_or_insert(DataEndConfig::Keep);
    execution.commission.get_or_insert(defaults.commission);
    execution.slippage.get_or_insert(defaults.slippage);
    execution.slippage_scope.get_or_insert(defaults.slippage_scope);
    execution.sizing.get_or_insert(defaults.sizing);
    config.account.lot_size = config.account.lot_size.or(defaults.lot_size);
    if config.account.kind.is_none() {
        config.account.kind = defaults.account_kind;
        config.risk.gross_leverage_max = config.risk.gross_leverage_max.or(defaults.gross_leverage_max);
    }
}

fn defaults(profile: ProfileConfig) -> Defaults {
    let free = |fill, sizing| Defaults {
        fill,
        path: PathConfig::Pessimistic,
        fill_order: FillOrderConfig::ReducingFirst,
        shortfall: ShortfallConfig::Trim,
        bracket_legs: BracketLegsConfig::WithEntry,
        account_kind: None,
        gross_leverage_max: None,
        volume_share_max: None,
        commission: CommissionConfig::None,
        slippage: SlippageConfig::None,
        slippage_scope: SlippageScopeConfig::All,
        sizing,
        lot_size: None,
    };
    let at_fill = |budget_fraction, fee_basis| SizingConfig::AtFill(AtFillConfig { budget_fraction, fee_basis });
    let per_share =
        |rate, minimum| CommissionConfig::PerShare(PerShareConfig { rate, minimum, maximum_fraction: None });
    match profile {
        ProfileConfig::BacktestingPy => Defaults {
            shortfall: ShortfallConfig::Drop,
            bracket_legs: BracketLegsConfig::WithMarketEntry,
            gross_leverage_max: Some(1.0),
            slippage_scope: SlippageScopeConfig::Entries,
            lot_size: Some(1.0),
            // It buys for the largest fraction below one: 99 units at 100 for 10,000, not 100.
            ..free(FillConfig::NextOpen, at_fill(1.0 - f64::EPSILON, FeeBasisConfig::Quote))
        },
        ProfileConfig::Vectorbt => Defaults {
            slippage_scope: SlippageScopeConfig::Market,
            ..free(FillConfig::SameClose, at_fill(1.0, FeeBasisConfig::Fill))
        },
        ProfileConfig::Backtrader => Defaults {
            account_kind: Some(AccountKindConfig::CashAndShorts {}),
            shortfall: ShortfallConfig::Drop,
            fill_order: FillOrderConfig::OldestFirst,
            bracket_legs: BracketLegsConfig::NextBar,
            // All cash but what rounding could overdraw.
            ..free(FillConfig::NextOpen, at_fill(1.0 - 1e-12, FeeBasisConfig::Fill))
        },
        ProfileConfig::Zipline => Defaults {
            path: PathConfig::CloseOnly,
            fill_order: FillOrderConfig::OldestFirst,
            slippage_scope: SlippageScopeConfig::Every,
            volume_share_max: Some(0.1),
            commission: per_share(0.001, 0.0),
            slippage: SlippageConfig::Bps(5.0),
            lot_size: Some(1.0),
            ..free(FillConfig::NextClose, AT_DECISION)
        },
        ProfileConfig::Lean => Defaults {
            commission: per_share(0.005, 1.0),
            lot_size: Some(1.0),
            ..free(
                FillConfig::NextOpen,
                SizingConfig::AtDecision(AtDecisionConfig { cash_buffer: 0.0025, fees_included: true }),
            )
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tidegate_backtest::{
        AccountKind, BacktestConfig, BracketLegs, Commission, FeeBasis, FillOrder, FillTiming, PathModel, RiskLimits,
        Shortfall, Slippage, SlippageScope, TargetSizing,
    };
    use tidegate_market::{Bps, Cash};

    use crate::config::ConfigSource;
    use crate::resolve::ResolvedExperiment;

    fn resolve(execution: &str) -> ResolvedExperiment {
        let text = format!(
            "name = \"Fixture\"\nseed = 7\nstrategy.buy_and_hold = {{}}\naccount.cash = 1000.0\n[data]\npath = \"b.csv\"\n\
             symbols = [\"AAA\"]\ninterval = \"1d\"\ntimestamp = \"open\"\ncalendar = \"sessions\"\nadjustment = \"raw\"\n\
             [execution]\n{execution}\n"
        );
        let source = ConfigSource::from_text(Path::new("s.toml"), text);
        ResolvedExperiment::from_source(&source).unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    fn check(profile: &str, lot_size: Option<f64>, expected: &BacktestConfig) {
        let experiment = resolve(&format!("profile = \"{profile}\""));
        assert_eq!(&experiment.backtest, expected);
        assert_eq!(experiment.instruments[0].lot_size, lot_size);
        assert_eq!(experiment.config.execution.profile.map(super::ProfileConfig::name), Some(profile));
    }

    fn plain(fill: FillTiming) -> BacktestConfig {
        BacktestConfig::frictionless(Cash(1_000.0), fill)
    }

    #[test]
    fn backtesting_py_sizes_whole_units_at_the_next_open() {
        // It spends 1 - 2^-52 of the cash; in steps of 2^-53 below one that is the second number below it.
        let budget_fraction = 1.0_f64.next_down().next_down();
        let sizing = TargetSizing::AtFill { budget_fraction, fee_basis: FeeBasis::Quote };
        let expected = BacktestConfig {
            sizing,
            slippage_scope: SlippageScope::Entries,
            shortfall: Shortfall::Drop,
            bracket_legs: BracketLegs::WithMarketEntry,
            limits: RiskLimits { gross_leverage_max: Some(1.0), ..RiskLimits::UNLIMITED },
            ..plain(FillTiming::NextOpen)
        };
        check("backtesting_py", Some(1.0), &expected);
    }

    #[test]
    fn vectorbt_sizes_fractions_at_the_same_close() {
        let sizing = TargetSizing::AtFill { budget_fraction: 1.0, fee_basis: FeeBasis::Fill };
        let slippage_scope = SlippageScope::Market;
        check("vectorbt", None, &BacktestConfig { sizing, slippage_scope, ..plain(FillTiming::SameClose) });
    }

    #[test]
    fn backtrader_sizes_and_fills_at_the_next_open() {
        let expected = BacktestConfig {
            sizing: TargetSizing::AtFill { budget_fraction: 1.0 - 1e-12, fee_basis: FeeBasis::Fill },
            account: AccountKind::CashAndShorts,
            shortfall: Shortfall::Drop,
            fill_order: FillOrder::OldestFirst,
            bracket_legs: BracketLegs::NextBar,
            ..plain(FillTiming::NextOpen)
        };
        check("backtrader", None, &expected);
    }

    #[test]
    fn zipline_takes_a_tenth_of_the_volume_at_the_next_close() {
        let expected = BacktestConfig {
            path: PathModel::CloseOnly,
            fill_order: FillOrder::OldestFirst,
            slippage_scope: SlippageScope::Every,
            volume_share_max: Some(0.1),
            commission: Commission::PerShare { per_share: 0.001, minimum: 0.0, maximum_fraction: None },
            slippage: Slippage::Bps(Bps(5.0)),
            ..plain(FillTiming::NextClose)
        };
        check("zipline", Some(1.0), &expected);
    }

    #[test]
    fn lean_leaves_a_quarter_of_a_percent_alone() {
        let expected = BacktestConfig {
            commission: Commission::PerShare { per_share: 0.005, minimum: 1.0, maximum_fraction: None },
            sizing: TargetSizing::AtDecision { cash_buffer: 0.0025, fees_included: true },
            ..plain(FillTiming::NextOpen)
        };
        check("lean", Some(1.0), &expected);
    }

    #[test]
    fn what_the_file_states_beside_a_profile_wins() {
        let experiment = resolve(
            "profile = \"zipline\"\nvolume_share_max = 0.025\npath = \"pessimistic\"\ncommission = \"none\"\nfill = \"next_open\"",
        );
        let expected = BacktestConfig {
            volume_share_max: Some(0.025),
            slippage: Slippage::Bps(Bps(5.0)),
            slippage_scope: SlippageScope::Every,
            fill_order: FillOrder::OldestFirst,
            ..plain(FillTiming::NextOpen)
        };
        assert_eq!(experiment.backtest, expected);
    }
}
