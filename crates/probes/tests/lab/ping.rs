//! Pings: numbers equal to what the kernel counts, sources that are really used, failures that are named.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use netwatch_model::probe::kind::ping::{DONT_FRAGMENT, SIZE};
use netwatch_model::probe::{FailureReason, OptionValue, ProbeResult, Source};
use netwatch_probes::{OwnRights, Rights};
use netwatch_testkit::netns::Namespace;
use socket2::Socket;

use crate::network::{counted, pair, ping, ping_of, rule, run_in, run_together, run_with, tools};
use crate::simulator::{Mischief, Simulator};

fn reason(result: &ProbeResult) -> (FailureReason, String) {
    let failure = result.failure.as_ref().expect("a failure");
    (failure.reason, failure.message.to_string())
}

/// What both kinds of sockets must give.
fn loss_is_exact(here: &Namespace, there: &Namespace) {
    rule(there, "icmp type echo-request numgen inc mod 10 == 0 counter drop");
    rule(there, "icmpv6 type echo-request numgen inc mod 5 == 0 counter drop");
    for (target, loss) in [("10.1.0.2", 0.1), ("fd01::2", 0.2)] {
        let before = counted(there);
        let result = run_in(here, &ping(target, 200, 0.002, 0.5));
        let ping = ping_of(&result);
        assert_eq!(result.failure, None);
        assert_eq!(
            ping.sent - ping.received,
            counted(there) - before,
            "{target}: the kernel's count of what it dropped"
        );
        assert!((ping.loss - loss).abs() < 1e-9, "{target}: {ping:?}");
        assert!(ping.loss_interval.low < loss && loss < ping.loss_interval.high);
        assert!(ping.kernel_stamps);
        let rtt = ping.rtt.as_ref().expect("round trips");
        assert_eq!(rtt.count, ping.received);
        assert!(rtt.min > 0.0 && rtt.median < 0.005, "{rtt:?}");
        assert_eq!((ping.duplicates, ping.reordered, ping.late), (0, 0, 0));
    }
}

#[test]
fn loss_is_what_the_kernel_dropped() {
    let Some((here, there)) = pair("loss_is_what_the_kernel_dropped") else { return };
    loss_is_exact(&here, &there);
}

#[test]
fn an_answer_counts_once_however_many_sockets_there_are() {
    let Some((here, _there)) = pair("an_answer_counts_once_however_many_sockets_there_are") else { return };
    let mut other = ping("10.1.0.2", 50, 0.005, 1.0);
    other.options.set(&DONT_FRAGMENT, OptionValue::Flag(true));
    for result in run_together(&here, &[ping("10.1.0.2", 50, 0.005, 1.0), other], &tools(Arc::new(OwnRights))) {
        let ping = ping_of(&result);
        assert_eq!((ping.sent, ping.received, ping.duplicates), (50, 50, 0), "{ping:?}");
    }
}

#[test]
fn who_waits_is_told_also_when_the_first_runtime_is_gone() {
    let Some((here, _there)) = pair("who_waits_is_told_also_when_the_first_runtime_is_gone") else { return };
    let (tools, many) = (tools(Arc::new(OwnRights)), vec![ping("10.1.0.2", 1, 0.0, 1.0); 50]);
    for _ in 0..2 {
        let results = run_together(&here, &many, &tools);
        let answers = results.iter().map(|result| (result.failure.clone(), ping_of(result).received));
        assert_eq!(answers.collect::<Vec<_>>(), vec![(None, 1); 50]);
    }
}

