//! `netwatch capture`: what goes over loopback is in the file, and nothing is written when it may not or cannot be.

#[path = "support/sandbox.rs"]
mod sandbox;

use std::net::UdpSocket;
use std::process::{Command, Stdio};

use sandbox::{Said, Sandbox, text};

/// Whether this process may capture; says loudly when not.
fn may_capture() -> bool {
    let sandbox = Sandbox::new();
    let rows = sandbox.run(&["doctor", "--listen", "127.0.0.1:0", "--format", "json"]).json_lines();
    let granted = rows.iter().any(|r| r["check"] == "capture" && r["status"] == "ok");
    if !granted {
        sandbox::skip("no right to capture");
    }
    granted
}

#[test]
fn packets_of_the_filter_are_in_the_file_up_to_the_limit() {
    if !may_capture() {
        return;
    }
    let sandbox = Sandbox::new();
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (from, to) = (sender.local_addr().unwrap().port(), receiver.local_addr().unwrap());
    let expression = format!("udp src port {from}");
    let file = sandbox.path("out.pcapng");
    let arguments = ["capture", "-w", text(&file), "-i", "lo", "--max-packets", "5", "--duration", "20s", &expression];
    let child = sandbox.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Sends until the five are caught: what comes before the ring is open is nobody's.
    let mut child = Some(child);
    let output = loop {
        sender.send_to(b"hello", to).unwrap();
        // waits: for the child, which ends at its limit or after its 20 seconds.
        std::thread::sleep(std::time::Duration::from_millis(20));
        let ended = child.as_mut().is_some_and(|c| c.try_wait().unwrap().is_some());
        if let Some(child) = child.take_if(|_| ended) {
            break child.wait_with_output().unwrap();
        }
    };
    let said = Said::from(output).exits(0).complains("capturing on lo").complains("the limit is reached: 5 packets");
    assert_eq!(said.out, "");
    let flows = sandbox.run(&["flows", "--read", text(&file), "--format", "json"]).exits(0).json_lines();
    assert_eq!(flows.len(), 1, "{flows:?}");
    assert_eq!((&flows[0]["packets"], &flows[0]["octets"]), (&5.into(), &(5 * 33).into()));
    assert_eq!((&flows[0]["source_port"], &flows[0]["interface"]), (&from.into(), &"lo".into()));

    let again = sandbox.run(&["capture", "-w", text(&file), "-i", "lo", "--duration", "1s"]).exits(1);
    again.complains("out.pcapng").complains("--force");
    assert_eq!(sandbox.run(&["flows", "--read", text(&file), "--format", "json"]).json_lines().len(), 1);
}

#[test]
fn a_wrong_question_makes_no_file() {
    let sandbox = Sandbox::new();
    let capture = |more: &[&str]| sandbox.run(&[&["capture", "-w", "out.pcapng"], more].concat());
    capture(&["-i", "lo0"]).exits(2).complains("did you mean lo?");
    capture(&["-i", "lo", "tcp", "prot", "80"]).exits(2).complains("tcp prot 80");
    capture(&["-i", "lo", "--max-size", "big"]).exits(2).complains("--max-size: `big` is not a size");
    capture(&["-i", "lo", "--duration", "5"]).exits(2).complains("--duration: `5` is not a duration");
    capture(&["-i", "lo", "--max-packets", "0"]).exits(2);
    sandbox.run(&["capture", "-i", "lo"]).exits(2).complains("--write");
    assert!(!sandbox.path("out.pcapng").exists());
}

#[test]
fn without_the_right_the_command_is_told_and_no_file_is_made() {
    if !rustix::process::geteuid().is_root() {
        sandbox::skip("only root can take the right to capture away from a child");
        return;
    }
    let sandbox = Sandbox::new();
    let plain = sandbox.command(&["capture", "-w", "out.pcapng", "-i", "lo", "--duration", "1s"]);
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set", "-net_raw", "--inh-caps", "-net_raw"]).arg(plain.get_program());
    command.args(plain.get_args()).current_dir(sandbox.folder.path());
    Said::from(command.output().unwrap()).exits(1).complains("not allowed").complains("sudo setcap cap_net_raw");
    assert!(!sandbox.path("out.pcapng").exists());
}
