//! The report as text for a terminal.

mod forecast;

use crate::RunReport;
use crate::curve::Curve;
use crate::number::{count, metric_pair, money, percent, percent_short, ratio};
use crate::sparkline::{bounds, sparkline};
use crate::text_table::{TextTable, printable, shortened, wrapped};

/// The narrowest text that is laid out; a narrower terminal wraps the lines itself.
const WIDTH_MIN: usize = 40;
const LABEL_WIDTH: usize = 14;
const DRAWDOWNS_SHOWN: usize = 3;

/// Whether the text carries ANSI escapes. Who prints it decides, by `NO_COLOR` and by whether it is a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorChoice {
    /// Bold headings, dim labels, yellow warnings.
    Always,
    /// Plain text.
    Never,
}

/// Renders the report as aligned text of at most `width` characters a line (40 at the least).
///
/// A character is taken to be one cell wide. Numbers and order are those of the tear sheet, without trades and months.
pub fn terminal(report: &RunReport, width: usize, color: ColorChoice) -> String {
    let mut page = Page { text: String::new(), width: width.max(WIDTH_MIN), color };
    page.header(report);
    page.equity(report);
    page.performance(report);
    page.drawdowns(report);
    page.execution(report);
    if let Some(forecast) = &report.forecast {
        page.forecast(forecast);
    }
    page.notes(report);
    page.text
}

struct Page {
    text: String,
    width: usize,
    color: ColorChoice,
}

impl Page {
    fn header(&mut self, report: &RunReport) {
        let header = &report.header;
        let name = shortened(&printable(&header.name), self.width);
        self.styled(BOLD, &name);
        for line in wrapped(&header.description, self.width).into_iter().filter(|line| !line.is_empty()) {
            self.line(&line);
        }
        for warning in report.all_warnings() {
            self.paragraph(YELLOW, "! ", &warning);
        }
        self.line("");
        for (label, fact) in report.facts() {
            self.fact(label, &fact);
        }
        self.fact("Config", &header.config_hash);
        self.fact("Tidegate", &format!("{}, {}", header.tidegate_version, header.build.label()));
    }

    fn equity(&mut self, report: &RunReport) {
        let (Some(first), Some(last)) = (report.equity.first(), report.equity.last()) else {
            return;
        };
        self.heading("Equity");
        let strategy: Vec<f64> = report.equity.iter().map(|point| point.strategy).collect();
        let benchmark = Curve::new(&report.equity).benchmark;
        let benchmark: Vec<f64> = benchmark.iter().flatten().map(|value| value.unwrap_or(f64::NAN)).collect();
        let bounds = bounds(strategy.iter().chain(&benchmark).copied());
        let ends = |first: Option<f64>, last: Option<f64>| format!("{} to {}", money(first), money(last));
        self.curve("strategy", &strategy, bounds, &ends(Some(first.strategy), Some(last.strategy)));
        if !benchmark.is_empty() {
            self.curve("benchmark", &benchmark, bounds, &ends(first.benchmark, last.benchmark));
        }
    }

    fn curve(&mut self, label: &str, values: &[f64], bounds: (f64, f64), ends: &str) {
        let n_cells = self.width.saturating_sub(LABEL_WIDTH + ends.chars().count() + 2).clamp(8, 48);
        let ends = shortened(ends, self.width.saturating_sub(LABEL_WIDTH + n_cells.min(values.len()) + 2));
        let line = format!("{}  {ends}", sparkline(values, bounds, n_cells));
        self.labeled(label, &line);
    }

    fn performance(&mut self, report: &RunReport) {
        if report.performance.is_empty() {
            return;
        }
        let mut table = TextTable::new(["Performance", "strategy", "benchmark"]);
        for row in &report.performance {
            let (strategy, benchmark) = metric_pair(row);
            table.row([row.label.clone(), strategy, benchmark]);
        }
        if report.header.benchmark.is_none() {
            table = table.without_columns_from("benchmark");
        }
        self.table(&table);
    }

    fn drawdowns(&mut self, report: &RunReport) {
        if report.drawdowns.is_empty() {
            return;
        }
        let mut table = TextTable::new(["Deepest drawdowns", "depth", "peak", "valley", "recovery", "bars"]);
        for (rank, row) in report.drawdowns.iter().take(DRAWDOWNS_SHOWN).enumerate() {
            table.row([
                format!("{}", rank + 1),
                percent(Some(row.depth)),
                row.peak.to_string(),
                row.valley.to_string(),
                row.recovery.map_or_else(|| "open".to_owned(), |time| time.to_string()),
                count(row.bars),
            ]);
        }
        self.table(&table);
    }

