use serde::Deserialize;
use serde_json::{Value, json};
use weir_base::crypto::sha256;
use weir_base::time::Millis;

use super::*;

const NOW: Millis = Millis(1_800_000_000_000);
const ISSUER: &str = "https://id.example.org";

#[derive(Deserialize)]
struct Golden {
    jwks: Value,
    tokens: Vec<Token>,
}

#[derive(Deserialize)]
struct Token {
    name: String,
    token: String,
    want: String,
}

fn golden() -> (Keys, Vec<Token>) {
    let golden: Golden = serde_json::from_str(include_str!("testdata/tokens.json")).unwrap();
    (keys(golden.jwks.to_string().as_bytes()).unwrap(), golden.tokens)
}

fn expected() -> Expected<'static> {
    Expected { issuer: ISSUER, client: "weir", nonce: "n-0S6_WzA2Mj", now: NOW }
}

#[test]
fn golden_tokens_are_taken_and_forged_ones_are_not() {
    let (keys, tokens) = golden();
    assert!(tokens.len() > 40);
    for Token { name, token, want } in tokens {
        let got = check(&token, &keys, &expected());
        match want.as_str() {
            "ok" => assert_eq!(got, Ok(Identity { issuer: ISSUER.into(), subject: "248289761001".into() }), "{name}"),
            want => {
                let error = got.expect_err(&name);
                assert!(error.what.contains(want), "{name}: {error}");
                assert!(!error.to_string().contains("248289761001"), "{name}");
            }
        }
    }
}

#[test]
fn every_flipped_bit_of_a_good_token_is_found() {
    let (keys, tokens) = golden();
    let token = &tokens.iter().find(|t| t.name == "good EdDSA").unwrap().token;
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(text) = String::from_utf8(bytes) else { continue };
        assert!(check(&text, &keys, &expected()).is_err(), "byte {at}");
    }
    assert!(check(token, &keys, &Expected { nonce: "", ..expected() }).is_err(), "a sign-in without a nonce takes nothing");
    assert!(check(token, &keys, &Expected { now: NOW.plus(700_000), ..expected() }).is_err(), "the same token later");
}

#[test]
fn without_a_kid_one_key_alone_must_fit() {
    let (_, tokens) = golden();
    let golden: Golden = serde_json::from_str(include_str!("testdata/tokens.json")).unwrap();
    let mut two = golden.jwks.clone();
    let mut other = two["keys"][0].clone();
    other["kid"] = json!("r2");
    two["keys"].as_array_mut().unwrap().push(other);
    let two = keys(two.to_string().as_bytes()).unwrap();
    let token = &tokens.iter().find(|t| t.name.starts_with("good without kid")).unwrap().token;
    assert!(check(token, &two, &expected()).unwrap_err().what.contains("several keys"));
    assert!(two.has(Some("r2")) && two.has(None) && !two.has(Some("enc")), "keys of other uses are passed over");
}

fn document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://id.example.org/auth",
        "token_endpoint": "https://id.example.org/token",
        "jwks_uri": "https://id.example.org/keys",
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "authorization_response_iss_parameter_supported": true,
        "something_new": 1,
    })
}

