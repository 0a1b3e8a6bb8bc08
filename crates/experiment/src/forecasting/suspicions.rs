//! What of a panel a forecaster cannot learn from.

use std::ops::Range;

use tidegate_features::FeatureSpec;
use tidegate_forecast::{Panel, PanelSeries, ScaleSpec};
use tidegate_market::{FeatureColumn, FeatureMatrix};

use crate::ExperimentError;
use crate::resolve::ForecastPlan;

/// Refuses a label that is not finite, by its symbol and time; bars of sane prices have none unless their ratios overflow.
pub(crate) fn check_labels(panel: &Panel, symbols: &[String]) -> Result<(), ExperimentError> {
    for (series, symbol) in panel.series.iter().zip(symbols) {
        for target in &series.targets {
            let labels = target.labels.iter().enumerate();
            let found = labels.filter_map(|(row, label)| Some((row, (*label)?))).find(|(_, l)| !l.value.is_finite());
            if let Some((row, label)) = found {
                return Err(ExperimentError::Sample(format!(
                    "the target `{}` of `{symbol}` at {} must be finite, was `{}`\nhint: look at the prices of the bars from {} to {}, and \
                     drop those that are wrong",
                    target.name,
                    series.time[row],
                    label.value,
                    series.time[label.span_first_row],
                    series.time[label.span_last_row],
                )));
            }
        }
    }
    Ok(())
}

/// Refuses a fold without enough samples to train on, and says how many bars a sample reads.
pub(crate) fn check_samples(plan: &ForecastPlan, fold: u32, [train, valid]: [usize; 2]) -> Result<(), ExperimentError> {
    if train >= 2 && valid > 0 {
        return Ok(());
    }
    let look_back = plan.features.iter().map(FeatureSpec::lookback_bars).max().unwrap_or(0);
    let reach =
        |scale: &ScaleSpec| (scale.window_bars_min.unwrap_or(scale.window_bars) + look_back) * scale.bar_multiple;
    let reach = plan.scales.iter().map(reach).max().unwrap_or(0);
    Err(ExperimentError::Sample(format!(
        "fold `{fold}` has `{train}` training and `{valid}` validation samples, too few to train on; a sample reads the last `{reach}` bars, \
         features included, and its label looks `{}` bars ahead\nhint: lengthen train_bars or valid_bars, or shorten window_bars, bar_multiple, \
         horizon_bars or the features' look-back",
        plan.target.parameters().horizon_bars.bars().max().unwrap_or(0)
    )))
}

/// Names the features that have one value in all training bars of a fold: they tell a forecaster nothing there.
pub(crate) fn constant_features(panel: &Panel, train_bars: &[&[Range<usize>]]) -> Vec<String> {
    let scales = panel.series.first().map_or(&[][..], |series| series.scales.as_slice());
    let mut found = Vec::new();
    for (scale, matrix) in scales.iter().enumerate() {
        for (place, column) in matrix.columns().iter().enumerate() {
            let mut constant = train_bars.iter().filter_map(|train| only_value(panel, scale, place, train));
            let Some(value) = constant.next() else { continue };
            let (folds, name) = (1 + constant.count(), FeatureColumn::name(column));
            let of_scale = if scales.len() > 1 { format!(" of scale `{scale}`") } else { String::new() };
            found.push(format!(
                "feature `{name}`{of_scale} is `{value}` in every training bar of {folds} of {} folds and tells a forecaster nothing there; \
                 remove it from `features.columns`, or look at the bars that it is computed from",
                train_bars.len()
            ));
        }
    }
    found
}

/// Returns the value of a column in all training bars, when it is the same but for rounding.
fn only_value(panel: &Panel, scale: usize, place: usize, train: &[Range<usize>]) -> Option<f64> {
    let of_series =
        |series| train.iter().flat_map(move |range| values(panel, series, &series.scales[scale], place, range));
    let mut values = panel.series.iter().flat_map(of_series);
    let first = values.next()?;
    let [least, most] = values.fold([first, first], |[least, most], value| [least.min(value), most.max(value)]);
    (most - least <= 1e-13 * least.abs().max(most.abs())).then_some(first)
}

