use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cose::Key;
use super::data::AuthData;
use super::soft::Soft;
use super::*;

const ORIGIN: &str = "https://example.org";

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
}

/// The standard's own vectors: name → member → bytes.
fn standard() -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    let mut all: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    for line in include_str!("testdata/standard.hex").lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        let mut words = line.split(' ');
        let (name, member, digits) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        all.entry(name.into()).or_default().insert(member.into(), hex(digits));
    }
    all
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn registration(v: &BTreeMap<String, Vec<u8>>) -> Value {
    let id = text(&v["credential_id"]);
    json!({"type": "public-key", "id": id, "rawId": id,
        "response": {"clientDataJSON": text(&v["clientDataJSON"]), "attestationObject": text(&v["attestationObject"])}})
}

fn authentication(id: &[u8], v: &BTreeMap<String, Vec<u8>>) -> Value {
    json!({"type": "public-key", "id": text(id), "rawId": text(id), "response": {"clientDataJSON": text(&v["clientDataJSON"]),
        "authenticatorData": text(&v["authenticatorData"]), "signature": text(&v["signature"])}})
}

/// The authenticator data inside an attestation object, by its CBOR: the byte string after `authData`.
fn auth_data(object: &[u8]) -> &[u8] {
    let at = object.windows(8).position(|w| w == b"authData").unwrap() + 8;
    minicbor::Decoder::new(&object[at..]).bytes().unwrap()
}

#[test]
fn the_standards_own_vectors_are_judged_as_the_standard_and_our_rules_say() {
    let (all, origins) = (standard(), [Origin::parse(ORIGIN).unwrap()]);
    // Name, what enrolling gives when user verification is not demanded, whether the vector's user was verified at enrolment.
    let cases = [
        ("none-es256", Ok(()), false),
        ("packed-self-es256", Ok(()), true),
        ("long-id", Ok(()), false),
        ("cross-origin", Err(PasskeyError::Client("it was made inside a page of another origin")), false),
        ("top-origin", Err(PasskeyError::Client("it was made inside a page of another origin")), false),
        ("packed-rs256", Err(PasskeyError::Attestation("a certificate came although none was asked for")), true),
        ("packed-eddsa", Err(PasskeyError::Attestation("a certificate came although none was asked for")), false),
        ("packed-es384", Err(PasskeyError::Key("its algorithm is not ES256, EdDSA or RS256")), false),
        ("tpm", Err(PasskeyError::Attestation("its format is neither none nor packed")), false),
    ];
    for (name, want, verified) in cases {
        let (new, get) = (&all[&format!("{name}-reg")], &all[&format!("{name}-get")]);
        let credential = registration(new);
        let expected = Expected { challenge: &new["challenge"], origins: &origins, rp: "example.org", verified: false };
        let got = register(&credential, &expected);
        let ours = |e: &PasskeyError| matches!(want, Err(w) if w == *e) || name == "packed-es384";
        match &got {
            Ok(_) => assert!(want.is_ok(), "{name}"),
            Err(e) => assert!(ours(e), "{name}: {e}"),
        }
        if want.is_ok() {
            let strict = register(&credential, &Expected { verified: true, ..expected });
            assert_eq!(strict.is_ok(), verified, "{name}: {strict:?}");
        }
        // Signatures of every algorithm that is taken, whatever the attestation was.
        let Ok(data) = AuthData::parse(auth_data(&new["attestationObject"])) else {
            assert_eq!(name, "packed-es384");
            continue;
        };
        let attested = data.attested.as_ref().unwrap();
        let signed = [&get["authenticatorData"][..], &weir_base::crypto::sha256(&get["clientDataJSON"])].concat();
        let key = Key::parse(attested.key).unwrap();
        assert_eq!(key.verify(&signed, &get["signature"]), Ok(()), "{name}");
        assert_eq!(key.verify(&signed[1..], &get["signature"]), Err(PasskeyError::Signature), "{name}");
        if let Ok(new) = got {
            let known = Known { credential: &new.credential, key: &new.key, count: 0, backup_eligible: new.backup_eligible, user: b"u" };
            let expected = Expected { challenge: &get["challenge"], origins: &origins, rp: "example.org", verified: false };
            let assertion = Assertion::read(&authentication(&new.credential, get)).unwrap();
            assert_eq!(assertion.check(&expected, &known), Ok(0), "{name}");
        }
    }
}

fn expected<'a>(challenge: &'a [u8], origins: &'a [Origin]) -> Expected<'a> {
    Expected { challenge, origins, rp: "example.org", verified: true }
}

