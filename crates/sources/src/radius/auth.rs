//! Authenticators: the only place in Weir where MD5 is used, because RADIUS is built on it.
//!
//! - Request Authenticator of an Accounting-Request: MD5 over the packet with sixteen zero octets in its place, then the secret
//!   (RFC 2866 section 3).
//! - Response Authenticator: MD5 over the response with the request's authenticator in its place, then the secret (the same section).
//! - Message-Authenticator: HMAC-MD5 over the packet with sixteen zero octets in its place (RFC 3579 section 3.2). In an
//!   Accounting-Request the Request Authenticator counts as zero too, since it is computed last; in a Status-Server it is the random one
//!   that was sent (RFC 5997 section 3).

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

use super::attributes::{MESSAGE_AUTHENTICATOR, code};
use super::parser::{Packet, encode};

/// A shared secret. Its `Debug` never shows the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedSecret(Vec<u8>);

impl SharedSecret {
    /// A secret from its bytes.
    pub fn new(bytes: &[u8]) -> SharedSecret {
        SharedSecret(bytes.to_vec())
    }
}

impl std::fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedSecret(…)")
    }
}

/// Why a packet is not from somebody who knows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The Request Authenticator does not fit.
    #[error("the Request Authenticator does not fit the secret: the secrets here and on the client differ, or the packet was changed")]
    Authenticator,
    /// A Message-Authenticator is there and does not fit.
    #[error("the Message-Authenticator does not fit the secret: the secrets here and on the client differ, or the packet was changed")]
    MessageAuthenticator,
    /// It must be there and is not.
    #[error("the packet has no Message-Authenticator, which is required here")]
    MessageAuthenticatorMissing,
    /// There is more than one, or its value is not sixteen octets.
    #[error("the Message-Authenticator is there twice or is not 16 octets long")]
    MessageAuthenticatorForm,
    /// Neither Accounting-Request nor Status-Server.
    #[error("packet code {0} is not one an accounting port takes")]
    Code(u8),
}

impl AuthError {
    /// A short, stable name for counters and malformed records.
    pub fn reason(&self) -> &'static str {
        match self {
            AuthError::Authenticator => "radius.authenticator",
            AuthError::MessageAuthenticator => "radius.message-authenticator",
            AuthError::MessageAuthenticatorMissing => "radius.message-authenticator-missing",
            AuthError::MessageAuthenticatorForm => "radius.message-authenticator-form",
            AuthError::Code(_) => "radius.code",
        }
    }
}

/// Checks a request against a secret.
///
/// # Errors
/// [`AuthError`]; such a packet must not be answered.
pub fn verify(packet: &Packet<'_>, secret: &SharedSecret, require_message_authenticator: bool) -> Result<(), AuthError> {
    match packet.code {
        code::ACCOUNTING_REQUEST => {
            if !equal(&request_authenticator(packet.bytes(), secret), &packet.authenticator) {
                return Err(AuthError::Authenticator);
            }
            message_authenticator(packet, &[0; 16], secret, require_message_authenticator)
        }
        // RFC 5997 section 3: a Status-Server without Message-Authenticator is dropped, since nothing else proves who sent it.
        code::STATUS_SERVER => message_authenticator(packet, &packet.authenticator, secret, true),
        other => Err(AuthError::Code(other)),
    }
}

fn message_authenticator(packet: &Packet<'_>, authenticator: &[u8; 16], secret: &SharedSecret, require: bool) -> Result<(), AuthError> {
    let mut found = packet.all(MESSAGE_AUTHENTICATOR);
    let Some(attribute) = found.next() else {
        return if require { Err(AuthError::MessageAuthenticatorMissing) } else { Ok(()) };
    };
    if found.next().is_some() || attribute.value.len() != 16 {
        return Err(AuthError::MessageAuthenticatorForm);
    }
    let mac = hmac_of(packet.bytes(), authenticator, attribute.offset, secret);
    if equal(&mac, attribute.value) { Ok(()) } else { Err(AuthError::MessageAuthenticator) }
}

