//! One fill of the oracle: how much, at which price, for which fee, and what follows from it.

use tidegate_backtest::{
    AccountKind, CancelReason, Commission, FillTiming, OrderKind, OrderOrigin, OrderStatus, Slippage, TimeInForce,
};
use tidegate_market::{Side, Timestamp};

use crate::oracle::{Case, OracleFill, Outcome, Paper};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    Open,
    Inside,
    Close,
    /// Ruin and delisting: whatever volume and limits say.
    Forced,
}

/// Fills what has a quote: orders that only take away first, then by instrument, then by age.
pub(crate) fn fill_all(
    case: &Case,
    o: &mut Outcome,
    step: usize,
    moment: Moment,
    quote: impl Fn(&Paper) -> Option<f64>,
) {
    let quotes: Vec<Option<f64>> = o.orders.iter().map(quote).collect();
    fill_listed(case, o, step, moment, &quotes);
}

pub(crate) fn fill_listed(case: &Case, o: &mut Outcome, step: usize, moment: Moment, quotes: &[Option<f64>]) {
    let mut list = Vec::new();
    for (id, quote) in quotes.iter().enumerate() {
        let x = &o.orders[id];
        if let (Some(quote), true) = (quote, x.works()) {
            let held = o.units[x.instrument];
            let closes = x.reduce || (held * x.sign < 0.0 && remaining(o, id) <= held.abs() * (1.0 + 1e-12));
            list.push((!closes, x.instrument, id, *quote));
        }
    }
    list.sort_by_key(|&(opens, instrument, id, _)| (opens, instrument, id));
    for (_, _, id, quote) in list {
        fill(case, o, step, id, quote, moment);
    }
}

/// Units that may still fill.
pub(crate) fn remaining(o: &Outcome, id: usize) -> f64 {
    o.orders[id].quantity - o.orders[id].filled
}

/// Units that the volume leaves.
pub(crate) fn room(case: &Case, o: &Outcome, step: usize, i: usize, moment: Moment) -> f64 {
    let Some(share) = case.config.volume_share_max.filter(|_| moment != Moment::Forced) else { return f64::INFINITY };
    let left = share * volume(case, o, step, i, moment) - o.taken[i];
    whole_lots(case, i, left.max(0.0))
}

fn volume(case: &Case, o: &Outcome, step: usize, i: usize, moment: Moment) -> f64 {
    match (moment, case.listed[i].rows[step]) {
        (Moment::Inside | Moment::Close, Some(row)) => row[4],
        _ => o.volume_before[i],
    }
}

fn whole_lots(case: &Case, i: usize, quantity: f64) -> f64 {
    case.listed[i].lot.map_or(quantity, |lot| (quantity / lot * (1.0 + 1e-12)).floor() * lot)
}

pub(crate) fn fill(case: &Case, o: &mut Outcome, step: usize, id: usize, quote: f64, moment: Moment) {
    let x = o.orders[id].clone();
    if !x.works() {
        return;
    }
    let i = x.instrument;
    o.price[i] = quote;
    let held = o.units[i];
    let asked = remaining(o, id);
    let mut whole = asked;
    if x.reduce {
        if held * x.sign >= 0.0 {
            o.cancel(id, CancelReason::NothingToReduce);
            return;
        }
        whole = whole.min(held.abs());
    }
    if case.config.account == AccountKind::Cash && x.sign < 0.0 && held <= 0.0 {
        o.cancel(id, CancelReason::NoRoomAtFill);
        return;
    }
    let offered = whole.min(room(case, o, step, i, moment));
    if offered <= whole * 1e-12 {
        return;
    }
    let quantity = fitting(case, o, &x, step, quote, offered, moment);
    if x.life == TimeInForce::Fok && quantity < asked * (1.0 - 1e-12) {
        o.cancel(id, CancelReason::NotImmediate);
        return;
    }
    if quantity <= offered * 1e-12 {
        o.cancel(id, CancelReason::NoRoomAtFill);
        return;
    }
    let price = worse(case, o, &x, step, quote, quantity, moment);
    let value = quantity * price * case.listed[i].multiplier * o.rate[i];
    let month = month_of(case, if x.booked.is_some() && moment == Moment::Open { o.last_step[i] } else { step });
    if o.month.0 != month {
        o.month = (month, 0.0);
    }
    let paid = fee(case, o, &x, quantity, value, moment);
    o.month.1 += value;
    o.cash -= x.sign * value + paid;
    o.units[i] += x.sign * quantity;
    o.taken[i] += quantity;
    if o.units[i].abs() < 1e-7 {
        o.units[i] = 0.0;
    }
    let is_booked = x.booked.is_some() && moment == Moment::Open;
    let bar = if is_booked || moment == Moment::Forced { o.last_step[i] } else { step };
    o.fills.push(OracleFill { order: id, units: x.sign * quantity, price, fee: paid, step: bar });
    let is_partial = quantity == offered && offered < whole * (1.0 - 1e-12);
    let mine = &mut o.orders[id];
    mine.filled += quantity;
    mine.triggered |= matches!(mine.kind, OrderKind::StopLimit { .. });
    mine.traded += value;
    mine.charged += paid;
    // A fill in part shows that the stop was reached.
    mine.triggered = true;
    mine.state = if is_partial { OrderStatus::PartiallyFilled } else { OrderStatus::Filled };
    follow(o, id, quantity, price, moment);
}

