//! The rules of `[account]`, `[execution]` and `[risk]`, and the engine's config that they make.

use tidegate_backtest::{
    AccountKind, BacktestConfig, BracketLegs, DataEnd, FeeBasis, FillOrder, FillTiming, Financing, Latency, LimitFill,
    PathModel, RiskLimits, Shortfall, SlippageScope, TargetSizing,
};
use tidegate_market::{Cash, Timestamp};

use super::rules::Rules;
use crate::config::{
    AccountConfig, AccountKindConfig, BracketLegsConfig, ConfigError, DataEndConfig, ExecutionConfig, ExperimentConfig,
    FeeBasisConfig, FillConfig, FillOrderConfig, LatencyConfig, LimitFillConfig, PathConfig, RiskConfig,
    ShortfallConfig, SizingConfig, SlippageScopeConfig,
};

impl Rules<'_> {
    /// Makes the engine's config of a config whose profile has been filled in.
    pub(super) fn backtest(&self, config: &ExperimentConfig) -> Result<BacktestConfig, ConfigError> {
        let ExecutionConfig { path, limit_fill, data_end, slippage_scope, session_exit, .. } = config.execution;
        let execution = &config.execution;
        self.positive("account.cash", config.account.cash)?;
        self.within("account.cash", config.account.cash, 0.0, 1e15)?;
        if session_exit && config.data.session.is_none() {
            return self.fail("execution.session_exit", "needs `[data.session]`, which is missing");
        }
        if session_exit && config.data.interval.nanos() >= Timestamp::NANOS_PER_DAY {
            let message = format!("needs bars shorter than a day, `data.interval` is `{}`", config.data.interval);
            return self.fail("execution.session_exit", message);
        }
        let at_once = matches!(config.execution.fill, Some(FillConfig::SameClose | FillConfig::SameCloseBookedNext));
        if session_exit && at_once {
            let message =
                "must be false where orders fill at the close of their decision: they would trade after the exit";
            return self.fail("execution.session_exit", message);
        }
        let fill = self.fill(config)?;
        Ok(BacktestConfig {
            initial_cash: Cash(config.account.cash),
            account: self.account_kind(&config.account)?,
            fill,
            path: match path {
                None | Some(PathConfig::Pessimistic) => PathModel::Pessimistic,
                Some(PathConfig::NearestExtreme) => PathModel::NearestExtreme,
                Some(PathConfig::CloseOnly) => PathModel::CloseOnly,
            },
            limit_fill: match limit_fill {
                None | Some(LimitFillConfig::Touch) => LimitFill::Touch,
                Some(LimitFillConfig::Penetrate) => LimitFill::Penetrate,
            },
            fill_order: match execution.fill_order {
                None | Some(FillOrderConfig::ReducingFirst) => FillOrder::ReducingFirst,
                Some(FillOrderConfig::OldestFirst) => FillOrder::OldestFirst,
            },
            shortfall: match execution.shortfall {
                None | Some(ShortfallConfig::Trim) => Shortfall::Trim,
                Some(ShortfallConfig::Drop) => Shortfall::Drop,
            },
            bracket_legs: match execution.bracket_legs {
                None | Some(BracketLegsConfig::WithEntry) => BracketLegs::WithEntry,
                Some(BracketLegsConfig::WithMarketEntry) => BracketLegs::WithMarketEntry,
                Some(BracketLegsConfig::NextBar) => BracketLegs::NextBar,
            },
            latency: self.latency(execution, fill)?,
            sizing: self.sizing(execution)?,
            volume_share_max: self.share("execution.volume_share_max", execution.volume_share_max)?,
            commission: self.commission(execution)?,
            slippage: self.slippage(config)?,
            slippage_scope: match slippage_scope {
                None | Some(SlippageScopeConfig::All) => SlippageScope::All,
                Some(SlippageScopeConfig::Every) => SlippageScope::Every,
                Some(SlippageScopeConfig::Market) => SlippageScope::Market,
                Some(SlippageScopeConfig::Entries) => SlippageScope::Entries,
            },
            financing: self.financing(&config.account)?,
            session_exit,
            data_end: match data_end {
                None | Some(DataEndConfig::Keep) => DataEnd::Keep,
                Some(DataEndConfig::Close) => DataEnd::Close,
            },
            limits: self.limits(config)?,
        })
    }

    pub(super) fn fill(&self, config: &ExperimentConfig) -> Result<FillTiming, ConfigError> {
        match config.execution.fill {
            Some(FillConfig::NextOpen) => Ok(FillTiming::NextOpen),
            Some(FillConfig::NextClose) => Ok(FillTiming::NextClose),
            Some(FillConfig::SameClose) => Ok(FillTiming::SameClose),
            Some(FillConfig::SameCloseBookedNext) => Ok(FillTiming::SameCloseBookedNext),
            None => self.unstated("fill", "`next_open`, `next_close`, `same_close` or `same_close_booked_next`"),
        }
    }

    /// Refuses a table without a key that only a profile has a default for.
    pub(super) fn unstated<T>(&self, key: &str, choices: &str) -> Result<T, ConfigError> {
        let message = format!("is missing: state {choices}, or a `profile` that does");
        self.fail(&format!("execution.{key}"), message)
    }

    fn account_kind(&self, account: &AccountConfig) -> Result<AccountKind, ConfigError> {
        match account.kind {
            None => Ok(AccountKind::Unrestricted),
            Some(AccountKindConfig::Cash {}) => Ok(AccountKind::Cash),
            Some(AccountKindConfig::CashAndShorts {}) => Ok(AccountKind::CashAndShorts),
            Some(AccountKindConfig::Margin(margin)) => {
                self.share("account.kind.margin.initial", Some(margin.initial))?;
                if !(margin.maintenance > 0.0 && margin.maintenance <= margin.initial) {
                    let message = format!(
                        "must be above 0 and at most `initial`, which is `{}`, was `{}`",
                        margin.initial, margin.maintenance
                    );
                    return self.fail("account.kind.margin.maintenance", message);
                }
                Ok(AccountKind::Margin { initial: margin.initial, maintenance: margin.maintenance })
            }
        }
    }

    fn financing(&self, account: &AccountConfig) -> Result<Financing, ConfigError> {
        let Some(rates) = account.financing else { return Ok(Financing::NONE) };
        let named =
            [("borrow_rate", rates.borrow_rate), ("margin_rate", rates.margin_rate), ("cash_rate", rates.cash_rate)];
        for (name, rate) in named {
            self.within(&format!("account.financing.{name}"), rate, 0.0, 10.0)?;
        }
        let (borrow_rate, margin_rate, cash_rate) = (rates.borrow_rate, rates.margin_rate, rates.cash_rate);
        Ok(Financing { borrow_rate, margin_rate, cash_rate })
    }

    fn latency(&self, execution: &ExecutionConfig, fill: FillTiming) -> Result<Latency, ConfigError> {
        let Some(latency) = execution.latency else { return Ok(Latency::None) };
        if matches!(fill, FillTiming::SameClose | FillTiming::SameCloseBookedNext) {
            let message = "must be absent where orders fill at the close of their decision, as `fill` says";
            return self.fail("execution.latency", message);
        }
        Ok(match latency {
            LatencyConfig::Bars(bars) => Latency::Bars(bars),
            LatencyConfig::Time(delay) => Latency::Nanos(delay.nanos()),
        })
    }

    fn sizing(&self, execution: &ExecutionConfig) -> Result<TargetSizing, ConfigError> {
        match execution.sizing {
            None => Ok(TargetSizing::AtDecision { cash_buffer: 0.0, fees_included: false }),
            Some(SizingConfig::AtDecision(sizing)) => {
                if !(0.0..1.0).contains(&sizing.cash_buffer) {
                    let message = format!("must be in [0, 1), was `{}`", sizing.cash_buffer);
                    return self.fail("execution.sizing.at_decision.cash_buffer", message);
                }
                let (cash_buffer, fees_included) = (sizing.cash_buffer, sizing.fees_included);
                Ok(TargetSizing::AtDecision { cash_buffer, fees_included })
            }
            Some(SizingConfig::AtFill(sizing)) => {
                self.share("execution.sizing.at_fill.budget_fraction", Some(sizing.budget_fraction))?;
                let fee_basis = match sizing.fee_basis {
                    FeeBasisConfig::Fill => FeeBasis::Fill,
                    FeeBasisConfig::Quote => FeeBasis::Quote,
                };
                Ok(TargetSizing::AtFill { budget_fraction: sizing.budget_fraction, fee_basis })
            }
        }
    }

    fn limits(&self, config: &ExperimentConfig) -> Result<RiskLimits, ConfigError> {
        let RiskConfig {
            gross_leverage_max,
            net_leverage_max,
            weight_max,
            group_weight_max,
            daily_turnover_max,
            positions_max,
            drawdown_stop,
            daily_loss_stop,
            losing_trades_stop,
        } = config.risk;
        for (name, bound) in [
            ("gross_leverage_max", gross_leverage_max),
            ("net_leverage_max", net_leverage_max),
            ("weight_max", weight_max),
            ("group_weight_max", group_weight_max),
            ("daily_turnover_max", daily_turnover_max),
        ] {
            self.positive(&format!("risk.{name}"), bound.unwrap_or(1.0))?;
        }
        for (name, count) in [("positions_max", positions_max), ("losing_trades_stop", losing_trades_stop)] {
            self.at_least(&format!("risk.{name}"), count.unwrap_or(1) as usize, 1)?;
        }
        for (name, stop) in [("drawdown_stop", drawdown_stop), ("daily_loss_stop", daily_loss_stop)] {
            if let Some(stop) = stop.filter(|stop| !(*stop > 0.0 && *stop < 1.0)) {
                return self.fail(&format!("risk.{name}"), format!("must be in (0, 1), was `{stop}`"));
            }
        }
        if group_weight_max.is_some() && config.instruments.values().all(|instrument| instrument.group.is_none()) {
            let message = "needs instruments in groups: state `group` in `[instruments.SYMBOL]`; none does";
            return self.fail("risk.group_weight_max", message);
        }
        Ok(RiskLimits {
            gross_leverage_max,
            net_leverage_max,
            weight_max,
            group_weight_max,
            daily_turnover_max,
            positions_max,
            drawdown_stop,
            daily_loss_stop,
            losing_trades_stop,
        })
    }

    /// Checks a fraction that must not be zero.
    pub(super) fn share(&self, key: &str, share: Option<f64>) -> Result<Option<f64>, ConfigError> {
        match share.filter(|share| !(*share > 0.0 && *share <= 1.0)) {
            None => Ok(share),
            Some(share) => self.fail(key, format!("must be in (0, 1], was `{share}`")),
        }
    }
}
