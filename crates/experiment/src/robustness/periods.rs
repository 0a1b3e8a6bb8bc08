//! Was it good all the time, or once?

use std::ops::Range;

use serde::{Deserialize, Serialize};
use tidegate_backtest::Journal;
use tidegate_market::Timestamp;
use tidegate_metrics::{MetricOptions, Returns, max_drawdown, sharpe_ratio, total_return};

use crate::ExperimentError;
use crate::measure::Measured;

/// The result within a stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubPeriod {
    /// The year, or which part.
    pub name: String,
    /// The label of its first bar.
    pub first: Timestamp,
    /// The label of its last bar.
    pub last: Timestamp,
    /// Bars.
    pub bars: usize,
    /// Total return within it, a fraction.
    pub total_return: Option<f64>,
    /// Annual Sharpe ratio.
    pub sharpe_ratio: Option<f64>,
    /// Largest drawdown from a peak within it, a negative fraction.
    pub max_drawdown: Option<f64>,
    /// Round trips that ended within it.
    pub trades: usize,
}

/// The result in parts of the time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeriodsAnswer {
    /// By calendar year (UTC) of a bar's label.
    pub years: Vec<SubPeriod>,
    /// Three parts of as many bars, the last one longer by what is left over.
    pub thirds: Vec<SubPeriod>,
}

pub(super) fn answer(measured: &Measured, journal: &Journal) -> Result<PeriodsAnswer, ExperimentError> {
    let exits: Vec<Timestamp> = journal.trades.iter().map(|trade| trade.exit_time).collect();
    let (returns, options) = (&measured.returns, &measured.options);
    let table = |cuts: Vec<(String, Range<usize>)>| {
        let row = |(name, bars)| sub_period(name, bars, returns, &exits, options);
        cuts.into_iter().map(row).collect::<Result<Vec<_>, _>>()
    };
    let time = returns.time().unwrap_or_default();
    Ok(PeriodsAnswer { years: table(years(time))?, thirds: table(thirds(time.len()))? })
}

fn years(time: &[Timestamp]) -> Vec<(String, Range<usize>)> {
    let mut years: Vec<(String, Range<usize>)> = Vec::new();
    for (row, time) in time.iter().enumerate() {
        let year = time.date().format("%Y").to_string();
        match years.last_mut() {
            Some((last, bars)) if *last == year => bars.end = row + 1,
            _ => years.push((year, row..row + 1)),
        }
    }
    years
}

fn thirds(bars: usize) -> Vec<(String, Range<usize>)> {
    let third = bars / 3;
    let parts = [("1 of 3", 0..third), ("2 of 3", third..2 * third), ("3 of 3", 2 * third..bars)];
    parts.into_iter().filter(|(_, bars)| !bars.is_empty()).map(|(name, bars)| (name.to_owned(), bars)).collect()
}

/// Measures a part; `bars` is not empty.
fn sub_period(
    name: String,
    bars: Range<usize>,
    returns: &Returns,
    exits: &[Timestamp],
    options: &MetricOptions,
) -> Result<SubPeriod, ExperimentError> {
    let time = returns.time().unwrap_or_default();
    let (first, last) = (time[bars.start], time[bars.end - 1]);
    let before = bars.start.checked_sub(1).map(|row| time[row]);
    let mut part = Returns::from_times(
        time[bars.clone()].to_vec(),
        returns.values()[bars.clone()].to_vec(),
        returns.periods_per_year(),
    )?;
    if let Some(start) = before.or(returns.start()) {
        part = part.with_start(start)?;
    }
    let within = |exit: &&Timestamp| before.is_none_or(|before| **exit > before) && **exit <= last;
    Ok(SubPeriod {
        name,
        first,
        last,
        bars: bars.len(),
        total_return: total_return(&part),
        sharpe_ratio: sharpe_ratio(&part, options),
        max_drawdown: max_drawdown(&part),
        trades: exits.iter().filter(within).count(),
    })
}

#[cfg(test)]
mod tests {
    use tidegate_metrics::Convention;

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a date")
    }

    #[test]
    fn years_and_parts_hold_every_bar_and_trade_once() {
        let labels = ["1999-12-30", "1999-12-31", "2000-01-03", "2000-01-04", "2000-01-05", "2001-01-02", "2001-01-03"];
        let labels = labels.map(time).to_vec();
        let values = vec![0.1, -0.5, 0.5, 0.0, 0.2, -0.1, 0.1];
        let returns = Returns::from_times(labels.clone(), values, 252.0).expect("valid");
        let options = MetricOptions::new(Convention::Tidegate);
        let exits = [labels[1], labels[2], labels[4], labels[6]];
        let row = |(name, bars)| sub_period(name, bars, &returns, &exits, &options).expect("valid");
        let rows: Vec<SubPeriod> = years(&labels).into_iter().map(row).collect();
        let shape: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.bars, row.trades)).collect();
        assert_eq!(shape, [("1999", 2, 1), ("2000", 3, 2), ("2001", 2, 1)]);
        // 1.1 * 0.5 = 0.55 from a peak of 1.1; the peak of the year before does not count in the next.
        assert!((rows[0].total_return.expect("defined") + 0.45).abs() < 1e-15);
        assert!((rows[0].max_drawdown.expect("defined") + 0.5).abs() < 1e-15);
        assert_eq!(rows[1].max_drawdown, Some(0.0));
        let thirds: Vec<_> = thirds(7).into_iter().map(row).map(|row| (row.name, row.bars, row.trades)).collect();
        assert_eq!(thirds, [("1 of 3".to_owned(), 2, 1), ("2 of 3".to_owned(), 2, 1), ("3 of 3".to_owned(), 3, 2)]);
    }
}
