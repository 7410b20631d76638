//! Every input that fuzzing kept is read again: none may panic.

use std::fs;
use std::path::Path;

fn replay(target: &str, parse: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        parse(&fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "{} holds no input", folder.display());
}

#[test]
fn kept_inputs_never_panic() {
    replay("radius_packet", weir_sources::radius::fuzz::radius_packet);
    replay("radius_detail", weir_sources::radius::fuzz::radius_detail);
    replay("ipfix_message", weir_sources::ipfix::fuzz::ipfix_message);
    replay("ipfix_template", weir_sources::ipfix::fuzz::ipfix_template);
    replay("dhcp_leases", weir_sources::dhcp::fuzz::dhcp_leases);
    replay("conntrack_message", weir_sources::conntrack::fuzz::conntrack_message);
}
