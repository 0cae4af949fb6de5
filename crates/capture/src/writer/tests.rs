//! What is written is read again, by us and by tshark; full disks and limits leave whole files.

use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::file::{FileOptions, FileSource, FrameSink, Progress};
use crate::frame::{InterfaceIndex, OffloadedTag};

fn interfaces() -> [WrittenInterface; 2] {
    let interface = |name, link| WrittenInterface { name: Untrusted::new(name), link, capture_length: 2048 };
    [interface("eth<b>0", LinkType::Ethernet), interface("tun0", LinkType::Ip)]
}

/// An Ethernet frame with a UDP packet of 29 octets to port 53.
const UDP: [u8; 43] = [
    2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 29, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x30,
    0x39, 0, 53, 0, 9, 0, 0, 1,
];

fn frame(data: &[u8], interface: u8, nanos: i64) -> Frame<'_> {
    let wire_length = u32::try_from(data.len()).unwrap();
    let link = interfaces()[usize::from(interface)].link;
    Frame {
        time: Timestamp::from_nanos(nanos),
        data,
        wire_length,
        interface: InterfaceIndex(interface),
        link,
        ..Frame::EMPTY
    }
}

/// Frames as they come out of our own reader.
#[derive(Debug, Default)]
struct Seen {
    names: Vec<String>,
    frames: Vec<(i64, Vec<u8>, u32, Direction, u8)>,
}

impl FrameSink for Seen {
    fn point(&mut self, _: InterfaceIndex, name: &Untrusted) {
        self.names.push(name.raw().to_owned());
    }

    fn frames(&mut self, frames: &[Frame<'_>]) {
        let kept = |f: &Frame<'_>| (f.time.nanos(), f.data.to_vec(), f.wire_length, f.direction, f.interface.0);
        self.frames.extend(frames.iter().map(kept));
    }
}

fn read(path: &Path) -> Seen {
    let mut seen = Seen::default();
    let mut source = FileSource::open(path, FileOptions::default()).unwrap();
    while source.next_batch(Timestamp::MAX, &mut seen).unwrap() != Progress::End {}
    seen
}

/// Writes to a new file and gives it with the writer.
fn written(limits: WriteLimits, frames: &[Frame<'_>]) -> (tempfile::TempPath, Vec<Written>, u64) {
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let output = Output::create(&path, true).unwrap();
    let mut writer = Writer::new(output, "netwatch test", &interfaces(), limits).unwrap();
    let outcomes = frames.iter().map(|frame| writer.frame(frame).unwrap()).collect();
    writer.flush().unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), writer.octets());
    let packets = writer.packets();
    (path, outcomes, packets)
}

#[test]
fn tshark_reads_names_times_directions_and_tags() {
    let tagged = Frame {
        tag: Some(OffloadedTag { tpid: 0x8100, tci: 0x6064 }),
        direction: Direction::Out,
        ..frame(&UDP, 0, 1_700_000_000_123_456_789)
    };
    let cut = Frame { wire_length: 1500, ..frame(&UDP[14..], 1, 1_700_000_001_000_000_001) };
    let (path, ..) = written(WriteLimits::default(), &[tagged, cut]);
    let fields = "frame.interface_name frame.time_epoch frame.len frame.cap_len vlan.id udp.dstport frame.packet_flags_direction";
    let mut tshark = Command::new("tshark");
    tshark.args(["-r", path.to_str().unwrap(), "-T", "fields", "-E", "separator=,"]);
    for field in fields.split(' ') {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().expect("tshark is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines =
        ["eth<b>0,1700000000.123456789,47,47,100,53,0x00000002", "tun0,1700000001.000000001,1500,29,,53,0x00000001"];
    let seen: Vec<&str> = text.lines().collect();
    assert_eq!(seen, lines, "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn tcpdump_finds_the_tag_where_it_was() {
    let tagged = Frame { tag: Some(OffloadedTag { tpid: 0x8100, tci: 0x6064 }), ..frame(&UDP, 0, 1) };
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let output = Output::create(&path, true).unwrap();
    let mut writer = Writer::new(output, "t", &interfaces()[..1], WriteLimits::default()).unwrap();
    writer.frame(&tagged).unwrap();
    writer.frame(&frame(&UDP, 0, 2)).unwrap();
    writer.statistics(0, Timestamp::from_nanos(3), RingStatistics { received: 2, dropped: 1, freezes: 0 });
    writer.flush().unwrap();
    let count = |expression| {
        let output = Command::new("tcpdump").args(["-n", "-r", path.to_str().unwrap(), expression]).output();
        String::from_utf8_lossy(&output.expect("tcpdump is installed").stdout).lines().count()
    };
    assert_eq!([count("vlan 100 and udp port 53"), count("udp port 53"), count("")], [1, 1, 2]);
}

#[test]
fn an_existing_file_is_kept_unless_forced() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Output::create(file.path(), false).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot create {}", file.path().display()));
    assert!(Output::create(file.path(), true).is_ok());
}

#[test]
fn limits_are_kept_exactly() {
    let frames = [frame(&UDP, 0, 1), frame(&UDP, 0, 2), frame(&UDP, 0, 3)];
    let (path, outcomes, packets) = written(WriteLimits { packets: Some(2), octets: None }, &frames);
    assert_eq!((outcomes, packets), (vec![Written::Yes, Written::Yes, Written::Full], 2));
    assert_eq!(read(&path).frames.len(), 2);
    let whole = written(WriteLimits::default(), &frames[..2]);
    let octets = std::fs::metadata(&whole.0).unwrap().len();
    let (path, outcomes, _) = written(WriteLimits { packets: None, octets: Some(octets) }, &frames);
    assert_eq!(outcomes, [Written::Yes, Written::Yes, Written::Full]);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), octets);
}

