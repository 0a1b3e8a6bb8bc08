//! The paths of a cross-validation.

use serde::Serialize;

use super::small_chart::{BarsView, bars};
use super::table_view::TableView;
use crate::CrossValidationPanel;
use crate::number::{percent, ratio};

#[derive(Serialize)]
pub(super) struct CrossValidationView {
    chart: BarsView,
    table: Option<TableView>,
}

impl CrossValidationView {
    pub(super) fn new(panel: &CrossValidationPanel) -> Self {
        let name = |path: usize| format!("path {}", path + 1);
        let values: Vec<_> = panel
            .paths
            .iter()
            .enumerate()
            .map(|(path, row)| (name(path), row.sharpe_ratio, ratio(row.sharpe_ratio)))
            .collect();
        let rows = panel.paths.iter().enumerate().map(|(path, row)| {
            [name(path), ratio(row.sharpe_ratio), percent(row.total_return), percent(row.max_drawdown)]
        });
        Self {
            chart: BarsView {
                summary: panel.distribution(),
                caption: panel.distribution(),
                ..bars("Sharpe ratio by path", &values, ratio)
            },
            table: TableView::new(
                "Paths",
                "Every path covers the whole span once, each test block forecast by another split. Paths share bars and are not \
                 independent; all other numbers of this page are those of the first.",
                ["Path", "Sharpe ratio", "Total return", "Max drawdown"],
                rows,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn every_path_has_a_bar_and_a_row() {
        let panel = fixture::cross_validated().cross_validation.expect("paths");
        let view = CrossValidationView::new(&panel);
        assert_eq!(view.chart.bars.len(), 5);
        assert_eq!(view.chart.low.as_deref(), Some("-0.20"));
        assert_eq!(view.table.expect("paths").rows[0], ["path 1", "0.40", "8.00%", "-10.00%"]);
    }
}
