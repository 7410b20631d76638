use proptest::prelude::*;

use super::*;
use crate::test_hex::hash;

/// The example of the specification. Its public key is not published.
const C2SP: &[u8] = include_bytes!("testdata/c2sp.note");
/// The example of the format's first implementation, with both keys.
const TWO: &[u8] = include_bytes!("testdata/two-signers.note");
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";

fn key(vkey: &str) -> VerifyingKey {
    vkey.parse().unwrap()
}

fn signer(n: u8) -> SigningKey {
    SigningKey::from_seed([n; 32], &format!("key-{n}.example")).unwrap()
}

#[test]
fn the_example_of_the_specification() {
    let note = Note::parse(C2SP).unwrap();
    assert_eq!(note.text(), "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n");
    let [signature] = note.signatures() else { panic!("one signature") };
    assert_eq!(signature.name, "quasimodo.example/salvatore");
    assert_eq!((signature.id, signature.bytes.len()), ([0x36, 0x7b, 0xa0, 0x4b], 64));
    assert_eq!(note.encode(), C2SP);
    assert_eq!(note.verify(&[key(PETER)]), Err(NoteError::NoKnownKey));
}

#[test]
fn known_signatures_verify_and_are_made() {
    let keys = [key(PETER), key(ENOCH)];
    let note = Note::parse(TWO).unwrap();
    assert_eq!(note.verify(&keys).unwrap(), [&keys[0], &keys[1]]);
    assert_eq!(note.verify(&keys[1..]).unwrap(), [&keys[1]]);
    // The private key behind the first signature, as its seed.
    let seed = hash("810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173");
    let peter = SigningKey::from_seed(seed, "PeterNeumann").unwrap();
    assert_eq!(peter.verifying_key().to_string(), PETER);
    assert_eq!(Note::sign(note.text(), &[&peter]).unwrap().signatures(), &note.signatures()[..1]);
}

