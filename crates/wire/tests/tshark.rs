//! tshark reads our test packets of STAMP as we mean them.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_wire::stamp::time::{ErrorEstimate, StampTime};
use netwatch_wire::stamp::{Reflected, Sent};

const FIELDS: [&str; 9] = [
    "seq_number",
    "timestamp",
    "error_estimate.s",
    "error_estimate.scale",
    "error_estimate.multiplier",
    "receive_timestamp",
    "sender_seq_number",
    "sender_timestamp",
    "sender_ttl",
];

/// A capture file (raw IPv4) with one datagram to or from port 862.
fn capture(payload: &[u8], is_answer: bool) -> Vec<u8> {
    let short = |n: usize| u16::try_from(n).expect("a short packet").to_be_bytes();
    let mut packet = vec![0x45, 0];
    packet.extend(short(28 + payload.len()));
    packet.extend([0, 0, 0, 0, 255, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    let (from, to) = if is_answer { (862, 40_000) } else { (40_000, 862) };
    packet.extend([short(from), short(to), short(8 + payload.len()), [0, 0]].concat());
    packet.extend(payload);
    let length = u32::try_from(packet.len()).expect("a short packet");
    let words = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 101, 1_795_000_000, 0, length, length];
    let mut file: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    file.extend(packet);
    file
}

/// What tshark says of the fields; `None` when it is not installed.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn dissect(file: &[u8]) -> Option<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args([
        "-r",
        "-",
        "-n",
        "-d",
        "udp.port==862,twamp.test",
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-E",
        "occurrence=f",
    ]);
    for field in FIELDS {
        command.args(["-e", &format!("twamp.test.{field}")]);
    }
    let command = command.env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else {
        eprintln!("SKIPPED: tshark is not installed (`make test` installs it)");
        return None;
    };
    child.stdin.take().expect("a pipe").write_all(file).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let line = String::from_utf8(output.stdout).expect("text");
    Some(line.trim_end_matches('\n').split('|').map(str::to_owned).collect())
}

#[test]
fn tshark_decodes_both_packets() {
    let moment = Timestamp::from_nanos(1_795_000_000_250_000_000);
    let later = |micros| StampTime::ntp(moment + Duration::from_micros(micros));
    let error = ErrorEstimate::of(Duration::from_secs(1), true);
    let sent = Sent { sequence: 77, time: later(0), error, session: 9 };
    let answer = Reflected { sequence: 33, time: later(500_000), error, received: later(250_000), sent, ttl: 254 };
    let Some(fields) = dissect(&capture(answer.encode(None).as_ref(), true)) else { return };
    assert_eq!([&fields[0], &fields[6], &fields[8]], ["33", "77", "254"], "{fields:?}");
    assert_eq!([&fields[2], &fields[3], &fields[4]], ["1", "25", "128"], "1 s is 128 · 2^25 · 2^-32: {fields:?}");
    for (field, second) in [(1, "40.750000"), (5, "40.500000"), (7, "40.250000")] {
        assert!(fields[field].contains(second), "{}: {fields:?}", FIELDS[field]);
    }
    let Some(fields) = dissect(&capture(sent.encode(None).as_ref(), false)) else { return };
    assert_eq!(fields[0], "77", "{fields:?}");
    assert!(fields[1].contains("40.250000"), "{fields:?}");
}
