//! The story of a trade as aligned text.

use super::{
    BarStory, DecisionStory, Excursion, FillStory, LegStory, NamedValue, OrderStory, ResultStory, SizingStory,
    TradeStory, ValueUnit,
};
use crate::number::{UNDEFINED, money, percent, quantity, rounded};
use crate::text_table::{printable, shortened, wrapped};

const WIDTH: usize = 80;
const LABEL: usize = 29;
const VALUE: usize = 15;

/// Renders a story as plain text of at most 80 columns, every number with its unit.
pub fn trade_story(story: &TradeStory) -> String {
    let mut page = Page { text: String::new() };
    page.header(story);
    page.leg("Entry", &story.entry);
    page.holding(story);
    page.leg("Exit", &story.exit);
    page.result(story);
    page.text
}

struct Page {
    text: String,
}

impl Page {
    fn header(&mut self, story: &TradeStory) {
        let trade = &story.trade;
        let side = if trade.side == "buy" { "long" } else { "short" };
        let units = quantity(trade.quantity);
        self.line(&format!("Trade {} of {}: {} {side}, {units} units", story.number, story.trades, trade.symbol));
        self.line(&format!(
            "{} to {}, net pnl {} money",
            trade.entry_time,
            trade.exit_time,
            money(Some(story.result.net_pnl))
        ));
        self.line(&format!("{} (config {})", story.name, story.config_hash));
        for note in &story.notes {
            self.paragraph("note: ", note);
        }
    }

    fn leg(&mut self, title: &str, leg: &LegStory) {
        self.decision(title, &leg.decision);
        self.sizing(&leg.sizing);
        self.order(&leg.order);
        if let Some(bar) = &leg.bar {
            self.bar(bar);
        }
        self.fill(&leg.fill);
    }

    fn decision(&mut self, title: &str, decision: &DecisionStory) {
        self.section(&format!("{title}: decided at the close of {}", decision.time));
        self.paragraph("  ", &decision.because);
        self.fact_if("close", decision.close.map(price), "per unit");
        if !decision.features.is_empty() {
            self.line("  features known then");
        }
        for feature in &decision.features {
            for (place, (multiple, value)) in feature.values.iter().enumerate() {
                let name = if place == 0 { feature.name.as_str() } else { "" };
                let unit = if feature.values.len() == 1 { String::new() } else { of_bars(*multiple) };
                self.indented(name, &plain(*value), &unit);
            }
        }
        if let Some(forecast) = &decision.forecast {
            self.line(&format!("  forecast of fold {}, made from {}", forecast.fold, forecast.time));
            let ahead = format!("over {}", bars(forecast.horizon_bars));
            self.indented("mean return", &fine_percent(Some(forecast.mean)), &ahead);
            if forecast.volatility.is_some() {
                self.indented("volatility", &fine_percent(forecast.volatility), &ahead);
            }
        }
        if let Some(signal) = &decision.signal {
            self.line(&format!("  signal of {}", signal.strategy));
            for (name, value) in &signal.parameters {
                self.indented(name, value, "as configured");
            }
            for value in &signal.values {
                self.named(value);
            }
            if signal.weight.is_some() {
                self.indented("wanted weight", &percent(signal.weight), "of equity");
            }
        }
    }

    fn sizing(&mut self, sizing: &SizingStory) {
        self.line("  size");
        if sizing.equity.is_some() {
            self.indented("equity", &money(sizing.equity), "money");
        }
        self.indented("held before", &quantity(sizing.held_units), "units");
        if let Some(units) = sizing.target_units {
            self.indented("wanted", &quantity(units), "units");
        }
        if let Some(fraction) = sizing.sized_at_fill {
            self.indented("sized at the fill by", &percent(Some(fraction)), "of free equity");
        }
        if let Some(units) = sizing.order_units {
            self.indented("ordered", &quantity(units), "units");
        }
        if let Some(limit) = &sizing.clipped_by {
            self.paragraph("    ", &format!("clipped by {limit}: the limit left no more room"));
        }
        self.indented("filled", &quantity(sizing.filled_units), "units");
        if sizing.trimmed_at_fill {
            self.paragraph("    ", "cut at the fill to what the account could bear there after costs");
        }
    }

