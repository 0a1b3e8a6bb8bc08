//! What a run needs besides bars and a strategy. Nothing here has a default: every field changes results.

use std::num::NonZeroU32;

use tidegate_market::Cash;

use crate::error::{AMOUNT_MAX, require};
use crate::{BacktestError, Commission, Slippage};

/// When a market order fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillTiming {
    /// At the open of the instrument's next bar: the honest rule.
    NextOpen,
    /// At the close of the instrument's next bar.
    NextClose,
    /// At the close of the bar that the decision was made from: optimistic, for parity with other tools. An instrument without a
    /// bar at the decision fills at its next close.
    SameClose,
    /// At the same close too, but booked when the next bar opens: equity of the decision's bar is that before the fill. For parity.
    SameCloseBookedNext,
}

/// How a bar's prices are taken to have followed each other, where no finer bars say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathModel {
    /// In the order that is worst for the account.
    Pessimistic,
    /// From the open to the nearer of high and low, to the other, to the close; to the low first where both are equally near.
    NearestExtreme,
    /// Not at all: orders with a price of their own are looked at the close alone, and fill there. For closes without ranges and for
    /// parity.
    CloseOnly,
}

/// What fills a limit order inside a bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitFill {
    /// The price touches the limit.
    Touch,
    /// The price goes beyond the limit.
    Penetrate,
}

/// Which orders of one moment fill first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillOrder {
    /// Those that only take away from a position, so that sales pay for purchases; then all others by instrument, then by age.
    ReducingFirst,
    /// The older ones, whatever they do.
    OldestFirst,
}

/// How long an order is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    /// It works from the next event on.
    None,
    /// It works this many bars of its instrument later than it would.
    Bars(NonZeroU32),
    /// It works in bars that open this many nanoseconds or more after the decision.
    Nanos(i64),
}

/// How a target weight becomes units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TargetSizing {
    /// At the close of the decision, with its prices and equity.
    AtDecision {
        /// The fraction of equity that is left alone, in [0, 1).
        cash_buffer: f64,
        /// Whether the value and the commission together must fit, or the value alone.
        fees_included: bool,
    },
    /// Where a position opens, at its fill: as many units as the weight's fraction of free equity (equity less gross exposure) pays for,
    /// costs included. A change of sides closes first and then opens. Any other change is sized at the decision.
    AtFill {
        /// The fraction of that budget that is used, in (0, 1]: 1 where nothing is held back.
        budget_fraction: f64,
        /// The price that the commission of that size is reckoned at.
        fee_basis: FeeBasis,
    },
}

/// The price at which a commission is reckoned when an order is sized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeeBasis {
    /// The price of the fill, slippage included: what will be charged.
    Fill,
    /// The quoted price, for parity: less than what will be charged on a purchase with slippage.
    Quote,
}

/// Which fills have slippage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlippageScope {
    /// All but those at a limit.
    All,
    /// Those at a limit too, which may then be worse than the limit: for parity.
    Every,
    /// Those of market orders; a stop fills at its price or at the open that gapped through it.
    Market,
    /// Only units that open or add, at a limit too: a spread that is paid once, on entry.
    Entries,
}

/// From when on the legs of a bracket work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BracketLegs {
    /// From the fill of the entry on: what the rest of that bar touches fills them.
    WithEntry,
    /// From the fill of an entry at the market on, and from the next bar on after an entry with a price of its own.
    WithMarketEntry,
    /// From the bar after the entry's on: the rest of the entry's bar cannot hurt. Optimistic, for parity.
    NextBar,
}

/// What happens to positions when the data ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataEnd {
    /// They are kept and valued at the last close.
    Keep,
    /// They are closed in the last bar at the price of [`FillTiming`], as if it had been known to be the last: for parity.
    Close,
}

