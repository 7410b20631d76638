//! Figures from several runs, and Markdown tables of them.

/// What several runs of the same work gave, in the unit of the caller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The middle value; the mean of the middle two when there are two.
    pub median: f64,
    /// The lowest value.
    pub low: f64,
    /// The highest value.
    pub high: f64,
}

impl Figure {
    /// The figure of some values; `None` without values or when one is not a number.
    pub fn of(values: &[f64]) -> Option<Figure> {
        let mut sorted = values.to_vec();
        if sorted.is_empty() || sorted.iter().any(|value| !value.is_finite()) {
            return None;
        }
        sorted.sort_by(f64::total_cmp);
        let (middle, last) = (sorted.len() / 2, sorted.len() - 1);
        let median = if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) };
        Some(Figure { median, low: sorted[0], high: sorted[last] })
    }

    /// `median (low–high)`, three significant digits each.
    pub fn shown(&self) -> String {
        format!("{} ({}–{})", number(self.median), number(self.low), number(self.high))
    }
}

/// A number with three significant digits and no exponent.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        v if v == 0.0 || v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        v => (2 - v.log10().floor() as i32).clamp(0, 12) as usize,
    };
    format!("{value:.digits$}")
}

/// A Markdown table.
#[derive(Clone, Debug)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these column heads.
    pub fn new(head: &[&str]) -> Table {
        Table { head: head.iter().map(|&cell| cell.to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty, cells beyond the head are a mistake and are dropped.
    pub fn row(&mut self, cells: &[String]) {
        let mut row = cells.to_vec();
        row.resize(self.head.len(), String::new());
        self.rows.push(row);
    }

    /// The table as Markdown; the first column is text, the others are numbers and stand right.
    pub fn markdown(&self) -> String {
        let line =
            |cells: &[String]| format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "));
        let rule: Vec<String> = (0..self.head.len()).map(|column| if column == 0 { "---" } else { "---:" }.to_owned()).collect();
        let mut text = line(&self.head) + &line(&rule);
        self.rows.iter().for_each(|row| text.push_str(&line(row)));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert_eq!(Figure::of(&[3.0, 1.0, 2.0]), Some(Figure { median: 2.0, low: 1.0, high: 3.0 }));
        assert_eq!(Figure::of(&[4.0, 1.0, 2.0, 3.0]), Some(Figure { median: 2.5, low: 1.0, high: 4.0 }));
        assert_eq!(Figure::of(&[7.0]), Some(Figure { median: 7.0, low: 7.0, high: 7.0 }));
        assert_eq!(Figure::of(&[]), None);
        assert_eq!(Figure::of(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn numbers_keep_three_digits() {
        for (value, text) in [(0.0, "0"), (1234.5, "1234"), (99.94, "99.9"), (1.004, "1.00"), (0.01234, "0.0123"), (-0.5, "-0.500")] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_figure_shows_its_spread() {
        assert_eq!(Figure::of(&[30.0, 10.0, 20.0]).unwrap().shown(), "20.0 (10.0–30.0)");
    }

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new(&["work", "ms"]);
        table.row(&["a|b".to_owned(), "1".to_owned()]);
        table.row(&["short".to_owned()]);
        assert_eq!(table.markdown(), "| work | ms |\n| --- | ---: |\n| a\\|b | 1 |\n| short |  |\n");
    }
}
