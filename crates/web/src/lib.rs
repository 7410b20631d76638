//! The desk: HTTP API, sign-in and the embedded console. It knows no store: the program gives it a [`backend::Backend`], and
//! `weir-identity` says who may do what.

pub mod backend;
pub mod model;