/// Returns the values of a column in the complete rows that close within a range of the axis.
fn values<'a>(
    panel: &Panel,
    series: &PanelSeries,
    matrix: &'a FeatureMatrix,
    place: usize,
    range: &Range<usize>,
) -> impl Iterator<Item = f64> + use<'a> {
    let axis = &panel.axis[range.clone()];
    let bounds = axis.first().zip(axis.last());
    let rows = bounds.map_or(0..0, |(first, last)| {
        let known = &series.known_time;
        known.partition_point(|time| time < first)..known.partition_point(|time| time <= last)
    });
    let column = matrix.columns()[place].values();
    rows.filter(|&row| matrix.row_is_complete(row)).map(|row| column[row])
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use tidegate_market::{InstrumentId, TargetColumn, TargetLabel, Timestamp};

    use super::*;

    fn day(number: usize) -> Timestamp {
        Timestamp::from_nanos(number as i64 * Timestamp::NANOS_PER_DAY)
    }

    /// A series of two features with the labels of one target.
    fn panel(flat: &[f64], other: &[f64], labels: &[f64]) -> Panel {
        let rows = flat.len();
        let columns = vec![FeatureColumn::new("flat", flat.to_vec()), FeatureColumn::new("other", other.to_vec())];
        let label = |(row, &value): (usize, &f64)| Some(TargetLabel { value, span_first_row: row, span_last_row: row });
        let target = TargetColumn {
            name: "log_return_1".to_owned(),
            horizon_bars: 1,
            labels: labels.iter().enumerate().map(label).collect(),
        };
        Panel::new(vec![PanelSeries {
            instrument: InstrumentId(0),
            time: (0..rows).map(day).collect(),
            known_time: (1..=rows).map(day).collect(),
            scales: vec![FeatureMatrix::new(rows, columns).expect("one length")],
            targets: vec![target],
            ewma_variance: vec![None; rows],
            one_bar_return: vec![None; rows].into(),
        }])
        .expect("sane")
    }

    #[test]
    fn a_feature_of_one_value_is_named_with_the_folds_in_which_it_is() {
        let nan = f64::NAN;
        let panel = panel(&[nan, 0.3, 0.1 + 0.2, 0.3, 0.7], &[nan, 1.0, 2.0, 3.0, 4.0], &[0.0; 5]);
        assert_eq!(
            constant_features(&panel, &[from_ref(&(0..3)), from_ref(&(0..5)), &[1..2, 3..4]]),
            [
                "feature `flat` is `0.3` in every training bar of 2 of 3 folds and tells a forecaster nothing there; remove it from \
                 `features.columns`, or look at the bars that it is computed from"
            ]
        );
        assert_eq!(
            constant_features(&panel, &[from_ref(&(0..1)), from_ref(&(0..0))]),
            Vec::<String>::new(),
            "no bar is no constant"
        );
    }

    #[test]
    fn a_label_that_is_not_finite_is_named_by_symbol_and_time() {
        let symbols = ["AAA".to_owned()];
        assert!(check_labels(&panel(&[1.0; 3], &[1.0; 3], &[0.1, -0.1, 0.0]), &symbols).is_ok());
        let message = check_labels(&panel(&[1.0; 3], &[1.0; 3], &[0.1, f64::INFINITY, 0.0]), &symbols)
            .expect_err("not finite")
            .to_string();
        assert!(message.starts_with("the target `log_return_1` of `AAA` at 1970-01-02"), "{message}");
        assert!(
            message.contains(" must be finite, was `inf`\nhint: look at the prices of the bars from 1970-01-02"),
            "{message}"
        );
    }
}
