//! What the agent asks of the system: how much memory the allocator keeps for itself; and in a file for each system, where data belong,
//! when it is asked to end, and how a newer program takes its place.

#[cfg_attr(unix, path = "os/unix.rs")]
#[cfg_attr(windows, path = "os/windows.rs")]
mod system;

pub(super) use system::{Signals, data_folder, host_name, is_administrator, replace};

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
