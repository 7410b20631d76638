//! Packets of real devices, when they are there, and an independent decoder to compare with.
//!
//! The packets lie beside the project in `shared/data/netflow` and are not part of it. Expected values were read from the packets by hand.

use std::path::PathBuf;

use netflow_parser::variable_versions::{ipfix, v9};
use netflow_parser::{FieldValue, NetflowPacket, NetflowParser};
use proptest::prelude::*;
use weir_base::time::Millis;

use super::super::collector::Transport;
use super::super::parser::Version;
use super::super::prepared::{loopback, loopback_settings};
use super::super::profile::Profile;
use super::super::sequence::Counting;
use super::super::testing::{Bench, NAT44, T0, ipfix as ipfix_message, nat44, set, template_set, v9 as v9_packet};

fn folder() -> Option<PathBuf> {
    let path = weir_testkit::package().join("../../../shared/data/netflow");
    if !path.is_dir() {
        eprintln!("the packets of real devices are not there ({}): nothing is compared", path.display());
    }
    path.is_dir().then_some(path)
}

fn read(folder: &std::path::Path, names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|n| std::fs::read(folder.join(format!("{n}.dat"))).unwrap_or_else(|e| panic!("{n}: {e}"))).collect()
}

/// A collector that does not judge sequence numbers: the files are single packets out of long streams.
fn bench(profile: Profile) -> Bench {
    let mut settings = loopback_settings();
    let mut rule = settings.rule(loopback().ip().into(), 0).unwrap();
    (rule.profile, rule.counting) = (profile, Some(Counting::None));
    settings.rules.push(rule);
    Bench::with(settings, Transport::Udp)
}

/// Data and options records that the other decoder finds.
fn oracle(packets: &[Vec<u8>]) -> usize {
    let mut parser = NetflowParser::default();
    let mut n = 0;
    for packet in packets {
        for packet in parser.parse_bytes(packet).packets {
            n += match packet {
                NetflowPacket::IPFix(m) => m.flowsets.iter().map(|s| ipfix_records(&s.body)).sum(),
                NetflowPacket::V9(m) => m.flowsets.iter().map(|s| v9_records(&s.body)).sum(),
                _ => 0,
            };
        }
    }
    n
}

fn ipfix_records(body: &ipfix::FlowSetBody) -> usize {
    match body {
        ipfix::FlowSetBody::Data(d) => d.fields.len(),
        ipfix::FlowSetBody::OptionsData(d) => d.fields.len(),
        _ => 0,
    }
}

fn v9_records(body: &v9::FlowSetBody) -> usize {
    match body {
        v9::FlowSetBody::Data(d) => d.fields.len(),
        v9::FlowSetBody::OptionsData(d) => d.fields.len(),
        _ => 0,
    }
}

struct Device {
    files: &'static [&'static str],
    profile: Profile,
    /// Records that are understood and not kept.
    ignored: u64,
    /// Records that are malformed, with the reason of the first.
    malformed: (u64, &'static str),
    /// Rows.
    rows: &'static [&'static str],
    /// False where the other decoder gives up (empty values of variable length, variable length in v9, a packet filled with zeros);
    /// these were counted by hand.
    compared: bool,
}

const fn flows(files: &'static [&'static str], ignored: u64) -> Device {
    Device { files, profile: Profile::Rfc8158, ignored, malformed: (0, ""), rows: &[], compared: true }
}

const fn alone(files: &'static [&'static str], ignored: u64) -> Device {
    Device { compared: false, ..flows(files, ignored) }
}

