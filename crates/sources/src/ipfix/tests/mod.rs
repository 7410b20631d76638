//! Tests of the parts together.

mod collecting;
mod decoding;
mod devices;
mod loss;
mod properties;
