//! The real program on real traffic in namespaces: named rightly, counted rightly, and equal to what the kernel counted.

#[path = "lab/site.rs"]
mod site;

use serde_json::Value;
use site::{Site, eventually, eventually_or};

/// L3 octets of both directions of flows that `wanted` picks.
fn octets(flows: &[Value], wanted: impl Fn(&Value) -> bool) -> u64 {
    flows.iter().filter(|f| wanted(f)).map(|f| number(f, "octets") + number(f, "reverse_octets")).sum()
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("no number {key} in {value}"))
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// What is in `a` and not in `b`.
fn only<T: PartialEq + std::fmt::Debug>(a: &[T], b: &[T]) -> Vec<String> {
    a.iter().filter(|x| !b.contains(x)).map(|x| format!("{x:?}")).collect()
}

#[test]
fn lab_programs_are_named_and_counted_as_the_kernel_counts() {
    let Some(site) = Site::new("lab_programs") else { return };
    site.serve_iperf3();
    site.serve_http();
    site.serve_dns();
    site.serve_ssh();
    let before = site.kernel_counters();
    let netwatch = site.netwatch(&[]);
    let started = site.kernel_counters();
    assert_eq!(before, started, "nothing was sent before capture ran");

    site.client.run("iperf3", &["-c", "10.77.0.2", "-t", "2", "-J"]);
    site.client.run(
        "curl",
        &[
            "-sS",
            "-o",
            "/dev/null",
            "--limit-rate",
            "400k",
            "--resolve",
            "web.netwatch.test:8080:10.77.0.2",
            "http://web.netwatch.test:8080/big",
        ],
    );
    site.client.run("dig", &["+tries=1", "@10.77.0.2", "www.netwatch.test", "A"]);
    site.ssh();

    let flows = eventually("flows of all four programs", || {
        let flows = netwatch.flows();
        let has = |app: &str| flows.iter().any(|f| word(f, "application") == app);
        (has("iperf3") && has("dns") && has("ssh") && flows.iter().any(|f| word(f, "name") == "web.netwatch.test"))
            .then_some(flows)
    });
    let web = flows.iter().find(|f| f["destination_port"] == 8080 && f["protocol"] == 6).expect("the download");
    assert_eq!((word(web, "name"), word(web, "source")), ("web.netwatch.test", "10.77.0.1"));
    assert_eq!(web["process"]["name"], "curl", "{web}");
    let iperf: Vec<_> = flows.iter().filter(|f| f["destination_port"] == 5201).collect();
    assert!(iperf.iter().all(|f| f["process"]["name"] == "iperf3"), "{iperf:#?}");
    let dns = flows.iter().find(|f| f["destination_port"] == 53).expect("the question");
    assert_eq!((number(dns, "packets"), number(dns, "reverse_packets")), (1, 1));

    site.compare_totals(&netwatch, |flows, port| octets(flows, |f| f["destination_port"] == port));
}

#[test]
fn lab_live_equals_file() {
    let Some(site) = Site::new("lab_live_equals_file") else { return };
    site.serve_iperf3();
    site.serve_iperf3_at(5202);
    site.serve_dns();
    let netwatch = site.netwatch(&[]);
    let (_dump, file) = site.tcpdump();
    site.client.run("iperf3", &["-c", "10.77.0.2", "-t", "1", "-P", "3", "-b", "10M"]);
    site.client.run("iperf3", &["-c", "10.77.0.2", "-p", "5202", "-u", "-b", "20M", "-t", "1"]);
    site.client.run("dig", &["+tries=1", "@10.77.0.2", "www.netwatch.test", "A"]);
    site.client.run("ping", &["-c", "3", "-i", "0.2", "10.77.0.2"]);

    let key = |f: &Value| {
        let text = |k: &str| word(f, k).to_owned();
        (
            text("source"),
            number(f, "source_port"),
            text("destination"),
            number(f, "destination_port"),
            number(f, "protocol"),
        )
    };
    let counts = |f: &Value| {
        ["packets", "reverse_packets", "octets", "reverse_octets", "l2_octets", "reverse_l2_octets"]
            .map(|k| number(f, k))
    };
    let list = |flows: &[Value]| {
        let mut all: Vec<_> = flows.iter().map(|f| (key(f), counts(f), word(f, "application").to_owned())).collect();
        all.sort();
        all
    };
    eventually_or("live flows equal to those of the file", || {
        let (live, from_file) = (list(&netwatch.flows()), list(&site.flows_of_file(&file)));
        if live == from_file {
            Ok(())
        } else {
            Err(format!("only live: {:#?}; only in the file: {:#?}", only(&live, &from_file), only(&from_file, &live)))
        }
    });
}

#[test]
fn lab_a_flood_does_not_hide_an_honest_flow() {
    let Some(site) = Site::new("lab_flood") else { return };
    site.serve_iperf3();
    let netwatch = site.netwatch(&[]);
    std::thread::scope(|scope| {
        scope.spawn(|| site.flood(1_000_000));
        site.client.run("iperf3", &["-c", "10.77.0.2", "-t", "6", "-b", "40M"]);
    });
    let truth = site.counted("iperf");
    let seen = eventually_or("the honest flow within one per cent", || {
        let flows = netwatch.get("/api/v1/flows?limit=10&filter=port%205201");
        let seen = octets(flows["items"].as_array().expect("items"), |_| true);
        if seen.abs_diff(truth) * 100 <= truth { Ok(seen) } else { Err(format!("{seen} of {truth}")) }
    });
    assert!(seen > 10_000_000, "{seen}");
    let statistics = eventually_or("every frame of the flood seen or dropped", || {
        let statistics = netwatch.get("/api/v1/statistics");
        let dropped = number(&statistics["capture"], "kernel_drops");
        let all = number(&statistics["table"], "started") + dropped >= 1_000_000;
        if all { Ok(statistics) } else { Err(format!("{statistics:#}")) }
    });
    let resident = number(&statistics["process"], "resident_bytes");
    assert!(resident < 400 << 20, "{resident} bytes after the flood");
}

#[test]
fn lab_a_lost_interface_comes_back_by_itself() {
    let Some(site) = Site::new("lab_interface") else { return };
    let netwatch = site.netwatch(&[]);
    let kinds = |netwatch: &site::Netwatch<'_>| {
        let events = netwatch.get("/api/v1/events?limit=200");
        let items = events["items"].as_array().expect("items").clone();
        items.iter().map(|e| word(e, "kind").to_owned()).collect::<Vec<_>>()
    };
    site.client.ip("link set wan down");
    eventually("the interruption", || kinds(&netwatch).contains(&"capture_interrupted".to_owned()).then_some(()));
    site.client.ip("link set wan up");
    eventually("the end of the interruption", || {
        kinds(&netwatch).contains(&"capture_resumed".to_owned()).then_some(())
    });
    site.client.ip("link del wan");
    eventually("the deletion", || kinds(&netwatch).contains(&"interface_deleted".to_owned()).then_some(()));
    site.connect();
    eventually("capture on the new interface", || {
        site.client.run("ping", &["-c", "1", "-W", "1", "10.77.0.2"]);
        netwatch.flows().iter().any(|f| f["protocol"] == 1).then_some(())
    });
}
