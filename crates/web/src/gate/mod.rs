//! What every request passes before a handler sees it: host, rate, who asks, where the request was made, what they may.

pub mod cookie;
pub mod guard;
pub mod headers;
pub mod host;
pub mod outer;
pub mod peer;
pub mod rate;
