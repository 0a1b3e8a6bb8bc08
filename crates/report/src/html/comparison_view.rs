//! The model against yardsticks, over horizons, over seeds and across instruments, as tables.

use super::table_view::TableView;
use crate::ForecastPanel;
use crate::number::{UNDEFINED, count, p_value, percent_short, scientific, score};
use crate::{ComparisonRow, CrossSectionRow, HorizonRow, SpreadRow};

/// Returns the tables that the panel has rows for, in the order in which they are shown.
pub(super) fn tables(panel: &ForecastPanel) -> Vec<TableView> {
    [yardsticks(panel), horizons(panel), spread(panel), cross_section(panel)].into_iter().flatten().collect()
}

fn yardsticks(panel: &ForecastPanel) -> Option<TableView> {
    let row = |row: &ComparisonRow| {
        [
            row.yardstick.clone(),
            row.loss.clone(),
            percent_short(row.skill),
            scientific(row.difference),
            score(row.statistic),
            p_value(row.p_value),
        ]
    };
    TableView::new(
        "Against each yardstick",
        "Skill: the part of the yardstick's error that the model saves; below zero it adds to it. Diebold-Mariano: is the \
         difference more than chance? Each p is for that yardstick alone.",
        ["Yardstick", "Error", "Skill", "Saved", "Statistic", "p"],
        panel.comparisons.iter().map(row),
    )
}

fn horizons(panel: &ForecastPanel) -> Option<TableView> {
    let level = |row: &HorizonRow| match row.level {
        Some(level) => format!("{} ({})", score(level.model), score(level.last_value)),
        None => UNDEFINED.to_owned(),
    };
    let best = |row: &HorizonRow| match &row.best_yardstick {
        Some((name, mse)) => format!("{} ({name})", scientific(Some(*mse))),
        None => UNDEFINED.to_owned(),
    };
    let row = |row: &HorizonRow| {
        [
            row.horizon_bars.to_string(),
            scientific(row.mse),
            best(row),
            score(row.r2),
            score(row.rank_ic),
            score(row.nll),
            scientific(row.crps),
            percent_short(row.coverage_95),
            level(row),
            count(row.count),
        ]
    };
    let rows = panel.horizons.iter().map(row);
    let is_worth_it = panel.horizons.len() > 1 || panel.horizons.iter().any(|row| row.level.is_some());
    let title = "By horizon";
    let lead = "The model at each horizon, beside the yardstick with the smallest error. RSE is the relative squared error of the \
                forecast prices themselves, in brackets that of the last price.";
    let columns =
        ["Bars ahead", "MSE", "Best yardstick", "R2", "Rank IC", "NLL", "CRPS", "In 95%", "RSE of prices", "Samples"];
    is_worth_it.then(|| TableView::new(title, lead, columns, rows)).flatten()
}

fn spread(panel: &ForecastPanel) -> Option<TableView> {
    let number = |row: &SpreadRow, value| if row.score == "MSE" { scientific(value) } else { score(value) };
    let row = |row: &SpreadRow| {
        let values: Vec<String> = row.values.iter().map(|&value| number(row, value)).collect();
        [
            row.score.clone(),
            number(row, row.mean),
            number(row, row.standard_deviation),
            number(row, row.ensemble),
            values.join(", "),
        ]
    };
    TableView::new(
        "Over seeds",
        "Every member by itself, trained from a seed of its own. A difference to a yardstick that is smaller than the deviation \
         is a matter of the seed.",
        ["Score", "Mean", "Deviation", "Ensemble", "Members"],
        panel.spread.iter().map(row),
    )
}

fn cross_section(panel: &ForecastPanel) -> Option<TableView> {
    let row = |row: &CrossSectionRow| {
        [
            row.correlation.clone(),
            count(row.times),
            score(Some(row.mean)),
            score(row.standard_deviation),
            score(row.information_ratio),
            score(row.t_statistic),
            p_value(row.p_value),
        ]
    };
    TableView::new(
        "Across instruments",
        "Correlation of forecast and outcome across the instruments of each time, averaged over times.",
        ["Correlation", "Times", "Mean", "Deviation", "Mean over deviation", "t", "p"],
        panel.cross_section.iter().map(row),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn panel() -> ForecastPanel {
        fixture::small().forecast.expect("the small run has forecasts")
    }

    #[test]
    fn every_comparison_has_its_table() {
        let titles: Vec<_> = tables(&panel()).iter().map(|table| table.title).collect();
        assert_eq!(titles, ["Against each yardstick", "By horizon", "Over seeds", "Across instruments"]);
    }

    #[test]
    fn one_horizon_of_returns_repeats_nothing() {
        let mut panel = panel();
        panel.horizons.truncate(1);
        panel.horizons[0].level = None;
        assert!(horizons(&panel).is_none());
    }

    #[test]
    fn skill_and_its_p_value_are_shown_for_each_yardstick() {
        let table = yardsticks(&panel()).expect("two yardsticks");
        assert_eq!(table.rows[0], ["zero", "squared error", "0.3%", "3.800e-7", "0.9312", "0.352"]);
        assert_eq!(table.rows[2][5], "<0.001");
    }

    #[test]
    fn prices_are_compared_with_the_last_price() {
        let table = horizons(&panel()).expect("two horizons");
        assert_eq!(table.rows[1][8], "0.0241 (0.0238)");
        assert_eq!(table.rows[1][2], "6.170e-4 (ridge)");
    }
}
