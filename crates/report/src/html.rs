//! The tear sheet: one HTML file that asks the network for nothing.
//!
//! Text and numbers are formatted here and laid out by the templates, which escape them. The charts' numbers travel as
//! JSON in a script element of their own, with every `<` escaped, so that no text of the user's can end it.

mod calibration_view;
mod chart_data;
mod comparison_view;
mod cross_validation_view;
mod forecast_view;
mod heat_map;
mod page;
mod small_chart;
mod table_view;
mod training_view;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};

use crate::{ReportError, RunReport};

use page::Page;

const TEMPLATES: [(&str, &str); 8] = [
    ("report.html", include_str!("../templates/report.html")),
    ("equity.html", include_str!("../templates/equity.html")),
    ("performance.html", include_str!("../templates/performance.html")),
    ("forecast.html", include_str!("../templates/forecast.html")),
    ("training.html", include_str!("../templates/training.html")),
    ("cross_validation.html", include_str!("../templates/cross_validation.html")),
    ("pieces.html", include_str!("../templates/pieces.html")),
    ("trades.html", include_str!("../templates/trades.html")),
];

/// Renders the report as one self-contained HTML page, under 2 MB for any length of run.
///
/// # Errors
///
/// [`ReportError::Template`] or [`ReportError::Json`] when a value does not fit the page.
pub fn html(report: &RunReport) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment.get_template("report.html")?.render(Serde(Page::new(report)?))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const SIZE_MAX: usize = 2_000_000;

    /// Values of `src` and `href` attributes of the page's markup.
    fn addresses(page: &str) -> Vec<&str> {
        let after = |name: &'static str| page.split(name).skip(1).map(|rest| rest.split('"').next().unwrap_or(""));
        after(" src=\"").chain(after(" href=\"")).collect()
    }

    fn headings(page: &str) -> Vec<&str> {
        page.split("<h2 ").skip(1).filter_map(|rest| rest.split(['>', '<']).nth(1)).collect()
    }

    #[test]
    fn every_panel_is_there() {
        let page = html(&fixture::small()).expect("renders");
        assert_eq!(
            headings(&page),
            [
                "Equity and drawdown",
                "Performance",
                "What was run",
                "Execution and costs",
                "Monthly returns",
                "Calendar years",
                "Deepest drawdowns",
                "Forecast quality",
                "Closed trades",
                "Notes"
            ]
        );
        for id in ["equity-chart", "drawdown-chart", "loss-chart", "gradient-chart", "report-data"] {
            assert!(page.contains(&format!("id=\"{id}\"")), "{id} is missing");
        }
    }

    #[test]
    fn what_a_reader_must_know_is_said() {
        let page = html(&fixture::small()).expect("renders");
        for text in ["next bar&#x27;s open", "1 bps of notional", "out of sample only", "4 in this study", "yardstick"]
        {
            assert!(page.contains(text), "{text} is missing");
        }
    }

    #[test]
    fn the_network_is_not_asked_for_anything() {
        let page = html(&fixture::random_walk(500, 1)).expect("renders");
        for address in addresses(&page) {
            assert!(address.starts_with('#') || address.starts_with("data:"), "{address}");
        }
        assert!(!page.contains("url(") && !page.contains("@import"), "a style sheet loads something");
        assert!(page.contains("default-src 'none'"), "no content security policy");
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let page = html(&fixture::hostile()).expect("renders");
        assert!(!page.contains("<img"), "an element was injected");
        assert_eq!(page.matches("</script>").count(), page.matches("<script").count());
        assert_eq!(page.matches("<script").count(), 3);
        assert!(page.contains("&lt;&#x2f;script&gt;&lt;img src=x onerror=alert(1)&gt;"), "the name is not shown");
    }

    #[test]
    fn the_chart_data_is_json_whatever_the_names() {
        let page = html(&fixture::hostile()).expect("renders");
        let data = page.split("id=\"report-data\">").nth(1).and_then(|rest| rest.split("</script>").next());
        let data: serde_json::Value = serde_json::from_str(data.expect("a data element")).expect("valid JSON");
        assert_eq!(data["equity"]["strategy"].as_array().map(Vec::len), Some(6));
        assert_eq!(data["benchmark_name"].as_str(), fixture::hostile().header.benchmark.as_deref());
    }

    #[test]
    fn undefined_values_are_shown_as_such() {
        let page = html(&fixture::empty()).expect("renders");
        let body = page.split("<body>").nth(1).and_then(|rest| rest.split("<script>").next()).expect("a body");
        assert!(body.contains(">n&#x2f;a<"), "undefined is not shown");
        for leak in ["NaN", ">inf", ">-inf", "none", "None"] {
            assert!(!body.contains(leak), "{leak} leaks");
        }
        assert!(page.contains("No trade was closed.") && page.contains("Nothing was traded."));
    }

    #[test]
    fn a_run_without_a_benchmark_has_no_column_for_it() {
        let mut report = fixture::small();
        let column = "<th scope=\"col\">Benchmark</th>";
        assert!(html(&report).expect("renders").contains(column));
        report.header.benchmark = None;
        assert!(!html(&report).expect("renders").contains(column));
    }

    #[test]
    fn a_strategy_without_a_model_has_no_forecast_panel() {
        let page = html(&fixture::empty()).expect("renders");
        assert!(!page.contains("Forecast quality") && !page.contains("id=\"loss-chart\""));
    }

    #[test]
    fn an_optimistic_fill_rule_is_marked() {
        let mut report = fixture::small();
        assert!(!html(&report).expect("renders").contains("Optimistic fills"));
        report.header.fill_rule = crate::FillRule::SameClose;
        assert!(html(&report).expect("renders").contains("Optimistic fills"));
    }

    #[test]
    fn every_part_of_the_forecast_panel_is_titled_and_told_in_words() {
        let page = html(&fixture::small()).expect("renders");
        for title in [
            "Against each yardstick",
            "By horizon",
            "Over seeds",
            "Across instruments",
            "Calibration",
            "PIT histogram",
            "IC by fold",
            "Tests of intervals",
            "Recalibration",
            "Folds",
            "Training",
            "gru.l0, update gate",
            "Gradients",
            "Loss by epoch",
        ] {
            assert!(page.contains(&format!("<h3>{title}</h3>")), "{title} is missing");
        }
        let drawings: Vec<&str> = page.split("<svg ").skip(1).collect();
        assert_eq!(drawings.len(), 5, "calibration, PIT, IC by fold and two gates");
        for drawing in drawings {
            let label = drawing.split("role=\"img\" aria-label=\"").nth(1).and_then(|rest| rest.split('"').next());
            assert!(label.is_some_and(|label| label.len() > 20), "a drawing says nothing: {drawing:.80}");
        }
    }

    #[test]
    fn a_cross_validated_run_says_so_before_its_figures_and_shows_its_paths() {
        let page = html(&fixture::cross_validated()).expect("renders");
        let banner = page.find("Cross-validated, not tradable").expect("a banner");
        assert!(banner < page.find("key-figures\"").expect("key figures"));
        assert!(headings(&page).contains(&"Cross-validation paths"));
        assert!(page.contains("cross-validated over 2 folds") && !page.contains("out of sample over"));
        assert!(!html(&fixture::small()).expect("renders").contains("Cross-valid"));
    }

    #[test]
    fn rendering_twice_gives_the_same_bytes() {
        let report = fixture::random_walk(300, 1);
        assert_eq!(html(&report).expect("renders"), html(&report).expect("renders"));
    }

    #[test]
    fn ten_years_of_days_and_twenty_of_minutes_stay_under_two_megabytes() {
        for (n_bars, bars_per_day) in [(2_520, 1), (20 * 252 * 390, 390)] {
            let page = html(&fixture::random_walk(n_bars, bars_per_day)).expect("renders");
            assert!(page.len() < SIZE_MAX, "{n_bars} bars: {} bytes", page.len());
        }
    }

    #[test]
    fn the_vendored_script_cannot_end_its_element() {
        for source in [include_str!("../assets/uPlot.iife.min.js"), include_str!("../assets/report.js")] {
            assert!(!source.contains("</script") && !source.contains("<!--"));
        }
    }
}
