//! Confidence intervals.

use serde::{Deserialize, Serialize};

use super::studentized::Studentized;
use crate::MetricsError;
use crate::sample::quantile;

/// A range that holds the true value with a stated confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A statistic with its confidence intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapEstimate {
    /// The statistic of the data.
    pub estimate: f64,
    /// Its standard error, which allows for the dependence of neighboring periods.
    pub standard_error: f64,
    /// The confidence of the intervals, such as 0.95.
    pub confidence: f64,
    /// The quantiles of the resampled statistic.
    pub percentile: Interval,
    /// The estimate less its standard error times the quantiles of the studentized errors: the more accurate of the two.
    pub studentized: Interval,
    /// The probability of a studentized error at least as far from 0 as the estimate is, on either side: small where the true
    /// value is hardly 0.
    pub p_value: f64,
    /// How many resamples had a defined statistic.
    pub resamples: usize,
}

impl BootstrapEstimate {
    /// Reads intervals and p-value, all values times `scale`; `None` when no resample is defined.
    ///
    /// Percentile: Efron (1979). Studentized: `estimate - error * q(1 - a / 2)` to `estimate - error * q(a / 2)`, `a` one less the
    /// confidence, Hall (1992). p-value: `(1 + #{|t*| >= |t|}) / (1 + B)`, Ledoit and Wolf (2008).
    pub(super) fn of(found: &Studentized, confidence: f64, scale: f64) -> Option<Self> {
        let tail = (1.0 - confidence) / 2.0;
        let percentile = Interval { low: quantile(&found.values, tail)?, high: quantile(&found.values, 1.0 - tail)? };
        let studentized = Interval {
            low: found.estimate - found.standard_error * quantile(&found.errors, 1.0 - tail)?,
            high: found.estimate - found.standard_error * quantile(&found.errors, tail)?,
        };
        let statistic = (found.estimate / found.standard_error).abs();
        let reached = found.errors.iter().filter(|error| error.abs() >= statistic).count();
        let scaled = |interval: Interval| Interval { low: interval.low * scale, high: interval.high * scale };
        Some(Self {
            estimate: found.estimate * scale,
            standard_error: found.standard_error * scale,
            confidence,
            percentile: scaled(percentile),
            studentized: scaled(studentized),
            p_value: (1 + reached) as f64 / (1 + found.errors.len()) as f64,
            resamples: found.values.len(),
        })
    }
}

/// Checks that a confidence is between 0 and 1.
pub(super) fn check_confidence(value: f64) -> Result<(), MetricsError> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(MetricsError::Setting { name: "confidence", rule: "in (0, 1)", value })
}
