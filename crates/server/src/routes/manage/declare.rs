//! `GET /api/v1/export` and `POST /api/v1/apply`: what can be edited, as a file.
//!
//! The kinds of objects stand in one list ([`KINDS`]), each with how its objects are read, made, changed and removed ([`Declared`]): a
//! kind is added there and nowhere else. A file is applied in one transaction, whole or not at all. What it declares belongs to it from
//! then on ([`owned`]): the web app and the API show that and refuse to edit it. A file that declares a kind and has lost an object of
//! it takes that object away only when it is asked to prune.
//!
//! Every change needs the permission that it would need by hand, too, and stands in the audit log as if it were made by hand.
//!
//! Limits: 1 MiB and 1000 objects a file.

mod agent;
mod maintenance;
mod member;
mod networks;
pub(super) mod owned;
mod plan;
mod probe;
mod ranges;
mod role;
mod view;

use std::collections::BTreeMap;

use axum::Json;
use netwatch_api::ProblemCode;
use netwatch_api::declare::{ApplyQuery, ApplyReport, Declarations, ObjectChange};
use netwatch_entities::{Reading, StoreError, Writing};
use netwatch_identity::audit::Entry;
use netwatch_model::Untrusted;
use netwatch_model::filter::nearest;
use netwatch_model::people::{Action, Fields, ObjectKind, ObjectRef, Permission, WorkspaceId};
use serde_json::Value;

use super::asker::{Asker, ask};
use crate::access::record;
use crate::app::App;
use crate::fault::Fault;
use crate::params::{Body, Params};
use crate::routes::NoParams;

use plan::Step;

/// Largest body, bytes.
pub(super) const MAX_BODY: usize = 1 << 20;
/// Most objects of a file.
const MAX_OBJECTS: usize = 1000;
/// Longest name of a file.
const MAX_SOURCE: usize = 200;
const VERSION: u32 = 1;

/// A kind of objects that can stand in a file. Objects are values of JSON in one normal form, so that equal ones are equal.
trait Declared: Sync {
    /// The word under which its objects stand in a file.
    fn word(&self) -> &'static str;
    /// What seeing them needs.
    fn reading(&self) -> Permission;
    /// What changing them needs.
    fn writing(&self) -> Permission;
    /// Reads an object of a file: its name and its normal form.
    fn parse(&self, written: &Value) -> Result<(String, Value), Fault>;
    /// All objects by name.
    fn current(&self, tx: &Reading<'_>, workspace: WorkspaceId) -> Result<BTreeMap<String, Value>, Fault>;
    /// Makes an object.
    fn create(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault>;
    /// Changes an object.
    fn change(&self, tx: &Writing<'_>, asker: &Asker, name: &str, value: &Value) -> Result<(), Fault>;
    /// Removes an object.
    fn remove(&self, tx: &Writing<'_>, asker: &Asker, name: &str) -> Result<(), Fault>;
    /// Whether other objects may name these: then they are removed when nothing of the file is left to do.
    fn is_named(&self) -> bool {
        true
    }
    /// Tells the rest of the server that objects of this kind have changed. Blocks.
    fn tell(&self, _app: &App, _workspace: WorkspaceId) {}
}

/// All kinds; those that others need come first.
static KINDS: &[&dyn Declared] = &[
    &role::Roles,
    &member::Members,
    &view::Views,
    &ranges::Ranges,
    &networks::Networks,
    &agent::Agents,
    &probe::Probes,
    &maintenance::Windows,
];

/// What can be edited, as a file
///
/// Kinds that the one who asks may not see are left out.
#[utoipa::path(
    get, path = "/api/v1/export", operation_id = "export", tag = "declare",
    responses((status = 200, description = "All objects that can stand in a file", body = Declarations))
)]
pub(super) async fn export(app: App, asker: Asker, _: Params<NoParams>) -> Result<Json<Declarations>, Fault> {
    let workspace = asker.workspace()?;
    let objects = ask(&app, move |tx| {
        let visible = KINDS.iter().filter(|kind| asker.has(kind.reading()));
        let objects = visible.map(|kind| {
            let values = kind.current(tx, workspace)?.into_values().collect();
            Ok((kind.word().to_owned(), values))
        });
        objects.collect::<Result<_, Fault>>()
    });
    Ok(Json(Declarations { version: VERSION, objects: objects.await? }))
}

/// Apply a file
///
/// Objects are compared by kind and name. Everything is done or, when anything is refused, nothing.
#[utoipa::path(
    post, path = "/api/v1/apply", operation_id = "apply", tag = "declare", params(ApplyQuery), request_body = Declarations,
    responses((status = 200, description = "What changed, or would", body = ApplyReport))
)]
pub(super) async fn apply(
    app: App,
    asker: Asker,
    Params(query): Params<ApplyQuery>,
    Body(file): Body<Declarations>,
) -> Result<Json<ApplyReport>, Fault> {
    let (workspace, wanted) = (asker.workspace()?, read(&file)?);
    let source = source(query.source.as_deref())?;
    let (prune, dry_run) = (query.prune.unwrap_or(false), query.dry_run.unwrap_or(false));
    let with = app.clone();
    let done = app.blocking(move || {
        with.access().change(move |tx| {
            let report = run(tx, &asker, workspace, &wanted, (&source, prune))?;
            let report = ApplyReport { dry_run, ..report };
            // A dry run does everything, so that it finds everything, and undoes it.
            if dry_run { Err(Ended::Dry(report)) } else { Ok(report) }
        })
    });
    match done.await? {
        Ok(report) => {
            tell(&app, workspace, &report).await?;
            Ok(Json(report))
        }
        Err(Ended::Dry(report)) => Ok(Json(report)),
        Err(Ended::Fault(fault)) => Err(fault),
    }
}