#[test]
fn datagram_sockets_measure_the_same() {
    let Some((here, there)) = pair("datagram_sockets_measure_the_same") else { return };
    let allowed = here.enter(|| std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 0"));
    allowed.expect("pings are allowed to the group");
    loss_is_exact(&here, &there);
}

#[test]
fn a_source_is_really_used() {
    let Some((here, there)) = pair("a_source_is_really_used") else { return };
    here.ip("addr add 10.1.0.9/24 dev a0");
    rule(&there, "ip saddr 10.1.0.9 icmp type echo-request counter accept");
    let mut spec = ping("10.1.0.2", 3, 0.0, 1.0);
    spec.source = Some(Source::Address([10, 1, 0, 9].into()));
    let result = run_in(&here, &spec);
    assert_eq!((result.failure, result.source), (None, Some(IpAddr::from([10, 1, 0, 9]))));
    assert_eq!(counted(&there), 3);
    spec.source = Some(Source::Interface("a0".to_owned()));
    assert_eq!(run_in(&here, &spec).failure, None);
    // Bound to the loopback interface, nothing gets out, whatever the routing table says.
    spec.source = Some(Source::Interface("lo".to_owned()));
    assert_eq!(run_in(&here, &spec).detail.map(|_| counted(&there)), Some(3));
}

#[test]
fn a_source_that_cannot_be_is_named() {
    let Some((here, _there)) = pair("a_source_that_cannot_be_is_named") else { return };
    let with = |source| ProbeSpecWith(ping("10.1.0.2", 1, 0.0, 0.5), source).run(&here);
    let (why, text) = with(Source::Interface("wan7".to_owned()));
    assert_eq!(why, FailureReason::Source);
    assert!(text.contains("wan7"), "{text}");
    let (why, text) = with(Source::Address([192, 0, 2, 77].into()));
    assert_eq!(why, FailureReason::Source);
    assert!(text.contains("192.0.2.77"), "{text}");
    here.ip("link set a0 down");
    let (why, text) = with(Source::Interface("a0".to_owned()));
    assert_eq!(why, FailureReason::Source);
    assert!(text.contains("down"), "{text}");
}

struct ProbeSpecWith(netwatch_probes::ProbeSpec, Source);

impl ProbeSpecWith {
    fn run(mut self, namespace: &Namespace) -> (FailureReason, String) {
        self.0.source = Some(self.1);
        reason(&run_in(namespace, &self.0))
    }
}

#[test]
fn dscp_and_size_are_what_was_asked_for() {
    let Some((here, there)) = pair("dscp_and_size_are_what_was_asked_for") else { return };
    rule(&there, "ip dscp ef ip length 1028 icmp type echo-request counter accept");
    let mut spec = ping("10.1.0.2", 2, 0.0, 1.0);
    spec.dscp = 46;
    spec.options.set(&SIZE, OptionValue::Whole(1000));
    assert_eq!(run_in(&here, &spec).failure, None);
    assert_eq!(counted(&there), 2);
}

#[test]
fn what_does_not_fit_is_fragmented_or_named() {
    let Some((here, _there)) = pair("what_does_not_fit_is_fragmented_or_named") else { return };
    let mut spec = ping("10.1.0.2", 2, 0.0, 1.0);
    spec.options.set(&SIZE, OptionValue::Whole(4000));
    assert_eq!(run_in(&here, &spec).failure, None, "fragments arrive");
    spec.options.set(&DONT_FRAGMENT, OptionValue::Flag(true));
    let (why, text) = reason(&run_in(&here, &spec));
    assert_eq!(why, FailureReason::Unreachable);
    assert!(text.contains("Message too long"), "{text}");
}

#[derive(Debug)]
struct NoRights;

impl Rights for NoRights {
    fn icmp(&self, _v6: bool) -> io::Result<Socket> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn raw_icmp(&self, _v6: bool) -> io::Result<Socket> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn raw_tcp(&self, _v6: bool) -> io::Result<Socket> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

#[test]
fn without_a_right_the_command_that_gives_it_is_named() {
    let Some(here) = Namespace::new_or_skip("without_a_right_the_command_that_gives_it_is_named") else { return };
    let result = run_with(&here, &ping("127.0.0.1", 1, 0.0, 0.5), &tools(Arc::new(NoRights)));
    let (why, text) = reason(&result);
    assert_eq!(why, FailureReason::NoRight);
    assert!(text.contains("ping_group_range") && text.contains("setcap"), "{text}");
    assert!(result.measures().is_empty(), "it says nothing about the target");
}

#[test]
fn who_cannot_be_reached_is_told_apart_from_who_is_silent() {
    let Some((here, there)) = pair("who_cannot_be_reached_is_told_apart_from_who_is_silent") else { return };
    rule(&there, "icmp type echo-request ip daddr 10.1.0.2 drop");
    let (why, text) = reason(&run_in(&here, &ping("10.1.0.2", 3, 0.0, 0.2)));
    assert_eq!(why, FailureReason::Timeout, "{text}");
    let (why, text) = reason(&run_in(&here, &ping("192.0.2.1", 1, 0.0, 0.2)));
    assert_eq!(why, FailureReason::Unreachable);
    assert!(text.contains("this host does not send"), "{text}");
    rule(&there, "icmp type echo-request ip daddr 10.1.0.3 reject with icmp type admin-prohibited");
    there.ip("addr add 10.1.0.3/24 dev b0");
    let (why, text) = reason(&run_in(&here, &ping("10.1.0.3", 2, 0.0, 0.2)));
    assert_eq!(why, FailureReason::Unreachable);
    assert!(text.contains("10.1.0.3 says") && text.contains("prohibited"), "{text}");
}

/// A target behind a TUN device that answers as the mischief says.
fn mischief(test: &str, mischief: Mischief, count: u32, timeout: f64) -> Option<ProbeResult> {
    let namespace = Namespace::new_or_skip(test)?;
    let simulator = Simulator::start(&namespace, Vec::new(), mischief);
    let result = run_in(&namespace, &ping("198.51.100.7", count, 0.02, timeout));
    drop(simulator);
    Some(result)
}

#[test]
fn duplicates_count_once() {
    let Some(result) =
        mischief("duplicates_count_once", Mischief { duplicate_every: 4, ..Mischief::default() }, 40, 0.5)
    else {
        return;
    };
    let ping = ping_of(&result);
    assert_eq!((ping.sent, ping.received, ping.duplicates, ping.reordered), (40, 40, 10, 0));
}

#[test]
fn overtaken_answers_are_reordered_and_not_lost() {
    let Some(result) = mischief("overtaken_answers", Mischief { swap_every: 8, ..Mischief::default() }, 41, 0.5) else {
        return;
    };
    let ping = ping_of(&result);
    assert_eq!((ping.received, ping.duplicates, ping.reordered), (41, 0, 5));
}

#[test]
fn late_answers_are_lost() {
    let Some(result) = mischief("late_answers_are_lost", Mischief { late_every: 5, ..Mischief::default() }, 20, 0.1)
    else {
        return;
    };
    let ping = ping_of(&result);
    // Of the last requests the answers come when the run is over.
    assert_eq!(ping.received, 16);
    assert_eq!(ping.late, 3, "{ping:?}");
}

#[test]
fn forged_and_foreign_answers_do_not_count() {
    let Some(result) = mischief("forged_answers", Mischief { forge: true, ..Mischief::default() }, 10, 0.2) else {
        return;
    };
    assert_eq!(ping_of(&result).received, 0);
}
