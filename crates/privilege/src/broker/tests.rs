use std::fs;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::sockopt::{socket_domain, socket_protocol};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use rustix::thread::CapabilitySet;

use super::*;
use crate::caps::{Capabilities, drop_all};
use crate::testing::{become_nobody, in_child, is_root};

mod hostile;
mod protocol;

const PATIENCE: rustix::event::Timespec = rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 };

fn done() -> String {
    String::new()
}

fn nobody_owns(_: &mut Vec<u8>) {}

fn pid_of(handle: &BrokerHandle) -> Pid {
    Pid::from_raw(handle.status().pid.cast_signed()).unwrap()
}

#[test]
fn hands_out_sockets_after_everything_was_dropped() {
    if !is_root("hands_out_sockets_after_everything_was_dropped") {
        return;
    }
    in_child(|| {
        let broker = Broker::start(nobody_owns).unwrap();
        let left = drop_all().unwrap();
        assert_eq!(left, Capabilities::default(), "nothing is left");
        assert_eq!(try_packet_socket().unwrap_err().raw_os_error(), Some(libc::EPERM));

        let socket = broker.open_packet_socket().unwrap();
        assert_eq!(socket_domain(&socket).unwrap(), AddressFamily::PACKET);
        assert_eq!(socket_protocol(&socket).unwrap(), None, "receives nothing before it is bound");
        assert!(rustix::io::fcntl_getfd(&socket).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
        sees_loopback(&socket);
        done()
    });
}

/// Binds the socket to `lo` and waits for a datagram that this test sends.
fn sees_loopback(socket: &OwnedFd) {
    let lo = rustix::net::netdevice::name_to_index(socket, "lo").unwrap();
    let address = libc::sockaddr_ll {
        sll_family: u16::try_from(libc::AF_PACKET).unwrap(),
        sll_protocol: u16::try_from(libc::ETH_P_ALL).unwrap().to_be(),
        sll_ifindex: i32::try_from(lo).unwrap(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: the pointer and the length describe `address`, which outlives the call.
    let bound = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            u32::try_from(size_of::<libc::sockaddr_ll>()).unwrap(),
        )
    };
    assert_eq!(bound, 0, "bind: {}", io::Error::last_os_error());
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mark = b"netwatch broker test";
    udp.send_to(mark, udp.local_addr().unwrap()).unwrap();
    let mut frame = [0; 2048];
    loop {
        let ready = poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&PATIENCE)).unwrap();
        assert_eq!(ready, 1, "no frame of the datagram was seen");
        let (length, _) = rustix::net::recv(socket, &mut frame[..], rustix::net::RecvFlags::empty()).unwrap();
        if frame[..length].ends_with(mark) {
            return;
        }
    }
}

