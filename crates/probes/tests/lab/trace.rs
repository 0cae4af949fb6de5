//! Traces through routers of a script: every hop, path, label and silence as the script has it.

use std::net::IpAddr;
use std::sync::Arc;

use netwatch_model::probe::kind::mtr::{HOPS, MplsLabel, PATHS, PROTOCOL, SIZE, Trace};
use netwatch_model::probe::{FailureReason, OptionField, OptionValue, ProbeResult};
use netwatch_probes::{OwnRights, Tools};
use netwatch_testkit::netns::Namespace;

use crate::network::{run_in, run_with, tools, trace, trace_of};
use crate::simulator::{Mischief, Router, Seen, Simulator};

const TARGET: &str = "198.51.100.7";
const TARGET_V6: &str = "2001:db8::7";

fn protocol(word: &str) -> (&'static OptionField, OptionValue) {
    (&PROTOCOL, OptionValue::Text(word.to_owned()))
}

fn routers(addresses: &[&str]) -> Vec<Router> {
    addresses.iter().map(|address| Router::new(address)).collect()
}

/// Runs a trace behind a simulator: what it found, and what the simulator saw.
fn traced(
    test: &str,
    routers: Vec<Router>,
    mischief: Mischief,
    target: &str,
    options: &[(&OptionField, OptionValue)],
) -> Option<(ProbeResult, Vec<Seen>)> {
    let namespace = Namespace::new_or_skip(test)?;
    let simulator = Simulator::start(&namespace, routers, mischief);
    let result = run_in(&namespace, &trace(target, 5, options));
    Some((result, simulator.end()))
}

fn addresses(found: &Trace, path: usize) -> Vec<String> {
    let hop = |hop: &netwatch_model::probe::kind::mtr::Hop| {
        hop.address.map_or_else(|| "*".to_owned(), |address| address.to_string())
    };
    found.paths[path].hops.iter().map(hop).collect()
}

#[test]
fn every_protocol_and_family_finds_every_hop() {
    let v4 = ["10.0.1.1", "10.0.2.1", "10.0.3.1"];
    let v6 = ["2001:db8:1::1", "2001:db8:2::1", "2001:db8:3::1"];
    for word in ["icmp", "udp", "tcp"] {
        for (target, hops) in [(TARGET, v4), (TARGET_V6, v6)] {
            let Some((result, seen)) =
                traced("every_protocol", routers(&hops), Mischief::default(), target, &[protocol(word)])
            else {
                return;
            };
            let found = trace_of(&result);
            assert_eq!(result.failure, None, "{word} {target}: {found:?}");
            assert!(found.reached && found.loss == 0.0, "{word} {target}: {found:?}");
            assert_eq!(addresses(found, 0), [hops[0], hops[1], hops[2], target], "{word}");
            assert_eq!(found.paths.len(), 1);
            for hop in &found.paths[0].hops {
                assert_eq!((hop.sent, hop.answered, hop.rate_limited), (5, 5, false), "{word} {target} {hop:?}");
            }
            // Paris: one flow key, whatever the packet.
            let mut flows: Vec<[u8; 4]> = seen.iter().filter(|seen| seen.ttl <= 4).map(|seen| seen.flow).collect();
            flows.dedup();
            assert_eq!(flows.len(), 1, "{word} {target}");
        }
    }
}

#[test]
fn without_raw_sockets_icmp_and_udp_go_through_error_queues() {
    for word in ["icmp", "udp"] {
        let Some(namespace) = Namespace::new_or_skip("without_raw_sockets") else { return };
        let allowed = namespace.enter(|| std::fs::write("/proc/sys/net/ipv4/ping_group_range", "0 0"));
        allowed.expect("pings are allowed to the group");
        let mut hops = routers(&["10.0.1.1", "10.0.2.1"]);
        hops[1].labels = vec![[0x05, 0xdc, 0x11, 0x01]];
        let simulator = Simulator::start(&namespace, hops, Mischief::default());
        let result = run_with(&namespace, &trace(TARGET, 3, &[protocol(word)]), &tools(Arc::new(NoRaw)));
        let found = trace_of(&result);
        assert_eq!(addresses(found, 0), ["10.0.1.1", "10.0.2.1", TARGET], "{word}");
        assert_eq!(found.paths[0].hops[1].mpls, [MplsLabel { label: 24001, class: 0, ttl: 1 }], "{word}");
        drop(simulator);
    }
}

/// Datagram sockets only.
#[derive(Debug)]
struct NoRaw;

impl netwatch_probes::Rights for NoRaw {
    fn icmp(&self, v6: bool) -> std::io::Result<socket2::Socket> {
        OwnRights.icmp(v6)
    }
    fn raw_icmp(&self, _v6: bool) -> std::io::Result<socket2::Socket> {
        Err(std::io::ErrorKind::PermissionDenied.into())
    }
    fn raw_tcp(&self, _v6: bool) -> std::io::Result<socket2::Socket> {
        Err(std::io::ErrorKind::PermissionDenied.into())
    }
}

