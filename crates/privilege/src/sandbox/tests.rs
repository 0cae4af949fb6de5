use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};

use super::*;
use crate::broker::Broker;
use crate::caps::drop_all;
use crate::testing::{become_nobody, in_child, is_root};

fn done() -> String {
    String::new()
}

/// Whether this kernel has the Landlock version that a test is about; says so loudly when not.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn has_landlock(version: u32, test: &str) -> bool {
    let has = landlock_abi().is_some_and(|abi| abi >= version);
    if !has {
        eprintln!("SKIPPED, NOT PASSED: {test} needs Landlock {version}");
    }
    has
}

#[test]
fn forbidden_calls_fail_with_eperm() {
    in_child(|| {
        let report = Sandbox::new().enforce().unwrap();
        assert_eq!(report.layer("system calls").unwrap().state, LayerState::Enforced, "{report}");
        // Pointers are null, so that a call that gets through does no harm.
        for call in filter::REFUSED.iter().chain(filter::REFUSED_X86).copied() {
            // SAFETY: every argument is zero.
            let result = unsafe { libc::syscall(call, 0_usize, 0_usize, 0_usize, 0_usize, 0_usize, 0_usize) };
            let error = std::io::Error::last_os_error().raw_os_error();
            assert_eq!((result, error), (-1, Some(libc::EPERM)), "call {call}");
        }
        for namespace in [libc::CLONE_NEWUSER, libc::CLONE_NEWNET | libc::CLONE_NEWNS] {
            // SAFETY: no memory is shared and no pointer is given; refused by the filter.
            let result = unsafe { libc::syscall(libc::SYS_clone, namespace | libc::SIGCHLD, 0, 0, 0, 0) };
            assert_eq!((result, std::io::Error::last_os_error().raw_os_error()), (-1, Some(libc::EPERM)));
        }
        done()
    });
}

#[test]
fn programs_cannot_be_started_and_threads_can() {
    in_child(|| {
        assert!(Command::new("/bin/true").status().unwrap().success(), "before");
        Sandbox::new().enforce().unwrap();
        let error = Command::new("/bin/true").status().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert_eq!(std::thread::spawn(|| 7).join().unwrap(), 7);
        done()
    });
}

#[test]
fn threads_that_run_already_are_filtered_too() {
    in_child(|| {
        let (go, wait) = std::sync::mpsc::sync_channel::<()>(0);
        let other = std::thread::spawn(move || {
            wait.recv().unwrap();
            Command::new("/bin/true").status().map_err(|e| e.kind())
        });
        let report = Sandbox::new().enforce().unwrap();
        go.send(()).unwrap();
        assert_eq!(other.join().unwrap().unwrap_err(), ErrorKind::PermissionDenied);
        if landlock_abi().is_some() {
            let files = report.layer("files").unwrap();
            assert_eq!(files.state, LayerState::Partial);
            assert!(files.detail.contains("1 threads were started before"), "{}", files.detail);
        }
        done()
    });
}

#[test]
fn only_four_socket_families_can_be_opened() {
    in_child(|| {
        Sandbox::new().enforce().unwrap();
        for family in [AddressFamily::UNIX, AddressFamily::INET, AddressFamily::INET6, AddressFamily::NETLINK] {
            socket(family, SocketType::DGRAM, None).unwrap();
        }
        for family in [libc::AF_PACKET, libc::AF_ALG, libc::AF_VSOCK, libc::AF_KEY, libc::AF_XDP, libc::AF_BLUETOOTH] {
            let family = AddressFamily::from_raw(u16::try_from(family).unwrap());
            assert_eq!(socket(family, SocketType::RAW, None).unwrap_err(), Errno::PERM, "{family:?}");
        }
        done()
    });
}

