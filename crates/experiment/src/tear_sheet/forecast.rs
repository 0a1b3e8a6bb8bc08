//! The forecast panel: scores as the report shows them.

use tidegate_forecast::Recalibration;
use tidegate_metrics::{Calibration, ForecastScores, IcSummary, IntervalTests, Loss, SkillVersusYardsticks};
use tidegate_report::{
    CalibrationPanel, CalibrationPoint, ComparisonRow, CrossSectionRow, FoldRow, ForecastPanel, ForecastRole,
    ForecastRow, HorizonRow, IntervalRow, LevelErrors, RecalibrationPanel, RecalibrationRow, SpreadRow,
};

use super::training::training_panel;
use crate::forecasting::{CrossSection, FoldScores, ForecastSummary, HorizonScores, RecalibrationScores, Spread};
use crate::pipeline::Computed;
use crate::resolve::{ForecastPlan, ForecastSource, Inference, ResolvedExperiment};

pub(super) fn forecast_panel(experiment: &ResolvedExperiment, computed: &Computed) -> Option<ForecastPanel> {
    let (ForecastSource::WalkForward(plan), Some(outcome), Some(scores)) =
        (&experiment.forecasts, &computed.walk_forward, &computed.scores)
    else {
        return None;
    };
    Some(ForecastPanel {
        target: target(plan),
        inference: match plan.inference {
            Inference::Window => "one window per forecast, all before the backtest",
            Inference::Stream => "a stream inside the backtest, one step per bar with the state carried on",
        }
        .to_owned(),
        rows: forecast_rows(scores),
        comparisons: scores.versus_yardsticks.iter().flat_map(comparison_rows).collect(),
        horizons: scores.by_horizon.iter().map(horizon_row).collect(),
        spread: scores.members.as_ref().map_or_else(Vec::new, |spread| spread_rows(spread, &scores.pooled.model)),
        cross_section: scores.cross_section.map_or_else(Vec::new, cross_section_rows),
        by_fold: scores.by_fold.iter().map(fold_row).collect(),
        calibration: scores.calibration.as_ref().map(calibration_panel),
        recalibration: recalibration_panel(plan.recalibration, &scores.recalibration),
        training: training_panel(outcome),
    })
}

/// Returns what is forecast in words, such as `log_return over 1, 5 bars; scores without a horizon are those of the nearest`.
fn target(plan: &ForecastPlan) -> String {
    let bars: Vec<String> = plan.target.parameters().horizon_bars.bars().map(|bars| bars.to_string()).collect();
    let name = plan.target.name();
    let kind = name.strip_suffix(&format!("_{}", bars.join("_"))).unwrap_or(&name);
    let plural = if bars == ["1"] { "bar" } else { "bars" };
    let ranked = if plan.rank.is_some() { ", ranked across the symbols of each time" } else { "" };
    let nearest = if bars.len() > 1 { "; scores without a horizon are those of the nearest" } else { "" };
    format!("{kind} over {} {plural}{ranked}{nearest}", bars.join(", "))
}

fn forecast_rows(scores: &ForecastSummary) -> Vec<ForecastRow> {
    let row = |name: &str, role, scores: &ForecastScores| ForecastRow {
        name: name.to_owned(),
        role,
        mse: scores.mse,
        r2: scores.r2_out_of_sample,
        ic: scores.information_coefficient,
        rank_ic: scores.rank_information_coefficient,
        hit_rate: scores.hit_rate,
        nll: scores.negative_log_likelihood,
        crps: scores.crps,
        coverage_50: scores.coverage_50,
        coverage_80: scores.coverage_80,
        coverage_95: scores.coverage_95,
        count: scores.count as u64,
    };
    let model = row(&scores.pooled.name, ForecastRole::Model, &scores.pooled.model);
    let yardsticks = scores.pooled.yardsticks.0.iter().map(|(name, scores)| row(name, ForecastRole::Yardstick, scores));
    std::iter::once(model).chain(yardsticks).collect()
}

fn comparison_rows(compared: &SkillVersusYardsticks) -> Vec<ComparisonRow> {
    let loss = match compared.loss {
        Loss::SquaredError => "squared error",
        Loss::AbsoluteError => "absolute error",
        Loss::NegativeLogLikelihood => "NLL",
        Loss::Crps => "CRPS",
    };
    let is_known = |row: &&tidegate_metrics::YardstickSkill| row.difference.is_some();
    let rows = compared.yardsticks.iter().filter(is_known).map(|row| ComparisonRow {
        loss: loss.to_owned(),
        yardstick: row.yardstick.clone(),
        skill: row.skill,
        difference: row.difference,
        statistic: row.test.map(|test| test.statistic),
        p_value: row.test.map(|test| test.p_value),
    });
    rows.collect()
}

