//! Fewer rows of a long chart, without losing an extreme.

use std::collections::BTreeSet;

/// Returns the rows to draw, ascending, at most `rows_max` of them where `rows_max` leaves room for one bucket.
///
/// Up to `rows_max` rows nothing is left out. Beyond, the rows are cut into equal buckets and each bucket keeps, for every
/// column, the row of its minimum and the row of its maximum; first and last row are kept as well. The picture at screen
/// resolution is the one of all rows, because every spike survives.
pub(crate) fn kept_rows(columns: &[&[Option<f64>]], rows_max: usize) -> Vec<usize> {
    let n_rows = columns.iter().map(|column| column.len()).max().unwrap_or(0);
    if n_rows <= rows_max {
        return (0..n_rows).collect();
    }
    let n_buckets = (rows_max.saturating_sub(2) / (2 * columns.len())).max(1);
    let mut rows = BTreeSet::from([0, n_rows - 1]);
    for bucket in 0..n_buckets {
        let range = bucket * n_rows / n_buckets..(bucket + 1) * n_rows / n_buckets;
        for column in columns {
            let known = || range.clone().filter_map(|row| Some((row, column.get(row).copied().flatten()?)));
            rows.extend(known().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(row, _)| row));
            rows.extend(known().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(row, _)| row));
        }
    }
    rows.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(n_rows: usize, value: impl Fn(usize) -> f64) -> Vec<Option<f64>> {
        (0..n_rows).map(|row| Some(value(row))).collect()
    }

    #[test]
    fn a_short_chart_keeps_every_row() {
        let values = column(10, |row| row as f64);
        assert_eq!(kept_rows(&[&values], 10), (0..10).collect::<Vec<_>>());
        assert_eq!(kept_rows(&[&[]], 10), Vec::<usize>::new());
    }

    #[test]
    fn a_spike_in_any_column_survives() {
        let mut first = column(100_000, |row| (row as f64 * 0.01).sin());
        let mut second = column(100_000, |row| (row as f64 * 0.02).cos());
        first[12_345] = Some(7.0);
        first[54_321] = Some(-7.0);
        second[77_777] = Some(9.0);
        second[77_778] = Some(-9.0);
        let rows = kept_rows(&[&first, &second], 5_000);
        assert!(rows.len() <= 5_000, "{}", rows.len());
        for row in [0, 12_345, 54_321, 77_777, 77_778, 99_999] {
            assert!(rows.binary_search(&row).is_ok(), "row {row} is missing");
        }
    }

    #[test]
    fn every_bucket_keeps_its_minimum_and_maximum_by_hand() {
        // Eight rows, room for six: two buckets of four rows, two rows each, plus the ends.
        let values: Vec<_> = [1.0, 5.0, 0.0, 2.0, 4.0, 9.0, 3.0, 6.0].map(Some).to_vec();
        assert_eq!(kept_rows(&[&values], 6), [0, 1, 2, 5, 6, 7]);
    }

    #[test]
    fn a_column_with_holes_is_no_obstacle() {
        let holes = vec![None; 1_000];
        let values = column(1_000, |row| row as f64);
        let rows = kept_rows(&[&values, &holes], 100);
        assert!(rows.len() <= 100 && rows.first() == Some(&0) && rows.last() == Some(&999));
    }
}
