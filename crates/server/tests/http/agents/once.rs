//! Measurements on demand between agents: all of a probe to an agent, and both ends know of each other first.

use netwatch_api::agent::v1::{self, from_agent, run_reply, to_agent};
use netwatch_model::people::ProbeId;
use netwatch_model::probe::{ProbeKind, ProbeResult, ProbeSpec};
use netwatch_model::{Assignment, Record};
use serde_json::{Value, json};

use super::link::Link;
use super::served::{Served, result};

const RUN: &str = "/api/v1/probes/run";

fn info(address: &str) -> v1::AgentInfo {
    v1::AgentInfo {
        version: "0.2.0".to_owned(),
        addresses: vec![address.to_owned()],
        reflector_port: 8862,
        throughput_port: 8863,
        narrows: true,
        ..v1::AgentInfo::default()
    }
}

/// Two agents with sessions, and nothing to do.
async fn two(served: &Served) -> ([String; 2], [Link; 2]) {
    let (here, there) = (served.enrolled().await, served.enrolled().await);
    let one = here.0.open_as(served.agents, 1, info("203.0.113.1")).await.unwrap();
    let other = there.0.open_as(served.agents, 1, info("203.0.113.2")).await.unwrap();
    ([here.1, there.1], [one, other])
}

/// What an agent was told and asked, in the order of messages.
#[derive(PartialEq, Debug)]
enum Told {
    /// So many agents are answered, with reflector or server.
    Answers(usize),
    Run(ProbeKind, String),
}

fn answered(assignment: &Assignment) -> usize {
    assignment.reflect.len().min(1) + assignment.senders.len() + assignment.testers.len().min(1)
}

/// An agent at work until it has measured so many times.
async fn work(link: &mut Link, runs: usize) -> Vec<Told> {
    let mut told = Vec::new();
    while told.iter().filter(|one| matches!(one, Told::Run(..))).count() < runs {
        match link.next().await.unwrap() {
            to_agent::Message::Assignment(v1::Assignment { revision, document }) => {
                let assignment: Assignment = serde_json::from_slice(&document).unwrap();
                told.push(Told::Answers(answered(&assignment)));
                let heartbeat = v1::Heartbeat { revision, ..v1::Heartbeat::default() };
                link.send(from_agent::Message::Heartbeat(heartbeat)).await;
            }
            to_agent::Message::Run(run) => {
                let spec: ProbeSpec = serde_json::from_slice(&run.spec).unwrap();
                told.push(Told::Run(spec.kind, spec.target.clone()));
                let Record::Probe(result) = result(ProbeId::from_bits(0)) else { unreachable!() };
                let result = ProbeResult { kind: spec.kind, target: spec.target, probe: None, ..*result };
                let outcome = Some(run_reply::Outcome::Result(serde_json::to_vec(&result).unwrap().into()));
                let request = run.request;
                link.send(from_agent::Message::Ran(v1::RunReply { request, outcome })).await;
            }
            _ => {}
        }
    }
    told
}

#[tokio::test]
async fn a_run_to_another_agent_measures_all_of_it_at_both_ends() {
    let served = Served::start().await;
    let ([here, there], [mut one, mut other]) = two(&served).await;
    let run = json!({"spec": {"kind": "agent", "target": there}, "agents": [here]});
    let (answer, one_told, other_told) =
        tokio::join!(served.call("POST", RUN, run), work(&mut one, 4), work(&mut other, 4));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = answer.json();
    assert_eq!((&answer["kind"], &answer["target"], &answer["agent"]), (&json!("agent"), &json!(there), &json!(here)));
    let parts: Vec<(&str, &str)> = answer["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["agent"].as_str().unwrap(), part["result"]["kind"].as_str().unwrap()))
        .collect();
    let (here, there) = (here.as_str(), there.as_str());
    let expected = [
        (here, "mtr"),
        (here, "ping"),
        (here, "simulation"),
        (there, "agent"),
        (there, "mtr"),
        (there, "ping"),
        (there, "simulation"),
    ];
    assert_eq!(parts, expected);
    use ProbeKind as K;
    for (told, peer) in [(&one_told, there), (&other_told, here)] {
        assert_eq!(told[..2], [Told::Answers(0), Told::Answers(1)], "it hears of the other one first");
        assert_eq!(told[2], Told::Run(K::Agent, peer.to_owned()), "the check is the first");
        let host = format!("{peer}.netwatch.internal");
        for (kind, target) in [(K::Mtr, host.clone()), (K::Ping, host.clone()), (K::Simulation, host + ":8862")] {
            assert!(told[3..].contains(&Told::Run(kind, target)), "{kind}: {told:?}");
        }
    }
    // Afterwards nobody answers anybody.
    for link in [&mut one, &mut other] {
        let last: Assignment = serde_json::from_value(link.assignment().await.1).unwrap();
        assert_eq!((answered(&last), last.probes.len()), (0, 0));
    }
}

#[tokio::test]
async fn a_throughput_test_on_demand_is_served_by_the_agent_that_it_names() {
    let served = Served::start().await;
    let ([here, there], [mut one, mut other]) = two(&served).await;
    let spec = json!({"kind": "throughput", "target": there, "options": {"seconds": 1}});
    let run = json!({"spec": spec, "agents": [here]});
    let target = async {
        // It is asked for nothing, and told who will test.
        let mut testers = Vec::new();
        while testers.is_empty() {
            let (revision, document) = other.assignment().await;
            testers = serde_json::from_value::<Assignment>(document).unwrap().testers;
            let heartbeat = v1::Heartbeat { revision, ..v1::Heartbeat::default() };
            other.send(from_agent::Message::Heartbeat(heartbeat)).await;
        }
        testers.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let (answer, told, testers) = tokio::join!(served.call("POST", RUN, run), work(&mut one, 1), target);
    assert_eq!((answer.status, &answer.json()["parts"]), (200, &json!([])), "{}", answer.body);
    assert_eq!(testers, ["127.0.0.1", "203.0.113.1"]);
    assert_eq!(told.last(), Some(&Told::Run(ProbeKind::Throughput, format!("{there}.netwatch.internal:8863"))));
}

#[tokio::test]
async fn a_run_between_agents_says_who_is_missing() {
    let served = Served::start().await;
    let ([here, there], [mut one, other]) = two(&served).await;
    drop(other);
    served.shows(&there, |agent| agent["connected_since"].is_null()).await;
    let run = |agent: &str| json!({"spec": {"kind": "agent", "target": there}, "agents": [agent]});
    let (answer, _) = tokio::join!(served.call("POST", RUN, run(&here)), work(&mut one, 4));
    let answer = answer.json();
    let last: &Value = answer["parts"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["agent"], &last["kind"], &last["result"]), (&json!(there), &json!("agent"), &Value::Null));
    assert!(last["refused"].as_str().unwrap().contains("not connected"), "{last}");
    assert_eq!(answer["parts"].as_array().unwrap().len(), 4, "what would come after is left out");
    served.call("POST", RUN, run(&there)).await.assert_problem("invalid_parameter");
}
