//! The real program from outside: its commands, its sockets, its folder.

mod accounting;
mod asking;
mod common;
mod crash;
mod demo;
mod export;
mod ledger;
mod network;
mod starting;
mod syslog;
