"""Runs of backtesting.py. Its defaults are untouched but for what `settings` names."""
import re
import warnings

import backtesting
import pandas as pd
from backtesting import Backtest, Strategy

import rules
import runs
import series

backtesting.backtesting._tqdm = lambda x, **_: x
HOW = ("backtesting.py %s, pandas %s, by make_parity_vectors.py. Settings are keywords of Backtest. A request without size lets the engine size it (all liquidity). "
       "Fills are taken where the engine opens and closes its trades; commission of a fill as it leaves the cash. The strategy declares no indicator, so its first bar is 1. "
       "A trade's commission is that of both ends, its pnl is net. A `bar` in `refused` is the bar on which the order would have filled.") % (backtesting.__version__, pd.__version__)


def watch(broker, fills):
    """Notes every opening and closing of a trade."""
    opening, closing = broker._open_trade, broker._close_trade

    def open_trade(price, size, sl, tp, time_index, tag):
        fills.append([time_index, size, price, broker._commission(size, price)])
        return opening(price, size, sl, tp, time_index, tag)

    def close_trade(trade, price, time_index):
        fills.append([time_index, -trade.size, price, broker._commission(trade.size, price)])
        return closing(trade, price, time_index)

    broker._open_trade, broker._close_trade = open_trade, close_trade


def ask(strategy, r):
    """Hands one request to the engine."""
    if r["do"] == "close":
        strategy.position.close()
    elif r["do"] == "cancel":
        for o in [o for o in strategy.orders if o.parent_trade is None]:
            o.cancel()
    else:
        names = {"size": "size", "limit": "limit", "stop": "stop", "stop_loss": "sl", "take_profit": "tp"}
        {"buy": strategy.buy, "sell": strategy.sell}[r["do"]](**{names[k]: x for k, x in r.items() if k != "do"})


def drive(name, on, rule, text, **settings):
    """One run as a record."""
    bars = series.read(on)
    frame = pd.DataFrame({k.capitalize(): bars[k] for k in series.FIELDS}, index=pd.to_datetime(bars["time"]))
    view, asked, fills = rules.View(bars, series.crosses(bars)), [], []

    class Driven(Strategy):
        def init(self):
            watch(self._broker, fills)

        def next(self):
            t = len(self.data) - 1
            for r in rule(view.at(t, self.position.size, any(o.parent_trade is None for o in self.orders))):
                asked.append({"bar": t, **r})
                ask(self, r)

    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        result = Backtest(frame, Driven, **settings).run()
    refused = [[int(m.group(1)), "insufficient margin"] for m in (re.match(r"time=(\d+): Broker canceled", str(n.message)) for n in notes) if m]
    trades = [[x.EntryBar, x.ExitBar, x.Size, x.EntryPrice, x.ExitPrice, x.Commission, x.PnL] for x in result._trades.itertuples()]
    return runs.run(name, "backtesting_py", backtesting.__version__, on, settings, text, asked, fills, result._equity_curve.Equity, trades, refused)


def all_runs():
    """Every run of this engine."""
    flat, both = rules.long_flat(), rules.long_short()
    cross, reverse = "SMA(5, 20) cross, long or flat, default size", "SMA(5, 20) cross, long or short: position.close() then buy() or sell(), default size"
    adds = {5: [{"do": "buy", "size": 0.4}], 9: [{"do": "buy", "size": 0.5}], 14: [{"do": "buy", "size": 30}], 20: [{"do": "sell", "size": 25}], 26: [{"do": "sell", "size": 0.5}],
            33: [{"do": "sell", "size": 400}], 40: [{"do": "sell", "size": 60}], 47: [{"do": "buy", "size": 20}], 55: [{"do": "close"}], 60: [{"do": "buy", "size": 5000}],
            66: [{"do": "buy", "size": 10}, {"do": "buy", "size": 20}, {"do": "buy", "size": 30}], 72: [{"do": "sell", "size": 35}], 80: [{"do": "close"}, {"do": "buy"}], 299: [{"do": "close"}]}
    return [
        drive("cross_calm_defaults", "calm", flat, cross),
        drive("cross_calm_spread_commission", "calm", flat, cross, spread=0.002, commission=0.001),
        drive("reverse_surge_spread", "surge", both, reverse, spread=0.002),
        drive("reverse_volatile_fixed_commission", "volatile", both, reverse, commission=(5.0, 0.0005)),
        drive("reverse_calm_on_close", "calm", both, reverse + "; fills at the close of the signal bar", trade_on_close=True, spread=0.002, commission=0.001),
        drive("reverse_surge_finalized", "surge", both, reverse + "; the open trade is closed at the end", finalize_trades=True, commission=0.001),
        drive("bracket_volatile", "volatile", rules.bracket(10, 0.04, 0.06), "market entry every 10 bars when flat, stop 4 %, target 6 % off the signal's close", commission=0.001),
        drive("bracket_short_surge_spread", "surge", rules.bracket(10, 0.03, 0.03, side="sell"), "short market entry every 10 bars when flat, stop and target 3 %", spread=0.002),
        drive("bracket_on_stop_entry", "volatile", rules.bracket(10, 0.03, 0.02, size=60, entry=("stop", 0.01)), "buy stop 1 % above the close with stop 3 % and target 2 % off the entry price", commission=0.001),
        drive("bracket_on_limit_entry", "volatile", rules.bracket(10, 0.02, 0.02, size=60, entry=("limit", -0.01)), "buy limit 1 % below the close with stop and target 2 % off the entry price", commission=0.001),
        drive("limit_calm_spread", "calm", rules.resting(6, 8, 50, limit=-0.008), "limit entries 0.8 % away, sides alternate, leave after 8 bars", spread=0.002, commission=0.001),
        drive("stop_volatile", "volatile", rules.resting(6, 5, 70, stop=0.02), "stop entries 2 % away, sides alternate, leave after 5 bars", commission=0.001),
        drive("stop_limit_volatile", "volatile", rules.resting(5, 4, 70, stop=0.01, limit=0.01), "stop-limit entries, the limit 1 % beyond or before the stop", commission=0.001),
        drive("adds_and_netting", "calm", rules.script(adds), "fixed list: fractions, adding, netting against several trades, orders that cannot be paid", commission=0.001, spread=0.002),
        drive("ruin_short_margin", "surge", rules.script({3: [{"do": "sell"}]}), "one short of all liquidity at 4:1 margin: ruin", margin=0.25, commission=0.001),
    ]
