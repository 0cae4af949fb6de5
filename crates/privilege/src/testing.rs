//! For tests: run a piece of code in a forked child, where what it gives up is not given up by the test.

use std::io::{PipeWriter, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::process::{Gid, Pid, Uid, WaitOptions, getuid, waitpid};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_keep_capabilities};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// The user and group "nobody".
pub(crate) const NOBODY: u32 = 65534;

/// Runs `body` in a child that has one thread; returns what it returned, panics when it panicked.
pub(crate) fn in_child(body: impl FnOnce() -> String) -> String {
    let (mut read, write) = std::io::pipe().unwrap();
    // SAFETY: the only other thread is the harness, which waits for this test and holds no lock meanwhile.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    let Some(pid) = Pid::from_raw(pid) else {
        drop(read);
        report(write, body)
    };
    drop(write);
    let mut text = String::new();
    read.read_to_string(&mut text).unwrap();
    let (_, status) = waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap();
    assert_eq!(status.exit_status(), Some(0), "in the child ({status:?}): {text}");
    text
}

fn report(mut write: PipeWriter, body: impl FnOnce() -> String) -> ! {
    let outcome = catch_unwind(AssertUnwindSafe(body));
    let (status, text) = match outcome {
        Ok(text) => (0, text),
        Err(panic) => (1, panic.downcast_ref::<String>().cloned().unwrap_or_else(|| format!("{:?}", panic.type_id()))),
    };
    let written = write.write_all(text.as_bytes());
    // SAFETY: `_exit` does not return, and runs nothing of the harness.
    unsafe { libc::_exit(if written.is_ok() { status } else { 2 }) }
}

/// Whether the test can run; says so loudly when it cannot.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn is_root(test: &str) -> bool {
    let root = getuid().is_root();
    if !root {
        eprintln!("SKIPPED, NOT PASSED: {test} needs root");
    }
    root
}

/// Becomes nobody, with `keep` as the only capabilities. For a child of one thread.
pub(crate) fn become_nobody(keep: CapabilitySet) {
    set_keep_capabilities(!keep.is_empty()).unwrap();
    set_thread_groups(&[]).unwrap();
    let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    set_thread_res_gid(gid, gid, gid).unwrap();
    set_thread_res_uid(uid, uid, uid).unwrap();
    set_capabilities(None, CapabilitySets { effective: keep, permitted: keep, inheritable: keep }).unwrap();
}
