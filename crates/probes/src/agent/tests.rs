//! A reflector on the loopback as the other agent.

use std::sync::Arc;

use netwatch_egress::Policy;
use netwatch_model::probe::pair::host_of;
use netwatch_wire::stamp::Key;

use super::*;
use crate::reflector::{Config, Reflector};
use crate::tools::OwnRights;

const AGENT: AgentId = AgentId(0xb2);

fn tools() -> Tools {
    let allow = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().expect("a network")).to_vec();
    Tools::new(Arc::new(Policy { allow, deny: Vec::new() }), Arc::new(OwnRights))
}

fn check(addresses: &[&str], port: u16, key: Option<&str>) -> ProbeSpec {
    let mut spec = ProbeSpec { timeout: 0.5, ..ProbeSpec::new(ProbeKind::Agent, "00000000000000b2") };
    let texts = addresses.iter().map(|&text| text.to_owned()).collect();
    spec.options.set(&ADDRESSES, OptionValue::Texts(texts));
    spec.options.set(&REFLECTOR, OptionValue::Whole(i64::from(port)));
    if let Some(key) = key {
        spec.options.set(&KEY, OptionValue::Text(key.to_owned()));
    }
    spec
}

fn reach(ran: &Ran) -> &Reach {
    match &ran.detail {
        Some(Detail::Agent(reach)) => reach,
        _ => panic!("nothing was tried: {:?}", ran.failure),
    }
}

#[tokio::test]
async fn the_first_address_that_answers_with_the_key_is_remembered() {
    // Another host has the first address: it has no reflector there, or one with another key.
    let reflect = |address: &str, key: &str| {
        let listen = vec![address.parse().expect("an address")];
        Reflector::bind(Config { listen, key: Some(Key::new(key.as_bytes())), ..Config::default() })
            .expect("it is free")
    };
    let own = reflect("127.0.0.3:0", "ours");
    let port = own.addresses()[0].port();
    let stranger = reflect(&format!("127.0.0.2:{port}"), "theirs");
    let running = [tokio::spawn(own.run()), tokio::spawn(stranger.run())];
    let tools = tools();
    let ran = run(&check(&["127.0.0.1", "127.0.0.2", "127.0.0.3"], port, Some("ours")), &tools).await;
    let address: IpAddr = "127.0.0.3".parse().expect("an address");
    assert_eq!((ran.failure.as_ref(), ran.address, reach(&ran).address), (None, Some(address), Some(address)));
    let answered: Vec<bool> = reach(&ran).tried.iter().map(|tried| tried.rtt.is_some()).collect();
    assert_eq!(answered, [false, false, true]);
    // Probes that name the agent go there; others do not, and an agent that nobody has reached is named.
    let host = host_of(AGENT);
    let mut simulated = ProbeSpec { count: 3, ..ProbeSpec::new(ProbeKind::Simulation, &format!("{host}:{port}")) };
    simulated.options.set(&simulation::KEY, OptionValue::Text("ours".to_owned()));
    let ran = stream::run(&simulated, &tools).await;
    assert_eq!((ran.failure, ran.address), (None, Some(address)));
    let unknown = ping::run(&ProbeSpec::new(ProbeKind::Ping, &host_of(AgentId(3))), &tools).await;
    let failure = unknown.failure.expect("nobody has reached it");
    assert_eq!(failure.reason, FailureReason::Unresolved);
    assert!(failure.message.raw().contains("0000000000000003"), "{failure:?}");
    // What answers no more keeps its address, so that probes show the loss.
    running.iter().for_each(tokio::task::JoinHandle::abort);
    let ran = run(&check(&["127.0.0.1"], 9, None), &tools).await;
    assert!(ran.failure.is_some() && reach(&ran).address.is_none());
    assert_eq!(tools.peers.address(AGENT), Some(address));
}

#[tokio::test]
async fn an_agent_without_addresses_is_named() {
    let ran = run(&check(&[], 0, None), &tools()).await;
    let failure = ran.failure.expect("there is nothing to try");
    assert_eq!(failure.reason, FailureReason::Unresolved);
}

#[test]
fn the_one_that_was_checked_longest_ago_is_forgotten() {
    let peers = Peers::default();
    let address: IpAddr = "192.0.2.1".parse().expect("an address");
    for n in 0..=MOST as u64 {
        peers.remember(AgentId(n), address, Duration::from_secs(n));
    }
    assert_eq!((peers.address(AgentId(0)), peers.address(AgentId(1))), (None, Some(address)));
}
