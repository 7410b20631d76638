//! Bytes as they came, for input that could not be understood.

use weir_base::time::Millis;

use crate::column::Id;
use crate::macros::record;

record! {
    "Bytes as they came: a malformed input, or sets whose template never came. Views never show them."
    Raw = 7, "raw", version 1, Network, Raw, time "time";
    time: Millis = "When they arrived", unit "ms UTC", Plain, key;
    id: Id = "Id, named by `malformed.raw`", unit "", Plain, key;
    source: u32 = "Number of the source; 0 when the sender is unknown", unit "", Plain, key;
    reason: String = "malformed or unknown-template", unit "", Plain;
    bytes: Vec<u8> = "The bytes, at most 65,535", unit "", Raw;
}
