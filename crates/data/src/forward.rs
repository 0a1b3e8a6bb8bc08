//! Prices adjusted point in time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_market::{BarColumns, Bars, CorporateAction, CorporateActionKind};

use crate::DataError;

/// Which events the prices that signals see make up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignalAdjustment {
    /// Splits.
    Split,
    /// Splits and dividends, which are reinvested at the close of the ex-date.
    TotalReturn,
}

/// Returns bars whose prices carry on through splits and dividends, so that returns between them are those of a holding.
///
/// The factor is 1 at the first bar. At the first bar that opens at or after a split it is multiplied by the ratio, at that of a dividend by
/// `(close + dividend) / close`, the dividend per unit after the splits before that bar; prices from that bar on are multiplied by it, volume is
/// divided by its splits. So nothing depends on a later event: the bars up to any row are the same whatever comes after, unlike those of a
/// vendor's adjusted series, which is proportional to this one: `adjusted[t] / adjusted[t-1] = (close[t] + dividend[t]) * ratio[t] / close[t-1]`.
/// Events at or before the first bar have nothing before them to carry on.
///
/// # Errors
/// [`DataError::Forward`] when prices leave the range of numbers.
pub fn forward_adjusted(
    bars: &Bars,
    actions: &[CorporateAction],
    adjustment: SignalAdjustment,
) -> Result<Bars, DataError> {
    let mut actions = actions.to_vec();
    crate::actions::in_order(&mut actions);
    let mut pending = actions.iter().peekable();
    let mut columns = bars.columns().clone();
    let (mut split_factor, mut dividend_factor) = (1.0, 1.0);
    for row in 0..bars.len() {
        // Cash per unit as units are at this bar.
        let (mut ratio, mut dividend) = (1.0, 0.0);
        while let Some(action) = pending.next_if(|action| action.time <= bars.open_time(row)) {
            match action.kind {
                CorporateActionKind::Split { ratio: new_units } => {
                    ratio *= new_units;
                    dividend /= new_units;
                }
                CorporateActionKind::Dividend { amount } => dividend += amount,
                CorporateActionKind::Delisting { .. } => {}
            }
        }
        if row > 0 {
            split_factor *= ratio;
            if adjustment == SignalAdjustment::TotalReturn {
                dividend_factor *= (bars.close()[row] + dividend) / bars.close()[row];
            }
        }
        if split_factor != 1.0 || dividend_factor != 1.0 {
            scale(&mut columns, row, split_factor, split_factor * dividend_factor);
        }
    }
    Bars::new(columns, bars.label(), bars.interval()).map_err(|source| DataError::Forward { source })
}