/// What the broker lends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AccountKind {
    /// Anything: only [`RiskLimits`] bind.
    Unrestricted,
    /// Nothing: no short positions, and no fill that cash does not pay for.
    Cash,
    /// No money, but any units: cash must pay for purchases, and short sales without bound bring in cash. For parity with tools
    /// that keep no margin.
    CashAndShorts,
    /// As much as margin allows.
    Margin {
        /// Equity needed per unit of gross exposure to open, in (0, 1].
        initial: f64,
        /// Equity needed per unit of gross exposure to hold, in (0, initial]. Below it at a close, positions are cut in equal proportion
        /// to what the initial margin allows.
        maintenance: f64,
    },
}

/// What happens to units that open or add where the account cannot pay for all of them at their fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortfall {
    /// As many of them fill as it can pay for.
    Trim,
    /// None of them fills; units that close a position do.
    Drop,
}

/// Yearly rates, simple, over 365 days; charged for the time from one close to the next on what was held at the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Financing {
    /// Paid on the value of short positions.
    pub borrow_rate: f64,
    /// Paid on negative cash.
    pub margin_rate: f64,
    /// Earned on cash above the value of short positions.
    pub cash_rate: f64,
}

impl Financing {
    /// No rate at all.
    pub const NONE: Self = Self { borrow_rate: 0.0, margin_rate: 0.0, cash_rate: 0.0 };

    /// Returns whether no rate is above zero.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    fn validate(&self) -> Result<(), BacktestError> {
        let rates =
            [("borrow_rate", self.borrow_rate), ("margin_rate", self.margin_rate), ("cash_rate", self.cash_rate)];
        for (name, rate) in rates {
            require(name, "in [0, 10]", rate, (0.0..=10.0).contains(&rate))?;
        }
        Ok(())
    }
}

/// Bounds on what an account may hold, as fractions of equity; `None` is unlimited.
///
/// An order request that would break a bound at the prices known when it is made is denied, and the denial is recorded. A target
/// weight is clipped to the room that the bounds leave, which is recorded too, and denied only when it does nothing but add and there
/// is no room, or when it would be one position too many. What only takes away from a position is never denied. Market orders that
/// wait count as if they had filled; limit and stop orders that wait count once they have, so that several of them may together
/// exceed a bound other than that on gross leverage, which holds at the fill too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiskLimits {
    /// Sum of the absolute values of all positions. It also holds at the fill, after costs: a fill that would break it is trimmed.
    pub gross_leverage_max: Option<f64>,
    /// Absolute value of the sum of all positions.
    pub net_leverage_max: Option<f64>,
    /// Absolute value of one position.
    pub weight_max: Option<f64>,
    /// Sum of the absolute values of the positions of one group of instruments.
    pub group_weight_max: Option<f64>,
    /// Value of the units that one day's requests add, day by day; a day is a session, or a UTC day without sessions.
    pub daily_turnover_max: Option<f64>,
    /// Number of positions that are not zero.
    pub positions_max: Option<u32>,
    /// The fall from the highest equity at a close that flattens the account and ends trading.
    pub drawdown_stop: Option<f64>,
    /// The fall from the equity at the end of the day before that flattens the account until the day ends.
    pub daily_loss_stop: Option<f64>,
    /// The number of losing round trips in a row, after costs, that flattens the account and ends trading.
    pub losing_trades_stop: Option<u32>,
}

impl RiskLimits {
    /// No bound at all.
    pub const UNLIMITED: Self = Self {
        gross_leverage_max: None,
        net_leverage_max: None,
        weight_max: None,
        group_weight_max: None,
        daily_turnover_max: None,
        positions_max: None,
        drawdown_stop: None,
        daily_loss_stop: None,
        losing_trades_stop: None,
    };

