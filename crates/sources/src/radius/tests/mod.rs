//! Tests of the RADIUS source.

mod apart;
mod codec;
mod detail;
mod engine;
mod late;
mod machine;
mod panic;
mod ports;
mod server;
mod settings;

use std::fs;
use std::path::PathBuf;

use super::auth::{SharedSecret, sign_request};
use super::parser::encode;
use crate::testing as sink;

/// 2026-11-22T10:00:00+08:00 in seconds: the Event-Timestamp of the vectors.
const T: u32 = 1_795_312_800;

fn testdata() -> PathBuf {
    weir_testkit::package().join("src/radius/testdata")
}

/// A vector: hex digits, `#` begins a comment. Gives the bytes and the comments.
fn vector(name: &str) -> (Vec<u8>, Vec<String>) {
    let text = fs::read_to_string(testdata().join(format!("{name}.hex"))).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (mut bytes, mut comments) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let (hex, comment) = line.split_once('#').unwrap_or((line, ""));
        comments.push(comment.trim().to_owned());
        bytes.extend(hex.split_whitespace().map(|b| u8::from_str_radix(b, 16).unwrap()));
    }
    (bytes, comments)
}

fn good(name: &str) -> Vec<u8> {
    vector(&format!("good/{name}")).0
}

fn secret() -> SharedSecret {
    SharedSecret::new(b"testing123")
}

/// Attributes as number and bytes, owned.
type Attrs = Vec<(u8, Vec<u8>)>;

fn int(number: u8, value: u32) -> (u8, Vec<u8>) {
    (number, value.to_be_bytes().to_vec())
}

fn text(number: u8, value: &str) -> (u8, Vec<u8>) {
    (number, value.as_bytes().to_vec())
}

/// A signed Accounting-Request.
fn request(identifier: u8, attributes: &Attrs) -> Vec<u8> {
    let borrowed: Vec<_> = attributes.iter().map(|(n, v)| (*n, v.as_slice())).collect();
    let mut bytes = encode(4, identifier, [0; 16], &borrowed).unwrap();
    sign_request(&mut bytes, &secret());
    bytes
}
