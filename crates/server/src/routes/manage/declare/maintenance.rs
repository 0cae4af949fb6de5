//! Windows of maintenance in a file. Probes are named there by their names; one that is gone is left out.

use std::collections::{BTreeMap, BTreeSet};

use netwatch_entities::{Reading, Stored, Writing};
use netwatch_identity::secret::random_bits;
use netwatch_model::people::{DisplayName, MaintenanceId, Permission, ProbeId, WorkspaceId};
use netwatch_model::probe::{Maintenance, Probe, Schedule, Selection};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Declared;
use crate::app::to_json;
use crate::fault::Fault;
use crate::params::parse_body;
use crate::routes::manage::asker::{Asker, field, not_found};
use crate::routes::manage::maintenance;

/// See the module.
pub(super) struct Windows;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    all: bool,
    /// Names.
    #[serde(default)]
    probes: BTreeSet<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    schedule: Schedule,
}

impl Declared for Windows {
    fn word(&self) -> &'static str {
        maintenance::DECLARED
    }

    fn reading(&self) -> Permission {
        Permission::ProbesRead
    }

    fn writing(&self) -> Permission {
        Permission::ProbesWrite
    }

    fn parse(&self, written: &Value) -> Result<(String, Value), Fault> {
        let window: Written = parse_body(&to_json(written)?)?;
        let name: DisplayName = field("name", &window.name)?;
        // Which probes there are is found out when it is made; how many it names is known here.
        let ids = (0..window.probes.len()).map(|n| ProbeId::from_bits(n as u128)).collect();
        let selection = Selection { all: window.all, probes: ids, labels: window.labels.clone() };
        maintenance::check(&selection, &window.schedule)?;
        Ok((name.to_string(), value(&Written { name: name.to_string(), ..window })?))
    }

    fn current(&self, tx: &Reading<'_>, workspace: WorkspaceId) -> Result<BTreeMap<String, Value>, Fault> {
        let windows = maintenance::all(tx, workspace)?;
        let names = names(tx, workspace, windows.is_empty())?;
        let named = |stored: Stored<Maintenance>| {
            let Maintenance { name, selection, schedule, .. } = stored.value;
            let Selection { all, probes, labels } = selection;
            let probes = probes.iter().filter_map(|id| names.get(id).cloned()).collect();
            Ok((name.to_string(), value(&Written { name: name.to_string(), all, probes, labels, schedule })?))
        };
        windows.into_iter().map(named).collect()
    }

    fn create(&self, tx: &Writing<'_>, asker: &Asker, _: &str, value: &Value) -> Result<(), Fault> {
        let (workspace, now) = (asker.workspace()?, tx.now());
        let (name, selection, schedule) = read(tx, workspace, value)?;
        let id = MaintenanceId::new(now, random_bits()?);
        let window = Maintenance { id, workspace, name, selection, schedule, created: now };
        maintenance::make(tx, asker, &window).map(drop)
    }

    fn change(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault> {
        let workspace = asker.workspace()?;
        let before = find(tx, workspace, name)?;
        let (_, selection, schedule) = read(tx, workspace, value)?;
        let after = Maintenance { selection, schedule, ..before.value.clone() };
        maintenance::alter(tx, asker, &before, &after).map(drop)
    }

    fn remove(&self, tx: &Writing<'_>, asker: &Asker, name: &str) -> Result<(), Fault> {
        let before = find(tx, asker.workspace()?, name)?;
        maintenance::drop_it(tx, asker, &before)
    }
}

/// A window of a file, with the probes that it names.
fn read(tx: &Reading<'_>, workspace: WorkspaceId, value: &Value) -> Result<(DisplayName, Selection, Schedule), Fault> {
    let Written { name, all, probes, labels, schedule } = parse_body(&to_json(value)?)?;
    let names = names(tx, workspace, probes.is_empty())?;
    let ids: BTreeMap<&str, ProbeId> = names.iter().map(|(id, name)| (name.as_str(), *id)).collect();
    let found = |name: &String| {
        let missing = || Fault::parameter("probes", format!("there is no probe `{name}`"));
        ids.get(name.as_str()).copied().ok_or_else(missing)
    };
    let probes = probes.iter().map(found).collect::<Result<_, Fault>>()?;
    Ok((field("name", &name)?, Selection { all, probes, labels }, schedule))
}

fn find(tx: &Reading<'_>, workspace: WorkspaceId, name: &str) -> Result<Stored<Maintenance>, Fault> {
    let found = maintenance::all(tx, workspace)?.into_iter().find(|window| window.value.name.as_str() == name);
    found.ok_or_else(|| not_found(maintenance::DECLARED))
}

/// What probes are called; nothing when nobody needs it.
fn names(tx: &Reading<'_>, workspace: WorkspaceId, needless: bool) -> Result<BTreeMap<ProbeId, String>, Fault> {
    let probes: Vec<Probe> = if needless { Vec::new() } else { maintenance::all_probes(tx, workspace)? };
    Ok(probes.into_iter().map(|probe| (probe.id, probe.name.to_string())).collect())
}

fn value(written: &Written) -> Result<Value, Fault> {
    parse_body(&to_json(written)?)
}
