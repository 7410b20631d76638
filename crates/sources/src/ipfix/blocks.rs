//! Blocks of ports, address bindings and BIB entries: what the columns of a session do not say.

use weir_record::kinds::{Form, NatEventColumns};

use super::compile::{BlockReads, Nat, Read};
use super::decode::{NONE, Rows, set, uint_at};
use super::limits::BLOCK_ROWS;
use super::natevent::{Code, form_of};

const PORT_MAX: u16 = u16::MAX;

/// A block of which each port stands apart (portRangeStepSize above 1).
pub(super) struct Stepped {
    pub(super) row: usize,
    pub(super) step: u16,
    pub(super) last: u16,
}

/// Blocks, bindings and BIB entries: what a session's columns do not say. A block that cannot be gets its public address cleared, which
/// `keep_good` takes as incomplete.
pub(super) fn special_forms(nat: &Nat, rows: Rows<'_>, codes: &[Code], start: usize, out: &mut NatEventColumns) -> Vec<Stepped> {
    let mut stepped = Vec::new();
    let mut ports = 0;
    for (i, code) in codes.iter().enumerate() {
        let form = form_of(*code);
        let at = start + i;
        if form == Form::Session as u8 || *code == 0 {
            continue;
        }
        set(&mut out.remote_address, at, NONE);
        set(&mut out.remote_port, at, 0);
        if form == Form::AddressBinding as u8 {
            set(&mut out.public_port, at, 0);
            set(&mut out.public_port_last, at, PORT_MAX);
            set(&mut out.inside_port, at, 0);
            set(&mut out.protocol, at, 0);
        } else if form == Form::Block as u8 {
            let range = block(&nat.block, rows.row(i)).filter(|b| b.step == 1 || ports + b.ports <= BLOCK_ROWS);
            let Some(range) = range else {
                set(&mut out.public_address, at, NONE);
                continue;
            };
            set(&mut out.public_port, at, range.first);
            set(&mut out.public_port_last, at, if range.step == 1 { range.last } else { range.first });
            set(&mut out.inside_port, at, 0);
            set(&mut out.protocol, at, 0);
            if range.step > 1 {
                ports += range.ports;
                stepped.push(Stepped { row: at, step: range.step, last: range.last });
            }
        }
    }
    stepped
}

pub(super) struct Range {
    first: u16,
    pub(super) last: u16,
    pub(super) step: u16,
    ports: usize,
}

pub(super) fn block(reads: &BlockReads, row: &[u8]) -> Option<Range> {
    let get = |read: Option<Read>| read.map_or(0, |r| uint_at(row, r));
    let first = u16::try_from(uint_at(row, reads.start?)).ok()?;
    let (end, count) = (get(reads.end), get(reads.count));
    let step = get(reads.step).max(1);
    let last = match (end, count) {
        (0, 0) => return None,
        (0, n) => u64::from(first).checked_add((n - 1).checked_mul(step)?)?,
        (end, _) => end,
    };
    let last = u16::try_from(last).ok().filter(|last| *last >= first)?;
    let step = u16::try_from(step).ok()?;
    Some(Range { first, last, step, ports: usize::from((last - first) / step) + 1 })
}

pub(super) fn expand(out: &mut NatEventColumns, block: &Stepped) {
    let Some(first) = out.public_port.get(block.row).copied() else { return };
    for port in (first..=block.last).step_by(usize::from(block.step)).skip(1) {
        repeat(&mut out.time, block.row);
        repeat(&mut out.action, block.row);
        repeat(&mut out.form, block.row);
        repeat(&mut out.protocol, block.row);
        repeat(&mut out.source, block.row);
        repeat(&mut out.public_address, block.row);
        repeat(&mut out.inside_address, block.row);
        repeat(&mut out.inside_port, block.row);
        repeat(&mut out.remote_address, block.row);
        repeat(&mut out.remote_port, block.row);
        repeat(&mut out.remote_tag, block.row);
        out.public_port.push(port);
        out.public_port_last.push(port);
    }
}

pub(super) fn repeat<T: Copy>(column: &mut Vec<T>, row: usize) {
    if let Some(value) = column.get(row).copied() {
        column.push(value);
    }
}
