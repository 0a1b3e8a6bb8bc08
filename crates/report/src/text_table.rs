//! Aligned columns of text that fit a width.

const GAP: usize = 2;
const FIRST_COLUMN_MIN: usize = 12;

/// A table whose first column is a left-aligned name and whose other columns are right-aligned values.
pub(crate) struct TextTable {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl TextTable {
    pub(crate) fn new<const N: usize>(header: [&str; N]) -> Self {
        Self { header: header.map(str::to_owned).to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        assert_eq!(N, self.header.len(), "a row has as many cells as the header");
        self.rows.push(cells.map(|cell| printable(&cell)).to_vec());
    }

    /// Makes a table of as many columns as `header` names.
    pub(crate) fn with_header(header: &[String]) -> Self {
        Self { header: header.iter().map(|title| printable(title)).collect(), rows: Vec::new() }
    }

    /// Adds a row of as many cells as the header has.
    pub(crate) fn push(&mut self, cells: &[String]) {
        assert_eq!(cells.len(), self.header.len(), "a row has as many cells as the header");
        self.rows.push(cells.iter().map(|cell| printable(cell)).collect());
    }

    /// Leaves out every column from the one named `title` on.
    #[must_use]
    pub(crate) fn without_columns_from(mut self, title: &str) -> Self {
        let kept = self.header.iter().take_while(|name| *name != title).count();
        for cells in self.rows.iter_mut().chain([&mut self.header]) {
            cells.truncate(kept);
        }
        self
    }

    /// Returns the header line and then one line per row, none wider than `width`.
    ///
    /// Where the columns do not fit, the first one is shortened, then columns are left out from the right.
    pub(crate) fn lines(&self, width: usize) -> Vec<String> {
        let mut widths: Vec<usize> = (0..self.header.len()).map(|column| self.column_width(column)).collect();
        while widths.len() > 1 && needed(&widths) - widths[0] + FIRST_COLUMN_MIN.min(widths[0]) > width {
            widths.pop();
        }
        let values = needed(&widths) - widths[0];
        widths[0] = widths[0].min(width.saturating_sub(values));
        std::iter::once(&self.header).chain(&self.rows).map(|cells| line(cells, &widths)).collect()
    }

    fn column_width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| &row[column]);
        cells.chain([&self.header[column]]).map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

/// Replaces control characters, which could move the cursor or change colors.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

/// Shortens text to `width` characters, the last one being an ellipsis when something was cut.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    if width == 0 { kept } else { format!("{}…", kept.trim_end()) }
}

/// Breaks text into lines of at most `width` characters, at spaces where there are any.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in printable(text).split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        let n_free = width.saturating_sub(line.chars().count());
        if line.is_empty() {
            *line = shortened(word, width);
        } else if word.chars().count() < n_free {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(shortened(word, width));
        }
    }
    lines
}

fn needed(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * (widths.len() - 1)
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = |(column, (cell, &width)): (usize, (&String, &usize))| match column {
        0 => format!("{:<width$}", shortened(cell, width)),
        _ => format!("{cell:>width$}"),
    };
    let cells: Vec<_> = cells.iter().zip(widths).enumerate().map(padded).collect();
    cells.join(&" ".repeat(GAP)).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TextTable {
        let mut table = TextTable::new(["name", "a", "b"]);
        table.row(["a rather long name".to_owned(), "1.00".to_owned(), "22.00".to_owned()]);
        table
    }

    #[test]
    fn values_are_aligned_to_the_right() {
        assert_eq!(table().lines(40), ["name                   a      b", "a rather long name  1.00  22.00"]);
    }

    #[test]
    fn a_long_name_is_shortened_before_a_column_is_left_out() {
        assert_eq!(table().lines(26), ["name              a      b", "a rather lon…  1.00  22.00"]);
        assert_eq!(table().lines(20), ["name               a", "a rather long…  1.00"]);
    }

    #[test]
    fn columns_can_be_left_out() {
        assert_eq!(
            table().without_columns_from("b").lines(40),
            ["name                   a", "a rather long name  1.00"]
        );
        assert_eq!(table().without_columns_from("c").lines(40), table().lines(40));
    }

    #[test]
    fn text_breaks_at_spaces() {
        assert_eq!(wrapped("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(wrapped("abcdefghijkl", 5), ["abcd…"]);
    }

    #[test]
    fn a_control_character_is_replaced() {
        assert_eq!(printable("a\u{1b}[31mb"), "a\u{fffd}[31mb");
    }
}
