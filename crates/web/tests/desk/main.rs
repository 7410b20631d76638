//! The desk over real sockets: every role over every route, attacks, limits, exports, certificates, OpenID.

mod again;
mod attacks;
mod backend;
mod client;
mod exporting;
mod limits;
mod oidc;
mod outside;
mod pebble;
mod rig;
mod signing;
mod sink;
mod tls;
mod told;
mod walk;
