//! The real iperf3 as a client, in namespaces of its own: it must see what it sees of its own server.

use std::sync::mpsc::sync_channel;

use netwatch_testkit::netns::Namespace;
use serde_json::Value;
use tokio::sync::Notify;

use super::*;
use crate::throughput::tests::{all_but_what_was_on_the_way, at_least_what_counted, link, number};

/// Serves in a namespace while `work` is done.
fn serving<R>(namespace: &Namespace, config: Config, work: impl FnOnce(&Handle) -> R) -> R {
    let (stop, (told, tell)) = (Notify::new(), {
        let (tell, told) = sync_channel(1);
        (told, tell)
    });
    std::thread::scope(|scope| {
        let stop = &stop;
        scope.spawn(move || {
            namespace.enter(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(async {
                    let server = Server::bind_with(&config, Arc::default()).expect("the port is free");
                    tell.send(server.handle()).expect("somebody waits");
                    tokio::select! {
                        () = server.run() => {}
                        () = stop.notified() => {}
                    }
                });
            });
        });
        let handle = told.recv().expect("it serves");
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&handle)));
        stop.notify_one();
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn open() -> Config {
    let any = ["0.0.0.0/0", "::/0"].map(|net| net.parse().expect("a network"));
    let listen = vec!["[::]:5201".parse().expect("an address")];
    Config { listen, allow: any.to_vec(), limits: Limits::default() }
}

/// What iperf3 reports of a test against 192.0.2.2, or its words of failure.
fn iperf3(namespace: &Namespace, arguments: &[&str]) -> Result<Value, String> {
    let arguments = [&["-c", "192.0.2.2", "-J"], arguments].concat();
    let output =
        namespace.enter(|| std::process::Command::new("iperf3").args(&arguments).output().expect("iperf3 runs"));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    match report["error"].as_str() {
        None if output.status.success() => Ok(report),
        error => Err(error.unwrap_or_default().to_owned() + &String::from_utf8_lossy(&output.stderr)),
    }
}

