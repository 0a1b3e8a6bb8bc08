"""Runs of backtrader with its own broker; defaults untouched but for what `settings` names."""
import datetime

import backtrader
import pandas as pd

import rules
import runs
import series

HOW = ("backtrader %s, pandas %s, by make_parity_vectors.py. Settings: `cash`, `commission` (setcommission), `cheat_on_open` (Cerebro and set_coo; a request of bar t is placed in next_open of t + 1, all in = "
       "cash / (open * (1 + commission)) * (1 - 1e-12)), `bracket_entry` (the execution type of buy_bracket; \"limit\" without a price is backtrader's default: a limit at the signal's close), `valid_days` (valid = timedelta after the "
       "stamp of the bar on which it was asked). A request without size takes the default sizer: 1 unit. Equity is broker.getvalue() in next(). `refused`: status Margin, on the bar where it was told; a fill before it on the same bar is the closing part.") % (backtrader.__version__, pd.__version__)
Types = backtrader.Order


class Driven(backtrader.Strategy):
    """Asks what the rule says, notes what the broker tells."""
    params = dict(rule=None, view=None, settings=None, bar_of=None)

    def __init__(self):
        self.asked, self.fills, self.refused, self.equity, self.entries, self.queue = [], [], [], [], [], []

    def next(self):
        t = len(self) - 1
        self.equity.append(self.broker.getvalue())
        view = self.p.view.at(t, self.position.size, any(o.alive() for o in self.entries))
        for r in self.p.rule(view):
            if r.get("size") == "all_in":
                r["size"] = int(self.broker.getcash() / (view.close * (1 + self.p.settings.get("commission", 0.0))))
            self.asked.append({"bar": t, **r})
            self.queue.append(r)
        if not self.p.settings.get("cheat_on_open"):
            self.place()

    def next_open(self):
        self.place()

    def place(self):
        queue, self.queue = self.queue, []
        for r in queue:
            self.ask(dict(r))

    def ask(self, r):
        """Hands one request to the engine."""
        settings = self.p.settings
        if r["do"] == "close":
            self.close()
        elif r["do"] == "cancel":
            for o in [o for o in self.entries if o.alive()]:
                self.cancel(o)
        elif "stop_loss" in r:
            order = {"buy": self.buy_bracket, "sell": self.sell_bracket}[r["do"]]
            low, high = (r["stop_loss"], r["take_profit"])
            kind = {"market": Types.Market, "limit": Types.Limit, "stop": Types.Stop}[settings["bracket_entry"]]
            self.entries = list(order(size=r.get("size"), price=r.get("stop", r.get("limit")), exectype=kind, stopprice=low, limitprice=high))[:1]
        elif "trail" in r:
            self.sell(size=r["size"], exectype=Types.StopTrail, trailamount=r["trail"])
        else:
            size = r.get("size")
            if settings.get("cheat_on_open"):
                size = self.broker.getcash() / (self.data.open[0] * (1 + settings["commission"])) * (1 - 1e-12)
            keywords = dict(size=size)
            if "limit" in r and "stop" in r:
                keywords.update(exectype=Types.StopLimit, price=r["stop"], plimit=r["limit"])
            elif "limit" in r:
                keywords.update(exectype=Types.Limit, price=r["limit"])
            elif "stop" in r:
                keywords.update(exectype=Types.Stop, price=r["stop"])
            if "valid_days" in settings and len(keywords) > 1:
                keywords["valid"] = datetime.timedelta(days=settings["valid_days"])
            self.entries = [o for o in self.entries if o.alive()] + [{"buy": self.buy, "sell": self.sell}[r["do"]](**keywords)]

    def notify_order(self, order):
        if order.status in (Types.Partial, Types.Completed):
            done = order.executed
            self.fills.append([self.p.bar_of[backtrader.num2date(done.dt)], done.size, done.price, done.comm])
        elif order.status == Types.Margin:
            self.refused.append([len(self.data) - 1, "margin"])


