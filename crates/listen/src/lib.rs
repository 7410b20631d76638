//! What every listener for HTTP here does alike: certificates from files, sockets with a sentence where they cannot be had, connections with
//! limits in number and time, and a stop that answers what is under way.

pub mod limits;
pub mod pem;
mod serve;

pub use serve::{Caps, Handshake, Listener, Open, Talk, bind, serve};