#[test]
fn keeps_three_rights_one_name_and_four_descriptors() {
    if !is_root("keeps_three_rights_one_name_and_four_descriptors") {
        return;
    }
    in_child(|| {
        let open = fs::File::open("/etc/passwd").unwrap();
        let broker = Broker::start(nobody_owns).unwrap();
        assert_eq!(broker.status().capabilities, KEPT);
        assert!(broker.status().seccomp);
        let proc = PathBuf::from(format!("/proc/{}", broker.status().pid));
        assert_eq!(fs::read_to_string(proc.join("comm")).unwrap(), "netwatch-broker\n");
        let status = fs::read_to_string(proc.join("status")).unwrap();
        for line in [
            &format!("CapEff:\t{:016x}", KEPT.bits()),
            &format!("CapPrm:\t{:016x}", KEPT.bits()),
            "CapInh:\t0000000000000000",
            "CapBnd:\t0000000000000000",
            "CapAmb:\t0000000000000000",
            "NoNewPrivs:\t1",
            "Seccomp:\t2",
        ] {
            assert!(status.lines().any(|l| l == line), "`{line}` is missing in:\n{status}");
        }
        let mut open_there: Vec<_> =
            fs::read_dir(proc.join("fd")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        open_there.sort_unstable();
        assert_eq!(open_there, ["0", "1", "2", "3"]);
        drop(open);
        done()
    });
}

#[test]
fn owners_come_whole_whatever_their_length() {
    in_child(|| {
        let lengths = [0, 1, 32 * 1024, 4 * (32 * 1024 - 12), 4 * (32 * 1024 - 12) + 1, MAX_OWNERS_BYTES];
        let mut round = 0;
        let broker = Broker::start(move |out| {
            assert!(out.is_empty());
            let length = lengths[round];
            out.extend((0..length).map(|i| u8::try_from((i + round) % 251).unwrap()));
            round += 1;
        })
        .unwrap();
        for (round, length) in lengths.into_iter().enumerate() {
            let bytes = broker.owners().unwrap();
            assert_eq!(bytes.len(), length);
            assert!(bytes.iter().enumerate().all(|(i, b)| usize::from(*b) == (i + round) % 251));
        }
        let error = broker.owners().unwrap_err();
        assert!(matches!(error, BrokerError::Panicked), "index out of bounds panics in the broker: {error}");
        done()
    });
}

#[test]
fn too_long_a_list_is_refused_and_the_broker_goes_on() {
    in_child(|| {
        let mut length = MAX_OWNERS_BYTES + 1;
        let broker = Broker::start(move |out| {
            out.resize(length, 7);
            length = 3;
        })
        .unwrap();
        assert!(matches!(broker.owners(), Err(BrokerError::TooLarge { bytes: 4_194_305 })));
        assert_eq!(broker.owners().unwrap(), [7, 7, 7]);
        done()
    });
}

#[test]
fn a_late_answer_is_not_taken_for_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let gate = directory.path().join("gate");
    in_child(|| {
        let seen = gate.clone();
        let mut round = 0_u8;
        let broker = Broker::start(move |out| {
            round += 1;
            while !seen.exists() {
                std::thread::yield_now();
            }
            out.push(round);
        })
        .unwrap();
        let hurried = broker.clone().with_timeout(Duration::from_millis(20));
        let error = hurried.owners().unwrap_err();
        assert!(matches!(error, BrokerError::Timeout { .. }), "{error}");
        assert!(error.to_string().contains("within 0.02 s"), "{error}");
        fs::write(&gate, "").unwrap();
        assert_eq!(broker.owners().unwrap(), [2], "the answer to the first question is thrown away");
        done()
    });
}

#[test]
fn a_dead_broker_is_told_at_every_call() {
    in_child(|| {
        let broker = Broker::start(nobody_owns).unwrap();
        kill_process(pid_of(&broker), Signal::KILL).unwrap();
        for _ in 0..3 {
            let error = broker.clone().open_packet_socket().unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, BrokerError::Gone { .. }), "{text}");
            assert!(text.contains("was ended by signal 9: restart netwatch"), "{text}");
        }
        assert!(matches!(broker.owners(), Err(BrokerError::Gone { .. })));
        assert!(!PathBuf::from(format!("/proc/{}", broker.status().pid)).exists(), "no zombie is left");
        done()
    });
}

#[test]
fn the_broker_ends_with_its_last_handle_and_with_its_parent() {
    in_child(|| {
        let broker = Broker::start(nobody_owns).unwrap();
        let pid = broker.status().pid;
        drop(broker.clone());
        broker.owners().unwrap();
        drop(broker);
        assert!(!PathBuf::from(format!("/proc/{pid}")).exists());
        done()
    });
    // This child is ended by `_exit`, without closing anything by itself.
    let pid = in_child(|| {
        let broker = Broker::start(nobody_owns).unwrap();
        std::mem::forget(broker.clone());
        broker.status().pid.to_string()
    });
    let Ok(orphan) = pidfd_open(Pid::from_raw(pid.parse().unwrap()).unwrap(), PidfdFlags::empty()) else { return };
    assert_eq!(poll(&mut [PollFd::new(&orphan, PollFlags::IN)], Some(&PATIENCE)), Ok(1), "broker {pid} outlived us");
}

