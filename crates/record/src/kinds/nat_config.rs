//! Configurations of NAT devices whose mappings are computed (RFC 7422).

use weir_base::time::Millis;

use crate::macros::record;

record! {
    "What a deterministic NAT did from a moment on (RFC 7422). The last row of a device and a moment counts."
    NatConfig = 30, "nat_config", version 1, Forever, Records, time "time";
    time: Millis = "When it was recorded", unit "ms UTC", Plain, key;
    source: u32 = "Number of the device (`source_entry`)", unit "", Plain, key;
    device: String = "Name of the device", unit "", Plain, key;
    valid_from: Millis = "From when on it counts", unit "ms UTC", Plain, key;
    valid_to: Option<Millis> = "Until when, where the configuration says so; the next one of the device ends it too", unit "ms UTC", Plain;
    algorithm: String = "rfc7422, juniper or one-to-one", unit "", Plain;
    inside: String = "Inside addresses: ranges in order, a space between them", unit "", Plain;
    public: String = "Public addresses: ranges in order, a space between them", unit "", Plain;
    first_port: u16 = "First port given to inside addresses", unit "", Plain;
    last_port: u16 = "Last port given", unit "", Plain;
    block_size: u32 = "Ports of one inside address; 0 where it has the whole public address", unit "ports", Plain;
    dynamic: u32 = "Dynamic pool factor D (RFC 7422 section 2)", unit "", Plain;
    ports_max: u32 = "Most ports an inside address gets (M); 0 for no limit", unit "ports", Plain;
}
