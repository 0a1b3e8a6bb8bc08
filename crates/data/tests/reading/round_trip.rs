//! Bars written and read back, and laws that hold for any rows.

use proptest::prelude::*;
use tidegate_data::{Garch, Jumps, OffencePolicy, Policy, ReadOptions, SimulationSpec, SymbolBars, bars_table};
use tidegate_market::{BarLabel, TradingCalendar};

use super::{Folder, daily};

fn simulated(interval: &str, bars: usize) -> Vec<SymbolBars> {
    tidegate_data::simulate(&SimulationSpec {
        symbols: vec!["A".to_owned(), "B".to_owned()],
        bars,
        interval: interval.parse().expect("valid"),
        calendar: TradingCalendar::Sessions,
        start: "2000-01-03".parse().expect("valid"),
        seed: 3,
        start_price: 100.0,
        annual_drift: 0.05,
        annual_volatility: 0.2,
        correlation: 0.5,
        open_gap_share: 0.3,
        garch: Garch { alpha: 0.1, beta: 0.85 },
        jump: Jumps { per_year: 2.0, mean: -0.02, sd: 0.03 },
    })
    .expect("valid")
}

#[test]
fn simulated_bars_come_back_bit_for_bit() {
    for interval in ["1d", "5m"] {
        let symbols = simulated(interval, 3_000);
        let options = ReadOptions::new(interval.parse().expect("valid"), BarLabel::Open);
        let folder = Folder::with(&[]);
        for name in ["bars.csv", "bars.parquet"] {
            bars_table(&symbols).write(&folder.path(name)).expect("written");
            assert_eq!(tidegate_data::read(&folder.path(name), &options).expect("readable"), symbols, "{name}");
        }
    }
}

#[test]
fn the_same_bars_have_the_same_bytes() {
    let folder = Folder::with(&[]);
    for name in ["a.csv", "b.csv", "a.parquet", "b.parquet"] {
        bars_table(&simulated("1d", 1_000)).write(&folder.path(name)).expect("written");
    }
    let bytes = |name: &str| std::fs::read(folder.path(name)).expect("there");
    assert_eq!(bytes("a.csv"), bytes("b.csv"));
    assert_eq!(bytes("a.parquet"), bytes("b.parquet"));
}

/// A row of any day and any prices, good or bad.
fn row() -> impl Strategy<Value = String> {
    let price = prop_oneof![8 => (1..40_i32).prop_map(|p| p.to_string()), 1 => Just("NaN".to_owned()), 1 => Just("-1".to_owned())];
    (0..60_i64, prop::collection::vec(price, 5)).prop_map(|(day, values)| {
        let date = tidegate_market::Timestamp::from_nanos(day * tidegate_market::Timestamp::NANOS_PER_DAY);
        format!("{date},{}\n", values.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_row_is_kept_or_counted(rows in prop::collection::vec(row(), 1..60), keep in any::<bool>()) {
        let unsorted = if keep { Policy::Keep } else { Policy::Drop };
        let policy = OffencePolicy {
            missing: Policy::Drop,
            non_positive_price: Policy::Drop,
            negative_volume: Policy::Drop,
            high_below_low: Policy::Drop,
            corporate_action: Policy::Drop,
            unsorted,
            duplicate: Policy::Drop,
        };
        let text = format!("time,open,high,low,close,volume\n{}", rows.concat());
        let folder = Folder::with(&[("a.csv", text.as_bytes())]);
        let report = tidegate_data::inspect(&folder.path("a.csv"), &ReadOptions { policy, ..daily() }).expect("a table");
        let dropped: usize = report.offences.iter().filter(|group| group.policy == Policy::Drop).map(|group| group.count).sum();
        prop_assert_eq!(report.rows_read, rows.len());
        prop_assert_eq!(report.rows_kept + dropped, rows.len());
    }
}
