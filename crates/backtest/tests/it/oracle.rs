//! The rules once more: slow, naive, without a line of the engine. Everything is recomputed whenever it is needed.
//!
//! All instruments share one grid of steps. Orders are tuples in a list, quantities are found by bisection, equity is a sum.

/// What a script asks for after a step.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Order { instrument: usize, buy: bool, quantity: f64, kind: Kind, day: bool, reduce: bool },
    Cancel(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Market,
    Limit(f64),
    Stop(f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum When {
    NextOpen,
    NextClose,
    SameClose,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fee {
    None,
    Bps(f64),
    PerShare(f64, f64),
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Per instrument, per step: open, high, low, close.
    pub(crate) bars: Vec<Vec<Option<[f64; 4]>>>,
    /// Length of a step; a day has 24.
    pub(crate) hours: i64,
    pub(crate) cash: f64,
    pub(crate) when: When,
    pub(crate) fee: Fee,
    pub(crate) slippage_bps: f64,
    pub(crate) gross_max: Option<f64>,
    pub(crate) lot: Option<f64>,
    pub(crate) script: Vec<Vec<Ask>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    Working,
    Filled,
    Cancelled,
    Denied,
}

#[derive(Clone, Debug)]
pub(crate) struct OracleOrder {
    instrument: usize,
    sign: f64,
    quantity: f64,
    kind: Kind,
    day: Option<i64>,
    is_day: bool,
    reduce: bool,
    pub(crate) state: State,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) orders: Vec<OracleOrder>,
    /// Order, units with sign, price, fee, step.
    pub(crate) fills: Vec<(usize, f64, f64, f64, usize)>,
    pub(crate) equity: Vec<f64>,
    pub(crate) cash: f64,
    pub(crate) units: Vec<f64>,
    pub(crate) ambiguous: u64,
    marks: Vec<f64>,
    known: Vec<bool>,
}

pub(crate) fn replay(case: &Case) -> Outcome {
    let count = case.bars.len();
    let mut o = Outcome {
        cash: case.cash,
        units: vec![0.0; count],
        marks: vec![0.0; count],
        known: vec![false; count],
        ..Outcome::default()
    };
    for step in 0..case.script.len() {
        let bar = |i: usize| case.bars[i][step];
        let open_day = step as i64 * case.hours / 24;
        let close_day = (step as i64 + 1) * case.hours / 24;
        // A step at which nothing trades does not exist.
        if (0..count).all(|i| bar(i).is_none()) {
            continue;
        }
        for i in (0..count).filter(|&i| bar(i).is_some()) {
            for order in o.orders.iter_mut().filter(|x| x.state == State::Working && x.instrument == i && x.is_day) {
                match order.day {
                    Some(day) if day != open_day => order.state = State::Cancelled,
                    _ => order.day = Some(open_day),
                }
            }
            o.marks[i] = bar(i).expect("present")[0];
        }
        let at_open = |x: &OracleOrder| {
            let open = bar(x.instrument)?[0];
            let fills = match (x.kind, x.sign > 0.0) {
                (Kind::Market, _) => case.when == When::NextOpen,
                (Kind::Limit(p), true) | (Kind::Stop(p), false) => open <= p,
                (Kind::Limit(p), false) | (Kind::Stop(p), true) => open >= p,
            };
            fills.then_some(open)
        };
        fill_all(case, &mut o, step, at_open);
        for i in 0..count {
            if let Some(prices) = bar(i) {
                inside(case, &mut o, step, i, prices);
            }
        }
        for i in (0..count).filter(|&i| bar(i).is_some()) {
            o.marks[i] = bar(i).expect("present")[3];
        }
        if case.when != When::NextOpen {
            fill_all(case, &mut o, step, |x| {
                if x.kind == Kind::Market { bar(x.instrument).map(|prices| prices[3]) } else { None }
            });
        }
        for i in (0..count).filter(|&i| bar(i).is_some()) {
            o.known[i] = true;
            for order in o.orders.iter_mut().filter(|x| x.state == State::Working && x.instrument == i && x.is_day) {
                if order.day.is_some_and(|day| day != close_day) {
                    order.state = State::Cancelled;
                }
            }
        }
        o.equity.push(equity(&o));
        if equity(&o) <= 0.0 {
            ruin(case, &mut o, step);
            break;
        }
        ask(case, &mut o, step);
        if case.when == When::SameClose {
            fill_all(case, &mut o, step, |x| {
                if x.kind == Kind::Market { bar(x.instrument).map(|prices| prices[3]) } else { None }
            });
            *o.equity.last_mut().expect("pushed") = equity(&o);
            if equity(&o) <= 0.0 {
                ruin(case, &mut o, step);
                break;
            }
        }
    }
    for order in o.orders.iter_mut().filter(|x| x.state == State::Working) {
        order.state = State::Cancelled;
    }
    o
}

fn equity(o: &Outcome) -> f64 {
    o.cash + (0..o.units.len()).map(|i| o.units[i] * o.marks[i]).sum::<f64>()
}

fn gross(o: &Outcome) -> f64 {
    (0..o.units.len()).map(|i| (o.units[i] * o.marks[i]).abs()).sum()
}

fn fee(case: &Case, quantity: f64, price: f64) -> f64 {
    match case.fee {
        Fee::None => 0.0,
        Fee::Bps(bps) => quantity * price * bps / 10_000.0,
        Fee::PerShare(each, least) => (quantity * each).max(least),
    }
}

/// Fills every working order that has a quote: closing orders first, then by instrument, then by age.
fn fill_all(case: &Case, o: &mut Outcome, step: usize, quote: impl Fn(&OracleOrder) -> Option<f64>) {
    let mut list = Vec::new();
    for (id, x) in o.orders.iter().enumerate().filter(|(_, x)| x.state == State::Working) {
        if let Some(price) = quote(x) {
            let held = o.units[x.instrument];
            let closes = x.reduce || (held * x.sign < 0.0 && x.quantity <= held.abs() * (1.0 + 1e-12));
            list.push((!closes, x.instrument, id, price));
        }
    }
    list.sort_by_key(|&(opens, instrument, id, _)| (opens, instrument, id));
    for (_, _, id, price) in list {
        fill(case, o, step, id, price);
    }
}

fn fill(case: &Case, o: &mut Outcome, step: usize, id: usize, quote: f64) {
    let x = o.orders[id].clone();
    if x.state != State::Working {
        return;
    }
    let i = x.instrument;
    o.marks[i] = quote;
    let mut quantity = x.quantity;
    if x.reduce {
        let against = -x.sign * o.units[i];
        if against <= 0.0 {
            o.orders[id].state = State::Cancelled;
            return;
        }
        quantity = quantity.min(against);
    }
    let slip = if matches!(x.kind, Kind::Limit(_)) { 0.0 } else { case.slippage_bps / 10_000.0 };
    let price = quote * (1.0 + x.sign * slip);
    let wanted = quantity;
    quantity = fitting(case, o, &x, quantity, price);
    if quantity <= wanted * 1e-12 {
        o.orders[id].state = State::Cancelled;
        return;
    }
    let paid = fee(case, quantity, price);
    o.cash -= x.sign * quantity * price + paid;
    o.units[i] += x.sign * quantity;
    if o.units[i].abs() < 1e-9 {
        o.units[i] = 0.0;
    }
    o.orders[id].state = State::Filled;
    o.fills.push((id, x.sign * quantity, price, paid, step));
    if o.units[i] == 0.0 {
        for other in &mut o.orders {
            if other.state == State::Working && other.instrument == i && other.reduce {
                other.state = State::Cancelled;
            }
        }
    }
}

/// The largest quantity after which gross exposure is within the bound; closing always fits. By bisection.
fn fitting(case: &Case, o: &Outcome, x: &OracleOrder, wanted: f64, price: f64) -> f64 {
    let Some(bound) = case.gross_max else { return wanted };
    let i = x.instrument;
    let closing = (-x.sign * o.units[i]).clamp(0.0, wanted);
    let fits = |quantity: f64| {
        let mut then = o.clone();
        then.cash -= x.sign * quantity * price + fee(case, quantity, price);
        then.units[i] += x.sign * quantity;
        gross(&then) <= bound * equity(&then)
    };
    if closing == wanted || fits(wanted) {
        return wanted;
    }
    let [mut low, mut high] = [closing, wanted];
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if fits(middle) { low = middle } else { high = middle }
    }
    match case.lot {
        Some(lot) => (low / lot * (1.0 + 1e-12)).floor() * lot,
        None => low,
    }
}

/// Inside the bar the worst comes first: stops, then limits that may open, then limits that only take profit.
fn inside(case: &Case, o: &mut Outcome, step: usize, i: usize, [open, high, low, _]: [f64; 4]) {
    let mut touched = Vec::new();
    for (id, x) in o.orders.iter().enumerate().filter(|(_, x)| x.state == State::Working && x.instrument == i) {
        let quote = match (x.kind, x.sign > 0.0) {
            (Kind::Limit(p), true) | (Kind::Stop(p), false) if low <= p => p,
            (Kind::Limit(p), false) | (Kind::Stop(p), true) if high >= p => p,
            _ => continue,
        };
        let class = match x.kind {
            Kind::Limit(_) if x.reduce => 2,
            Kind::Limit(_) => 1,
            _ => 0,
        };
        touched.push((class, (quote - open).abs(), id, quote));
    }
    if touched.len() > 1 {
        o.ambiguous += 1;
    }
    let before = o.units[i];
    loop {
        let mut best: Option<(i32, f64, usize, f64)> = None;
        for &candidate in &touched {
            let x = &o.orders[candidate.2];
            let has_position = o.units[i] * x.sign < 0.0;
            let same_as_before = o.units[i] * before > 0.0;
            let can =
                x.state == State::Working && (!x.reduce || (has_position && (candidate.0 == 0 || same_as_before)));
            let sooner = best.is_none_or(|b| (candidate.0, candidate.1, candidate.2) < (b.0, b.1, b.2));
            if can && sooner {
                best = Some(candidate);
            }
        }
        let Some((_, _, id, quote)) = best else { return };
        fill(case, o, step, id, quote);
    }
}

fn ask(case: &Case, o: &mut Outcome, step: usize) {
    let worth = equity(o);
    for ask in &case.script[step] {
        if let Ask::Cancel(id) = *ask
            && let Some(order) = o.orders.get_mut(id).filter(|order| order.state == State::Working)
        {
            order.state = State::Cancelled;
        }
    }
    for ask in &case.script[step] {
        let &Ask::Order { instrument, buy, quantity, kind, day, reduce } = ask else { continue };
        let sign = if buy { 1.0 } else { -1.0 };
        let denied = !o.known[instrument] || (!reduce && breaks(case, o, worth, instrument, sign * quantity, kind));
        let state = if denied { State::Denied } else { State::Working };
        o.orders.push(OracleOrder { instrument, sign, quantity, kind, day: None, is_day: day, reduce, state });
    }
}

/// Whether an order would break the bound at the last closes, with waiting market orders taken as filled.
fn breaks(case: &Case, o: &Outcome, worth: f64, instrument: usize, units: f64, kind: Kind) -> bool {
    let Some(bound) = case.gross_max else { return false };
    let mut expected = o.units.clone();
    for x in o.orders.iter().filter(|x| x.state == State::Working && x.kind == Kind::Market) {
        let held = expected[x.instrument];
        if !x.reduce {
            expected[x.instrument] += x.sign * x.quantity;
        } else if held * x.sign < 0.0 {
            expected[x.instrument] += x.sign * x.quantity.min(held.abs());
        }
    }
    let now: f64 = (0..expected.len()).map(|i| (expected[i] * o.marks[i]).abs()).sum();
    let price = match kind {
        Kind::Market => o.marks[instrument],
        Kind::Limit(p) | Kind::Stop(p) => p,
    };
    let [before, after] = [expected[instrument], expected[instrument] + units];
    let takes_away = after == 0.0 || (after.signum() == before.signum() && after.abs() <= before.abs());
    let then = now + (after.abs() - before.abs()) * price;
    !takes_away && then > now && then > bound * worth * (1.0 + 1e-9)
}

fn ruin(case: &Case, o: &mut Outcome, step: usize) {
    for order in o.orders.iter_mut().filter(|x| x.state == State::Working) {
        order.state = State::Cancelled;
    }
    for i in 0..o.units.len() {
        if o.units[i] != 0.0 {
            let id = o.orders.len();
            o.orders.push(OracleOrder {
                instrument: i,
                sign: -o.units[i].signum(),
                quantity: o.units[i].abs(),
                kind: Kind::Market,
                day: None,
                is_day: false,
                reduce: false,
                state: State::Working,
            });
            let quote = o.marks[i];
            let last_bar = (0..=step).rev().find(|&at| case.bars[i][at].is_some()).expect("what is held has traded");
            fill(case, o, last_bar, id, quote);
            o.marks[i] = quote;
        }
    }
    *o.equity.last_mut().expect("pushed") = equity(o);
}
