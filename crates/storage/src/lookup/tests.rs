//! Files that are replaced, damaged or gone, and names of workspaces; with a writer of the smallest MMDB files.

use super::*;

/// A value of an MMDB file.
enum Data<'a> {
    Text(&'a str),
    U16(u16),
    U32(u32),
    U64(u64),
    List(Vec<Data<'a>>),
    Map(Vec<(&'a str, Data<'a>)>),
}

/// <https://maxmind.github.io/MaxMind-DB/>, "Data Field Format". Sizes here are below 285, and of lists and maps below 29.
fn encode(data: &Data<'_>, out: &mut Vec<u8>) {
    let control = |kind: u8, size: usize| (kind << 5) | u8::try_from(size).unwrap();
    match data {
        Data::Text(text) => {
            out.push(control(2, text.len().min(29)));
            // From 29 on the rest of the size is a byte of its own.
            out.extend(text.len().checked_sub(29).map(|rest| u8::try_from(rest).unwrap()));
            out.extend(text.bytes());
        }
        Data::U16(n) => out.extend([&[control(5, 2)][..], &n.to_be_bytes()].concat()),
        Data::U32(n) => out.extend([&[control(6, 4)][..], &n.to_be_bytes()].concat()),
        Data::U64(n) => out.extend([&[control(0, 8), 9 - 7][..], &n.to_be_bytes()].concat()),
        Data::List(list) => {
            out.extend([control(0, list.len()), 11 - 7]);
            list.iter().for_each(|item| encode(item, out));
        }
        Data::Map(map) => {
            out.push(control(7, map.len()));
            for (key, value) in map {
                encode(&Data::Text(key), out);
                encode(value, out);
            }
        }
    }
}

/// A file that knows one IPv4 network, given by its first octets.
fn mmdb(network: &[u8], known: &Data<'_>) -> Vec<u8> {
    let bits: Vec<bool> = network.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1)).collect();
    let nodes = u32::try_from(bits.len()).unwrap();
    let mut out = Vec::new();
    for (number, bit) in (1..).zip(&bits) {
        // The next node, or the only value; the other side is empty.
        let next: u32 = if number < nodes { number } else { nodes + 16 };
        let pair = if *bit { [nodes, next] } else { [next, nodes] };
        pair.iter().for_each(|record| out.extend(&record.to_be_bytes()[1..]));
    }
    out.extend([0; 16]);
    encode(known, &mut out);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let about = Data::Map(vec![
        ("binary_format_major_version", Data::U16(2)),
        ("binary_format_minor_version", Data::U16(0)),
        ("build_epoch", Data::U64(1_795_132_800)),
        ("database_type", Data::Text("Test")),
        ("description", Data::Map(vec![("en", Data::Text("test"))])),
        ("ip_version", Data::U16(4)),
        ("languages", Data::List(vec![Data::Text("en")])),
        ("node_count", Data::U32(nodes)),
        ("record_size", Data::U16(24)),
    ]);
    encode(&about, &mut out);
    out
}

fn in_country(code: &str) -> Vec<u8> {
    mmdb(&[192, 0, 2], &Data::Map(vec![("country", Data::Map(vec![("iso_code", Data::Text(code))]))]))
}

fn workspace(n: u128) -> WorkspaceId {
    format!("{n:032x}").parse().unwrap()
}

fn says(lookups: &Lookups, what: Lookup, address: &str) -> Option<String> {
    lookups.of(workspace(1)).find(what, address.parse().unwrap()).map(|t| t.raw().to_owned())
}

/// Puts a file in the place of another, as `geoipupdate` does.
fn replace(path: &Path, bytes: &[u8]) {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, bytes).unwrap();
    std::fs::rename(fresh, path).unwrap();
}

