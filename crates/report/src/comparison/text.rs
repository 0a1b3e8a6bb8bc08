//! Runs side by side as aligned text.

use super::{ComparedMetric, Comparison, ConfigDifference, PairedEstimate, PairedTests};
use crate::MetricUnit;
use crate::number::{UNDEFINED, count, metric, p_value, percent, ratio};
use crate::text_table::{TextTable, printable, shortened, wrapped};

/// Columns that a label takes.
const LABEL: usize = 26;
/// Columns that a run's value takes, with the gap before it.
const VALUE: usize = 16;

/// Renders a comparison as plain text, tables at most `width` columns wide; runs that do not fit beside the others come below them.
pub fn comparison(comparison: &Comparison, width: usize) -> String {
    let mut page = Page { text: String::new(), width: width.max(LABEL + VALUE) };
    page.runs(comparison);
    page.metrics(comparison);
    page.tests(comparison);
    page.differences(comparison);
    page.text
}

struct Page {
    text: String,
    width: usize,
}

impl Page {
    fn runs(&mut self, comparison: &Comparison) {
        for run in &comparison.runs {
            self.paragraph(&format!("{:>3}  ", run.number), &format!("{} (config {})", run.name, run.config_hash));
            self.paragraph("     ", &run.run_dir.display().to_string());
            let bars = count(run.bars as u64);
            let what = format!(
                "{bars} bars of {} from {} to {}, fills {}, seed {}, data {}",
                run.interval, run.first_bar, run.last_bar, run.fill, run.seed, run.data_hash
            );
            self.paragraph("     ", &what);
        }
        for warning in &comparison.warnings {
            self.paragraph("warning: ", warning);
        }
    }

    fn metrics(&mut self, comparison: &Comparison) {
        for chunk in self.chunks(comparison.runs.len()) {
            let mut table = run_table("Each run over its own span", &chunk);
            for row in &comparison.metrics {
                table.push(&row_of(&row.label, &chunk, |run| metric_cell(row, run)));
            }
            self.table(&table);
        }
        self.line("* the best of all runs");
    }

    fn tests(&mut self, comparison: &Comparison) {
        let (paired, bootstrap) = (&comparison.paired, &comparison.bootstrap);
        self.line("");
        self.paragraph(
            "",
            &format!(
                "Paired on {} returns between common times, {} to {}, {} a year, risk-free rate {}:",
                count(paired.returns as u64),
                paired.first,
                paired.last,
                ratio(Some(paired.periods_per_year)),
                percent(Some(paired.risk_free_rate)),
            ),
        );
        for chunk in self.chunks(comparison.runs.len()) {
            let mut table = run_table("Each run less run 1", &chunk);
            table.push(&row_of("Sharpe ratio, paired", &chunk, |run| ratio(paired.sharpe_ratios[run])));
            for (label, cell) in TEST_ROWS {
                let of_run =
                    |run: usize| run.checked_sub(1).map_or_else(String::new, |row| cell(&comparison.tests[row]));
                table.push(&row_of(label, &chunk, of_run));
            }
            self.table(&table);
        }
        self.paragraph(
            "",
            &format!(
                "Intervals of {} and two-sided p-values by the stationary bootstrap: {} resamples, blocks of {} periods on average, \
                 seed {}. Holm adjusts for {} comparisons with run 1.",
                percent(Some(bootstrap.confidence)),
                count(bootstrap.resamples as u64),
                ratio(Some(bootstrap.mean_block_length)),
                bootstrap.seed,
                comparison.tests.len(),
            ),
        );
    }

    fn differences(&mut self, comparison: &Comparison) {
        if comparison.config_differences.is_empty() {
            self.line("");
            self.line("The configs do not differ.");
            return;
        }
        for chunk in self.chunks(comparison.runs.len()) {
            let mut table = run_table("Config keys that differ", &chunk);
            for row in &comparison.config_differences {
                table.push(&row_of(&row.key, &chunk, |run| config_cell(row, run)));
            }
            self.table(&table);
        }
    }

    /// Splits the runs, counted from zero, so that each part fits into one table.
    fn chunks(&self, runs: usize) -> Vec<Vec<usize>> {
        let fitting = ((self.width - LABEL) / VALUE).max(1);
        (0..runs).collect::<Vec<_>>().chunks(fitting).map(<[usize]>::to_vec).collect()
    }

    fn table(&mut self, table: &TextTable) {
        self.line("");
        for line in table.lines(self.width) {
            self.line(&line);
        }
    }

    fn paragraph(&mut self, start: &str, text: &str) {
        let indent = " ".repeat(start.len());
        for (place, line) in wrapped(text, self.width - start.len()).iter().enumerate() {
            self.line(&format!("{}{line}", if place == 0 { start } else { &indent }));
        }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(printable(text).trim_end());
        self.text.push('\n');
    }
}

