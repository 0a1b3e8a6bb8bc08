//! Feature columns of one instrument and of many.

use std::sync::Arc;

use rayon::prelude::*;
use tidegate_market::{Bars, FeatureColumn, FeatureMatrix};

use crate::series::Series;
use crate::spec::{FeatureSpec, at_least};
use crate::{FeatureError, kernels, validate};

/// Returns the features of an instrument's bars, known at each row's close.
///
/// # Errors
/// Those of [`validate`].
pub fn compute(specs: &[FeatureSpec], bars: &Bars) -> Result<FeatureMatrix, FeatureError> {
    compute_scaled(specs, bars, 1)
}

/// Returns at each row the features of bars of `bar_multiple` rows each, the last of which ends at that row.
///
/// Row `i` looks at the coarse bars that end at `i`, `i - bar_multiple`, `i - 2 * bar_multiple` and so on: it is the last row of
/// [`compute`] on those. A coarse bar opens at its first row's open, closes at its last row's close, has the highest high, the
/// lowest low and the sum of the volumes; one that would start before the data does not exist.
///
/// # Errors
/// Those of [`validate`], and [`FeatureError::TooShort`] for a multiple of zero.
pub fn compute_scaled(specs: &[FeatureSpec], bars: &Bars, bar_multiple: usize) -> Result<FeatureMatrix, FeatureError> {
    validate(specs)?;
    at_least("scale", "bar_multiple", 1, bar_multiple)?;
    Ok(matrix(specs, bars, bar_multiple, specs.len()))
}

/// Returns [`compute_scaled`] of each instrument, spread over the threads of the current rayon pool.
///
/// The features of one instrument are spread too where there are fewer instruments than threads. The result does not depend on
/// the number of threads.
///
/// # Errors
/// Those of [`compute_scaled`].
pub fn compute_panel(
    specs: &[FeatureSpec],
    panel: &[Arc<Bars>],
    bar_multiple: usize,
) -> Result<Vec<FeatureMatrix>, FeatureError> {
    validate(specs)?;
    at_least("scale", "bar_multiple", 1, bar_multiple)?;
    let specs_per_task = if panel.len() < rayon::current_num_threads() { 1 } else { specs.len() };
    Ok(panel.par_iter().map(|bars| matrix(specs, bars, bar_multiple, specs_per_task)).collect())
}

/// Returns validated features of one instrument, `specs_per_task` of them on one thread at least.
fn matrix(specs: &[FeatureSpec], bars: &Bars, bar_multiple: usize, specs_per_task: usize) -> FeatureMatrix {
    let columns = if bar_multiple == 1 {
        series_columns(specs, &Series::of(bars), specs_per_task)
    } else {
        scaled_columns(specs, bars, bar_multiple, specs_per_task)
    };
    let names = specs.iter().flat_map(FeatureSpec::column_names);
    let columns = names.zip(columns).map(|(name, values)| FeatureColumn::new(name, values)).collect();
    FeatureMatrix::new(bars.len(), columns).expect("a kernel says something at every row")
}

/// Returns the columns of all features of one series.
fn series_columns(specs: &[FeatureSpec], series: &Series<'_>, specs_per_task: usize) -> Vec<Vec<f64>> {
    let needs_log_returns = specs.iter().any(kernels::needs_log_returns);
    let log_returns = if needs_log_returns { kernels::log_returns(series) } else { Vec::new() };
    let columns = |spec| kernels::columns(spec, series, &log_returns);
    if specs_per_task >= specs.len() {
        specs.iter().flat_map(columns).collect()
    } else {
        let groups: Vec<_> = specs.par_iter().with_min_len(specs_per_task).map(columns).collect();
        groups.into_iter().flatten().collect()
    }
}

