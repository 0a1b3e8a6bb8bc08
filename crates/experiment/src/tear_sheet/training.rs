//! How training went, over all folds and members.

use tidegate_forecast::{GateActivation, GateActivations, NetworkDiagnostics, TrainingReport};
use tidegate_report::{GateHistogram, GradientNorms, LossCurve, NetworkFacts, TrainingPanel};

use crate::forecasting::{ForecastOutcome, MemberOutcome};

/// The most different warnings shown.
const WARNINGS_MAX: usize = 12;

pub(super) fn training_panel(outcome: &ForecastOutcome) -> TrainingPanel {
    let reports: Vec<&TrainingReport> =
        outcome.folds.iter().flat_map(|fold| &fold.members).map(|member| &member.report).collect();
    TrainingPanel {
        loss_curves: loss_curves(outcome),
        network: network_facts(&reports),
        gates: gates(&reports),
        warnings: warnings(&reports),
    }
}

fn loss_curves(outcome: &ForecastOutcome) -> Vec<LossCurve> {
    let curve = |fold: u32, (number, member): (usize, &MemberOutcome)| {
        let epochs = &member.report.epochs;
        let gradients = epochs.iter().filter_map(|epoch| epoch.gradients);
        (!epochs.is_empty()).then(|| LossCurve {
            fold,
            member: number as u32,
            train: epochs.iter().map(|epoch| epoch.train_loss).collect(),
            valid: epochs.iter().filter_map(|epoch| epoch.valid_loss).collect(),
            gradients: gradients
                .map(|norms| GradientNorms {
                    mean: norms.norm_mean,
                    max: norms.norm_max,
                    clipped_share: norms.clipped_share,
                })
                .collect(),
        })
    };
    let folds = outcome.folds.iter();
    folds
        .flat_map(|fold| fold.members.iter().enumerate().filter_map(move |member| curve(fold.fold.index, member)))
        .collect()
}

fn network_facts(reports: &[&TrainingReport]) -> Option<NetworkFacts> {
    let networks = || reports.iter().filter_map(|report| report.network.as_ref());
    let count = networks().count();
    let padded: f64 = networks().map(|network| network.padded_share).sum();
    (count > 0).then(|| NetworkFacts {
        parameters: reports.iter().map(|report| report.parameters as u64).max().unwrap_or(0),
        dead_hidden_share_max: networks().filter_map(|network| network.dead_hidden_share).reduce(f64::max),
        forecast_deviation_min: networks().flat_map(|network| &network.forecast_deviation).copied().reduce(f64::min),
        padded_share: padded / count as f64,
    })
}

/// Averages the gates of each layer over the networks, which are all alike.
fn gates(reports: &[&TrainingReport]) -> Vec<GateHistogram> {
    let networks: Vec<&NetworkDiagnostics> = reports.iter().filter_map(|report| report.network.as_ref()).collect();
    let Some(first) = networks.first() else { return Vec::new() };
    let of_layer = |(place, layer): (usize, &GateActivations)| {
        let all: Vec<&GateActivations> = networks.iter().filter_map(|network| network.gates.get(place)).collect();
        let averaged = |gate: &str, of: fn(&GateActivations) -> &GateActivation| {
            let mean = |value: &dyn Fn(&GateActivation) -> f64| {
                all.iter().map(|layer| value(of(layer))).sum::<f64>() / all.len() as f64
            };
            GateHistogram {
                layer: layer.layer.clone(),
                gate: gate.to_owned(),
                mean: mean(&|gate| gate.mean),
                histogram: std::array::from_fn(|bin| mean(&|gate| gate.histogram[bin])),
            }
        };
        [averaged("update", |layer| &layer.update), averaged("reset", |layer| &layer.reset)]
    };
    first.gates.iter().enumerate().flat_map(of_layer).collect()
}

/// Counts each warning once, in the order in which it first came up.
fn warnings(reports: &[&TrainingReport]) -> Vec<String> {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for warning in reports.iter().flat_map(|report| &report.warnings) {
        match counted.iter_mut().find(|(text, _)| text == warning) {
            Some((_, count)) => *count += 1,
            None => counted.push((warning, 1)),
        }
    }
    let fits = reports.len();
    let rest = counted.len().saturating_sub(WARNINGS_MAX);
    let shown = counted.iter().take(WARNINGS_MAX).map(|(text, count)| format!("{count} of {fits} fits: {text}"));
    let more = (rest > 0).then(|| format!("and {rest} more kinds of warning, in the folder of the models"));
    shown.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(mean: f64) -> GateActivation {
        let mut histogram = [0.0; 10];
        histogram[(mean * 10.0) as usize] = 1.0;
        GateActivation { mean, histogram }
    }

    fn report(update: f64, warnings: &[&str]) -> TrainingReport {
        let gates = vec![GateActivations { layer: "gru.l0".to_owned(), update: gate(update), reset: gate(0.5) }];
        let network = NetworkDiagnostics {
            gates,
            dead_hidden_share: Some(update),
            forecast_deviation: vec![update, 0.5],
            ..NetworkDiagnostics::default()
        };
        let warnings = warnings.iter().map(|&text| text.to_owned()).collect();
        TrainingReport { parameters: 10, network: Some(network), warnings, ..TrainingReport::default() }
    }

    #[test]
    fn gates_are_averaged_over_fits() {
        let (one, two) = (report(0.25, &[]), report(0.75, &[]));
        let found = gates(&[&one, &two]);
        assert_eq!((found[0].gate.as_str(), found[0].mean), ("update", 0.5));
        assert_eq!((found[0].histogram[2], found[0].histogram[7]), (0.5, 0.5));
        assert_eq!((found[1].gate.as_str(), found[1].histogram[5]), ("reset", 1.0));
    }

    #[test]
    fn the_worst_member_is_the_one_that_is_shown() {
        let (one, two) = (report(0.25, &[]), report(0.75, &[]));
        let facts = network_facts(&[&one, &two]).expect("networks");
        assert_eq!((facts.dead_hidden_share_max, facts.forecast_deviation_min), (Some(0.75), Some(0.25)));
        assert_eq!(network_facts(&[&TrainingReport::default()]), None);
    }

    #[test]
    fn a_warning_is_shown_once_with_the_number_of_fits() {
        let reports = [report(0.5, &["dead"]), report(0.5, &["constant", "dead"]), report(0.5, &[])];
        let all: Vec<&TrainingReport> = reports.iter().collect();
        assert_eq!(warnings(&all), ["2 of 3 fits: dead", "1 of 3 fits: constant"]);
    }
}
