//! What each layout of a unit's file costs: bytes a row over a million NAT mappings of one minute, by order of rows, encoding, page size, level of
//! zstd, with and without encryption; without remote ends and with them.
//!
//! The batch: mappings that open and close within one minute of a busy carrier-grade NAT. 50,000 subscribers (the cube of a uniform number picks
//! one, so that few make most), 1,024 public addresses, a random port out of a block of 1,024 a subscriber, lognormal durations (median 8 s, sigma
//! 1.6), 4,096 remote ends of which a few are most, times in milliseconds.

use std::cmp::Ordering;

use arrow::array::RecordBatch;
use weir_base::crypto::Secret;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kind::{Kind, Record};
use weir_record::kinds::NatMapping;
use weir_record::parquet::layout::{Encoding, Layout, ZSTD_LEVEL, layout};
use weir_record::parquet::{Tried, write, write_as, write_tried};
use weir_sim::rng::Rng;

use crate::shared::{Outcome, reading};

const ROWS: usize = 1_000_000;
const BASE: i64 = 1_795_000_000_000;
const MINUTE_MS: f64 = 60_000.0;
const SUBSCRIBERS: u32 = 50_000;
const PUBLIC: u32 = 1_024;
const REMOTES: u32 = 4_096;

type Order = fn(&NatMapping, &NatMapping) -> Ordering;

/// Orders that were tried; the first is that of units.
const ORDERS: &[(&str, Order)] = &[
    ("sorted by public address, public port, start (as chosen)", by_public),
    ("sorted by public address, start", |a, b| (a.public_address, a.start).cmp(&(b.public_address, b.start))),
    ("sorted by inside address, start", |a, b| (a.inside_address, a.start).cmp(&(b.inside_address, b.start))),
    ("sorted by start", |a, b| a.start.cmp(&b.start)),
    ("sorted by remote end, start", |a, b| (a.remote_address, a.remote_port, a.start).cmp(&(b.remote_address, b.remote_port, b.start))),
];

fn by_public(a: &NatMapping, b: &NatMapping) -> Ordering {
    (a.public_address, a.public_port, a.start).cmp(&(b.public_address, b.public_port, b.start))
}

/// Measures and prints; `x` of a reading is 1 where remote ends are kept.
pub fn run() -> Outcome<()> {
    for remotes in [false, true] {
        let mut mappings = mappings(remotes);
        for (name, order) in ORDERS.iter().rev() {
            mappings.sort_by(order);
            told(name, remotes, write(Kind::NatMapping, &[NatMapping::batch(&mappings)], &Secret::random())?.bytes.len());
        }
        // The order of units came last and stays.
        let batch = NatMapping::batch(&mappings);
        files(&batch, remotes)?;
        columns(&batch, remotes)?;
    }
    Ok(())
}

fn told(what: &str, remotes: bool, bytes: usize) {
    reading(&format!("{what}: bytes a row"), Some(u64::from(remotes)), bytes as f64 / ROWS as f64);
}

/// Whole files by the general writer.
fn files(batch: &RecordBatch, remotes: bool) -> Outcome<()> {
    let key = Secret::random();
    let as_chosen = |field: &_| layout(Kind::NatMapping, field);
    let all = |encoding, dictionary| move |field: &_| Layout { encoding, dictionary, ..layout(Kind::NatMapping, field) };
    let pages = |rows| move |field: &_| Layout { page_rows: rows, ..layout(Kind::NatMapping, field) };
    let bytes = |key: Option<&Secret>, zstd, layout: &dyn Fn(&weir_record::Field) -> Layout| -> Outcome<usize> {
        Ok(write_tried(Kind::NatMapping, std::slice::from_ref(batch), &Tried { key, zstd, layout })?.len())
    };
    told("the general writer, as chosen", remotes, bytes(Some(&key), ZSTD_LEVEL, &as_chosen)?);
    told("the same, not encrypted", remotes, bytes(None, ZSTD_LEVEL, &as_chosen)?);
    for level in [1, 9, 19] {
        told(&format!("the same, zstd level {level}"), remotes, bytes(Some(&key), level, &as_chosen)?);
    }
    for rows in [512, 2_048, 8_192, 32_768] {
        told(&format!("the same, all pages of {rows} rows"), remotes, bytes(Some(&key), ZSTD_LEVEL, &pages(rows))?);
    }
    told("the same, all columns plain", remotes, bytes(Some(&key), ZSTD_LEVEL, &all(Encoding::PLAIN, false))?);
    told("the same, all columns with a dictionary", remotes, bytes(Some(&key), ZSTD_LEVEL, &all(Encoding::PLAIN, true))?);
    told("the same, all columns split by byte", remotes, bytes(Some(&key), ZSTD_LEVEL, &all(Encoding::BYTE_STREAM_SPLIT, false))?);
    Ok(())
}

