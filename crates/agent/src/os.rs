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

#[cfg(test)]
mod tests {
    #[test]
    fn the_system_is_asked_without_changing_anything() {
        let first = super::is_clock_synchronised();
        assert_eq!(super::is_clock_synchronised(), first);
    }
}
