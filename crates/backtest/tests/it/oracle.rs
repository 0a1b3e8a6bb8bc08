//! The rules once more, from their documentation: slow, naive, without a line of the engine. Everything is recomputed whenever it is
//! needed. Only the nouns of the public interface are shared: an order kind, a reason, a commission's parameters.
//!
//! All instruments share one grid of steps. Orders lie in one list, quantities are found by bisection, equity is a sum.

use tidegate_backtest::{
    AccountKind, BacktestConfig, CancelReason, CashFlowKind, DenialReason, Exits, FillTiming, OrderKind, OrderOrigin,
    OrderRequest, OrderStatus, Replacement, TimeInForce, Trail,
};
use tidegate_market::{CorporateActionKind, Price, Side};

use crate::{oracle_ask, oracle_fill, oracle_inside};

pub(crate) const HOUR: i64 = 3_600_000_000_000;

/// What a script asks for after a step.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Order(OrderRequest),
    Bracket(OrderRequest, Exits),
    Pair(OrderRequest, OrderRequest),
    Cancel(usize),
    Replace(usize, Replacement),
}

/// Open, high, low, close, volume.
pub(crate) type Row = [f64; 5];

/// An instrument with everything that happens to it; times are in steps, of rates in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listed {
    pub(crate) rows: Vec<Option<Row>>,
    /// The finer bars of a step, where there are any.
    pub(crate) fine: Option<Vec<[[f64; 4]; 2]>>,
    pub(crate) lot: Option<f64>,
    pub(crate) tick: Option<f64>,
    pub(crate) multiplier: f64,
    pub(crate) actions: Vec<(usize, CorporateActionKind)>,
    pub(crate) fx: Vec<(i64, f64)>,
    pub(crate) funding: Vec<(i64, f64)>,
}

impl Listed {
    pub(crate) fn rate(&self, time: i64) -> f64 {
        self.fx.iter().rev().find(|&&(known, _)| known <= time).map_or(1.0, |&(_, rate)| rate)
    }

    fn last_step(&self) -> usize {
        self.rows.iter().rposition(Option::is_some).expect("an instrument has bars")
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) listed: Vec<Listed>,
    /// Length of a step; a day has 24.
    pub(crate) hours: i64,
    pub(crate) config: BacktestConfig,
    pub(crate) script: Vec<Vec<Ask>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Paper {
    pub(crate) instrument: usize,
    pub(crate) sign: f64,
    pub(crate) quantity: f64,
    pub(crate) kind: OrderKind,
    pub(crate) life: TimeInForce,
    pub(crate) reduce: bool,
    pub(crate) origin: OrderOrigin,
    pub(crate) state: OrderStatus,
    pub(crate) parent: Option<usize>,
    pub(crate) pair: Option<usize>,
    /// The first bar of its instrument that it works in, and the least time of that bar's open.
    pub(crate) from: (usize, i64),
    pub(crate) day: Option<i64>,
    /// The best price since it was made, for a trailing stop.
    pub(crate) best: f64,
    /// Whether its stop was reached.
    pub(crate) triggered: bool,
    /// Whether it has waited in the book.
    pub(crate) rested: bool,
    /// The price at which its entry filled in the current bar.
    pub(crate) entered: Option<f64>,
    /// The close that it has and the next open books.
    pub(crate) booked: Option<f64>,
    pub(crate) filled: f64,
    pub(crate) traded: f64,
    pub(crate) charged: f64,
}

impl Paper {
    pub(crate) fn works(&self) -> bool {
        matches!(self.state, OrderStatus::Working | OrderStatus::PartiallyFilled)
    }

    pub(crate) fn ended(&self) -> bool {
        !self.works() && self.state != OrderStatus::Held
    }

    /// Whether it is what a stop has left, which fills at the next open.
    pub(crate) fn is_rest(&self) -> bool {
        self.filled > 0.0 && matches!(self.kind, OrderKind::Stop(_) | OrderKind::TrailingStop(_))
    }

    pub(crate) fn is_market(&self) -> bool {
        matches!(self.kind, OrderKind::Market | OrderKind::MarketOnOpen | OrderKind::MarketOnClose)
    }

    pub(crate) fn is_immediate(&self) -> bool {
        matches!(self.life, TimeInForce::Ioc | TimeInForce::Fok)
    }

    /// Whether a price is at the limit or better.
    pub(crate) fn within(&self, price: f64, limit: f64) -> bool {
        if self.sign > 0.0 { price <= limit } else { price >= limit }
    }

