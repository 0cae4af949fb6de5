//! Probes in a file: name, what is measured, whether it runs. Secret options do not stand in files: they are set by hand, and kept.

use std::collections::BTreeMap;

use netwatch_api::probe::ProbeDraft;
use netwatch_entities::{ListQuery, Reading, Stored, Writing};
use netwatch_identity::secret::random_bits;
use netwatch_model::Timestamp;
use netwatch_model::people::{AgentSelector, DisplayName, Permission, ProbeId, WorkspaceId};
use netwatch_model::probe::{OptionForm, Probe, ProbeSpec};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Declared;
use crate::app::{App, to_json};
use crate::fault::Fault;
use crate::params::parse_body;
use crate::routes::manage::asker::{Asker, field, not_found};
use crate::routes::manage::probes;

/// See the module.
pub(super) struct Probes;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default = "on")]
    enabled: bool,
    #[serde(default)]
    agents: AgentSelector,
    #[serde(default)]
    objective: Option<f64>,
    #[serde(default)]
    quorum: Option<u32>,
    spec: ProbeDraft,
}

/// As it is compared: with every default written out.
#[derive(Serialize, Deserialize)]
struct Normal {
    name: DisplayName,
    enabled: bool,
    #[serde(default)]
    agents: AgentSelector,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objective: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quorum: Option<u32>,
    spec: ProbeSpec,
}

impl Declared for Probes {
    fn word(&self) -> &'static str {
        probes::DECLARED
    }

    fn reading(&self) -> Permission {
        Permission::ProbesRead
    }

    fn writing(&self) -> Permission {
        Permission::ProbesWrite
    }

    fn parse(&self, written: &Value) -> Result<(String, Value), Fault> {
        let probe: Written = parse_body(&to_json(written)?)?;
        let name: DisplayName = field("name", &probe.name)?;
        let fields = probe.spec.kind.descriptor().options;
        let is_secret = |name: &str| fields.iter().any(|field| field.name == name && field.form == OptionForm::Secret);
        if let Some((secret, _)) = probe.spec.options.iter().find(|(name, _)| is_secret(name)) {
            let detail =
                format!("`{secret}` is a secret, which does not stand in files: set it in the web app or by the API");
            return Err(Fault::parameter("spec.options", detail));
        }
        let spec = probes::spec_of(&probe.spec)?;
        let (objective, quorum) = (probes::objective(probe.objective)?, probes::quorum(probe.quorum)?);
        let agents = probes::agents(probe.agents)?;
        let normal = Normal { name: name.clone(), enabled: probe.enabled, agents, objective, quorum, spec };
        Ok((name.to_string(), value(&normal)?))
    }

    fn current(&self, tx: &Reading<'_>, workspace: WorkspaceId) -> Result<BTreeMap<String, Value>, Fault> {
        let named = |probe: Stored<Probe>| {
            let Probe { name, enabled, agents, objective, quorum, spec, .. } = probe.value;
            let spec = ProbeSpec { options: probes::shown::options(&spec).0, ..spec };
            Ok((name.to_string(), value(&Normal { name, enabled, agents, objective, quorum, spec })?))
        };
        all(tx, workspace)?.into_iter().map(named).collect()
    }

    fn create(&self, tx: &Writing<'_>, asker: &Asker, _: &str, value: &Value) -> Result<(), Fault> {
        let Normal { name, enabled, agents, objective, quorum, spec } = parse_body(&to_json(value)?)?;
        let (now, workspace): (Timestamp, _) = (tx.now(), asker.workspace()?);
        let id = ProbeId::new(now, random_bits()?);
        let probe = Probe { id, workspace, name, spec, agents, enabled, objective, quorum, created: now };
        probes::make(tx, asker, &probe).map(drop)
    }

    fn change(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault> {
        let before = find(tx, asker.workspace()?, name)?;
        let Normal { enabled, agents, objective, quorum, spec, .. } = parse_body(&to_json(value)?)?;
        let spec = probes::with_secrets(spec, &before.value.spec);
        let after = Probe { enabled, agents, objective, quorum, spec, ..before.value.clone() };
        probes::alter(tx, asker, &before, &after).map(drop)
    }

    fn remove(&self, tx: &Writing<'_>, asker: &Asker, name: &str) -> Result<(), Fault> {
        let before = find(tx, asker.workspace()?, name)?;
        probes::drop_it(tx, asker, &before)
    }

    fn tell(&self, app: &App, _: WorkspaceId) {
        app.assign_probes();
    }
}

fn find(tx: &Reading<'_>, workspace: WorkspaceId, name: &str) -> Result<Stored<Probe>, Fault> {
    let found = all(tx, workspace)?.into_iter().find(|probe| probe.value.name.as_str() == name);
    found.ok_or_else(|| not_found("probe"))
}

fn all(tx: &Reading<'_>, workspace: WorkspaceId) -> Result<Vec<Stored<Probe>>, Fault> {
    let limit = usize::try_from(Probe::MAX_PER_WORKSPACE).unwrap_or(usize::MAX);
    Ok(tx.list::<Probe>(workspace, &ListQuery { limit, ..ListQuery::default() })?.items)
}

fn value(normal: &Normal) -> Result<Value, Fault> {
    parse_body(&to_json(normal)?)
}

const fn on() -> bool {
    true
}