/// A row's label and its cell for one run.
type TestRow = (&'static str, fn(&PairedTests) -> String);

/// What the tests say of a run, row by row.
const TEST_ROWS: [TestRow; 11] = [
    ("Sharpe difference", |test| estimate(test.sharpe_ratio_difference, |found| ratio(Some(found.estimate)))),
    ("  interval", |test| estimate(test.sharpe_ratio_difference, |found| interval(found, ratio))),
    ("  p", |test| estimate(test.sharpe_ratio_difference, |found| p_value(Some(found.p_value)))),
    ("  p, Holm", |test| estimate(test.sharpe_ratio_difference, |found| p_value(Some(found.p_value_holm)))),
    ("  p, Jobson-Korkie", |test| p_value(test.jobson_korkie.map(|found| found.p_value))),
    ("  p, Jobson-Korkie, Holm", |test| p_value(test.jobson_korkie.map(|found| found.p_value_holm))),
    ("Mean return a year", |test| estimate(test.mean_return_difference, |found| percent(Some(found.estimate)))),
    ("  interval (%)", |test| {
        estimate(test.mean_return_difference, |found| interval(found, |end| ratio(end.map(|end| end * 100.0))))
    }),
    ("  p", |test| estimate(test.mean_return_difference, |found| p_value(Some(found.p_value)))),
    ("  p, Holm", |test| estimate(test.mean_return_difference, |found| p_value(Some(found.p_value_holm)))),
    ("Correlation", |test| ratio(test.correlation)),
];

fn estimate(found: Option<PairedEstimate>, cell: impl FnOnce(PairedEstimate) -> String) -> String {
    found.map_or_else(|| UNDEFINED.to_owned(), cell)
}

fn interval(found: PairedEstimate, end: impl Fn(Option<f64>) -> String) -> String {
    format!("{}..{}", end(Some(found.low)), end(Some(found.high)))
}

fn run_table(title: &str, runs: &[usize]) -> TextTable {
    TextTable::with_header(&row_of(title, runs, |run| format!("run {}", run + 1)))
}

fn row_of(label: &str, runs: &[usize], cell: impl Fn(usize) -> String) -> Vec<String> {
    std::iter::once(label.to_owned()).chain(runs.iter().map(|&run| cell(run))).collect()
}

fn metric_cell(row: &ComparedMetric, run: usize) -> String {
    let mark = if row.best.contains(&(run + 1)) { "* " } else { "" };
    // A count may be an average.
    let value = row.values[run];
    let whole = value.is_none_or(|value| value.fract() == 0.0);
    let unit = if row.unit == MetricUnit::Count && !whole { MetricUnit::Ratio } else { row.unit };
    format!("{mark}{}", metric(unit, value))
}

fn config_cell(row: &ConfigDifference, run: usize) -> String {
    let text = match &row.values[run] {
        None => "-".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    shortened(&text, VALUE - 2)
}

#[cfg(test)]
mod tests {
    use tidegate_market::Timestamp;

    use super::*;
    use crate::{BetterWhen, ComparedRun, EqualSharpeTest, PairedBootstrap, PairedPeriods};

    fn day(day: i64) -> Timestamp {
        Timestamp::from_nanos(day * Timestamp::NANOS_PER_DAY)
    }

    fn run(number: usize) -> ComparedRun {
        ComparedRun {
            number,
            run_dir: format!("runs/{number}").into(),
            name: "Cross".to_owned(),
            config_hash: "c0".to_owned(),
            data_hash: "d0".to_owned(),
            bars_hash: "b0".to_owned(),
            seed: 7,
            interval: "1d".to_owned(),
            fill: "next_open".to_owned(),
            first_bar: day(0),
            last_bar: day(40),
            bars: 41,
        }
    }

    fn of_runs(runs: usize) -> Comparison {
        let estimate = PairedEstimate {
            estimate: -0.25,
            standard_error: 0.125,
            low: -0.5,
            high: 0.1,
            p_value: 0.0625,
            p_value_holm: 0.125,
        };
        let tests = |run| PairedTests {
            run,
            against: 1,
            correlation: Some(0.5),
            sharpe_ratio_difference: Some(estimate),
            mean_return_difference: None,
            jobson_korkie: Some(EqualSharpeTest { statistic: -2.0, p_value: 0.045, p_value_holm: 0.09 }),
        };
        Comparison {
            runs: (1..=runs).map(run).collect(),
            warnings: vec!["the data differ".to_owned()],
            metrics: vec![ComparedMetric {
                key: "cagr".to_owned(),
                label: "CAGR".to_owned(),
                unit: MetricUnit::Percent,
                better_when: BetterWhen::Higher,
                values: (0..runs).map(|run| (run > 0).then_some(0.125)).collect(),
                best: vec![2],
            }],
            paired: PairedPeriods {
                returns: 40,
                first: day(0),
                last: day(40),
                periods_per_year: 252.0,
                risk_free_rate: 0.0,
                sharpe_ratios: vec![Some(1.0); runs],
            },
            bootstrap: PairedBootstrap { resamples: 1999, mean_block_length: 1.5, seed: 1, confidence: 0.95 },
            tests: (2..=runs).map(tests).collect(),
            config_differences: vec![ConfigDifference {
                key: "execution.fill".to_owned(),
                values: (0..runs).map(|run| (run > 0).then(|| "next_close".into())).collect(),
            }],
        }
    }

    #[test]
    fn the_best_is_marked_and_what_is_undefined_or_unset_is_said() {
        let text = comparison(&of_runs(2), 80);
        let lines: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for line in [
            "1 Cross (config c0)",
            "warning: the data differ",
            "Each run over its own span run 1 run 2",
            "CAGR n/a * 12.50%",
            "Each run less run 1 run 1 run 2",
            "Sharpe difference -0.25",
            "interval -0.50..0.10",
            "p, Jobson-Korkie, Holm 0.090",
            "Mean return a year n/a",
            "execution.fill - next_close",
        ] {
            assert!(lines.iter().any(|found| found == line), "`{line}` is not in:\n{text}");
        }
    }

    #[test]
    fn runs_that_do_not_fit_come_below() {
        let text = comparison(&of_runs(5), 60);
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
        assert_eq!(text.matches("Each run over its own span").count(), 3);
        assert!((1..=5).all(|run| text.contains(&format!("run {run}"))), "{text}");
    }
}
