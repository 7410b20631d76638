use std::collections::HashMap;
use std::net::Ipv4Addr;

use super::*;
use crate::network::Network;
use crate::plan::{Plan, Profile};
use crate::world::event::Status;

const SECRET: &[u8] = b"testing123";
const BASE: i64 = 1_795_312_700_000;

fn vectors() -> HashMap<&'static str, Vec<u8>> {
    let mut out: HashMap<&str, Vec<u8>> = HashMap::new();
    for line in include_str!("testdata/requests.hex").lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some((name, hex)) = line.split_once(' ') else { continue };
        let digits: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let bytes = digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        out.entry(name).or_default().extend(bytes);
    }
    out
}

fn request(status: Status, at: i64, delay_s: u32) -> Accounting {
    let login = Login {
        account: "home0001@home.example".into(),
        caller: "999010000001".into(),
        called: "pppoe-home".into(),
        session: "0100000001".into(),
        nas_port: 2,
        framed: Some(Ipv4Addr::new(100, 64, 0, 3)),
        plain: false,
        prefix: (status == Status::Start).then(|| "2001:db8:0:1::/64".parse().unwrap()),
        delegated: (status == Status::Start).then(|| "2001:db8:800:100::/56".parse().unwrap()),
        start: 100_123,
    };
    Accounting { status, at, delay_s, login: Some(login), octets_in: 5, octets_out: (5 << 32) + 7, cause: if delay_s == 0 { 4 } else { 0 } }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn requests_match_the_worked_out_bytes() {
    let realm = Network::of(&Plan::new(Profile::Small, 1)).unwrap().realms.remove(0);
    let vectors = vectors();
    let start = encode(&realm, &request(Status::Start, 100_123, 2), 7, BASE, SECRET);
    assert_eq!(hex(&start.bytes), hex(&vectors["start"]));
    assert_eq!(start.authenticator, start.bytes[4..20]);
    let stop = encode(&realm, &request(Status::Stop, 160_200, 0), 8, BASE, SECRET);
    assert_eq!(hex(&stop.bytes), hex(&vectors["stop"]));
    assert_eq!(encode(&realm, &request(Status::Stop, 160_200, 0), 8, BASE, SECRET), stop);
    assert_ne!(encode(&realm, &request(Status::Stop, 160_200, 0), 8, BASE, b"other").authenticator, stop.authenticator);
}

#[test]
fn accounting_on_has_no_subscriber() {
    let realm = Network::of(&Plan::new(Profile::Small, 1)).unwrap().realms.remove(0);
    let on = Accounting { login: None, ..request(Status::On, 1, 0) };
    let bytes = encode(&realm, &on, 0, BASE, SECRET).bytes;
    let mut kinds = Vec::new();
    let mut at = 20;
    while at < bytes.len() {
        kinds.push(bytes[at]);
        at += usize::from(bytes[at + 1]);
    }
    assert_eq!(kinds, [40, 55, 41, 4, 32, 44, 80]);
    assert_eq!(at, bytes.len());
}

#[test]
fn responses_are_believed_only_with_their_authenticators() {
    let v = vectors();
    let mut authenticator = [0u8; 16];
    authenticator.copy_from_slice(&v["start"][4..20]);
    let other = [7u8; 16];
    let changed = |name: &str, at: usize| {
        let mut bytes = v[name].clone();
        bytes[at] ^= 1;
        bytes
    };
    let long = [v["response"].clone(), vec![0; 9]].concat();
    type Case<'c> = (&'c str, &'c [u8], &'c [u8; 16], &'c [u8], Result<(), BadResponse>);
    let cases: [Case<'_>; 10] = [
        ("plain", &v["response"], &authenticator, SECRET, Ok(())),
        ("padded", &long, &authenticator, SECRET, Ok(())),
        ("signed", &v["signed"], &authenticator, SECRET, Ok(())),
        ("wrong Message-Authenticator", &v["missigned"], &authenticator, SECRET, Err(BadResponse::Authenticator)),
        ("another request's", &v["response"], &other, SECRET, Err(BadResponse::Authenticator)),
        ("another secret", &v["response"], &authenticator, b"x", Err(BadResponse::Authenticator)),
        ("another code", &changed("response", 0), &authenticator, SECRET, Err(BadResponse::Malformed)),
        ("a changed authenticator", &changed("response", 9), &authenticator, SECRET, Err(BadResponse::Authenticator)),
        ("cut", &v["response"][..19], &authenticator, SECRET, Err(BadResponse::Malformed)),
        ("empty", &[], &authenticator, SECRET, Err(BadResponse::Malformed)),
    ];
    for (name, packet, request, secret, expected) in cases {
        assert_eq!(check_response(packet, request, secret), expected, "{name}");
    }
}

#[test]
fn hmac_matches_rfc_2202() {
    let cases: [(&[u8], &[u8], &str); 3] = [
        (&[0x0b; 16], b"Hi There", "9294727a3638bb1c13f48ef8158bfc9d"),
        (b"Jefe", b"what do ya want for nothing?", "750c783e6ab0b503eaa86e310a5db738"),
        (&[0xaa; 80], b"Test Using Larger Than Block-Size Key - Hash Key First", "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"),
    ];
    for (key, message, expected) in cases {
        assert_eq!(hex(&hmac_md5(key, message)), expected);
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_no_response_but_never_a_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        proptest::prop_assert!(check_response(&bytes, &[0; 16], SECRET).is_err());
    }
}
