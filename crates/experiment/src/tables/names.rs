//! The words that tables use for what the journal counts.

use tidegate_backtest::{
    CancelReason, CashFlowKind, DenialReason, FillMoment, Liquidity, OrderKind, OrderOrigin, OrderStatus,
    PositionEffect, TimeInForce,
};
use tidegate_market::Side;

pub(super) const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

pub(super) const fn order_kind(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Market => "market",
        OrderKind::MarketOnOpen => "market_on_open",
        OrderKind::MarketOnClose => "market_on_close",
        OrderKind::Limit(_) => "limit",
        OrderKind::Stop(_) => "stop",
        OrderKind::StopLimit { .. } => "stop_limit",
        OrderKind::TrailingStop(_) => "trailing_stop",
    }
}

pub(super) const fn time_in_force(life: TimeInForce) -> &'static str {
    match life {
        TimeInForce::Gtc => "gtc",
        TimeInForce::Day => "day",
        TimeInForce::Gtd(_) => "gtd",
        TimeInForce::Ioc => "ioc",
        TimeInForce::Fok => "fok",
    }
}

pub(super) const fn effect(effect: PositionEffect) -> &'static str {
    match effect {
        PositionEffect::Any => "any",
        PositionEffect::ReduceOnly => "reduce_only",
    }
}

pub(super) const fn origin(origin: OrderOrigin) -> &'static str {
    match origin {
        OrderOrigin::Strategy => "strategy",
        OrderOrigin::TargetWeight => "target_weight",
        OrderOrigin::DrawdownStop => "drawdown_stop",
        OrderOrigin::Ruin => "ruin",
        OrderOrigin::MarginCall => "margin_call",
        OrderOrigin::SessionEnd => "session_end",
        OrderOrigin::Delisting => "delisting",
        OrderOrigin::DailyLossStop => "daily_loss_stop",
        OrderOrigin::LosingTradesStop => "losing_trades_stop",
        OrderOrigin::DataEnd => "data_end",
    }
}

pub(super) const fn liquidity(liquidity: Liquidity) -> &'static str {
    match liquidity {
        Liquidity::Maker => "maker",
        Liquidity::Taker => "taker",
    }
}

pub(super) const fn moment(moment: FillMoment) -> &'static str {
    match moment {
        FillMoment::Open => "open",
        FillMoment::Inside => "inside",
        FillMoment::Close => "close",
    }
}

pub(super) const fn cash_flow_kind(kind: CashFlowKind) -> &'static str {
    match kind {
        CashFlowKind::Dividend => "dividend",
        CashFlowKind::CashInterest => "cash_interest",
        CashFlowKind::BorrowFee => "borrow_fee",
        CashFlowKind::MarginInterest => "margin_interest",
        CashFlowKind::Funding => "funding",
    }
}

pub(super) const fn status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Held => "held",
        OrderStatus::Working => "working",
        OrderStatus::PartiallyFilled => "partially_filled",
        OrderStatus::Filled => "filled",
        OrderStatus::Cancelled(_) => "cancelled",
        OrderStatus::Denied(_) => "denied",
    }
}

/// Returns why an order ended without a fill; empty when it did not.
pub(super) const fn reason(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Held | OrderStatus::Working | OrderStatus::PartiallyFilled | OrderStatus::Filled => "",
        OrderStatus::Cancelled(reason) => match reason {
            CancelReason::Requested => "requested",
            CancelReason::DayEnded => "day_ended",
            CancelReason::Halted => "halted",
            CancelReason::NothingToReduce => "nothing_to_reduce",
            CancelReason::NoRoomAtFill => "no_room_at_fill",
            CancelReason::DataEnded => "data_ended",
            CancelReason::Replaced => "replaced",
            CancelReason::Expired => "expired",
            CancelReason::NotImmediate => "not_immediate",
            CancelReason::OtherFilled => "other_filled",
            CancelReason::ParentEnded => "parent_ended",
            CancelReason::Delisted => "delisted",
            CancelReason::MarginCall => "margin_call",
            CancelReason::SessionEnded => "session_ended",
            CancelReason::DailyLoss => "daily_loss",
        },
        OrderStatus::Denied(reason) => denial(reason),
    }
}

/// Names a limit or a rule that an order broke.
pub(super) const fn denial(reason: DenialReason) -> &'static str {
    match reason {
        DenialReason::Quantity => "quantity",
        DenialReason::Lot => "lot",
        DenialReason::Price => "price",
        DenialReason::Weight => "weight",
        DenialReason::NoPrice => "no_price",
        DenialReason::WeightLimit => "weight_limit",
        DenialReason::GrossLeverageLimit => "gross_leverage_limit",
        DenialReason::NetLeverageLimit => "net_leverage_limit",
        DenialReason::PositionsLimit => "positions_limit",
        DenialReason::Tick => "tick",
        DenialReason::Trail => "trail",
        DenialReason::Expired => "expired",
        DenialReason::Bracket => "bracket",
        DenialReason::ShortSale => "short_sale",
        DenialReason::BuyingPower => "buying_power",
        DenialReason::GroupLimit => "group_limit",
        DenialReason::TurnoverLimit => "turnover_limit",
        DenialReason::DailyLoss => "daily_loss",
        DenialReason::Delisted => "delisted",
        DenialReason::NothingToReplace => "nothing_to_replace",
    }
}
