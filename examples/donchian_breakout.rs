//! A strategy of your own, from the file of bars to the numbers: a breakout with a trailing stop.
//!
//! ```sh
//! cargo run --release -p tidegate-cli --example donchian_breakout
//! ```
//!
//! It buys when the close is above every close of the 55 days before, so much that the way down to its stop, three average true
//! ranges below, is worth one percent of equity; the stop follows the price. `docs/WRITE_A_STRATEGY.md` goes through it line by line.

use std::collections::VecDeque;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tidegate_backtest::{
    BacktestConfig, Commission, Context, Exits, FillTiming, Market, OrderKind, OrderRequest, Requests, Slippage,
    Strategy, Trail, run,
};
use tidegate_data::ReadOptions;
use tidegate_features::{FeatureSpec, PeriodSpec, compute};
use tidegate_indicators::{Atr, HighLowClose, Indicator};
use tidegate_market::{BarLabel, Bars, Bps, Cash, Instrument, InstrumentId, Quantity, Side};
use tidegate_metrics::{Convention, EquityCurve, MetricOptions, performance};

/// Buys new highs and lets a trailing stop decide when it is over.
struct DonchianBreakout {
    channel_bars: usize,
    atr_multiple: f64,
    risk_per_trade: f64,
    atr: Atr,
    /// The closes of the channel, the newest last.
    closes: VecDeque<f64>,
}

impl DonchianBreakout {
    fn new(channel_bars: usize, atr_bars: NonZeroUsize, atr_multiple: f64, risk_per_trade: f64) -> Self {
        Self { channel_bars, atr_multiple, risk_per_trade, atr: Atr::new(atr_bars), closes: VecDeque::new() }
    }

    /// Takes the next close and returns the highest close of the channel before it, once there is a whole channel.
    fn highest_before(&mut self, close: f64) -> Option<f64> {
        let highest = self.closes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let is_whole = self.closes.len() == self.channel_bars;
        if is_whole {
            self.closes.pop_front();
        }
        self.closes.push_back(close);
        is_whole.then_some(highest)
    }
}

impl Strategy for DonchianBreakout {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        let instrument = InstrumentId(0);
        let history = context.history(instrument);
        let (Some(&high), Some(&low), Some(&close)) = (history.high.last(), history.low.last(), history.close.last())
        else {
            return;
        };
        // Indicators are fed at every bar, whether there is a position or not.
        let range = self.atr.update(HighLowClose { high, low, close });
        let highest = self.highest_before(close);
        let (Some(range), Some(highest)) = (range, highest) else { return };
        let is_flat = context.projected_quantity(instrument).0 == 0.0;
        if !is_flat || close <= highest {
            return;
        }
        let distance = self.atr_multiple * range;
        let units = (context.equity().0 * self.risk_per_trade / distance).min(context.equity().0 / close);
        let entry = OrderRequest::market(instrument, Side::Buy, Quantity(units));
        let stop = OrderKind::TrailingStop(Trail::Absolute(distance));
        requests.bracket(entry, Exits { take_profit: None, stop_loss: Some(stop) });
    }
}

fn main() -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/sp500_daily.csv");
    let daily = "1d".parse().context("an interval")?;
    let series = tidegate_data::read(&file, &ReadOptions::new(daily, BarLabel::Open))?;
    let first = series.into_iter().next().context("the file holds a symbol")?;
    let bars = Arc::new(first.bars);

    let atr_bars = NonZeroUsize::new(20).context("above zero")?;
    compare_streaming_with_batch(&bars, atr_bars)?;

    let market = Market::new(vec![(Instrument::fractional(first.symbol), bars)])?;
    let config = BacktestConfig {
        commission: Commission::Bps(Bps(1.0)),
        slippage: Slippage::Bps(Bps(2.0)),
        ..BacktestConfig::frictionless(Cash(100_000.0), FillTiming::NextOpen)
    };
    let mut strategy = DonchianBreakout::new(55, atr_bars, 3.0, 0.01);
    let journal = run(&market, &[], &config, &mut strategy)?;

    let curve = EquityCurve::new(journal.equity.time().to_vec(), journal.equity.equity().to_vec())?;
    let numbers = performance(&curve.returns(252.0)?, None, &MetricOptions::new(Convention::Tidegate))?;
    let winners = journal.trades.iter().filter(|trade| trade.net_pnl().0 > 0.0).count();
    let mut out = std::io::stdout().lock();
    writeln!(out, "round trips      {} of which {winners} gained", journal.trades.len())?;
    writeln!(out, "end equity       {:.2}", journal.final_equity().0)?;
    writeln!(out, "commission       {:.2}", journal.totals.commission.0)?;
    writeln!(out, "ambiguous bars   {}", journal.totals.ambiguous_bars)?;
    writeln!(out, "Sharpe ratio     {:.3}", numbers.sharpe_ratio.unwrap_or(f64::NAN))?;
    writeln!(out, "maximum drawdown {:.3}", numbers.max_drawdown.unwrap_or(f64::NAN))?;
    Ok(())
}

/// Shows that the indicator a strategy steps bar by bar is the one that a feature column holds.
fn compare_streaming_with_batch(bars: &Bars, atr_bars: NonZeroUsize) -> Result<()> {
    let matrix = compute(&[FeatureSpec::Atr(PeriodSpec::new(atr_bars.get()))], bars)?;
    let column = &matrix.columns()[0];
    let mut streaming = Atr::new(atr_bars);
    for row in 0..bars.len() {
        let bar = bars.bar(row);
        let value = streaming.update(HighLowClose { high: bar.high, low: bar.low, close: bar.close });
        anyhow::ensure!(value == column.value(row), "row {row}: {value:?} is not {:?}", column.value(row));
    }
    Ok(())
}
