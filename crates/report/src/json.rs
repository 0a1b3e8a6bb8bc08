//! The report as JSON.

use crate::{ReportError, RunReport};

/// Renders the report as indented JSON; undefined numbers are null.
///
/// # Errors
///
/// [`ReportError::Json`] when a value cannot be serialized.
pub fn json(report: &RunReport) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_report_survives_the_round_trip() {
        let report = fixture::small();
        let read: RunReport = serde_json::from_str(&json(&report).expect("serializable")).expect("valid");
        assert_eq!(read, report);
    }

    #[test]
    fn undefined_is_null() {
        let mut report = fixture::small();
        report.performance[0].strategy = Some(f64::NAN);
        report.performance[0].benchmark = None;
        let value: serde_json::Value = serde_json::from_str(&json(&report).expect("serializable")).expect("valid");
        assert!(value["performance"][0]["strategy"].is_null());
        assert!(value["performance"][0]["benchmark"].is_null());
    }
}
