//! The oracle's risk check: what a strategy asks for, approved or denied with the reason.

use tidegate_backtest::{
    AccountKind, CancelReason, DenialReason, Exits, FillTiming, Latency, OrderKind, OrderOrigin, OrderRequest,
    OrderStatus, PositionEffect, Replacement, TimeInForce, Trail,
};
use tidegate_market::Price;

use crate::oracle::{Ask, Case, Outcome, Paper, denied};
use crate::oracle_fill::remaining;

pub(crate) fn ask(case: &Case, o: &mut Outcome, step: usize) {
    for ask in &case.script[step] {
        if let Ask::Cancel(id) = *ask
            && id < o.orders.len()
        {
            o.cancel(id, CancelReason::Requested);
        }
    }
    for ask in &case.script[step] {
        match *ask {
            Ask::Cancel(_) => {}
            Ask::Order(request) => drop(submit(case, o, step, &request)),
            Ask::Pair(first, second) => {
                let pair = o.orders.len();
                for request in [first, second] {
                    let id = submit(case, o, step, &request);
                    o.orders[id].pair = Some(pair);
                }
            }
            Ask::Bracket(entry, exits) => bracket(case, o, step, &entry, &exits),
            Ask::Replace(id, replacement) => replace(case, o, step, id, &replacement),
        }
    }
}

fn submit(case: &Case, o: &mut Outcome, step: usize, request: &OrderRequest) -> usize {
    let state = objection(case, o, step, request, None).map_or(OrderStatus::Working, denied);
    push(case, o, step, request, state)
}

fn push(case: &Case, o: &mut Outcome, step: usize, request: &OrderRequest, state: OrderStatus) -> usize {
    let i = request.instrument.index();
    let from = works_from(case, o, i, case.close_time(step));
    let here = case.listed[i].rows[step].map(|row| row[3]);
    o.orders.push(Paper {
        instrument: i,
        sign: request.side.sign(),
        quantity: request.quantity.0,
        kind: request.kind,
        life: request.time_in_force,
        reduce: request.effect == PositionEffect::ReduceOnly,
        origin: OrderOrigin::Strategy,
        state,
        parent: None,
        pair: None,
        from,
        day: None,
        best: o.price[i],
        triggered: false,
        rested: false,
        entered: None,
        booked: here
            .filter(|_| request.kind == OrderKind::Market && case.config.fill == FillTiming::SameCloseBookedNext),
        filled: 0.0,
        traded: 0.0,
        charged: 0.0,
    });
    o.orders.len() - 1
}

/// The first bar of an instrument that an order made now works in, and the least time of its open.
pub(crate) fn works_from(case: &Case, o: &Outcome, i: usize, now: i64) -> (usize, i64) {
    match case.config.latency {
        Latency::None => (o.bars[i], 0),
        Latency::Bars(bars) => (o.bars[i] + bars.get() as usize, 0),
        Latency::Nanos(nanos) => (o.bars[i], now + nanos),
    }
}

/// A bracket is approved or denied as a whole.
fn bracket(case: &Case, o: &mut Outcome, step: usize, entry: &OrderRequest, exits: &Exits) {
    let reference = match entry.kind {
        OrderKind::Limit(price) | OrderKind::Stop(price) | OrderKind::StopLimit { limit: price, .. } => price.0,
        _ => o.price[entry.instrument.index()],
    };
    let kinds = [exits.stop_loss, exits.take_profit.map(OrderKind::Limit)];
    let legs: Vec<OrderRequest> = kinds
        .into_iter()
        .flatten()
        .map(|kind| OrderRequest {
            side: entry.side.opposite(),
            kind,
            time_in_force: TimeInForce::Gtc,
            effect: PositionEffect::ReduceOnly,
            ..*entry
        })
        .collect();
    // A stop is beyond the entry against it, a target beyond it in its favor.
    let is_right = |leg: &OrderRequest| match leg.kind {
        OrderKind::Limit(price) => (price.0 - reference) * entry.side.sign() > 0.0,
        OrderKind::Stop(price) | OrderKind::StopLimit { stop: price, .. } => {
            (reference - price.0) * entry.side.sign() > 0.0
        }
        kind => matches!(kind, OrderKind::TrailingStop(_)),
    };
    let is_bracket = legs.is_empty() || (legs.iter().all(is_right) && entry.effect == PositionEffect::Any);
    let reason = malformed(case, o, step, entry)
        .or((!is_bracket).then_some(DenialReason::Bracket))
        .or_else(|| breaks(case, o, entry, None));
    let parent = push(case, o, step, entry, reason.map_or(OrderStatus::Working, denied));
    for leg in legs {
        let state = match objection(case, o, step, &leg, None) {
            Some(spoiled) => denied(spoiled),
            None if reason.is_some() => OrderStatus::Cancelled(CancelReason::ParentEnded),
            None => OrderStatus::Held,
        };
        let id = push(case, o, step, &leg, state);
        o.orders[id].parent = Some(parent);
    }
}

