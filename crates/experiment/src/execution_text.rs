//! How orders were filled and what they cost, in words for the report.

use tidegate_backtest::{
    AccountKind, BacktestConfig, BracketLegs, Commission, DataEnd, FillOrder, Financing, Latency, LimitFill, PathModel,
    Shortfall, Slippage, SlippageScope, TargetSizing,
};
use tidegate_report::Costs;

use crate::config::SignalsConfig;
use crate::resolve::ResolvedExperiment;

/// Says what a fill costs.
pub(crate) fn costs(backtest: &BacktestConfig) -> Costs {
    Costs { commission: commission(&backtest.commission), slippage: slippage(backtest) }
}

fn commission(commission: &Commission) -> String {
    match commission {
        Commission::None => "none".to_owned(),
        Commission::Bps(bps) => format!("{bps} bps of the traded value"),
        Commission::Fixed(fee) => format!("{fee} per order"),
        Commission::FixedPlusBps { fixed, bps } => format!("{fixed} per order and {bps} bps of the traded value"),
        Commission::PerShare { per_share, minimum, maximum_fraction } => {
            let most =
                maximum_fraction.map_or_else(String::new, |most| format!(", at most {} of its value", percent(most)));
            format!("{per_share} per share, at least {minimum} per order{most}")
        }
        Commission::Tiered(tiers) => {
            let tiers = tiers.iter().map(|tier| format!("{} bps from {}", tier.bps, tier.from_value));
            format!("{} traded in the month", tiers.collect::<Vec<_>>().join(", "))
        }
        Commission::MakerTaker { maker, taker } => format!("{maker} bps for makers, {taker} bps for takers"),
    }
}

fn slippage(backtest: &BacktestConfig) -> String {
    let amount = match backtest.slippage {
        Slippage::None => return "none".to_owned(),
        Slippage::Bps(bps) => format!("{bps} bps of the price"),
        Slippage::HalfSpread(half) => format!("{half} per unit, half a spread"),
        Slippage::Ticks(ticks) => format!("{ticks} ticks"),
        Slippage::VolumeShare { impact, share_max } => {
            format!("{impact} times the squared share of the bar's volume, up to a share of {share_max}")
        }
        Slippage::SquareRootImpact { coefficient, lookback_bars } => {
            format!("{coefficient} times volatility and root of the share of volume, both over {lookback_bars} bars")
        }
    };
    match backtest.slippage_scope {
        SlippageScope::All => amount,
        SlippageScope::Every => format!("{amount}, at limits too"),
        SlippageScope::Market => format!("{amount}, for market orders"),
        SlippageScope::Entries => format!("{amount}, on entries only"),
    }
}

/// Says everything about fills, the account and the data that is not as it is where the strategy file does not mention it.
pub(crate) fn notes(experiment: &ResolvedExperiment) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(profile) = experiment.config.execution.profile {
        notes.push(format!(
            "Orders follow the unmodified defaults of the profile `{}` wherever the strategy file does not state another rule.",
            profile.name()
        ));
    }
    fills(&experiment.backtest, &mut notes);
    account(&experiment.backtest, &mut notes);
    data(experiment, &mut notes);
    notes
}

