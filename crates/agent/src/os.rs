//! What only the operating system knows.

/// Whether the system says that its clock is synchronised (adjtimex(2)); false where it does not say.
#[cfg(target_os = "linux")]
pub(crate) fn is_clock_synchronised() -> bool {
    // SAFETY: all of `timex` are numbers, for which zeros are values; with modes 0 nothing is changed.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a `timex` that lives during the call.
    let answer = unsafe { libc::adjtimex(&raw mut state) };
    answer >= 0 && answer != libc::TIME_ERROR
}

/// Whether the system says that its clock is synchronised; nobody asks it here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_clock_synchronised() -> bool {
    false
}

/// The user as whom this process acts.
#[cfg(unix)]
pub(crate) fn user() -> u32 {
    // SAFETY: the call has no arguments and always succeeds.
    unsafe { libc::geteuid() }
}

/// Has the system end this process after as many seconds, also when another program runs in its place by then (alarm(2)); 0 takes that
/// back.
#[cfg(unix)]
pub(crate) fn end_after(seconds: u32) {
    // SAFETY: the call has no pointers and always succeeds; nobody else here uses the timer.
    unsafe { libc::alarm(seconds) };
}

/// Nothing ends the process elsewhere.
#[cfg(not(unix))]
pub(crate) fn end_after(_: u32) {}

#[cfg(test)]
mod tests {
    #[test]
    fn the_system_is_asked_without_changing_anything() {
        let first = super::is_clock_synchronised();
        assert_eq!(super::is_clock_synchronised(), first);
    }
}
