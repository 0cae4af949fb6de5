//! Keys of test packets: both ends of a pair are told the same, and nobody else.

use std::collections::BTreeSet;

use netwatch_api::agent::v1;
use netwatch_model::assignment::Sender;
use netwatch_model::probe::ProbeKind;
use netwatch_model::probe::kind::{agent, simulation};
use netwatch_model::{AgentId, Assignment};
use serde_json::{Value, json};

use super::link::{Key, Link};
use super::served::Served;

/// Octets that only keys have: 64 hexadecimal digits.
const DIGITS: usize = 64;

/// What an agent with a reflector says of itself.
fn info(address: &str, keyed: bool) -> v1::AgentInfo {
    let addresses = vec![address.to_owned()];
    v1::AgentInfo { addresses, reflector_port: 8862, keyed_reflector: keyed, ..v1::AgentInfo::default() }
}

/// Two agents of which the first measures the second, and the second the first.
struct Pair {
    served: Served,
    keys: [Key; 2],
    links: [Link; 2],
}

impl Pair {
    async fn start(keyed: [bool; 2]) -> Self {
        let served = Served::start().await;
        let (there, target) = served.enrolled().await;
        let (here, id) = served.enrolled().await;
        let one = here.open_as(served.agents, 1, info("203.0.113.1", keyed[0])).await.unwrap();
        let other = there.open_as(served.agents, 1, info("203.0.113.2", keyed[1])).await.unwrap();
        let spec = json!({"kind": "agent", "target": target});
        let probe = json!({"name": "pair", "spec": spec, "agents": {"ids": [id]}});
        let made = served.call("POST", "/api/v1/probes", probe).await;
        assert_eq!(made.status, 201, "{}", made.body);
        Self { served, keys: [here, there], links: [one, other] }
    }

    /// What both run, once both have something to measure.
    async fn assignments(&mut self) -> [Assignment; 2] {
        let [one, other] = &mut self.links;
        [measuring(one).await, measuring(other).await]
    }
}

async fn measuring(link: &mut Link) -> Assignment {
    loop {
        let assignment: Assignment = serde_json::from_value(link.assignment().await.1).unwrap();
        if !assignment.probes.is_empty() {
            return assignment;
        }
    }
}

/// With which keys an agent sends.
fn sends(assignment: &Assignment) -> [String; 2] {
    [(ProbeKind::Agent, &agent::KEY), (ProbeKind::Simulation, &simulation::KEY)].map(|(kind, field)| {
        let part = assignment.probes.iter().find(|part| part.spec.kind == kind).expect("it is there");
        part.spec.options.text(field).to_owned()
    })
}

/// The one agent that is answered, by its keys.
fn answers(assignment: &Assignment) -> (Vec<String>, Vec<String>) {
    let [Sender { addresses, keys }] = assignment.senders.as_slice() else { panic!("{:?}", assignment.senders) };
    let addresses = addresses.iter().map(ToString::to_string).collect();
    (addresses, keys.iter().map(|key| key.as_str().to_owned()).collect())
}

#[tokio::test]
async fn both_ends_have_the_key_of_their_direction_and_nobody_shows_it() {
    let mut pair = Pair::start([true, true]).await;
    let [one, other] = pair.assignments().await;
    let (there, back) = (sends(&one), sends(&other));
    assert!(there[0].len() == DIGITS && there[0] == there[1] && back[0] == back[1] && there != back);
    // The server sees both at 127.0.0.1, too.
    assert_eq!(answers(&other), (vec!["127.0.0.1".to_owned(), "203.0.113.1".to_owned()], vec![there[0].clone()]));
    assert_eq!(answers(&one).1, [back[0].clone()]);
    assert_eq!((one.reflect, other.reflect), (vec![], vec![]), "nobody is answered without");
    let probe = pair.served.server.json("/api/v1/probes").await["items"][0]["id"].clone();
    let probe = format!("/api/v1/probes/{}", probe.as_str().unwrap());
    for path in ["/api/v1/probes", &probe, "/api/v1/agents", "/api/v1/audit?limit=100", "/api/v1/events"] {
        let shown = pair.served.server.json(path).await.to_string();
        for key in [&there[0], &back[0]] {
            assert!(!shown.contains(key.as_str()), "{path} shows a key");
        }
    }
}

