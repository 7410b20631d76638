//! Measures what each layout of a column costs in a unit's file: bytes a row, over a realistic batch of NAT mappings.
//!
//! The batch: mappings that open and close within one minute of a busy carrier-grade NAT. 50,000 subscribers (the cube of a uniform number
//! picks one, so that few make most), 1,024 public addresses, a random port out of a block of 1,024 a subscriber, lognormal durations
//! (median 8 s, sigma 1.6), times in milliseconds; sorted by public address, public port, start.
//!
//! Usage: `cargo run -p weir-record --example unit_size [rows]`; beyond a million rows only the total is shown.
#![allow(clippy::disallowed_methods)] // It measures, so it reads the clock.

use arrow::array::RecordBatch;
use parquet::basic::Encoding;
use weir_base::clock::{Clock, SystemClock};
use weir_base::crypto::Secret;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kind::{Kind, Record};
use weir_record::kinds::NatMapping;
use weir_record::parquet::layout::{Layout, layout};
use weir_record::parquet::{read, write, write_as};

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

fn address(first: [u8; 2], n: u64) -> Addr16 {
    let mut bytes = Addr16::default().0;
    bytes[10..12].copy_from_slice(&[0xff, 0xff]);
    bytes[12..14].copy_from_slice(&first);
    bytes[14..16].copy_from_slice(&(n as u16).to_be_bytes());
    Addr16(bytes)
}

fn mappings(rows: usize) -> RecordBatch {
    let mut rng = Rng(1);
    let base = 1_795_000_000_000i64;
    let minute = 60_000.0;
    let mut out: Vec<NatMapping> = Vec::with_capacity(rows);
    while out.len() < rows {
        let subscriber = (50_000.0 * rng.unit().powi(3)) as u64;
        let start = rng.unit() * minute;
        let end = start + 8_000.0 * (1.6 * rng.normal()).exp();
        if end >= minute {
            continue;
        }
        let block = 1_024 + (subscriber / 1_024 % 62) * 1_024;
        let port = (block + rng.next() % 1_024) as u16;
        out.push(NatMapping {
            public_address: address([203, 0], subscriber % 1_024),
            public_port: port,
            start: Millis(base + start as i64),
            duration: end as u64 - start as u64,
            protocol: if rng.next().is_multiple_of(3) { 17 } else { 6 },
            form: 1,
            row_type: 1,
            inside_address: address([100, 64], subscriber),
            inside_port: (1_024 + rng.next() % 64_512) as u16,
            source: 3,
            ..NatMapping::default()
        });
    }
    out.sort_by_key(|m| (m.public_address, m.public_port, m.start));
    NatMapping::batch(&out)
}

fn column_bytes(batch: &RecordBatch, key: &Secret, column: usize, chosen: Layout) -> usize {
    let name = Kind::NatMapping.spec().fields[column].name;
    let written = write_as(Kind::NatMapping, std::slice::from_ref(batch), key, &|f| {
        if f.name == name { chosen } else { layout(Kind::NatMapping, f) }
    });
    let map = written.expect("the layout is one that Parquet knows").map;
    let columns = map.groups.iter().map(|g| &g.columns[column]);
    columns.map(|c| c.dictionary.map_or(0, |d| d.length as usize) + c.pages.iter().map(|p| p.length as usize).sum::<usize>()).sum()
}

/// What each column takes under each layout.
fn columns(batch: &RecordBatch, key: &Secret) {
    let rows = batch.num_rows() as f64;
    println!("| column | as chosen | plain | split | delta | dictionary |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for (column, field) in Kind::NatMapping.spec().fields.iter().enumerate() {
        let chosen = layout(Kind::NatMapping, field);
        let with = |encoding, dictionary| column_bytes(batch, key, column, Layout { encoding, dictionary, ..chosen }) as f64 / rows;
        let delta = match field.ty.fixed_len() {
            Some(16) => "–".to_owned(),
            _ => format!("{:.3}", with(Encoding::DELTA_BINARY_PACKED, false)),
        };
        let plain = with(Encoding::PLAIN, false);
        let split = with(Encoding::BYTE_STREAM_SPLIT, false);
        let dictionary = with(Encoding::PLAIN, true);
        let now = with(chosen.encoding, chosen.dictionary);
        println!("| {} | {now:.3} | {plain:.3} | {split:.3} | {delta} | {dictionary:.3} |", field.name);
    }
}

fn main() {
    let rows = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let batch = mappings(rows);
    let key = Secret::random();
    if rows <= 1_000_000 {
        columns(&batch, &key);
    }
    let clock = SystemClock::new();
    let from = clock.monotonic();
    let written = write(Kind::NatMapping, &[batch], &key).expect("a batch of its kind");
    let wrote = clock.monotonic();
    let back = read(Kind::NatMapping, &written.bytes, &key).expect("what was written");
    let total = written.bytes.len() as f64 / rows as f64;
    let map = written.map.encode().len() as f64 / rows as f64;
    println!("file: {total:.3} bytes a row; page map {map:.4}; {} batches back", back.len());
    let nanos = |d: std::time::Duration| d.as_nanos() as f64 / rows as f64;
    println!("write {:.0} ns a row, read {:.0} ns a row", nanos(wrote - from), nanos(clock.monotonic() - wrote));
}
