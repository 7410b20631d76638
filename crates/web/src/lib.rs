//! The desk: HTTP API, sign-in and the embedded console. It knows no store: the program gives it a [`backend::Backend`], and
//! `weir-identity` says who may do what.

mod app;
pub mod backend;
mod body;
pub mod catalogue;
mod client;
mod console;
pub mod fuzz;
mod gate;
pub mod limits;
mod metrics;
pub mod model;
mod notices;
mod oidc;
mod pool;
mod problem;
mod routes;
mod server;
pub mod settings;
mod talk;
mod tls;

pub use console::digest as console_digest;
pub use server::{Bound, Running, Server};
pub use settings::{Settings, check_files, wrong};

/// The OpenAPI document, as it is served and as docs/openapi.json holds it.
pub fn openapi() -> String {
    let document = routes::all().document(env!("CARGO_PKG_VERSION"));
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}
