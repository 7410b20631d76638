//! What must hold for any bytes of a browser or an authenticator.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use weir_base::crypto::sha256;

use super::cose::Key;
use super::data::AuthData;
use super::registration::attestation;
use super::{Assertion, Expected, Known, PasskeyError, register};
use crate::desk::settings::Origin;

/// An answer of any bytes is refused with words, or what it enrols is what its bytes say and can be read again. Nothing enrolled signs
/// itself in without a signature. First two bytes: where the client data ends.
pub fn fuzz_answer(data: &[u8]) {
    let Some((len, rest)) = data.split_first_chunk::<2>() else { return };
    let at = usize::from(u16::from_be_bytes(*len)).min(rest.len());
    let (client, object) = rest.split_at(at);
    let origins: Vec<Origin> = Origin::parse("https://example.org").into_iter().collect();
    let challenge = b"a challenge that was given out..";
    let expected = Expected { challenge, origins: &origins, rp: "example.org", verified: true };
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let inner = attestation(object).map_or(object, |(_, data)| data);
    let id = AuthData::parse(inner).ok().and_then(|d| d.attested.map(|a| a.id.to_vec())).unwrap_or_else(|| vec![1]);
    let direct = json!({"type": "public-key", "id": text(&id), "rawId": text(&id),
        "response": {"clientDataJSON": text(client), "attestationObject": text(object), "authenticatorData": text(object), "signature": text(object)}});
    if let Ok(new) = register(&direct, &expected) {
        assert!(Key::parse(&new.key).is_ok(), "what is enrolled can be read again");
    }
    if let Ok(assertion) = Assertion::read(&direct) {
        let known = Known { credential: &id, key: object, count: 0, backup_eligible: false, user: b"u" };
        let answer = assertion.check(&expected, &known);
        assert!(answer.is_err(), "a key that is no key signs nobody in");
    }
    if let Ok(parsed) = AuthData::parse(object) {
        let rest = parsed.attested.as_ref().map_or(0, |a| 18 + a.id.len() + a.key.len());
        assert!(37 + rest <= object.len());
        let fits = object.starts_with(&sha256(b"example.org"));
        assert_eq!(parsed.check(&expected) == Err(PasskeyError::RelyingParty), !fits);
    }
}