#[test]
fn files_outside_the_given_paths_are_shut() {
    if !has_landlock(3, "files_outside_the_given_paths_are_shut") {
        return;
    }
    let given = tempfile::tempdir().unwrap();
    let (data, inputs) = (given.path().join("data"), given.path().join("inputs"));
    fs::create_dir_all(&data).unwrap();
    fs::create_dir_all(&inputs).unwrap();
    fs::write(inputs.join("capture.pcap"), "x").unwrap();
    fs::write(given.path().join("beside"), "x").unwrap();
    in_child(|| {
        let report = Sandbox::new().write(&data).read(&inputs).enforce().unwrap();
        let denied = |result: std::io::Result<()>| assert_eq!(result.unwrap_err().kind(), ErrorKind::PermissionDenied);

        fs::create_dir(data.join("day")).unwrap();
        fs::write(data.join("day/flows"), "one").unwrap();
        fs::rename(data.join("day/flows"), data.join("flows")).unwrap();
        assert_eq!(fs::read_to_string(data.join("flows")).unwrap(), "one");
        fs::File::options().write(true).open(data.join("flows")).unwrap().set_len(0).unwrap();
        fs::remove_file(data.join("flows")).unwrap();
        fs::remove_dir(data.join("day")).unwrap();

        assert_eq!(fs::read_to_string(inputs.join("capture.pcap")).unwrap(), "x");
        denied(fs::write(inputs.join("capture.pcap"), "y"));
        denied(fs::remove_file(inputs.join("capture.pcap")));
        denied(fs::read(given.path().join("beside")).map(drop));
        denied(fs::write(given.path().join("new"), "x"));
        denied(fs::write("/etc/netwatch-test", "x"));
        denied(fs::read("/etc/shadow").map(drop));
        denied(fs::read_dir("/root").map(drop));
        denied(fs::read_dir("/").map(drop));

        assert!(fs::read_to_string("/proc/self/status").unwrap().contains("Seccomp:\t2"));
        assert!(fs::read_dir("/proc/self/fd").unwrap().count() > 0);
        fs::read_dir("/sys/class/net").unwrap();
        fs::read_to_string("/etc/passwd").unwrap();
        fs::write("/dev/null", "x").unwrap();
        assert!(report.to_string().contains(&format!("only {} can be written", data.display())), "{report}");
        done()
    });
}

#[test]
fn only_given_ports_can_be_bound_and_all_reached() {
    if !has_landlock(4, "only_given_ports_can_be_bound_and_all_reached") {
        return;
    }
    in_child(|| {
        let before = TcpListener::bind("127.0.0.1:0").unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Sandbox::new().bind(free.port()).enforce().unwrap();
        TcpListener::bind(free).unwrap();
        assert_eq!(TcpListener::bind("127.0.0.1:0").unwrap_err().kind(), ErrorKind::PermissionDenied);
        TcpStream::connect(before.local_addr().unwrap()).unwrap();
        before.accept().unwrap();
        done()
    });
}

#[test]
fn connections_can_be_limited() {
    if !has_landlock(4, "connections_can_be_limited") {
        return;
    }
    in_child(|| {
        let (one, two) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let (one, two) = (one.local_addr().unwrap(), two.local_addr().unwrap());
        let report = Sandbox::new().connect_only([one.port()]).enforce().unwrap();
        let kind = |address| TcpStream::connect(address).map_or_else(|e| e.kind(), |_| ErrorKind::Other);
        assert_ne!(kind(one), ErrorKind::PermissionDenied);
        assert_eq!(kind(two), ErrorKind::PermissionDenied);
        let told = format!("TCP ports to bind: none; to connect to: {}", one.port());
        assert!(report.to_string().contains(&told), "{report}");
        done()
    });
}

#[test]
fn everything_together_and_the_broker_still_serves() {
    if !is_root("everything_together_and_the_broker_still_serves") {
        return;
    }
    in_child(|| {
        let broker = Broker::start(|out| out.extend(fs::read("/proc/1/comm").unwrap())).unwrap();
        drop_all().unwrap();
        let report = Sandbox::new().enforce().unwrap();
        assert_eq!(report.is_complete(), landlock_abi().is_some_and(|abi| abi >= 6), "{report}");
        assert_eq!(socket(AddressFamily::PACKET, SocketType::RAW, None).unwrap_err(), Errno::PERM);
        broker.open_packet_socket().unwrap();
        assert_eq!(broker.owners().unwrap(), fs::read("/proc/1/comm").unwrap());
        done()
    });
}

#[test]
fn it_stands_for_an_unprivileged_user_too() {
    if !is_root("it_stands_for_an_unprivileged_user_too") {
        return;
    }
    in_child(|| {
        become_nobody(rustix::thread::CapabilitySet::empty());
        drop_all().unwrap();
        let report = Sandbox::new().enforce().unwrap();
        assert_eq!(report.layer("system calls").unwrap().state, LayerState::Enforced, "{report}");
        assert_eq!(report.layer("capabilities").unwrap().state, LayerState::Enforced, "{report}");
        assert!(fs::read_dir("/proc/self/fd").unwrap().count() > 0);
        done()
    });
}

#[test]
fn a_path_that_is_missing_is_an_error_and_nothing_is_enforced() {
    in_child(|| {
        let error = Sandbox::new().write("/nowhere/at/all").enforce().unwrap_err();
        assert!(error.to_string().starts_with("`/nowhere/at/all` cannot be opened"), "{error}");
        assert!(Command::new("/bin/true").status().unwrap().success());
        done()
    });
}

#[test]
fn rights_that_are_left_are_told() {
    if !is_root("rights_that_are_left_are_told") {
        return;
    }
    in_child(|| {
        become_nobody(rustix::thread::CapabilitySet::NET_RAW);
        let report = Sandbox::new().enforce().unwrap();
        let layer = report.layer("capabilities").unwrap();
        assert_eq!((layer.state, layer.detail.as_str()), (LayerState::Partial, "this process still has cap_net_raw"));
        done()
    });
}