const DEVICES: &[Device] = &[
    flows(&["ipfix_test_barracuda_tpl", "ipfix_test_barracuda_data256"], 8),
    flows(&["ipfix_test_barracuda_extended_uniflow_tpl256", "ipfix_test_barracuda_extended_uniflow_data256"], 2),
    alone(&["ipfix_test_ixia_tpldata256"], 1),
    alone(&["ipfix_test_ixia_tpldata271"], 2),
    flows(&["ipfix_test_juniper_mx240_junos151r6s3_opttpl512", "ipfix_test_juniper_mx240_junos151r6s3_data512"], 1),
    // Translated addresses without translated ports: nothing that a port could be looked up in.
    flows(&["ipfix_test_mikrotik_tpl", "ipfix_test_mikrotik_data258", "ipfix_test_mikrotik_data259"], 28 + 18),
    flows(&["ipfix_test_openbsd_pflow_tpl", "ipfix_test_openbsd_pflow_data"], 26),
    alone(&["ipfix_test_procera_tpl52935", "ipfix_test_procera_data52935"], 8),
    flows(&["ipfix_test_viptela_tpl257", "ipfix_test_viptela_data257"], 1),
    flows(
        &[
            "ipfix_test_vmware_vds_tpl",
            "ipfix_test_vmware_vds_data264",
            "ipfix_test_vmware_vds_data266",
            "ipfix_test_vmware_vds_data266_267",
        ],
        1 + 2 + 2,
    ),
    flows(&["ipfix_test_netscaler_tpl", "ipfix_test_netscaler_data"], 3),
    flows(&["netflow9_cisco_asr1001x_tpl259"], 25),
    flows(&["netflow9_test_0length_fields_tpl_data"], 10),
    flows(&["netflow9_test_cisco_aci_tpl256-258", "netflow9_test_cisco_aci_data256"], 3),
    flows(&["netflow9_test_cisco_asr9k_tpl260", "netflow9_test_cisco_asr9k_data260"], 21),
    flows(&["netflow9_test_cisco_wlc_tpl", "netflow9_test_cisco_wlc_data261"], 19),
    flows(&["netflow9_test_field_layer2segmentid_tpl", "netflow9_test_field_layer2segmentid_data"], 1),
    flows(&["netflow9_test_h3c_tpl3281", "netflow9_test_h3c_data3281"], 16),
    alone(&["netflow9_test_h3c_netstream_varstring_tpl3281", "netflow9_test_h3c_netstream_varstring_data3281"], 1),
    flows(&["netflow9_test_huawei_netstream_tpl", "netflow9_test_huawei_netstream_data"], 1),
    flows(&["netflow9_test_macaddr_tpl", "netflow9_test_macaddr_data"], 30),
    flows(&["netflow9_test_softflowd_tpl_data"], 7),
    flows(&["netflow9_test_streamcore_tpl_data256"], 2),
    flows(&["netflow9_test_ubnt_edgerouter_tpl", "netflow9_test_ubnt_edgerouter_data1024", "netflow9_test_ubnt_edgerouter_data1025"], 16),
    // Cisco ASA: what it reports here was not translated, inside and outside are the same.
    Device { profile: Profile::CiscoNel, ..flows(&["netflow9_test_cisco_asa_1_tpl", "netflow9_test_cisco_asa_1_data"], 14) },
    Device {
        profile: Profile::CiscoNel,
        ..flows(&["netflow9_test_cisco_asa_2_tpl_26x", "netflow9_test_cisco_asa_2_tpl_27x", "netflow9_test_cisco_asa_2_data"], 19)
    },
    // Nokia with template format 1: one session begins, and the record does not say with which public port.
    Device {
        profile: Profile::Nokia,
        malformed: (1, "nokia-format1-has-no-public-port"),
        ..flows(&["ipfix_test_nokia_bras_tpl", "ipfix_test_nokia_bras_data256"], 0)
    },
    // Fortinet: of nine flows through the NAT, five are outgoing and name the public side; eight are not translated.
    Device {
        rows: &[
            "1526000049580 create session 6 10.0.0.250:45380 = 192.168.100.151:45380",
            "1526000048610 create session 6 10.0.0.250:44778 = 192.168.100.151:44778",
            "1526000048700 create session 6 10.0.0.250:50618 = 192.168.100.151:50618",
            "1526000048700 create session 6 10.0.0.250:33660 = 192.168.100.151:33660",
            "1526000048160 create session 6 10.0.0.250:33646 = 192.168.100.151:33646",
            "1526000049990 delete session 6 10.0.0.250:45380 = 192.168.100.151:45380",
            "1526000049740 delete session 6 10.0.0.250:44778 = 192.168.100.151:44778",
            "1526000049740 delete session 6 10.0.0.250:50618 = 192.168.100.151:50618",
            "1526000049110 delete session 6 10.0.0.250:33660 = 192.168.100.151:33660",
            "1526000048530 delete session 6 10.0.0.250:33646 = 192.168.100.151:33646",
        ],
        ..flows(&["netflow9_test_fortigate_fortios_542_appid_tpl258-269", "netflow9_test_fortigate_fortios_542_appid_data258_262"], 12)
    },
    Device { profile: Profile::H3c, ..flows(&["netflow9_test_paloalto_panos_tpl", "netflow9_test_paloalto_panos_data"], 8) },
    alone(&["netflow9_test_paloalto_81_tpl256-263", "netflow9_test_paloalto_81_data257_1flowset_in_large_zerofilled_packet"], 1),
];