/// Returns the columns over coarser bars: one series for each place at which coarse bars can end, woven together.
fn scaled_columns(specs: &[FeatureSpec], bars: &Bars, bar_multiple: usize, specs_per_task: usize) -> Vec<Vec<f64>> {
    let rows = bars.len();
    let column_count: usize = specs.iter().map(|spec| spec.column_names().len()).sum();
    let mut columns = vec![vec![f64::NAN; rows]; column_count];
    for first_row in (bar_multiple - 1..rows).take(bar_multiple) {
        let series = Series::coarse(bars, first_row, bar_multiple);
        for (column, values) in columns.iter_mut().zip(series_columns(specs, &series, specs_per_task)) {
            for (row, value) in (first_row..rows).step_by(bar_multiple).zip(values) {
                column[row] = value;
            }
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use tidegate_market::{BarColumns, BarLabel};

    use super::*;
    use crate::fixture::{all_features, bars, bits};
    use crate::{BollingerOutput, BollingerSpec, PeriodSpec};

    /// Returns bars of `bar_multiple` rows that end at `first_row` and every `bar_multiple` rows after it.
    fn resampled(bars: &Bars, first_row: usize, bar_multiple: usize) -> Bars {
        let mut columns = BarColumns::default();
        for end in (first_row..bars.len()).step_by(bar_multiple) {
            let start = end + 1 - bar_multiple;
            columns.time.push(bars.time()[start]);
            columns.open.push(bars.open()[start]);
            columns.high.push(bars.high()[start..=end].iter().copied().reduce(f64::max).expect("not empty"));
            columns.low.push(bars.low()[start..=end].iter().copied().reduce(f64::min).expect("not empty"));
            columns.close.push(bars.close()[end]);
            columns.volume.push(bars.volume()[start..=end].iter().sum());
        }
        Bars::new(columns, BarLabel::Open, bars.interval()).expect("coarse bars of sane bars are sane")
    }

    #[test]
    fn a_scaled_row_is_the_last_row_of_the_coarse_bars_that_end_there() {
        let (specs, bars) = (all_features(), bars(120, 3));
        for bar_multiple in [2, 5, 7] {
            let scaled = bits(&compute_scaled(&specs, &bars, bar_multiple).expect("valid"));
            for row in bar_multiple - 1..bars.len() {
                let coarse = resampled(&bars, bar_multiple - 1 + (row + 1) % bar_multiple, bar_multiple);
                let coarse_row = (row + 1) / bar_multiple - 1;
                let expected = bits(&compute(&specs, &coarse).expect("valid"));
                for (scaled, expected) in scaled.iter().zip(&expected) {
                    assert_eq!(scaled[row], expected[coarse_row], "row {row}, multiple {bar_multiple}");
                }
            }
        }
    }

    #[test]
    fn rows_before_the_first_coarse_bar_are_missing() {
        let bars = bars(10, 1);
        let specs = [FeatureSpec::SimpleReturn(PeriodSpec::new(1))];
        let matrix = compute_scaled(&specs, &bars, 3).expect("valid");
        let warm_up = matrix.columns()[0].values().iter().take_while(|value| value.is_nan()).count();
        assert_eq!(warm_up, 5);
        let expected = bars.close()[5] / bars.close()[2] - 1.0;
        assert_eq!(matrix.columns()[0].value(5), Some(expected));
    }

    #[test]
    fn every_feature_is_missing_for_exactly_its_lookback() {
        let bars = bars(300, 5);
        for spec in all_features() {
            let matrix = compute(std::slice::from_ref(&spec), &bars).expect("valid");
            for column in matrix.columns() {
                let warm_up = column.values().iter().take_while(|value| value.is_nan()).count();
                assert_eq!(warm_up, spec.lookback_bars(), "{}", column.name());
                assert!(column.values()[warm_up..].iter().all(|value| value.is_finite()), "{}", column.name());
            }
        }
    }

    #[test]
    fn a_period_longer_than_the_data_has_no_values_and_takes_no_memory() {
        let specs =
            [FeatureSpec::Sma(PeriodSpec::new(usize::MAX)), FeatureSpec::Volatility(PeriodSpec::new(usize::MAX))];
        for bar_multiple in [1, 2, usize::MAX] {
            let matrix = compute_scaled(&specs, &bars(5, 1), bar_multiple).expect("valid");
            assert_eq!(matrix.rows(), 5);
            assert!(matrix.columns().iter().all(|column| column.values().iter().all(|value| value.is_nan())));
        }
    }

    #[test]
    fn no_bars_make_columns_without_rows() {
        let matrix = compute(&all_features(), &bars(0, 1)).expect("valid");
        assert_eq!((matrix.rows(), matrix.columns().len()), (0, 19));
    }

    #[test]
    fn a_subset_of_outputs_has_the_values_of_the_whole_in_its_own_order() {
        let bars = bars(60, 9);
        let spec = |outputs| FeatureSpec::Bollinger(BollingerSpec { bars: 20, width: 2.0, outputs, name: None });
        let all = bits(&compute(&[spec(None)], &bars).expect("valid"));
        let some = vec![BollingerOutput::Bandwidth, BollingerOutput::Upper];
        let some = bits(&compute(&[spec(Some(some))], &bars).expect("valid"));
        assert_eq!(some, [all[4].clone(), all[0].clone()]);
    }

    #[test]
    fn a_panel_is_the_same_with_any_number_of_threads() {
        let specs = all_features();
        for symbols in [1, 2, 9] {
            let panel: Vec<_> = (0..symbols).map(|seed| Arc::new(bars(200, seed))).collect();
            for bar_multiple in [1, 5] {
                let one_by_one: Vec<_> = panel
                    .iter()
                    .map(|bars| bits(&compute_scaled(&specs, bars, bar_multiple).expect("valid")))
                    .collect();
                for threads in [1, 2, 4] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
                    let matrices = pool.install(|| compute_panel(&specs, &panel, bar_multiple)).expect("valid");
                    assert_eq!(matrices.iter().map(bits).collect::<Vec<_>>(), one_by_one);
                }
            }
        }
    }

    #[test]
    fn a_multiple_of_zero_is_refused() {
        let error = compute_scaled(&all_features(), &bars(5, 1), 0).expect_err("zero").to_string();
        assert_eq!(error, "`scale`: bar_multiple must be at least `1`, was `0`");
    }
}
