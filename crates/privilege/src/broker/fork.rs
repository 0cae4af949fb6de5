//! The fork, and what a child must let go of: the only `unsafe` of the broker.

use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

use rustix::process::Pid;

/// The number under which the child knows its socket.
const SOCKET: i32 = 3;

/// Forks. The child runs `body` with `socket` as its only descriptor beside three of `/dev/null`, and never returns; the
/// parent gets the child's id, and `socket` is closed on its side.
///
/// The caller has made sure that one thread runs.
pub(super) fn run_in_child(socket: OwnedFd, body: impl FnOnce(OwnedFd) -> Infallible) -> io::Result<Pid> {
    // SAFETY: the caller is the only thread, so the child's copy of the heap and of every lock is whole, and it may go on as
    // any program does.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    let Some(pid) = Pid::from_raw(pid) else {
        child(&socket, body);
    };
    drop(socket);
    Ok(pid)
}

fn child(socket: &OwnedFd, body: impl FnOnce(OwnedFd) -> Infallible) -> ! {
    // Nothing may unwind into the parent's code, of which this process has a copy.
    let run = std::panic::AssertUnwindSafe(|| match keep_only(socket) {
        Ok(socket) => match body(socket) {},
        Err(_) => exit(1),
    });
    let _ = std::panic::catch_unwind(run);
    exit(101)
}

/// Ends this process without running what the parent registered for its own end.
pub(super) fn exit(status: i32) -> ! {
    // SAFETY: `_exit` takes any number and does not return.
    unsafe { libc::_exit(status) }
}

/// Closes every descriptor but `socket`, and puts `/dev/null` where a library expects the standard ones.
fn keep_only(socket: &OwnedFd) -> io::Result<OwnedFd> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let (socket, null) = (above_standard(socket)?, above_standard(&null.into())?);
    // Nothing of this process uses the descriptors that are replaced or closed here: the parent's objects that own them are
    // never dropped, since the process ends by `_exit`.
    for standard in 0..SOCKET {
        replace(null.as_raw_fd(), standard)?;
    }
    let socket = socket.into_raw_fd();
    if socket != SOCKET {
        replace(socket, SOCKET)?;
    }
    let _ = null.into_raw_fd();
    // SAFETY: closes numbers only; see above for who owned them.
    if unsafe { libc::syscall(libc::SYS_close_range, SOCKET + 1, u32::MAX, 0) } != 0 {
        close_each()?;
    }
    // SAFETY: number 3 is open and has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(SOCKET) })
}

/// A copy whose number is above those that are about to be replaced.
fn above_standard(fd: &OwnedFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, SOCKET + 1)?)
}

fn replace(from: i32, to: i32) -> io::Result<()> {
    // SAFETY: `dup2` takes numbers; what was open as `to` has no living owner in this process.
    match unsafe { libc::dup2(from, to) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Before Linux 5.9 there is no `close_range`.
fn close_each() -> io::Result<()> {
    let listed = std::fs::read_dir("/proc/self/fd")?;
    let open: Vec<i32> = listed.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    for fd in open.into_iter().filter(|fd| *fd > SOCKET) {
        // SAFETY: as above; the number of the listing itself is closed already, which is no error that matters.
        unsafe { libc::close(fd) };
    }
    Ok(())
}
