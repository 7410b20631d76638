//! The register of sources and realms.

use weir_base::time::Millis;

use crate::macros::record;

record! {
    "A source or a change of it: the number that other records carry, and what it stands for. Numbers are never used again."
    SourceEntry = 10, "source_entry", version 1, Forever, Records, time "time";
    time: Millis = "Since when", unit "ms UTC", Plain, key;
    number: u32 = "The number", unit "", Plain, key;
    name: String = "Its name, unique in the unit", unit "", Plain, key;
    kind: String = "radius, ipfix, netflow9, weir", unit "", Plain;
    realm: u32 = "Number of its realm", unit "", Plain, key;
    realm_name: String = "Name of its realm: one inside address space", unit "", Plain;
    peer: String = "The sender, or the file it reads", unit "", Plain;
    profile: String = "Exporter profile", unit "", Plain;
    clock: String = "measured or trust", unit "", Plain;
}
