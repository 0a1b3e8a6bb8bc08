//! What a backtest did, as columns: orders, fills, equity.

use std::borrow::Cow;

use tidegate_backtest::{
    CancelReason, Fill, FillMoment, Journal, Order, OrderKind, OrderOrigin, OrderStatus, TargetSizing,
};
use tidegate_market::{BarInterval, BarLabel, InstrumentId, Timestamp};

use super::column::{AuditStage, Column, Values};
use crate::dataset::Dataset;
use crate::resolve::ResolvedExperiment;

/// When bars open and close by their labels.
#[derive(Debug, Clone, Copy)]
pub(super) struct BarClock {
    label: BarLabel,
    interval: BarInterval,
}

impl BarClock {
    pub(super) fn of(dataset: &Dataset) -> Self {
        let bars = &dataset.bars[0];
        Self { label: bars.label(), interval: bars.interval() }
    }

    pub(super) fn open(self, label: Timestamp) -> Timestamp {
        match self.label {
            BarLabel::Open => label,
            BarLabel::Close => label.plus_nanos(-self.interval.nanos()),
        }
    }

    pub(super) fn close(self, label: Timestamp) -> Timestamp {
        match self.label {
            BarLabel::Open => label.plus_nanos(self.interval.nanos()),
            BarLabel::Close => label,
        }
    }
}

/// When a fill counts as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FillsKnown {
    /// When its bar has closed.
    AtClose,
    /// At its open, where it was there.
    AtOpen,
}

/// What is needed to read a journal.
pub(super) struct JournalView<'a> {
    pub(super) experiment: &'a ResolvedExperiment,
    pub(super) dataset: &'a Dataset,
    pub(super) journal: &'a Journal,
    pub(super) fills_known: FillsKnown,
    /// The moment by which things are compared.
    pub(super) known_by: Timestamp,
}