#[test]
fn a_file_that_is_replaced_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (country, asn) = (folder.path().join("country.mmdb"), folder.path().join("asn.mmdb"));
    let of = Data::Map(vec![
        ("autonomous_system_number", Data::U32(64496)),
        ("autonomous_system_organization", Data::Text("Example")),
    ]);
    replace(&country, &in_country("NL"));
    replace(&asn, &mmdb(&[192, 0, 2], &of));
    let lookups =
        Lookups::new(LookupPaths { country: Some(country.clone()), asn: Some(asn), ..LookupPaths::default() });
    assert_eq!(says(&lookups, Lookup::Country, "192.0.2.1"), None, "nothing is read before it is asked for");
    assert!(lookups.refresh().is_empty(), "{:?}", lookups.faults());
    assert_eq!(says(&lookups, Lookup::Country, "192.0.2.1").as_deref(), Some("NL"));
    assert_eq!(says(&lookups, Lookup::Asn, "192.0.2.1").as_deref(), Some("AS64496 Example"));
    let facts = lookups.of(workspace(1)).facts("192.0.2.1".parse().unwrap());
    let names = [facts.network, facts.country, facts.organization].map(|name| name.map(|name| name.to_string()));
    assert_eq!((facts.asn, names), (Some(64496), [None, Some("NL".to_owned()), Some("Example".to_owned())]));
    assert_eq!(says(&lookups, Lookup::Country, "192.0.3.1"), None);
    assert_eq!(says(&lookups, Lookup::Country, "2001:db8::1"), None);
    replace(&country, &in_country("BE"));
    assert!(lookups.refresh().is_empty());
    assert_eq!(says(&lookups, Lookup::Country, "192.0.2.1").as_deref(), Some("BE"));
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_work() {
    let folder = tempfile::tempdir().unwrap();
    let (country, asn) = (folder.path().join("country.mmdb"), folder.path().join("asn.mmdb"));
    replace(&country, &in_country("NL"));
    replace(&asn, b"<html>not found</html>");
    let lookups =
        Lookups::new(LookupPaths { country: Some(country.clone()), asn: Some(asn.clone()), ..LookupPaths::default() });
    let errors = lookups.refresh();
    assert_eq!(errors.len(), 1);
    let text = errors[0].to_string();
    assert!(text.starts_with(&format!("cannot read {}: it is no MaxMind database", asn.display())), "{text}");
    assert_eq!(lookups.faults(), [text]);
    assert_eq!(says(&lookups, Lookup::Asn, "192.0.2.1"), None);
    assert_eq!(says(&lookups, Lookup::Country, "192.0.2.1").as_deref(), Some("NL"));
    // What was read before stays in use while its file is damaged or gone, and the message goes when it is whole again.
    replace(&country, &in_country("NL")[..40]);
    std::fs::remove_file(&asn).unwrap();
    assert_eq!(lookups.refresh().len(), 2);
    assert!(lookups.faults()[1].contains("put the file there"), "{:?}", lookups.faults());
    assert_eq!(says(&lookups, Lookup::Country, "192.0.2.1").as_deref(), Some("NL"));
    replace(&country, &in_country("BE"));
    lookups.set_paths(LookupPaths { country: Some(country), ..LookupPaths::default() });
    assert!(lookups.refresh().is_empty() && lookups.faults().is_empty());
    assert_eq!(says(&lookups, Lookup::Country, "192.0.2.1").as_deref(), Some("BE"));
    lookups.set_paths(LookupPaths::default());
    assert_eq!(says(&lookups, Lookup::Country, "192.0.2.1"), None, "a file that is not named any more is forgotten");
}

#[test]
fn names_of_a_workspace_win_and_are_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let ranges = folder.path().join("ranges.csv");
    std::fs::write(&ranges, "10.0.0.0/8,Company\n").unwrap();
    let lookups = Lookups::new(LookupPaths { ranges: Some(ranges), ..LookupPaths::default() });
    assert!(lookups.refresh().is_empty());
    lookups.name_ranges(workspace(2), Some(Ranges::parse("10.0.0.0/8,Customer").unwrap()));
    let name = |n| lookups.of(workspace(n)).find(Lookup::Network, "10.0.0.1".parse().unwrap()).unwrap().to_string();
    assert_eq!((name(1), name(2)), ("Company".to_owned(), "Customer".to_owned()));
    lookups.name_ranges(workspace(2), None);
    assert_eq!(name(2), "Company");
}