#[test]
fn iperf3_sends_and_receives_by_tcp() {
    let Some((a, b)) = link("a throughput server by TCP") else { return };
    serving(&b, open(), |handle| {
        for (arguments, streams) in [
            (&["-t", "2"][..], 1),
            (&["-t", "2", "-P", "4"], 4),
            (&["-t", "2", "-R"], 1),
            (&["-t", "2", "-R", "-P", "3", "-S", "0x68", "-N"], 3),
            (&["-n", "1G"], 1),
            (&["-n", "1G", "-R"], 1),
        ] {
            let before = handle.tests();
            let report = iperf3(&a, arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
            let end = &report["end"];
            let (sent, received) = (number(&end["sum_sent"]["bytes"]), number(&end["sum_received"]["bytes"]));
            if arguments.contains(&"-R") {
                at_least_what_counted(sent, received);
            } else {
                all_but_what_was_on_the_way(sent, received, streams);
            }
            assert!(!arguments.contains(&"-n") || received >= 1e9, "{arguments:?}: {received}");
            assert_eq!(end["streams"].as_array().map(Vec::len), Some(streams as usize), "{arguments:?}");
            let seconds = end["sum_received"]["seconds"].as_f64().expect("seconds");
            assert!((0.001..30.0).contains(&seconds), "{arguments:?}: {seconds}");
            let retransmits = &end["sum_sent"]["retransmits"];
            assert!(retransmits.as_u64().is_some(), "{arguments:?}: {retransmits}");
            wait_for(|| handle.tests() == before + 1);
        }
    });
}

#[test]
fn a_warm_up_does_not_count() {
    let Some((a, b)) = link("a throughput server with a warm-up") else { return };
    serving(&b, open(), |_| {
        // Both sides end the warm-up by their own clocks, which begin a scheduler's delay apart: a constant rate shows it nevertheless.
        for reverse in [&[][..], &["-R"]] {
            let arguments = [&["-t", "2", "-O", "1", "-b", "50M", "-l", "4K"], reverse].concat();
            let report = iperf3(&a, &arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
            for sum in ["sum_sent", "sum_received"] {
                let sum = &report["end"][sum];
                let rate = sum["bits_per_second"].as_f64().expect("a rate");
                assert!((rate / 50e6 - 1.0).abs() < 0.05, "{arguments:?}: {sum}");
                let seconds = sum["seconds"].as_f64().expect("seconds");
                assert!((1.8..2.5).contains(&seconds), "{arguments:?}: {sum}");
            }
        }
    });
}

#[test]
fn iperf3_goes_both_ways_at_once() {
    let Some((a, b)) = link("a throughput server both ways") else { return };
    serving(&b, open(), |_| {
        let report = iperf3(&a, &["--bidir", "-t", "2", "-P", "2"]).expect("it works");
        let end = &report["end"];
        let octets = |sum: &str| number(&end[sum]["bytes"]);
        all_but_what_was_on_the_way(octets("sum_sent"), octets("sum_received"), 2);
        at_least_what_counted(octets("sum_sent_bidir_reverse"), octets("sum_received_bidir_reverse"));
    });
}

#[test]
fn iperf3_sends_and_receives_datagrams() {
    let Some((a, b)) = link("a throughput server by UDP") else { return };
    serving(&b, open(), |_| {
        for arguments in [
            &["-u", "-b", "20M", "-t", "2"][..],
            &["-u", "-b", "20M", "-t", "2", "-P", "3"],
            &["-u", "-b", "20M", "-t", "2", "-R"],
            &["-u", "-b", "20M", "-t", "2", "--udp-counters-64bit"],
            &["-u", "-b", "20M", "-t", "2", "--bidir"],
        ] {
            let report = iperf3(&a, arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
            let sum = &report["end"]["sum"];
            let rate = sum["bits_per_second"].as_f64().expect("a rate");
            let streams = if arguments.contains(&"-P") { 3.0 } else { 1.0 };
            assert!((rate / (20e6 * streams) - 1.0).abs() < 0.05, "{arguments:?}: {sum}");
            assert!(sum["packets"].as_f64().is_some_and(|packets| packets > 3000.0), "{arguments:?}: {sum}");
            assert!(sum["lost_percent"].as_f64().is_some_and(|lost| lost < 1.0), "{arguments:?}: {sum}");
            assert!(sum["jitter_ms"].as_f64().is_some_and(|jitter| jitter < 5.0), "{arguments:?}: {sum}");
        }
    });
}

#[test]
fn loss_of_datagrams_is_what_the_kernel_dropped() {
    let Some((a, b)) = link("a throughput server with loss") else { return };
    for rule in [
        "add table inet lab",
        "add chain inet lab in { type filter hook input priority 0 ; }",
        // Greetings are shorter.
        "add rule inet lab in udp dport 5201 udp length > 100 numgen inc mod 10 == 0 counter drop",
    ] {
        b.run("nft", &[rule]);
    }
    serving(&b, open(), |_| {
        let report = iperf3(&a, &["-u", "-b", "10M", "-t", "2"]).expect("it works");
        let text = String::from_utf8(b.run("nft", &["list", "ruleset"]).stdout).expect("text");
        let dropped = text.split("counter packets ").nth(1).and_then(|rest| rest.split(' ').next());
        let dropped: f64 = dropped.and_then(|text| text.parse().ok()).expect("a counter");
        let lost = report["end"]["sum"]["lost_packets"].as_f64().expect("a count");
        // The last ones may have been lost with nothing after them to tell.
        assert!((0.0..=1.0).contains(&(dropped - lost)) && lost > 100.0, "{dropped} dropped, {lost} lost");
    });
}

#[test]
fn one_test_at_a_time_within_its_budget_and_for_friends_alone() {
    let Some((a, b)) = link("a throughput server and its limits") else { return };
    let limits = Limits { time: Duration::from_secs(5), octets: 50_000_000, streams: 2 };
    serving(&b, Config { limits, ..open() }, |handle| {
        let refused = |arguments: &[&str], words: &str| {
            let error = iperf3(&a, arguments).expect_err("it is refused");
            assert!(error.contains(words), "{arguments:?}: {error}");
        };
        refused(&["-t", "6"], "test duration");
        refused(&["-t", "1", "-P", "3"], "streams");
        // A client that is still sending may see its stream end before it reads why.
        let beyond = iperf3(&a, &["-t", "4"]).expect_err("it takes more than it may");
        assert!(["bandwidth", "Broken pipe", "reset by peer"].iter().any(|words| beyond.contains(words)), "{beyond}");
        std::thread::scope(|scope| {
            let first = scope.spawn(|| iperf3(&a, &["-t", "3", "-b", "1M"]));
            wait_for(|| handle.0.current.lock().unwrap_or_else(PoisonError::into_inner).is_some());
            refused(&["-t", "1"], "busy");
            first.join().expect("it does not panic").expect("it is not disturbed");
        });
        handle.allow(vec!["198.51.100.0/24".parse().expect("a network")]);
        let before = handle.refused();
        refused(&["-t", "1"], "");
        assert!(handle.refused() > before);
    });
}

#[test]
fn a_client_that_leaves_makes_room_for_the_next() {
    let Some((a, b)) = link("a throughput server and a client that leaves") else { return };
    serving(&b, open(), |handle| {
        let running = a.spawn(std::process::Command::new("iperf3").args(["-c", "192.0.2.2", "-t", "30", "-b", "1M"]));
        let is_busy = || handle.0.current.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        wait_for(is_busy);
        drop(running);
        wait_for(|| !is_busy());
        iperf3(&a, &["-t", "1", "-b", "1M"]).expect("it works");
    });
}

fn wait_for(is_so: impl Fn() -> bool) {
    let deadline = netwatch_telemetry::clock::monotonic() + Duration::from_secs(20);
    while !is_so() {
        assert!(netwatch_telemetry::clock::monotonic() < deadline, "it does not become so");
        // waits: for another process, which says nothing.
        std::thread::sleep(Duration::from_millis(5));
    }
}