/// Multiplication by one positive factor keeps the order of the four prices, so that bars stay sane.
fn scale(columns: &mut BarColumns, row: usize, split_factor: f64, factor: f64) {
    for column in [&mut columns.open, &mut columns.high, &mut columns.low, &mut columns.close] {
        column[row] *= factor;
    }
    columns.volume[row] /= split_factor;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tidegate_market::{BarLabel, Timestamp};

    fn day(day: i64) -> Timestamp {
        Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)
    }

    fn bars(closes: &[f64]) -> Bars {
        let columns = BarColumns {
            time: (0..closes.len()).map(|row| day(row as i64)).collect(),
            open: closes.to_vec(),
            high: closes.iter().map(|close| close * 1.25).collect(),
            low: closes.iter().map(|close| close * 0.5).collect(),
            close: closes.to_vec(),
            volume: vec![100.0; closes.len()],
        };
        Bars::new(columns, BarLabel::Open, "1d".parse().expect("valid")).expect("sane")
    }

    fn split(time: i64, ratio: f64) -> CorporateAction {
        CorporateAction { time: day(time), kind: CorporateActionKind::Split { ratio } }
    }

    fn dividend(time: i64, amount: f64) -> CorporateAction {
        CorporateAction { time: day(time), kind: CorporateActionKind::Dividend { amount } }
    }

    /// Four for one on day 1, half of a price of 8 on day 2.
    fn events() -> [CorporateAction; 2] {
        [split(1, 4.0), dividend(2, 4.0)]
    }

    #[test]
    fn a_split_carries_the_price_before_it_on() {
        let found =
            forward_adjusted(&bars(&[40.0, 10.0, 8.0, 6.0]), &events(), SignalAdjustment::Split).expect("finite");
        // A unit became four: 10 is still 40.
        assert_eq!(found.close(), [40.0, 40.0, 32.0, 24.0]);
        assert_eq!(found.high(), [50.0, 50.0, 40.0, 30.0]);
        assert_eq!(found.volume(), [100.0, 25.0, 25.0, 25.0]);
    }

    #[test]
    fn a_dividend_is_reinvested_at_the_close_of_its_day() {
        let found =
            forward_adjusted(&bars(&[40.0, 10.0, 8.0, 6.0]), &events(), SignalAdjustment::TotalReturn).expect("finite");
        // 4 of 8 buy half a unit more: 32 * 1.5 = 48, 24 * 1.5 = 36. Volume knows splits only.
        assert_eq!(found.close(), [40.0, 40.0, 48.0, 36.0]);
        assert_eq!(found.low(), [20.0, 20.0, 24.0, 18.0]);
        assert_eq!(found.volume(), [100.0, 25.0, 25.0, 25.0]);
    }

    #[test]
    fn it_is_proportional_to_an_adjusted_close_of_the_usual_rule() {
        // By hand, backwards from 6: adj[2] = 8, adj[1] = 8 * 10 / (8 + 4) = 20/3, adj[0] = adj[1] * 40 / (10 * 4) = 20/3.
        let adjusted = [20.0 / 3.0, 20.0 / 3.0, 8.0, 6.0];
        let found =
            forward_adjusted(&bars(&[40.0, 10.0, 8.0, 6.0]), &events(), SignalAdjustment::TotalReturn).expect("finite");
        for (own, vendor) in found.close().iter().zip(adjusted) {
            assert!((own / vendor - 6.0).abs() < 1e-12, "{own} {vendor}");
        }
    }

    #[test]
    fn on_one_day_the_split_comes_first_and_between_bars_both_wait_for_the_next() {
        let check = |actions: &[CorporateAction], expected: [f64; 2]| {
            let found = forward_adjusted(&bars(&[40.0, 10.0]), actions, SignalAdjustment::TotalReturn).expect("finite");
            assert_eq!(found.close(), expected);
        };
        // (10 + 2.5) * 4 = 50, in whatever order they are listed.
        check(&[split(1, 4.0), dividend(1, 2.5)], [40.0, 50.0]);
        check(&[dividend(1, 2.5), split(1, 4.0)], [40.0, 50.0]);
        // Ten for the old unit, an hour before the split, are 2.5 for each of the four new ones.
        let early = CorporateAction { time: day(1).plus_nanos(-1), ..dividend(0, 10.0) };
        check(&[early, split(1, 4.0)], [40.0, 50.0]);
        // With the first bar, and after the last, nothing happens.
        check(&[split(0, 4.0), dividend(2, 1.0)], [40.0, 10.0]);
    }

    #[test]
    fn prices_without_end_are_refused() {
        let actions = [split(1, 1e10), split(2, 1e10)];
        let error =
            forward_adjusted(&bars(&[1.0, 1.0, 1.0]), &actions, SignalAdjustment::Split).expect_err("too large");
        assert!(error.to_string().starts_with("adjusted for corporate actions: row `2`"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn the_bars_up_to_any_row_do_not_depend_on_what_comes_after(
            closes in prop::collection::vec(1.0..100.0_f64, 1..30),
            events in prop::collection::vec((-1..32_i64, any::<bool>(), 0.1..5.0_f64), 0..8),
            kept in 0..30_usize,
        ) {
            let kind = |(time, is_split, value): &(i64, bool, f64)| if *is_split { split(*time, *value) } else { dividend(*time, *value) };
            let actions: Vec<CorporateAction> = events.iter().map(kind).collect();
            let (whole, part) = (bars(&closes), bars(&closes).prefix(kept));
            for adjustment in [SignalAdjustment::Split, SignalAdjustment::TotalReturn] {
                let of_whole = forward_adjusted(&whole, &actions, adjustment).expect("finite");
                // Later events are not known yet either.
                let known: Vec<CorporateAction> = actions.iter().copied().filter(|a| a.time <= day(kept as i64 - 1)).collect();
                let of_part = forward_adjusted(&part, &known, adjustment).expect("finite");
                prop_assert_eq!(of_whole.prefix(kept), of_part);
            }
        }
    }
}
