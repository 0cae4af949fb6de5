//! Classic BPF programs: which frames a socket gives us, and how much of each.
//!
//! A [`Program`] is what the kernel's socket filter runs. Its return value is the number of octets to keep, zero to refuse.

/// One instruction; layout of `struct sock_filter` and of libpcap's `struct bpf_insn`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Instructions to skip when the comparison is true.
    pub jt: u8,
    /// Instructions to skip when it is false.
    pub jf: u8,
    /// Operand.
    pub k: u32,
}

/// A program, at most [`Program::MAX`] instructions long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program(Vec<Instruction>);

/// `BPF_RET | BPF_K`: return a constant.
const RETURN_CONSTANT: u16 = 0x06;

impl Program {
    /// What the kernel accepts (`BPF_MAXINSNS`).
    pub const MAX: usize = 4096;

    /// Keeps every frame whole.
    #[must_use]
    pub fn accept_all() -> Self {
        Self(vec![Instruction { code: RETURN_CONSTANT, jt: 0, jf: 0, k: u32::MAX }])
    }

    /// Keeps no frame.
    #[must_use]
    pub fn refuse_all() -> Self {
        Self(vec![Instruction { code: RETURN_CONSTANT, jt: 0, jf: 0, k: 0 }])
    }

    /// The same choice of frames, keeping `octets` of each.
    #[must_use]
    pub fn with_capture_length(mut self, octets: u32) -> Self {
        // Zero would refuse the frame.
        let keep = octets.max(1);
        self.0.iter_mut().filter(|i| i.code == RETURN_CONSTANT && i.k != 0).for_each(|i| i.k = keep);
        self
    }

    /// The instructions.
    #[must_use]
    pub fn instructions(&self) -> &[Instruction] {
        &self.0
    }
}
