//! System-call filters: the small vocabulary in which the broker and the main process say what they may call.
//!
//! Limits: a filter sees numbers, never memory: what a pointer points to cannot be judged. A call that is not allowed fails
//! with `EPERM`, so that a library's own fallback has a chance and a message can be written.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use seccompiler::{apply_filter_all_threads, sock_filter};

/// What `EPERM` and `ENOSYS` look like to a filter.
const EPERM: SeccompAction = SeccompAction::Errno(libc::EPERM as u32);
const ENOSYS: SeccompAction = SeccompAction::Errno(libc::ENOSYS as u32);

/// System calls, each with the argument patterns of which one must match; no pattern: any arguments.
pub(crate) type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// A filter could not be made or installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilterError {
    /// Ours: the rules make no program, or this processor is not known.
    #[error("the system-call filter cannot be built for this processor")]
    Build(#[source] seccompiler::BackendError),
    /// The kernel's.
    #[error("the kernel did not accept the system-call filter")]
    Install(#[source] seccompiler::Error),
}

/// Every call but these fails.
pub(crate) fn allow_only(rules: Rules) -> Result<(), FilterError> {
    install(&program(rules, EPERM, SeccompAction::Allow)?)
}

/// These calls fail.
pub(crate) fn refuse(rules: Rules) -> Result<(), FilterError> {
    install(&program(rules, SeccompAction::Allow, EPERM)?)
}

/// These calls look as if the kernel did not know them: libraries then take the older one, which a filter can judge.
pub(crate) fn hide(rules: Rules) -> Result<(), FilterError> {
    install(&program(rules, SeccompAction::Allow, ENOSYS)?)
}

/// Refuses the x32 calls of x86-64 (bit 30 of the number), which would pass a list of forbidden numbers.
///
/// Other foreign ABIs end the process: the architecture is checked by every filter.
pub(crate) fn refuse_x32() -> Result<(), FilterError> {
    if cfg!(not(target_arch = "x86_64")) {
        return Ok(());
    }
    let instruction = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let program = [
        instruction((libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, 0, 0, 0), // seccomp_data.nr
        instruction((libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16, 0, 1, 0x4000_0000),
        instruction((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
        instruction((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    install(&program)
}

/// Calls with any arguments.
pub(crate) fn any(rules: &mut Rules, calls: &[i64]) {
    for call in calls {
        rules.insert(*call, Vec::new());
    }
}

/// One more pattern for `call`: all `conditions` hold.
pub(crate) fn when(rules: &mut Rules, call: i64, conditions: Vec<SeccompCondition>) -> Result<(), FilterError> {
    let rule = SeccompRule::new(conditions).map_err(FilterError::Build)?;
    rules.entry(call).or_default().push(rule);
    Ok(())
}

/// The 32-bit argument number `index` (from 0) is `value`.
pub(crate) fn equals(index: u8, value: i32) -> Result<SeccompCondition, FilterError> {
    condition(index, SeccompCmpOp::Eq, value)
}

/// The 32-bit argument number `index` is not `value`.
pub(crate) fn differs(index: u8, value: i32) -> Result<SeccompCondition, FilterError> {
    condition(index, SeccompCmpOp::Ne, value)
}

/// None of the bits of `mask` is set in the 32-bit argument number `index`.
pub(crate) fn has_none(index: u8, mask: i32) -> Result<SeccompCondition, FilterError> {
    condition(index, SeccompCmpOp::MaskedEq(bits(mask)), 0)
}

/// All bits of `mask` are set in the 32-bit argument number `index`.
pub(crate) fn has_all(index: u8, mask: i32) -> Result<SeccompCondition, FilterError> {
    condition(index, SeccompCmpOp::MaskedEq(bits(mask)), mask)
}

fn condition(index: u8, operator: SeccompCmpOp, value: i32) -> Result<SeccompCondition, FilterError> {
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, bits(value)).map_err(FilterError::Build)
}

/// The same 32 bits, zero-extended as the kernel hands a C `int` to the filter's lower word.
fn bits(value: i32) -> u64 {
    u64::from(value.cast_unsigned())
}

fn program(rules: Rules, otherwise: SeccompAction, on_match: SeccompAction) -> Result<BpfProgram, FilterError> {
    let arch = std::env::consts::ARCH.try_into().map_err(FilterError::Build)?;
    SeccompFilter::new(rules, otherwise, on_match, arch).and_then(TryInto::try_into).map_err(FilterError::Build)
}

fn install(program: &[sock_filter]) -> Result<(), FilterError> {
    apply_filter_all_threads(program).map_err(FilterError::Install)
}
