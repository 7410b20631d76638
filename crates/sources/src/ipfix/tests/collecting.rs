//! The collector: templates and sequence over time, what waits, what is kept for the next run, who may send.

use std::net::SocketAddr;

use weir_base::crypto::{Mac, Secret};
use weir_base::net::Addr16;
use weir_base::task::lock;
use weir_base::time::Millis;

use super::super::collector::{Collector, Transport};
use super::super::config::{ClockMode, Settings};
use super::super::limits::{MALFORMED_PER_MINUTE, PENDING_MS};
use super::super::normalise::{RemotePolicy, Remotes, fingerprint};
use super::super::parser::Version;
use super::super::prepared::{MemoryRegister, decode_many, loopback, loopback_settings};
use super::super::profile::Profile;
use super::super::testing::{Bench, NAT44, Rows, T0, hex, ipfix, nat44, set, template_set, v9};
use super::decoding::words;

const T0_MS: i64 = T0 as i64 * 1000;

fn at(ms: i64) -> Millis {
    Millis(T0_MS + ms)
}

fn template() -> Vec<u8> {
    template_set(Version::Ipfix, 256, NAT44)
}

fn data(n: u16) -> Vec<u8> {
    set(256, &nat44(4, T0_MS as u64, n))
}

fn ports(rows: &Rows) -> Vec<u16> {
    rows.events.iter().map(|e| e.public_port - 1024).collect()
}

#[test]
fn sets_wait_for_their_template() {
    let mut b = Bench::new(Profile::Rfc8158);
    b.feed(at(0), &ipfix(T0, 0, 1, &[data(1)]));
    b.feed(at(1_000), &ipfix(T0 + 1, 1, 1, &[data(2)]));
    assert!(b.rows.events.is_empty() && b.rows.malformed.is_empty());
    b.feed(at(2_000), &ipfix(T0 + 2, 2, 1, &[template(), data(3)]));
    assert_eq!(ports(&b.rows), [1, 2, 3]);
    b.stop(at(3_000));
    assert!(b.rows.gaps.is_empty(), "{:?}", b.rows.gaps);
}

#[test]
fn a_template_that_never_comes_is_a_gap_and_a_raw_copy() {
    let mut b = Bench::new(Profile::Rfc8158);
    b.feed(at(0), &ipfix(T0, 0, 1, &[data(1)]));
    b.tick(at(PENDING_MS - 1));
    assert!(b.rows.gaps.is_empty());
    b.tick(at(PENDING_MS));
    b.tick(at(PENDING_MS + 1_000));
    let gaps: Vec<_> = b.rows.gaps.iter().map(|g| (g.reason.as_str(), g.lost, g.start, g.end, g.unit.as_str())).collect();
    assert_eq!(gaps, [("unknown-template", None, at(0), at(999), "records")]);
    assert_eq!(
        b.rows.raw.iter().map(|r| (r.reason.as_str(), r.bytes.clone())).collect::<Vec<_>>(),
        [("unknown-template", data(1)[4..].to_vec())]
    );
    // Too late now.
    b.feed(at(PENDING_MS + 2_000), &ipfix(T0 + 1_900, 1, 1, &[template()]));
    assert!(b.rows.events.is_empty());
}

#[test]
fn a_template_means_what_it_meant_where_the_data_stood() {
    // The same number, first without and then with the destination, within one message.
    let short: Vec<_> = NAT44[..7].to_vec();
    let cut = |n| set(256, &nat44(4, T0_MS as u64, n)[..22]);
    let mut b = Bench::new(Profile::Rfc8158);
    b.feed(at(0), &ipfix(T0, 0, 1, &[template_set(Version::Ipfix, 256, &short), cut(1), template(), data(2)]));
    assert_eq!(ports(&b.rows), [1, 2]);
    // Withdrawn, then used: waits.
    b.feed(at(1), &ipfix(T0, 2, 1, &[hex("0002 0008 0100 0000"), data(3)]));
    assert_eq!(ports(&b.rows), [1, 2]);
    b.feed(at(2), &ipfix(T0, 3, 1, &[template()]));
    assert_eq!(ports(&b.rows), [1, 2, 3]);
    b.feed(at(3), &ipfix(T0, 3, 1, &[hex("0002 0008 0002 0000"), data(4)]));
    assert_eq!(ports(&b.rows), [1, 2, 3]);
}

