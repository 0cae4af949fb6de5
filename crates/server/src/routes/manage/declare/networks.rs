//! Networks of probes in a file: one object, `networks`. An empty one narrows nothing, and keeps others from narrowing by hand.

use std::collections::BTreeMap;

use netwatch_entities::{Reading, Writing};
use netwatch_model::people::{Permission, WorkspaceId};
use netwatch_model::probe::ProbeNetworks;
use serde_json::Value;

use super::{Declared, owned};
use crate::app::{App, to_json};
use crate::fault::Fault;
use crate::params::parse_body;
use crate::probes::networks::{checked, of};
use crate::routes::manage::asker::Asker;
use crate::routes::manage::networks::{DECLARED, NAME, alter};

/// See the module.
pub(super) struct Networks;

impl Declared for Networks {
    fn word(&self) -> &'static str {
        DECLARED
    }

    fn reading(&self) -> Permission {
        Permission::ProbesRead
    }

    fn writing(&self) -> Permission {
        Permission::WorkspaceWrite
    }

    fn parse(&self, written: &Value) -> Result<(String, Value), Fault> {
        let ProbeNetworks { only, deny } = read(written)?;
        Ok((NAME.to_owned(), value(&checked(&only, &deny)?)?))
    }

    fn current(&self, tx: &Reading<'_>, workspace: WorkspaceId) -> Result<BTreeMap<String, Value>, Fault> {
        let networks = of(tx, workspace)?;
        owned::only(tx, workspace, (DECLARED, NAME), networks.is_empty(), value(&networks)?)
    }

    fn create(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault> {
        self.change(tx, asker, name, value)
    }

    fn change(&self, tx: &Writing<'_>, asker: &Asker, _: &str, value: &Value) -> Result<(), Fault> {
        alter(tx, asker, &read(value)?)
    }

    fn remove(&self, tx: &Writing<'_>, asker: &Asker, _: &str) -> Result<(), Fault> {
        alter(tx, asker, &ProbeNetworks::default())
    }

    /// Probes are judged against them: what a file takes away is gone before its probes are made.
    fn is_named(&self) -> bool {
        false
    }

    fn tell(&self, app: &App, _: WorkspaceId) {
        app.assign_probes();
    }
}

fn read(value: &Value) -> Result<ProbeNetworks, Fault> {
    parse_body(&to_json(value)?)
}

fn value(networks: &ProbeNetworks) -> Result<Value, Fault> {
    parse_body(&to_json(networks)?)
}
