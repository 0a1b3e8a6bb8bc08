//! Strategies that ask for what another engine was asked for.

use tidegate_backtest::{
    Context, Exits, Market, OrderKind, OrderRequest, PositionEffect, Replacement, Requests, RiskLimits, Strategy,
    TimeInForce, Trail, run,
};
use tidegate_market::{Instrument, InstrumentId, Price, Quantity, Side, Timestamp};

use super::compare::{Difference, first_difference, ledger};
use super::profiles::{self, Profile};
use super::vectors::{Asked, Run, bars};

const ONE: InstrumentId = InstrumentId(0);

/// Runs this engine on a run's requests and compares.
pub(super) fn compare(peer: &Run) -> Option<Difference> {
    play(peer, &profiles::of(peer), false)
}

/// Does what [`compare`] does without the limits of the profile, which hold at the decision already.
pub(super) fn compare_without_limits(peer: &Run) -> Option<Difference> {
    let mut profile = profiles::of(peer);
    profile.config.limits = RiskLimits::UNLIMITED;
    play(peer, &profile, false)
}

/// Does what [`compare`] does with trailing stops that the strategy moves itself after each bar, as the other engine moves its own.
pub(super) fn compare_moving_stops(peer: &Run) -> Option<Difference> {
    play(peer, &profiles::of(peer), true)
}

fn play(peer: &Run, profile: &Profile, moves_stops: bool) -> Option<Difference> {
    let bars = bars(&peer.series);
    let instrument = Instrument { lot_size: profile.lot, ..Instrument::fractional("PEER") };
    let market = Market::new(vec![(instrument, bars.clone())]).expect("valid");
    let mut replay = Replay { run: peer, stays: false, moves_stops };
    let journal = run(&market, &[], &profile.config, &mut replay).expect("valid");
    first_difference(&ledger(&journal, &bars), &peer.ledger)
}

struct Replay<'a> {
    run: &'a Run,
    /// Whether a position was held after the bar before and nothing was asked that closes it.
    stays: bool,
    /// Whether trailing stops are plain stops that are replaced after each bar.
    moves_stops: bool,
}

impl Strategy for Replay<'_> {
    fn on_bar(&mut self, context: &Context<'_>, requests: &mut Requests) {
        let bar = match self.run.text("prices") {
            // The requests of these runs stand on the bar that they fill on.
            Some("next_open") => context.step() + 1,
            _ => context.step(),
        };
        let asked: Vec<&Asked> = self.run.requests.iter().filter(|asked| asked.bar == bar).collect();
        let held = context.position(ONE).quantity.0;
        if self.moves_stops {
            self.move_stops(context, requests);
        }
        // What was asked before a cancel on one bar is cancelled too, where the engine tells no orders apart.
        let cancel = asked.iter().rposition(|asked| asked.what == "cancel" && self.run.engine == "zipline");
        let asked = &asked[cancel.unwrap_or(0)..];
        if self.run.engine == "vectorbt" {
            // A stop that acted on this bar takes the place of its signals.
            let was_stopped = std::mem::replace(&mut self.stays, held != 0.0) && held == 0.0;
            if !was_stopped {
                self.follow_signals(asked, context, requests);
            }
        } else {
            for (place, request) in asked.iter().enumerate() {
                let closes = place > 0 && asked[place - 1].what == "close";
                self.ask(request, closes, context, requests);
            }
        }
    }
}

