//! Every input that fuzzing kept is read again: none may panic.

use weir_testkit::corpus::replay;

#[test]
fn kept_inputs_never_panic() {
    replay("radius_packet", weir_sources::radius::fuzz::radius_packet);
    replay("radius_detail", weir_sources::radius::fuzz::radius_detail);
    replay("ipfix_message", weir_sources::ipfix::fuzz::ipfix_message);
    replay("ipfix_template", weir_sources::ipfix::fuzz::ipfix_template);
    replay("syslog_line", weir_sources::syslog::fuzz::syslog_line);
    replay("syslog_frames", weir_sources::syslog::fuzz::syslog_frames);
    replay("syslog_dialect", weir_sources::syslog::fuzz::syslog_dialect);
    replay("dhcp_packet", weir_sources::dhcp::fuzz::dhcp_packet);
    replay("dhcp_leases", weir_sources::dhcp::fuzz::dhcp_leases);
    replay("h3c_log", weir_sources::h3c::fuzz::h3c_log);
    replay("conntrack_message", weir_sources::conntrack::fuzz::conntrack_message);
    replay("events_lines", weir_sources::events::fuzz::events_lines);
    replay("host_lines", weir_sources::host::fuzz::host_lines);
    replay("import_table", weir_sources::import::fuzz::import_table);
}
