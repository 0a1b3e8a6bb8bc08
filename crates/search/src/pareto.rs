//! Trials that no other beats in everything.

use std::cmp::Ordering;

/// Returns the places of the rows that no other row dominates, ascending. All columns are maximized; a row dominates another when
/// it is nowhere smaller and somewhere larger, so that equal rows stand or fall together. A row with NaN is never on the front.
///
/// Rows are sorted from the largest and held against the front found so far, which takes `n log n + n f` comparisons for a front
/// of `f` rows.
///
/// # Panics
/// When rows differ in length.
pub fn pareto_front<R: AsRef<[f64]>>(rows: &[R]) -> Vec<usize> {
    let columns = rows.first().map_or(0, |row| row.as_ref().len());
    assert!(rows.iter().all(|row| row.as_ref().len() == columns), "rows have one length");
    let mut order: Vec<usize> =
        (0..rows.len()).filter(|row| rows[*row].as_ref().iter().all(|value| !value.is_nan())).collect();
    // What dominates a row stands before it.
    order.sort_unstable_by(|left, right| {
        largest_first(rows[*left].as_ref(), rows[*right].as_ref()).then(left.cmp(right))
    });
    let mut front: Vec<usize> = Vec::new();
    for row in order {
        let candidate = rows[row].as_ref();
        if !front.iter().any(|member| dominates(rows[*member].as_ref(), candidate)) {
            front.push(row);
        }
    }
    front.sort_unstable();
    front
}

fn largest_first(left: &[f64], right: &[f64]) -> Ordering {
    right.partial_cmp(left).expect("rows with NaN were left out")
}

fn dominates(left: &[f64], right: &[f64]) -> bool {
    left.iter().zip(right).all(|(left, right)| left >= right) && left != right
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_front_is_what_nothing_beats() {
        let rows = [[1.0, 5.0], [3.0, 3.0], [2.0, 3.0], [5.0, 1.0], [5.0, 0.0], [3.0, 3.0]];
        assert_eq!(pareto_front(&rows), [0, 1, 3, 5], "equal rows are both on it");
        assert_eq!(pareto_front(&[vec![2.0], vec![7.0], vec![7.0]]), [1, 2]);
        assert_eq!(pareto_front::<Vec<f64>>(&[]), Vec::<usize>::new());
    }

    #[test]
    fn a_row_with_an_undefined_objective_is_never_on_the_front() {
        assert_eq!(pareto_front(&[[f64::NAN, 9.0], [0.0, 0.0], [f64::NAN, f64::NAN]]), [1]);
        assert_eq!(pareto_front(&[[f64::NAN, 9.0]]), Vec::<usize>::new());
        assert_eq!(pareto_front(&[[f64::NEG_INFINITY, 9.0], [0.0, -0.0]]), [0, 1]);
    }

    proptest! {
        #[test]
        fn the_front_is_that_of_the_definition(
            rows in (2usize..5).prop_flat_map(|columns| {
                proptest::collection::vec(proptest::collection::vec(-3i8..4, columns), 0..120)
            }),
        ) {
            // 3 stands for NaN.
            let rows: Vec<Vec<f64>> = rows.iter()
                .map(|row| row.iter().map(|value| if *value == 3 { f64::NAN } else { f64::from(*value) }).collect())
                .collect();
            let beats = |a: &Vec<f64>, b: &Vec<f64>| {
                (0..a.len()).all(|k| a[k] >= b[k]) && (0..a.len()).any(|k| a[k] > b[k])
            };
            let expected: Vec<usize> = (0..rows.len())
                .filter(|row| !rows[*row].iter().any(|value| value.is_nan()))
                .filter(|row| !rows.iter().any(|other| beats(other, &rows[*row])))
                .collect();
            prop_assert_eq!(pareto_front(&rows), expected);
        }
    }
}
