//! The mask: identifiers become short keyed fingerprints, addresses and ids become text, what names a person goes.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use weir_base::crypto::{Mac, Secret};
use weir_base::net::Addr16;
use weir_record::column::{arrow_type, bytes16};
use weir_record::{Class, Field, Id, KeyClass, Kind, Type};

use crate::QueryError;

/// Hex digits of a masked identifier.
const MASK_BYTES: usize = 8;

/// A mask with a key of its own: make one a statement.
pub struct Mask(Mac);

impl Default for Mask {
    fn default() -> Mask {
        Mask::new()
    }
}

/// Kinds that have a view.
pub fn kinds() -> impl Iterator<Item = Kind> {
    Kind::sealed().filter(|k| matches!(k.spec().keys, KeyClass::Records | KeyClass::Ledger))
}

fn shown(field: &Field) -> bool {
    matches!(field.class, Class::Plain | Class::Identifier)
}

fn becomes_text(field: &Field) -> bool {
    field.class == Class::Identifier || matches!(field.ty, Type::Id | Type::Addr)
}

/// The columns of a kind's view.
pub fn schema(kind: Kind) -> Result<SchemaRef, QueryError> {
    if !kinds().any(|k| k == kind) {
        return Err(QueryError::NoView(kind.name()));
    }
    let fields: Vec<ArrowField> = kind
        .spec()
        .fields
        .iter()
        .filter(|f| shown(f))
        .map(|f| {
            let ty = if becomes_text(f) { DataType::Utf8 } else { arrow_type(f.ty) };
            ArrowField::new(f.name, ty, f.nullable || f.ty == Type::Addr)
        })
        .collect();
    Ok(Arc::new(Schema::new(fields)))
}

impl Mask {
    /// A mask under a fresh random key.
    pub fn new() -> Mask {
        Mask(Mac::new(&Secret::random()))
    }

    /// A batch of a kind as its view shows it.
    pub fn apply(&self, kind: Kind, batch: &RecordBatch) -> Result<RecordBatch, QueryError> {
        let columns: Vec<ArrayRef> = kind
            .spec()
            .fields
            .iter()
            .zip(batch.columns())
            .filter(|(f, _)| shown(f))
            .map(|(f, c)| if becomes_text(f) { self.text(f, c) } else { Arc::clone(c) })
            .collect();
        RecordBatch::try_new(schema(kind)?, columns).map_err(|e| QueryError::Internal(e.to_string()))
    }

    fn text(&self, field: &Field, column: &ArrayRef) -> ArrayRef {
        let mut out = StringBuilder::with_capacity(column.len(), column.len() * 2 * MASK_BYTES);
        for row in 0..column.len() {
            match self.value(field, column, row) {
                Some(text) => out.append_value(text),
                None => out.append_null(),
            }
        }
        Arc::new(out.finish())
    }

    fn value(&self, field: &Field, column: &ArrayRef, row: usize) -> Option<String> {
        if column.is_null(row) {
            return None;
        }
        if field.class == Class::Plain {
            let bytes = bytes16(column.as_fixed_size_binary(), row);
            return match field.ty {
                Type::Addr => (bytes != [0; 16]).then(|| Addr16(bytes).to_string()),
                _ => Some(Id(bytes).to_string()),
            };
        }
        let mac = match field.ty {
            Type::Id | Type::Addr => {
                let bytes = bytes16(column.as_fixed_size_binary(), row);
                if bytes == [0; 16] && field.ty == Type::Addr {
                    return None;
                }
                self.0.of(&[&bytes])
            }
            Type::Text => self.0.of(&[column.as_string::<i32>().value(row).as_bytes()]),
            // No other type is an identifier: the dictionary's test says so.
            _ => return Some("masked".to_owned()),
        };
        Some(mac.iter().take(MASK_BYTES).map(|b| format!("{b:02x}")).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_record::kind::Record;
    use weir_record::kinds::{NatMapping, RadiusSession};

    #[test]
    fn identifiers_are_text_ids_or_addresses() {
        for kind in Kind::ALL {
            for field in kind.spec().fields.iter().filter(|f| f.class == Class::Identifier) {
                assert!(matches!(field.ty, Type::Id | Type::Addr | Type::Text), "{kind}.{}", field.name);
            }
        }
    }

    #[test]
    fn no_identifier_person_or_raw_value_is_shown() {
        let row = RadiusSession {
            framed_ipv4: Some("100.64.0.12".parse().unwrap()),
            acct_session_id: Some("0A1B2C".into()),
            subscriber: Some(Id([7; 16])),
            nas_address: Some("192.0.2.1".parse().unwrap()),
            ..RadiusSession::default()
        };
        let batch = RadiusSession::batch(&[row.clone(), row]);
        let one = Mask::new().apply(Kind::RadiusSession, &batch).unwrap();
        let two = Mask::new().apply(Kind::RadiusSession, &batch).unwrap();
        let text = |b: &RecordBatch, name: &str, row| b.column_by_name(name).unwrap().as_string::<i32>().value(row).to_owned();
        for name in ["framed_ipv4", "acct_session_id", "subscriber", "session"] {
            assert_eq!(text(&one, name, 0), text(&one, name, 1), "{name} is the same within a statement");
            assert_ne!(text(&one, name, 0), text(&two, name, 0), "{name} is another in the next");
            assert_eq!(text(&one, name, 0).len(), 16);
        }
        assert_eq!(text(&one, "nas_address", 0), "192.0.2.1");
        assert!(schema(Kind::Binding).is_err() && schema(Kind::Raw).is_err());
        assert!(schema(Kind::Question).unwrap().field_with_name("target").is_err());
        let nat = Mask::new().apply(Kind::NatMapping, &NatMapping::batch(&[NatMapping::default()])).unwrap();
        assert!(nat.column_by_name("inside_address").unwrap().is_null(0), "an unspecified address stays none");
    }
}
