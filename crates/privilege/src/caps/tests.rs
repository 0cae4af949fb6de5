use proptest::prelude::*;
use rustix::thread::CapabilitySet;

use super::*;
use crate::testing::{become_nobody, in_child, is_root};

#[test]
fn sets_are_shown_in_words() {
    assert_eq!(CapSet::NONE.to_string(), "none");
    assert_eq!(CapSet::NET_RAW.union(CapSet::SYS_PTRACE).to_string(), "cap_net_raw,cap_sys_ptrace");
    assert_eq!(CapSet::from_bits((1 << 41) - 1).to_string(), "all");
    assert_eq!(CapSet::from_bits((1 << 41) - 1 - (1 << 24)).to_string(), "all but cap_sys_resource", "some containers");
    assert_eq!(CapSet::from_bits(1 << 50 | 1).to_string(), "cap_chown,50", "what a later kernel may add");
}

proptest! {
    #[test]
    fn any_set_has_words(bits: u64) {
        prop_assert!(!CapSet::from_bits(bits).to_string().is_empty());
    }
}

#[test]
fn what_is_dropped_cannot_be_had_again() {
    if !is_root("what_is_dropped_cannot_be_had_again") {
        return;
    }
    in_child(|| {
        assert!(Capabilities::current().unwrap().effective.contains(CapSet::NET_RAW));
        assert_eq!(drop_all().unwrap(), Capabilities::default());
        let all = CapabilitySet::NET_RAW;
        let raise = CapabilitySets { effective: all, permitted: all, inheritable: all };
        assert_eq!(set_capabilities(None, raise), Err(rustix::io::Errno::PERM));
        assert!(rustix::thread::no_new_privs().unwrap());
        assert_eq!(rustix::process::dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(rustix::process::getrlimit(Resource::Core).maximum, Some(0));
        // Root's programs get nothing either: no_new_privs, and an empty bounding set.
        let status = std::process::Command::new("/bin/cat").arg("/proc/self/status").output().unwrap();
        let status = String::from_utf8(status.stdout).unwrap();
        assert!(status.contains("CapEff:\t0000000000000000"), "{status}");
        assert_eq!(drop_all().unwrap(), Capabilities::default(), "twice does no harm");
        String::new()
    });
}

#[test]
fn only_what_is_permitted_can_be_kept() {
    if !is_root("only_what_is_permitted_can_be_kept") {
        return;
    }
    in_child(|| {
        become_nobody(CapabilitySet::NET_RAW);
        let kept = keep_only(CapSet::NET_RAW.union(CapSet::SYS_PTRACE)).unwrap();
        assert_eq!(
            (kept.permitted, kept.effective, kept.inheritable),
            (CapSet::NET_RAW, CapSet::NET_RAW, CapSet::NONE)
        );
        String::new()
    });
}

#[test]
fn dropping_beside_a_thread_is_refused() {
    in_child(|| {
        std::thread::scope(|scope| {
            let (stop, stopped) = std::sync::mpsc::sync_channel::<()>(0);
            scope.spawn(move || stopped.recv());
            let error = drop_all().unwrap_err();
            assert!(matches!(error, CapsError::Threads { threads: 2 }), "{error}");
            drop(stop);
        });
        String::new()
    });
}

#[test]
fn an_unprivileged_process_without_rights_can_drop_too() {
    if !is_root("an_unprivileged_process_without_rights_can_drop_too") {
        return;
    }
    in_child(|| {
        become_nobody(CapabilitySet::empty());
        let left = drop_all().unwrap();
        assert!(left.permitted.is_empty() && left.effective.is_empty());
        // Not dumpable, so /proc/self belongs to root: what the process says of itself must still be readable.
        assert!(std::fs::read_dir("/proc/self/fd").unwrap().count() > 2);
        assert!(std::fs::read_to_string("/proc/self/status").is_ok());
        assert!(std::fs::read_link("/proc/self/exe").is_ok());
        String::new()
    });
}
