//! A column of texts under construction, most of whose rows may have none: those are counted, and told to the column together.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};

/// The column.
#[derive(Debug, Default)]
pub(crate) struct Sparse {
    texts: StringBuilder,
    /// Rows without a text behind those of `texts`.
    without: usize,
}

impl Sparse {
    /// None, with room for so many rows, and about as many bytes as the other one has.
    pub(crate) fn like(other: &Sparse, rows: usize) -> Sparse {
        let bytes = other.texts.values_slice().len();
        Sparse { texts: StringBuilder::with_capacity(rows, bytes + bytes / 8), without: 0 }
    }

    /// The next row.
    pub(crate) fn push(&mut self, text: Option<&str>) {
        match text {
            None => self.without += 1,
            Some(text) => {
                self.settle();
                self.texts.append_value(text);
            }
        }
    }

    fn settle(&mut self) {
        if self.without > 0 {
            self.texts.append_nulls(std::mem::take(&mut self.without));
        }
    }

    /// All rows.
    pub(crate) fn finish(mut self) -> ArrayRef {
        self.settle();
        Arc::new(self.texts.finish())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;

    proptest::proptest! {
        #[test]
        fn rows_are_as_they_were_pushed(rows in proptest::collection::vec(proptest::option::of("[a-c]{0,3}"), 0..40)) {
            let mut column = Sparse::default();
            rows.iter().for_each(|text| column.push(text.as_deref()));
            let mut again = Sparse::like(&column, rows.len());
            rows.iter().for_each(|text| again.push(text.as_deref()));
            let want: ArrayRef = Arc::new(StringArray::from(rows));
            proptest::prop_assert_eq!(&column.finish(), &want);
            proptest::prop_assert_eq!(&again.finish(), &want);
        }
    }
}
