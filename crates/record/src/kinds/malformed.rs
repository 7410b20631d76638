//! Input that could not be understood.

use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::column::Id;
use crate::macros::record;

record! {
    "Input that could not be understood: the reason and the shape. Its bytes are in `raw`."
    Malformed = 6, "malformed", version 1, Network, Records, time "time";
    time: Millis = "When it arrived", unit "ms UTC", Plain, key;
    source: u32 = "Number of the source; 0 when it came from an unknown sender", unit "", Plain, key;
    peer: Addr16 = "The sender", unit "", Plain;
    reason: String = "What is wrong with it", unit "", Plain;
    offset: u32 = "Where in the input it went wrong", unit "bytes", Plain;
    length: u32 = "Length of the input", unit "bytes", Plain;
    shape: String = "The beginning of the input with letters and digits replaced: see `shape`", unit "", Plain;
    count: u64 = "How many like this are counted in this row: 1, or more when the rest of a flood is only counted", unit "inputs", Plain;
    raw: Option<Id> = "Id of the copy in `raw`", unit "", Plain;
}

/// The shape of hostile bytes: ASCII letters become `a`, digits `9`, other printable ASCII stays, everything else becomes `.`.
/// At most `limit` bytes are looked at.
pub fn shape(bytes: &[u8], limit: usize) -> String {
    bytes
        .iter()
        .take(limit)
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' => 'a',
            b'0'..=b'9' => '9',
            0x20..=0x7e => char::from(*b),
            _ => '.',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_shape_has_no_letter_or_digit_of_the_input() {
        assert_eq!(super::shape(b"alice@13800138000\x00\xff!", 64), "aaaaa@99999999999..!");
        assert_eq!(super::shape(b"abcdef", 3), "aaa");
    }
}