#[test]
fn the_stop_signals_of_the_parent_do_not_end_the_broker() {
    in_child(|| {
        let broker = Broker::start(nobody_owns).unwrap();
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            kill_process(pid_of(&broker), signal).unwrap();
            broker.owners().unwrap();
        }
        done()
    });
}

#[test]
fn without_the_right_each_call_names_the_command() {
    if !is_root("without_the_right_each_call_names_the_command") {
        return;
    }
    in_child(|| {
        become_nobody(CapabilitySet::empty());
        let broker = Broker::start(|out| out.push(1)).unwrap();
        assert!(broker.status().capabilities.is_empty());
        let error = broker.open_packet_socket().unwrap_err();
        let program = std::env::current_exe().unwrap();
        let command = format!("`sudo setcap cap_net_raw,cap_sys_ptrace,cap_dac_read_search+ep {}`", program.display());
        assert!(matches!(error, BrokerError::Denied { .. }), "{error}");
        assert!(error.to_string().contains(&command), "{error}");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(broker.owners().unwrap(), [1], "the rest still works");
        done()
    });
}

#[test]
fn one_right_of_an_unprivileged_user_is_enough() {
    if !is_root("one_right_of_an_unprivileged_user_is_enough") {
        return;
    }
    in_child(|| {
        become_nobody(CapabilitySet::NET_RAW);
        let broker = Broker::start(nobody_owns).unwrap();
        assert_eq!(broker.status().capabilities, CapSet::NET_RAW);
        let left = drop_all().unwrap();
        assert!(left.effective.is_empty() && left.permitted.is_empty() && left.inheritable.is_empty());
        assert!(!left.bounding.is_empty(), "emptying it needs CAP_SETPCAP");
        assert!(try_packet_socket().is_err());
        broker.open_packet_socket().unwrap();
        done()
    });
}

#[test]
fn starting_beside_a_thread_is_refused() {
    in_child(|| {
        std::thread::scope(|scope| {
            let (stop, stopped) = std::sync::mpsc::sync_channel::<()>(0);
            scope.spawn(move || stopped.recv());
            let error = Broker::start(nobody_owns).unwrap_err();
            assert!(matches!(error, BrokerError::Threads { threads: 2 }), "{error}");
            drop(stop);
        });
        done()
    });
}

#[test]
fn the_owners_function_can_look_but_not_touch() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("written");
    let report = in_child(|| {
        let file = file.clone();
        let broker = Broker::start(move |out| out.extend(attempts(&file).join("\n").into_bytes())).unwrap();
        String::from_utf8(broker.owners().unwrap()).unwrap()
    });
    assert_eq!(
        report.lines().collect::<Vec<_>>(),
        ["read ok", "list ok", "netlink ok", "write EPERM", "unlink EPERM", "inet EPERM", "exec EPERM", "thread EPERM"]
    );
}

fn attempts(file: &std::path::Path) -> Vec<String> {
    use rustix::net::{SocketType, netlink, socket};
    let told = |what: &str, error: Option<i32>| match error {
        None => format!("{what} ok"),
        Some(libc::EPERM) => format!("{what} EPERM"),
        Some(other) => format!("{what} {other}"),
    };
    let io = |r: io::Result<()>| r.err().map(|e| e.raw_os_error().unwrap_or(-1));
    let sys = |r: rustix::io::Result<OwnedFd>| r.err().map(rustix::io::Errno::raw_os_error);
    vec![
        told("read", io(fs::read("/proc/self/stat").map(drop))),
        told("list", io(fs::read_dir("/proc").map(|d| assert!(d.count() > 1)))),
        told("netlink", sys(socket(AddressFamily::NETLINK, SocketType::RAW, Some(netlink::SOCK_DIAG)))),
        told("write", io(fs::write(file, "x"))),
        told("unlink", io(fs::remove_file("/etc/hostname"))),
        told("inet", sys(socket(AddressFamily::INET, SocketType::STREAM, None))),
        told("exec", io(std::process::Command::new("/bin/true").status().map(drop))),
        told("thread", io(std::thread::Builder::new().spawn(|| ()).map(drop))),
    ]
}
