//! The real program from outside: its commands, its sockets, its folder.

mod asking;
mod common;
mod computed;
mod conntrack;
mod crash;
mod demo;
mod import;
mod leases;
mod ledger;
mod network;
mod starting;
