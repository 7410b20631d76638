//! What must hold for any bytes of a provider.

use weir_base::time::Millis;

use super::{Expected, check, discovery, keys, token_answer};

/// A key set whose signatures nobody can make by chance.
const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// Any document is read or refused with words; a document that is read keeps to https and to its issuer. Any token is refused: nobody
/// can sign for the key.
pub fn fuzz_documents(data: &[u8]) {
    let issuer = "https://id.example.org";
    if let Ok(found) = discovery(data, issuer) {
        assert_eq!(found.issuer, issuer);
        for url in [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri] {
            assert!(url.starts_with("https://"));
        }
    }
    if let Ok(found) = keys(data) {
        assert!(!found.has(Some("\u{0}no such key")) || data.windows(6).any(|w| w == b"\\u0000"));
    }
    drop(token_answer(data));
    let Ok(known) = keys(KEYS.as_bytes()) else { unreachable!("the key set is good") };
    if let Ok(text) = std::str::from_utf8(data) {
        let expected = Expected { issuer, client: "weir", nonce: "n", now: Millis(1_800_000_000_000) };
        let error = check(text, &known, &expected).expect_err("nobody signs for this key");
        assert!(!error.what.is_empty() && !error.todo.is_empty());
    }
}