/// Puts an order in the place of another; what is not changed stays as it was.
fn replace(case: &Case, o: &mut Outcome, step: usize, old: usize, change: &Replacement) {
    let Some(x) = o.orders.get(old).cloned() else { return };
    let left = change.quantity.map_or(x.quantity, |quantity| quantity.0) - x.filled;
    let request = OrderRequest {
        instrument: tidegate_market::InstrumentId(x.instrument as u32),
        side: if x.sign > 0.0 { tidegate_market::Side::Buy } else { tidegate_market::Side::Sell },
        quantity: tidegate_market::Quantity(left),
        kind: change.kind.unwrap_or(x.kind),
        time_in_force: change.time_in_force.unwrap_or(x.life),
        effect: if x.reduce { PositionEffect::ReduceOnly } else { PositionEffect::Any },
    };
    if x.ended() {
        push(case, o, step, &request, denied(DenialReason::NothingToReplace));
        return;
    }
    let objection = objection(case, o, step, &request, Some(old));
    let id = push(case, o, step, &request, objection.map_or(x.state, denied));
    if objection.is_some() {
        return;
    }
    let mine = &mut o.orders[id];
    if x.state == OrderStatus::Held {
        mine.state = OrderStatus::Held;
        mine.from = x.from;
    } else {
        mine.state = OrderStatus::Working;
    }
    mine.parent = x.parent;
    mine.pair = x.pair;
    // The legs wait for the new entry.
    for leg in &mut o.orders {
        if leg.parent == Some(old) {
            leg.parent = Some(id);
        }
    }
    o.cancel(old, CancelReason::Replaced);
}

fn objection(
    case: &Case,
    o: &Outcome,
    step: usize,
    request: &OrderRequest,
    replaced: Option<usize>,
) -> Option<DenialReason> {
    malformed(case, o, step, request).or_else(|| breaks(case, o, request, replaced))
}

fn malformed(case: &Case, o: &Outcome, step: usize, request: &OrderRequest) -> Option<DenialReason> {
    let i = request.instrument.index();
    let quantity = request.quantity.0;
    let prices: Vec<f64> = match request.kind {
        OrderKind::Limit(price) | OrderKind::Stop(price) => vec![price.0],
        OrderKind::StopLimit { stop, limit } => vec![stop.0, limit.0],
        _ => vec![],
    };
    let is_multiple =
        |value: f64, step: Option<f64>| step.is_none_or(|step| ((value / step).round() - value / step).abs() < 1e-6);
    let trail = match request.kind {
        OrderKind::TrailingStop(Trail::Absolute(distance)) => distance > 0.0 && distance.is_finite(),
        OrderKind::TrailingStop(Trail::Fraction(fraction)) => fraction > 0.0 && fraction < 1.0,
        _ => true,
    };
    if !(quantity.is_finite() && quantity > 0.0) {
        Some(DenialReason::Quantity)
    } else if !is_multiple(quantity, case.listed[i].lot) {
        Some(DenialReason::Lot)
    } else if !prices.iter().all(|price| price.is_finite() && *price > 0.0) {
        Some(DenialReason::Price)
    } else if !prices.iter().all(|&price| is_multiple(price, case.listed[i].tick)) {
        Some(DenialReason::Tick)
    } else if !trail {
        Some(DenialReason::Trail)
    } else if matches!(request.time_in_force, TimeInForce::Gtd(date) if date.nanos() <= case.close_time(step)) {
        Some(DenialReason::Expired)
    } else if o.delisted[i] {
        Some(DenialReason::Delisted)
    } else if o.bars[i] == 0 {
        Some(DenialReason::NoPrice)
    } else {
        None
    }
}

/// Whether an order would break a bound at the last closes, with waiting market orders taken as filled.
fn breaks(case: &Case, o: &Outcome, request: &OrderRequest, replaced: Option<usize>) -> Option<DenialReason> {
    if request.effect == PositionEffect::ReduceOnly {
        return None;
    }
    let mut expected = o.units.clone();
    for (id, x) in o.orders.iter().enumerate() {
        if !x.works() || !x.is_market() || Some(id) == replaced {
            continue;
        }
        let held = expected[x.instrument];
        if !x.reduce {
            expected[x.instrument] += x.sign * remaining(o, id);
        } else if held * x.sign < 0.0 {
            expected[x.instrument] += x.sign * remaining(o, id).min(held.abs());
        }
    }
    let i = request.instrument.index();
    let money = |i: usize, units: f64, price: f64| units.abs() * case.listed[i].multiplier * price * o.rate[i];
    let now: f64 = (0..expected.len()).map(|i| money(i, expected[i], o.price[i])).sum();
    let price = match request.kind {
        OrderKind::Limit(Price(price))
        | OrderKind::Stop(Price(price))
        | OrderKind::StopLimit { limit: Price(price), .. } => price,
        _ => o.price[i],
    };
    let before = expected[i];
    let after = before + request.side.sign() * request.quantity.0;
    let after = if after.abs() < 1e-9 { 0.0 } else { after };
    if after == 0.0 || (after * before > 0.0 && after.abs() <= before.abs()) {
        return None;
    }
    if case.config.account == AccountKind::Cash && after < 0.0 {
        return Some(DenialReason::ShortSale);
    }
    let then = now + money(i, after, price) - money(i, before, price);
    if then <= now {
        return None;
    }
    let worth = o.equity(case);
    let is_over = |bound: f64| then > bound * worth * (1.0 + 1e-9);
    if case.config.limits.gross_leverage_max.is_some_and(is_over) {
        return Some(DenialReason::GrossLeverageLimit);
    }
    let lent = match case.config.account {
        AccountKind::Unrestricted | AccountKind::CashAndShorts => return None,
        AccountKind::Cash => 1.0,
        AccountKind::Margin { initial, .. } => 1.0 / initial,
    };
    is_over(lent).then_some(DenialReason::BuyingPower)
}
