//! RADIUS accounting: login and logout, account, caller number and address of every session.

pub mod attributes;
pub mod auth;
pub mod clients;
pub mod clock;
pub mod config;
pub mod dedup;
pub mod detail;
pub mod drops;
pub mod engine;
pub mod follow;
pub mod fuzz;
pub mod limits;
pub mod message;
pub mod noise;
pub mod normalise;
pub mod parser;
pub mod server;
pub mod sessions;
pub mod state;
pub mod table;
#[cfg(test)]
mod tests;