#[test]
fn discovery_documents_are_read_or_refused_with_words() {
    let found = discovery(document().to_string().as_bytes(), ISSUER).unwrap();
    assert!(found.tells_issuer && !found.secret_in_body && found.token_endpoint == "https://id.example.org/token");
    for (member, value, want) in [
        ("issuer", json!("https://evil.example.org"), "another issuer"),
        ("issuer", json!(null), "not understood"),
        ("authorization_endpoint", json!("http://id.example.org/auth"), "https"),
        ("token_endpoint", json!("javascript:alert(1)"), "https"),
        ("token_endpoint", json!("http://localhost/token"), "https"),
        ("jwks_uri", json!("https://"), "https"),
        ("jwks_uri", json!("https://a b"), "https"),
        ("id_token_signing_alg_values_supported", json!(["HS256", "none", "PS256"]), "none of RS256"),
        ("id_token_signing_alg_values_supported", json!([]), "none of RS256"),
        ("code_challenge_methods_supported", json!(["plain"]), "PKCE"),
        ("response_types_supported", json!(["id_token"]), "code"),
    ] {
        let mut doc = document();
        doc[member] = value;
        let error = discovery(doc.to_string().as_bytes(), ISSUER).expect_err(want);
        assert!(error.what.contains(want), "{member}: {error}");
    }
    let mut post = document();
    post["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
    assert!(discovery(post.to_string().as_bytes(), ISSUER).unwrap().secret_in_body);
    let local = document().to_string().replace("https://id.example.org", "http://127.0.0.1:5556");
    assert!(discovery(local.as_bytes(), "http://127.0.0.1:5556").is_ok(), "a provider on the loopback may speak without TLS");
    let fake = document().to_string().replace("https://id.example.org", "http://localhost@evil.example.org");
    assert!(discovery(fake.as_bytes(), "http://localhost@evil.example.org").is_err());
    assert!(discovery(&vec![b' '; 300 << 10], ISSUER).is_err());
    assert_eq!(discovery_url("https://id.example.org/realm/"), "https://id.example.org/realm/.well-known/openid-configuration");
}

#[test]
fn key_sets_without_a_key_that_is_taken_are_refused() {
    for bad in
        ["", "[]", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#, r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#]
    {
        assert!(keys(bad.as_bytes()).is_err(), "{bad}");
    }
    let many = json!({"keys": vec![json!({"kty": "oct"}); 65]});
    assert!(keys(many.to_string().as_bytes()).is_err());
}

#[test]
fn the_url_carries_state_nonce_and_the_challenge_of_the_verifier() {
    let metadata = discovery(document().to_string().as_bytes(), ISSUER).unwrap();
    let (flow, other) = (Flow::random(), Flow::random());
    assert!(flow.state != other.state && flow.state != flow.nonce && flow.verifier.len() == 43);
    let url = flow.url(&metadata, "weir & co", "https://weir.example.org/cb");
    let challenge = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, sha256(flow.verifier.as_bytes()));
    let want = format!(
        "https://id.example.org/auth?response_type=code&scope=openid&client_id=weir%20%26%20co&redirect_uri=https%3A%2F%2Fweir.example.org%2Fcb\
         &state={}&nonce={}&code_challenge={challenge}&code_challenge_method=S256",
        flow.state, flow.nonce
    );
    assert_eq!(url, want);
    assert!(!url.contains(&flow.verifier));
    let with = Metadata { authorization_endpoint: "https://id.example.org/auth?p=1".into(), ..metadata };
    assert!(flow.url(&with, "weir", "x").starts_with("https://id.example.org/auth?p=1&response_type=code"));
    // RFC 7636 appendix B.
    let rfc = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let flow = Flow { verifier: rfc.into(), ..flow };
    assert!(flow.url(&with, "weir", "x").contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
}

#[test]
fn the_token_endpoint_is_asked_and_understood() {
    let form = token_form("v", "c/1", "https://a/cb", "weir", Some("s&s"));
    assert_eq!(
        form,
        "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Fa%2Fcb&client_id=weir&code_verifier=v&client_secret=s%26s"
    );
    assert_eq!(token_answer(br#"{"access_token":"x","token_type":"bearer","id_token":"a.b.c"}"#).unwrap(), "a.b.c");
    for bad in
        [&b""[..], b"{}", br#"{"token_type":"Bearer"}"#, br#"{"token_type":"mac","id_token":"a.b.c"}"#, br#"{"error":"invalid_grant"}"#]
    {
        assert!(token_answer(bad).is_err());
    }
}

#[test]
fn what_fuzzing_kept_still_holds() {
    weir_testkit::corpus::replay("identity_oidc", fuzz::fuzz_documents);
}
