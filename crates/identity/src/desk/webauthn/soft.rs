//! An authenticator in software, for tests: it signs with keys of its own and lies where it is told to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::Encoder;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use weir_base::crypto::{random, sha256};

/// A key.
enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

/// An authenticator with one passkey. Its fields are what it says; tests change them.
pub struct Soft {
    pair: Pair,
    /// Credential id.
    pub id: Vec<u8>,
    /// User handle.
    pub user: Vec<u8>,
    /// Signature counter.
    pub count: u32,
    /// Flags: user present 0x01, verified 0x04, backup eligible 0x08, backed up 0x10.
    pub flags: u8,
    /// Origin of the page.
    pub origin: String,
    /// Relying party.
    pub rp: String,
    /// Attestation format.
    pub fmt: &'static str,
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Soft {
    /// A new passkey; `ed`: Ed25519 instead of P-256.
    pub fn new(origin: &str, rp: &str, user: &[u8], ed: bool) -> Soft {
        let rng = SystemRandom::new();
        let pair = if ed {
            Pair::EdDsa(Ed25519KeyPair::from_pkcs8(Ed25519KeyPair::generate_pkcs8(&rng).unwrap().as_ref()).unwrap())
        } else {
            let doc = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &rng).unwrap();
            Pair::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, doc.as_ref(), &rng).unwrap())
        };
        let id = random::<32>().to_vec();
        Soft { pair, id, user: user.to_vec(), count: 0, flags: 0x05, origin: origin.into(), rp: rp.into(), fmt: "none" }
    }

    fn cose(&self) -> Vec<u8> {
        let mut e = Encoder::new(Vec::new());
        match &self.pair {
            Pair::Es256(pair) => {
                let point = pair.public_key().as_ref();
                e.map(5).unwrap().i8(1).unwrap().i8(2).unwrap().i8(3).unwrap().i8(-7).unwrap().i8(-1).unwrap().i8(1).unwrap();
                e.i8(-2).unwrap().bytes(&point[1..33]).unwrap().i8(-3).unwrap().bytes(&point[33..]).unwrap();
            }
            Pair::EdDsa(pair) => {
                e.map(4).unwrap().i8(1).unwrap().i8(1).unwrap().i8(3).unwrap().i8(-8).unwrap().i8(-1).unwrap().i8(6).unwrap();
                e.i8(-2).unwrap().bytes(pair.public_key().as_ref()).unwrap();
            }
        }
        e.into_writer()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Es256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Pair::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    fn auth_data(&self, attested: bool) -> Vec<u8> {
        let mut out = sha256(self.rp.as_bytes()).to_vec();
        out.push(self.flags | if attested { 0x40 } else { 0 });
        out.extend(self.count.to_be_bytes());
        if attested {
            out.extend([0; 16]);
            out.extend((self.id.len() as u16).to_be_bytes());
            out.extend(&self.id);
            out.extend(self.cose());
        }
        out
    }

    fn client(&self, kind: &str, challenge: &str) -> Vec<u8> {
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false}).to_string().into_bytes()
    }

    /// The answer to options for enrolling.
    pub fn create(&self, options: &Value) -> Value {
        let client = self.client("webauthn.create", options["challenge"].as_str().unwrap());
        let data = self.auth_data(true);
        let mut e = Encoder::new(Vec::new());
        e.map(3).unwrap().str("fmt").unwrap().str(self.fmt).unwrap().str("attStmt").unwrap();
        if self.fmt == "packed" {
            let alg = if matches!(self.pair, Pair::EdDsa(_)) { -8 } else { -7 };
            let signature = self.sign(&[&data[..], &sha256(&client)].concat());
            e.map(2).unwrap().str("alg").unwrap().i8(alg).unwrap().str("sig").unwrap().bytes(&signature).unwrap();
        } else {
            e.map(0).unwrap();
        }
        e.str("authData").unwrap().bytes(&data).unwrap();
        json!({"type": "public-key", "id": text(&self.id), "rawId": text(&self.id), "clientExtensionResults": {},
            "response": {"clientDataJSON": text(&client), "attestationObject": text(&e.into_writer()), "transports": ["internal"]}})
    }

    /// The answer to options for signing in.
    pub fn get(&self, options: &Value) -> Value {
        let client = self.client("webauthn.get", options["challenge"].as_str().unwrap());
        let data = self.auth_data(false);
        let signature = self.sign(&[&data[..], &sha256(&client)].concat());
        json!({"type": "public-key", "id": text(&self.id), "rawId": text(&self.id), "clientExtensionResults": {},
            "response": {"clientDataJSON": text(&client), "authenticatorData": text(&data), "signature": text(&signature),
                "userHandle": text(&self.user)}})
    }
}
