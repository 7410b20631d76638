//! The one macro that turns a field table into a row type, its columns and its [`Spec`](crate::Spec).

/// Defines a record kind: a struct with one field a column, and its specification as data.
macro_rules! record {
    (
        $doc:literal
        $name:ident = $code:literal, $table:literal, version $version:literal, $retention:ident, $keys:ident, time $time:literal $(, $transient:ident)?;
        $( $field:ident : $ty:ty = $fdoc:literal, unit $unit:literal, $class:ident $(, $key:ident)?; )+
    ) => {
        #[doc = $doc]
        #[derive(Clone, Default, PartialEq, Eq)]
        pub struct $name {
            $( #[doc = $fdoc] pub $field: $ty, )+
        }

        impl std::fmt::Debug for $name {
            /// What names a person, and what may hold anything, never gets into a log by way of a `{:?}`.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut out = f.debug_struct(stringify!($name));
                $( match $crate::field::Class::$class {
                    $crate::field::Class::Person | $crate::field::Class::Raw => out.field(stringify!($field), &format_args!("…")),
                    _ => out.field(stringify!($field), &self.$field),
                }; )+
                out.finish()
            }
        }

        impl $crate::kind::Record for $name {
            const SPEC: &'static $crate::field::Spec = &$crate::field::Spec {
                name: $table,
                code: $code,
                version: $version,
                doc: $doc,
                retention: $crate::field::Retention::$retention,
                keys: $crate::field::KeyClass::$keys,
                time: $time,
                transient: $crate::macros::flag!($($transient)?),
                fields: &[ $( $crate::field::Field {
                    name: stringify!($field),
                    ty: <$ty as $crate::column::Cell>::TYPE,
                    nullable: <$ty as $crate::column::Cell>::NULLABLE,
                    unit: $unit,
                    key: $crate::macros::flag!($($key)?),
                    class: $crate::field::Class::$class,
                    doc: $fdoc,
                }, )+ ],
            };

            fn columns(rows: &[Self]) -> Vec<arrow::array::ArrayRef> {
                vec![ $( <$ty as $crate::column::Cell>::column(rows.iter().map(|r| &r.$field)), )+ ]
            }

            fn row(columns: &[arrow::array::ArrayRef], row: usize) -> Self {
                let mut at = columns.iter();
                $( let $field = at.next().map(|c| <$ty as $crate::column::Cell>::cell(c, row)).unwrap_or_default(); )+
                $name { $( $field, )+ }
            }
        }
    };
}

/// `true` when a word was given.
macro_rules! flag {
    () => {
        false
    };
    ($word:ident) => {
        true
    };
}

pub(crate) use flag;
pub(crate) use record;
