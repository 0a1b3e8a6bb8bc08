//! How good the forecasts were, in a few lines.

use super::{DIM, Page, YELLOW};
use crate::number::{count, p_value, percent_short, ratio, scientific, score};
use crate::text_table::TextTable;
use crate::{CalibrationPanel, CrossSectionRow, ForecastPanel, ForecastRole, RecalibrationPanel, SpreadRow};

impl Page {
    pub(super) fn forecast(&mut self, forecast: &ForecastPanel) {
        let title = "Forecast";
        let header = [title, "R2", "IC", "rank IC", "hit", "NLL", "CRPS", "80%", "MSE", "95%", "50%", "samples"];
        let mut table = TextTable::new(header);
        for row in &forecast.rows {
            let mark = if row.role == ForecastRole::Model { '>' } else { ' ' };
            table.row([
                format!("{mark} {}", row.name),
                score(row.r2),
                score(row.ic),
                score(row.rank_ic),
                percent_short(row.hit_rate),
                score(row.nll),
                scientific(row.crps),
                percent_short(row.coverage_80),
                scientific(row.mse),
                percent_short(row.coverage_95),
                percent_short(row.coverage_50),
                count(row.count),
            ]);
        }
        self.table(&table);
        let legend = format!("> marks the model, the others are yardsticks. Out of sample: {}.", forecast.target);
        self.paragraph(DIM, "", &legend);
        self.paragraph(DIM, "", &format!("Read as {}.", forecast.inference));
        self.comparisons(forecast);
        self.horizons(forecast);
        self.forecast_facts(forecast);
        for warning in &forecast.training.warnings {
            self.paragraph(YELLOW, "! ", warning);
        }
    }

    /// The model against each yardstick: one line per yardstick and error.
    fn comparisons(&mut self, forecast: &ForecastPanel) {
        if forecast.comparisons.is_empty() {
            return;
        }
        let mut table = TextTable::new(["Against", "error", "skill", "p", "statistic"]);
        for row in &forecast.comparisons {
            table.row([
                format!("  {}", row.yardstick),
                row.loss.clone(),
                percent_short(row.skill),
                p_value(row.p_value),
                score(row.statistic),
            ]);
        }
        self.table(&table);
    }

    fn horizons(&mut self, forecast: &ForecastPanel) {
        if forecast.horizons.len() < 2 {
            return;
        }
        let mut table = TextTable::new(["Bars ahead", "R2", "rank IC", "NLL", "CRPS", "95%", "MSE", "samples"]);
        for row in &forecast.horizons {
            table.row([
                row.horizon_bars.to_string(),
                score(row.r2),
                score(row.rank_ic),
                score(row.nll),
                scientific(row.crps),
                percent_short(row.coverage_95),
                scientific(row.mse),
                count(row.count),
            ]);
        }
        self.table(&table);
        for row in &forecast.horizons {
            if let Some(level) = row.level {
                let (own, last) = (score(level.model), score(level.last_value));
                let label = format!("RSE at {}", row.horizon_bars);
                self.fact(&label, &format!("of prices {own}, last value {last}"));
            }
        }
    }

    fn forecast_facts(&mut self, forecast: &ForecastPanel) {
        let facts = [
            forecast.calibration.as_ref().map(|panel| ("Calibration", calibration(panel))),
            forecast.recalibration.as_ref().map(|panel| ("Recalibration", recalibration(panel))),
            (!forecast.spread.is_empty()).then(|| ("Over seeds", spread(&forecast.spread))),
            (!forecast.cross_section.is_empty()).then(|| ("Cross-section", cross_section(&forecast.cross_section))),
        ];
        self.line("");
        for (label, fact) in facts.into_iter().flatten() {
            self.fact(label, &fact);
        }
    }
}

fn calibration(panel: &CalibrationPanel) -> String {
    let interval = |row: &crate::IntervalRow| {
        let (nominal, observed) = (percent_short(Some(row.nominal)), percent_short(Some(row.observed)));
        format!("{nominal} holds {observed} (Kupiec p {})", p_value(Some(row.kupiec_p_value)))
    };
    let intervals: Vec<String> = panel.intervals.iter().map(interval).collect();
    format!("PIT uniform p {}; {}", p_value(Some(panel.kolmogorov_smirnov_p_value)), intervals.join(", "))
}

fn recalibration(panel: &RecalibrationPanel) -> String {
    let row = |row: &crate::RecalibrationRow| {
        if row.nominal.is_none() && row.variance_factor_min.is_some() {
            let (min, max) = (ratio(row.variance_factor_min), ratio(row.variance_factor_max));
            return format!("horizon {}: variances times {min} to {max}", row.horizon_bars);
        }
        let (nominal, observed) = (percent_short(row.nominal), percent_short(row.observed));
        let width = scientific(row.mean_width);
        let unbounded = match row.unbounded {
            0 => String::new(),
            count => format!(" ({count} without bound)"),
        };
        format!("horizon {}: {nominal} reached {observed}, mean width {width}{unbounded}", row.horizon_bars)
    };
    let rows: Vec<String> = panel.rows.iter().map(row).collect();
    format!("{}: {}", panel.method, rows.join("; "))
}

fn spread(rows: &[SpreadRow]) -> String {
    let row = |row: &SpreadRow| {
        let number = if row.score == "MSE" { scientific } else { score };
        format!("{} {} ± {}", row.score, number(row.mean), number(row.standard_deviation))
    };
    let members = rows.first().map_or(0, |row| row.values.len());
    format!("{} members: {}", members, rows.iter().map(row).collect::<Vec<_>>().join(", "))
}

fn cross_section(rows: &[CrossSectionRow]) -> String {
    let row = |row: &CrossSectionRow| {
        let times = count(row.times);
        format!("{} {} over {times} times (p {})", row.correlation, score(Some(row.mean)), p_value(row.p_value))
    };
    rows.iter().map(row).collect::<Vec<_>>().join(", ")
}
