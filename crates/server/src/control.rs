//! What the process around the server can be asked to do: log more or less, read its configuration again.
//!
//! The port is the server's, the implementation the program's. It joins after the server is built ([`crate::Live::controlled_by`]),
//! because it needs parts of the server itself. Until then, and in programs without one, such requests are answered 503.

use std::sync::{Arc, OnceLock};

use netwatch_api::control::Reload;
use netwatch_api::{Problem, ProblemCode};
use netwatch_entities::StoreError;
use netwatch_identity::audit::Entry;
use netwatch_model::people::{Action, Fields, ObjectKind, ObjectRef};

use crate::access::{Access, By, record};
use crate::fault::Fault;

/// The process around the server. Calls may block: they come on threads that may.
pub trait Control: Send + Sync {
    /// What is logged now.
    fn log_filter(&self) -> String;

    /// Logs by another filter from now on.
    ///
    /// # Errors
    /// The filter is none; nothing has changed.
    fn set_log_filter(&self, filter: &str) -> Result<(), ControlError>;

    /// Reads the configuration again and applies it, whole or not at all.
    ///
    /// # Errors
    /// What is wrong with it; nothing has changed.
    fn reload(&self) -> Result<Reload, ControlError>;
}

/// The process does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The text is no log filter.
    #[error("{0}")]
    Filter(String),
    /// The configuration is wrong.
    #[error("nothing was changed: {0}")]
    Configuration(String),
}

/// Writes into the audit log what a reload has changed. Calls block.
pub(crate) fn audit_reload(access: &Access, by: &By, report: &Reload) -> Result<(), StoreError> {
    let all = || report.applied.iter().chain(&report.restart);
    if all().next().is_none() {
        return Ok(());
    }
    let before = all().fold(Fields::new(), |fields, c| fields.with(&c.key, &c.before));
    let after = all().fold(Fields::new(), |fields, c| fields.with(&c.key, &c.after));
    audit(access, by, "files", before, after)
}

/// Writes into the audit log that the log filter was changed. Calls block.
pub(crate) fn audit_filter(access: &Access, by: &By, before: &str, after: &str) -> Result<(), StoreError> {
    let fields = |filter: &str| Fields::new().with("log_filter", filter);
    audit(access, by, "log filter", fields(before), fields(after))
}

fn audit(access: &Access, by: &By, name: &str, before: Fields, after: Fields) -> Result<(), StoreError> {
    let did = by.did(Action::ConfigChanged, ObjectRef::new(ObjectKind::Configuration, "", name));
    access.change(move |tx| record(tx, Entry { before: Some(before), after: Some(after), ..did }))
}

/// A place for a control that comes later.
#[derive(Default)]
pub(crate) struct ControlSlot(OnceLock<Arc<dyn Control>>);

impl ControlSlot {
    /// The control from here on; the first one stays.
    pub(crate) fn fill(&self, control: Arc<dyn Control>) {
        _ = self.0.set(control);
    }

    /// The control, when there is one.
    pub(crate) fn get(&self) -> Result<Arc<dyn Control>, Fault> {
        self.0.get().cloned().ok_or_else(|| Fault::unavailable("this process cannot be steered while it runs"))
    }
}

impl From<ControlError> for Fault {
    fn from(error: ControlError) -> Self {
        let detail = error.to_string();
        match error {
            ControlError::Filter(_) => Problem::new(ProblemCode::InvalidParameter, detail).parameter("filter").into(),
            ControlError::Configuration(_) => Self::new(ProblemCode::InvalidConfiguration, detail),
        }
    }
}
