//! Scalar products of many rows with many columns, in blocks that fit the registers.

/// How many columns stand side by side: four registers of two.
const WIDTH: usize = 8;
/// How many rows are done at once.
const HEIGHT: usize = 2;

/// Columns of equal length, packed so that eight of them stream through the cache together.
///
/// Every product is a sum in the order of the rows' elements, so that its bits do not depend on what is computed beside it.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    length: usize,
    count: usize,
    panels: Vec<[f64; WIDTH]>,
}

impl Columns {
    /// Makes columns of zeros.
    pub(crate) fn zeros(length: usize, count: usize) -> Self {
        Self { length, count, panels: vec![[0.0; WIDTH]; length * count.div_ceil(WIDTH)] }
    }

    /// Returns an element to be changed.
    pub(crate) fn element(&mut self, row: usize, column: usize) -> &mut f64 {
        &mut self.panels[column / WIDTH * self.length + row][column % WIDTH]
    }

    /// Writes the products of rows with all columns, those of the first row first.
    ///
    /// # Shapes
    /// `rows` is `R x length`, `products` becomes `R x count`.
    pub(crate) fn products(&self, rows: &[&[f64]], products: &mut Vec<f64>) {
        products.clear();
        products.resize(rows.len() * self.count, 0.0);
        for (number, panel) in self.panels.chunks_exact(self.length).enumerate() {
            let first = number * WIDTH;
            let width = WIDTH.min(self.count - first);
            for (pair, rows) in rows.chunks(HEIGHT).enumerate() {
                let sums = match rows {
                    [row, other] => panel_products(panel, [row, other]),
                    rows => panel_products(panel, [rows[0], rows[0]]),
                };
                for (offset, sums) in sums.iter().take(rows.len()).enumerate() {
                    let start = (pair * HEIGHT + offset) * self.count + first;
                    products[start..start + width].copy_from_slice(&sums[..width]);
                }
            }
        }
    }
}

fn panel_products(panel: &[[f64; WIDTH]], rows: [&[f64]; HEIGHT]) -> [[f64; WIDTH]; HEIGHT] {
    let mut sums = [[0.0; WIDTH]; HEIGHT];
    for ((columns, &first), &second) in panel.iter().zip(rows[0]).zip(rows[1]) {
        for (lane, &column) in columns.iter().enumerate() {
            sums[0][lane] += first * column;
            sums[1][lane] += second * column;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_a_plain_loop_whatever_stands_beside_them() {
        let (length, count) = (13, 11);
        let value = |row: usize, column: usize| ((row * 7 + column * 3) % 10) as f64 - 4.5;
        let mut columns = Columns::zeros(length, count);
        for row in 0..length {
            for column in 0..count {
                *columns.element(row, column) = value(row, column);
            }
        }
        let left: Vec<Vec<f64>> = (0..5).map(|row| (0..length).map(|step| value(step, row + 20)).collect()).collect();
        let rows: Vec<&[f64]> = left.iter().map(Vec::as_slice).collect();
        let mut products = Vec::new();
        columns.products(&rows, &mut products);
        for (row, found) in rows.iter().zip(products.chunks_exact(count)) {
            let plain = |column| row.iter().enumerate().map(|(step, left)| left * value(step, column)).sum::<f64>();
            assert_eq!(found, (0..count).map(plain).collect::<Vec<f64>>());
            let mut alone = Vec::new();
            columns.products(&[row], &mut alone);
            assert_eq!(found, alone);
        }
    }
}
