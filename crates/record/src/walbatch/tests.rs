use super::*;
use crate::column::Id;
use crate::kind::Record;
use crate::kinds::{Maintenance, MaintenanceText, NatEvent, RadiusSession};
use proptest::prelude::*;
use weir_base::net::Addr16;
use weir_base::time::Millis;

fn session() -> impl Strategy<Value = RadiusSession> {
    let text = || proptest::option::of("\\PC{0,12}");
    (any::<i64>(), any::<u8>(), text(), any::<[u8; 16]>(), proptest::option::of(any::<[u8; 16]>()), proptest::option::of(any::<u64>()))
        .prop_map(|(time, status, text, id, addr, octets)| RadiusSession {
            time: Millis(time),
            status,
            reason: text.clone(),
            acct_session_id: text,
            session: Id(id),
            framed_ipv6: addr.map(Addr16),
            input_octets: octets,
            start: octets.map(|o| Millis(o as i64)),
            ..RadiusSession::default()
        })
}

proptest! {
    #[test]
    fn sessions_come_back(rows in proptest::collection::vec(session(), 0..40)) {
        let mut bytes = Vec::new();
        encode(Kind::RadiusSession, &RadiusSession::batch(&rows), &mut bytes);
        bytes.push(9);
        let (kind, batch, rest) = decode(&bytes).unwrap();
        prop_assert_eq!(kind, Kind::RadiusSession);
        prop_assert_eq!(RadiusSession::rows(&batch), rows);
        prop_assert_eq!(rest, [9]);
        for cut in 0..bytes.len() - 1 {
            prop_assert!(decode(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn events_come_back(v in proptest::collection::vec((any::<[u8; 4]>(), any::<u16>(), any::<bool>()), 0..40)) {
        let rows: Vec<_> = v.into_iter().map(|(a, p, v6)| NatEvent {
            public_address: if v6 { Addr16([a[0]; 16]) } else { Addr16::v4(a) },
            inside_address: Addr16::v4(a),
            public_port: p,
            protocol: 6,
            ..NatEvent::default()
        }).collect();
        let mut bytes = Vec::new();
        encode(Kind::NatEvent, &NatEvent::batch(&rows), &mut bytes);
        prop_assert_eq!(NatEvent::rows(&decode(&bytes).unwrap().1), rows);
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), code in 1u16..11) {
        let mut bytes = bytes;
        if bytes.len() > 8 {
            let rows = bytes[4] % 16;
            bytes[..8].copy_from_slice(&[code as u8, 0, 1, FORM, rows, 0, 0, 0]);
        }
        let _ = decode(&bytes);
    }
}

fn vector(hex: &str) -> Vec<u8> {
    let hex: String = hex.lines().filter_map(|line| line.split('#').next()).flat_map(str::split_whitespace).collect();
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// One batch whose columns take each encoding, byte by byte; and what is refused of it.
#[test]
fn a_batch_has_these_bytes() {
    let bytes = vector(include_str!("../testdata/batch.hex"));
    let id = |n: u8| Id([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, n]);
    let rows = [(1_000, 0xff, "a"), (1_300, 0, ""), (1_001, 1, "xyz")];
    let rows: Vec<MaintenanceText> = rows
        .into_iter()
        .zip(0u8..)
        .map(|((time, source, text), n)| MaintenanceText { time: Millis(time), id: id(n), source, bytes: text.into() })
        .collect();
    let mut written = Vec::new();
    encode(Kind::MaintenanceText, &MaintenanceText::batch(&rows), &mut written);
    assert_eq!(written, bytes);
    let (kind, batch, rest) = decode(&bytes).unwrap();
    assert_eq!((kind, MaintenanceText::rows(&batch), rest), (Kind::MaintenanceText, rows, &[][..]));
    let refused = |at: usize, byte: u8| {
        let mut bad = bytes.clone();
        bad[at] = byte;
        decode(&bad).unwrap_err().0
    };
    assert_eq!(refused(3, 0), "another version of the form of batches");
    assert_eq!(refused(3, 3), "another version of the form of batches");
    assert_eq!(refused(3, 2), "the texts it is told by are not there");
    for (column, encodings) in [(8, [V4, STEPS, 5]), (25, [NEAR, 5, 255]), (43, [V4, STEPS, 5]), (53, [V4, STEPS, 5])] {
        encodings.iter().for_each(|encoding| assert_eq!(refused(column, *encoding), UNKNOWN.0, "{column} {encoding}"));
    }
    assert_eq!(refused(9, 2), UNKNOWN.0);
    for width in [0, 3, 5, 8, 255] {
        assert_eq!(refused(10, width), "a number has an unknown width");
    }
    // The least length: 2,147,483,647, and three more.
    let mut bad = bytes.clone();
    bad[56..60].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
    assert_eq!(decode(&bad).unwrap_err().0, "the texts of a column are too long");
}

/// Ids that count up, and numbers at the edges of each width.
#[test]
fn what_is_near_takes_little() {
    let row = |n: u64, id: u128, octets: u64| RadiusSession {
        session: Id(id.to_be_bytes()),
        time: Millis(i64::MIN.wrapping_add_unsigned(octets)),
        input_octets: Some(octets),
        nas_port: Some(n as u32),
        ..RadiusSession::default()
    };
    let mut before = 0;
    for most in [0, 1, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, u64::MAX] {
        let rows: Vec<_> = (0..5).map(|n| row(n, u128::MAX.wrapping_add(n.into()), if n == 3 { most } else { 0 })).collect();
        let mut bytes = Vec::new();
        encode(Kind::RadiusSession, &RadiusSession::batch(&rows), &mut bytes);
        assert_eq!(RadiusSession::rows(&decode(&bytes).unwrap().1), rows);
        assert!(bytes.len() >= before, "{most}");
        before = bytes.len();
    }
}

#[test]
fn slices_are_encoded_from_their_own_start() {
    let rows: Vec<_> =
        (0..10u16).map(|i| NatEvent { public_port: i, public_address: Addr16::v4([1, 2, 3, i as u8]), ..NatEvent::default() }).collect();
    let sliced = NatEvent::batch(&rows).slice(3, 4);
    let mut bytes = Vec::new();
    encode(Kind::NatEvent, &sliced, &mut bytes);
    assert_eq!(NatEvent::rows(&decode(&bytes).unwrap().1), rows[3..7]);
}

fn texts(lines: &[&[u8]]) -> RecordBatch {
    MaintenanceText::batch(&lines.iter().map(|line| MaintenanceText { bytes: line.to_vec(), ..Default::default() }).collect::<Vec<_>>())
}

fn shown(lines: &[&str]) -> RecordBatch {
    Maintenance::batch(&lines.iter().map(|line| Maintenance { line: (*line).to_owned(), ..Default::default() }).collect::<Vec<_>>())
}

/// Lines that end as they came, byte by byte; and what is refused of it.
#[test]
fn lines_beside_what_came_have_these_bytes() {
    let came = texts(&[b"<13>one two", b"<13>user=bob", b"<13>\xd3\xc3", b"<13>three"]);
    let lines = shown(&["one two", "user=[1]", "\u{7528}", "[1] three"]);
    let bytes = vector(include_str!("../testdata/tails.hex"));
    let mut written = Vec::new();
    encode_beside(Kind::Maintenance, &lines, Some(&came), &mut written);
    assert_eq!(written, bytes, "{written:02x?}");
    assert_eq!(decode_beside(&bytes, Some(&came)).unwrap(), (Kind::Maintenance, lines.clone(), &[][..]));
    // Written without, it is of the form of all others.
    let mut alone = Vec::new();
    encode(Kind::Maintenance, &lines, &mut alone);
    assert_eq!((alone[3], decode_beside(&alone, Some(&came)).unwrap().1), (FORM, lines));
    for other in [None, Some(came.slice(0, 3)), Some(shown(&["", "", "", ""]))] {
        assert_eq!(decode_beside(&bytes, other.as_ref()).unwrap_err().0, "the texts it is told by are not there");
    }
    let short = texts(&[b"two", b"", b"", b""]);
    assert_eq!(decode_beside(&bytes, Some(&short)).unwrap_err().0, "a text ends with more bytes than its line has");
    let other = texts(&[b"\xffne two", b"", b"", b"three"]);
    assert_eq!(decode_beside(&bytes, Some(&other)).unwrap_err().0, "text is not UTF-8");
    (0..bytes.len()).for_each(|cut| assert!(decode_beside(&bytes[..cut], Some(&came)).is_err(), "cut at {cut}"));
    let mut plain = bytes;
    plain[3] = FORM;
    assert_eq!(decode_beside(&plain, Some(&came)).unwrap_err(), UNKNOWN);
}

proptest! {
    #[test]
    fn lines_come_back_beside_what_came(
        lines in proptest::collection::vec(("[a-z\u{6237} ]{0,30}", "[a-z ]{0,3}", proptest::collection::vec(any::<u8>(), 0..4), 0usize..40), 0..40),
        cut in any::<prop::sample::Index>(),
        wrong in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let came: Vec<Vec<u8>> = lines.iter().map(|(text, _, head, _)| [head, text.as_bytes()].concat()).collect();
        let came = texts(&came.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let end = |text: &str, from: usize| text.chars().skip(from).collect::<String>();
        let lines: Vec<String> = lines.iter().map(|(text, other, _, from)| format!("{other}{}", end(text, *from))).collect();
        let lines = shown(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        // From the middle of their buffers.
        let from = cut.index(lines.num_rows() + 1);
        let [came, lines] = [came, lines].map(|batch| batch.slice(from, batch.num_rows() - from));
        let (mut beside, mut alone) = (Vec::new(), Vec::new());
        encode_beside(Kind::Maintenance, &lines, Some(&came), &mut beside);
        encode(Kind::Maintenance, &lines, &mut alone);
        prop_assert!(beside.len() < alone.len() || beside == alone, "{} {}", beside.len(), alone.len());
        beside.push(9);
        prop_assert_eq!(decode_beside(&beside, Some(&came)).unwrap(), (Kind::Maintenance, lines, &[9][..]));
        // The rows are left as they are: a column of equal values takes no bytes for each.
        wrong.iter().map(|(at, byte)| (8 + at.index(beside.len() - 8), byte)).collect::<Vec<_>>().into_iter().for_each(|(at, byte)| beside[at] = *byte);
        if let Ok((_, rows, _)) = decode_beside(&beside, Some(&came)) {
            prop_assert_eq!(rows.num_rows(), came.num_rows());
        }
    }
}