#[test]
fn the_next_run_knows_templates_and_numbers() {
    let mut first = Bench::new(Profile::Rfc8158);
    first.feed(at(0), &ipfix(T0, 0, 1, &[template(), data(1)]));
    first.feed(at(0), &v9(10, T0, 5, 2, &[template_set(Version::V9, 256, NAT44), data(1)]));
    let stored = first.rows.stored();
    let mut next = Bench::new(Profile::Rfc8158);
    next.collector.restore(&stored, at(60_000)).unwrap();
    next.feed(at(60_000), &ipfix(T0 + 60, 4, 1, &[data(2)]));
    next.feed(at(60_000), &v9(60_010, T0 + 60, 6, 2, &[data(3)]));
    next.stop(at(60_001));
    assert_eq!(ports(&next.rows), [2, 3]);
    // Three records were sent while we were away; of the v9 exporter nothing is missing.
    // The event that came then lay a minute before its message: what was lost may be as old.
    let gaps: Vec<_> = next.rows.gaps.iter().map(|g| (g.source, g.lost, g.start, g.end, g.unit.as_str())).collect();
    assert_eq!(gaps, [(1, Some(3), at(-60_000), at(60_999), "records")]);
}

#[test]
fn what_waited_when_we_were_killed_is_a_gap() {
    let mut first = Bench::new(Profile::Rfc8158);
    first.feed(at(0), &ipfix(T0, 0, 1, &[template(), data(1)]));
    first.feed(at(5_000), &ipfix(T0 + 5, 1, 1, &[set(999, &[1, 2, 3])]));
    // No stop: the process was killed after this group.
    let mut next = Bench::new(Profile::Rfc8158);
    next.collector.restore(&first.rows.stored(), at(9_000)).unwrap();
    next.tick(at(9_000));
    next.drain();
    next.stop(at(9_001));
    let gaps: Vec<_> = next.rows.gaps.iter().map(|g| (g.reason.as_str(), g.lost, g.start, g.end)).collect();
    assert_eq!(gaps, [("unknown-template", None, at(5_000), at(5_999))]);
}

#[test]
fn damaged_state_is_learnt_anew() {
    let mut first = Bench::new(Profile::Rfc8158);
    first.feed(at(0), &ipfix(T0, 0, 1, &[template(), data(1)]));
    for (key, value) in first.rows.stored() {
        for cut in 0..value.len() {
            let state = [(key.clone(), value[..cut].to_vec())];
            assert_eq!(Bench::new(Profile::Rfc8158).collector.restore(&state, at(0)), Ok(()));
        }
        for cut in 0..key.len() {
            let state = [(key[..cut].to_vec(), value.clone())];
            assert_eq!(Bench::new(Profile::Rfc8158).collector.restore(&state, at(0)), Ok(()));
        }
    }
}

#[test]
fn after_a_restart_templates_are_learnt_anew() {
    let mut b = Bench::new(Profile::Rfc8158);
    b.feed(at(0), &ipfix(T0, 1_000, 1, &[template(), data(1)]));
    // The same number stands for another template now; records that come before it must not be read with the old one.
    b.feed(at(20_000), &ipfix(T0 + 20, 0, 1, &[data(2)]));
    assert_eq!(ports(&b.rows), [1]);
    b.feed(at(21_000), &ipfix(T0 + 21, 1, 1, &[template()]));
    assert_eq!(ports(&b.rows), [1, 2]);
    b.stop(at(22_000));
    let gaps: Vec<_> = b.rows.gaps.iter().map(|g| (g.reason.as_str(), g.lost, g.start, g.end)).collect();
    assert_eq!(gaps, [("exporter-restart", None, at(0), at(20_999))]);
}

#[test]
fn what_waited_before_a_restart_is_not_read_with_what_came_after_it() {
    let mut b = Bench::new(Profile::Rfc8158);
    b.feed(at(0), &ipfix(T0, 1_000, 1, &[data(1)]));
    b.feed(at(9_000), &ipfix(T0 + 9, 0, 1, &[template(), data(2)]));
    b.stop(at(10_000));
    assert_eq!(ports(&b.rows), [2]);
    let mut reasons: Vec<_> = b.rows.gaps.iter().map(|g| (g.reason.as_str(), g.lost)).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, [("exporter-restart", None), ("unknown-template", None)]);
    assert_eq!(b.rows.raw.len(), 1);
}

