//! From entries to text. Whether a value has a text at all is for [`super::Entry::encode`] to see.

use std::fmt::{Display, Write};

use super::{Entry, Genesis, Heartbeat, Repack, Unit, VERSION_LINE};
use crate::merkle::Hash;
use crate::text::base64;

struct Text(String);

impl Text {
    fn line(&mut self, key: &str, value: impl Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{key} {value}");
    }

    fn digests(&mut self, root: &Hash, sm3: Option<&Hash>) {
        self.line("file-root", format_args!("sha256:{}", base64(root)));
        if let Some(sm3) = sm3 {
            self.line("file-root-sm3", format_args!("sm3:{}", base64(sm3)));
        }
    }
}

pub(super) fn text(entry: &Entry) -> String {
    let mut out = Text(format!("{VERSION_LINE}\n{}\n", entry.type_name()));
    match entry {
        Entry::Genesis(genesis) => write_genesis(&mut out, genesis),
        Entry::Unit(unit) => write_unit(&mut out, unit),
        Entry::Repack(repack) => write_repack(&mut out, repack),
        Entry::Heartbeat(heartbeat) => write_heartbeat(&mut out, heartbeat),
    }
    out.0
}

fn write_genesis(out: &mut Text, genesis: &Genesis) {
    out.line("origin", &genesis.origin);
    out.line("log-key", &genesis.log_key);
    out.line("program", &genesis.program);
    out.line("time", genesis.time.0);
}

fn write_unit(out: &mut Text, unit: &Unit) {
    out.line("kind", &unit.kind);
    out.line("kind-version", unit.kind_version);
    out.line("day", unit.day);
    out.line("unit", unit.unit);
    out.line("sealed", unit.sealed.0);
    out.line("rows", unit.rows);
    out.line("first", unit.first.0);
    out.line("last", unit.last.0);
    out.line("rows-root", format_args!("sha256:{}", base64(&unit.rows_root)));
    out.line("file", &unit.file);
    out.line("size", unit.size);
    out.digests(&unit.file_root, unit.file_root_sm3.as_ref());
    out.line("first-row", unit.first_row);
    out.line("sorted", if unit.sorted { "yes" } else { "no" });
}

fn write_repack(out: &mut Text, repack: &Repack) {
    out.line("kind", &repack.kind);
    out.line("kind-version", repack.kind_version);
    out.line("day", repack.day);
    out.line("sealed", repack.sealed.0);
    out.line("file", &repack.file);
    out.line("size", repack.size);
    out.digests(&repack.file_root, repack.file_root_sm3.as_ref());
    for part in &repack.parts {
        out.line("part", format_args!("{} {} {}", part.entry, part.first_row, part.rows));
    }
    for path in &repack.drops {
        out.line("drops", path);
    }
}

fn write_heartbeat(out: &mut Text, heartbeat: &Heartbeat) {
    out.line("time", heartbeat.time.0);
    out.line("sequenced", heartbeat.sequenced);
    out.line("open", heartbeat.open);
}
