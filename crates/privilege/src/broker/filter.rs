//! The system calls of the broker: reading `/proc`, asking netlink, opening packet and raw sockets, and no more.
//!
//! Everything that is not listed fails with `EPERM`. Files open for reading only, memory never becomes executable, and no
//! process or thread can be made.

use crate::seccomp::{FilterError, Rules, allow_only, any, equals, has_none, when};

/// Installs it for good.
pub(super) fn install() -> Result<(), FilterError> {
    allow_only(rules()?)
}

fn rules() -> Result<Rules, FilterError> {
    let mut rules = Rules::new();
    any(&mut rules, FILES);
    any(&mut rules, SOCKETS);
    any(&mut rules, PROCESS);
    any(&mut rules, OLD);
    let writing = libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC;
    when(&mut rules, libc::SYS_openat, vec![has_none(2, writing)?])?;
    #[cfg(target_arch = "x86_64")]
    when(&mut rules, libc::SYS_open, vec![has_none(1, writing)?])?;
    when(&mut rules, libc::SYS_mmap, vec![has_none(2, libc::PROT_EXEC)?])?;
    when(&mut rules, libc::SYS_mprotect, vec![has_none(2, libc::PROT_EXEC)?])?;
    for family in [libc::AF_PACKET, libc::AF_NETLINK] {
        when(&mut rules, libc::SYS_socket, vec![equals(0, family)?])?;
    }
    let raw = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    for (family, icmp) in [(libc::AF_INET, libc::IPPROTO_ICMP), (libc::AF_INET6, libc::IPPROTO_ICMPV6)] {
        for protocol in [icmp, libc::IPPROTO_TCP] {
            when(&mut rules, libc::SYS_socket, vec![equals(0, family)?, equals(1, raw)?, equals(2, protocol)?])?;
        }
    }
    when(&mut rules, libc::SYS_tgkill, vec![equals(2, libc::SIGABRT)?])?;
    Ok(rules)
}

const FILES: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_lseek,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_newfstatat,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_readlinkat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getdents64,
];

const SOCKETS: &[i64] = &[
    libc::SYS_bind,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    libc::SYS_getsockname,
    libc::SYS_ppoll,
];

const PROCESS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_uname,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Calls that newer architectures do not have.
#[cfg(target_arch = "x86_64")]
const OLD: &[i64] = &[libc::SYS_readlink, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_poll];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[i64] = &[];