    /// Whether a price is at the stop or beyond.
    pub(crate) fn reaches(&self, price: f64, stop: f64) -> bool {
        if self.sign > 0.0 { price >= stop } else { price <= stop }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct OracleFill {
    pub(crate) order: usize,
    pub(crate) units: f64,
    pub(crate) price: f64,
    pub(crate) fee: f64,
    pub(crate) step: usize,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) orders: Vec<Paper>,
    pub(crate) fills: Vec<OracleFill>,
    pub(crate) equity: Vec<f64>,
    pub(crate) cash: f64,
    pub(crate) units: Vec<f64>,
    /// Step, instrument, kind, amount.
    pub(crate) flows: Vec<(usize, Option<usize>, CashFlowKind, f64)>,
    pub(crate) margin_calls: Vec<usize>,
    pub(crate) ambiguous: u64,
    pub(crate) ruined: bool,
    pub(crate) price: Vec<f64>,
    pub(crate) rate: Vec<f64>,
    /// Closed bars.
    pub(crate) bars: Vec<usize>,
    pub(crate) last_step: Vec<usize>,
    pub(crate) volume_before: Vec<f64>,
    pub(crate) taken: Vec<f64>,
    pub(crate) delisted: Vec<bool>,
    pub(crate) month: (i64, f64),
}

impl Outcome {
    /// Ends an order; the legs of an entry that has not filled end with it.
    pub(crate) fn cancel(&mut self, id: usize, reason: CancelReason) {
        if self.orders[id].ended() {
            return;
        }
        self.orders[id].state = OrderStatus::Cancelled(reason);
        self.orphan(id);
    }

    pub(crate) fn orphan(&mut self, id: usize) {
        for leg in 0..self.orders.len() {
            if self.orders[leg].parent == Some(id) && self.orders[leg].state == OrderStatus::Held {
                self.orders[leg].state = OrderStatus::Cancelled(CancelReason::ParentEnded);
            }
        }
    }

    pub(crate) fn cancel_all(&mut self, reason: CancelReason, which: impl Fn(&Paper) -> bool) {
        // Working orders first: what waits for them ends with them.
        for held in [false, true] {
            for id in 0..self.orders.len() {
                if (self.orders[id].state == OrderStatus::Held) == held && which(&self.orders[id]) {
                    self.cancel(id, reason);
                }
            }
        }
    }

    pub(crate) fn equity(&self, case: &Case) -> f64 {
        self.cash + (0..self.units.len()).map(|i| self.value(case, i)).sum::<f64>()
    }

    pub(crate) fn gross(&self, case: &Case) -> f64 {
        (0..self.units.len()).map(|i| self.value(case, i).abs()).sum()
    }

    pub(crate) fn value(&self, case: &Case, i: usize) -> f64 {
        self.units[i] * case.listed[i].multiplier * self.price[i] * self.rate[i]
    }
}

impl Case {
    pub(crate) fn open_time(&self, step: usize) -> i64 {
        step as i64 * self.hours * HOUR
    }

    pub(crate) fn close_time(&self, step: usize) -> i64 {
        self.open_time(step + 1)
    }

    /// Whether an order works in an instrument's next bar, which opens at this step.
    pub(crate) fn is_active(&self, o: &Outcome, x: &Paper, step: usize) -> bool {
        x.works() && o.bars[x.instrument] >= x.from.0 && self.open_time(step) >= x.from.1
    }