#[test]
fn tcp_without_a_right_is_refused_with_the_command() {
    let Some(namespace) = Namespace::new_or_skip("tcp_without_a_right") else { return };
    let result = run_with(&namespace, &trace("127.0.0.1", 1, &[protocol("tcp")]), &tools(Arc::new(NoRaw)));
    let failure = result.failure.expect("a failure");
    assert_eq!(failure.reason, FailureReason::NoRight);
    assert!(failure.message.to_string().contains("setcap"), "{failure:?}");
}

#[test]
fn routers_that_quote_eight_octets_are_understood() {
    for word in ["icmp", "udp", "tcp"] {
        let mut hops = routers(&["10.0.1.1", "10.0.2.1"]);
        hops.iter_mut().for_each(|hop| hop.quotes = 8);
        let Some((result, _)) = traced("eight_octets", hops, Mischief::default(), TARGET, &[protocol(word)]) else {
            return;
        };
        assert_eq!(addresses(trace_of(&result), 0), ["10.0.1.1", "10.0.2.1", TARGET], "{word}");
    }
}

#[test]
fn silent_hops_are_kept_and_rate_limited_ones_flagged() {
    let mut hops = routers(&["10.0.1.1", "10.0.2.1", "10.0.3.1", "10.0.4.1"]);
    hops[1].answers_every = 0;
    hops[2].answers_every = 5;
    let Some((result, _)) = traced("silent_hops", hops, Mischief::default(), TARGET, &[]) else { return };
    let found = trace_of(&result);
    assert_eq!(addresses(found, 0), ["10.0.1.1", "*", "10.0.3.1", "10.0.4.1", TARGET]);
    let hops = &found.paths[0].hops;
    assert_eq!((hops[1].sent, hops[1].answered), (5, 0));
    assert_eq!((hops[2].answered, hops[2].rate_limited), (1, true));
    assert!(!hops[0].rate_limited && !hops[1].rate_limited && !hops[3].rate_limited);
    assert!((found.loss - 0.0).abs() < f64::EPSILON, "a hop that limits its answers loses nothing");
}

#[test]
fn labels_are_shown_where_they_are() {
    let mut hops = routers(&["10.0.1.1", "10.0.2.1"]);
    hops[1].labels = vec![[0x05, 0xdc, 0x10, 0x01], [0x00, 0x06, 0x43, 0xfe]];
    let Some((result, _)) = traced("labels", hops, Mischief::default(), TARGET, &[]) else { return };
    let hops = &trace_of(&result).paths[0].hops;
    let wanted = [MplsLabel { label: 24001, class: 0, ttl: 1 }, MplsLabel { label: 100, class: 1, ttl: 254 }];
    assert_eq!((hops[0].mpls.as_slice(), hops[1].mpls.as_slice()), (&[][..], &wanted[..]));
}

#[test]
fn flows_find_the_paths_of_a_balancing_router_and_keep_them_apart() {
    for word in ["icmp", "udp", "tcp"] {
        let mut hops = routers(&["10.0.1.1", "10.0.2.1", "10.0.3.1"]);
        hops[1].addresses = ["10.0.2.1", "10.0.2.2"].map(|address| address.parse().expect("an address")).to_vec();
        let options = [protocol(word), (&PATHS, OptionValue::Whole(8))];
        let Some((result, _)) = traced("flows", hops, Mischief::default(), TARGET, &options) else { return };
        let found = trace_of(&result);
        let mut middle: Vec<Option<IpAddr>> = found.paths.iter().map(|path| path.hops[1].address).collect();
        middle.sort();
        assert_eq!(middle, [Some([10, 0, 2, 1].into()), Some([10, 0, 2, 2].into())], "{word}: {found:?}");
        assert!(
            found.paths.iter().all(|path| path.hops.iter().all(|hop| hop.others.is_empty())),
            "{word}: paths are mixed"
        );
        assert_ne!(found.paths[0].id, found.paths[1].id);
        let sent: u32 = found.paths.iter().map(|path| path.hops[0].sent).sum();
        assert_eq!(sent, 8 * 5);
    }
}

#[test]
fn a_route_keeps_its_name_although_a_hop_is_silent_in_one_run() {
    let test = "a_route_keeps_its_name";
    let tools = tools(Arc::new(OwnRights));
    let mut names = Vec::new();
    for (silent, second) in [(false, "10.0.2.1"), (true, "10.0.2.1"), (false, "10.0.2.9")] {
        let Some(namespace) = Namespace::new_or_skip(test) else { return };
        let mut hops = routers(&["10.0.1.1", second]);
        hops[1].answers_every = u32::from(!silent);
        let simulator = Simulator::start(&namespace, hops, Mischief::default());
        // Each namespace needs a hub of its own; what is remembered is shared.
        let tools = Tools { memory: Arc::clone(&tools.memory), ..crate::network::tools(Arc::new(OwnRights)) };
        names.push(trace_of(&run_with(&namespace, &trace(TARGET, 2, &[]), &tools)).paths[0].id.clone());
        drop(simulator);
    }
    assert_eq!(names[0], names[1]);
    assert_ne!(names[0], names[2]);
}