    fn validate(&self) -> Result<(), BacktestError> {
        let bounds = [
            ("gross_leverage_max", self.gross_leverage_max),
            ("net_leverage_max", self.net_leverage_max),
            ("weight_max", self.weight_max),
            ("group_weight_max", self.group_weight_max),
            ("daily_turnover_max", self.daily_turnover_max),
        ];
        for (name, bound) in bounds {
            let value = bound.unwrap_or(1.0);
            require(name, "finite and above 0", value, value.is_finite() && value > 0.0)?;
        }
        for (name, stop) in [("drawdown_stop", self.drawdown_stop), ("daily_loss_stop", self.daily_loss_stop)] {
            let stop = stop.unwrap_or(0.5);
            require(name, "in (0, 1)", stop, stop > 0.0 && stop < 1.0)?;
        }
        let losses = self.losing_trades_stop.unwrap_or(1);
        require("losing_trades_stop", "at least 1", f64::from(losses), losses >= 1)
    }
}

/// The account, the broker and the limits of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct BacktestConfig {
    /// Cash before the first bar; above zero.
    pub initial_cash: Cash,
    /// What the broker lends.
    pub account: AccountKind,
    /// What happens where that does not suffice.
    pub shortfall: Shortfall,
    /// When market orders fill.
    pub fill: FillTiming,
    /// How prices move inside a bar.
    pub path: PathModel,
    /// What fills a limit order inside a bar.
    pub limit_fill: LimitFill,
    /// Which orders of one moment fill first.
    pub fill_order: FillOrder,
    /// From when on the legs of a bracket work.
    pub bracket_legs: BracketLegs,
    /// How long an order is on its way.
    pub latency: Latency,
    /// How target weights become units.
    pub sizing: TargetSizing,
    /// The most that all fills of one instrument in one bar may take of its volume, in (0, 1]; the rest of an order stays working. At an
    /// open the volume is that of the bar before, because the bar's own is not known yet.
    pub volume_share_max: Option<f64>,
    /// What a fill costs.
    pub commission: Commission,
    /// How much worse than quoted a fill is.
    pub slippage: Slippage,
    /// Which fills have slippage.
    pub slippage_scope: SlippageScope,
    /// What lending costs and cash earns.
    pub financing: Financing,
    /// Whether positions are closed at the close of a session's last bar; needs a market with sessions.
    pub session_exit: bool,
    /// What happens to positions when the data ends.
    pub data_end: DataEnd,
    /// What the account may hold.
    pub limits: RiskLimits,
}