/// What a fill does to other orders.
fn follow(o: &mut Outcome, id: usize, quantity: f64, price: f64, moment: Moment) {
    let x = o.orders[id].clone();
    for other in 0..o.orders.len() {
        if other == id {
            continue;
        }
        let is_pair = x.pair.is_some() && o.orders[other].pair == x.pair;
        let is_sibling = x.parent.is_some() && o.orders[other].parent == x.parent && x.state == OrderStatus::Filled;
        if is_pair || is_sibling {
            o.cancel(other, CancelReason::OtherFilled);
        }
        let leg = &mut o.orders[other];
        if leg.parent == Some(id) && leg.works() {
            leg.quantity += quantity;
        }
        if leg.parent == Some(id) && leg.state == OrderStatus::Held {
            // It works for what has filled.
            leg.quantity = quantity;
            leg.state = OrderStatus::Working;
            leg.best = price;
            leg.entered = (moment == Moment::Inside).then_some(price);
        }
    }
    if o.units[x.instrument] == 0.0 {
        o.cancel_all(CancelReason::NothingToReduce, |y| y.works() && y.reduce && y.instrument == x.instrument);
    }
}

/// The largest quantity after which gross exposure is within the bound; taking away always fits. By bisection.
fn fitting(case: &Case, o: &Outcome, x: &Paper, step: usize, quote: f64, wanted: f64, moment: Moment) -> f64 {
    let i = x.instrument;
    let closing = (-x.sign * o.units[i]).clamp(0.0, wanted);
    if closing == wanted || moment == Moment::Forced {
        return wanted;
    }
    // A cash account holds nothing short.
    if case.config.account == AccountKind::Cash && x.sign < 0.0 {
        return closing;
    }
    let Some(bound) = bound(case) else { return wanted };
    let fits = |quantity: f64| {
        let mut then = o.clone();
        let price = worse(case, o, x, step, quote, quantity, moment);
        let value = quantity * price * case.listed[i].multiplier * o.rate[i];
        let month = month_of(case, if x.booked.is_some() && moment == Moment::Open { o.last_step[i] } else { step });
        if then.month.0 != month {
            then.month = (month, 0.0);
        }
        then.cash -= x.sign * value + fee(case, &then, x, quantity, value, moment);
        then.units[i] += x.sign * quantity;
        then.gross(case) <= bound * then.equity(case)
    };
    if fits(wanted) {
        return wanted;
    }
    let [mut low, mut high] = [closing, wanted];
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if fits(middle) { low = middle } else { high = middle }
    }
    whole_lots(case, i, low)
}

/// The bound on gross exposure over equity: the tighter of limit and account.
pub(crate) fn bound(case: &Case) -> Option<f64> {
    let lent = match case.config.account {
        AccountKind::Unrestricted | AccountKind::CashAndShorts => f64::INFINITY,
        AccountKind::Cash => 1.0,
        AccountKind::Margin { initial, .. } => 1.0 / initial,
    };
    let bound = case.config.limits.gross_leverage_max.unwrap_or(f64::INFINITY).min(lent);
    bound.is_finite().then_some(bound)
}

