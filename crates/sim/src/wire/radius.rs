//! RADIUS accounting packets (RFC 2865, 2866, 2869, 3162, 4818) with their authenticators.

use md5::{Digest, Md5};
use weir_base::net::Prefix;

use crate::limits::RADIUS_BYTES;
use crate::network::Realm;
use crate::world::event::{Accounting, Login};

const ACCOUNTING_REQUEST: u8 = 4;
const ACCOUNTING_RESPONSE: u8 = 5;
const MESSAGE_AUTHENTICATOR: u8 = 80;

/// Why a response was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadResponse {
    /// Not an Accounting-Response, or its length is wrong.
    Malformed,
    /// The Response Authenticator or Message-Authenticator does not fit the request and the secret.
    Authenticator,
}

/// One encoded request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Code 4, identifier, length, Request Authenticator, attributes.
    pub bytes: Vec<u8>,
    /// The Request Authenticator.
    pub authenticator: [u8; 16],
}

/// Encodes an accounting request. `base_ms` is the instant the run began, milliseconds since 1970.
pub fn encode(realm: &Realm, request: &Accounting, identifier: u8, base_ms: i64, secret: &[u8]) -> Request {
    let mut p = Vec::with_capacity(320);
    p.extend_from_slice(&[ACCOUNTING_REQUEST, identifier, 0, 0]);
    p.extend_from_slice(&[0; 16]);
    number(&mut p, 40, request.status.number());
    number(&mut p, 55, (base_ms.saturating_add(request.at)).div_euclid(1_000) as u32);
    number(&mut p, 41, request.delay_s);
    attribute(&mut p, 4, &realm.nas_address.octets());
    attribute(&mut p, 32, realm.nas.as_bytes());
    match &request.login {
        Some(login) => session(&mut p, request, login),
        None => attribute(&mut p, 44, format!("{:08x}", request.at).as_bytes()),
    }
    let mac_at = p.len() + 2;
    attribute(&mut p, MESSAGE_AUTHENTICATOR, &[0; 16]);
    let length = p.len().min(RADIUS_BYTES) as u16;
    put(&mut p, 2, &length.to_be_bytes());
    // Both are taken over a Request Authenticator of zeros: first the HMAC, then, with it in place, the MD5 (RFC 2866 section 3).
    let mac = hmac_md5(secret, &p);
    put(&mut p, mac_at, &mac);
    let authenticator: [u8; 16] = Md5::new().chain_update(&p).chain_update(secret).finalize().into();
    put(&mut p, 4, &authenticator);
    Request { bytes: p, authenticator }
}

fn session(p: &mut Vec<u8>, request: &Accounting, login: &Login) {
    attribute(p, 1, login.account.as_bytes());
    attribute(p, 44, login.session.as_bytes());
    attribute(p, 31, login.caller.as_bytes());
    attribute(p, 30, login.called.as_bytes());
    number(p, 5, login.nas_port);
    number(p, 61, 15); // NAS-Port-Type Ethernet
    number(p, 6, 2); // Service-Type Framed
    if let Some(v4) = login.framed {
        attribute(p, 8, &v4.octets());
    }
    if let Some(prefix) = login.prefix {
        ipv6_prefix(p, 97, prefix);
    }
    if let Some(prefix) = login.delegated {
        ipv6_prefix(p, 123, prefix);
    }
    if request.status.number() == 1 {
        return;
    }
    number(p, 46, u32::try_from((request.at - login.start) / 1_000).unwrap_or(0));
    number(p, 42, request.octets_in as u32);
    number(p, 43, request.octets_out as u32);
    let (high_in, high_out) = ((request.octets_in >> 32) as u32, (request.octets_out >> 32) as u32);
    if high_in > 0 || high_out > 0 {
        number(p, 52, high_in);
        number(p, 53, high_out);
    }
    if request.cause != 0 {
        number(p, 49, request.cause);
    }
}

/// Framed-IPv6-Prefix and Delegated-IPv6-Prefix: a reserved byte, the length in bits, the bytes of the prefix (RFC 3162 section 2.3).
fn ipv6_prefix(p: &mut Vec<u8>, kind: u8, prefix: Prefix) {
    let bytes = usize::from(prefix.bits).div_ceil(8).min(16);
    let mut value = vec![0, prefix.bits];
    value.extend_from_slice(prefix.addr.0.get(..bytes).unwrap_or_default());
    attribute(p, kind, &value);
}

fn number(p: &mut Vec<u8>, kind: u8, value: u32) {
    attribute(p, kind, &value.to_be_bytes());
}

fn attribute(p: &mut Vec<u8>, kind: u8, value: &[u8]) {
    let value = value.get(..value.len().min(253)).unwrap_or_default();
    p.extend_from_slice(&[kind, value.len() as u8 + 2]);
    p.extend_from_slice(value);
}

fn put(p: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = p.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// HMAC (RFC 2104) with MD5.
fn hmac_md5(key: &[u8], message: &[u8]) -> [u8; 16] {
    let mut block = [0u8; 64];
    if key.len() > block.len() {
        let short: [u8; 16] = Md5::digest(key).into();
        put(&mut block, 0, &short);
    } else {
        put(&mut block, 0, key);
    }
    let inner = Md5::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(message).finalize();
    Md5::new().chain_update(block.map(|b| b ^ 0x5c)).chain_update(inner).finalize().into()
}

/// Checks a response to the request with this authenticator; the caller has matched the identifier.
pub fn check_response(packet: &[u8], request_authenticator: &[u8; 16], secret: &[u8]) -> Result<(), BadResponse> {
    let (Some(head), Some(got)) = (packet.first_chunk::<4>(), packet.get(4..20)) else { return Err(BadResponse::Malformed) };
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let Some(attributes) = packet.get(20..length).filter(|_| head[0] == ACCOUNTING_RESPONSE) else {
        return Err(BadResponse::Malformed);
    };
    let expected = Md5::new().chain_update(head).chain_update(request_authenticator).chain_update(attributes).chain_update(secret);
    if got != expected.finalize().as_slice() {
        return Err(BadResponse::Authenticator);
    }
    check_message_authenticator(head, request_authenticator, attributes, secret)
}

fn check_message_authenticator(head: &[u8; 4], request: &[u8; 16], attributes: &[u8], secret: &[u8]) -> Result<(), BadResponse> {
    let mut at = 0;
    while let Some([kind, length]) = attributes.get(at..).and_then(|rest| rest.first_chunk::<2>()).copied() {
        let Some(value) = attributes.get(at + 2..at + usize::from(length)) else { return Err(BadResponse::Malformed) };
        if kind == MESSAGE_AUTHENTICATOR {
            let mut whole = [head.as_slice(), request.as_slice(), attributes].concat();
            put(&mut whole, 20 + at + 2, &[0; 16]);
            return if hmac_md5(secret, &whole) == value { Ok(()) } else { Err(BadResponse::Authenticator) };
        }
        at += usize::from(length);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