#[tokio::test]
async fn a_reflector_of_an_older_version_is_sent_plain_packets() {
    let mut pair = Pair::start([true, false]).await;
    let [one, other] = pair.assignments().await;
    assert_eq!(sends(&one), ["", ""], "the other reflector knows no keys");
    assert_eq!((other.senders.len(), other.reflect.len()), (0, 2));
    assert_eq!((answers(&one).1, one.reflect), (sends(&other)[..1].to_vec(), vec![]), "ours does");
    // Once it is a newer version, both go over.
    let [_, target] = &pair.keys;
    let link = target.open_as(pair.served.agents, 2, info("203.0.113.2", true)).await.unwrap();
    pair.links[1] = link;
    let mut one = measuring(&mut pair.links[0]).await;
    while sends(&one)[0].is_empty() {
        one = measuring(&mut pair.links[0]).await;
    }
    let mut other = measuring(&mut pair.links[1]).await;
    while other.senders.is_empty() {
        other = measuring(&mut pair.links[1]).await;
    }
    assert_eq!(answers(&other).1, sends(&one)[..1]);
}

#[tokio::test]
async fn a_new_key_of_the_secrets_makes_all_keys_new_and_the_old_ones_are_still_answered() {
    let mut pair = Pair::start([true, true]).await;
    let before = pair.assignments().await;
    let rotated = pair.served.call("POST", "/api/v1/site/keys", Value::Null).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let after = pair.assignments().await;
    assert_eq!(answers(&after[1]).1, [sends(&after[0])[0].clone(), sends(&before[0])[0].clone()]);
    let all: BTreeSet<String> = before.iter().chain(&after).map(|assignment| sends(assignment)[0].clone()).collect();
    assert_eq!(all.len(), 4);
}

#[tokio::test]
async fn an_agent_that_is_offered_to_all_answers_the_agents_of_others_and_learns_no_more_of_them() {
    let served = Served::start().await;
    let (key, target) = served.enrolled().await;
    let mut offered = key.open_as(served.agents, 1, info("203.0.113.2", true)).await.unwrap();
    let foreign = served.server.place("foreign").await.workspace.id;
    let made = served.call_in(Some(foreign), "POST", "/api/v1/agent-tokens", json!({"name": "hidden host"})).await;
    let other = Key::make();
    let reply = other.enrol(served.agents, made.json()["secret"].as_str().unwrap(), "web-9").await.unwrap();
    let mut here = other.open_as(served.agents, 1, info("203.0.113.1", true)).await.unwrap();
    let id = AgentId(reply.agent).to_string();
    let spec = json!({"kind": "agent", "target": target, "labels": {"customer": "hidden label"}});
    let new = json!({"name": "hidden probe", "spec": spec, "agents": {"ids": [id]}});
    let made = served.call_in(Some(foreign), "POST", "/api/v1/probes", new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    // Until it is offered to all, nobody of another workspace measures it.
    let unknown = measuring(&mut here).await;
    assert_eq!(unknown.probes.len(), 1, "the target stays as it is");
    assert_eq!(served.call("PATCH", &format!("/api/v1/agents/{target}"), json!({"global": true})).await.status, 200);
    let there = measuring(&mut offered).await;
    let keys = answers(&there).1;
    let mut measures = measuring(&mut here).await;
    while measures.senders.is_empty() {
        measures = measuring(&mut here).await;
    }
    assert_eq!(keys, [sends(&measures)[0].clone()], "both ends have the key of their direction");
    assert_eq!(answers(&measures).1, [sends(&there)[0].clone()], "the way back is measured, too");
    let told = serde_json::to_string(&there).unwrap();
    assert!(!told.contains("hidden") && !told.contains("foreign"), "{told}");
}
