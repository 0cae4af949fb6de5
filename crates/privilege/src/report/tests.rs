use rustix::thread::CapabilitySet;

use super::*;
use crate::caps::drop_all;
use crate::testing::{NOBODY, become_nobody, in_child, is_root};

#[test]
fn root_can_do_everything() {
    if !is_root("root_can_do_everything") {
        return;
    }
    let report = PrivilegeReport::now().unwrap();
    assert_eq!((report.uid, &report.capture, report.processes), (0, &Capture::Granted, Processes::All));
    assert_eq!(report.advice(), None);
    assert!(report.to_string().contains("  capture packets         yes\n"), "{report}");
}

#[test]
fn nobody_is_told_the_command() {
    if !is_root("nobody_is_told_the_command") {
        return;
    }
    in_child(|| {
        become_nobody(CapabilitySet::empty());
        let report = PrivilegeReport::now().unwrap();
        assert_eq!((report.uid, &report.capture, report.processes), (NOBODY, &Capture::Denied, Processes::Own));
        let text = report.to_string();
        assert!(text.contains("! capture packets         no: CAP_NET_RAW is missing"), "{text}");
        assert!(text.contains("! to do                   run `sudo setcap cap_net_raw,"), "{text}");
        String::new()
    });
}

#[test]
fn what_was_dropped_is_seen() {
    if !is_root("what_was_dropped_is_seen") {
        return;
    }
    in_child(|| {
        drop_all().unwrap();
        let report = PrivilegeReport::now().unwrap();
        assert!(report.no_new_privs && report.capabilities.effective.is_empty());
        assert_eq!(report.capture, Capture::Denied);
        String::new()
    });
}

#[test]
fn a_right_that_the_kernel_ignores_is_explained() {
    let net_raw = FileCaps { permitted: CapSet::NET_RAW, inheritable: CapSet::NONE, effective: true };
    let report = PrivilegeReport {
        file: Some(net_raw),
        capture: Capture::Denied,
        no_new_privs: true,
        ..PrivilegeReport::now().unwrap()
    };
    let advice = report.advice().unwrap();
    assert_eq!(advice, "the program's file grants the right, but the kernel ignores that: no_new_privs is set");
    let elsewhere = PrivilegeReport { no_new_privs: false, ..report };
    assert!(elsewhere.advice().unwrap().ends_with("mounted with nosuid"));
}