#[test]
fn lies_of_browser_and_authenticator_are_found() {
    let (challenge, origins) = ([7u8; 32], [Origin::parse(ORIGIN).unwrap()]);
    let options = creation(&challenge, "example.org", "Weir", b"user", "mary", "Mary", &[]);
    type Lie = (&'static str, fn(&mut Soft), Option<PasskeyError>);
    let lies: [Lie; 12] = [
        ("none", |_| (), None),
        ("self attestation", |s| s.fmt = "packed", None),
        ("an extension less, backed up", |s| s.flags = 0x1d, None),
        ("another origin", |s| s.origin = "https://example.org.evil.example".into(), Some(PasskeyError::Origin)),
        ("another port", |s| s.origin = "https://example.org:8443".into(), Some(PasskeyError::Origin)),
        ("another scheme", |s| s.origin = "http://example.org".into(), Some(PasskeyError::Origin)),
        ("no origin", |s| s.origin = "null".into(), Some(PasskeyError::Origin)),
        ("another relying party", |s| s.rp = "example.com".into(), Some(PasskeyError::RelyingParty)),
        ("nobody there", |s| s.flags = 0x04, Some(PasskeyError::User("nobody was there"))),
        ("nobody verified", |s| s.flags = 0x01, Some(PasskeyError::User("no PIN, finger or face was asked for"))),
        ("backed up but not eligible", |s| s.flags = 0x15, Some(PasskeyError::Data("it says it is backed up and cannot be"))),
        ("another format", |s| s.fmt = "android-key", Some(PasskeyError::Attestation("its format is neither none nor packed"))),
    ];
    for ed in [false, true] {
        for (name, lie, want) in &lies {
            let mut soft = Soft::new(ORIGIN, "example.org", b"user", ed);
            lie(&mut soft);
            let got = register(&soft.create(&options), &expected(&challenge, &origins));
            assert_eq!(got.as_ref().err(), want.as_ref(), "{name}");
            let Ok(new) = got else { continue };
            let known =
                Known { credential: &new.credential, key: &new.key, count: new.count, backup_eligible: new.backup_eligible, user: b"user" };
            let asked = request(&challenge, "example.org", &[&new.credential]);
            let check = |s: &Soft| Assertion::read(&s.get(&asked)).unwrap().check(&expected(&challenge, &origins), &known);
            assert_eq!(check(&soft), Ok(0), "{name}");
            let changes: [Lie; 5] = [
                ("origin", |s| s.origin = "https://evil.example".into(), Some(PasskeyError::Origin)),
                ("relying party", |s| s.rp = "evil.example".into(), Some(PasskeyError::RelyingParty)),
                ("user handle", |s| s.user = b"other".to_vec(), Some(PasskeyError::Credential)),
                ("credential", |s| s.id[0] ^= 1, Some(PasskeyError::Credential)),
                ("backup", |s| s.flags ^= 0x08, Some(PasskeyError::Data("it is another kind of credential than the one enrolled"))),
            ];
            for (what, change, want) in changes {
                let (origin, rp, user, id, flags) = (soft.origin.clone(), soft.rp.clone(), soft.user.clone(), soft.id.clone(), soft.flags);
                change(&mut soft);
                if what == "backup" && soft.flags & 0x10 != 0 {
                    soft.flags &= !0x10;
                }
                assert_eq!(check(&soft).err(), want, "{name}, {what}");
                (soft.origin, soft.rp, soft.user, soft.id, soft.flags) = (origin, rp, user, id, flags);
            }
            let mut other = Soft::new(ORIGIN, "example.org", b"user", ed);
            (other.id, other.flags) = (soft.id.clone(), soft.flags);
            assert_eq!(check(&other), Err(PasskeyError::Signature), "{name}: another key");
        }
    }
}

#[test]
fn an_answer_to_another_challenge_or_ceremony_is_refused() {
    let (challenge, origins) = ([7u8; 32], [Origin::parse(ORIGIN).unwrap()]);
    let soft = Soft::new(ORIGIN, "example.org", b"user", false);
    let options = creation(&challenge, "example.org", "Weir", b"user", "mary", "Mary", &[]);
    let made = soft.create(&options);
    assert_eq!(register(&made, &expected(&[8; 32], &origins)), Err(PasskeyError::Challenge));
    assert_eq!(register(&made, &expected(&[], &origins)), Err(PasskeyError::Challenge));
    let mut mixed = made.clone();
    mixed["response"]["clientDataJSON"] = soft.get(&options)["response"]["clientDataJSON"].clone();
    assert_eq!(register(&mixed, &expected(&challenge, &origins)), Err(PasskeyError::Client("it is of another ceremony")));
    let mut renamed = made.clone();
    renamed["id"] = json!(text(b"another"));
    assert_eq!(register(&renamed, &expected(&challenge, &origins)), Err(PasskeyError::Json("id")));
    renamed["rawId"] = json!(text(b"another"));
    assert_eq!(register(&renamed, &expected(&challenge, &origins)), Err(PasskeyError::Credential));
}

#[test]
fn a_counter_that_goes_back_is_told() {
    let (challenge, origins) = ([7u8; 32], [Origin::parse(ORIGIN).unwrap()]);
    let mut soft = Soft::new(ORIGIN, "example.org", b"user", false);
    let new =
        register(&soft.create(&creation(&challenge, "example.org", "W", b"user", "m", "M", &[])), &expected(&challenge, &origins)).unwrap();
    let asked = request(&challenge, "example.org", &[]);
    for (kept, says, want) in [
        (0, 0, Ok(0)),
        (0, 1, Ok(1)),
        (5, 6, Ok(6)),
        (5, 5, Err(PasskeyError::Cloned)),
        (5, 4, Err(PasskeyError::Cloned)),
        (5, 0, Err(PasskeyError::Cloned)),
    ] {
        soft.count = says;
        let known = Known { credential: &new.credential, key: &new.key, count: kept, backup_eligible: false, user: b"user" };
        assert_eq!(Assertion::read(&soft.get(&asked)).unwrap().check(&expected(&challenge, &origins), &known), want, "{kept} {says}");
    }
}

#[test]
fn keys_and_data_that_are_not_in_form_are_refused() {
    for (name, bytes) in [
        ("empty", ""),
        ("not a map", "80"),
        ("indefinite map", "bfff"),
        ("a label twice", "a2010201 02"),
        ("ES256 with a compressed point", "a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df6122f5"),
        (
            "ES256 on another curve",
            "a5010203262002215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
        ),
        ("ES256 with a short x", "a50102032620012141af225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220"),
        ("EdDSA of another kind", "a4010203272006215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61"),
        ("RS256 with a short modulus", "a401030339010020410121430100 01"),
        ("something after it", "a4010103272006215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df6100"),
        ("cut off", "a4010103272006215820afef"),
        ("a map that claims much", "bb7fffffffffffffff0101"),
    ] {
        let bytes = hex(&bytes.replace(' ', ""));
        assert!(Key::parse(&bytes).is_err(), "{name}");
    }
    let good = [&weir_base::crypto::sha256(b"example.org")[..], &[0x05, 0, 0, 0, 1]].concat();
    assert_eq!(AuthData::parse(&good).unwrap().count, 1);
    for (name, change) in [
        ("cut", good[..36].to_vec()),
        ("something after it", [&good[..], &[0]].concat()),
        ("extensions said and none there", [&good[..32], &[0x85, 0, 0, 0, 1]].concat()),
        ("extensions that are no map", [&good[..32], &[0x85, 0, 0, 0, 1, 0x01]].concat()),
        ("a credential said and none there", [&good[..32], &[0x45, 0, 0, 0, 1]].concat()),
        ("an empty credential id", [&good[..32], &[0x45, 0, 0, 0, 1], &[0; 18]].concat()),
    ] {
        assert!(AuthData::parse(&change).is_err(), "{name}");
    }
    let extended = [&good[..32], &[0x85, 0, 0, 0, 1, 0xa1, 0x61, b'a', 0xf5]].concat();
    assert!(AuthData::parse(&extended).is_ok());
}

proptest! {
    /// One byte changed anywhere in an answer: refused, unless it is a byte nobody signs, and then it changes nothing that is kept.
    #[test]
    fn a_changed_answer_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8, ed in any::<bool>()) {
        let (challenge, origins) = ([7u8; 32], [Origin::parse(ORIGIN).unwrap()]);
        let soft = Soft::new(ORIGIN, "example.org", b"user", ed);
        let options = creation(&challenge, "example.org", "Weir", b"user", "mary", "Mary", &[]);
        let new = register(&soft.create(&options), &expected(&challenge, &origins)).unwrap();
        let known = Known { credential: &new.credential, key: &new.key, count: 0, backup_eligible: false, user: b"user" };
        let answer = soft.get(&request(&challenge, "example.org", &[]));
        for member in ["clientDataJSON", "authenticatorData", "signature"] {
            let mut bytes = URL_SAFE_NO_PAD.decode(answer["response"][member].as_str().unwrap()).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let mut changed = answer.clone();
            changed["response"][member] = json!(text(&bytes));
            let got = Assertion::read(&changed).and_then(|a| a.check(&expected(&challenge, &origins), &known));
            prop_assert!(got.is_err(), "{member} {at}");
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz::fuzz_answer(&bytes);
    }
}

#[test]
fn what_fuzzing_kept_still_holds() {
    weir_testkit::corpus::replay("identity_passkey", fuzz::fuzz_answer);
}
