use proptest::prelude::*;

use super::*;

const C2SP: &[u8] = include_bytes!("testdata/c2sp.note");

fn log_key() -> SigningKey {
    SigningKey::from_seed([5; 32], "log.example").unwrap()
}

#[test]
fn the_example_of_the_specification() {
    let note = Note::parse(C2SP).unwrap();
    let checkpoint = Checkpoint::parse_text(note.text()).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.root[..4], [0x0a, 0xc5, 0x18, 0x6a]);
    assert_eq!(checkpoint.text(), note.text());
    assert_eq!(note.encode(), C2SP);
}

#[test]
fn malformed_checkpoints_are_refused() {
    use CheckpointError::*;
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for (text, want) in [
        (String::new(), Lines),
        ("log\n".into(), Lines),
        ("log\n5\n".into(), Lines),
        (format!("log\n5\n{root}"), Lines),
        (format!("\n5\n{root}\n"), Lines),
        (format!("log\n5\n{root}\n\n"), Lines),
        (format!("log\n5\n{root}\n\nextension\n"), Lines),
        (format!("my log\n5\n{root}\n"), Origin),
        (format!("my+log\n5\n{root}\n"), Origin),
        (format!("{}\n5\n{root}\n", "x".repeat(256)), Origin),
        (format!("log\n\n{root}\n"), Size),
        (format!("log\n05\n{root}\n"), Size),
        (format!("log\n+5\n{root}\n"), Size),
        (format!("log\n-5\n{root}\n"), Size),
        (format!("log\n5 \n{root}\n"), Size),
        (format!("log\n0x5\n{root}\n"), Size),
        (format!("log\n18446744073709551616\n{root}\n"), Size),
        ("log\n5\nAAAA\n".into(), Root),
        (format!("log\n5\n{root}=\n"), Root),
        (format!("log\n5\n {root}\n"), Root),
        (format!("log\n5\n{}\n", &root[..43]), Root),
        ("log\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n".into(), Root),
    ] {
        assert_eq!(Checkpoint::parse_text(&text).unwrap_err(), want, "{text:?}");
    }
}

#[test]
fn extension_lines_are_tolerated_and_kept() {
    let mut checkpoint = Checkpoint::new("log.example", 5, [7; 32]);
    checkpoint.extensions = vec!["one".into(), "two words".into()];
    let key = log_key();
    let bytes = checkpoint.sign(&[&key]).unwrap().encode();
    assert_eq!(Checkpoint::open(&bytes, "log.example", key.verifying_key()).unwrap().0, checkpoint);
}

#[test]
fn opened_only_with_the_logs_own_key_and_origin() {
    let key = log_key();
    let other = SigningKey::from_seed([6; 32], "witness.example").unwrap();
    let checkpoint = Checkpoint::new("log.example", 0, crate::merkle::empty_root());
    let bytes = checkpoint.sign(&[&key, &other]).unwrap().encode();
    let (opened, note) = Checkpoint::open(&bytes, "log.example", key.verifying_key()).unwrap();
    assert_eq!((opened, note.signatures().len()), (checkpoint.clone(), 2));
    let expected = "another.example".to_owned();
    let found = Checkpoint::open(&bytes, &expected, key.verifying_key());
    assert_eq!(found.unwrap_err(), CheckpointError::OtherLog { expected });
    let bytes = checkpoint.sign(&[&other]).unwrap().encode();
    let found = Checkpoint::open(&bytes, "log.example", key.verifying_key());
    assert_eq!(found.unwrap_err(), CheckpointError::Note(NoteError::NoKnownKey));
    // A note that is well signed but holds something else.
    let bytes = Note::sign("hello\n", &[&key]).unwrap().encode();
    assert_eq!(Checkpoint::open(&bytes, "log.example", key.verifying_key()).unwrap_err(), CheckpointError::Lines);
}

#[test]
fn what_cannot_be_read_back_is_not_signed() {
    let good = Checkpoint::new("log.example", 5, [7; 32]);
    for (extensions, origin) in [(vec![], "a b"), (vec![], ""), (vec![""], "log"), (vec!["a\nb"], "log")] {
        let extensions = extensions.into_iter().map(str::to_owned).collect();
        let bad = Checkpoint { origin: origin.into(), extensions, ..good.clone() };
        assert!(bad.sign(&[&log_key()]).is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn checkpoints_come_back(origin in "[a-z./0-9é]{1,40}", size in any::<u64>(), root in any::<[u8; 32]>()) {
        let checkpoint = Checkpoint::new(&origin, size, root);
        prop_assert_eq!(Checkpoint::parse_text(&checkpoint.text()), Ok(checkpoint));
    }

    #[test]
    fn no_text_panics_and_each_has_one_form(text in "[a-z+ ]{0,3}\n?[0-9]{0,3}\n?CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq[0-9A-Z]I=\n{0,2}[a-z\n]{0,4}") {
        crate::fuzz::fuzz_checkpoint(text.as_bytes());
    }
}
