//! What holds for every kind: the address that would be measured is judged before anything is sent to it. And how much a run takes.

use std::sync::Arc;

use netwatch_egress::{Policy, Scope};
use netwatch_model::probe::TargetForm;
use netwatch_model::probe::kind::{agent as agents, dns as names};

use super::*;
use crate::connect::testing::{failure, probe_with, spec, texts, tools, with};
use crate::tools::OwnRights;

/// A probe of that kind that would send to `host`.
fn to(kind: ProbeKind, host: &str) -> ProbeSpec {
    match kind.descriptor().target {
        _ if kind == ProbeKind::Dns => with(spec(kind, "example.org"), &names::SERVERS, texts(&[host])),
        TargetForm::Host => spec(kind, host),
        TargetForm::HostPort { .. } => spec(kind, format!("{host}:9")),
        TargetForm::Url => spec(kind, format!("http://{host}:9/")),
        TargetForm::Agent => with(spec(kind, "00000000000000b2"), &agents::ADDRESSES, texts(&[host])),
        TargetForm::Own => spec(kind, ""),
    }
}

#[tokio::test]
async fn what_the_workspace_does_not_measure_is_refused_for_every_kind_and_every_way_to_name_it() {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let excluded = tools().within(Arc::new(Scope::read(&[], &texts(&["127.0.0.0/8", "::1"]))));
    let elsewhere = tools().within(Arc::new(Scope::read(&texts(&["192.0.2.0/24"]), &[])));
    for kind in ProbeKind::offered() {
        // Addresses of an agent are addresses.
        let hosts: &[&str] = if kind == ProbeKind::Agent { &["127.0.0.1"] } else { &["127.0.0.1", "localhost"] };
        for host in hosts {
            for tools in [&excluded, &elsewhere] {
                let result = probe_with(&to(kind, host), tools).await;
                let (reason, message) = failure(&result);
                assert_eq!(reason, FailureReason::Forbidden, "{kind} to {host}: {message}");
                assert!(message.contains("this workspace") && message.contains("settings"), "{kind}: {message}");
            }
        }
    }
}

#[test]
fn ten_thousand_pings_under_way_take_little_memory() {
    let tools = Tools::new(Arc::new(Policy::default()), Arc::new(OwnRights));
    let occasion = Occasion {
        probe: None,
        agent: AgentId::default(),
        scheduled: Timestamp::from_nanos(0),
        trigger: Trigger::Request,
    };
    let spec = ProbeSpec::new(ProbeKind::Ping, "192.0.2.1");
    let octets = std::mem::size_of_val(&run(&spec, occasion, &tools));
    assert!(octets <= 4096, "{octets} octets");
}
