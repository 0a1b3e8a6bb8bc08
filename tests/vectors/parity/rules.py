"""Decisions at the close of a bar, the same for every engine: a rule turns what it may know into requests.

A rule is a function `(view) -> list of requests`. `view` has `t`, `close` (of this bar), `position`, `working` (are own entry orders waiting),
`held` (bars since the position was opened, 0 on the bar of the fill), `up` and `down` (the cross at this bar).
A request is a dictionary without empty entries:
`do`: buy, sell, close (the whole position by a market order), cancel (all own waiting entry orders)
`size`: units; absent = the engine's default size. `limit`, `stop`: prices of the entry order; both = stop-limit; none = market.
`stop_loss`, `take_profit`: prices of a bracket's children. `trail`: distance of a trailing stop.
"""


def cents(price):
    """A price of two decimals."""
    return round(float(price), 2)


def long_flat(size=None):
    """In at a cross up, out at a cross down."""
    def rule(v):
        if v.up and v.position == 0:
            return [request("buy", size=size)]
        return [request("close")] if v.down and v.position > 0 else []
    return rule


def long_short(size=None):
    """Always on the side of the last cross: closes, then opens on the same bar."""
    def rule(v):
        if v.up and v.position <= 0:
            return ([request("close")] if v.position else []) + [request("buy", size=size)]
        if v.down and v.position >= 0:
            return ([request("close")] if v.position else []) + [request("sell", size=size)]
        return []
    return rule


def bracket(every, loss, gain, size=None, side="buy", entry=None):
    """When flat, every `every` bars: an entry with a stop and a target at fractions of this close; `entry` "limit" or "stop" with the entry at a fraction."""
    def rule(v):
        if v.t % every:
            return []
        out = [request("cancel")] if v.working else []
        if v.position:
            return out
        s = 1 if side == "buy" else -1
        prices = {} if entry is None else {entry[0]: cents(v.close * (1 + s * entry[1]))}
        base = prices[entry[0]] if entry else v.close
        return out + [request(side, size=size, stop_loss=cents(base * (1 - s * loss)), take_profit=cents(base * (1 + s * gain)), **prices)]
    return rule


def resting(every, hold, size, limit=None, stop=None, both_sides=True):
    """Every `every` bars cancels what waits and, when flat, places an entry away from the close; leaves after `hold` bars by a market order.

    `limit` and `stop` are fractions seen from a buyer (limit -0.01 = one percent below); sides alternate; a stop-limit's limit alternates between beyond and before its stop.
    """
    def rule(v):
        out = [request("close")] if v.position and v.held >= hold else []
        if v.t % every:
            return out
        if v.working:
            out.append(request("cancel"))
        if v.position:
            return out
        turn = v.t // every
        s = -1 if both_sides and turn % 2 else 1
        prices = {}
        if stop is not None:
            prices["stop"] = cents(v.close * (1 + s * stop))
        if limit is not None:
            offset = stop + (limit if turn % 4 < 2 else -limit) if stop is not None else limit
            prices["limit"] = cents(v.close * (1 + s * offset))
        return out + [request("buy" if s > 0 else "sell", size=size, **prices)]
    return rule


def trailing(every, distance, size):
    """When flat, every `every` bars a market entry; on the bar of its fill a trailing stop for all of it."""
    def rule(v):
        if v.position and v.held == 0:
            return [request("sell", size=size, trail=distance)]
        return [request("buy", size=size)] if v.position == 0 and v.t % every == 0 else []
    return rule


def script(requests):
    """Fixed requests by bar."""
    return lambda v: [dict(r) for r in requests.get(v.t, [])]


def request(do, **entries):
    """A request without its empty entries."""
    return {"do": do, **{k: x for k, x in entries.items() if x is not None}}


class View:
    """What a rule may know at the close of bar `t`."""

    def __init__(self, bars, signals):
        self.closes, (self.ups, self.downs) = bars["close"], signals
        self.opened = None

    def at(self, t, position, working):
        """Moves to bar `t`."""
        if position == 0:
            self.opened = None
        elif self.opened is None or (position > 0) != (self.position > 0):
            self.opened = t
        self.t, self.close, self.up, self.down = t, float(self.closes[t]), bool(self.ups[t]), bool(self.downs[t])
        self.position, self.working = position, working
        self.held = 0 if self.opened is None else t - self.opened
        return self
