//! Every input that fuzzing kept is read again: none may panic.

use weir_testkit::corpus::replay;

#[test]
fn kept_inputs_never_panic() {
    replay("radius_packet", weir_sources::radius::fuzz::radius_packet);
    replay("radius_detail", weir_sources::radius::fuzz::radius_detail);
    replay("ipfix_message", weir_sources::ipfix::fuzz::ipfix_message);
    replay("ipfix_template", weir_sources::ipfix::fuzz::ipfix_template);
}
