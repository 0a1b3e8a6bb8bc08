//! Initial weights, stated and seeded: nothing is left to a library's default.
//!
//! Input weights are Xavier uniform (Glorot and Bengio 2010), recurrent weights orthogonal (Saxe et al. 2014), both per
//! gate unless the specification says otherwise, so that each of a layer's packed matrices starts as the matrix it is.

use crate::random::SeededRandom;

/// Draws a `rows x columns` matrix, row-major, uniform in `+-sqrt(6 / (rows + columns))`.
pub(crate) fn xavier_uniform(rows: usize, columns: usize, random: &mut SeededRandom) -> Vec<f32> {
    uniform(rows * columns, (6.0 / (rows + columns) as f64).sqrt(), random)
}

/// Draws values uniform in `+-bound`.
pub(crate) fn uniform(count: usize, bound: f64, random: &mut SeededRandom) -> Vec<f32> {
    (0..count).map(|_| ((2.0 * random.uniform() - 1.0) * bound) as f32).collect()
}

/// Draws a random `rows x columns` matrix, row-major, whose rows are orthonormal, or whose columns are where it has more rows
/// than columns.
pub(crate) fn orthogonal(rows: usize, columns: usize, random: &mut SeededRandom) -> Vec<f32> {
    let (count, length) = (rows.min(columns), rows.max(columns));
    let vectors = orthonormal(count, length, random);
    let value = |row: usize, column: usize| if rows <= columns { vectors[row][column] } else { vectors[column][row] };
    (0..rows * columns).map(|place| value(place / columns, place % columns) as f32).collect()
}

/// Draws so many orthonormal vectors, at most as many as their length: Gram-Schmidt on normal ones.
///
/// Each vector is orthogonalised twice, which brings the error down to rounding.
fn orthonormal(count: usize, length: usize, random: &mut SeededRandom) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(count);
    while rows.len() < count {
        let mut row: Vec<f64> = (0..length).map(|_| random.normal()).collect();
        for _ in 0..2 {
            for earlier in &rows {
                let projection = dot(&row, earlier);
                row.iter_mut().zip(earlier).for_each(|(value, direction)| *value -= projection * direction);
            }
        }
        let length = dot(&row, &row).sqrt();
        // A row that lies in the span of the earlier ones says nothing about its own direction: draw another.
        if length > 1e-6 {
            rows.push(row.into_iter().map(|value| value / length).collect());
        }
    }
    rows
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn an_orthogonal_matrix_times_its_transpose_is_the_identity() {
        let size = 24;
        let matrix = orthogonal(size, size, &mut SeededRandom::new(11, Stream::Weights));
        for i in 0..size {
            for j in 0..size {
                let product: f32 = (0..size).map(|k| matrix[i * size + k] * matrix[j * size + k]).sum();
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-6, "rows {i} and {j}: {product}");
            }
        }
    }

    #[test]
    fn of_a_matrix_that_is_not_square_the_shorter_sides_vectors_are_orthonormal() {
        let (wide, mut random) = ([3, 5], SeededRandom::new(11, Stream::Weights));
        for [rows, columns] in [wide, [5, 3]] {
            let matrix = orthogonal(rows, columns, &mut random);
            let vector = |place: usize, along: usize| {
                if rows < columns { matrix[place * columns + along] } else { matrix[along * columns + place] }
            };
            for i in 0..3 {
                for j in 0..3 {
                    let product: f32 = (0..5).map(|k| vector(i, k) * vector(j, k)).sum();
                    assert!((product - if i == j { 1.0 } else { 0.0 }).abs() < 1e-6, "{rows}: {i} and {j}: {product}");
                }
            }
        }
    }

    #[test]
    fn xavier_weights_fill_their_interval_and_no_more() {
        // Bound sqrt(6 / (64 + 10)) = 0.284747; variance bound^2 / 3 = 2 / 74 = 0.027027.
        let weights = xavier_uniform(64, 10, &mut SeededRandom::new(12, Stream::Weights));
        let largest = weights.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
        let variance = weights.iter().map(|weight| weight * weight).sum::<f32>() / 640.0;
        assert!((0.28..0.284_748).contains(&largest), "{largest}");
        assert!((variance - 0.027_027).abs() < 0.003, "{variance}");
    }

    #[test]
    fn a_one_by_one_orthogonal_matrix_is_plus_or_minus_one() {
        let matrix = orthogonal(1, 1, &mut SeededRandom::new(13, Stream::Weights));
        assert_eq!(matrix[0].abs(), 1.0);
    }
}
