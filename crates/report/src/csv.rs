//! The performance metrics as CSV.

use crate::RunReport;

/// Renders the performance metrics as CSV: `key,label,unit,strategy,benchmark`, one metric a line.
///
/// Values are plain numbers in the metric's own unit (a percentage is a fraction); undefined is an empty field.
pub fn csv(report: &RunReport) -> String {
    let mut text = "key,label,unit,strategy,benchmark\n".to_owned();
    for row in &report.performance {
        let unit = format!("{:?}", row.unit).to_lowercase();
        let fields = [quoted(&row.key), quoted(&row.label), unit, number(row.strategy), number(row.benchmark)];
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

fn number(value: Option<f64>) -> String {
    value.filter(|number| number.is_finite()).map_or_else(String::new, |number| number.to_string())
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MetricRow, MetricUnit, fixture};

    #[test]
    fn a_metric_is_a_line_of_plain_numbers() {
        insta::assert_snapshot!(csv(&fixture::small()));
    }

    #[test]
    fn a_comma_or_quote_in_a_label_is_quoted() {
        let mut report = fixture::small();
        report.performance = vec![MetricRow {
            key: "k".to_owned(),
            label: "a, \"b\"".to_owned(),
            unit: MetricUnit::Ratio,
            strategy: Some(f64::INFINITY),
            benchmark: Some(-0.25),
        }];
        assert_eq!(csv(&report).lines().nth(1), Some("k,\"a, \"\"b\"\"\",ratio,,-0.25"));
    }
}
