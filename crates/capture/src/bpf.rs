//! Filters: which frames are wanted, and how much of each.
//!
//! An expression in tcpdump's syntax is compiled by libpcap, so that precedence and meaning are exactly those that users know.
//! libpcap is loaded when the first filter is given, and never otherwise. The resulting [`Program`] of classic BPF runs in the
//! kernel for live capture, and in [`Program::run`] for capture files; its value is the number of octets to keep, zero to refuse.
//!
//! VLAN: the kernel takes the outermost tag out of a frame before a filter sees it, and libpcap generates code for that only for
//! a capture that it has opened itself. [`compile_for_interface`] therefore opens one for a moment. Without the right to capture,
//! an expression with `vlan` is refused rather than compiled wrongly; so compile filters before rights are given up.
//!
//! Limits: an expression of at most 64 KiB; a program of at most [`Program::MAX`] instructions; expressions about the direction
//! (`inbound`) cannot be used with files.

use std::ffi::CString;
use std::sync::{Mutex, PoisonError};

use crate::frame::LinkType;
use crate::os;

mod run;

/// Why an expression cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BpfError {
    /// libpcap is not installed.
    #[error("a filter needs libpcap, which is not installed: sudo apt install libpcap0.8")]
    NoLibrary(#[source] libloading::Error),
    /// libpcap does not understand the expression.
    #[error("the filter `{expression}` is not valid: {reason}")]
    Invalid {
        /// What was written.
        expression: String,
        /// libpcap's own words.
        reason: String,
    },
    /// Tags cannot be filtered without the right to capture.
    #[error("the filter `{expression}` with `vlan` can be compiled only with the right to capture: {reason}")]
    Vlan {
        /// What was written.
        expression: String,
        /// Why libpcap could not open the interface.
        reason: String,
    },
    /// The expression asks for something that only a live capture knows.
    #[error("the filter `{expression}` asks for what capture files do not tell")]
    LiveOnly {
        /// What was written.
        expression: String,
    },
}

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
/// `BPF_LD | BPF_W | BPF_ABS`, and with half words and octets.
const LOADS: [u16; 3] = [0x20, 0x28, 0x30];
/// From this offset on, Linux answers what it knows beside the frame (`SKF_AD_OFF`).
const BESIDE: u32 = -0x1000_i32 as u32;

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

    /// What the program says of a frame of which `data` was captured: octets to keep, zero to refuse.
    #[must_use]
    pub fn run(&self, data: &[u8], wire_length: u32) -> u32 {
        run::run(&self.0, data, wire_length).unwrap_or(0)
    }

    fn looks_beside_the_frame(&self) -> bool {
        self.0.iter().any(|i| LOADS.contains(&i.code) && i.k >= BESIDE)
    }
}

/// Compiles an expression for frames of a file with the pcap `link_type`.
///
/// # Errors
/// When libpcap is missing or does not understand the expression.
pub fn compile_for_file(expression: &str, link_type: u16) -> Result<Program, BpfError> {
    // libpcap's own numbers are those of files, except for bare IP.
    let link_type = if link_type == 101 { 12 } else { i32::from(link_type) };
    let program = with_library(|library| compile_dead(library, expression, link_type))?;
    if program.looks_beside_the_frame() {
        return Err(BpfError::LiveOnly { expression: expression.to_owned() });
    }
    Ok(program)
}

/// Compiles an expression for live capture on an interface whose frames begin as `link` says.
///
/// # Errors
/// When libpcap is missing, does not understand the expression, or would have to open the interface and may not.
pub fn compile_for_interface(expression: &str, interface: &str, link: LinkType) -> Result<Program, BpfError> {
    let link_type = link_type(link);
    with_library(|library| {
        let text = text(expression)?;
        let name = CString::new(interface).unwrap_or_default();
        let reason = match library.open_live(&name, link_type) {
            Ok(handle) => return finish(expression, handle.compile(&text)),
            Err(reason) => reason,
        };
        if mentions_vlan(expression) {
            return Err(BpfError::Vlan { expression: expression.to_owned(), reason });
        }
        compile_dead(library, expression, link_type)
    })
}

fn compile_dead(library: &os::Libpcap, expression: &str, link_type: i32) -> Result<Program, BpfError> {
    let text = text(expression)?;
    finish(expression, library.open_dead(link_type).and_then(|handle| handle.compile(&text)))
}

fn finish(expression: &str, compiled: Result<Vec<Instruction>, String>) -> Result<Program, BpfError> {
    let invalid = |reason| BpfError::Invalid { expression: expression.to_owned(), reason };
    let instructions = compiled.map_err(invalid)?;
    if instructions.len() > Program::MAX {
        return Err(invalid(format!("it needs {} instructions, {} are possible", instructions.len(), Program::MAX)));
    }
    Ok(Program(instructions))
}

/// The longest expression.
const MAX_EXPRESSION: usize = 64 << 10;

fn text(expression: &str) -> Result<CString, BpfError> {
    let invalid = |reason: &str| BpfError::Invalid { expression: expression.to_owned(), reason: reason.to_owned() };
    if expression.len() > MAX_EXPRESSION {
        return Err(invalid("it is longer than 64 KiB"));
    }
    CString::new(expression).map_err(|_| invalid("it contains a NUL character"))
}

/// Whether the word `vlan` stands in the expression.
fn mentions_vlan(expression: &str) -> bool {
    expression
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_' && c != '.')
        .any(|word| word == "vlan")
}

/// libpcap's numbers for how frames begin (`DLT_` values).
const fn link_type(link: LinkType) -> i32 {
    match link {
        LinkType::Null => 0,
        LinkType::Ethernet => 1,
        LinkType::Ip => 12,
        LinkType::LinuxSll => 113,
        LinkType::LinuxSll2 => 276,
    }
}

/// Loads libpcap at the first call; one call at a time.
fn with_library<R>(work: impl FnOnce(&os::Libpcap) -> Result<R, BpfError>) -> Result<R, BpfError> {
    static LIBRARY: Mutex<Option<os::Libpcap>> = Mutex::new(None);
    let mut slot = LIBRARY.lock().unwrap_or_else(PoisonError::into_inner);
    let library = match slot.take() {
        Some(library) => library,
        None => os::Libpcap::load().map_err(BpfError::NoLibrary)?,
    };
    work(slot.insert(library))
}

#[cfg(test)]
mod tests;
