//! The whole source over real sockets, with a sink in memory.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;

use weir_base::clock::{Clock, SystemClock};
use weir_base::task::{Stop, Tasks};
use weir_record::kinds::{Authentication, Gap, IdType, Maintenance, MaintenanceText, Malformed, NatEvent, RadiusSession, line_flags};
use weir_record::sink::{RecordSink, SubjectIds};

use super::super::config::Config;
use super::super::server::{Needs, Server};
use crate::testing::{CountingIds, MemorySink, Mode};

struct Rig {
    sink: Arc<MemorySink>,
    ids: Arc<CountingIds>,
    server: Server,
    tasks: Tasks,
}

impl Rig {
    fn start(sink: &Arc<MemorySink>, more: &str) -> Rig {
        let any = "[\"127.0.0.1:0\"]";
        let text = format!("listen = {any}\nlisten_tcp = {any}\nlisten_relp = {any}\n{more}");
        let settings = toml::from_str::<Config>(&text).unwrap().check().unwrap();
        let ids = CountingIds::new();
        let tasks = Tasks::new(Stop::new(), |ended| assert!(ended.panic.is_none(), "{ended:?}"));
        let (dyn_sink, dyn_ids): (Arc<dyn RecordSink>, Arc<dyn SubjectIds>) = (sink.clone(), ids.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let server = Server::start(settings, &Needs { sink: &dyn_sink, ids: &dyn_ids, clock: &clock, key: None, tasks: &tasks }).unwrap();
        Rig { sink: sink.clone(), ids, server, tasks }
    }

    fn udp(&self, lines: &[&[u8]]) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for line in lines {
            socket.send_to(line, self.server.udp[0]).unwrap();
        }
    }

    fn stop(self) -> Arc<MemorySink> {
        self.tasks.stop().raise();
        self.tasks.join();
        self.sink
    }
}

fn connect(to: SocketAddr) -> TcpStream {
    TcpStream::connect(to).unwrap()
}

fn answers(stream: &mut TcpStream, n: usize) -> Vec<String> {
    let mut text = String::new();
    let mut byte = [0];
    let mut lines = Vec::new();
    while lines.len() < n {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "closed after {lines:?}");
        match byte[0] {
            b'\n' => lines.push(std::mem::take(&mut text)),
            b => text.push(char::from(b)),
        }
    }
    lines
}

