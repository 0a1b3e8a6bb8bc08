//! The oracle inside a bar: what fills between open and close, and in which order.

use tidegate_backtest::{LimitFill, OrderKind, OrderStatus, PathModel, Trail};

use crate::oracle::{Case, Outcome, Paper};
use crate::oracle_fill::{Moment, fill, fill_listed};

pub(crate) fn trail_level(x: &Paper) -> f64 {
    match x.kind {
        OrderKind::TrailingStop(Trail::Absolute(distance)) => x.best + x.sign * distance,
        OrderKind::TrailingStop(Trail::Fraction(fraction)) => x.best * (1.0 + x.sign * fraction),
        _ => unreachable!("only trailing stops trail"),
    }
}

pub(crate) fn inside(case: &Case, o: &mut Outcome, step: usize, i: usize) {
    let row = case.listed[i].rows[step].expect("the instrument has a bar");
    let whole = [row[0], row[1], row[2], row[3]];
    match &case.listed[i].fine {
        None => walk(case, o, step, i, whole),
        Some(fine) => {
            for (place, bar) in fine[step].iter().enumerate() {
                if place > 0 {
                    reopen(case, o, step, i, bar[0]);
                }
                walk(case, o, step, i, *bar);
            }
        }
    }
}

fn walk(case: &Case, o: &mut Outcome, step: usize, i: usize, bar: [f64; 4]) {
    let acted = match case.config.path {
        PathModel::Pessimistic => {
            let is_touched = |&id: &usize| {
                let x = &o.orders[id];
                in_play(case, o, step, i, id) && acts_inside(x, bar[0]) && touches(case, x, bar)
            };
            let touched = (0..o.orders.len()).filter(is_touched).count();
            touched.max(pessimistic(case, o, step, i, bar))
        }
        PathModel::CloseOnly => unreachable!("no case has it"),
        PathModel::NearestExtreme => line(case, o, step, i, bar),
    };
    o.ambiguous += u64::from(acted > 1);
    for x in &mut o.orders {
        x.entered = None;
    }
}

/// The open of a finer bar: what it has reached fills there.
fn reopen(case: &Case, o: &mut Outcome, step: usize, i: usize, open: f64) {
    let mut quotes = vec![None; o.orders.len()];
    for (id, quote) in quotes.iter_mut().enumerate() {
        if !in_play(case, o, step, i, id) {
            continue;
        }
        if let OrderKind::StopLimit { stop, limit } = o.orders[id].kind {
            let x = &o.orders[id];
            o.orders[id].triggered |= x.reaches(open, stop.0) && !x.within(open, limit.0);
        }
        *quote = at_point(case, &o.orders[id], open, false).then_some(open);
    }
    follow_line(case, o, step, i, open);
    let held: Vec<usize> = (0..o.orders.len()).filter(|&id| o.orders[id].state == OrderStatus::Held).collect();
    fill_listed(case, o, step, Moment::Inside, &quotes);
    // A leg that its entry has gapped through fills at that open.
    let mut quotes = vec![None; o.orders.len()];
    for id in held {
        if in_play(case, o, step, i, id) && at_point(case, &o.orders[id], open, false) {
            quotes[id] = Some(open);
        }
    }
    fill_listed(case, o, step, Moment::Inside, &quotes);
    for x in &mut o.orders {
        x.entered = None;
    }
}

/// An order with a price of its own that works in this bar.
fn in_play(case: &Case, o: &Outcome, step: usize, i: usize, id: usize) -> bool {
    let x = &o.orders[id];
    x.instrument == i && !x.is_market() && case.is_active(o, x, step)
}

/// The price at which a stop-limit order that waits for its stop fills: where the stop is met, if that is within the limit.
fn marketable(x: &Paper, start: f64) -> Option<f64> {
    let OrderKind::StopLimit { stop, limit } = x.kind else { return None };
    let met = if x.reaches(start, stop.0) { start } else { stop.0 };
    x.within(met, limit.0).then_some(met)
}

/// Whether an order that the range touches may fill in it.
fn acts_inside(x: &Paper, open: f64) -> bool {
    let waits = matches!(x.kind, OrderKind::StopLimit { .. }) && !x.triggered;
    !waits || marketable(x, x.entered.unwrap_or(open)).is_some()
}