fn horizon_row(scores: &HorizonScores) -> HorizonRow {
    let model = &scores.model;
    let errors = scores.yardsticks.0.iter().filter_map(|(name, scores)| Some((name.clone(), scores.mse?)));
    HorizonRow {
        horizon_bars: scores.horizon_bars,
        mse: model.mse,
        best_yardstick: errors.min_by(|a, b| a.1.total_cmp(&b.1)),
        r2: model.r2_out_of_sample,
        rank_ic: model.rank_information_coefficient,
        nll: model.negative_log_likelihood,
        crps: model.crps,
        coverage_95: model.coverage_95,
        level: scores
            .level
            .map(|level| LevelErrors { model: level.relative_squared_error, last_value: level.last_value }),
        count: model.count as u64,
    }
}

fn spread_rows(spread: &Spread, ensemble: &ForecastScores) -> Vec<SpreadRow> {
    let scores = [
        ("MSE", &spread.mse, ensemble.mse),
        ("Rank IC", &spread.rank_information_coefficient, ensemble.rank_information_coefficient),
        ("NLL", &spread.negative_log_likelihood, ensemble.negative_log_likelihood),
    ];
    let known = scores.into_iter().filter(|(_, members, _)| members.values.iter().any(Option::is_some));
    let rows = known.map(|(score, members, ensemble)| SpreadRow {
        score: score.to_owned(),
        mean: members.mean,
        standard_deviation: members.standard_deviation,
        values: members.values.clone(),
        ensemble,
    });
    rows.collect()
}

fn cross_section_rows(found: CrossSection) -> Vec<CrossSectionRow> {
    let row = |correlation: &str, summary: IcSummary| CrossSectionRow {
        correlation: correlation.to_owned(),
        times: summary.count as u64,
        mean: summary.mean,
        standard_deviation: summary.standard_deviation,
        information_ratio: summary.information_ratio,
        t_statistic: summary.t_statistic,
        p_value: summary.p_value,
    };
    let both = [("IC", found.pearson), ("rank IC", found.rank)];
    both.into_iter().filter_map(|(name, summary)| Some(row(name, summary?))).collect()
}

fn fold_row(fold: &FoldScores) -> FoldRow {
    FoldRow {
        fold: fold.fold,
        test_first: fold.test_first,
        test_last: fold.test_last,
        ic: fold.model.information_coefficient,
        r2: fold.model.r2_out_of_sample,
        nll: fold.model.negative_log_likelihood,
        epochs: fold.epochs.iter().max().map(|&epochs| epochs as u32),
        best_epoch: middle(fold.best_epoch.iter().copied().flatten().collect()),
    }
}

/// Returns the median epoch, the lower of two.
fn middle(mut epochs: Vec<usize>) -> Option<u32> {
    epochs.sort_unstable();
    epochs.get(epochs.len().saturating_sub(1) / 2).map(|&epoch| epoch as u32)
}

fn calibration_panel(calibration: &Calibration) -> CalibrationPanel {
    let count = calibration.count.max(1) as f64;
    let interval = |tests: &IntervalTests| IntervalRow {
        nominal: tests.nominal,
        observed: 1.0 - tests.misses as f64 / count,
        misses: tests.misses,
        kupiec_p_value: tests.kupiec.p_value,
        christoffersen_p_value: tests.independence.map(|test| test.p_value),
        conditional_coverage_p_value: tests.conditional_coverage.map(|test| test.p_value),
    };
    let points = calibration.coverage_curve.iter();
    CalibrationPanel {
        pit_histogram: calibration.pit_histogram.map(|transforms| transforms as f64 / count),
        kolmogorov_smirnov: calibration.kolmogorov_smirnov.statistic,
        kolmogorov_smirnov_p_value: calibration.kolmogorov_smirnov.p_value,
        ljung_box_p_value: calibration.ljung_box.map(|test| test.p_value),
        coverage_curve: points
            .map(|point| CalibrationPoint { nominal: point.nominal, observed: point.observed })
            .collect(),
        intervals: calibration.intervals.iter().map(interval).collect(),
    }
}

fn recalibration_panel(recalibration: Recalibration, scores: &[RecalibrationScores]) -> Option<RecalibrationPanel> {
    let method = match recalibration {
        Recalibration::None {} => return None,
        Recalibration::VarianceScaling {} => "One factor on every variance",
        Recalibration::SplitConformal { .. } => "Split conformal intervals",
        Recalibration::AdaptiveConformal { .. } => {
            "Adaptive conformal intervals, which learn each label when it is known"
        }
    };
    let row = |scores: &RecalibrationScores| RecalibrationRow {
        horizon_bars: scores.horizon_bars,
        nominal: scores.coverage_stated,
        observed: scores.coverage,
        mean_width: scores.mean_width,
        count: scores.count as u64,
        unbounded: scores.unbounded as u64,
        variance_factor_min: scores.variance_factor_min,
        variance_factor_max: scores.variance_factor_max,
    };
    Some(RecalibrationPanel { method: method.to_owned(), rows: scores.iter().map(row).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_epoch_of_a_fold_is_the_median_over_its_members() {
        assert_eq!(middle(vec![9, 2, 5]), Some(5));
        assert_eq!(middle(vec![9, 2]), Some(2));
        assert_eq!(middle(Vec::new()), None);
    }
}