/// The Request Authenticator that `bytes` (a whole packet) should carry.
pub fn request_authenticator(bytes: &[u8], secret: &SharedSecret) -> [u8; 16] {
    let mut md5 = Md5::new();
    md5.update(bytes.get(..4).unwrap_or_default());
    md5.update([0; 16]);
    md5.update(bytes.get(20..).unwrap_or_default());
    md5.update(&secret.0);
    md5.finalize().into()
}

/// HMAC-MD5 over a packet in which the header authenticator is `authenticator` and the 16 octets at `at` are zero.
fn hmac_of(bytes: &[u8], authenticator: &[u8; 16], at: usize, secret: &SharedSecret) -> [u8; 16] {
    let mut mac = keyed(secret);
    mac.update(bytes.get(..4).unwrap_or_default());
    mac.update(authenticator);
    mac.update(bytes.get(20..at).unwrap_or_default());
    mac.update(&[0; 16]);
    mac.update(bytes.get(at.saturating_add(16)..).unwrap_or_default());
    mac.finalize().into_bytes().into()
}

fn keyed(secret: &SharedSecret) -> Hmac<Md5> {
    // HMAC takes a key of any length, so the fallback (an empty key) is never reached.
    Hmac::<Md5>::new_from_slice(&secret.0).unwrap_or_else(|_| Hmac::new(&Default::default()))
}

/// The response to `request`: an Accounting-Response with every Proxy-State echoed in order (RFC 2866 section 4.2), signed.
///
/// A Status-Server gets the same code on an accounting port (RFC 5997 section 4.2), with a Message-Authenticator. `None` only if the
/// Proxy-States do not fit into a packet, which cannot be for a request that was itself a packet.
pub fn response(request: &Packet<'_>, secret: &SharedSecret) -> Option<Vec<u8>> {
    let status = request.code == code::STATUS_SERVER;
    let mut attributes: Vec<(u8, &[u8])> = Vec::new();
    if status {
        attributes.push((MESSAGE_AUTHENTICATOR, &[0; 16]));
    }
    attributes.extend(request.all(super::attributes::PROXY_STATE).map(|a| (a.number, a.value)));
    let mut out = encode(code::ACCOUNTING_RESPONSE, request.identifier, request.authenticator, &attributes)?;
    if status {
        // The Message-Authenticator is the first attribute: its value begins after the header and two octets.
        let mac = hmac_of(&out, &request.authenticator, 22, secret);
        out.get_mut(22..38)?.copy_from_slice(&mac);
    }
    let mut md5 = Md5::new();
    md5.update(&out);
    md5.update(&secret.0);
    let digest: [u8; 16] = md5.finalize().into();
    out.get_mut(4..20)?.copy_from_slice(&digest);
    Some(out)
}

/// Compares without stopping at the first difference.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

/// Signs a request in place the way a client does: for tests of this source and for nothing else.
///
/// An Accounting-Request gets its Message-Authenticator (if it carries one) and then its Request Authenticator; a Status-Server keeps its
/// random authenticator and gets its Message-Authenticator.
#[cfg(test)]
pub(crate) fn sign_request(bytes: &mut [u8], secret: &SharedSecret) {
    let (at, authenticator) = {
        let packet = Packet::parse(bytes).expect("a packet");
        let zero = packet.code == code::ACCOUNTING_REQUEST;
        (packet.first(MESSAGE_AUTHENTICATOR).map(|a| a.offset), if zero { [0; 16] } else { packet.authenticator })
    };
    if let Some(at) = at {
        let mac = hmac_of(bytes, &authenticator, at, secret);
        bytes[at..at + 16].copy_from_slice(&mac);
    }
    if bytes[0] == code::ACCOUNTING_REQUEST {
        let digest = request_authenticator(bytes, secret);
        bytes[4..20].copy_from_slice(&digest);
    }
}
