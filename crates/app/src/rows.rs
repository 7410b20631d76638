//! Rows of masking views as JSON, and as a table for people.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType, UInt64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value, json};
use weir_base::time::Millis;

use crate::limits::CELL_CHARS;
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

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The rows as a table; `columns` in their order. A cell that is not the last of its row and longer than a terminal is wide is cut: every row would be as long.
pub fn table(columns: &[String], rows: &[Value]) -> String {
    let heads: Vec<&str> = columns.iter().map(String::as_str).collect();
    let last = columns.len().saturating_sub(1);
    let shown = |(i, name): (usize, &String), row: &Value| {
        let text = cell(row.get(name));
        let long = i != last && text.chars().count() > CELL_CHARS;
        if long { text.chars().take(CELL_CHARS - 1).chain(['…']).collect() } else { text }
    };
    let cells: Vec<Vec<String>> = rows.iter().map(|row| columns.iter().enumerate().map(|c| shown(c, row)).collect()).collect();
    output::table(&heads, &cells)
}

/// The same columns, with the one whose texts are longest last where they are too long for a table: there nothing is cut.
pub fn longest_last(mut columns: Vec<String>, rows: &[Value]) -> Vec<String> {
    let longest = |name: &String| rows.iter().map(|row| cell(row.get(name)).chars().count()).max().unwrap_or(0);
    let widest = columns.iter().enumerate().map(|(i, name)| (longest(name), i)).max();
    if let Some((_, i)) = widest.filter(|(chars, _)| *chars > CELL_CHARS) {
        let name = columns.remove(i);
        columns.push(name);
    }
    columns
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

    #[test]
    fn long_texts_stand_last_or_are_cut() {
        let long = "x".repeat(500);
        let rows = [json!({"a": long, "b": "1", "c": "y".repeat(200)}), json!({"a": "2", "b": "3", "c": "4"})];
        let columns: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        let ordered = longest_last(columns.clone(), &rows);
        assert_eq!(ordered, ["b", "c", "a"]);
        let shown = table(&ordered, &rows);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[1].ends_with(&long) && lines[1].contains('…') && lines[2].chars().count() < 2 * CELL_CHARS, "{shown}");
        assert_eq!(longest_last(columns.clone(), &rows[1..]), columns);
    }
}
