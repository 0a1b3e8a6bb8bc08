//! Random cases: markets, accounts, costs and scripts in which every rule is met.

use std::num::NonZeroU32;

use tidegate_backtest::{
    AccountKind, BacktestConfig, Commission, CommissionTier, Exits, FillTiming, Financing, Latency, LimitFill,
    OrderKind, OrderRequest, PathModel, Replacement, RiskLimits, Slippage, TimeInForce, Trail,
};
use tidegate_market::{Bps, Cash, CorporateActionKind, InstrumentId, Price, Quantity, Side, Timestamp};

use crate::oracle::{Ask, Case, HOUR, Listed, Row};
use crate::support::Generator;

const CASH: f64 = 10_000.0;

/// What a group of cases has that makes it hard.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a case has any of them")]
struct Features {
    volume: bool,
    actions: bool,
    currency: bool,
    detail: bool,
    linked: bool,
    replaces: bool,
    latency: bool,
    ticks: bool,
    account: bool,
}

impl Features {
    /// A replacement is judged with the order that it replaces still counted, so that no bound may be near.
    fn coherent(self) -> Self {
        Self { account: self.account && !self.replaces, ..self }
    }

    fn draw(g: &mut Generator) -> Self {
        Self {
            volume: g.chance(0.35),
            actions: g.chance(0.3),
            currency: g.chance(0.3),
            detail: g.chance(0.2),
            linked: g.chance(0.6),
            replaces: g.chance(0.4),
            latency: g.chance(0.25),
            ticks: g.chance(0.4),
            account: g.chance(0.4),
        }
        .coherent()
    }
}

