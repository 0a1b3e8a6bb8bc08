//! Bars around a base line, in the coordinates of a small chart.

use serde::Serialize;

/// Side of the drawing area of a small chart, in its own units.
pub(super) const SIDE: f64 = 200.0;

/// Bars around a base line.
#[derive(Debug, Serialize)]
pub(super) struct BarsView {
    pub(super) title: String,
    pub(super) bars: Vec<Bar>,
    /// Height of the base line.
    pub(super) base: String,
    /// Height of the line that a perfect forecast would follow.
    pub(super) reference: Option<String>,
    pub(super) high: String,
    /// The lowest value, where one is below the base line.
    pub(super) low: Option<String>,
    /// What stands under the left and the right end.
    pub(super) ends: Option<(&'static str, &'static str)>,
    /// The chart in a sentence, for whoever does not see it.
    pub(super) summary: String,
    pub(super) caption: String,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Bar {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) title: String,
}

/// One bar's name, value and text.
pub(super) type NamedBar = (String, Option<f64>, String);

/// Lays bars out from left to right, scaled so that zero, the highest and the lowest value fit.
pub(super) fn bars(title: impl Into<String>, values: &[NamedBar], label: impl Fn(Option<f64>) -> String) -> BarsView {
    let finite = || values.iter().filter_map(|(_, value, _)| value.filter(|number| number.is_finite()));
    let (high, low) = (finite().fold(0.0, f64::max), finite().fold(0.0, f64::min));
    let range = if high > low { high - low } else { 1.0 };
    let height_of = |value: f64| (high - value) / range * SIDE;
    let step = SIDE / values.len().max(1) as f64;
    let bar = |(column, (name, value, text)): (usize, &NamedBar)| {
        let value = value.filter(|number| number.is_finite()).unwrap_or(0.0);
        let (top, bottom) = (height_of(value.max(0.0)), height_of(value.min(0.0)));
        Bar {
            x: coordinate((column as f64 + 0.1) * step),
            y: coordinate(top),
            width: coordinate(step * 0.8),
            height: coordinate(bottom - top),
            title: format!("{name}: {text}"),
        }
    };
    BarsView {
        title: title.into(),
        bars: values.iter().enumerate().map(bar).collect(),
        base: coordinate(height_of(0.0)),
        reference: None,
        high: label(Some(high)),
        low: (low < 0.0).then(|| label(Some(low))),
        ends: None,
        summary: String::new(),
        caption: String::new(),
    }
}

/// Lays out the shares of equal bins of [0, 1], with a line where all would be alike.
pub(super) fn histogram(title: impl Into<String>, shares: &[f64], text: impl Fn(Option<f64>) -> String) -> BarsView {
    let n_bins = shares.len() as f64;
    let name = |bin: usize| format!("{:.2} to {:.2}", bin as f64 / n_bins, (bin + 1) as f64 / n_bins);
    let values: Vec<NamedBar> =
        shares.iter().enumerate().map(|(bin, &share)| (name(bin), Some(share), text(Some(share)))).collect();
    let mut view = bars(title, &values, &text);
    let high = shares.iter().copied().fold(0.0, f64::max);
    view.reference = (high > 0.0).then(|| coordinate(SIDE * (1.0 - 1.0 / n_bins / high)));
    view.ends = Some(("0", "1"));
    view
}

pub(super) fn coordinate(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::percent_short;

    #[test]
    fn a_uniform_histogram_touches_its_reference_everywhere() {
        let view = histogram("PIT", &[0.05; 20], percent_short);
        assert_eq!(view.reference.as_deref(), Some("0.0"));
        assert!(view.bars.iter().all(|bar| bar.y == "0.0" && bar.height == "200.0"));
        assert_eq!(view.bars[19].title, "0.95 to 1.00: 5.0%");
    }

    #[test]
    fn a_bin_of_twice_its_share_is_twice_as_high_as_the_reference() {
        // The highest bin has 0.5 where 0.25 would be even: the line is at half the height.
        let view = histogram("gates", &[0.5, 0.25, 0.25, 0.0], percent_short);
        assert_eq!(view.reference.as_deref(), Some("100.0"));
        assert_eq!(view.bars[3].height, "0.0");
    }
}
