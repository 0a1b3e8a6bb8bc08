//! Prices adjusted for splits and dividends.

use tidegate_market::BarColumns;

use crate::Adjustment;

/// Adjusts sorted columns in place. `adjuster` is the column that the adjustment reads, row by row.
pub(crate) fn adjust(columns: &mut BarColumns, adjustment: Adjustment, adjuster: &[f64]) {
    match adjustment {
        Adjustment::Raw => {}
        Adjustment::Split => split(columns, adjuster),
        Adjustment::TotalReturn => total_return(columns, adjuster),
    }
}

/// A bar's prices are over, and its volume times, the product of the ratios of all later bars.
fn split(columns: &mut BarColumns, ratios: &[f64]) {
    let mut later = 1.0;
    for row in (0..columns.time.len()).rev() {
        if later != 1.0 {
            scale_prices(columns, row, 1.0 / later);
            columns.volume[row] *= later;
        }
        if ratios[row] > 0.0 {
            later *= ratios[row];
        }
    }
}

fn total_return(columns: &mut BarColumns, adjusted_close: &[f64]) {
    for (row, adjusted) in adjusted_close.iter().enumerate() {
        scale_prices(columns, row, adjusted / columns.close[row]);
    }
}

/// Multiplication by one positive factor keeps the order of the four prices, so that bars stay sane.
fn scale_prices(columns: &mut BarColumns, row: usize, factor: f64) {
    for column in [&mut columns.open, &mut columns.high, &mut columns.low, &mut columns.close] {
        column[row] *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_market::Timestamp;

    fn columns() -> BarColumns {
        BarColumns {
            time: (0..3).map(|day| Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)).collect(),
            open: vec![100.0, 102.0, 51.0],
            high: vec![104.0, 106.0, 54.0],
            low: vec![98.0, 100.0, 50.0],
            close: vec![102.0, 104.0, 53.0],
            volume: vec![10.0, 20.0, 60.0],
        }
    }

    #[test]
    fn a_split_halves_the_prices_before_it_and_doubles_their_volume() {
        let mut columns = columns();
        // Two for one on the third day; 0 is how one vendor writes "no split".
        adjust(&mut columns, Adjustment::Split, &[0.0, 1.0, 2.0]);
        assert_eq!(columns.close, [51.0, 52.0, 53.0]);
        assert_eq!(columns.high, [52.0, 53.0, 54.0]);
        assert_eq!(columns.volume, [20.0, 40.0, 60.0]);
    }

    #[test]
    fn total_return_scales_all_prices_like_the_close() {
        let mut columns = columns();
        adjust(&mut columns, Adjustment::TotalReturn, &[51.0, 52.0, 53.0]);
        assert_eq!(columns.open, [50.0, 51.0, 51.0]);
        assert_eq!(columns.close, [51.0, 52.0, 53.0]);
        assert_eq!(columns.volume, [10.0, 20.0, 60.0]);
    }
}
