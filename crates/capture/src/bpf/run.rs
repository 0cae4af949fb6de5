//! The machine that classic BPF programs run on (McCanne and Jacobson, 1993), for frames that no kernel filters.
//!
//! A load outside the frame, a division by zero, an unknown instruction or a jump out of the program refuses the frame, as in
//! the kernel and in libpcap. Jumps only go forward, so that every program ends.

use super::Instruction;

/// Cells of scratch memory (`BPF_MEMWORDS`).
const CELLS: usize = 16;

/// The program's value; nothing when it went wrong.
pub(super) fn run(program: &[Instruction], data: &[u8], wire_length: u32) -> Option<u32> {
    let (mut a, mut x, mut cells, mut at) = (0_u32, 0_u32, [0_u32; CELLS], 0_usize);
    loop {
        let Instruction { code, jt, jf, k } = *program.get(at)?;
        at += 1;
        let cell = k as usize;
        match code {
            0x20 => a = load(data, k, 4)?,
            0x28 => a = load(data, k, 2)?,
            0x30 => a = load(data, k, 1)?,
            0x40 => a = load(data, x.checked_add(k)?, 4)?,
            0x48 => a = load(data, x.checked_add(k)?, 2)?,
            0x50 => a = load(data, x.checked_add(k)?, 1)?,
            0x80 => a = wire_length,
            0x81 => x = wire_length,
            0x00 => a = k,
            0x01 => x = k,
            0x60 => a = *cells.get(cell)?,
            0x61 => x = *cells.get(cell)?,
            // Four times the lower half of an octet: the length of an IPv4 header.
            0xb1 => x = (load(data, k, 1)? & 0xf) << 2,
            0x02 => *cells.get_mut(cell)? = a,
            0x03 => *cells.get_mut(cell)? = x,
            0x07 => x = a,
            0x87 => a = x,
            0x06 => return Some(k),
            0x16 => return Some(a),
            0x05 => at = at.checked_add(cell)?,
            code if code & 7 == 5 => {
                let right = if code & 8 == 0 { k } else { x };
                at += usize::from(if holds(code & 0xf0, a, right)? { jt } else { jf });
            }
            code if code & 7 == 4 => a = calculate(code & 0xf0, a, if code & 8 == 0 { k } else { x })?,
            _ => return None,
        }
    }
}

/// `BPF_JEQ`, `BPF_JGT`, `BPF_JGE`, `BPF_JSET`.
fn holds(operation: u16, a: u32, right: u32) -> Option<bool> {
    match operation {
        0x10 => Some(a == right),
        0x20 => Some(a > right),
        0x30 => Some(a >= right),
        0x40 => Some(a & right != 0),
        _ => None,
    }
}

/// `BPF_ADD` to `BPF_XOR`.
fn calculate(operation: u16, a: u32, right: u32) -> Option<u32> {
    match operation {
        0x00 => Some(a.wrapping_add(right)),
        0x10 => Some(a.wrapping_sub(right)),
        0x20 => Some(a.wrapping_mul(right)),
        0x30 => a.checked_div(right),
        0x40 => Some(a | right),
        0x50 => Some(a & right),
        0x60 => Some(a.checked_shl(right).unwrap_or(0)),
        0x70 => Some(a.checked_shr(right).unwrap_or(0)),
        0x80 => Some(a.wrapping_neg()),
        0x90 => a.checked_rem(right),
        0xa0 => Some(a ^ right),
        _ => None,
    }
}

/// A big-endian number of `octets` octets.
fn load(data: &[u8], at: u32, octets: usize) -> Option<u32> {
    let at = at as usize;
    let field = data.get(at..at.checked_add(octets)?)?;
    Some(field.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)))
}
