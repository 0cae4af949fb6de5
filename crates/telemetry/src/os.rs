//! Clocks and limits as the operating system gives them: one file for each kind of system.

#[cfg(unix)]
#[path = "os/unix.rs"]
mod system;
#[cfg(windows)]
#[path = "os/windows.rs"]
mod system;

pub(crate) use system::{most_open_files, process_cpu, realtime, since_start};