#[test]
fn lines_are_kept_redacted_and_understood() {
    let rig = Rig::start(&MemorySink::new(), "[[senders]]\naddresses = [\"127.0.0.1\"]\nname = \"box\"\nrealm = \"lab\"\n");
    let (gb, _, _) = encoding_rs::GB18030.encode("<13>Nov 22 10:00:00 h app: 用户名=张三 来自 192.0.2.9");
    rig.udp(&[
        b"<38>Nov 22 10:00:00 web-1 sshd[7]: Accepted password for alice from 192.0.2.7 port 50112 ssh2\n",
        &gb,
        b"nothing anybody knows about bob@example.org",
    ]);
    let lines = rig.sink.wait_rows::<Maintenance>(3);
    let line = |start: &str| lines.iter().find(|l| l.line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {lines:#?}"));
    let accepted = line("Accepted");
    assert_eq!(accepted.line, "Accepted password for <USER1> from <ADDR1> port 50112 ssh2");
    assert_eq!((accepted.host.as_deref(), accepted.app.as_deref(), accepted.procid.as_deref()), (Some("web-1"), Some("sshd"), Some("7")));
    assert_eq!((accepted.dialect.as_deref(), accepted.event.as_deref()), (Some("linux"), Some("sign-in")));
    assert_eq!((accepted.facility, accepted.severity), (4, 6));
    assert_eq!(line("用户名").line, "用户名=<USER1> 来自 <ADDR1>");
    assert_ne!(line("用户名").flags & line_flags::GB18030, 0);
    let unknown = line("nothing");
    assert_eq!((unknown.line.as_str(), unknown.dialect.as_deref()), ("nothing anybody knows about <MAIL1>", None));
    assert_eq!(unknown.flags, line_flags::ARRIVAL);
    let texts = rig.sink.rows::<MaintenanceText>();
    assert!(texts.iter().any(|t| t.id == accepted.text && t.bytes.starts_with(b"<38>Nov 22") && t.bytes.ends_with(b"ssh2")));
    assert!(texts.iter().any(|t| t.bytes == gb.as_ref()), "the bytes are kept as they came");
    let auth = rig.sink.rows::<Authentication>();
    assert_eq!(auth.len(), 1);
    assert_eq!((auth[0].account, auth[0].action), (Some(rig.ids.id(IdType::Account, "alice")), 1));
    assert_eq!((auth[0].address.map(|a| a.to_string()).as_deref(), auth[0].port), (Some("192.0.2.7"), Some(50_112)));
    assert_eq!((auth[0].service.as_str(), auth[0].line), ("sshd", Some(accepted.text)));
    let (_, handle) = rig.sink.sources().into_iter().find(|(d, _)| d.name == "box").unwrap();
    let sink = rig.stop();
    let counters = handle.counters.lock().unwrap().clone();
    assert_eq!((counters.messages, counters.unrecognised, counters.records), (3, 2, 4));
    assert_eq!(sink.rows::<Maintenance>().len(), 3);
}

#[test]
fn nat_lines_and_leases_become_events_and_sessions() {
    let rig = Rig::start(&MemorySink::new(), "");
    rig.udp(&[
        b"<134>1 2026-11-22T10:00:00+08:00 h cgn - NAT444 - SessionbasedA 6 100.64.0.9 - - 203.0.113.5 50000 1024 - - -",
        b"<30>Nov 22 10:00:00 h dnsmasq-dhcp[1]: DHCPACK(eth0) 192.168.1.9 00:11:22:33:44:55 phone",
        b"<30>Nov 22 10:00:00 h dnsmasq-dhcp[1]: DHCPRELEASE(eth0) 192.168.1.9 00:11:22:33:44:55",
    ]);
    rig.sink.wait_rows::<Maintenance>(3);
    let nat = rig.sink.rows::<NatEvent>();
    assert_eq!(nat.len(), 1);
    assert_eq!((nat[0].public_port, nat[0].inside_port, nat[0].protocol), (1024, 50_000, 6));
    let sessions = rig.sink.rows::<RadiusSession>();
    assert_eq!(sessions.iter().map(|s| (s.status, s.caller)).collect::<Vec<_>>(), {
        let holder = Some(rig.ids.id(IdType::Hardware, "00:11:22:33:44:55"));
        [(1, holder), (2, holder)]
    });
    let lease = rig.sink.rows::<Maintenance>().into_iter().find(|l| l.line.contains("DHCPACK")).unwrap();
    assert_eq!(lease.line, "DHCPACK(eth0) <ADDR1> <MAC1> <USER1>");
    rig.stop();
}

#[test]
fn both_framings_and_a_line_without_an_end() {
    let rig = Rig::start(&MemorySink::new(), "");
    let to = rig.server.tcp[0];
    let mut newline = connect(to);
    newline.write_all(b"<13>one\n<13>two\n<13>no end").unwrap();
    drop(newline);
    let mut counted = connect(to);
    counted.write_all(b"8 <13>four10 <13>f\nive!").unwrap();
    drop(counted);
    let lines = rig.sink.wait_rows::<Maintenance>(5);
    let mut texts: Vec<String> = lines.into_iter().map(|l| l.line).collect();
    texts.sort();
    assert_eq!(texts, ["f ive!", "four", "no end", "one", "two"]);
    rig.stop();
}

#[test]
fn relp_is_answered_after_durability_only() {
    let sink = MemorySink::new();
    let rig = Rig::start(&sink, "");
    let mut stream = connect(rig.server.relp[0]);
    stream.write_all(b"1 open 15 relp_version=0\n\n").unwrap();
    assert_eq!(answers(&mut stream, 4)[0], format!("1 rsp {} 200 OK", super::super::relp::OFFERS.len()));
    // The sender is registered, and its first line kept, before groups are held back.
    stream.write_all(b"2 syslog 8 <13>zero\n").unwrap();
    assert_eq!(answers(&mut stream, 1), ["2 rsp 6 200 OK"]);
    sink.mode(Mode::Hold);
    stream.write_all(b"3 syslog 7 <13>one\n4 syslog 7 <13>two\n").unwrap();
    sink.wait_held(1);
    stream.set_nonblocking(true).unwrap();
    let mut byte = [0];
    assert_eq!(stream.read(&mut byte).unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nothing is answered before it is durable");
    stream.set_nonblocking(false).unwrap();
    sink.mode(Mode::Keep);
    sink.release();
    let mut got = answers(&mut stream, 2);
    got.sort();
    assert_eq!(got, ["3 rsp 6 200 OK", "4 rsp 6 200 OK"]);
    stream.write_all(b"5 close 0\n").unwrap();
    assert_eq!(answers(&mut stream, 1), ["5 rsp 0"]);
    assert_eq!(rig.stop().rows::<Maintenance>().len(), 3);
}

#[test]
fn what_the_disk_had_no_room_for_is_kept_later_and_answered_then() {
    let sink = MemorySink::new();
    let rig = Rig::start(&sink, "");
    let mut stream = connect(rig.server.relp[0]);
    stream.write_all(b"1 open 15 relp_version=0\n\n2 syslog 8 <13>zero\n").unwrap();
    assert_eq!(answers(&mut stream, 5)[4], "2 rsp 6 200 OK");
    sink.mode(Mode::Full);
    stream.write_all(b"3 syslog 7 <13>one\n").unwrap();
    sink.wait_refused(2);
    sink.mode(Mode::Keep);
    assert_eq!(answers(&mut stream, 1), ["3 rsp 6 200 OK"]);
    assert_eq!(rig.stop().rows::<Maintenance>().len(), 2);
}

#[test]
fn a_line_sent_again_after_a_cut_connection_is_kept_and_marked() {
    let rig = Rig::start(&MemorySink::new(), "");
    let nat = "<134>1 2026-11-22T10:00:00+08:00 h cgn - NAT444 - SessionbasedA 6 100.64.0.9 - - 203.0.113.5 50000 1024 - - -\n";
    let mut first = connect(rig.server.tcp[0]);
    first.write_all(format!("<13>a\n{nat}<13>b\n").as_bytes()).unwrap();
    rig.sink.wait_rows::<Maintenance>(3);
    drop(first);
    let mut second = connect(rig.server.tcp[0]);
    second.write_all(b"<13>b\n<13>c\n<13>c\n").unwrap();
    let lines = rig.sink.wait_rows::<Maintenance>(6);
    let marked: Vec<&str> = lines.iter().filter(|l| l.flags & line_flags::PERHAPS_DOUBLE != 0).map(|l| l.line.as_str()).collect();
    assert_eq!(marked, ["b"], "what is said twice on purpose is not marked");
    // It had told of NAT events: what it may have said while nobody listened is a gap.
    let gaps = rig.stop().rows::<Gap>();
    assert_eq!(gaps.iter().map(|g| g.reason.as_str()).collect::<Vec<_>>(), ["connection-ended"]);
}

#[test]
fn strangers_and_what_is_no_frame_are_recorded() {
    let rig = Rig::start(&MemorySink::new(), "[[senders]]\naddresses = [\"192.0.2.1\"]\n");
    rig.udp(&[b"<13>hello"]);
    let bad = rig.sink.wait_rows::<Malformed>(1);
    assert_eq!((bad[0].reason.as_str(), bad[0].source), ("syslog.unknown-sender", 0));
    assert!(rig.stop().rows::<Maintenance>().is_empty());
    let rig = Rig::start(&MemorySink::new(), "");
    let mut stream = connect(rig.server.tcp[0]);
    stream.write_all(b"6 <13>ok99999999 x").unwrap();
    let bad = rig.sink.wait_rows::<Malformed>(1);
    assert_eq!(bad[0].reason, "syslog.octet-count");
    // What was read behind the last frame is kept, as a line that is cut.
    let kept: Vec<String> = rig.stop().rows::<Maintenance>().into_iter().map(|m| m.line).collect();
    assert_eq!(kept, ["ok", "99999999 x"]);
}

#[test]
fn a_stream_that_could_not_be_framed_is_no_trouble_any_more_once_a_newer_one_can() {
    let rig = Rig::start(&MemorySink::new(), "");
    let trouble = || rig.sink.sources()[0].1.counters.lock().unwrap().trouble.clone();
    let mut old = connect(rig.server.tcp[0]);
    old.write_all(b"<13>a\n").unwrap();
    rig.sink.wait_rows::<Maintenance>(1);
    assert_eq!(trouble(), None);
    connect(rig.server.tcp[0]).write_all(b"6 <13>ok99999999 x").unwrap();
    rig.sink.wait_rows::<Malformed>(1);
    let first = trouble().unwrap();
    assert!(first.contains("sent what is no frame") && first.contains("(last at 20"), "{first}");
    // What comes over an older connection says nothing of how the sender frames now, nor is one that cannot be framed any better.
    old.write_all(b"<13>b\n").unwrap();
    rig.sink.wait_rows::<Maintenance>(4);
    assert_eq!(trouble(), Some(first));
    connect(rig.server.tcp[0]).write_all(b"6 <13>ok99999999 y").unwrap();
    rig.sink.wait_rows::<Malformed>(2);
    rig.sink.wait_rows::<Maintenance>(6);
    assert!(trouble().is_some());
    connect(rig.server.tcp[0]).write_all(b"<13>c\n").unwrap();
    rig.sink.wait_rows::<Maintenance>(7);
    assert_eq!(trouble(), None);
    rig.stop();
}

#[test]
fn an_operators_dialect_is_used_and_a_wrong_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("door.toml");
    std::fs::write(
        &file,
        "name = \"door\"\ntitle = \"doors\"\n[[rule]]\nevent = \"sign-in\"\nkeys = [\"door\"]\nmatch = \"opened by {account}\"\n",
    )
    .unwrap();
    let rig = Rig::start(&MemorySink::new(), &format!("dialects = [{file:?}]\n"));
    rig.udp(&[b"<13>Nov 22 10:00:00 h door: opened by carol"]);
    let auth = rig.sink.wait_rows::<Authentication>(1);
    assert_eq!((auth[0].dialect.as_str(), auth[0].account), ("door", Some(rig.ids.id(IdType::Account, "carol"))));
    rig.stop();
    std::fs::write(&file, "name = \"door\"\ntitle = \"doors\"\n[[rule]]\nevent = \"open\"\nmatch = \"x\"\n").unwrap();
    let problems = super::super::server::read_dialect(&file).unwrap_err();
    assert!(problems[0].contains("door.toml") && problems[0].contains("rule 1"), "{problems:?}");
}

#[test]
fn a_restarted_program_marks_what_it_had_answered_and_is_sent_again() {
    let sink = MemorySink::new();
    let rig = Rig::start(&sink, "");
    let mut stream = connect(rig.server.relp[0]);
    stream.write_all(b"1 open 15 relp_version=0\n\n2 syslog 7 <13>one\n3 syslog 7 <13>two\n").unwrap();
    assert_eq!(answers(&mut stream, 6).len(), 6);
    let sink = rig.stop();
    drop(stream);
    // The answer to the second line did not arrive, as far as the sender knows.
    let rig = Rig::start(&sink, "");
    let mut stream = connect(rig.server.relp[0]);
    stream.write_all(b"1 open 15 relp_version=0\n\n2 syslog 7 <13>two\n3 syslog 9 <13>three\n").unwrap();
    assert_eq!(answers(&mut stream, 6).len(), 6);
    let lines = rig.stop().rows::<Maintenance>();
    let marked: Vec<&str> = lines.iter().filter(|l| l.flags & line_flags::PERHAPS_DOUBLE != 0).map(|l| l.line.as_str()).collect();
    assert_eq!((lines.len(), marked), (4, vec!["two"]));
}

#[test]
fn a_stop_keeps_what_had_come_and_the_beginning_of_a_line() {
    let sink = MemorySink::new();
    let rig = Rig::start(&sink, "");
    let mut stream = connect(rig.server.tcp[0]);
    stream.write_all(b"<13>one\n").unwrap();
    sink.wait_rows::<Maintenance>(1);
    stream.write_all(b"<13>two\n<13>thr").unwrap();
    let lines: Vec<String> = rig.stop().rows::<Maintenance>().into_iter().map(|l| l.line).collect();
    assert_eq!(lines, ["one", "two", "thr"]);
}

/// Reason, source, start and end of every gap.
fn gaps(sink: &MemorySink) -> Vec<(String, u32, i64, i64)> {
    sink.rows::<Gap>().into_iter().map(|g| (g.reason, g.source, g.start.0, g.end.0)).collect()
}

#[test]
fn what_could_not_be_kept_before_a_stop_is_told_of_by_the_next_start() {
    let clock = SystemClock::new();
    let sink = MemorySink::new();
    let rig = Rig::start(&sink, "");
    let nat = b"<134>1 2026-11-22T10:00:00+08:00 h cgn - NAT444 - SessionbasedA 6 100.64.0.9 - - 203.0.113.5 50000 1024 - - -";
    rig.udp(&[nat]);
    sink.wait_rows::<Maintenance>(1);
    let kept = clock.now().0;
    sink.mode(Mode::Full);
    rig.udp(&[b"<13>one that finds no room"]);
    sink.wait_refused(2);
    let lost = clock.now().0;
    rig.stop();
    assert_eq!(gaps(&sink), [], "there is no room to record it");
    sink.mode(Mode::Keep);
    let begun = clock.now().0;
    let sink = Rig::start(&sink, "").stop();
    let told = gaps(&sink);
    let number = sink.sources()[0].1.number;
    assert_eq!(
        told.iter().map(|(reason, source, ..)| (reason.as_str(), *source)).collect::<Vec<_>>(),
        [("unclean-stop", 0), ("unclean-stop", number)]
    );
    assert!(told.iter().all(|(_, _, start, end)| *start <= kept && lost <= *end && *end >= begun), "{told:?}, {kept} {lost} {begun}");
    // That run stopped well: only what came over UDP while nobody listened may be missing.
    let stopped = clock.now().0;
    let sink = Rig::start(&sink, "").stop();
    let told = gaps(&sink).split_off(2);
    assert!(
        told.iter().all(|(reason, _, start, end)| reason == "stopped" && *start >= begun && *start <= stopped && *end >= stopped),
        "{told:?}"
    );
    assert_eq!(told.len(), 2);
    // One that is killed says nothing.
    let rig = Rig::start(&sink, "");
    rig.udp(&[b"<13>two"]);
    sink.wait_rows::<Maintenance>(2);
    let crashed = sink.crashed();
    rig.stop();
    let told = gaps(&Rig::start(&crashed, "").stop()).split_off(6);
    assert!(told.len() == 2 && told.iter().all(|(reason, ..)| reason == "unclean-stop"), "{told:?}");
}

#[test]
fn a_line_sent_again_before_the_end_of_the_old_connection_is_seen_is_marked() {
    let rig = Rig::start(&MemorySink::new(), "");
    let session = b"1 open 15 relp_version=0\n\n2 syslog 7 <13>one\n3 syslog 7 <13>two\n";
    let mut first = connect(rig.server.relp[0]);
    first.write_all(session).unwrap();
    assert_eq!(answers(&mut first, 6).len(), 6);
    // The sender has heard nothing of its lines and comes back; its old connection hangs.
    let mut second = connect(rig.server.relp[0]);
    second.write_all(session).unwrap();
    assert_eq!(answers(&mut second, 6).len(), 6);
    let lines = rig.sink.rows::<Maintenance>();
    let marked: Vec<&str> = lines.iter().filter(|l| l.flags & line_flags::PERHAPS_DOUBLE != 0).map(|l| l.line.as_str()).collect();
    assert_eq!((lines.len(), marked), (4, vec!["one", "two"]));
    rig.stop();
}

#[test]
fn a_public_address_outside_the_pools_makes_no_event() {
    let rig = Rig::start(&MemorySink::new(), "[[senders]]\naddresses = [\"127.0.0.1\"]\nname = \"cgn\"\npools = [\"203.0.113.0/28\"]\n");
    rig.udp(&[b"<134>1 2026 Nov 22 10:00:00 crs - - NAT44 - [UserbasedA - 10.0.0.8 v - 203.0.113.9 - 1024 1151 - -][UserbasedA - 10.0.0.7 v - 198.51.100.9 - 1024 1151 - -]"]);
    rig.sink.wait_rows::<NatEvent>(1);
    let (_, handle) = rig.sink.sources().into_iter().find(|(d, _)| d.name == "cgn").unwrap();
    let nat = rig.stop().rows::<NatEvent>();
    assert_eq!(nat.iter().map(|e| e.inside_address.to_string()).collect::<Vec<_>>(), ["10.0.0.8"]);
    assert_eq!(handle.counters.lock().unwrap().unrecognised, 1, "the other entry is counted");
}

#[test]
fn open_mappings_outlive_a_restart() {
    let sink = MemorySink::new();
    let more = "[[remotes]]\nfrom = \"2020-01-01\"\npolicy = \"keep\"\n[[senders]]\naddresses = [\"127.0.0.1\"]\nname = \"ros\"\n";
    let line = |inside: &str, remote: &str| {
        format!(
            "firewall,info srcnat: in:b out:e, connection-state:new, proto TCP, {inside}:5000->{remote}:443, NAT ({inside}:5000->203.0.113.9:5000)->{remote}:443, len 60"
        )
    };
    let rig = Rig::start(&sink, more);
    rig.udp(&[line("10.0.0.8", "192.0.2.1").as_bytes(), line("10.0.0.8", "192.0.2.2").as_bytes()]);
    sink.wait_rows::<NatEvent>(2);
    let sink = rig.stop();
    let rig = Rig::start(&sink, more);
    rig.udp(&[line("10.0.0.9", "192.0.2.1").as_bytes()]);
    sink.wait_rows::<NatEvent>(5);
    let mut ended: Vec<(String, String)> = Vec::new();
    for e in rig.stop().rows::<NatEvent>().into_iter().filter(|e| e.action == 3) {
        ended.push((e.inside_address.to_string(), e.remote_address.to_string()));
    }
    ended.sort();
    let eight = |remote: &str| ("10.0.0.8".to_owned(), remote.to_owned());
    assert_eq!(ended, [eight("192.0.2.1"), eight("192.0.2.2")], "each remote's mapping ends, told by the run after");
}