#[test]
fn ed25519_of_rfc_8032() {
    // RFC 8032 section 7.1, test 2.
    let seed = hash("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let key = SigningKey::from_seed(seed, "test-2").unwrap();
    assert_eq!(key.verifying_key().key(), &hash("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"));
    let signature = key.sign(&[0x72]);
    assert_eq!(signature[..32], hash("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"));
    assert!(key.verifying_key().is_valid(&[0x72], &signature));
    assert!(!key.verifying_key().is_valid(&[0x73], &signature));
}

#[test]
fn verifier_keys_have_one_form() {
    for good in [PETER, ENOCH] {
        assert_eq!(key(good).to_string(), good);
    }
    assert_eq!(key(PETER).id(), [0xc7, 0x4f, 0x20, 0xa3]);
    for (bad, want) in [
        ("", KeyError::Form),
        ("PeterNeumann", KeyError::Form),
        ("PeterNeumann+c74f20a3", KeyError::Form),
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T", KeyError::Form),
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW ", KeyError::Form),
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWAA==", KeyError::Algorithm),
        ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Algorithm),
        ("PeterNeumann+c74f20a3+", KeyError::Algorithm),
        ("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Id),
        ("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Id),
        ("PeterNeumann+0c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Id),
        ("PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Id),
        ("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Name),
        ("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyError::Name),
    ] {
        assert_eq!(bad.parse::<VerifyingKey>(), Err(want), "{bad}");
    }
    for bad in ["", "a b", "a+b", "a\nb", "a\tb", "a\u{a0}b", "a\u{1}b", &"x".repeat(256)] {
        assert_eq!(SigningKey::from_seed([1; 32], bad).unwrap_err(), KeyError::Name, "{bad:?}");
    }
}

#[test]
fn malformed_notes_are_refused() {
    use NoteError::*;
    let line = "— a.example AAAAAAA=\n";
    let sig = |line| BadSignatureLine { line };
    let cases: &[(String, NoteError)] = &[
        (String::new(), NoBlankLine),
        ("text\n".into(), NoBlankLine),
        (format!("text\n{line}"), NoBlankLine),
        (format!("\n{line}"), NoBlankLine),
        (format!("text\r\n\r\n{line}"), ControlCharacter),
        (format!("te\u{0}xt\n\n{line}"), ControlCharacter),
        (format!("te\u{1f}xt\n\n{line}"), ControlCharacter),
        (format!("text\t\n\n{line}"), ControlCharacter),
        ("text\n\n".into(), NoSignatures),
        (format!("text\n\n{line}\n"), NoSignatures),
        ("text\n\n— a.example AAAAAAA=".into(), sig(1)),
        ("text\n\n- a.example AAAAAAA=\n".into(), sig(1)),
        ("text\n\n—a.example AAAAAAA=\n".into(), sig(1)),
        ("text\n\n—  AAAAAAA=\n".into(), sig(1)),
        ("text\n\n— AAAAAAA=\n".into(), sig(1)),
        ("text\n\n— a+b AAAAAAA=\n".into(), sig(1)),
        ("text\n\n— a\u{2003}b AAAAAAA=\n".into(), sig(1)),
        ("text\n\n— a.example AAAAAA==\n".into(), sig(1)),
        ("text\n\n— a.example AAAAAAA\n".into(), sig(1)),
        ("text\n\n— a.example AAAAAAB=\n".into(), sig(1)),
        ("text\n\n— a.example  AAAAAAA=\n".into(), sig(1)),
        ("text\n\n— a.example AAAAAAA= \n".into(), sig(1)),
        (format!("text\n\n{line}{line}more text\n"), sig(3)),
        (format!("text\n\n{}", line.repeat(101)), TooManySignatures),
        (format!("{}\n\n{line}", "x".repeat(1_000_000)), TooLong),
    ];
    for (note, want) in cases {
        let shown: String = note.chars().take(60).collect();
        assert_eq!(Note::parse(note.as_bytes()).unwrap_err(), *want, "{shown:?}");
    }
    assert_eq!(Note::parse(b"te\xff\n\n").unwrap_err(), NotUtf8);
    assert!(Note::parse(format!("text\n\n{}", line.repeat(100)).as_bytes()).is_ok());
    assert_eq!(Note::parse(format!("\n\n{line}").as_bytes()).unwrap().text(), "\n");
}

#[test]
fn only_whole_printable_lines_are_signed() {
    let key = signer(1);
    for bad in ["", "no newline", "tab\there\n", "cr\r\n"] {
        assert_eq!(Note::sign(bad, &[&key]), Err(NoteError::BadText), "{bad:?}");
    }
    assert_eq!(Note::sign("text\n", &[]), Err(NoteError::NoSignatures));
    assert_eq!(Note::sign(&format!("{}\n", "x".repeat(1_000_000)), &[&key]), Err(NoteError::TooLong));
    for good in ["\n", "a\n\n", "\n\n\n", "— a.example AAAAAAA=\n"] {
        let note = Note::sign(good, &[&key]).unwrap();
        assert_eq!(Note::parse(&note.encode()).unwrap(), note, "{good:?}");
    }
}

#[test]
fn sixteen_signatures_and_more() {
    let signers: Vec<SigningKey> = (0..16).map(signer).collect();
    let keys: Vec<VerifyingKey> = signers.iter().map(|s| s.verifying_key().clone()).collect();
    let all: Vec<&SigningKey> = signers.iter().collect();
    let note = Note::parse(&Note::sign("text\n", &all).unwrap().encode()).unwrap();
    assert_eq!(note.verify(&keys).unwrap().len(), 16);
    assert_eq!(note.verify(&keys[15..]).unwrap(), [&keys[15]]);
}

#[test]
fn unknown_keys_are_ignored_and_known_ones_must_hold() {
    let (me, other) = (signer(1), signer(2));
    let mut note = Note::sign("text\n", &[&me]).unwrap();
    let mine = note.signatures()[0].clone();
    // The same name with another id, and the same id with another name, are other keys.
    note.add(Signature { id: [9; 4], bytes: vec![1], ..mine.clone() }).unwrap();
    note.add(Signature { name: "else".into(), bytes: vec![0xff; 5000], ..mine.clone() }).unwrap();
    let keys = [me.verifying_key().clone(), other.verifying_key().clone()];
    assert_eq!(note.verify(&keys).unwrap(), [&keys[0]]);
    assert_eq!(Note::parse(&note.encode()).unwrap(), note);
    // One bad signature of a known key spoils the note, whatever else is good.
    note.add(Signature { bytes: vec![0; 64], ..mine.clone() }).unwrap();
    assert_eq!(note.verify(&keys), Err(NoteError::BadSignature { name: "key-1.example".into() }));
    for bad in [Signature { name: "a b".into(), ..mine.clone() }, Signature { bytes: vec![], ..mine }] {
        let before = note.clone();
        assert_eq!(note.add(bad), Err(NoteError::BadSignatureLine { line: 5 }));
        assert_eq!(note, before);
    }
}

#[test]
fn any_change_to_text_or_signature_is_seen() {
    let key = signer(3);
    let good = Note::sign("origin\n5\nroot\n", &[&key]).unwrap().encode();
    for at in 0..good.len() {
        for bit in [1, 0x20] {
            let mut bad = good.clone();
            bad[at] ^= bit;
            let verdict = Note::parse(&bad).and_then(|n| n.verify(std::slice::from_ref(key.verifying_key())).map(|_| ()));
            assert!(verdict.is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_private_key_does_not_show() {
    let shown = format!("{:?}", signer(0x41));
    assert_eq!(shown, format!("SigningKey({})", signer(0x41).verifying_key()));
}

proptest! {
    #[test]
    fn notes_come_back(text in "([ -~é—]{0,30}\n){1,5}", n in 1u8..4) {
        let signers: Vec<SigningKey> = (0..n).map(signer).collect();
        let note = Note::sign(&text, &signers.iter().collect::<Vec<_>>()).unwrap();
        let back = Note::parse(&note.encode()).unwrap();
        prop_assert_eq!(&back, &note);
        prop_assert_eq!(back.text(), text);
    }

    #[test]
    fn changed_notes_do_not_panic_and_have_one_form(at in 0usize..400, byte in any::<u8>(), cut in 0usize..400) {
        let mut note = TWO.to_vec();
        let length = note.len();
        note[at % length] = byte;
        crate::fuzz::fuzz_note(&note);
        note.truncate(cut);
        crate::fuzz::fuzz_note(&note);
    }

    #[test]
    fn no_bytes_panic(data in prop::collection::vec(any::<u8>(), 0..300)) {
        crate::fuzz::fuzz_note(&data);
    }
}