impl Replay<'_> {
    fn ask(&self, asked: &Asked, closes: bool, context: &Context<'_>, requests: &mut Requests) {
        let held = context.position(ONE).quantity.0;
        match (asked.what.as_str(), asked.shares) {
            ("cancel", _) => cancel_entries(context, requests),
            (_, Some(shares)) if asked.is_market() => {
                requests.submit(market_order(shares));
            }
            ("close", _) if held != 0.0 => {
                let order = market_order(-held);
                requests.submit(if self.run.engine == "backtesting_py" { order.reduce_only() } else { order });
            }
            ("close", _) => {}
            (side, _) => {
                let side = if side == "buy" { Side::Buy } else { Side::Sell };
                self.enter(asked, side, closes, context, requests);
            }
        }
    }

    fn enter(&self, asked: &Asked, side: Side, closes: bool, context: &Context<'_>, requests: &mut Requests) {
        let exits = Exits {
            take_profit: asked.take_profit.map(Price),
            stop_loss: asked.stop_loss.map(|stop| OrderKind::Stop(Price(stop))),
        };
        let sign = if side == Side::Buy { 1.0 } else { -1.0 };
        match asked.size {
            Some(size) if size >= 1.0 => {
                let order = self.order(asked, side, size, context);
                if exits == Exits::default() {
                    requests.submit(order);
                } else {
                    requests.bracket(order, exits);
                }
            }
            None if self.run.engine == "backtrader" && !self.run.flag("cheat_on_open") => {
                requests.submit(self.order(asked, side, 1.0, context));
            }
            fraction => {
                // A fraction of what is free; no size is all of it. From flat that is the weight.
                let held = if closes { 0.0 } else { context.weight(ONE) };
                let leverage = 1.0 / self.run.number("margin").unwrap_or(1.0);
                let weight = held + sign * (leverage - held.abs()) * fraction.unwrap_or(1.0);
                requests.target_weight_with_exits(ONE, weight, exits);
            }
        }
    }

    fn order(&self, asked: &Asked, side: Side, size: f64, context: &Context<'_>) -> OrderRequest {
        let close = context.traded_close(ONE).expect("a bar closed");
        let kind = match (asked.stop, asked.limit, asked.trail) {
            (Some(stop), Some(limit), _) => OrderKind::StopLimit { stop: Price(stop), limit: Price(limit) },
            (Some(stop), None, _) => OrderKind::Stop(Price(stop)),
            (None, Some(limit), _) => OrderKind::Limit(Price(limit)),
            (None, None, Some(trail)) if self.moves_stops => OrderKind::Stop(Price(close - trail)),
            (None, None, Some(trail)) => OrderKind::TrailingStop(Trail::Absolute(trail)),
            (None, None, None) if self.run.text("bracket_entry") == Some("limit") => OrderKind::Limit(Price(close)),
            (None, None, None) => OrderKind::Market,
        };
        let order = OrderRequest::market(ONE, side, Quantity(size)).with_kind(kind);
        match self.run.number("valid_days") {
            Some(days) if !kind.is_market() => {
                // It may still fill on the bar stamped with the last day.
                let today = *context.history(ONE).time.last().expect("a bar closed");
                let last = today.plus_nanos(days as i64 * Timestamp::NANOS_PER_DAY);
                order.with_time_in_force(TimeInForce::Gtd(last.plus_nanos(1)))
            }
            _ => order,
        }
    }

    /// Moves the stops that protect a long position up: by the close less a distance, or by a fraction of the high.
    fn move_stops(&self, context: &Context<'_>, requests: &mut Requests) {
        let history = context.history(ONE);
        let [high, close] = [history.high, history.close].map(|column| *column.last().expect("a bar closed"));
        let follows = match self.run.number("sl_stop") {
            Some(fraction) => high * (1.0 - fraction),
            None => close - self.run.requests.iter().find_map(|asked| asked.trail).expect("a distance"),
        };
        for order in context.working_orders(ONE) {
            if let OrderKind::Stop(Price(level)) = order.kind
                && follows > level
            {
                let kind = Some(OrderKind::Stop(Price(follows)));
                requests.replace(order.id, Replacement { kind, ..Replacement::default() });
            }
        }
    }

    /// Turns the signals of one bar into orders: signals of both sides, or in and out of one, are none; in while in is none.
    fn follow_signals(&mut self, asked: &[&Asked], context: &Context<'_>, requests: &mut Requests) {
        let has = |what: &str| asked.iter().any(|asked| asked.what == what);
        let [mut into_long, mut out_of_long] = [has("enter_long"), has("exit_long")];
        let [mut into_short, mut out_of_short] = [has("enter_short"), has("exit_short")];
        if into_long || into_short {
            (into_long, out_of_long) = if into_long && out_of_long { (false, false) } else { (into_long, out_of_long) };
            (into_short, out_of_short) =
                if into_short && out_of_short { (false, false) } else { (into_short, out_of_short) };
            (into_long, into_short) = if into_long && into_short { (false, false) } else { (into_long, into_short) };
        }
        let held = context.position(ONE).quantity.0;
        let side = match () {
            () if into_long && held <= 0.0 => 1.0,
            () if into_short && held >= 0.0 => -1.0,
            () if (held > 0.0 && out_of_long) || (held < 0.0 && out_of_short) => 0.0,
            () => return,
        };
        self.stays = side != 0.0;
        let close = context.close(ONE).expect("a bar closed");
        let level = |fraction: f64| Price(close * (1.0 + side * fraction));
        let stop = self.run.number("sl_stop");
        let trails = self.run.flag("sl_trail") && !self.moves_stops;
        let fixed = |fraction: f64| OrderKind::Stop(level(-fraction));
        let trailing = |fraction: f64| OrderKind::TrailingStop(Trail::Fraction(fraction));
        let stop_loss = stop.map(|fraction| if trails { trailing(fraction) } else { fixed(fraction) });
        let exits = Exits { take_profit: self.run.number("tp_stop").map(level), stop_loss };
        match self.run.number("size") {
            // A size that is beyond the cash of any of these runs is all of the cash.
            Some(size) if size < 1_000.0 => {
                requests.submit(market_order(side * size - held));
            }
            _ if side == 0.0 => requests.target_weight(ONE, 0.0),
            _ => requests.target_weight_with_exits(ONE, side, exits),
        }
    }
}

fn market_order(units: f64) -> OrderRequest {
    OrderRequest::market(ONE, if units > 0.0 { Side::Buy } else { Side::Sell }, Quantity(units.abs()))
}

fn cancel_entries(context: &Context<'_>, requests: &mut Requests) {
    for order in context.working_orders(ONE).filter(|order| order.effect == PositionEffect::Any) {
        requests.cancel(order.id);
    }
}
