//! The closed list of kinds.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field as ArrowField, Schema, SchemaRef};

use crate::column::arrow_type;
use crate::field::Spec;
use crate::kinds;

/// A row type of one kind.
pub trait Record: Sized {
    /// The kind's field table.
    const SPEC: &'static Spec;
    /// One column a field, in order.
    fn columns(rows: &[Self]) -> Vec<ArrayRef>;
    /// The row at `row` of columns in the kind's order and types.
    fn row(columns: &[ArrayRef], row: usize) -> Self;

    /// Rows as a batch.
    fn batch(rows: &[Self]) -> RecordBatch {
        let schema = Kind::of(Self::SPEC).schema();
        RecordBatch::try_new(schema, Self::columns(rows)).unwrap_or_else(|e| unreachable!("columns come from the field table: {e}"))
    }

    /// All rows of a batch of this kind.
    fn rows(batch: &RecordBatch) -> Vec<Self> {
        (0..batch.num_rows()).map(|row| Self::row(batch.columns(), row)).collect()
    }
}

macro_rules! kinds {
    ($( $kind:ident ),+ $(,)?) => {
        /// A kind of record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $( #[doc = concat!("[`kinds::", stringify!($kind), "`]")] $kind, )+
        }

        impl Kind {
            /// Every kind, in the order of its code.
            pub const ALL: &'static [Kind] = &[ $( Kind::$kind, )+ ];

            /// The kind's field table.
            pub fn spec(self) -> &'static Spec {
                match self { $( Kind::$kind => <kinds::$kind as Record>::SPEC, )+ }
            }
        }
    };
}

kinds![
    RadiusSession,
    NatMapping,
    Binding,
    Question,
    Gap,
    Malformed,
    Raw,
    OperatorAction,
    ConfigChange,
    SourceEntry,
    Maintenance,
    MaintenanceText,
    Authentication,
    NatConfig,
    NatEvent,
];

static SCHEMAS: LazyLock<Vec<SchemaRef>> = LazyLock::new(|| Kind::ALL.iter().map(|k| schema_of(k.spec())).collect());

fn schema_of(spec: &Spec) -> SchemaRef {
    let fields: Vec<_> = spec.fields.iter().map(|f| ArrowField::new(f.name, arrow_type(f.ty), f.nullable)).collect();
    Arc::new(Schema::new(fields))
}

impl Kind {
    /// The kind of a specification; every specification belongs to one.
    pub fn of(spec: &Spec) -> Kind {
        Kind::from_code(spec.code).unwrap_or(Kind::Raw)
    }

    /// The kind with this code.
    pub fn from_code(code: u16) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|k| k.spec().code == code)
    }

    /// Table name.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Arrow schema: one column a field, in order.
    pub fn schema(self) -> SchemaRef {
        Arc::clone(&SCHEMAS[self as usize])
    }

    /// Kinds that are sealed (all but the transient ones).
    pub fn sealed() -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(|k| !k.spec().transient)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Kind, String> {
        Kind::ALL.iter().copied().find(|k| k.name() == text).ok_or_else(|| {
            let names: Vec<_> = Kind::sealed().map(Kind::name).collect();
            format!("there is no record kind {text:?}; the kinds are: {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_time_fields_exist() {
        for (i, kind) in Kind::ALL.iter().enumerate() {
            let spec = kind.spec();
            assert_eq!(Kind::from_code(spec.code), Some(*kind));
            assert_eq!(spec.name.parse(), Ok(*kind));
            assert!(spec.index(spec.time).is_some(), "{kind}");
            assert!(Kind::ALL[i + 1..].iter().all(|k| k.spec().code > spec.code), "{kind} is out of order");
            assert_eq!(kind.schema().fields().len(), spec.fields.len());
        }
        assert!("nothing".parse::<Kind>().unwrap_err().contains("radius_session"));
    }
}