    fn execution(&mut self, report: &RunReport) {
        let execution = &report.execution;
        self.heading("Execution");
        let activity = [("orders", execution.n_orders), ("fills", execution.n_fills), ("trades", execution.n_trades)];
        self.fact("Activity", &activity.map(|(what, n)| format!("{what} {}", count(n))).join(", "));
        let (wins, factor) = (percent_short(execution.win_rate), ratio(execution.profit_factor));
        self.fact(
            "Trades",
            &format!("with a gain {wins}, profit factor {factor}, expectancy {}", money(execution.expectancy)),
        );
        let (commission, slippage) = (money(Some(execution.commission)), money(Some(execution.slippage)));
        self.fact("Costs paid", &format!("commission {commission}, slippage {slippage}"));
        self.fact("Exposure", &format!("share of bars {}", percent_short(execution.exposure)));
        self.fact("Turnover", &format!("times a year {}", ratio(execution.turnover)));
        let (ambiguous, denied) = (count(execution.ambiguous_bars), count(execution.denials));
        self.fact("Irregular", &format!("ambiguous bars {ambiguous}, denied orders {denied}"));
    }

    fn notes(&mut self, report: &RunReport) {
        if report.notes.is_empty() {
            return;
        }
        self.heading("Notes");
        for note in &report.notes {
            self.paragraph(PLAIN, "- ", note);
        }
    }

    fn table(&mut self, table: &TextTable) {
        self.line("");
        for (row, line) in table.lines(self.width).iter().enumerate() {
            self.styled(if row == 0 { BOLD } else { PLAIN }, line);
        }
    }

    fn heading(&mut self, text: &str) {
        self.line("");
        self.styled(BOLD, text);
    }

    fn fact(&mut self, label: &str, text: &str) {
        let lines = wrapped(text, self.width - LABEL_WIDTH);
        for (row, line) in lines.iter().enumerate() {
            self.labeled(if row == 0 { label } else { "" }, line);
        }
    }

    fn labeled(&mut self, label: &str, text: &str) {
        let label = self.painted(DIM, &format!("{label:<LABEL_WIDTH$}"));
        self.line(format!("{label}{text}").trim_end());
    }

    fn paragraph(&mut self, style: Style, bullet: &str, text: &str) {
        for (row, line) in wrapped(text, self.width - bullet.len()).iter().enumerate() {
            let indent = if row == 0 { bullet.to_owned() } else { " ".repeat(bullet.len()) };
            self.styled(style, &format!("{indent}{line}"));
        }
    }

    fn styled(&mut self, style: Style, text: &str) {
        let line = self.painted(style, text);
        self.line(&line);
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn painted(&self, style: Style, text: &str) -> String {
        match (self.color, style) {
            (ColorChoice::Never, _) | (_, PLAIN) => text.to_owned(),
            (ColorChoice::Always, Style(code)) => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// The parameter of an ANSI escape.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Style(&'static str);

const PLAIN: Style = Style("");
const BOLD: Style = Style("1");
const DIM: Style = Style("2");
const YELLOW: Style = Style("33");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_small_run_in_eighty_columns() {
        insta::assert_snapshot!(terminal(&fixture::small(), 80, ColorChoice::Never));
    }

    #[test]
    fn a_run_without_trades_or_model() {
        insta::assert_snapshot!(terminal(&fixture::empty(), 80, ColorChoice::Never));
    }

    #[test]
    fn every_label_leaves_a_space_before_its_text() {
        for report in [fixture::small(), fixture::cross_validated()] {
            for (label, _) in report.facts() {
                assert!(label.len() < LABEL_WIDTH, "{label}");
            }
        }
    }

    #[test]
    fn no_line_is_wider_than_asked() {
        for report in [
            fixture::small(),
            fixture::empty(),
            fixture::cross_validated(),
            fixture::random_walk(2_520, 1),
            fixture::hostile(),
        ] {
            for width in [40, 60, 80, 120, 200] {
                for line in terminal(&report, width, ColorChoice::Never).lines() {
                    assert!(line.chars().count() <= width, "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn colors_add_escapes_and_change_no_text() {
        let report = fixture::small();
        let colored = terminal(&report, 80, ColorChoice::Always);
        let mut stripped = colored.clone();
        for code in ["0", "1", "2", "33"] {
            stripped = stripped.replace(&format!("\u{1b}[{code}m"), "");
        }
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_ne!(colored, stripped);
        assert_eq!(trimmed(&stripped), trimmed(&terminal(&report, 80, ColorChoice::Never)));
    }

    #[test]
    fn a_name_cannot_send_escapes_to_the_terminal() {
        let text = terminal(&fixture::hostile(), 80, ColorChoice::Never);
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