pub(crate) fn random_case(seed: u64) -> Case {
    let mut g = Generator(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for _ in 0..4 {
        g.uniform();
    }
    let features = Features::draw(&mut g);
    let count = 1 + g.below(3);
    let steps = 30 + g.below(30);
    let hours = if g.chance(0.5) { 24 } else { 6 };
    let gap = if g.chance(0.5) { 0.15 } else { 0.0 };
    let mut config = random_config(&mut g, &features);
    // A fill that is booked later is there for parity, where neither volume nor corporate actions matter.
    let is_plain = config.fill == FillTiming::SameCloseBookedNext;
    let features = Features { actions: features.actions && !is_plain, ..features };
    config.volume_share_max = config.volume_share_max.filter(|_| !is_plain);
    let listed: Vec<Listed> = (0..count).map(|_| random_listed(&mut g, &features, steps, hours, gap)).collect();
    let mut asked = 0;
    let mut script = Vec::with_capacity(steps);
    for step in 0..steps {
        script.push(random_asks(&mut g, &features, &listed, (step, hours), &mut asked));
    }
    Case { listed, hours, config, script }
}

fn random_listed(g: &mut Generator, features: &Features, steps: usize, hours: i64, gap: f64) -> Listed {
    let tick = features.ticks.then_some(0.25);
    let mut listed = Listed {
        lot: (features.ticks && g.chance(0.6)).then_some(5.0),
        tick,
        multiplier: if features.currency && g.chance(0.5) { 2.5 } else { 1.0 },
        ..Listed::default()
    };
    let mut ratio = 1.0;
    if features.actions {
        for _ in 0..2 {
            let at = 2 + g.below(steps - 2);
            let whole = [2.0, 3.0][g.below(2)];
            let split = if listed.lot.is_none() && g.chance(0.3) { 0.5 } else { whole };
            listed.actions.push((at, CorporateActionKind::Split { ratio: split }));
            let at = 2 + g.below(steps - 2);
            listed.actions.push((at, CorporateActionKind::Dividend { amount: 0.5 + g.uniform() }));
        }
        if g.chance(0.4) {
            let price = g.chance(0.5).then(|| Price(40.0 + 10.0 * g.uniform()));
            listed.actions.push((steps, CorporateActionKind::Delisting { price }));
        }
    }
    let ends = if features.actions && g.chance(0.5) { steps * 2 / 3 } else { steps };
    let mut fine = Vec::with_capacity(steps);
    for (step, prices) in g.walk(steps).into_iter().enumerate() {
        for (at, kind) in &listed.actions {
            if let (true, CorporateActionKind::Split { ratio: split }) = (*at == step, kind) {
                ratio *= split;
            }
        }
        let (row, halves) = random_row(g, prices.map(|price| price / ratio), tick, ratio);
        fine.push(halves);
        listed.rows.push((step < ends && (step == 3 || !g.chance(gap))).then_some(row));
    }
    listed.fine = features.detail.then_some(fine);
    if features.currency {
        let mut rate = 0.8;
        for step in 0..steps as i64 {
            if step == 0 || g.chance(0.5) {
                rate *= 0.98 + 0.04 * g.uniform();
                listed.fx.push((step * hours * HOUR - HOUR, rate));
            }
            if g.chance(0.2) {
                listed.funding.push((step * hours * HOUR + 2 * HOUR, 0.004 * (g.uniform() - 0.3)));
            }
        }
    }
    listed
}

/// A bar, and the two halves that it may be made of.
fn random_row(g: &mut Generator, prices: [f64; 4], tick: Option<f64>, ratio: f64) -> (Row, [[f64; 4]; 2]) {
    let round = |price: f64| tick.map_or(price, |tick| (price / tick).round().max(1.0) * tick);
    let [open, high, low, close] = prices.map(round);
    let [high, low] = [high.max(open).max(close), low.min(open).min(close)];
    let volume = if g.chance(0.05) { 0.0 } else { (100.0 + 900.0 * g.uniform()) * ratio };
    let between = |g: &mut Generator| round(low + (high - low) * g.uniform()).clamp(low, high);
    let [middle, start] = [between(g), between(g)];
    let is_high_first = g.chance(0.5);
    let [first_high, first_low] = if is_high_first { [high, open.min(middle)] } else { [open.max(middle), low] };
    let [last_high, last_low] = if is_high_first { [start.max(close), low] } else { [high, start.min(close)] };
    ([open, high, low, close, volume], [[open, first_high, first_low, middle], [start, last_high, last_low, close]])
}

fn random_config(g: &mut Generator, features: &Features) -> BacktestConfig {
    let fill = [FillTiming::NextOpen, FillTiming::NextClose, FillTiming::SameClose, FillTiming::SameCloseBookedNext]
        [[0, 0, 0, 1, 1, 2, 2, 3][g.below(8)]];
    let can_wait = matches!(fill, FillTiming::NextOpen | FillTiming::NextClose);
    let latency = match g.below(2) {
        _ if !features.latency || !can_wait => Latency::None,
        0 => Latency::Bars(NonZeroU32::new(1 + g.below(2) as u32).expect("above zero")),
        _ => Latency::Nanos(3 * HOUR + 20 * HOUR * g.below(2) as i64),
    };
    let account = match g.below(2) {
        _ if !features.account => AccountKind::Unrestricted,
        0 => AccountKind::Cash,
        _ => AccountKind::Margin { initial: 0.5, maintenance: 0.49 },
    };
    let gross = if features.account || features.replaces { None } else { [None, Some(1.0), Some(1.7)][g.below(3)] };
    BacktestConfig {
        account,
        path: if g.chance(0.5) { PathModel::Pessimistic } else { PathModel::NearestExtreme },
        limit_fill: if g.chance(0.7) { LimitFill::Touch } else { LimitFill::Penetrate },
        latency,
        volume_share_max: features.volume.then_some(0.1),
        commission: random_commission(g, features),
        slippage: random_slippage(g, features),
        financing: if features.currency || g.chance(0.2) {
            Financing { borrow_rate: 0.3, margin_rate: 0.2, cash_rate: 0.1 }
        } else {
            Financing::NONE
        },
        limits: RiskLimits { gross_leverage_max: gross, ..RiskLimits::UNLIMITED },
        ..BacktestConfig::frictionless(Cash(CASH), fill)
    }
}

fn random_commission(g: &mut Generator, features: &Features) -> Commission {
    let tier = |from_value, bps| CommissionTier { from_value, bps: Bps(bps) };
    match g.below(7) {
        0 => Commission::None,
        1 => Commission::Bps(Bps(12.5)),
        2 => Commission::Fixed(Cash(3.0)),
        4 if !(features.volume && features.currency) => {
            Commission::PerShare { per_share: 0.02, minimum: 5.0, maximum_fraction: Some(0.001) }
        }
        3 | 4 => Commission::PerShare { per_share: 0.02, minimum: 1.0, maximum_fraction: None },
        5 => Commission::Tiered([tier(0.0, 20.0), tier(30_000.0, 10.0), tier(60_000.0, 2.0)].into()),
        _ => Commission::MakerTaker { maker: Bps(-1.0), taker: Bps(9.0) },
    }
}

fn random_slippage(g: &mut Generator, features: &Features) -> Slippage {
    match g.below(5) {
        0 => Slippage::None,
        1 => Slippage::Bps(Bps(7.0)),
        2 => Slippage::HalfSpread(Price(0.03)),
        3 if features.ticks => Slippage::Ticks(1.0),
        3 => Slippage::Bps(Bps(2.0)),
        _ => Slippage::VolumeShare { impact: 0.5, share_max: 0.2 },
    }
}

fn random_asks(
    g: &mut Generator,
    features: &Features,
    listed: &[Listed],
    (step, hours): (usize, i64),
    asked: &mut usize,
) -> Vec<Ask> {
    let mut asks = Vec::new();
    // A step without bars does not exist, so nothing is asked then.
    if listed.iter().all(|listed| listed.rows[step].is_none()) {
        return asks;
    }
    for _ in 0..g.below(4) {
        let place = g.below(listed.len());
        let mine = &listed[place];
        if *asked > 0 && g.chance(0.08) {
            asks.push(Ask::Cancel(asked.saturating_sub(1 + g.below(6))));
            continue;
        }
        if features.replaces && *asked > 0 && g.chance(0.15) {
            let close = last_close(mine, step);
            let replacement = Replacement {
                quantity: g.chance(0.5).then(|| Quantity(random_quantity(g, mine, close))),
                kind: None,
                time_in_force: g.chance(0.2).then_some(TimeInForce::Day),
            };
            asks.push(Ask::Replace(asked.saturating_sub(1 + g.below(6)), replacement));
            *asked += 1;
            continue;
        }
        let now = (step as i64 + 1) * hours * HOUR;
        let mut request = random_order(g, mine, place, step, now);
        if mine.rows[step].is_none() && request.kind == OrderKind::Market {
            request.time_in_force = TimeInForce::Gtc;
        }
        match g.below(8) {
            0 if features.linked => {
                let mut other = random_order(g, mine, place, step, now);
                if mine.rows[step].is_none() && other.kind == OrderKind::Market {
                    other.time_in_force = TimeInForce::Gtc;
                }
                asks.push(Ask::Pair(request, other));
                *asked += 2;
            }
            1 | 2 if features.linked => {
                let exits = random_exits(g, mine, &request, step);
                asks.push(Ask::Bracket(request, exits));
                *asked += 1 + usize::from(exits.stop_loss.is_some()) + usize::from(exits.take_profit.is_some());
            }
            _ => {
                asks.push(Ask::Order(request));
                *asked += 1;
            }
        }
    }
    asks
}

fn last_close(listed: &Listed, step: usize) -> f64 {
    listed.rows[..=step].iter().rev().find_map(|row| *row).map_or(100.0, |row| row[3])
}

fn random_quantity(g: &mut Generator, listed: &Listed, close: f64) -> f64 {
    let quantity = (2_500.0 + 7_500.0 * g.uniform()) / close / listed.multiplier;
    listed.lot.map_or(quantity, |lot| (quantity / lot).ceil() * lot)
}

/// A price near another, on the tick but now and then.
fn near(g: &mut Generator, listed: &Listed, from: f64, width: f64) -> Price {
    let price = from * (1.0 + width * (2.0 * g.uniform() - 1.0));
    let is_off = g.chance(0.01);
    Price(listed.tick.map_or(price, |tick| if is_off { price } else { (price / tick).round() * tick }))
}

fn random_order(g: &mut Generator, listed: &Listed, place: usize, step: usize, now: i64) -> OrderRequest {
    let close = last_close(listed, step);
    let side = if g.chance(0.5) { Side::Buy } else { Side::Sell };
    let kind = match g.below(16) {
        0..4 => OrderKind::Market,
        4 => OrderKind::MarketOnOpen,
        5 => OrderKind::MarketOnClose,
        6..9 => OrderKind::Limit(near(g, listed, close, 0.05)),
        9..11 => OrderKind::Stop(near(g, listed, close, 0.05)),
        11..14 => OrderKind::StopLimit { stop: near(g, listed, close, 0.05), limit: near(g, listed, close, 0.05) },
        14 => OrderKind::TrailingStop(Trail::Absolute((close * 0.04 * g.uniform() * 4.0).ceil() / 4.0)),
        _ => OrderKind::TrailingStop(Trail::Fraction(0.01 + 0.03 * g.uniform())),
    };
    let life = match g.below(20) {
        0..9 => TimeInForce::Gtc,
        9..12 => TimeInForce::Day,
        12..15 => TimeInForce::Gtd(Timestamp::from_nanos(now + HOUR * (100 * g.below(3) as i64 + g.below(24) as i64))),
        15..18 => TimeInForce::Ioc,
        _ => TimeInForce::Fok,
    };
    let quantity = match g.below(60) {
        0 => [0.0, -3.0, f64::NAN][g.below(3)],
        1 => 7.5,
        _ => random_quantity(g, listed, close),
    };
    let request = OrderRequest::market(InstrumentId(place as u32), side, Quantity(quantity));
    let request = request.with_kind(kind).with_time_in_force(life);
    let waits = matches!(request.kind, OrderKind::StopLimit { .. });
    if !waits && g.chance(0.3) { request.reduce_only() } else { request }
}

fn random_exits(g: &mut Generator, listed: &Listed, entry: &OrderRequest, step: usize) -> Exits {
    let reference = match entry.kind {
        OrderKind::Limit(price) | OrderKind::Stop(price) | OrderKind::StopLimit { limit: price, .. } => price.0,
        _ => last_close(listed, step),
    };
    let sign = if g.chance(0.02) { -entry.side.sign() } else { entry.side.sign() };
    let beyond = |g: &mut Generator, sign: f64| near(g, listed, reference * (1.0 + sign * 0.045), 0.03);
    let take_profit = g.chance(0.8).then(|| beyond(g, sign));
    let stop_loss = g.chance(0.8).then(|| {
        let stop = beyond(g, -sign);
        match g.below(4) {
            0 => OrderKind::TrailingStop(Trail::Fraction(0.01 + 0.03 * g.uniform())),
            1 => OrderKind::StopLimit { stop, limit: near(g, listed, stop.0 * (1.0 - 0.01 * sign), 0.005) },
            _ => OrderKind::Stop(stop),
        }
    });
    Exits { take_profit, stop_loss }
}