    fn fills_at_close(&self, x: &Paper) -> bool {
        match x.kind {
            OrderKind::MarketOnClose => true,
            OrderKind::Market => matches!(self.config.fill, FillTiming::NextClose | FillTiming::SameClose),
            _ => false,
        }
    }
}

pub(crate) fn replay(case: &Case) -> Outcome {
    let count = case.listed.len();
    let mut o = Outcome {
        cash: case.config.initial_cash.0,
        units: vec![0.0; count],
        price: vec![0.0; count],
        rate: vec![1.0; count],
        bars: vec![0; count],
        last_step: vec![0; count],
        volume_before: vec![0.0; count],
        taken: vec![0.0; count],
        delisted: vec![false; count],
        ..Outcome::default()
    };
    let mut before = None;
    for step in 0..case.script.len() {
        let here: Vec<usize> = (0..count).filter(|&i| case.listed[i].rows[step].is_some()).collect();
        // A step at which nothing trades does not exist.
        if here.is_empty() {
            continue;
        }
        if let Some(before) = before {
            finance(case, &mut o, before, step);
        }
        act(case, &mut o, before, step);
        open(case, &mut o, step, &here);
        for &i in &here {
            oracle_inside::inside(case, &mut o, step, i);
        }
        close(case, &mut o, step, &here);
        o.equity.push(o.equity(case));
        if o.equity(case) <= 0.0 {
            ruin(case, &mut o);
            break;
        }
        margin_call(case, &mut o, step);
        // The broker does not wait for the strategy.
        same_close(case, &mut o, step, &here);
        oracle_ask::ask(case, &mut o, step);
        same_close(case, &mut o, step, &here);
        if o.equity(case) <= 0.0 {
            ruin(case, &mut o);
            break;
        }
        before = Some(step);
    }
    if !o.ruined && case.listed.iter().any(|listed| !listed.actions.is_empty()) {
        // Nothing opens any more, but what was delisted after its last bar is paid out.
        act(case, &mut o, before, case.script.len());
        *o.equity.last_mut().expect("a run has a bar") = o.equity(case);
    }
    o.cancel_all(CancelReason::DataEnded, |_| true);
    o
}

/// Fills market orders at the close of their decision, where the timing says so.
fn same_close(case: &Case, o: &mut Outcome, step: usize, here: &[usize]) {
    if case.config.fill != FillTiming::SameClose {
        return;
    }
    let is_due = |x: &Paper| x.works() && x.kind == OrderKind::Market && here.contains(&x.instrument);
    oracle_fill::fill_all(case, o, step, oracle_fill::Moment::Close, |x| {
        let close = case.listed[x.instrument].rows[step].map(|row| row[3]);
        close.filter(|_| is_due(x))
    });
    o.cancel_all(CancelReason::NotImmediate, |x| is_due(x) && x.is_immediate());
    *o.equity.last_mut().expect("pushed") = o.equity(case);
}

/// Interest and fees for the time since the last close, on what was held and worth then.
fn finance(case: &Case, o: &mut Outcome, before: usize, step: usize) {
    let [from, to] = [case.close_time(before), case.close_time(step)];
    let years = (to - from) as f64 / (365 * 24 * HOUR) as f64;
    let rates = case.config.financing;
    let values: Vec<f64> = (0..o.units.len()).map(|i| o.value(case, i)).collect();
    let short: f64 = values.iter().map(|value| (-value).max(0.0)).sum();
    let cash = o.cash;
    let mut flows = vec![
        (None, CashFlowKind::MarginInterest, -rates.margin_rate * years * (-cash).max(0.0)),
        (None, CashFlowKind::CashInterest, rates.cash_rate * years * (cash - short).max(0.0)),
    ];
    for (i, value) in values.iter().enumerate() {
        flows.push((Some(i), CashFlowKind::BorrowFee, -rates.borrow_rate * years * (-value).max(0.0)));
        for &(due, rate) in &case.listed[i].funding {
            if from < due && due <= to {
                flows.push((Some(i), CashFlowKind::Funding, -rate * value));
            }
        }
    }
    for (instrument, kind, amount) in flows {
        if amount != 0.0 {
            o.cash += amount;
            o.flows.push((step, instrument, kind, amount));
        }
    }
}

/// Corporate actions that take effect between the last step and this one.
fn act(case: &Case, o: &mut Outcome, before: Option<usize>, step: usize) {
    for i in 0..case.listed.len() {
        let listed = &case.listed[i];
        let rank = |kind: &CorporateActionKind| match kind {
            CorporateActionKind::Split { .. } => 0,
            CorporateActionKind::Dividend { .. } => 1,
            CorporateActionKind::Delisting { .. } => 2,
        };
        let mut actions = listed.actions.clone();
        actions.sort_by_key(|(at, kind)| (*at, rank(kind)));
        for (at, kind) in actions {
            // The first bar that opens at or after the action.
            let bar = (at..listed.rows.len()).find(|&later| listed.rows[later].is_some());
            let is_now = bar == Some(step);
            match kind {
                CorporateActionKind::Split { ratio } if is_now => split(o, i, ratio),
                CorporateActionKind::Dividend { amount } if is_now && o.units[i] != 0.0 => {
                    let paid = o.units[i] * listed.multiplier * amount * o.rate[i];
                    o.cash += paid;
                    o.flows.push((step, Some(i), CashFlowKind::Dividend, paid));
                }
                CorporateActionKind::Delisting { price }
                    if !o.delisted[i] && before.is_some() && step > listed.last_step() =>
                {
                    o.delisted[i] = true;
                    o.cancel_all(CancelReason::Delisted, |x| x.instrument == i);
                    let quote = price.map_or(o.price[i], |price| price.0);
                    oracle_fill::force(case, o, i, OrderOrigin::Delisting, quote);
                    o.price[i] = quote;
                }
                _ => {}
            }
        }
    }
}

fn split(o: &mut Outcome, i: usize, ratio: f64) {
    o.units[i] *= ratio;
    o.price[i] /= ratio;
    o.volume_before[i] *= ratio;
    let over = |price: Price| Price(price.0 / ratio);
    for x in o.orders.iter_mut().filter(|x| x.instrument == i) {
        x.filled *= ratio;
        if x.ended() {
            continue;
        }
        x.quantity *= ratio;
        x.best /= ratio;
        x.booked = x.booked.map(|close| close / ratio);
        x.kind = match x.kind {
            OrderKind::Limit(price) => OrderKind::Limit(over(price)),
            OrderKind::Stop(price) => OrderKind::Stop(over(price)),
            OrderKind::StopLimit { stop, limit } => OrderKind::StopLimit { stop: over(stop), limit: over(limit) },
            OrderKind::TrailingStop(Trail::Absolute(distance)) => {
                OrderKind::TrailingStop(Trail::Absolute(distance / ratio))
            }
            kind => kind,
        };
    }
}

fn open(case: &Case, o: &mut Outcome, step: usize, here: &[usize]) {
    let now = case.open_time(step);
    let today = now.div_euclid(24 * HOUR);
    for &i in here {
        o.price[i] = case.listed[i].rows[step].expect("here")[0];
        o.rate[i] = case.listed[i].rate(now);
        o.taken[i] = 0.0;
        for id in 0..o.orders.len() {
            o.orders[id].entered = None;
            let x = o.orders[id].clone();
            if x.instrument != i || x.ended() {
                continue;
            }
            if matches!(x.life, TimeInForce::Gtd(date) if now >= date.nanos()) {
                o.cancel(id, CancelReason::Expired);
            }
            if x.life == TimeInForce::Day && case.is_active(o, &x, step) {
                match x.day {
                    Some(day) if day != today => o.cancel(id, CancelReason::DayEnded),
                    _ => o.orders[id].day = Some(today),
                }
            }
        }
    }
    // A stop-limit order whose stop the open has reached fills there or is a limit order from then on.
    for id in 0..o.orders.len() {
        let x = o.orders[id].clone();
        if let OrderKind::StopLimit { stop, limit } = x.kind
            && here.contains(&x.instrument)
            && case.is_active(o, &x, step)
            && x.reaches(o.price[x.instrument], stop.0)
            && !x.within(o.price[x.instrument], limit.0)
        {
            o.orders[id].triggered = true;
        }
    }
    let active: Vec<usize> = (0..o.orders.len())
        .filter(|&id| here.contains(&o.orders[id].instrument) && case.is_active(o, &o.orders[id], step))
        .collect();
    let held: Vec<usize> = (0..o.orders.len()).filter(|&id| o.orders[id].state == OrderStatus::Held).collect();
    let at_open: Vec<Option<f64>> = o.orders.iter().map(|x| quote_at_open(case, o, x, step)).collect();
    for &i in here {
        oracle_inside::follow_line(case, o, step, i, o.price[i]);
    }
    oracle_fill::fill_listed(case, o, step, oracle_fill::Moment::Open, &at_open);
    // A leg that its entry has gapped through fills at that open.
    let gapped: Vec<Option<f64>> = (0..o.orders.len())
        .map(|id| {
            let x = &o.orders[id];
            let is_new = held.contains(&id) && x.works();
            quote_at_open(case, o, x, step).filter(|_| is_new)
        })
        .collect();
    oracle_fill::fill_listed(case, o, step, oracle_fill::Moment::Open, &gapped);
    for &i in here {
        o.last_step[i] = step;
    }
    for &id in &active {
        let x = &o.orders[id];
        if x.is_immediate() && !case.fills_at_close(x) {
            o.cancel(id, CancelReason::NotImmediate);
        }
        o.orders[id].rested = true;
    }
}

fn quote_at_open(case: &Case, o: &Outcome, x: &Paper, step: usize) -> Option<f64> {
    let open = case.listed[x.instrument].rows[step]?[0];
    if !case.is_active(o, x, step) {
        return None;
    }
    let reached = match x.kind {
        _ if x.is_rest() => true,
        OrderKind::Market if case.config.fill == FillTiming::SameCloseBookedNext => return x.booked,
        OrderKind::Market => case.config.fill == FillTiming::NextOpen,
        OrderKind::MarketOnOpen => true,
        OrderKind::MarketOnClose => false,
        OrderKind::Limit(limit) => x.within(open, limit.0),
        OrderKind::Stop(stop) => x.reaches(open, stop.0),
        OrderKind::StopLimit { stop, limit } => (x.triggered || x.reaches(open, stop.0)) && x.within(open, limit.0),
        OrderKind::TrailingStop(_) => x.reaches(open, oracle_inside::trail_level(x)),
    };
    reached.then_some(open)
}

fn close(case: &Case, o: &mut Outcome, step: usize, here: &[usize]) {
    let now = case.close_time(step);
    for id in 0..o.orders.len() {
        let x = &o.orders[id];
        o.orders[id].rested |= here.contains(&x.instrument) && case.is_active(o, x, step);
    }
    for &i in here {
        o.price[i] = case.listed[i].rows[step].expect("here")[3];
    }
    for i in 0..case.listed.len() {
        o.rate[i] = case.listed[i].rate(now);
    }
    let quotes: Vec<Option<f64>> = o
        .orders
        .iter()
        .map(|x| {
            case.listed[x.instrument].rows[step]
                .map(|row| row[3])
                .filter(|_| case.is_active(o, x, step) && case.fills_at_close(x))
        })
        .collect();
    oracle_fill::fill_listed(case, o, step, oracle_fill::Moment::Close, &quotes);
    for (id, quote) in quotes.iter().enumerate() {
        if quote.is_some() && o.orders[id].is_immediate() {
            o.cancel(id, CancelReason::NotImmediate);
        }
    }
    for &i in here {
        let row = case.listed[i].rows[step].expect("here");
        o.price[i] = row[3];
        o.volume_before[i] = row[4];
        o.bars[i] += 1;
        for id in 0..o.orders.len() {
            let x = &mut o.orders[id];
            if x.instrument != i {
                continue;
            }
            x.entered = None;
            if x.works() && x.kind == OrderKind::Market && case.config.fill == FillTiming::SameCloseBookedNext {
                x.booked = Some(row[3]);
            }
            if matches!(x.life, TimeInForce::Gtd(date) if now >= date.nanos()) {
                o.cancel(id, CancelReason::Expired);
                continue;
            }
            if x.life == TimeInForce::Day && x.day.is_some_and(|day| day != now.div_euclid(24 * HOUR)) {
                o.cancel(id, CancelReason::DayEnded);
            }
        }
    }
}

/// Below the maintenance margin all orders go, and positions are cut in equal proportion to what the initial margin allows.
fn margin_call(case: &Case, o: &mut Outcome, step: usize) {
    let AccountKind::Margin { initial, maintenance } = case.config.account else { return };
    let [equity, gross] = [o.equity(case), o.gross(case)];
    if equity >= maintenance * gross {
        return;
    }
    o.margin_calls.push(step);
    o.cancel_all(CancelReason::MarginCall, |_| true);
    let cut = 1.0 - equity / (initial * gross);
    for i in 0..o.units.len() {
        if o.units[i] != 0.0 {
            let quantity = o.units[i].abs() * cut;
            let quantity = case.listed[i].lot.map_or(quantity, |lot| (quantity / lot * (1.0 - 1e-12)).ceil() * lot);
            let side = if o.units[i] > 0.0 { Side::Sell } else { Side::Buy };
            let id = oracle_fill::push_forced(case, o, i, OrderOrigin::MarginCall, side, quantity, step);
            // The broker's own orders are not on their way.
            o.orders[id].from = (o.bars[i], 0);
        }
    }
}

fn ruin(case: &Case, o: &mut Outcome) {
    o.ruined = true;
    o.cancel_all(CancelReason::Halted, |_| true);
    for i in 0..o.units.len() {
        let quote = o.price[i];
        oracle_fill::force(case, o, i, OrderOrigin::Ruin, quote);
        o.price[i] = quote;
    }
    *o.equity.last_mut().expect("pushed") = o.equity(case);
}

pub(crate) const fn denied(reason: DenialReason) -> OrderStatus {
    OrderStatus::Denied(reason)
}
