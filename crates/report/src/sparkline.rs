//! A curve in one line of text.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Returns the lowest and the highest finite value; infinities when there is none.
pub(crate) fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

/// Returns one block character per cell of `width`, each showing the last value of its stretch of the curve.
///
/// The lowest block stands for the first of the `bounds`, the highest for the second, so that two curves with the same
/// bounds can be compared; a flat curve alone stays in the middle.
pub(crate) fn sparkline(values: &[f64], (low, high): (f64, f64), width: usize) -> String {
    let n_cells = width.min(values.len());
    let cells = (1..=n_cells).map(|cell| values[cell * values.len() / n_cells - 1]);
    cells.map(|value| block(value, low, high)).collect()
}

fn block(value: f64, low: f64, high: f64) -> char {
    if !value.is_finite() {
        return ' ';
    }
    if high <= low {
        return BLOCKS[3];
    }
    let height = (value - low) / (high - low) * (BLOCKS.len() - 1) as f64;
    BLOCKS[(height.round() as usize).min(BLOCKS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[f64], width: usize) -> String {
        sparkline(values, bounds(values.iter().copied()), width)
    }

    #[test]
    fn a_line_climbs_through_every_block() {
        let values: Vec<f64> = (0..8).map(f64::from).collect();
        assert_eq!(drawn(&values, 8), "▁▂▃▄▅▆▇█");
    }

    #[test]
    fn a_long_curve_is_as_wide_as_asked_and_ends_where_the_curve_ends() {
        let values: Vec<f64> = (0..1_000).map(|i| f64::from(i % 100)).collect();
        let line = drawn(&values, 40);
        assert_eq!(line.chars().count(), 40);
        assert_eq!(line.chars().last(), Some('█'));
    }

    #[test]
    fn a_flat_or_empty_or_broken_curve_is_drawn_too() {
        assert_eq!(drawn(&[5.0; 3], 10), "▄▄▄");
        assert_eq!(drawn(&[], 10), "");
        assert_eq!(drawn(&[1.0, f64::NAN, 2.0], 3), "▁ █");
    }
}
