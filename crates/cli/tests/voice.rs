//! `netwatch quality`, and `netwatch reflector` as somebody else's sender meets it.

#[path = "support/sandbox.rs"]
mod sandbox;

use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::process::{Child, Stdio};
use std::time::Duration;

use sandbox::{Sandbox, text};

fn near(is: &serde_json::Value, must: f64) {
    assert!((is.as_f64().expect("a number") - must).abs() < 0.005, "{is} is not {must}");
}

#[test]
fn quality_prints_rating_and_score() {
    let sandbox = Sandbox::new();
    let rows = [
        ("0ms", "0%", "1", "g711-plc", 93.21, 4.409),
        ("100ms", "1%", "1", "g711-plc", 89.57, 4.328),
        ("150ms", "1%", "1", "g711-plc", 89.40, 4.324),
        ("400ms", "1%", "1", "g711-plc", 65.50, 3.379),
        ("0s", "2%", "1.5", "g729a", 73.944, 3.777),
        ("0s", "20%", "1", "g711", 15.02, 1.124),
        ("0s", "5%", "1", "gsm-efr", 58.21, 3.007),
        ("0s", "0.5%", "1", "G723.1", 75.80, 3.858),
    ];
    for (delay, loss, burst, codec, r, mos) in rows {
        let arguments = ["quality", "--delay", delay, "--loss", loss, "--burst-ratio", burst, "--codec", codec];
        let said = sandbox.run(&[&arguments[..], &["--format", "json"]].concat()).exits(0);
        let row = &said.json_lines()[0];
        near(&row["r_factor"], r);
        near(&row["mos"], mos);
    }
    let table = sandbox.run(&["quality"]).exits(0).out;
    assert!(table.contains("excellent") && table.contains("4.41") && table.contains("93.2"), "{table}");
}

#[test]
fn quality_refuses_what_is_no_call() {
    let sandbox = Sandbox::new();
    for (arguments, complaint) in [
        (["--loss", "1"], "for example 1%"),
        (["--loss", "101%"], "from 0 % to 100 %"),
        (["--burst-ratio", "0.5"], "at least 1"),
        (["--codec", "opus"], "use one of g711-plc"),
        (["--delay", "100"], "unit"),
    ] {
        sandbox.run(&[&["quality"], &arguments[..]].concat()).exits(2).complains(complaint);
    }
}

struct Reflector(Child, BufReader<std::process::ChildStderr>);

impl Reflector {
    /// Starts one and gives where it listens.
    fn start(sandbox: &Sandbox, arguments: &[&str]) -> (Self, String) {
        let mut command = sandbox.command(&[&["reflector", "--listen", "127.0.0.1:0"], arguments].concat());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        while !line.contains("reflecting at") {
            line.clear();
            assert!(lines.read_line(&mut line).expect("a line") > 0, "it ended early");
        }
        let place = line.split_whitespace().find(|word| word.starts_with("127.0.0.1:")).expect("an address").to_owned();
        (Self(child, lines), place)
    }

    /// Asks it to end and gives its last words.
    fn end(mut self) -> String {
        let id = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
        let mut last = String::new();
        std::io::Read::read_to_string(&mut self.1, &mut last).expect("text");
        assert!(self.0.wait().expect("it ends").success(), "{last}");
        last
    }
}

/// Twenty packets as RFC 8762 has them, made by hand; the answers' numbers.
fn ask(place: &str) -> Vec<u32> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(place).expect("it is connected");
    socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a timeout");
    let mut numbers = Vec::new();
    for sequence in 0..20_u8 {
        let mut packet = [0; 44];
        (packet[3], packet[13]) = (sequence, 1);
        socket.send(&packet).expect("it is sent");
        let mut answer = [0; 200];
        match socket.recv(&mut answer) {
            Ok(length) => {
                assert_eq!((length, answer[27]), (44, sequence), "as long as the question, and it repeats its number");
                numbers.push(u32::from_be_bytes([answer[0], answer[1], answer[2], answer[3]]));
            }
            Err(_) => break,
        }
    }
    numbers
}

#[test]
fn the_reflector_answers_this_host_and_says_what_it_did() {
    let sandbox = Sandbox::new();
    let (reflector, place) = Reflector::start(&sandbox, &[]);
    assert_eq!(ask(&place), (0..20).collect::<Vec<_>>());
    let last = reflector.end();
    assert!(last.contains("answered 20 packets; refused: none"), "{last}");
}

#[test]
fn the_reflector_answers_no_stranger_and_nobody_without_the_key() {
    let sandbox = Sandbox::new();
    let (reflector, place) = Reflector::start(&sandbox, &["--allow", "192.0.2.0/24,2001:db8::/32"]);
    assert!(ask(&place).is_empty());
    let last = reflector.end();
    assert!(last.contains("answered 0 packets; refused: 1 stranger"), "{last}");
    let key = sandbox.file("key", "a secret\n");
    let (reflector, place) = Reflector::start(&sandbox, &["--key-file", text(&key)]);
    assert!(ask(&place).is_empty());
    let last = reflector.end();
    assert!(last.contains("refused: 1 size"), "{last}");
    sandbox.run(&["reflector", "--key-file", "missing"]).exits(1).complains("missing cannot be read");
    let empty = sandbox.file("empty", "");
    sandbox.run(&["reflector", "--key-file", text(&empty)]).exits(2).complains("must hold");
    sandbox.run(&["reflector", "--allow", "10.0.0.1/8"]).exits(2).complains("10.0.0.1/8");
    sandbox.run(&["reflector", "--listen", "127.0.0.1"]).exits(2).complains("127.0.0.1");
}
