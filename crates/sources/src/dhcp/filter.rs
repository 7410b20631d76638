//! The program (classic BPF, linux/filter.h) by which the kernel passes on only DHCP of one interface. What it lets through is parsed like any
//! other input; it is there so that no other packet is copied.

/// An instruction: code, where to go on true and on false (instructions to skip), operand.
pub type Op = (u16, u8, u8, u32);

// Codes, linux/bpf_common.h.
const LD_W_ABS: u16 = 0x20;
const LD_H_ABS: u16 = 0x28;
const LD_B_IND: u16 = 0x50;
const LD_H_IND: u16 = 0x48;
const LDX_IMM: u16 = 0x01;
const JA: u16 = 0x05;
const JEQ: u16 = 0x15;
const JSET: u16 = 0x45;
const AND: u16 = 0x54;
const LSH: u16 = 0x64;
const ADD_X: u16 = 0x0c;
const TAX: u16 = 0x07;
const RET: u16 = 0x06;

/// `SKF_AD_OFF + SKF_AD_IFINDEX`: the number of the interface.
const INTERFACE: u32 = 0xffff_f000 + 8;
/// Bytes of a packet that are passed on: all of them.
const WHOLE: u32 = 0x4_0000;

/// The program for the interface with this number.
pub fn program(interface: u32) -> Vec<Op> {
    // Where to go is written as the number of an instruction.
    const IP14: u8 = 12;
    const IP18: u8 = 14;
    const IP22: u8 = 16;
    const IP: u8 = 17;
    const DROP: u8 = 32;
    const PASS: u8 = 33;
    let ops: [Op; 34] = [
        /* 0 */ (LD_W_ABS, 0, 0, INTERFACE),
        /* 1 */ (JEQ, 2, DROP, interface),
        // The kind of what follows: at once, behind one tag, behind two.
        /* 2 */ (LD_H_ABS, 0, 0, 12),
        /* 3 */ (JEQ, IP14, 4, 0x0800),
        /* 4 */ (JEQ, 6, 5, 0x8100),
        /* 5 */ (JEQ, 6, DROP, 0x88a8),
        /* 6 */ (LD_H_ABS, 0, 0, 16),
        /* 7 */ (JEQ, IP18, 8, 0x0800),
        /* 8 */ (JEQ, 10, 9, 0x8100),
        /* 9 */ (JEQ, 10, DROP, 0x88a8),
        /* 10 */ (LD_H_ABS, 0, 0, 20),
        /* 11 */ (JEQ, IP22, DROP, 0x0800),
        /* 12 */ (LDX_IMM, 0, 0, 14),
        /* 13 */ (JA, IP, 0, 0),
        /* 14 */ (LDX_IMM, 0, 0, 18),
        /* 15 */ (JA, IP, 0, 0),
        /* 16 */ (LDX_IMM, 0, 0, 22),
        // UDP, not a later fragment, both ports 67 or 68.
        /* 17 */ (LD_B_IND, 0, 0, 9),
        /* 18 */ (JEQ, 19, DROP, 17),
        /* 19 */ (LD_H_IND, 0, 0, 6),
        /* 20 */ (JSET, DROP, 21, 0x1fff),
        /* 21 */ (LD_B_IND, 0, 0, 0),
        /* 22 */ (AND, 0, 0, 0xf),
        /* 23 */ (LSH, 0, 0, 2),
        /* 24 */ (ADD_X, 0, 0, 0),
        /* 25 */ (TAX, 0, 0, 0),
        /* 26 */ (LD_H_IND, 0, 0, 0),
        /* 27 */ (JEQ, 29, 28, 67),
        /* 28 */ (JEQ, 29, DROP, 68),
        /* 29 */ (LD_H_IND, 0, 0, 2),
        /* 30 */ (JEQ, PASS, 31, 67),
        /* 31 */ (JEQ, PASS, DROP, 68),
        /* 32 */ (RET, 0, 0, 0),
        /* 33 */ (RET, 0, 0, WHOLE),
    ];
    let skip = |from: usize, to: u8| to.saturating_sub(u8::try_from(from + 1).unwrap_or(u8::MAX));
    let relative = |(i, op): (usize, &Op)| match *op {
        (JEQ | JSET, yes, no, k) => (op.0, skip(i, yes), skip(i, no), k),
        (JA, to, ..) => (JA, 0, 0, u32::from(skip(i, to))),
        plain => plain,
    };
    ops.iter().enumerate().map(relative).collect()
}
