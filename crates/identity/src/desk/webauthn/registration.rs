//! A passkey is enrolled (WebAuthn Level 3 section 7.1).

use minicbor::Decoder;
use serde_json::Value;
use weir_base::crypto::sha256;

use super::cose::Key;
use super::data::AuthData;
use super::{Expected, PasskeyError, binary, client, credential_id, member};

/// A new passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Credential id.
    pub credential: Vec<u8>,
    /// COSE key.
    pub key: Vec<u8>,
    /// Signature counter.
    pub count: u32,
    /// May be backed up.
    pub backup_eligible: bool,
}

const CBOR: PasskeyError = PasskeyError::Data("the attestation object is not a map of fmt, attStmt and authData");

/// Checks the answer to [`super::creation`].
///
/// # Errors
/// The first step of section 7.1 that fails.
pub fn register(credential: &Value, expected: &Expected<'_>) -> Result<Registered, PasskeyError> {
    let id = credential_id(credential)?;
    let response = member(credential, "response")?;
    let client_data = binary(response, "clientDataJSON")?;
    client::check(&client_data, "webauthn.create", expected)?;
    let object = binary(response, "attestationObject")?;
    let (statement, auth_data) = attestation(&object)?;
    let data = AuthData::parse(auth_data)?;
    data.check(expected)?;
    let attested = data.attested.as_ref().ok_or(PasskeyError::Data("it has no credential"))?;
    if attested.id != id {
        return Err(PasskeyError::Credential);
    }
    let key = Key::parse(attested.key)?;
    if let Statement::Itself { algorithm, signature } = statement {
        if algorithm != key.algorithm() {
            return Err(PasskeyError::Attestation("it is of another algorithm than the credential"));
        }
        key.verify(&[auth_data, &sha256(&client_data)].concat(), signature)?;
    }
    Ok(Registered { credential: id, key: attested.key.to_vec(), count: data.count, backup_eligible: data.backup_eligible() })
}

/// An attestation statement.
pub(super) enum Statement<'b> {
    /// None.
    None,
    /// The credential signs for itself (section 8.2, self attestation).
    Itself { algorithm: i64, signature: &'b [u8] },
}

/// Format, statement and authenticator data of an attestation object (section 6.5.4).
pub(super) fn attestation(object: &[u8]) -> Result<(Statement<'_>, &[u8]), PasskeyError> {
    let mut d = Decoder::new(object);
    let (mut format, mut at, mut auth_data) = (None, None, None);
    for _ in 0..d.map().map_err(|_| CBOR)?.ok_or(CBOR)? {
        match d.str().map_err(|_| CBOR)? {
            "fmt" if format.is_none() => format = Some(d.str().map_err(|_| CBOR)?),
            "attStmt" if at.is_none() => {
                at = Some(d.position());
                d.skip().map_err(|_| CBOR)?;
            }
            "authData" if auth_data.is_none() => auth_data = Some(d.bytes().map_err(|_| CBOR)?),
            _ => return Err(CBOR),
        }
    }
    let (Some(format), Some(at), Some(auth_data)) = (format, at, auth_data) else { return Err(CBOR) };
    if d.position() != object.len() {
        return Err(CBOR);
    }
    d.set_position(at);
    Ok((statement(format, &mut d)?, auth_data))
}

fn statement<'b>(format: &str, d: &mut Decoder<'b>) -> Result<Statement<'b>, PasskeyError> {
    let bad = || PasskeyError::Attestation("its statement is not understood");
    let members = d.map().map_err(|_| bad())?.ok_or_else(bad)?;
    match format {
        "none" if members == 0 => Ok(Statement::None),
        "packed" => {
            let (mut algorithm, mut signature) = (None, None);
            for _ in 0..members {
                match d.str().map_err(|_| bad())? {
                    "alg" if algorithm.is_none() => algorithm = Some(d.i64().map_err(|_| bad())?),
                    "sig" if signature.is_none() => signature = Some(d.bytes().map_err(|_| bad())?),
                    "x5c" => return Err(PasskeyError::Attestation("a certificate came although none was asked for")),
                    _ => return Err(bad()),
                }
            }
            Ok(Statement::Itself { algorithm: algorithm.ok_or_else(bad)?, signature: signature.ok_or_else(bad)? })
        }
        "none" => Err(bad()),
        _ => Err(PasskeyError::Attestation("its format is neither none nor packed")),
    }
}
