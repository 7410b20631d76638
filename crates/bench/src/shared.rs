//! What the measuring programs share: how a reading is printed, and sums and percentiles.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::json;

/// What a measuring program hands back.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Prints a reading; `x` is the size it was measured at.
pub fn reading(work: &str, x: Option<u64>, value: f64) {
    let mut line = json!({ "work": work, "value": value });
    if let (Some(x), Some(fields)) = (x, line.as_object_mut()) {
        fields.insert("x".to_owned(), json!(x));
    }
    println!("{line}");
}

/// The bytes of all files under a folder; none when there is no such folder.
pub fn bytes_under(folder: &Path) -> Outcome<u64> {
    if !folder.exists() {
        return Ok(0);
    }
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() { bytes_under(&entry.path())? } else { meta.len() };
    }
    Ok(sum)
}

/// Copies all files and folders in `from` into the folder `to`.
pub fn copied(from: &Path, to: &Path) -> Outcome<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.metadata()?.is_dir() {
            fs::create_dir(&to)?;
            copied(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}

/// The value below which `share` of the values lie; the values are sorted by this.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let place = ((values.len() as f64 * share).ceil() as usize).saturating_sub(1).min(last);
    values.get(place).copied().unwrap_or(f64::NAN)
}