impl JournalView<'_> {
    /// Returns orders, fills and equity.
    pub(super) fn columns(&self) -> Vec<Column<'static>> {
        let mut columns = Vec::new();
        for (place, symbol) in self.dataset.symbols.iter().enumerate() {
            let instrument = InstrumentId(place as u32);
            columns.extend(self.orders(instrument, symbol));
            columns.extend(self.fills(instrument, symbol));
        }
        columns.extend(self.equity());
        columns
    }

    fn orders(&self, instrument: InstrumentId, symbol: &str) -> Vec<Column<'static>> {
        let clock = BarClock::of(self.dataset);
        let orders = || self.journal.orders.iter().filter(move |order| order.instrument == instrument);
        let label: Vec<Timestamp> = orders().map(|order| order.submitted_time).collect();
        let known: Vec<Timestamp> = label.iter().map(|&label| clock.close(label)).collect();
        let named = [
            ("request", Values::Texts(orders().map(|order| self.request(order)).collect())),
            ("quantity", Values::Numbers(orders().map(|order| self.quantity(order)).collect())),
            ("end", Values::Texts(orders().map(|order| self.end(order)).collect())),
        ];
        let column = |(name, values): (&str, Values<'static>)| Column {
            stage: AuditStage::Orders,
            name: name.to_owned(),
            symbol: Some(symbol.to_owned()),
            label: Cow::Owned(label.clone()),
            known: Cow::Owned(known.clone()),
            values,
        };
        named.into_iter().map(column).collect()
    }

    /// Returns what ended an order by the moment of comparison. The end of the data is no event.
    fn ended(&self, order: &Order) -> Option<Timestamp> {
        let ended = order.ended_time().filter(|_| !self.is_ended_by_the_data(order))?;
        (BarClock::of(self.dataset).close(ended) <= self.known_by).then_some(ended)
    }

    fn is_ended_by_the_data(&self, order: &Order) -> bool {
        match order.status {
            OrderStatus::Cancelled(CancelReason::DataEnded) => true,
            OrderStatus::Cancelled(CancelReason::ParentEnded) => {
                let parent = order.links().parent.map(|parent| &self.journal.orders[parent.index()]);
                parent.is_some_and(|parent| self.is_ended_by_the_data(parent))
            }
            _ => false,
        }
    }

    fn end(&self, order: &Order) -> String {
        match self.ended(order) {
            None => "working".to_owned(),
            Some(time) => {
                let filled = format!("{} at {:?}", order.filled_quantity.0, order.fill_price().map(|price| price.0));
                format!("{:?} at {time}, filled {filled}, commission {}", order.status, order.commission.0)
            }
        }
    }

    /// Returns what was asked for; a price that a later split may have changed is left out until the order has ended.
    fn request(&self, order: &Order) -> String {
        let kind = if self.ended(order).is_some() || !self.may_split(order) {
            format!("{:?}", order.kind)
        } else {
            kind_name(order.kind).to_owned()
        };
        format!(
            "number {} {:?} {kind} {:?} {:?} by {:?}, clipped by {:?}",
            order.id.0, order.side, order.time_in_force, order.effect, order.origin, order.clipped_by
        )
    }

    /// Returns the size; that of an order that a fill or a split to come may change is left out until the order has ended.
    fn quantity(&self, order: &Order) -> f64 {
        let sized_at_fill = order.origin == OrderOrigin::TargetWeight
            && matches!(self.experiment.backtest.sizing, TargetSizing::AtFill { .. });
        let settled = self.ended(order).is_some() || !(sized_at_fill || self.may_split(order));
        if settled { order.quantity.0 } else { f64::NAN }
    }

    fn may_split(&self, order: &Order) -> bool {
        !self.dataset.beside[order.instrument.index()].actions.is_empty()
            || self.experiment.data.corporate_actions.is_some()
    }

    fn fill_known(&self, fill: &Fill) -> Timestamp {
        let clock = BarClock::of(self.dataset);
        match (self.fills_known, fill.moment) {
            (FillsKnown::AtOpen, FillMoment::Open) => clock.open(fill.time),
            _ => clock.close(fill.time),
        }
    }

    fn fills(&self, instrument: InstrumentId, symbol: &str) -> Vec<Column<'static>> {
        let fills = || self.journal.fills.iter().filter(move |fill| fill.instrument == instrument);
        let label: Vec<Timestamp> = fills().map(|fill| fill.time).collect();
        let known: Vec<Timestamp> = fills().map(|fill| self.fill_known(fill)).collect();
        let numbers = |value: fn(&Fill) -> f64| Values::Numbers(fills().map(value).collect());
        let order = |fill: &Fill| format!("number {} {:?} {:?}", fill.order.0, fill.side, fill.moment);
        let named = [
            ("order", Values::Texts(fills().map(order).collect())),
            ("quantity", numbers(|fill| fill.quantity.0)),
            ("price", numbers(|fill| fill.price.0)),
            ("commission", numbers(|fill| fill.commission.0)),
            ("slippage", numbers(|fill| fill.slippage.0)),
            ("exchange rate", numbers(|fill| fill.fx_rate)),
        ];
        let column = |(name, values): (&str, Values<'static>)| Column {
            stage: AuditStage::Fills,
            name: name.to_owned(),
            symbol: Some(symbol.to_owned()),
            label: Cow::Owned(label.clone()),
            known: Cow::Owned(known.clone()),
            values,
        };
        named.into_iter().map(column).collect()
    }

    fn equity(&self) -> Vec<Column<'static>> {
        let (clock, equity) = (BarClock::of(self.dataset), &self.journal.equity);
        let flows = &self.journal.cash_flows;
        let flow_times: Vec<Timestamp> = flows.iter().map(|flow| flow.time).collect();
        let flow_kinds = flows.iter().map(|flow| format!("{:?}", flow.kind)).collect();
        let account = |name: &str, values: Vec<f64>| (name.to_owned(), equity.time().to_vec(), numbers(values));
        let named = [
            account("equity", equity.equity().to_vec()),
            account("cash", equity.cash()),
            account("gross exposure", equity.gross_exposure()),
            ("cash flow".to_owned(), flow_times.clone(), numbers(flows.iter().map(|flow| flow.amount.0).collect())),
            ("kind of cash flow".to_owned(), flow_times, Values::Texts(flow_kinds)),
        ];
        let column = |(name, label, values): (String, Vec<Timestamp>, Values<'static>)| Column {
            stage: AuditStage::Equity,
            name,
            symbol: None,
            known: label.iter().map(|&label| clock.close(label)).collect(),
            label: Cow::Owned(label),
            values,
        };
        named.into_iter().map(column).collect()
    }
}

fn numbers(values: Vec<f64>) -> Values<'static> {
    Values::Numbers(Cow::Owned(values))
}

const fn kind_name(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Market => "Market",
        OrderKind::MarketOnOpen => "MarketOnOpen",
        OrderKind::MarketOnClose => "MarketOnClose",
        OrderKind::Limit(_) => "Limit",
        OrderKind::Stop(_) => "Stop",
        OrderKind::StopLimit { .. } => "StopLimit",
        OrderKind::TrailingStop(_) => "TrailingStop",
    }
}