fn can_act(o: &Outcome, id: usize, before: Option<f64>) -> bool {
    let x = &o.orders[id];
    let held = o.units[x.instrument];
    let is_limit =
        matches!(x.kind, OrderKind::Limit(_)) || (matches!(x.kind, OrderKind::StopLimit { .. }) && x.triggered);
    let has_position = !x.reduce || held * x.sign < 0.0;
    // A limit order does not take profit on a position that this very range opened.
    let was_there = !x.reduce || !is_limit || before.is_none_or(|before| before * held > 0.0 && x.entered.is_none());
    has_position && was_there
}

/// Whether the price of an order lies in the range or was passed by its open.
fn touches(case: &Case, x: &Paper, [open, high, low, _]: [f64; 4]) -> bool {
    let _ = open;
    let [best, worst] = if x.sign > 0.0 { [low, high] } else { [high, low] };
    match x.kind {
        _ if x.is_rest() => false,
        OrderKind::Limit(limit) => limit_reached(case, x, best, limit.0),
        OrderKind::StopLimit { limit, .. } if x.triggered => limit_reached(case, x, best, limit.0),
        OrderKind::Stop(stop) | OrderKind::StopLimit { stop, .. } => x.reaches(worst, stop.0),
        OrderKind::TrailingStop(_) => x.reaches(worst, trail_level(x)),
        _ => false,
    }
}

fn limit_reached(case: &Case, x: &Paper, price: f64, limit: f64) -> bool {
    let is_at_it = case.config.limit_fill == LimitFill::Penetrate && price == limit;
    x.within(price, limit) && !is_at_it
}

/// Whether an order can act at one price.
pub(crate) fn at_point(case: &Case, x: &Paper, price: f64, penetrates: bool) -> bool {
    match x.kind {
        _ if x.is_rest() => true,
        OrderKind::Limit(limit) => x.within(price, limit.0) && (!penetrates || limit_reached(case, x, price, limit.0)),
        OrderKind::StopLimit { limit, .. } if x.triggered => {
            x.within(price, limit.0) && (!penetrates || limit_reached(case, x, price, limit.0))
        }
        OrderKind::StopLimit { stop, limit } => x.reaches(price, stop.0) && x.within(price, limit.0),
        OrderKind::Stop(stop) => x.reaches(price, stop.0),
        OrderKind::TrailingStop(_) => x.reaches(price, trail_level(x)),
        _ => false,
    }
}

/// The worst comes first: stops, then limits that may open, then limits that only take profit.
fn pessimistic(case: &Case, o: &mut Outcome, step: usize, i: usize, bar: [f64; 4]) -> usize {
    let [open, high, low, close] = bar;
    let before = o.units[i];
    let mut tried = Vec::new();
    loop {
        let mut first: Option<(i32, f64, usize, f64)> = None;
        for id in 0..o.orders.len() {
            let x = &o.orders[id];
            let touched = in_play(case, o, step, i, id) && touches(case, x, bar);
            if !touched || tried.contains(&id) || !can_act(o, id, Some(before)) {
                continue;
            }
            let (class, price) = match x.kind {
                OrderKind::Limit(limit) => (1 + i32::from(x.reduce), limit.0),
                OrderKind::StopLimit { limit, .. } if x.triggered => (1 + i32::from(x.reduce), limit.0),
                OrderKind::StopLimit { .. } => match marketable(x, x.entered.unwrap_or(open)) {
                    Some(met) => (0, met),
                    None => continue,
                },
                OrderKind::Stop(stop) => (0, stop.0),
                _ => (0, trail_level(x)),
            };
            // What the start has passed already fills at the start: the open, or the price of the entry.
            let start = x.entered.unwrap_or(open);
            let quote = if at_point(case, x, start, true) { start } else { price };
            let candidate = (class, (quote - open).abs(), id, quote);
            if first.is_none_or(|found| (candidate.0, candidate.1, id) < (found.0, found.1, found.2)) {
                first = Some(candidate);
            }
        }
        let Some((_, _, id, quote)) = first else { break };
        tried.push(id);
        fill(case, o, step, id, quote, Moment::Inside);
    }
    for id in 0..o.orders.len() {
        let x = o.orders[id].clone();
        if !in_play(case, o, step, i, id) {
            continue;
        }
        if let OrderKind::StopLimit { .. } = x.kind {
            o.orders[id].triggered |= touches(case, &x, bar);
        }
        if let OrderKind::TrailingStop(_) = x.kind
            && !x.is_rest()
        {
            // Of the prices after an entry inside the bar only the close is known.
            let [lowest, highest] = if x.entered.is_some() { [close, close] } else { [low, high] };
            o.orders[id].best = if x.sign > 0.0 { x.best.min(lowest) } else { x.best.max(highest) };
            let moved = &o.orders[id];
            if !moved.is_rest()
                && !tried.contains(&id)
                && moved.reaches(close, trail_level(moved))
                && can_act(o, id, None)
            {
                fill(case, o, step, id, close, Moment::Inside);
            }
        }
    }
    tried.len()
}

