//! Training: what looks wrong, what the networks look like inside, and which folds have curves.

use serde::Serialize;

use super::small_chart::{BarsView, histogram};
use super::table_view::TableView;
use crate::number::{count, grouped, percent_short, ratio, scientific};
use crate::{GateHistogram, LossCurve, NetworkFacts, TrainingPanel};

#[derive(Serialize)]
pub(super) struct TrainingView<'a> {
    warnings: &'a [String],
    facts: Vec<(&'static str, String)>,
    gates: Vec<BarsView>,
    gradients: Option<TableView>,
    /// Folds that have loss curves, ascending.
    loss_folds: Vec<u32>,
    has_gradients: bool,
}

impl<'a> TrainingView<'a> {
    /// Lays out what there is; `None` for a forecaster that is not trained by epochs.
    pub(super) fn new(panel: &'a TrainingPanel) -> Option<Self> {
        if *panel == TrainingPanel::default() {
            return None;
        }
        let mut loss_folds: Vec<u32> = panel.loss_curves.iter().map(|curve| curve.fold).collect();
        loss_folds.sort_unstable();
        loss_folds.dedup();
        Some(Self {
            warnings: &panel.warnings,
            facts: panel.network.as_ref().map_or_else(Vec::new, facts),
            gates: panel.gates.iter().map(gate).collect(),
            gradients: gradients(panel),
            loss_folds,
            has_gradients: panel.loss_curves.iter().any(|curve| !curve.gradients.is_empty()),
        })
    }
}

fn facts(network: &NetworkFacts) -> Vec<(&'static str, String)> {
    vec![
        ("Parameters of one member", count(network.parameters)),
        ("Hidden values that hardly move, most of any member", percent_short(network.dead_hidden_share_max)),
        ("Deviation of forecasts over that of targets, least of any member", ratio(network.forecast_deviation_min)),
        ("Steps that were padding", percent_short(Some(network.padded_share))),
    ]
}

fn gate(gate: &GateHistogram) -> BarsView {
    let mean = grouped(gate.mean, 2);
    let shown: Vec<_> = gate.histogram.iter().map(|&share| percent_short(Some(share))).collect();
    let meaning = match gate.gate.as_str() {
        "update" => "Near 1, the state hardly changes from step to step.",
        _ => "Near 0, the new value does not see the state before.",
    };
    BarsView {
        summary: format!("Activations of the {} gate of {} in ten bins: {}.", gate.gate, gate.layer, shown.join(", ")),
        caption: format!("Mean activation {mean}. {meaning}"),
        ..histogram(format!("{}, {} gate", gate.layer, gate.gate), &gate.histogram, percent_short)
    }
}

/// Returns the gradients of every fitted member, from its first epoch to its last.
fn gradients(panel: &TrainingPanel) -> Option<TableView> {
    let row = |curve: &LossCurve| {
        let (first, last) = (curve.gradients.first()?, curve.gradients.last()?);
        let largest = curve.gradients.iter().map(|epoch| epoch.max).fold(0.0, f64::max);
        let clipped: f64 = curve.gradients.iter().map(|epoch| epoch.clipped_share).sum();
        Some([
            format!("fold {}, member {}", curve.fold, curve.member),
            curve.gradients.len().to_string(),
            scientific(Some(first.mean)),
            scientific(Some(last.mean)),
            scientific(Some(largest)),
            percent_short(Some(clipped / curve.gradients.len() as f64)),
        ])
    };
    TableView::new(
        "Gradients",
        "Global norms before clipping. A norm that grows from epoch to epoch, or steps that are nearly all clipped, ask for a \
         smaller learning rate.",
        ["Fit", "Epochs", "Mean norm, first epoch", "Mean norm, last epoch", "Largest norm", "Steps clipped"],
        panel.loss_curves.iter().filter_map(row),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn panel() -> TrainingPanel {
        fixture::small().forecast.expect("the small run has forecasts").training
    }

    #[test]
    fn folds_with_losses_are_listed_once() {
        let panel = panel();
        assert_eq!(TrainingView::new(&panel).expect("trained").loss_folds, [0, 1]);
    }

    #[test]
    fn a_forecaster_without_epochs_has_no_training() {
        assert!(TrainingView::new(&TrainingPanel::default()).is_none());
    }

    #[test]
    fn gradients_are_told_from_the_first_epoch_to_the_last() {
        // 24 epochs of the fixture: the mean falls from 0.8 by a twentieth an epoch, the first four clip a tenth of the steps.
        let table = gradients(&panel()).expect("every member has gradients");
        assert_eq!(table.rows[0], ["fold 0, member 0", "24", "8.000e-1", "2.459e-1", "2.400e0", "1.7%"]);
        assert_eq!(table.rows.len(), 6);
    }

    #[test]
    fn a_gate_is_described_for_whoever_does_not_see_it() {
        let view = gate(&panel().gates[0]);
        assert_eq!(view.title, "gru.l0, update gate");
        assert!(view.summary.starts_with("Activations of the update gate of gru.l0 in ten bins: 2.0%, 4.0%"));
        assert_eq!(view.caption, "Mean activation 0.62. Near 1, the state hardly changes from step to step.");
    }
}
