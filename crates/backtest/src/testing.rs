//! Bars and forecasts for unit tests.

use tidegate_market::{BarColumns, BarLabel, Bars, Forecast, InstrumentId, Timestamp};

/// A forecast that is known at some nanosecond.
pub(crate) fn forecast(instrument: u32, known: i64) -> Forecast {
    Forecast {
        instrument: InstrumentId(instrument),
        time: Timestamp::from_nanos(known),
        known_time: Timestamp::from_nanos(known),
        horizon_bars: 1,
        mean: 0.01,
        variance: None,
        fold: 0,
    }
}

/// Daily bars without a range, from 1970-01-01.
pub(crate) fn flat_bars(prices: &[f64]) -> Bars {
    let rows: Vec<_> = prices.iter().enumerate().map(|(row, &price)| (row as i64, price)).collect();
    bars_at(&rows)
}

/// Daily bars without a range at given days.
pub(crate) fn bars_at(rows: &[(i64, f64)]) -> Bars {
    let time = rows.iter().map(|&(day, _)| Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)).collect();
    from_prices(time, rows.iter().map(|&(_, price)| price).collect(), "1d")
}

/// Bars of price one, back to back from 1970-01-01.
pub(crate) fn bars_every(interval: &str, rows: usize) -> Bars {
    let nanos = interval.parse::<tidegate_market::BarInterval>().expect("valid").nanos();
    let time = (0..rows as i64).map(|row| Timestamp::from_nanos(row * nanos)).collect();
    from_prices(time, vec![1.0; rows], interval)
}

fn from_prices(time: Vec<Timestamp>, price: Vec<f64>, interval: &str) -> Bars {
    let columns = BarColumns {
        open: price.clone(),
        high: price.clone(),
        low: price.clone(),
        volume: vec![1.0; price.len()],
        close: price,
        time,
    };
    Bars::new(columns, BarLabel::Open, interval.parse().expect("valid")).expect("sane")
}