#[test]
fn a_full_disk_leaves_a_whole_file() {
    let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    // The process may write files of at most this size: the kernel cuts the write that crosses it, then refuses.
    let limit = rustix::process::Rlimit { current: Some(20_000), maximum: rustix::process::getrlimit(FSIZE).maximum };
    let before = rustix::process::getrlimit(FSIZE);
    let output = Output::create(&path, true).unwrap();
    let mut writer = Writer::new(output, "t", &interfaces(), WriteLimits::default()).unwrap();
    for n in 0..1000 {
        writer.frame(&frame(&UDP, 0, n)).unwrap();
    }
    crate::os::block_file_size_signal();
    rustix::process::setrlimit(FSIZE, limit).unwrap();
    let error = writer.flush();
    rustix::process::setrlimit(FSIZE, before).unwrap();
    let error = error.unwrap_err().to_string();
    let seen = read(&path);
    assert!((200..230).contains(&seen.frames.len()), "{} packets of 88 octets fit", seen.frames.len());
    assert!(error.ends_with(&format!("the {} packets written before are kept", seen.frames.len())), "{error}");
}

const FSIZE: rustix::process::Resource = rustix::process::Resource::Fsize;

proptest! {
    #[test]
    fn what_is_written_is_read(
        frames in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 1..200), 0_i64..i64::MAX, 0_u32..70_000, any::<bool>(), 0_u8..2, any::<Option<u16>>()),
            1..80,
        )
    ) {
        let frames: Vec<Frame<'_>> = frames.iter().map(|(data, time, more, out, interface, tci)| Frame {
            wire_length: u32::try_from(data.len()).unwrap() + more,
            direction: if *out { Direction::Out } else { Direction::In },
            tag: tci.map(|tci| OffloadedTag { tpid: 0x8100, tci }),
            ..frame(data, *interface, *time)
        }).collect();
        let (path, _, packets) = written(WriteLimits::default(), &frames);
        prop_assert_eq!(packets, frames.len() as u64);
        let seen = read(&path);
        prop_assert_eq!(seen.names, ["eth<b>0", "tun0"]);
        prop_assert_eq!(seen.frames.len(), frames.len());
        for (frame, (time, data, wire, direction, interface)) in frames.iter().zip(&seen.frames) {
            prop_assert_eq!((frame.time.nanos(), frame.direction, frame.interface.0), (*time, *direction, *interface));
            match frame.tag.filter(|_| frame.data.len() >= 12) {
                None => prop_assert_eq!((frame.data, frame.wire_length), (data.as_slice(), *wire)),
                Some(tag) => {
                    prop_assert_eq!(frame.wire_length + 4, *wire);
                    let tci = tag.tci.to_be_bytes();
                    prop_assert_eq!(&data[12..16], [0x81, 0, tci[0], tci[1]]);
                    prop_assert_eq!([&data[..12], &data[16..]].concat(), frame.data);
                }
            }
        }
    }
}
