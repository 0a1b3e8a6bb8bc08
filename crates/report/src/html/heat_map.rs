//! Monthly returns as a table of colored cells.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::MonthlyReturn;
use crate::number::percent_short;

/// The strongest color; stronger would make the number hard to read.
const OPACITY_MAX: f64 = 0.75;
/// The return at which the color is strongest, unless a month went further.
const RETURN_AT_FULL_COLOR_MIN: f64 = 0.05;

/// One calendar year.
#[derive(Debug, Serialize)]
pub(super) struct HeatYear {
    year: i32,
    /// January to December; `None` for a month that was not traded.
    months: Vec<Option<HeatCell>>,
    /// The months compounded.
    total: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct HeatCell {
    text: String,
    /// `gain` or `loss`: the name of the color.
    tone: &'static str,
    opacity: String,
}

/// Returns the years from first to last, with colors scaled to the largest month.
pub(super) fn heat_map(months: &[MonthlyReturn]) -> Vec<HeatYear> {
    let largest = months.iter().map(|month| month.value.abs()).filter(|value| value.is_finite()).fold(0.0, f64::max);
    let scale = largest.max(RETURN_AT_FULL_COLOR_MIN);
    let mut years: BTreeMap<i32, Vec<&MonthlyReturn>> = BTreeMap::new();
    for month in months {
        years.entry(month.year).or_default().push(month);
    }
    years.into_iter().map(|(year, months)| heat_year(year, &months, scale)).collect()
}

fn heat_year(year: i32, months: &[&MonthlyReturn], scale: f64) -> HeatYear {
    let mut cells = vec![None; 12];
    for month in months {
        if let Some(slot) = cells.get_mut((month.month as usize).wrapping_sub(1)) {
            *slot = Some(cell(month.value, scale));
        }
    }
    let total = months.iter().map(|month| 1.0 + month.value).product::<f64>() - 1.0;
    HeatYear { year, months: cells, total: percent_short(Some(total)) }
}

fn cell(value: f64, scale: f64) -> HeatCell {
    let opacity = if value.is_finite() { (value.abs() / scale).min(1.0) * OPACITY_MAX } else { 0.0 };
    HeatCell {
        text: percent_short(Some(value)),
        tone: if value < 0.0 { "loss" } else { "gain" },
        opacity: format!("{opacity:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(year: i32, month: u32, value: f64) -> MonthlyReturn {
        MonthlyReturn { year, month, value }
    }

    #[test]
    fn a_year_compounds_its_months() {
        // 1.10 * 0.90 - 1 = -0.01.
        let years = heat_map(&[month(2020, 1, 0.1), month(2020, 12, -0.1)]);
        assert_eq!(years[0].total, "-1.0%");
        assert!(years[0].months[1..11].iter().all(Option::is_none));
        let december = years[0].months[11].as_ref().expect("traded");
        assert_eq!((december.text.as_str(), december.tone, december.opacity.as_str()), ("-10.0%", "loss", "0.75"));
    }

    #[test]
    fn small_months_stay_pale() {
        let years = heat_map(&[month(2020, 3, 0.01)]);
        assert_eq!(years[0].months[2].as_ref().map(|cell| cell.opacity.as_str()), Some("0.15"));
    }

    #[test]
    fn years_come_in_order_and_a_month_out_of_range_is_no_panic() {
        let years = heat_map(&[month(2021, 1, 0.0), month(2020, 13, 0.5), month(2020, 0, f64::NAN)]);
        assert_eq!(years.iter().map(|year| year.year).collect::<Vec<_>>(), [2020, 2021]);
        assert!(years[0].months.iter().all(Option::is_none));
    }
}
