//! The label a forecaster learns: the only thing that looks forward, in a type that cannot become a feature.

/// One label and the bars it reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetLabel {
    /// What is learned, in the target's units: a fraction for a return.
    pub value: f64,
    /// The first row of the instrument's bars that the label reads.
    pub span_first_row: usize,
    /// The last row of the instrument's bars that the label reads.
    pub span_last_row: usize,
}

/// Labels down one instrument's bars; `None` where the future does not reach far enough.
#[derive(Debug, Clone)]
pub struct TargetColumn {
    /// The name, such as `log_return_1`.
    pub name: String,
    /// Bars between the label's two prices.
    pub horizon_bars: u32,
    /// One entry per bar.
    pub labels: Vec<Option<TargetLabel>>,
}