def drive(name, on, rule, text, **settings):
    """One run as a record."""
    bars = series.read(on)
    frame = pd.DataFrame({k: bars[k] for k in series.FIELDS}, index=pd.to_datetime(bars["time"]))
    cerebro = backtrader.Cerebro(stdstats=False, cheat_on_open=bool(settings.get("cheat_on_open")))
    cerebro.adddata(backtrader.feeds.PandasData(dataname=frame))
    cerebro.addstrategy(Driven, rule=rule, view=rules.View(bars, series.crosses(bars)), settings=settings, bar_of={d.to_pydatetime(): t for t, d in enumerate(frame.index)})
    cerebro.broker.setcash(settings.get("cash", 10000.0))
    cerebro.broker.setcommission(commission=settings.get("commission", 0.0))
    if settings.get("cheat_on_open"):
        cerebro.broker.set_coo(True)
    done = cerebro.run()[0]
    return runs.run(name, "backtrader", backtrader.__version__, on, settings, text, done.asked, done.fills, done.equity, refused=done.refused)


def all_runs():
    """Every run of this engine."""
    flat, both = rules.long_flat(), rules.long_short()
    cross, reverse = "SMA(5, 20) cross, long or flat", "SMA(5, 20) cross, long or short: close(), then buy() or sell()"
    money = {4: [{"do": "buy", "size": 60}, {"do": "buy", "size": 60}], 8: [{"do": "buy", "size": 500}, {"do": "buy", "size": 1}], 12: [{"do": "close"}, {"do": "buy", "size": 90}],
             16: [{"do": "buy", "size": 90}, {"do": "close"}], 20: [{"do": "sell", "size": 120}], 25: [{"do": "buy", "size": 330}], 30: [{"do": "buy", "size": 130}], 36: [{"do": "sell", "size": 2000}],
             40: [{"do": "close"}], 44: [{"do": "buy", "size": 40, "limit": 95.0}, {"do": "buy", "size": 40}, {"do": "buy", "size": 70, "limit": 99.0}], 60: [{"do": "cancel"}, {"do": "close"}], 299: [{"do": "buy"}]}
    return [
        drive("cross_calm_defaults", "calm", flat, cross + ", default sizer"),
        drive("reverse_volatile_commission", "volatile", both, reverse + ", default sizer", commission=0.001),
        drive("reverse_surge_sized", "surge", rules.long_short(150), reverse + ", 150 units", commission=0.001),
        drive("all_in_at_the_open", "volatile", flat, cross + ", all in by cheat on open", cheat_on_open=True, commission=0.001, cash=100000.0),
        drive("all_in_at_the_close", "volatile", rules.long_flat("all_in"), cross + ", whole units for all cash at the signal's close: a higher open is refused", commission=0.001),
        drive("bracket_defaults", "calm", rules.bracket(10, 0.015, 0.02, size=10), "buy_bracket every 10 bars when flat, stop 1.5 %, target 2 %, entry a limit at the close", bracket_entry="limit"),
        drive("bracket_market", "volatile", rules.bracket(10, 0.03, 0.04, size=20), "buy_bracket by market order, stop 3 %, target 4 %", bracket_entry="market", commission=0.001),
        drive("bracket_short_surge", "surge", rules.bracket(10, 0.03, 0.03, size=40, side="sell"), "sell_bracket by market order, stop and target 3 %", bracket_entry="market", commission=0.001),
        drive("bracket_stop_entry", "volatile", rules.bracket(10, 0.03, 0.02, size=30, entry=("stop", 0.01)), "buy_bracket by a stop 1 % above, stop 3 %, target 2 % off the entry price", bracket_entry="stop", commission=0.001),
        drive("limit_calm_valid", "calm", rules.resting(7, 8, 50, limit=-0.008), "limit entries 0.8 % away, sides alternate, valid for 5 days, leave after 8 bars", valid_days=5, commission=0.001),
        drive("stop_volatile", "volatile", rules.resting(6, 5, 70, stop=0.02), "stop entries 2 % away, sides alternate, leave after 5 bars", commission=0.001),
        drive("stop_limit_volatile", "volatile", rules.resting(5, 4, 70, stop=0.01, limit=0.01), "stop-limit entries, the limit 1 % beyond or before the stop", commission=0.001),
        drive("trailing_volatile", "volatile", rules.trailing(11, 5.0, 30), "market entry, trailing stop 5.00 below the best close", commission=0.001),
        drive("orders_that_cash_cannot_pay", "calm", rules.script(money), "fixed list: refusals at the check and at the fill, shorts without limit, a flip whose opening part is refused", commission=0.001),
    ]
