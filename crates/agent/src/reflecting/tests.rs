//! A reflector that is there when somebody is to be answered, and not otherwise.

use std::net::UdpSocket;

use netwatch_model::assignment::Sender;
use netwatch_model::probe::kind::simulation::KEY;
use netwatch_model::probe::pair::PairKey;
use netwatch_model::probe::{Failure, FailureReason, OptionValue, ProbeKind, ProbeSpec, Trigger};
use netwatch_probes::{Occasion, OwnRights, Tools};
use netwatch_telemetry::clock;
use tokio::sync::mpsc;

use super::*;

/// A port that nobody uses now.
fn free_port() -> u16 {
    UdpSocket::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port()
}

fn key() -> PairKey {
    PairKey::of(&[7; 32])
}

fn named() -> Arc<Assignment> {
    let senders = vec![Sender { addresses: vec!["127.0.0.1".parse().unwrap()], keys: vec![key()] }];
    Arc::new(Assignment { senders, ..Assignment::default() })
}

/// Why test packets with that key were not answered.
async fn simulated(port: u16, key: &str) -> Option<FailureReason> {
    let policy = netwatch_egress::Policy { allow: vec!["127.0.0.0/8".parse().unwrap()], deny: Vec::new() };
    let tools = Tools::new(Arc::new(policy), Arc::new(OwnRights));
    let spec = ProbeSpec::new(ProbeKind::Simulation, &format!("127.0.0.1:{port}"));
    let mut spec = ProbeSpec { count: 3, spacing: 0.002, timeout: 0.2, ..spec };
    spec.options.set(&KEY, OptionValue::Text(key.to_owned()));
    let agent = netwatch_model::AgentId(1);
    let occasion = Occasion { probe: None, agent, scheduled: clock::now(), trigger: Trigger::Request };
    netwatch_probes::run(&spec, occasion, &tools).await.failure.map(|Failure { reason, .. }| reason)
}

/// Runs until the condition holds; as long as a test may take.
async fn until(port: u16, key: &str, wanted: Option<FailureReason>) {
    while simulated(port, key).await != wanted {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_listens_only_while_somebody_is_named_and_answers_with_the_key_alone() {
    let (assign, assigned) = watch::channel(Arc::new(Assignment::default()));
    let port = free_port();
    let running = tokio::spawn(answer_while_named(port, assigned, |told| told.unwrap()));
    assert_eq!(simulated(port, "").await, Some(FailureReason::Refused), "nothing listens");
    assign.send_replace(named());
    until(port, key().as_str(), None).await;
    assert_eq!(simulated(port, "").await, Some(FailureReason::Timeout), "a source with a key needs it");
    assign.send_replace(Arc::default());
    until(port, key().as_str(), Some(FailureReason::Refused)).await;
    assign.send_replace(named());
    until(port, key().as_str(), None).await;
    drop(assign);
    running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_taken_is_told_and_tried_again() {
    let taken = UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (assign, assigned) = watch::channel(named());
    let (tell, mut told) = mpsc::channel(4);
    let running = tokio::spawn(answer_while_named(port, assigned, move |result| {
        tell.try_send(result.map_err(|error| error.to_string())).unwrap();
    }));
    let error = told.recv().await.unwrap().unwrap_err();
    assert!(error.contains(&port.to_string()), "{error}");
    drop(taken);
    assert_eq!(told.recv().await.unwrap(), Ok(()), "the port is free again");
    drop(assign);
    running.await.unwrap();
}