/// Why a transaction is undone.
enum Ended {
    Fault(Fault),
    Dry(ApplyReport),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Objects of a file, by kind and name.
type Wanted = Vec<(&'static dyn Declared, BTreeMap<String, Value>)>;

/// Reads a file; the fault names the place of what is wrong.
fn read(file: &Declarations) -> Result<Wanted, Fault> {
    if file.version != VERSION {
        return Err(Fault::parameter("version", format!("this Netwatch reads files of version {VERSION}")));
    }
    if file.objects.values().map(Vec::len).sum::<usize>() > MAX_OBJECTS {
        return Err(Fault::parameter("objects", format!("a file has at most {MAX_OBJECTS} objects: split it")));
    }
    if let Some(word) = file.objects.keys().find(|word| !KINDS.iter().any(|kind| kind.word() == **word)) {
        return Err(unknown(word));
    }
    let mut wanted = Wanted::new();
    for kind in KINDS {
        let Some(list) = file.objects.get(kind.word()) else { continue };
        let mut objects = BTreeMap::new();
        for (at, written) in list.iter().enumerate() {
            let place = format!("objects.{}[{at}]", kind.word());
            let (name, value) = kind.parse(written).map_err(|fault| fault.within(&place))?;
            if objects.insert(name.clone(), value).is_some() {
                return Err(Fault::parameter(&place, format!("`{name}` stands in the file twice")));
            }
        }
        wanted.push((*kind, objects));
    }
    Ok(wanted)
}

fn unknown(word: &str) -> Fault {
    let words = || KINDS.iter().map(|kind| kind.word());
    let shown: String = Untrusted::new(word).to_string().chars().take(40).collect();
    let hint = match nearest(word, words()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", words().collect::<Vec<_>>().join(", ")),
    };
    Fault::parameter(&format!("objects.{shown}"), format!("there is no kind `{shown}`: {hint}"))
}

fn source(text: Option<&str>) -> Result<String, Fault> {
    let text = text.unwrap_or("file");
    if text.is_empty() || text.chars().count() > MAX_SOURCE {
        return Err(Fault::parameter("source", format!("the name of a file has 1 to {MAX_SOURCE} characters")));
    }
    Ok(Untrusted::new(text).to_string())
}

/// Tells the rest of the server which kinds have changed.
async fn tell(app: &App, workspace: WorkspaceId, report: &ApplyReport) -> Result<(), Fault> {
    let has_changed = |kind: &&dyn Declared| report.changes.iter().any(|change| change.kind == kind.word());
    let changed: Vec<_> = KINDS.iter().copied().filter(has_changed).collect();
    let with = app.clone();
    app.blocking(move || changed.into_iter().for_each(|kind| kind.tell(&with, workspace))).await
}

/// Does all steps: what others need is made first and removed last.
fn run(
    tx: &Writing<'_>,
    asker: &Asker,
    workspace: WorkspaceId,
    wanted: &Wanted,
    (source, prune): (&str, bool),
) -> Result<ApplyReport, Fault> {
    let mut report = ApplyReport { dry_run: false, changes: Vec::new(), unchanged: 0 };
    let mut removals = Vec::new();
    for (kind, objects) in wanted {
        let current = kind.current(tx, workspace)?;
        let owned = owned::all(tx, workspace, kind.word())?;
        let (steps, unchanged) = plan::steps(&current, objects, &owned, prune);
        report.unchanged += unchanged;
        for step in steps {
            if !asker.has(kind.writing()) {
                return Err(missing(kind.writing(), kind.word()));
            }
            if step.is_removal() && kind.is_named() {
                removals.push((*kind, step));
            } else {
                report.changes.push(done(tx, asker, *kind, &step, source)?);
            }
        }
    }
    for (kind, step) in removals.into_iter().rev() {
        report.changes.push(done(tx, asker, kind, &step, source)?);
    }
    if !report.changes.is_empty() {
        let object = ObjectRef::new(ObjectKind::Configuration, "", source);
        let did = asker.by().did(Action::ConfigApplied, object);
        let after = Some(Fields::new().with("changes", report.changes.len()));
        record(tx, Entry { workspace: Some(workspace), after, ..did })?;
    }
    Ok(report)
}

/// Does a step, and keeps whose the object is from then on.
fn done(
    tx: &Writing<'_>,
    asker: &Asker,
    kind: &dyn Declared,
    step: &Step,
    source: &str,
) -> Result<ObjectChange, Fault> {
    take(tx, asker, kind, step, source)?;
    let (workspace, word) = (asker.workspace()?, kind.word());
    if step.is_removal() {
        owned::unset(tx, workspace, word, step.name())?;
    } else {
        owned::set(tx, workspace, word, step.name(), source)?;
    }
    Ok(step.report(word))
}

fn take(tx: &Writing<'_>, asker: &Asker, kind: &dyn Declared, step: &Step, source: &str) -> Result<(), Fault> {
    let done = match step {
        Step::Create { name, value } => kind.create(tx, asker, name, value),
        Step::Change { name, value, .. } => kind.change(tx, asker, name, value),
        Step::Adopt { .. } => Ok(()),
        Step::Remove { name, .. } => kind.remove(tx, asker, name),
    };
    done.map_err(|fault| fault.about(&format!("{source}: {} `{}`", kind.word(), step.name())))
}

fn missing(permission: Permission, kind: &str) -> Fault {
    let detail = format!("changing {kind} needs the permission `{permission}` ({}), too", permission.text());
    Fault::new(ProblemCode::Forbidden, detail)
}
