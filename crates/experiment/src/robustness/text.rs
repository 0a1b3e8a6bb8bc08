//! What a check of robustness found, as aligned tables.

use std::fmt;

use tidegate_metrics::{Interval, OrderSpread};

use super::costs::{BreakEven, CostsAnswer};
use super::intervals::IntervalsAnswer;
use super::periods::SubPeriod;
use super::report::RobustnessReport;
use super::trade_order::TradeOrderAnswer;
use super::trader::{Variant, VariantOutcome, VariantResult};

/// The width of the first column of every table.
const FIRST: usize = 22;

/// The width of the other columns.
const WIDTH: usize = 12;

impl fmt::Display for RobustnessReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} (config {})\n", self.name, self.config_hash)?;
        costs(f, &self.costs)?;
        variants(f, "orders arrive later", &self.delay)?;
        writeln!(f)?;
        variants(f, "path inside a bar", &self.execution.path)?;
        writeln!(f)?;
        variants(f, "market orders fill", &self.execution.fill)?;
        for note in &self.execution.notes {
            writeln!(f, "note: {note}")?;
        }
        writeln!(f)?;
        periods(f, "calendar year", &self.periods.years)?;
        writeln!(f)?;
        periods(f, "part", &self.periods.thirds)?;
        writeln!(f)?;
        trade_orders(f, &self.trade_order)?;
        writeln!(f)?;
        intervals(f, &self.intervals)?;
        write!(f, "\n* the run itself; none of these backtests counts as a trial")
    }
}

fn costs(f: &mut fmt::Formatter<'_>, costs: &CostsAnswer) -> fmt::Result {
    let rows: Vec<Variant> = costs.multiples.iter().chain(&costs.without_financing).cloned().collect();
    variants(f, "trading costs", &rows)?;
    let sentence = match costs.break_even {
        BreakEven::At(multiple) => format!("the total return is 0 at {multiple:.2} times the costs"),
        BreakEven::Above(multiple) => format!("the total return is above 0 at {multiple} times the costs"),
        BreakEven::LosesWithoutCosts => "the total return is not above 0 even without costs".to_owned(),
        BreakEven::NoCosts => "the config states no trading costs to multiply".to_owned(),
        BreakEven::Undefined => "the total return is undefined".to_owned(),
    };
    writeln!(f, "break-even: {sentence}")?;
    let paid = &costs.financing;
    writeln!(
        f,
        "financing of the run, never multiplied: borrowed units {:.2}, borrowed money {:.2}, funding {:.2}, interest earned {:.2}\n",
        paid.borrow_fees, paid.margin_interest, paid.funding, paid.cash_interest
    )
}

fn variants(f: &mut fmt::Formatter<'_>, title: &str, variants: &[Variant]) -> fmt::Result {
    row(f, title, &["return", "CAGR", "Sharpe", "drawdown", "trades", "costs"].map(str::to_owned))?;
    for Variant { name, is_the_run, outcome } in variants {
        let name = if *is_the_run { format!("{name} *") } else { name.clone() };
        match outcome {
            VariantOutcome::Refused(reason) => writeln!(f, "{name:<FIRST$}    not possible: {reason}")?,
            VariantOutcome::Traded(result) => row(f, &name, &cells(result))?,
        }
    }
    Ok(())
}

fn cells(result: &VariantResult) -> [String; 6] {
    [
        percent(result.total_return),
        percent(result.cagr),
        number(result.sharpe_ratio),
        percent(result.max_drawdown),
        result.trades.to_string(),
        format!("{:.2}", result.commission + result.slippage),
    ]
}

fn periods(f: &mut fmt::Formatter<'_>, title: &str, periods: &[SubPeriod]) -> fmt::Result {
    row(f, title, &["first bar", "last bar", "bars", "return", "Sharpe", "drawdown", "trades"].map(str::to_owned))?;
    for period in periods {
        let cells = [
            period.first.date().to_string(),
            period.last.date().to_string(),
            period.bars.to_string(),
            percent(period.total_return),
            number(period.sharpe_ratio),
            percent(period.max_drawdown),
            period.trades.to_string(),
        ];
        row(f, &period.name, &cells)?;
    }
    Ok(())
}

fn trade_orders(f: &mut fmt::Formatter<'_>, answer: &TradeOrderAnswer) -> fmt::Result {
    let (Some(shuffled), Some(drawn)) = (&answer.shuffled, &answer.drawn) else {
        return writeln!(f, "trades in another order: there are no trades");
    };
    let level = |share: f64| format!("{:.1}%", 100.0 * share);
    let tail = (1.0 - shuffled.settings.confidence) / 2.0;
    let heads = ["as it was".to_owned(), level(tail), "median".to_owned(), level(1.0 - tail), "as bad".to_owned()];
    row(f, "trades reordered", &heads)?;
    let mut spread = |name: &str, spread: &OrderSpread| {
        let cells = [spread.actual, spread.percentile.low, spread.median, spread.percentile.high, spread.as_bad_share];
        row(f, name, &cells.map(|value| percent(Some(value))))
    };
    spread("drawdown, shuffled", &shuffled.max_drawdown)?;
    spread("drawdown, drawn", &drawn.max_drawdown)?;
    spread("return, drawn", &drawn.total_return)
}

fn intervals(f: &mut fmt::Formatter<'_>, answer: &IntervalsAnswer) -> fmt::Result {
    let Some(settings) = answer.settings else {
        return writeln!(f, "returns resampled: there are too few bars, or too many");
    };
    row(f, "returns resampled", &["as it was", "low", "high"].map(str::to_owned))?;
    let mut line = |name: &str, found: Option<(f64, Interval)>, show: fn(Option<f64>) -> String| {
        let cells = [found.map(|(of, _)| of), found.map(|(_, of)| of.low), found.map(|(_, of)| of.high)];
        row(f, name, &cells.map(show))
    };
    line("Sharpe ratio", answer.sharpe_ratio.map(|found| (found.estimate, found.studentized)), number)?;
    line("drawdown", answer.max_drawdown.map(|found| (found.estimate, found.percentile)), percent)?;
    writeln!(
        f,
        "95% intervals from {} resamples in blocks of {:.1} bars on average",
        settings.resamples, settings.mean_block_length
    )
}

fn row(f: &mut fmt::Formatter<'_>, first: &str, cells: &[String]) -> fmt::Result {
    write!(f, "{first:<FIRST$}")?;
    for cell in cells {
        write!(f, " {cell:>WIDTH$}")?;
    }
    writeln!(f)
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| format!("{:.2}%", 100.0 * value))
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.3}"))
}