/// What each column takes as chosen and under each layout.
fn columns(batch: &RecordBatch, remotes: bool) -> Outcome<()> {
    let key = Secret::random();
    for (column, field) in Kind::NatMapping.spec().fields.iter().enumerate() {
        let chosen = layout(Kind::NatMapping, field);
        let one = |tried: Layout| -> Outcome<usize> {
            let layouts = |f: &weir_record::Field| if f.name == field.name { tried } else { layout(Kind::NatMapping, f) };
            let map = write_as(Kind::NatMapping, std::slice::from_ref(batch), &key, &layouts)?.map;
            let columns = map.groups.iter().filter_map(|group| group.columns.get(column));
            Ok(columns
                .map(|c| c.dictionary.map_or(0, |d| d.length as usize) + c.pages.iter().map(|p| p.length as usize).sum::<usize>())
                .sum())
        };
        let name = |how: &str| format!("column {}, {how}", field.name);
        told(&name("as chosen"), remotes, one(chosen)?);
        told(&name("plain"), remotes, one(Layout { encoding: Encoding::PLAIN, dictionary: false, ..chosen })?);
        told(&name("split"), remotes, one(Layout { encoding: Encoding::BYTE_STREAM_SPLIT, dictionary: false, ..chosen })?);
        if field.ty.fixed_len() != Some(16) {
            told(&name("delta"), remotes, one(Layout { encoding: Encoding::DELTA_BINARY_PACKED, dictionary: false, ..chosen })?);
        }
        told(&name("dictionary"), remotes, one(Layout { encoding: Encoding::PLAIN, dictionary: true, ..chosen })?);
    }
    Ok(())
}

fn address(first: [u8; 2], n: u32) -> Addr16 {
    let [.., high, low] = n.to_be_bytes();
    Addr16::v4([first[0], first[1], high, low])
}

fn mappings(remotes: bool) -> Vec<NatMapping> {
    let mut rng = Rng::new(1, 0);
    // A remote end has an address like any other, and mostly one of few ports.
    let there: Vec<(Addr16, u16)> = (0..REMOTES)
        .map(|_| {
            (
                Addr16::v4(rng.bits().to_be_bytes().first_chunk::<4>().copied().unwrap_or_default()),
                [443, 443, 443, 443, 80, 53, 8_080][rng.below(7) as usize],
            )
        })
        .collect();
    let mut out: Vec<NatMapping> = Vec::with_capacity(ROWS);
    while out.len() < ROWS {
        let subscriber = rng.cubic(SUBSCRIBERS);
        let start = rng.unit() * MINUTE_MS;
        let end = start + rng.lognormal(8_000.0, 1.6);
        let block = 1_024 + (subscriber / PUBLIC % 62) * 1_024;
        let port = (block + rng.below(1_024)) as u16;
        let inside_port = (1_024 + rng.below(64_512)) as u16;
        let protocol = if rng.below(3) == 0 { 17 } else { 6 };
        let remote = there.get(rng.zipf(REMOTES) as usize).copied().filter(|_| remotes).unwrap_or_default();
        if end >= MINUTE_MS {
            continue;
        }
        out.push(NatMapping {
            public_address: address([203, 0], subscriber % PUBLIC),
            public_port: port,
            start: Millis(BASE + start as i64),
            duration: end as u64 - start as u64,
            protocol,
            form: 1,
            row_type: 1,
            inside_address: address([100, 64], subscriber),
            inside_port,
            remote_address: remote.0,
            remote_port: remote.1,
            source: 3,
            ..NatMapping::default()
        });
    }
    out
}
