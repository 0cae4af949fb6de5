//! What a remote agent may write: its own data, and nothing else. Pure.
//!
//! Results carry the agent that the session belongs to, whatever they say, and go to the workspace of their probe. Samples and events get
//! the label or the name of the agent. Flow records of remote agents are not taken yet. What is refused is counted by reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use netwatch_model::people::{Agent, WorkspaceId};
use netwatch_model::{AgentId, Label, Metric, Record, Untrusted};

use super::plan::Plan;

/// The label that names the agent.
const LABEL: &str = "agent";

/// Records of a batch, by the workspace that they belong to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Sorted {
    /// What is taken.
    pub(crate) taken: BTreeMap<WorkspaceId, Vec<Record>>,
    /// Results of probes that are none of the agent's business.
    pub(crate) foreign: u64,
    /// Records of a kind that is not taken.
    pub(crate) unwanted: u64,
}

/// Sorts what an agent sent.
pub(crate) fn sort(records: Vec<Record>, agent: &Agent, plan: &Plan) -> Sorted {
    let mut sorted = Sorted::default();
    for record in records {
        let workspace = match &record {
            Record::Probe(result) => match plan.place_of(agent, result.probe) {
                Some(workspace) => workspace,
                None => {
                    sorted.foreign += 1;
                    continue;
                }
            },
            Record::Sample(_) | Record::Event(_) => agent.workspace,
            Record::Flow(_) => {
                sorted.unwanted += 1;
                continue;
            }
        };
        sorted.taken.entry(workspace).or_default().push(owned(record, agent));
    }
    sorted
}

/// A record as the agent's own.
fn owned(record: Record, agent: &Agent) -> Record {
    match record {
        Record::Probe(mut result) => {
            result.agent = agent.id;
            Record::Probe(result)
        }
        Record::Sample(mut sample) => {
            let series = Arc::make_mut(&mut sample.series);
            series.labels.retain(|label| !matches!(label, Label::Other(name, _) if **name == *LABEL));
            series.labels.push(label(agent.id));
            if series.metric == Metric::External {
                series.labels.sort();
            }
            Record::Sample(sample)
        }
        Record::Event(mut event) => {
            event.text = Untrusted::message(&format!("{} (agent {})", event.text.raw(), agent.name));
            Record::Event(event)
        }
        Record::Flow(flow) => Record::Flow(flow),
    }
}

/// The label of an agent.
pub(crate) fn label(agent: AgentId) -> Label {
    Label::Other(Arc::from(LABEL), Untrusted::new(&agent.to_string()))
}

#[cfg(test)]
mod tests {
    use netwatch_model::people::{AgentOrigin, AgentSelector, ProbeId};
    use netwatch_model::probe::{Probe, ProbeKind, ProbeResult, ProbeSpec, Trigger};
    use netwatch_model::{Event, EventKind, Sample, Series, Severity, Timestamp, Value};

    use super::*;

    const OURS: WorkspaceId = WorkspaceId::from_bits(1);
    const THEIRS: WorkspaceId = WorkspaceId::from_bits(2);

    fn agent(global: bool) -> Agent {
        Agent {
            id: AgentId(9),
            workspace: OURS,
            name: "north".parse().unwrap(),
            origin: AgentOrigin::Enrolled,
            key: None,
            enabled: true,
            global,
            labels: [].into(),
            group: None,
            location: None,
            created: Timestamp::from_secs(0),
        }
    }

    fn result(probe: Option<u128>) -> Record {
        Record::Probe(Box::new(ProbeResult {
            probe: probe.map(ProbeId::from_bits),
            agent: AgentId(1234),
            kind: ProbeKind::Ping,
            target: "192.0.2.1".to_owned(),
            address: None,
            source: None,
            scheduled: Timestamp::from_secs(1),
            start: Timestamp::from_secs(1),
            duration: 0.1,
            trigger: Trigger::Schedule,
            late: false,
            failure: None,
            detail: None,
        }))
    }

    fn plan() -> Plan {
        Plan::of([Probe {
            id: ProbeId::from_bits(6),
            workspace: THEIRS,
            name: "p".parse().unwrap(),
            spec: ProbeSpec::new(ProbeKind::Ping, "192.0.2.1"),
            agents: AgentSelector { ids: vec![AgentId(9)], ..AgentSelector::default() },
            enabled: true,
            objective: None,
            quorum: None,
            created: Timestamp::from_secs(0),
        }])
    }

    #[test]
    fn an_agent_speaks_for_itself_alone() {
        let labels = vec![Label::Name("x".into()), Label::Other("agent".into(), "0000000000000001".into())];
        let series = Arc::new(Series { metric: Metric::External, labels });
        let sample = Sample { series, time: Timestamp::from_secs(1), value: Value::Float(1.0) };
        let event = Event {
            time: Timestamp::from_secs(1),
            kind: EventKind::ClockStepped,
            severity: Severity::Warning,
            subject: "clock".into(),
            text: "by 3 s".into(),
        };
        let sorted = sort(vec![result(None), Record::Sample(sample), Record::Event(event)], &agent(false), &plan());
        let [Record::Probe(result), Record::Sample(sample), Record::Event(event)] = &sorted.taken[&OURS][..] else {
            panic!("{sorted:?}")
        };
        assert_eq!(result.agent, AgentId(9));
        assert_eq!(sample.series.labels, [Label::Name("x".into()), label(AgentId(9))]);
        assert_eq!(event.text.raw(), "by 3 s (agent north)");
    }

    #[test]
    fn results_of_another_workspace_are_refused_unless_it_asked_for_them() {
        let of = |global| sort(vec![result(Some(6)), result(None)], &agent(global), &plan());
        let (foreign, asked) = (of(false), of(true));
        assert_eq!((foreign.foreign, foreign.taken.len()), (1, 1));
        assert_eq!((asked.foreign, asked.taken[&THEIRS].len(), asked.taken[&OURS].len()), (0, 1, 1));
    }
}