fn fills(backtest: &BacktestConfig, notes: &mut Vec<String>) {
    match backtest.sizing {
        TargetSizing::AtFill { .. } => {
            notes
                .push("Positions are sized at the price of their fill, which is not known at the decision.".to_owned());
        }
        TargetSizing::AtDecision { cash_buffer, .. } if cash_buffer > 0.0 => {
            notes.push(format!("{} of equity is left alone when positions are sized.", percent(cash_buffer)));
        }
        TargetSizing::AtDecision { .. } => {}
    }
    match backtest.path {
        PathModel::Pessimistic => {}
        PathModel::NearestExtreme => {
            notes.push("Inside a bar the price is taken to go to the nearer of high and low first.".to_owned());
        }
        PathModel::CloseOnly => {
            notes.push("Orders with a price of their own are looked at the close alone, and fill there.".to_owned());
        }
    }
    if backtest.fill_order == FillOrder::OldestFirst {
        notes.push("Of the orders of one moment the older ones fill first: purchases may come before the sales that pay for them.".to_owned());
    }
    if backtest.shortfall == Shortfall::Drop {
        notes.push("What the account cannot pay for in full at its fill is dropped.".to_owned());
    }
    match backtest.bracket_legs {
        BracketLegs::WithEntry => {}
        BracketLegs::WithMarketEntry => {
            notes.push("Stops and targets of an entry with a price of its own work from the next bar on.".to_owned());
        }
        BracketLegs::NextBar => {
            notes.push("Stops and targets work from the bar after their entry on, which is optimistic.".to_owned());
        }
    }
    if backtest.limit_fill == LimitFill::Penetrate {
        notes.push("Limit orders fill only when the price goes beyond the limit.".to_owned());
    }
    match backtest.latency {
        Latency::None => {}
        Latency::Bars(bars) => notes.push(format!("Orders arrive {bars} bars late.")),
        Latency::Nanos(nanos) => notes.push(format!("Orders arrive {} s late.", nanos as f64 / 1e9)),
    }
    if let Some(share) = backtest.volume_share_max {
        notes.push(format!("Fills take at most {} of a bar's volume; the rest stays working.", percent(share)));
    }
    if backtest.session_exit {
        notes.push("Positions are closed at the end of every session.".to_owned());
    }
    if backtest.data_end == DataEnd::Close {
        notes.push("Positions are closed in the last bar, as if it had been known to be the last.".to_owned());
    }
}

fn account(backtest: &BacktestConfig, notes: &mut Vec<String>) {
    match backtest.account {
        AccountKind::Unrestricted if backtest.limits.gross_leverage_max.is_none() => {
            notes
                .push("Nothing bounds what is borrowed: state `account.kind` or `risk.gross_leverage_max`.".to_owned());
        }
        AccountKind::Unrestricted => {}
        AccountKind::CashAndShorts => {
            notes.push("Cash pays for purchases; short sales have no bound and bring in cash.".to_owned());
        }
        AccountKind::Cash => notes.push("The broker lends nothing: a cash account.".to_owned()),
        AccountKind::Margin { initial, maintenance } => notes.push(format!(
            "A margin account: equity of {} of gross exposure to open, of {} to hold.",
            percent(initial),
            percent(maintenance)
        )),
    }
    let Financing { borrow_rate, margin_rate, cash_rate } = backtest.financing;
    if backtest.financing != Financing::NONE {
        notes.push(format!(
            "A year of short positions costs {}, of borrowed cash {}; free cash earns {}.",
            percent(borrow_rate),
            percent(margin_rate),
            percent(cash_rate)
        ));
    }
}

fn data(experiment: &ResolvedExperiment, notes: &mut Vec<String>) {
    let data = &experiment.config.data;
    if let Some(actions) = &data.corporate_actions {
        let seen = match actions.signals {
            SignalsConfig::Raw => "raw prices",
            SignalsConfig::Split => "prices adjusted for splits",
            SignalsConfig::TotalReturn => "prices adjusted for splits and dividends",
        };
        notes.push(format!(
            "Orders fill at raw prices and positions go through corporate actions; signals see {seen}, point in time."
        ));
    }
    if let Some(detail) = &experiment.data.detail {
        notes.push(format!("Bars of `{}` say how prices moved inside each bar, where there are any.", detail.interval));
    }
    if experiment.metrics.risk_free_annual != 0.0 {
        let rate = percent(experiment.metrics.risk_free_annual);
        notes.push(format!("Returns are measured against a risk-free rate of {rate} a year."));
    }
}

/// Shows a fraction in percent, to six decimals at most.
fn percent(fraction: f64) -> String {
    format!("{}%", (fraction * 1e8).round() / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_shows_no_rounding_error() {
        // 0.07 * 100 is 7.000000000000001.
        assert_eq!([0.07, 0.0025, 1.0].map(percent), ["7%", "0.25%", "100%"]);
    }
}