impl BacktestConfig {
    /// Returns a config without costs, limits or anything that makes trading harder than it looks: the start for tests and parity.
    pub const fn frictionless(initial_cash: Cash, fill: FillTiming) -> Self {
        Self {
            initial_cash,
            account: AccountKind::Unrestricted,
            shortfall: Shortfall::Trim,
            fill,
            path: PathModel::Pessimistic,
            limit_fill: LimitFill::Touch,
            fill_order: FillOrder::ReducingFirst,
            bracket_legs: BracketLegs::WithEntry,
            latency: Latency::None,
            sizing: TargetSizing::AtDecision { cash_buffer: 0.0, fees_included: false },
            volume_share_max: None,
            commission: Commission::None,
            slippage: Slippage::None,
            slippage_scope: SlippageScope::All,
            financing: Financing::NONE,
            session_exit: false,
            data_end: DataEnd::Keep,
            limits: RiskLimits::UNLIMITED,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// [`BacktestError::Range`] for the first number outside its range.
    pub fn validate(&self) -> Result<(), BacktestError> {
        let cash = self.initial_cash.0;
        require("initial_cash", "above 0 and at most 1e15", cash, cash > 0.0 && cash <= AMOUNT_MAX)?;
        if let AccountKind::Margin { initial, maintenance } = self.account {
            require("initial margin", "in (0, 1]", initial, initial > 0.0 && initial <= 1.0)?;
            let holds = maintenance > 0.0 && maintenance <= initial;
            require("maintenance margin", "above 0 and at most the initial margin", maintenance, holds)?;
        }
        if let Latency::Nanos(nanos) = self.latency {
            require("latency", "at least 0", nanos as f64, nanos >= 0)?;
        }
        match self.sizing {
            TargetSizing::AtDecision { cash_buffer, .. } => {
                require("cash_buffer", "in [0, 1)", cash_buffer, (0.0..1.0).contains(&cash_buffer))?;
            }
            TargetSizing::AtFill { budget_fraction, .. } => {
                let holds = budget_fraction > 0.0 && budget_fraction <= 1.0;
                require("budget_fraction", "in (0, 1]", budget_fraction, holds)?;
            }
        }
        let share = self.volume_share_max.unwrap_or(1.0);
        require("volume_share_max", "in (0, 1]", share, share > 0.0 && share <= 1.0)?;
        let immediate = matches!(self.fill, FillTiming::SameClose | FillTiming::SameCloseBookedNext);
        let delays = self.latency != Latency::None;
        require("latency", "none where orders fill at the close of their decision", 1.0, !(immediate && delays))?;
        require(
            "session_exit",
            "off where orders fill at the close of their decision",
            1.0,
            !(immediate && self.session_exit),
        )?;
        self.commission.validate()?;
        self.slippage.validate()?;
        self.financing.validate()?;
        self.limits.validate()
    }

    /// Returns the bound on gross exposure over equity that fills are trimmed to: the tighter of limit and account.
    pub(crate) fn gross_bound(&self) -> Option<f64> {
        let account = match self.account {
            AccountKind::Unrestricted | AccountKind::CashAndShorts => None,
            AccountKind::Cash => Some(1.0),
            AccountKind::Margin { initial, .. } => Some(1.0 / initial),
        };
        match (self.limits.gross_leverage_max, account) {
            (Some(limit), Some(account)) => Some(f64::min(limit, account)),
            (limit, account) => limit.or(account),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spoil: impl FnOnce(&mut BacktestConfig), message: &str) {
        let mut config = BacktestConfig::frictionless(Cash(1_000.0), FillTiming::NextOpen);
        assert_eq!(config.validate(), Ok(()));
        spoil(&mut config);
        assert_eq!(config.validate().expect_err(message).to_string(), message);
    }

    #[test]
    fn a_number_outside_its_range_is_named_with_the_rule() {
        check(|c| c.initial_cash = Cash(0.0), "initial_cash must be above 0 and at most 1e15, was `0`");
        check(|c| c.limits.gross_leverage_max = Some(-1.0), "gross_leverage_max must be finite and above 0, was `-1`");
        check(|c| c.limits.drawdown_stop = Some(1.0), "drawdown_stop must be in (0, 1), was `1`");
        check(|c| c.limits.weight_max = Some(f64::NAN), "weight_max must be finite and above 0, was `NaN`");
        check(|c| c.volume_share_max = Some(0.0), "volume_share_max must be in (0, 1], was `0`");
        check(|c| c.financing.borrow_rate = -0.01, "borrow_rate must be in [0, 10], was `-0.01`");
        check(
            |c| c.account = AccountKind::Margin { initial: 0.25, maintenance: 0.5 },
            "maintenance margin must be above 0 and at most the initial margin, was `0.5`",
        );
    }

    #[test]
    fn a_margin_account_bounds_gross_exposure_by_its_initial_margin() {
        let config = BacktestConfig::frictionless(Cash(1.0), FillTiming::NextOpen);
        assert_eq!(config.gross_bound(), None);
        let margin =
            BacktestConfig { account: AccountKind::Margin { initial: 0.5, maintenance: 0.25 }, ..config.clone() };
        assert_eq!(margin.gross_bound(), Some(2.0));
        let limits = RiskLimits { gross_leverage_max: Some(1.5), ..RiskLimits::UNLIMITED };
        assert_eq!(BacktestConfig { limits, ..margin }.gross_bound(), Some(1.5));
        assert_eq!(BacktestConfig { account: AccountKind::Cash, ..config }.gross_bound(), Some(1.0));
    }
}
