//! Rows of masking views as JSON, and as a table for people.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType, UInt64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value, json};
use weir_base::time::Millis;

use crate::output;

/// Every row as an object.
pub fn objects(batches: &[RecordBatch]) -> Vec<Value> {
    let mut out = Vec::new();
    for batch in batches {
        let columns: Vec<Vec<Value>> = batch.columns().iter().map(column).collect();
        for row in 0..batch.num_rows() {
            let mut object = Map::new();
            for (field, values) in batch.schema_ref().fields().iter().zip(&columns) {
                object.insert(field.name().clone(), values.get(row).cloned().unwrap_or(Value::Null));
            }
            out.push(Value::Object(object));
        }
    }
    out
}

fn column(column: &ArrayRef) -> Vec<Value> {
    let value: Box<dyn Fn(usize) -> Value> = match column.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let values = column.as_primitive::<TimestampMillisecondType>().clone();
            Box::new(move |row| json!(Millis(values.value(row)).to_rfc3339()))
        }
        ty if ty.is_unsigned_integer() => numbers(column, &DataType::UInt64, |c, row| json!(c.as_primitive::<UInt64Type>().value(row))),
        ty if ty.is_signed_integer() => numbers(column, &DataType::Int64, |c, row| json!(c.as_primitive::<Int64Type>().value(row))),
        ty if ty.is_floating() => numbers(column, &DataType::Float64, |c, row| json!(c.as_primitive::<Float64Type>().value(row))),
        DataType::Boolean => {
            let values = column.as_boolean().clone();
            Box::new(move |row| json!(values.value(row)))
        }
        _ => {
            let column = column.clone();
            Box::new(move |row| text(&column, row))
        }
    };
    (0..column.len()).map(|row| if column.is_null(row) { Value::Null } else { value(row) }).collect()
}

fn numbers(column: &ArrayRef, wide: &DataType, read: fn(&ArrayRef, usize) -> Value) -> Box<dyn Fn(usize) -> Value> {
    match arrow::compute::cast(column, wide) {
        Ok(column) => Box::new(move |row| read(&column, row)),
        Err(_) => {
            let column = column.clone();
            Box::new(move |row| text(&column, row))
        }
    }
}

fn text(column: &ArrayRef, row: usize) -> Value {
    ArrayFormatter::try_new(column.as_ref(), &FormatOptions::default()).map_or(Value::Null, |f| json!(f.value(row).to_string()))
}

/// The rows as a table; `columns` in their order.
pub fn table(columns: &[String], rows: &[Value]) -> String {
    let cell = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let heads: Vec<&str> = columns.iter().map(String::as_str).collect();
    let cells: Vec<Vec<String>> = rows.iter().map(|row| columns.iter().map(|c| cell(row.get(c))).collect()).collect();
    output::table(&heads, &cells)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Float64Array, Int32Array, StringArray, TimestampMillisecondArray, UInt16Array};
    use arrow::datatypes::{Field, Schema};

    use super::*;

    #[test]
    fn numbers_stay_numbers_and_times_become_readable() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("time", Arc::new(TimestampMillisecondArray::from(vec![Some(0), None]).with_timezone("UTC"))),
            ("port", Arc::new(UInt16Array::from(vec![7, 65535]))),
            ("delta", Arc::new(Int32Array::from(vec![-1, 1]))),
            ("share", Arc::new(Float64Array::from(vec![0.5, 1.0]))),
            ("name", Arc::new(StringArray::from(vec![Some("a"), None]))),
            ("good", Arc::new(BooleanArray::from(vec![true, false]))),
        ];
        let fields: Vec<Field> = columns.iter().map(|(n, c)| Field::new(*n, c.data_type().clone(), true)).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, c)| c).collect()).unwrap();
        let rows = objects(&[batch]);
        assert_eq!(
            rows[0],
            json!({"time": "1970-01-01T08:00:00.000+08:00", "port": 7, "delta": -1, "share": 0.5, "name": "a", "good": true})
        );
        assert_eq!(rows[1], json!({"time": null, "port": 65535, "delta": 1, "share": 1.0, "name": null, "good": false}));
        let shown = table(&["name".to_owned(), "port".to_owned()], &rows);
        assert_eq!(shown, "name  port\na     7\n      65535\n");
    }
}
