//! Somebody signs in with a passkey (WebAuthn Level 3 section 7.2).

use serde_json::Value;
use weir_base::crypto::sha256;

use super::cose::Key;
use super::data::AuthData;
use super::{Expected, PasskeyError, binary, client, credential_id, member};

/// What is kept of a passkey, and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Credential id.
    pub credential: &'a [u8],
    /// COSE key.
    pub key: &'a [u8],
    /// Signature counter.
    pub count: u32,
    /// May be backed up.
    pub backup_eligible: bool,
    /// The user handle it was enrolled with.
    pub user: &'a [u8],
}

/// The answer to [`super::request`], read but not checked.
#[derive(Debug)]
pub struct Assertion {
    /// Credential id.
    pub credential: Vec<u8>,
    /// User handle, when the authenticator tells it.
    pub user: Option<Vec<u8>>,
    client_data: Vec<u8>,
    auth_data: Vec<u8>,
    signature: Vec<u8>,
}

impl Assertion {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`PasskeyError::Json`].
    pub fn read(credential: &Value) -> Result<Assertion, PasskeyError> {
        let id = credential_id(credential)?;
        let response = member(credential, "response")?;
        let user = match response.get("userHandle") {
            None | Some(Value::Null) => None,
            Some(_) => Some(binary(response, "userHandle")?),
        };
        Ok(Assertion {
            credential: id,
            user,
            client_data: binary(response, "clientDataJSON")?,
            auth_data: binary(response, "authenticatorData")?,
            signature: binary(response, "signature")?,
        })
    }

    /// Checks the answer against the passkey it names, and gives the new signature counter.
    ///
    /// # Errors
    /// The first step of section 7.2 that fails; [`PasskeyError::Cloned`] after everything else was right.
    pub fn check(&self, expected: &Expected<'_>, known: &Known<'_>) -> Result<u32, PasskeyError> {
        if self.credential != known.credential || self.user.as_ref().is_some_and(|user| user != known.user) {
            return Err(PasskeyError::Credential);
        }
        client::check(&self.client_data, "webauthn.get", expected)?;
        let data = AuthData::parse(&self.auth_data)?;
        data.check(expected)?;
        if data.backup_eligible() != known.backup_eligible {
            return Err(PasskeyError::Data("it is another kind of credential than the one enrolled"));
        }
        Key::parse(known.key)?.verify(&[&self.auth_data[..], &sha256(&self.client_data)].concat(), &self.signature)?;
        if (data.count != 0 || known.count != 0) && data.count <= known.count {
            return Err(PasskeyError::Cloned);
        }
        Ok(data.count)
    }
}
