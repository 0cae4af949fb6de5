//! Files of every kind that we read: what is in them comes out, and what is wrong with them is said once, with its place.

use std::io::{Cursor, Write};

use proptest::prelude::*;

use super::*;

/// What came out of a file.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    points: Vec<(u8, String)>,
    frames: Vec<(i64, Vec<u8>, u32, Direction, u8)>,
}

impl FrameSink for Seen {
    fn point(&mut self, interface: InterfaceIndex, name: &Untrusted) {
        self.points.push((interface.0, name.to_string()));
    }

    fn frames(&mut self, frames: &[Frame<'_>]) {
        assert!(!frames.is_empty() && frames.len() <= BATCH);
        let kept = |f: &Frame<'_>| (f.time.nanos(), f.data.to_vec(), f.wire_length, f.direction, f.interface.0);
        self.frames.extend(frames.iter().map(kept));
    }
}

fn open(octets: &[u8]) -> Result<FileSource, FileError> {
    FileSource::from_reader(Path::new("dir/a.pcap"), Box::new(Cursor::new(octets.to_vec())), FileOptions::default())
}

/// Reads all, and the error at the end if there is one.
fn read(octets: &[u8]) -> (Seen, Option<String>) {
    let mut seen = Seen::default();
    let mut source = match open(octets) {
        Ok(source) => source,
        Err(error) => return (seen, Some(error.to_string())),
    };
    loop {
        match source.next_batch(Timestamp::MAX, &mut seen) {
            Ok(Progress::End) => return (seen, None),
            Ok(_) => {}
            Err(error) => {
                let again = source.next_batch(Timestamp::MAX, &mut seen);
                assert!(matches!(again, Ok(Progress::End)), "an error is told once: {again:?}");
                return (seen, Some(error.to_string()));
            }
        }
    }
}

/// A classic file with one packet a millisecond, numbered in its first two octets.
fn pcap(big_endian: bool, nanos: bool, packets: u16) -> Vec<u8> {
    let word = |n: u32| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut file = word(if nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 }).to_vec();
    file.extend([word(0x0004_0002), word(0), word(0), word(65535), word(101)].concat());
    for n in 0..packets {
        let fraction = u32::from(n) * if nanos { 1_000_000 } else { 1000 };
        file.extend([word(7), word(fraction), word(4), word(60)].concat());
        file.extend(n.to_be_bytes());
        file.extend([9, 9]);
    }
    file
}

fn block(big_endian: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let word = |n: u32| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let length = word(u32::try_from(body.len() + 12).unwrap());
    [&word(kind)[..], &length, body, &length].concat()
}

/// Two capture points with clocks of their own, and packets that tell their directions.
fn pcapng(big_endian: bool) -> Vec<u8> {
    let word = |n: u32| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let half = |n: u16| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let option = |code: u16, value: &[u8]| {
        let mut option = [&half(code)[..], &half(u16::try_from(value.len()).unwrap()), value].concat();
        option.resize(option.len().next_multiple_of(4), 0);
        option
    };
    let offset = if big_endian { 10_i64.to_be_bytes() } else { 10_i64.to_le_bytes() };
    let packet = |point: u32, units: u32, data: &[u8], flags: Option<u32>| {
        let length = word(u32::try_from(data.len()).unwrap());
        let mut body = [&word(point)[..], &word(0), &word(units), &length, &word(1500), data].concat();
        body.resize(body.len().next_multiple_of(4), 0);
        if let Some(flags) = flags {
            body.extend(option(2, &word(flags)));
            body.extend(option(0, &[]));
        }
        block(big_endian, 6, &body)
    };
    let interface = |options: &[u8]| block(big_endian, 1, &[&half(101)[..], &half(0), &word(0), options].concat());
    [
        block(big_endian, 0x0a0d_0d0a, &[&word(0x1a2b_3c4d)[..], &word(1), &[0xff; 8]].concat()),
        interface(&[]),
        interface(&[option(2, b"eth<b>0"), option(9, &[9]), option(14, &offset)].concat()),
        block(big_endian, 0x0bad, &[1, 2, 3, 4]),
        packet(0, 1_000_000, &[1, 2, 3], Some(2)),
        packet(1, 5, &[4, 5], Some(1)),
        block(big_endian, 3, &[&word(2)[..], &[7, 8, 0, 0]].concat()),
    ]
    .concat()
}

#[test]
fn both_orders_and_both_resolutions() {
    for (big_endian, nanos) in [(false, false), (false, true), (true, false), (true, true)] {
        let (seen, error) = read(&pcap(big_endian, nanos, 200));
        assert_eq!(error, None);
        assert_eq!(seen.points, [(0, "a.pcap".to_owned())]);
        assert_eq!(seen.frames.len(), 200);
        for (n, (time, data, wire, ..)) in (0_i64..).zip(&seen.frames) {
            assert_eq!(*time, 7_000_000_000 + n * 1_000_000);
            assert_eq!((data.as_slice(), *wire), (&[0, n as u8, 9, 9][..], 60));
        }
    }
}

