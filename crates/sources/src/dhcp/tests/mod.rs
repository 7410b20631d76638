//! Tests of the DHCP source: lines, leases, files followed.

mod files;
mod following;
mod hearing;
mod packets;