#[test]
fn a_loop_ends_at_the_last_hop_and_is_named() {
    let loop_of = (0..12).map(|n| if n % 2 == 0 { "10.0.1.1" } else { "10.0.2.1" }).collect::<Vec<_>>();
    let options = [(&HOPS, OptionValue::Whole(8))];
    let Some((result, _)) = traced("a_loop", routers(&loop_of), Mischief::default(), TARGET, &options) else { return };
    let found = trace_of(&result);
    assert_eq!(addresses(found, 0), loop_of[..8]);
    assert!(!found.reached && (found.loss - 1.0).abs() < f64::EPSILON);
    let failure = result.failure.expect("a failure");
    assert!(failure.message.to_string().contains("was not reached"), "{failure:?}");
}

#[test]
fn a_target_that_is_silent_is_not_reached_and_silent_ends_are_cut() {
    let mischief = Mischief { silent: true, ..Mischief::default() };
    let Some((result, _)) = traced("a_silent_target", routers(&["10.0.1.1", "10.0.2.1"]), mischief, TARGET, &[]) else {
        return;
    };
    let found = trace_of(&result);
    assert_eq!(addresses(found, 0), ["10.0.1.1", "10.0.2.1"]);
    assert_eq!(result.failure.expect("a failure").reason, FailureReason::Timeout);
}

#[test]
fn a_router_that_says_what_fits_gives_the_path_mtu() {
    for (target, hop, mtu) in [(TARGET, "10.0.2.1", 1400), (TARGET_V6, "2001:db8:2::1", 1300)] {
        let first = if target == TARGET { "10.0.1.1" } else { "2001:db8:1::1" };
        let mut hops = routers(&[first, hop]);
        hops[1].mtu = Some((mtu, true));
        let options = [(&SIZE, OptionValue::Whole(1500))];
        let Some((result, _)) = traced("path_mtu", hops, Mischief::default(), target, &options) else { return };
        let found = trace_of(&result);
        assert_eq!((found.path_mtu, found.reached, found.black_hole_after), (u16::try_from(mtu).ok(), false, None));
        assert_eq!(addresses(found, 0), [first, hop]);
        let text = result.failure.expect("a failure").message.to_string();
        assert!(text.contains(&format!("carries {mtu} octets")), "{text}");
    }
}

#[test]
fn a_black_hole_for_large_packets_is_found() {
    for word in ["icmp", "udp"] {
        let mut hops = routers(&["10.0.1.1", "10.0.2.1", "10.0.3.1"]);
        hops[1].mtu = Some((1400, false));
        let options = [(&SIZE, OptionValue::Whole(1500)), protocol(word)];
        let Some((result, _)) = traced("a_black_hole", hops, Mischief::default(), TARGET, &options) else { return };
        let found = trace_of(&result);
        assert_eq!((found.black_hole_after, found.path_mtu, found.reached), (Some(2), None, false), "{word}");
        let text = result.failure.expect("a failure").message.to_string();
        assert!(text.contains("vanish behind hop 2"), "{text}");
    }
}

#[test]
fn packets_have_the_size_and_dscp_that_was_asked_for() {
    for word in ["icmp", "udp"] {
        let Some(namespace) = Namespace::new_or_skip("size_and_dscp") else { return };
        let simulator = Simulator::start(&namespace, routers(&["10.0.1.1"]), Mischief::default());
        let mut spec = trace(TARGET, 1, &[(&SIZE, OptionValue::Whole(1000)), protocol(word)]);
        spec.dscp = 10;
        let result = run_in(&namespace, &spec);
        assert_eq!(result.failure, None);
        let seen = simulator.end();
        assert!(
            !seen.is_empty() && seen.iter().all(|seen| (seen.length, seen.traffic_class) == (1000, 10 << 2)),
            "{word}: {seen:?}"
        );
    }
}

#[test]
fn many_traces_at_once_share_the_hub_and_stay_apart() {
    let Some(namespace) = Namespace::new_or_skip("many_traces") else { return };
    let simulator = Simulator::start(&namespace, routers(&["10.0.1.1", "10.0.2.1"]), Mischief::default());
    let tools = tools(Arc::new(OwnRights));
    let results = namespace.enter(|| {
        crate::network::runtime().block_on(async {
            let runs = (0..500_u32).map(|n| {
                let (tools, target) = (tools.clone(), format!("198.51.{}.{}", n / 250, n % 250));
                tokio::spawn(async move {
                    let occasion = netwatch_probes::Occasion {
                        probe: Default::default(),
                        agent: netwatch_model::AgentId::default(),
                        scheduled: netwatch_telemetry::clock::now(),
                        trigger: netwatch_model::probe::Trigger::Request,
                    };
                    let mut spec = trace(&target, 2, &[]);
                    (spec.timeout, spec.spacing) = (3.0, 0.5);
                    netwatch_probes::run(&spec, occasion, &tools).await
                })
            });
            let runs: Vec<_> = runs.collect();
            let mut results = Vec::new();
            for run in runs {
                results.push(run.await.expect("a run"));
            }
            results
        })
    });
    for result in results {
        assert_eq!(addresses(trace_of(&result), 0), ["10.0.1.1", "10.0.2.1", result.target.as_str()]);
    }
    drop(simulator);
}
