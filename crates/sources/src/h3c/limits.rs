//! Limits of the source, each with its unit. Batches, budgets and waits are those of IPFIX (`ipfix/limits.rs`).

/// Most devices known at one time.
pub const DEVICES: usize = 4096;

/// Configured devices.
pub const CONFIG_DEVICES: usize = 4096;

/// Configured layouts.
pub const LAYOUTS: usize = 16;

/// Bytes of a header of a configured layout.
pub const HEADER_BYTES: usize = 256;

/// Bytes of a flow of a configured layout: so many of them as a datagram may hold still fit into one of UDP.
pub const RECORD_BYTES: usize = 512;

/// Latest time that is believed, in milliseconds since 1970: the end of the year 9999.
pub const TIME_MS: u64 = 253_402_300_799_999;

/// Flows of a datagram (the reference: 1 to 100).
pub const FLOWS: u16 = 100;

/// How far the time of a flow may lie from that of its datagram to be believed, in milliseconds.
pub const FLOW_TIME_MS: i64 = 86_400_000;

/// Steps of a device's numbers by just as many as there were flows, until it is believed to count flows.
pub const FLOW_STEPS: u32 = 8;

/// Steps that decide nothing, until a device is taken to count packets.
pub const UNDECIDED: u32 = 64;

/// Receive buffer asked of the kernel for a socket, in bytes.
pub const SOCKET_BUFFER: usize = 16 << 20;
