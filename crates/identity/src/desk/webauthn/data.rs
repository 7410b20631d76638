//! Authenticator data (WebAuthn Level 3 section 6.1).

use minicbor::Decoder;
use minicbor::data::Type;
use weir_base::crypto::sha256;

use super::cose::Key;
use super::{Expected, PasskeyError};
use crate::desk::limits::CREDENTIAL_ID_BYTES;

const UP: u8 = 0x01;
const UV: u8 = 0x04;
const BE: u8 = 0x08;
const BS: u8 = 0x10;
const AT: u8 = 0x40;
const ED: u8 = 0x80;

/// Authenticator data.
#[derive(Debug)]
pub struct AuthData<'b> {
    rp_hash: &'b [u8; 32],
    flags: u8,
    /// Signature counter; 0 when the authenticator has none.
    pub count: u32,
    /// The credential, when it is a registration's.
    pub attested: Option<Attested<'b>>,
}

/// Attested credential data (section 6.5.2).
#[derive(Debug)]
pub struct Attested<'b> {
    /// Credential id.
    pub id: &'b [u8],
    /// COSE key, as bytes.
    pub key: &'b [u8],
}

const SHORT: PasskeyError = PasskeyError::Data("it ends too early");

impl<'b> AuthData<'b> {
    /// Reads authenticator data that fills `bytes`.
    pub fn parse(bytes: &'b [u8]) -> Result<AuthData<'b>, PasskeyError> {
        let (rp_hash, rest) = bytes.split_first_chunk::<32>().ok_or(SHORT)?;
        let (flags, rest) = rest.split_first().ok_or(SHORT)?;
        let (count, mut rest) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
        let mut attested = None;
        if flags & AT != 0 {
            let (found, after) = attested_data(rest)?;
            (attested, rest) = (Some(found), after);
        }
        if flags & ED != 0 {
            // Extensions are not asked for; what comes must be one map and nothing after it.
            let mut d = Decoder::new(rest);
            if d.datatype().ok() != Some(Type::Map) || d.skip().is_err() {
                return Err(PasskeyError::Data("its extensions are not a map"));
            }
            rest = rest.get(d.position()..).ok_or(SHORT)?;
        }
        if !rest.is_empty() {
            return Err(PasskeyError::Data("something follows it"));
        }
        Ok(AuthData { rp_hash, flags: *flags, count: u32::from_be_bytes(*count), attested })
    }

    /// May be backed up, and so live on several devices.
    pub fn backup_eligible(&self) -> bool {
        self.flags & BE != 0
    }

    /// Checks what both ceremonies check: relying party, user present and verified, and flags that go together.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), PasskeyError> {
        if *self.rp_hash != sha256(expected.rp.as_bytes()) {
            return Err(PasskeyError::RelyingParty);
        }
        if self.flags & UP == 0 {
            return Err(PasskeyError::User("nobody was there"));
        }
        if expected.verified && self.flags & UV == 0 {
            return Err(PasskeyError::User("no PIN, finger or face was asked for"));
        }
        if self.flags & BS != 0 && self.flags & BE == 0 {
            return Err(PasskeyError::Data("it says it is backed up and cannot be"));
        }
        Ok(())
    }
}

fn attested_data(bytes: &[u8]) -> Result<(Attested<'_>, &[u8]), PasskeyError> {
    // First the model of the authenticator (AAGUID), which says nothing without an attestation.
    let (_, rest) = bytes.split_first_chunk::<16>().ok_or(SHORT)?;
    let (len, rest) = rest.split_first_chunk::<2>().ok_or(SHORT)?;
    let len = usize::from(u16::from_be_bytes(*len));
    if len == 0 || len > CREDENTIAL_ID_BYTES {
        return Err(PasskeyError::Data("its credential id is empty or too long"));
    }
    let (id, rest) = rest.split_at_checked(len).ok_or(SHORT)?;
    let mut d = Decoder::new(rest);
    Key::read(&mut d)?;
    let (key, rest) = rest.split_at_checked(d.position()).ok_or(SHORT)?;
    Ok((Attested { id, key }, rest))
}
