//! The real program from outside: its commands, its sockets, its folder.

mod accounting;
mod asking;
mod batch;
mod common;
mod computed;
mod conntrack;
mod crash;
mod demo;
mod dhcp;
mod events;
mod export;
mod h3c;
mod host;
mod import;
mod leases;
mod ledger;
mod network;
mod sshd;
mod starting;
mod syslog;
