//! Bars, strategies and numbers that several tests need.

use std::sync::Arc;

use tidegate_backtest::{
    BacktestConfig, Commission, Context, FillTiming, Journal, Market, OrderKind, OrderRequest, Requests, RiskLimits,
    Slippage, Strategy, TimeInForce, run,
};
use tidegate_market::{
    BarColumns, BarLabel, Bars, Bps, Cash, Instrument, InstrumentId, Price, Quantity, Side, Timestamp,
};

/// Open, high, low, close.
pub(crate) type Ohlc = [f64; 4];

/// Knuth's 64-bit linear congruential generator; the high bits are used.
pub(crate) struct Generator(pub(crate) u64);

impl Generator {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.uniform() * count as f64) as usize
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// A random walk with gaps and wicks; shocks are uniform, a few percent wide.
    pub(crate) fn walk(&mut self, rows: usize) -> Vec<Ohlc> {
        let mut last = 50.0 + 100.0 * self.uniform();
        let mut shock = |scale: f64| scale * (2.0 * self.uniform() - 1.0);
        let mut rows_made = Vec::with_capacity(rows);
        for _ in 0..rows {
            let open = last * (1.0 + shock(0.02));
            let close = open * (1.0 + shock(0.04));
            let high = open.max(close) * (1.0 + shock(0.02).abs());
            let low = open.min(close) * (1.0 - shock(0.02).abs());
            rows_made.push([open, high, low, close]);
            last = close;
        }
        rows_made
    }
}

/// Bars back to back from 1970-01-01; `None` is a missing bar.
pub(crate) fn bars_with_gaps(rows: &[Option<Ohlc>], interval: &str) -> Bars {
    let interval: tidegate_market::BarInterval = interval.parse().expect("valid");
    let mut columns = BarColumns::default();
    for (step, row) in rows.iter().enumerate() {
        let Some([open, high, low, close]) = *row else { continue };
        columns.time.push(Timestamp::from_nanos(step as i64 * interval.nanos()));
        columns.open.push(open);
        columns.high.push(high);
        columns.low.push(low);
        columns.close.push(close);
        columns.volume.push(1_000.0 + step as f64);
    }
    Bars::new(columns, BarLabel::Open, interval).expect("sane")
}

pub(crate) fn daily(rows: &[Ohlc]) -> Bars {
    bars_with_gaps(&rows.iter().copied().map(Some).collect::<Vec<_>>(), "1d")
}

/// Fractional instruments named by number, each with its bars.
pub(crate) fn market(series: Vec<Bars>) -> Market {
    let named = series.into_iter().enumerate();
    let named = named.map(|(place, bars)| (Instrument::fractional(format!("S{place}")), Arc::new(bars)));
    Market::new(named.collect()).expect("valid market")
}

/// Returns the costs that most tests trade with.
pub(crate) fn base() -> BacktestConfig {
    BacktestConfig {
        fill: FillTiming::NextOpen,
        commission: Commission::Bps(Bps(5.0)),
        slippage: Slippage::Bps(Bps(2.0)),
        limits: RiskLimits::UNLIMITED,
        ..BacktestConfig::frictionless(Cash(100_000.0), FillTiming::NextOpen)
    }
}

pub(crate) fn run_ok(market: &Market, config: &BacktestConfig, strategy: &mut impl Strategy) -> Journal {
    run(market, &[], config, strategy).expect("valid run")
}

/// Calls a closure at every bar.
pub(crate) struct Each<F>(pub(crate) F);

impl<F: FnMut(&Context<'_>, &mut Requests)> Strategy for Each<F> {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        (self.0)(context, requests);
    }
}

/// Trades at random on what it may see: target weights, orders of every kind, cancels. What it does about an instrument depends on
/// the seed, the instrument's key and the number of its bars only, so that it does the same in any company.
pub(crate) struct RandomTrader {
    pub(crate) seed: u64,
    pub(crate) keys: Vec<u64>,
    pub(crate) unit_value: f64,
}

impl RandomTrader {
    pub(crate) fn new(seed: u64, instruments: usize) -> Self {
        Self { seed, keys: (0..instruments as u64).collect(), unit_value: 5_000.0 }
    }

    fn generator(&self, instrument: InstrumentId, bars: usize) -> Generator {
        let mut generator = Generator(self.seed ^ (self.keys[instrument.index()] << 40) ^ bars as u64);
        for _ in 0..4 {
            generator.uniform();
        }
        generator
    }

    fn order(&self, instrument: InstrumentId, close: f64, generator: &mut Generator) -> OrderRequest {
        let side = if generator.chance(0.5) { Side::Buy } else { Side::Sell };
        let quantity = Quantity(self.unit_value * (0.2 + generator.uniform()) / close);
        let near = |generator: &mut Generator| Price(close * (0.97 + 0.06 * generator.uniform()));
        let kind = match generator.below(3) {
            0 => OrderKind::Market,
            1 => OrderKind::Limit(near(generator)),
            _ => OrderKind::Stop(near(generator)),
        };
        let request = OrderRequest::market(instrument, side, quantity).with_kind(kind);
        let request = if generator.chance(0.3) { request.with_time_in_force(TimeInForce::Day) } else { request };
        if generator.chance(0.3) { request.reduce_only() } else { request }
    }
}

impl Strategy for RandomTrader {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        for instrument in context.instruments().filter(|&instrument| context.is_updated(instrument)) {
            let mut generator = self.generator(instrument, context.bar_count(instrument));
            let close = context.close(instrument).expect("updated");
            if generator.chance(0.4) {
                requests.submit(self.order(instrument, close, &mut generator));
            }
            if generator.chance(0.2)
                && let Some(order) = context.working_orders(instrument).next()
            {
                requests.cancel(order.id);
            }
        }
    }
}

/// Checks the books before handing each bar to a strategy.
pub(crate) struct Audited<S>(pub(crate) S);

impl<S: Strategy> Strategy for Audited<S> {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        let [cash, equity] = [context.cash().0, context.equity().0];
        let held: f64 = context.instruments().map(|instrument| context.position(instrument).value().0).sum();
        close_to(equity, cash + held, 1e-9);
        let totals = context.totals();
        let earned = totals.realized_pnl.0 + totals.unrealized_pnl.0 - totals.commission.0;
        assert!((equity - base().initial_cash.0 - earned).abs() <= 1e-9 * base().initial_cash.0.max(equity.abs()));
        for instrument in context.instruments() {
            assert_eq!(context.history(instrument).close.len(), context.bar_count(instrument));
        }
        self.0.on_bar(context, requests);
    }
}

#[track_caller]
pub(crate) fn close_to(found: f64, expected: f64, relative: f64) {
    let scale = expected.abs().max(found.abs()).max(1e-300);
    assert!((found - expected).abs() <= relative * scale, "found `{found}`, expected `{expected}`");
}