#[test]
fn a_late_set_that_waits_for_its_template_leaves_no_gap() {
    let mut b = Bench::new(Profile::Rfc8158);
    b.feed(at(0), &ipfix(T0, 0, 1, &[template(), data(1)]));
    // The third message overtakes the second, whose template comes last of all.
    b.feed(at(10), &ipfix(T0, 4, 1, &[data(5)]));
    let two = [nat44(4, T0_MS as u64, 2), nat44(4, T0_MS as u64, 3)].concat();
    b.feed(at(20), &ipfix(T0, 1, 1, &[set(300, &two), data(4)]));
    b.feed(at(30), &ipfix(T0, 5, 1, &[template_set(Version::Ipfix, 300, NAT44)]));
    b.stop(at(20_000));
    assert_eq!(b.rows.events.len(), 5);
    let left = b.rows.gaps.iter().max_by_key(|g| g.amendment).map(|g| g.lost);
    assert!(matches!(left, None | Some(Some(0))), "{:?}", b.rows.gaps);
}

#[test]
fn a_template_may_stand_behind_its_data() {
    let mut b = Bench::new(Profile::Rfc8158);
    b.feed(at(0), &ipfix(T0, 0, 1, &[data(1), template(), data(2)]));
    b.feed(at(10), &ipfix(T0, 2, 1, &[data(3)]));
    b.stop(at(20_000));
    assert_eq!(ports(&b.rows), [1, 2, 3]);
    assert_eq!((b.rows.gaps.len(), b.rows.raw.len()), (0, 0));
}

#[test]
fn evidence_stands_still_while_something_is_not_known() {
    let mut b = Bench::new(Profile::Rfc8158);
    let data = |s: u32, n: u16| set(256, &nat44(4, u64::from(T0 + s) * 1_000, n));
    let evidence = |b: &Bench| b.rows.evidence.last().map(|e| e.1.since(at(0)));
    b.feed(at(0), &ipfix(T0, 0, 1, &[template(), data(0, 1)]));
    assert_eq!(evidence(&b), Some(0));
    // A set waits: a delete may lie in it.
    b.feed(at(5_000), &ipfix(T0 + 5, 1, 1, &[set(300, &nat44(5, u64::from(T0 + 5) * 1_000, 1))]));
    b.feed(at(6_000), &ipfix(T0 + 6, 2, 1, &[data(6, 2)]));
    assert_eq!(evidence(&b), Some(0));
    b.feed(at(7_000), &ipfix(T0 + 7, 3, 1, &[template_set(Version::Ipfix, 300, NAT44)]));
    assert_eq!(evidence(&b), Some(7_000));
    // Two gaps within a second: the second one is not written yet.
    b.feed(at(8_000), &ipfix(T0 + 8, 5, 1, &[data(8, 3)]));
    assert_eq!((evidence(&b), b.rows.gaps.len()), (Some(8_000), 1));
    b.feed(at(8_500), &ipfix(T0 + 9, 8, 1, &[data(9, 4)]));
    assert_eq!((evidence(&b), b.rows.gaps.len()), (Some(8_000), 1));
    b.tick(at(9_100));
    b.feed(at(9_200), &ipfix(T0 + 10, 9, 1, &[data(10, 5)]));
    assert_eq!((evidence(&b), b.rows.gaps.len()), (Some(10_000), 2));
    // An event of seven seconds ago: what was sent until now proves nothing of these seconds.
    b.feed(at(14_000), &ipfix(T0 + 14, 10, 1, &[data(7, 6)]));
    assert_eq!(evidence(&b), Some(7_000));
}

#[test]
fn a_set_of_one_session_is_not_read_with_the_template_of_another() {
    let mut b = Bench::with(loopback_settings(), Transport::Tcp);
    b.collector.message(loopback(), 1, at(0), &ipfix(T0, 0, 1, &[data(1)])).unwrap();
    b.collector.message(loopback(), 2, at(0), &ipfix(T0, 0, 1, &[template(), data(2)])).unwrap();
    b.drain();
    assert_eq!(ports(&b.rows), [2]);
    b.collector.session_ended(loopback(), 1, at(1));
    b.drain();
    assert_eq!(b.rows.gaps.iter().map(|g| g.reason.as_str()).collect::<Vec<_>>(), ["unknown-template"]);
}

#[test]
fn a_session_that_goes_on_is_not_disturbed_by_one_that_ended() {
    let mut b = Bench::with(loopback_settings(), Transport::Tcp);
    b.collector.message(loopback(), 1, at(0), &ipfix(T0, 0, 1, &[template(), data(1)])).unwrap();
    b.collector.message(loopback(), 2, at(0), &ipfix(T0, 0, 1, &[template(), data(2)])).unwrap();
    b.collector.session_ended(loopback(), 1, at(1));
    b.collector.message(loopback(), 2, at(2), &ipfix(T0, 1, 1, &[data(3)])).unwrap();
    b.stop(at(3));
    assert_eq!((ports(&b.rows), b.rows.gaps.len()), (vec![1, 2, 3], 0));
}

