//! The desk: HTTP API, sign-in and the embedded console. It knows no store: the program gives it a [`backend::Backend`], and
//! `weir-identity` says who may do what.

pub mod backend;
mod client;
pub mod limits;
pub mod model;
pub mod notices;
pub mod settings;
mod tls;