/// The price of a fill: limits have no slippage.
fn worse(case: &Case, o: &Outcome, x: &Paper, step: usize, quote: f64, quantity: f64, moment: Moment) -> f64 {
    if matches!(x.kind, OrderKind::Limit(_) | OrderKind::StopLimit { .. }) || x.origin == OrderOrigin::Delisting {
        return quote;
    }
    let lost = match case.config.slippage {
        Slippage::None => 0.0,
        Slippage::Bps(bps) => quote * bps.0 / 10_000.0,
        Slippage::HalfSpread(half) => half.0,
        Slippage::Ticks(ticks) => {
            ticks * case.listed[x.instrument].tick.expect("ticks are asked of those that have them")
        }
        Slippage::VolumeShare { impact, share_max } => {
            let volume = volume(case, o, step, x.instrument, moment);
            let share = if volume > 0.0 { (quantity / volume).min(share_max) } else { share_max };
            quote * impact * share * share
        }
        Slippage::SquareRootImpact { .. } => unreachable!("no case has it"),
    };
    let price = (quote + x.sign * lost).max(0.0);
    // A price with slippage is rounded to the tick, against the order.
    match case.listed[x.instrument].tick {
        Some(tick) if lost > 0.0 && x.sign > 0.0 => (price / tick - 1e-9).ceil() * tick,
        Some(tick) if lost > 0.0 => (price / tick + 1e-9).floor() * tick,
        _ => price,
    }
}

fn month_of(case: &Case, step: usize) -> i64 {
    let date = Timestamp::from_nanos(case.open_time(step)).to_string();
    let part = |range: std::ops::Range<usize>| date[range].parse::<i64>().expect("a number");
    12 * part(0..4) + part(5..7)
}

fn fee(case: &Case, o: &Outcome, x: &Paper, quantity: f64, value: f64, moment: Moment) -> f64 {
    if x.origin == OrderOrigin::Delisting {
        return 0.0;
    }
    match &case.config.commission {
        Commission::None => 0.0,
        Commission::Bps(bps) => value * bps.0 / 10_000.0,
        Commission::FixedPlusBps { .. } => unreachable!("no case has it"),
        Commission::Fixed(fee) => {
            if x.filled > 0.0 {
                0.0
            } else {
                fee.0
            }
        }
        Commission::PerShare { per_share, minimum, maximum_fraction } => {
            let most = maximum_fraction.map_or(f64::INFINITY, |fraction| fraction * (x.traded + value));
            let whole = ((x.filled + quantity) * per_share).max(*minimum).min(most);
            (whole - x.charged).max(0.0)
        }
        Commission::Tiered(tiers) => {
            // What the whole month would cost after the fill, less what it cost before.
            let cost = |traded: f64| {
                let mut cost = 0.0;
                for (place, tier) in tiers.iter().enumerate() {
                    let end = tiers.get(place + 1).map_or(f64::INFINITY, |next| next.from_value);
                    cost += (traded.min(end) - tier.from_value).max(0.0) * tier.bps.0 / 10_000.0;
                }
                cost
            };
            cost(o.month.1 + value) - cost(o.month.1)
        }
        Commission::MakerTaker { maker, taker } => {
            let is_limit =
                matches!(x.kind, OrderKind::Limit(_)) || (matches!(x.kind, OrderKind::StopLimit { .. }) && x.triggered);
            let bps = if is_limit && (x.rested || moment == Moment::Inside) { maker.0 } else { taker.0 };
            value * bps / 10_000.0
        }
    }
}

/// Adds an order that nobody asked for.
pub(crate) fn push_forced(
    case: &Case,
    o: &mut Outcome,
    i: usize,
    origin: OrderOrigin,
    side: Side,
    quantity: f64,
    step: usize,
) -> usize {
    // Without a bar at this step it fills at the next close.
    let is_booked = case.config.fill == FillTiming::SameCloseBookedNext && o.last_step[i] == step;
    o.orders.push(Paper {
        instrument: i,
        sign: side.sign(),
        quantity,
        kind: OrderKind::Market,
        life: TimeInForce::Gtc,
        reduce: origin == OrderOrigin::MarginCall,
        origin,
        state: OrderStatus::Working,
        parent: None,
        pair: None,
        from: (0, 0),
        day: None,
        best: o.price[i],
        triggered: false,
        rested: false,
        entered: None,
        booked: is_booked.then_some(o.price[i]),
        filled: 0.0,
        traded: 0.0,
        charged: 0.0,
    });
    o.orders.len() - 1
}

/// Closes a position at a price, whatever volume and limits say.
pub(crate) fn force(case: &Case, o: &mut Outcome, i: usize, origin: OrderOrigin, quote: f64) {
    if o.units[i] != 0.0 {
        let side = if o.units[i] > 0.0 { Side::Sell } else { Side::Buy };
        let quantity = o.units[i].abs();
        let step = o.last_step[i];
        let id = push_forced(case, o, i, origin, side, quantity, step);
        fill(case, o, step, id, quote, Moment::Forced);
    }
}