    fn order(&mut self, order: &OrderStory) {
        let kind = order.kind.replace('_', " ");
        let limit = order.limit_price.map(|limit| format!(", limit {}", price(limit)));
        let stop = order.stop_price.map(|stop| format!(", stop {}", price(stop)));
        let trail = order.trail_amount.map(|amount| format!(", trailing by {} per unit", price(amount)));
        let share = order.trail_fraction.map(|fraction| format!(", trailing by {}", percent(Some(fraction))));
        let prices: String = [stop, limit, trail, share].into_iter().flatten().collect();
        self.line(&format!("  order {}: {} {kind}{prices}, {}", order.order, order.side, order.time_in_force));
        if order.effect != "any" {
            self.line("    may only reduce the position");
        }
        for (what, link) in [
            ("works after order", order.parent),
            ("in the group of order", order.group),
            ("replaces order", order.replaces),
        ] {
            if let Some(link) = link.filter(|link| *link != order.order) {
                self.line(&format!("    {what} {link}"));
            }
        }
        for event in &order.life {
            let units = event.quantity.map(|units| format!(" {} units", quantity(units))).unwrap_or_default();
            let at = event.price.map(|at| format!(" at {} per unit", price(at))).unwrap_or_default();
            let when = format!("{} {}", event.time, event.moment);
            self.line(&format!("    {when:<18} {}{units}{at}", event.event));
        }
    }

    fn bar(&mut self, bar: &BarStory) {
        self.line(&format!("  bar {}", bar.time));
        for (name, value) in [("open", bar.open), ("high", bar.high), ("low", bar.low), ("close", bar.close)] {
            self.indented(name, &price(value), "per unit");
        }
        if let Some(previous) = bar.previous_close {
            self.indented("open against the close before", &signed_percent(bar.open / previous - 1.0), "");
        }
        if let Some(gap) = bar.gap {
            self.indented("gap from the order to the open", &price(gap), "per unit");
        }
        for touched in &bar.touched {
            let how = if touched.at_open { "reached at the open" } else { "reached inside" };
            let then = if touched.filled { "filled" } else { "not filled" };
            let kind = touched.kind.replace('_', " ");
            self.indented(
                &format!("order {}, {kind}", touched.order),
                &price(touched.price),
                &format!("{how}, {then}"),
            );
        }
        if bar.ambiguous {
            self.paragraph("    ", &format!("ambiguous: which came first is by the rule `{}`", bar.path));
        }
    }

    fn fill(&mut self, fill: &FillStory) {
        self.line(
            &format!("  fill, {} at the {} of {}", fill.liquidity, fill.moment, fill.time)
                .replace("at the inside", "inside"),
        );
        let against = if fill.quote > 0.0 { (fill.price - fill.quote).abs() / fill.quote * 1e4 } else { 0.0 };
        self.indented("quoted", &price(fill.quote), "per unit");
        self.indented(
            "filled at",
            &price(fill.price),
            &format!("per unit, {} bps worse", plain(rounded(Some(against), 4))),
        );
        self.indented("quantity", &quantity(fill.quantity), "units");
        if fill.multiplier != 1.0 {
            self.indented("multiplier", &plain(Some(fill.multiplier)), "money per unit and point");
        }
        if fill.fx_rate != 1.0 {
            self.indented("exchange rate", &plain(Some(fill.fx_rate)), "account per instrument");
        }
        self.indented("value", &money(Some(fill.value)), "money");
        self.indented("slippage", &money(Some(fill.slippage)), "money, in the price");
        let share = if fill.value > 0.0 { fill.commission / fill.value * 1e4 } else { 0.0 };
        self.indented(
            "commission",
            &money(Some(fill.commission)),
            &format!("money, {} bps", plain(rounded(Some(share), 4))),
        );
        if !fill.other_trades.is_empty() {
            self.indented("of which this trade's", &quantity(fill.trade_units), "units");
            let others: Vec<String> = fill.other_trades.iter().map(ToString::to_string).collect();
            self.paragraph("    ", &format!("the rest belongs to trade {}", others.join(", ")));
        }
    }

    fn holding(&mut self, story: &TradeStory) {
        let holding = &story.holding;
        self.section(&format!("Held: {}", bars(holding.bars)));
        self.excursion("worst price", holding.worst.as_ref(), story.trade.mae);
        self.excursion("best price", holding.best.as_ref(), story.trade.mfe);
        for (time, ratio) in &holding.splits {
            self.fact("split", &plain(Some(*ratio)), &format!("new units per old, {time}"));
        }
        for flow in &holding.cash_flows {
            let times = if flow.count == 1 { "once".to_owned() } else { format!("{} times", flow.count) };
            self.fact(&flow.kind.replace('_', " "), &money(Some(flow.trade_amount)), &format!("money, {times}"));
        }
        if holding.cash_flows.is_empty() {
            self.line("  no dividends and no financing");
        }
    }

