//! Records known to be lost: clause 8.3.

use weir_base::time::Millis;

use crate::column::Id;
use crate::macros::record;

record! {
    "Records known to be lost, or an amendment of an earlier gap. The last row of an id counts."
    Gap = 5, "gap", version 1, Forever, Records, time "time";
    time: Millis = "When it was noticed", unit "ms UTC", Plain, key;
    id: Id = "Id of the gap; an amendment has the id of the gap it amends", unit "", Plain, key;
    amendment: u32 = "0 for the first row of a gap, then 1, 2, …", unit "", Plain;
    source: u32 = "Number of the source (`source_entry`)", unit "", Plain, key;
    start: Millis = "Last evidence before the loss, by the source's clock", unit "ms UTC", Plain, key;
    end: Millis = "First evidence after the loss, by the source's clock", unit "ms UTC", Plain, key;
    lost: Option<u64> = "How many are lost; none when unknown; 0 when all arrived after all", unit "records or packets, see unit", Plain;
    unit: String = "What is counted: records (RFC 7011 section 3.1), packets (RFC 3954 section 5.1), datagrams, lines, bytes", unit "", Plain;
    reason: String = "Why: sequence, kernel-drop, unknown-template, queue-full, cut-tail, stopped, unclean-stop, connection-ended, source-silent", unit "", Plain;
}
