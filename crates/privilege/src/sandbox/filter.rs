//! The system calls that the main process gives up.
//!
//! A list of what is forbidden, not of what is allowed: the async runtime, the C library and an embedded database each bring
//! calls of their own, which change with every release. What would give a way round the list is on it: `io_uring` (makes
//! calls that no filter sees), the x32 numbers, and `clone3` (its flags are in memory, so it is hidden and libraries take
//! `clone`).

use libc::c_long;

use crate::seccomp::{FilterError, Rules, any, differs, equals, has_all, hide, refuse, refuse_x32, when};

/// Installs it for good, on every thread.
pub(super) fn install() -> Result<(), FilterError> {
    let (refused, hidden) = (refused()?, hidden());
    refuse_x32()?;
    hide(hidden)?;
    refuse(refused)
}

fn hidden() -> Rules {
    let mut rules = Rules::new();
    any(&mut rules, &[libc::SYS_clone3]);
    rules
}

fn refused() -> Result<Rules, FilterError> {
    let mut rules = Rules::new();
    any(&mut rules, REFUSED);
    any(&mut rules, REFUSED_X86);
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        let other = families.iter().map(|family| differs(0, *family)).collect::<Result<_, _>>()?;
        when(&mut rules, call, other)?;
    }
    for namespace in NAMESPACES {
        when(&mut rules, libc::SYS_clone, vec![has_all(0, *namespace)?])?;
    }
    // Typing into the terminal of whoever started us.
    for request in [libc::TIOCSTI, libc::TIOCLINUX] {
        when(&mut rules, libc::SYS_ioctl, vec![equals(1, request as i32)?])?;
    }
    Ok(rules)
}

const NAMESPACES: &[i32] = &[
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// On every architecture.
pub(super) const REFUSED: &[c_long] = &[
    // Programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // The kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_vhangup,
    libc::SYS_personality,
    // Keys.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // The tree of files.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_fanotify_init,
    libc::SYS_open_by_handle_at,
    // Namespaces and names.
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    // The clock.
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
];

/// What only some processors have.
#[cfg(target_arch = "x86_64")]
pub(super) const REFUSED_X86: &[c_long] =
    &[libc::SYS_kexec_file_load, libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt, libc::SYS_uselib];
#[cfg(not(target_arch = "x86_64"))]
pub(super) const REFUSED_X86: &[c_long] = &[];