    fn excursion(&mut self, name: &str, excursion: Option<&Excursion>, fraction: f64) {
        match excursion {
            Some(at) => {
                self.fact(name, &price(at.price), &format!("per unit, {}", signed_percent(at.fraction)));
                self.indented("in the bar", &at.time.to_string(), "");
            }
            None => self.fact(name, &signed_percent(fraction), "from the entry"),
        }
    }

    fn result(&mut self, story: &TradeStory) {
        let (result, trade) = (&story.result, &story.trade);
        self.section("Result");
        let units = quantity(trade.quantity);
        let (first, second) = if trade.side == "buy" { ("bought", "sold") } else { ("sold short", "bought back") };
        let value = |amount: f64| money(Some(amount));
        self.fact(
            &format!("{second} {units}"),
            &value(sign(trade.side == "buy", result.exit_value)),
            &at(trade.exit_price),
        );
        self.fact(
            &format!("{first} {units}"),
            &value(sign(trade.side != "buy", result.entry_value)),
            &at(trade.entry_price),
        );
        self.money_line("realized pnl", result.realized_pnl);
        self.money_line("commission of the entry", -result.entry_commission);
        self.money_line("commission of the exit", -result.exit_commission);
        self.net(result);
    }

    fn net(&mut self, result: &ResultStory) {
        let share =
            result.net_return.map_or_else(String::new, |share| format!(", {} of the entry", signed_percent(share)));
        self.fact("net pnl", &money(Some(result.net_pnl)), &format!("money{share}"));
        if result.cash_flows != 0.0 {
            self.money_line("dividends and financing", result.cash_flows);
            self.money_line("net pnl with them", result.net_with_cash_flows);
        }
    }

    fn money_line(&mut self, name: &str, amount: f64) {
        self.fact(name, &money(Some(amount)), "money");
    }

    fn named(&mut self, value: &NamedValue) {
        let (text, unit) = match value.unit {
            ValueUnit::Price => (value.value.map_or_else(|| UNDEFINED.to_owned(), price), "per unit"),
            ValueUnit::Fraction => (fine_percent(value.value), ""),
            ValueUnit::Weight => (percent(value.value), "of equity"),
            ValueUnit::Count | ValueUnit::Number => (plain(value.value), ""),
        };
        self.indented(&value.name, &text, unit);
    }

    fn section(&mut self, title: &str) {
        self.line("");
        self.line(title);
    }

    fn fact_if(&mut self, label: &str, value: Option<String>, unit: &str) {
        if let Some(value) = value {
            self.fact(label, &value, unit);
        }
    }

    fn fact(&mut self, label: &str, value: &str, unit: &str) {
        self.row(2, label, value, unit);
    }

    fn indented(&mut self, label: &str, value: &str, unit: &str) {
        self.row(4, label, value, unit);
    }

    fn row(&mut self, indent: usize, label: &str, value: &str, unit: &str) {
        let width = LABEL + 4 - indent;
        let label = shortened(label, width);
        let value = format!("{value:>VALUE$}");
        self.line(&format!("{:indent$}{label:<width$}{value} {unit}", ""));
    }

    fn paragraph(&mut self, start: &str, text: &str) {
        let indent = " ".repeat(start.len());
        for (place, line) in wrapped(text, WIDTH - start.len()).iter().enumerate() {
            self.line(&format!("{}{line}", if place == 0 { start } else { &indent }));
        }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(shortened(&printable(text), WIDTH).trim_end());
        self.text.push('\n');
    }
}

fn sign(positive: bool, value: f64) -> f64 {
    if positive { value } else { -value }
}

fn at(value: f64) -> String {
    format!("money, at {} per unit", price(value))
}

fn bars(count: i64) -> String {
    if count == 1 { "1 bar".to_owned() } else { format!("{count} bars") }
}

fn of_bars(multiple: usize) -> String {
    if multiple == 1 { "on single bars".to_owned() } else { format!("on bars of {multiple}") }
}

/// Six significant digits.
fn plain(value: Option<f64>) -> String {
    rounded(value, 6).map_or_else(|| UNDEFINED.to_owned(), |value| value.to_string())
}

/// A small fraction in percent, with four digits.
fn fine_percent(value: Option<f64>) -> String {
    value.map_or_else(|| UNDEFINED.to_owned(), |value| format!("{:.4}%", value * 100.0))
}

/// A price with the digits that its arithmetic needs: four from one on, else six significant ones.
fn price(value: f64) -> String {
    if value.abs() < 1.0 { plain(Some(value)) } else { crate::number::grouped(value, 4) }
}

fn signed_percent(value: f64) -> String {
    let text = percent(Some(value));
    if value > 0.0 { format!("+{text}") } else { text }
}