#[test]
fn duplicates_are_dropped_and_counted() {
    let mut b = Bench::new(Profile::Rfc8158);
    let message = ipfix(T0, 0, 1, &[template(), data(1)]);
    for _ in 0..3 {
        b.feed(at(0), &message);
    }
    // Nothing but a set without a template: its numbers stand still, its double is known all the same.
    let waiting = ipfix(T0, 1, 1, &[set(400, &[1, 2, 3, 4])]);
    b.feed(at(1), &waiting);
    b.feed(at(2), &waiting);
    b.feed(at(3), &ipfix(T0, 2, 1, &[template_set(Version::Ipfix, 400, &[(0, 1, 4)])]));
    let c = b.register.counters("127.0.0.1/1");
    assert_eq!((b.rows.events.len(), c.messages, c.duplicates, c.ignored), (1, 3, 3, 1));
}

#[test]
fn remote_ends_are_dropped_kept_or_fingerprinted_by_date() {
    let settings =
        Settings { remotes: RemotePolicy::new(vec![(at(1_000), Remotes::Keep), (at(2_000), Remotes::Fingerprint)]), ..loopback_settings() };
    let key = Secret([9; 32]);
    let register = MemoryRegister::default();
    let mut c = Collector::new(settings.into(), Box::new(register.clone()), Transport::Udp, "t", Some(Mac::new(&key)));
    let mut rows = Rows::default();
    for (i, ms) in [0, 1_000, 2_000].into_iter().enumerate() {
        c.message(loopback(), 0, at(ms), &ipfix(T0 + 2, i as u32, 1, &[template(), data(i as u16)])).unwrap();
        rows.add(c.take().unwrap());
    }
    let remote: Addr16 = "198.51.100.9".parse().unwrap();
    let tag = fingerprint(&Mac::new(&key), &remote.0, 443);
    let got: Vec<_> = rows.events.iter().map(|e| (e.remote_address, e.remote_port, e.remote_tag)).collect();
    assert_eq!(got, [(Addr16::NONE, 0, 0), (remote, 443, 0), (Addr16::NONE, 0, tag)]);
    assert_eq!(register.counters("127.0.0.1/1").destinations_dropped, 1);
}

#[test]
fn strangers_are_refused_and_recorded_within_bounds() {
    let mut b = Bench::new(Profile::Rfc8158);
    let stranger: SocketAddr = "198.51.100.20:5000".parse().unwrap();
    let message = ipfix(T0, 0, 1, &[template(), data(1)]);
    for _ in 0..MALFORMED_PER_MINUTE + 10 {
        b.collector.message(stranger, 0, at(0), &message).unwrap();
    }
    b.collector.message(stranger, 0, at(0), b"\x00\x05").unwrap();
    b.tick(at(60_000));
    assert!(b.rows.events.is_empty() && b.register.sources().is_empty());
    assert_eq!(b.rows.malformed.iter().map(|m| m.count).sum::<u64>(), u64::from(MALFORMED_PER_MINUTE) + 11);
    // What was only counted names nobody: it may have come from many.
    assert!(b.rows.malformed.iter().all(|m| m.source == 0 && (m.raw.is_none() || m.peer == stranger.ip().into())));
    assert_eq!(b.rows.malformed[0].reason, "unknown-exporter");
}

