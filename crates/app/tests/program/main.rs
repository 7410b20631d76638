//! The real program from outside: its commands, its sockets, its folder.

mod accounting;
mod asking;
mod batch;
mod browser;
mod common;
mod computed;
mod conntrack;
mod crash;
mod demo;
mod desk;
mod desk_settings;
mod desk_socket;
mod dhcp;
mod events;
mod export;
mod h3c;
mod host;
mod import;
mod leases;
mod ledger;
mod network;
mod paste;
mod sshd;
mod starting;
mod statements;
mod syslog;
