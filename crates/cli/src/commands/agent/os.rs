//! How much memory the allocator keeps for itself.

/// Two arenas are enough for a program whose threads mostly wait: glibc would make one for each thread, and give none back.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn limit_arenas() {
    // SAFETY: both are options of mallopt(3) with values that it takes, set before the second thread starts.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 128 << 10);
    }
}

/// Other allocators have no such option.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn limit_arenas() {}