#[test]
fn blocks_with_clocks_names_and_directions() {
    for big_endian in [false, true] {
        let (seen, error) = read(&pcapng(big_endian));
        assert_eq!(error, None);
        assert_eq!(seen.points, [(0, "a.pcap".to_owned()), (1, "eth<b>0".to_owned())]);
        let (out, inwards) = (Direction::Out, Direction::In);
        assert_eq!(
            seen.frames,
            [
                (1_000_000_000, vec![1, 2, 3], 1500, out, 0),
                (10_000_000_005, vec![4, 5], 1500, inwards, 1),
                (10_000_000_005, vec![7, 8], 2, inwards, 0),
            ]
        );
    }
}

#[test]
fn a_second_section_has_capture_points_of_its_own() {
    let twice = [pcapng(true), pcapng(false)].concat();
    let (seen, error) = read(&twice);
    assert_eq!(error, None);
    let names: Vec<_> = seen.points.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["a.pcap", "eth<b>0", "a.pcap:2", "eth<b>0"]);
    assert_eq!(seen.frames.iter().map(|f| f.4).collect::<Vec<_>>(), [0, 1, 0, 2, 3, 2]);
}

#[test]
fn gzip_is_found_by_its_magic() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&pcap(false, false, 5000)).unwrap();
    let octets = gzip.finish().unwrap();
    let (seen, error) = read(&octets);
    assert_eq!((seen.frames.len(), error), (5000, None));
    let (seen, error) = read(&octets[..octets.len() / 2]);
    assert!(seen.frames.len() > 100, "what was whole is kept: {}", seen.frames.len());
    assert!(error.unwrap().contains("ends within the packet"));
}

#[test]
fn a_cut_file_keeps_what_is_whole_and_names_the_place() {
    let whole = pcap(false, false, 3);
    let (seen, error) = read(&whole[..whole.len() - 1]);
    assert_eq!(seen.frames.len(), 2);
    let text = "the capture file dir/a.pcap ends within the packet at octet 64; what stands before it was read";
    assert_eq!(error.as_deref(), Some(text));
}

#[test]
fn a_damaged_block_keeps_what_is_before_it_and_names_the_place() {
    let mut file = pcapng(false);
    let packet = file.len() - 20;
    file[packet + 4] = 21;
    let (seen, error) = read(&file);
    assert_eq!(seen.frames.len(), 2);
    let text = format!("damaged at octet {packet}: the length of a block makes no sense");
    assert!(error.as_deref().unwrap().contains(&text), "{error:?}");
}

#[test]
fn what_is_no_capture_file_is_refused() {
    for octets in [&b""[..], b"<html>", &[0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0, 1, 2, 3, 4]] {
        let text =
            "dir/a.pcap is not a capture file: it begins like neither pcap nor pcapng, plain or compressed with gzip";
        assert_eq!(read(octets).1.as_deref(), Some(text));
    }
    let missing = FileSource::open(Path::new("/no/such/file"), FileOptions::default()).unwrap_err();
    assert_eq!(missing.to_string(), "cannot open the capture file /no/such/file");
}

#[test]
fn an_unknown_link_type_is_told() {
    let mut file = pcap(false, false, 1);
    file[20] = 105;
    let text = "the capture file dir/a.pcap has frames of link type 105, which cannot be read";
    assert_eq!(read(&file).1.as_deref(), Some(text));
}

#[test]
fn frames_wait_for_their_time() {
    let mut source = open(&pcap(false, false, 10)).unwrap();
    let mut seen = Seen::default();
    let at = |millis: i64| Timestamp::from_nanos(7_000_000_000 + millis * 1_000_000);
    assert_eq!(source.next_batch(at(-1), &mut seen).unwrap(), Progress::Waiting(at(0)));
    assert_eq!(source.next_batch(at(3), &mut seen).unwrap(), Progress::Frames);
    assert_eq!(seen.frames.len(), 4);
    assert_eq!(source.next_batch(at(3), &mut seen).unwrap(), Progress::Waiting(at(4)));
    assert_eq!(source.next_batch(at(99), &mut seen).unwrap(), Progress::Frames);
    assert_eq!(source.next_batch(at(99), &mut seen).unwrap(), Progress::End);
    assert_eq!(seen.frames.len(), 10);
}

#[test]
fn a_filter_keeps_what_it_says() {
    let udp = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 1, 1, 1, 1];
    let mut file = pcap(false, false, 1);
    for protocol in [6, 17] {
        file.extend([[0; 4], [0; 4], [20, 0, 0, 0], [20, 0, 0, 0]].concat());
        let mut packet = udp;
        packet[9] = protocol;
        file.extend(packet);
    }
    let options = FileOptions { filter: Some("udp".to_owned()), ..FileOptions::default() };
    let mut source = FileSource::from_reader(Path::new("a"), Box::new(Cursor::new(file)), options).unwrap();
    let mut seen = Seen::default();
    while source.next_batch(Timestamp::MAX, &mut seen).unwrap() != Progress::End {}
    assert_eq!(seen.frames.len(), 1);
    assert_eq!((seen.frames[0].1[9], seen.frames[0].3), (17, Direction::Out));
}

proptest! {
    #[test]
    fn damage_never_panics_and_never_invents(at in 0_usize..400, octet: u8, cut in 0_usize..400, blocks: bool) {
        let mut file = if blocks { pcapng(at % 2 == 0) } else { pcap(at % 2 == 0, false, 12) };
        let at = at % file.len();
        file[at] = octet;
        file.truncate(file.len() - cut % file.len());
        let (seen, _) = read(&file);
        prop_assert!(seen.frames.len() <= 12);
    }
}