#[test]
fn exporters_are_told_apart_by_address_and_domain() {
    let mut b = Bench::with(loopback_settings(), Transport::Udp);
    for (peer, domain) in [("127.0.0.1:1", 1), ("127.0.0.2:1", 1), ("127.0.0.1:2", 2), ("[::1]:9", 1)] {
        b.collector.message(peer.parse().unwrap(), 0, at(0), &ipfix(T0, 0, domain, &[template(), data(1)])).unwrap();
    }
    b.drain();
    let names: Vec<_> = b.register.sources().into_iter().map(|(d, h)| (d.name, h.number)).collect();
    let want = [("127.0.0.1/1", 1), ("127.0.0.1/2", 3), ("127.0.0.2/1", 2), ("::1/1", 4)];
    assert_eq!(names, want.map(|(n, i)| (n.to_owned(), i)));
    assert_eq!(b.rows.events.iter().map(|e| e.source).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn the_clock_is_measured_from_headers_or_trusted() {
    for (mode, want) in [(ClockMode::Measured, Some(-4_500)), (ClockMode::Trust, None)] {
        let mut settings = loopback_settings();
        settings.clock = mode;
        let mut b = Bench::with(settings, Transport::Udp);
        // Its header says T0, which can be anything up to T0 + 999 ms; it comes at T0 + 5 s.
        b.feed(at(5_000), &ipfix(T0, 0, 1, &[template()]));
        let c = b.register.counters("127.0.0.1/1");
        assert_eq!((c.offset_ms, c.trouble.is_some()), (want, want.is_some()), "{mode:?}");
    }
}

#[test]
fn the_kernels_drops_are_a_gap() {
    let mut settings = loopback_settings();
    let mut rule = settings.rule(loopback().ip().into(), 2).unwrap();
    (rule.domain, rule.counting) = (Some(2), Some(super::super::sequence::Counting::None));
    settings.rules.push(rule);
    let mut b = Bench::with(settings, Transport::Udp);
    b.feed(at(0), &ipfix(T0, 0, 1, &[template(), data(1)]));
    b.feed(at(0), &ipfix(T0, 0, 2, &[template(), data(1)]));
    b.collector.kernel_dropped(17, at(3_000));
    b.stop(at(3_000));
    let gaps: Vec<_> = b.rows.gaps.iter().map(|g| (g.source, g.lost, g.unit.as_str(), g.reason.as_str())).collect();
    // The first exporter's numbers will tell what it lost; the second has none that do.
    assert_eq!(gaps, [(3, Some(17), "datagrams", "kernel-drop"), (2, None, "datagrams", "kernel-drop")]);
    let named: Vec<_> = b.register.sources().iter().map(|(d, h)| (d.name.clone(), h.number, lock(&h.counters).lost)).collect();
    assert!(named.iter().any(|(name, number, lost)| (name.as_str(), *number, *lost) == ("test", 3, 17)), "the socket's own: {named:?}");
}

#[test]
fn tcp_templates_end_with_their_session() {
    let mut b = Bench::with(loopback_settings(), Transport::Tcp);
    b.collector.message(loopback(), 1, at(0), &ipfix(T0, 0, 1, &[template(), data(1)])).unwrap();
    b.drain();
    b.collector.session_ended(loopback(), 1, at(1));
    b.collector.message(loopback(), 2, at(5_000), &ipfix(T0 + 5, 0, 1, &[data(2)])).unwrap();
    b.drain();
    assert_eq!(ports(&b.rows), [1]);
    b.collector.message(loopback(), 2, at(6_000), &ipfix(T0 + 6, 1, 1, &[template()])).unwrap();
    b.stop(at(7_000));
    assert_eq!(ports(&b.rows), [1, 2]);
    let gaps: Vec<_> = b.rows.gaps.iter().map(|g| (g.source, g.reason.as_str(), g.start, g.end)).collect();
    assert_eq!(gaps, [(1, "transport-session", at(0), at(5_999))]);
    assert!(b.rows.state.iter().all(|(k, _)| k[0] == b's'), "templates of a session are not kept");
}

#[test]
fn what_was_not_kept_is_written_again() {
    let mut b = Bench::new(Profile::Rfc8158);
    b.feed(at(0), &ipfix(T0, 0, 1, &[template(), data(1)]));
    let first = std::mem::take(&mut b.rows);
    b.collector.rewrite_state();
    b.drain();
    assert_eq!(b.rows.stored(), first.stored());
    assert!(b.rows.events.is_empty());
}

#[test]
fn an_exporter_that_changes_its_version_begins_anew() {
    let mut b = Bench::new(Profile::Rfc8158);
    b.feed(at(0), &v9(1, T0, 7, 1, &[template_set(Version::V9, 256, NAT44), data(1)]));
    b.feed(at(1), &ipfix(T0, 0, 1, &[data(2)]));
    b.feed(at(2), &ipfix(T0, 1, 1, &[template()]));
    assert_eq!(b.rows.events.iter().map(words).count(), 2);
    assert_eq!(b.register.sources().len(), 1);
}

#[test]
fn prepared_datagrams_are_decoded_round_after_round() {
    let many: Vec<Vec<u8>> = (0..20)
        .map(|i| {
            let records: Vec<u8> = (0..30).flat_map(|n| nat44(4 + (n % 2) as u8, T0_MS as u64, i * 30 + n)).collect();
            let sets = [set(256, &records)];
            ipfix(T0, u32::from(i) * 30, 1, &if i == 0 { [vec![template()], sets.to_vec()].concat() } else { sets.to_vec() })
        })
        .collect();
    let made = decode_many(&many, 100, at(0));
    assert_eq!((made.rows, made.groups), (60_000, 2));
}