/// Straight lines from the open to the nearer extreme, to the other, to the close.
fn line(case: &Case, o: &mut Outcome, step: usize, i: usize, [open, high, low, close]: [f64; 4]) -> usize {
    let mut tried = Vec::new();
    let corners = if high - open < open - low { [high, low, close] } else { [low, high, close] };
    let mut at = open;
    follow_line(case, o, step, i, open);
    for corner in corners {
        loop {
            let mut first: Option<((f64, bool, usize), f64)> = None;
            for id in 0..o.orders.len() {
                let waits = matches!(o.orders[id].kind, OrderKind::StopLimit { .. }) && !o.orders[id].triggered;
                if tried.contains(&id) || !in_play(case, o, step, i, id) || !(waits || can_act(o, id, None)) {
                    continue;
                }
                let Some(price) = next_price(case, &o.orders[id], at, corner) else { continue };
                let is_limit = matches!(o.orders[id].kind, OrderKind::Limit(_)) || o.orders[id].triggered;
                let key = ((price - at).abs(), is_limit, id);
                if first.is_none_or(|(found, _)| key < found) {
                    first = Some((key, price));
                }
            }
            let Some(((_, _, id), price)) = first else { break };
            at = price;
            follow_line(case, o, step, i, at);
            let x = &o.orders[id];
            if let OrderKind::StopLimit { limit, .. } = x.kind
                && !x.triggered
            {
                if x.within(at, limit.0) && can_act(o, id, None) {
                    tried.push(id);
                    fill(case, o, step, id, at, Moment::Inside);
                }
                o.orders[id].triggered = true;
                continue;
            }
            tried.push(id);
            fill(case, o, step, id, at, Moment::Inside);
        }
        at = corner;
        follow_line(case, o, step, i, at);
    }
    tried.len()
}

/// Moves trailing stops by a price that was certainly seen.
pub(crate) fn follow_line(case: &Case, o: &mut Outcome, step: usize, i: usize, at: f64) {
    for id in 0..o.orders.len() {
        if in_play(case, o, step, i, id) {
            let x = &mut o.orders[id];
            x.best = if x.sign > 0.0 { x.best.min(at) } else { x.best.max(at) };
        }
    }
}

/// The price at which an order acts next on the way from one price to another.
fn next_price(case: &Case, x: &Paper, at: f64, to: f64) -> Option<f64> {
    if x.is_rest() {
        return None;
    }
    let is_between = |price: f64| (at.min(to)..=at.max(to)).contains(&price);
    let (price, reached_now) = match x.kind {
        OrderKind::Limit(limit) => (limit.0, limit_reached(case, x, at, limit.0)),
        OrderKind::StopLimit { limit, .. } if x.triggered => (limit.0, limit_reached(case, x, at, limit.0)),
        OrderKind::StopLimit { stop, .. } | OrderKind::Stop(stop) => (stop.0, x.reaches(at, stop.0)),
        _ => (trail_level(x), x.reaches(at, trail_level(x))),
    };
    if reached_now {
        return Some(at);
    }
    let is_limit =
        matches!(x.kind, OrderKind::Limit(_)) || (matches!(x.kind, OrderKind::StopLimit { .. }) && x.triggered);
    let reached_then = match x.kind {
        _ if is_limit => limit_reached(case, x, to, price),
        _ => x.reaches(to, price),
    };
    (is_between(price) && reached_then).then_some(price)
}