#[test]
fn devices() {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    for device in DEVICES {
        let packets = read(&folder, device.files);
        let mut b = bench(device.profile);
        for packet in &packets {
            b.feed(Millis(i64::from(T0) * 1000), packet);
        }
        let rows: Vec<String> = b
            .rows
            .events
            .iter()
            .map(|e| {
                let action = ["create", "delete", "gone", "told"][usize::from(e.action) - 1];
                let (public, inside) = (e.public_address, e.inside_address);
                format!("{} {action} session {} {public}:{} = {inside}:{}", e.time.0, e.protocol, e.public_port, e.inside_port)
            })
            .collect();
        let total = |f: fn(&weir_record::sink::SourceCounters) -> u64| {
            b.register.sources().iter().map(|(_, h)| f(&weir_base::task::lock(&h.counters))).sum::<u64>()
        };
        let (ignored, malformed) = (total(|c| c.ignored), total(|c| c.malformed));
        let reason = b.rows.malformed.first().map_or("", |m| m.reason.as_str());
        if (ignored, (malformed, reason)) != (device.ignored, device.malformed) || rows != device.rows {
            wrong.push(format!("{}: ignored {ignored}, malformed {malformed} {reason}, rows {rows:#?}", device.files[0]));
        }
        // A flow through a NAT is one record and two rows.
        let ours = ignored + malformed + rows.len() as u64 / 2;
        let theirs = oracle(&packets) as u64;
        if device.compared && ours != theirs {
            wrong.push(format!("{}: {ours} records, the other decoder finds {theirs}", device.files[0]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn netflow5_is_counted_as_unsupported() {
    let Some(folder) = folder() else { return };
    let names = ["netflow5", "netflow5_test_invalid01", "netflow5_test_invalid02", "netflow5_test_juniper_mx80", "netflow5_test_microtik"];
    let mut b = bench(Profile::Rfc8158);
    for packet in read(&folder, &names) {
        b.feed(Millis(0), &packet);
    }
    assert_eq!(b.rows.malformed.iter().map(|m| m.reason.as_str()).collect::<Vec<_>>(), ["unsupported-version"; 5]);
}

#[test]
fn no_device_makes_the_collector_panic_in_any_profile_or_order() {
    let Some(folder) = folder() else { return };
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.extension().is_some()).collect();
    all.sort();
    for profile in Profile::ALL {
        for reversed in [false, true] {
            let mut b = Bench::new(profile);
            let files = all.iter().map(|p| std::fs::read(p).unwrap());
            let packets: Vec<_> = if reversed { files.rev().collect() } else { files.collect() };
            for (i, packet) in packets.iter().enumerate() {
                b.feed(Millis(i as i64), packet);
            }
            b.stop(Millis(1 << 40));
        }
    }
}

fn v4(value: &FieldValue) -> [u8; 4] {
    match value {
        FieldValue::Ip4Addr(a) => a.octets(),
        other => panic!("{other:?} is no address"),
    }
}

proptest! {
    #[test]
    fn the_other_decoder_reads_the_same(ports in prop::collection::vec(0u16..4_000, 1..60), is_v9 in any::<bool>()) {
        let version = if is_v9 { Version::V9 } else { Version::Ipfix };
        let data: Vec<u8> = ports.iter().flat_map(|n| nat44(4 + (n % 2) as u8, u64::from(T0) * 1000 + u64::from(*n), *n)).collect();
        let sets = [template_set(version, 256, NAT44), set(256, &data)];
        let message = if is_v9 { v9_packet(1, T0, 0, 1, &sets) } else { ipfix_message(T0, 0, 1, &sets) };
        let mut b = Bench::new(Profile::Rfc8158);
        b.feed(Millis(0), &message);
        let ours: Vec<_> = b.rows.events.iter().map(|e| (e.inside_address.0, e.inside_port, e.public_address.0, e.public_port)).collect();
        let packets = NetflowParser::default().parse_bytes(&message).packets;
        let theirs: Vec<Vec<FieldValue>> = packets
            .into_iter()
            .flat_map(|p| match p {
                NetflowPacket::IPFix(m) => m.flowsets.into_iter().flat_map(|s| match s.body {
                    ipfix::FlowSetBody::Data(d) => d.fields.into_iter().map(|r| r.into_iter().map(|f| f.1).collect()).collect(),
                    _ => vec![],
                }).collect::<Vec<Vec<FieldValue>>>(),
                NetflowPacket::V9(m) => m.flowsets.into_iter().flat_map(|s| match s.body {
                    v9::FlowSetBody::Data(d) => d.fields.into_iter().map(|r| r.into_iter().map(|f| f.1).collect()).collect(),
                    _ => vec![],
                }).collect(),
                _ => vec![],
            })
            .collect();
        let mapped = |a: [u8; 4]| weir_base::net::Addr16::v4(a).0;
        let port = |v: &FieldValue| u16::try_from(v).unwrap();
        let theirs: Vec<_> = theirs.iter().map(|r| (mapped(v4(&r[3])), port(&r[4]), mapped(v4(&r[5])), port(&r[6]))).collect();
        prop_assert_eq!(ours, theirs);
    }
}
