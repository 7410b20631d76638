//! What is answered is kept, whatever happens next.

use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::common::{Running, at, have, ledger, now_ms, radclient};

/// Stands between radclient and the program and keeps what it sent, byte by byte.
fn overheard(running: &Running, attributes: &str) -> Vec<u8> {
    let middle = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (at, to) = (middle.local_addr().unwrap(), running.port("radius"));
    let relay = thread::spawn(move || {
        let mut packet = vec![0; 4096];
        let (n, from) = middle.recv_from(&mut packet).unwrap();
        packet.truncate(n);
        let answer = exchange(&packet, to).expect("the program answers");
        middle.send_to(&answer, from).unwrap();
        packet
    });
    assert!(radclient(at, &running.data.join("radius.secret"), attributes));
    relay.join().unwrap()
}

/// Sends a packet and waits for its answer.
fn exchange(packet: &[u8], to: std::net::SocketAddr) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.send_to(packet, to).unwrap();
    let mut answer = vec![0; 4096];
    let n = socket.recv(&mut answer).ok()?;
    answer.truncate(n);
    Some(answer)
}

#[test]
fn a_retransmission_after_a_kill_is_answered_and_is_no_second_login() {
    if !have("radclient", "a retransmission across a crash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let start = "Acct-Session-Id = \"s-1\", User-Name = \"alice\", NAS-IP-Address = 192.0.2.1, Framed-IP-Address = 203.0.113.7, \
                 Acct-Status-Type = Start\n";
    let packet = overheard(&running, start);
    running.kill();
    let again = Running::minimal(dir.path());
    let answer = exchange(&packet, again.port("radius")).expect("the retransmission is answered");
    assert_eq!((answer[0], answer[1]), (5, packet[1]), "Accounting-Response with the request's identifier");
    assert_eq!(again.records("radius_session").len(), 1, "the login is there, once");
}

#[test]
fn an_answer_that_was_seen_is_in_the_ledger_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=5 {
        assert_eq!(ledger(dir.path()).iter().filter(|r| r["act"] == "lookup").count(), round - 1);
        let running = Running::minimal(dir.path());
        let question = json!({ "public": "198.18.0.9:4242", "protocol": "udp", "at": at(now_ms() - 5_000) });
        let answer = running.socket().call(json!({ "id": 1, "op": "lookup", "question": question, "purpose": "drill" }));
        assert_eq!(answer["ok"]["answer"], json!("none"));
        running.kill();
    }
}
