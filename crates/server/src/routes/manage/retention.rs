//! `/api/v1/storage/retention`: how long and how much telemetry is kept.
//!
//! What the configuration says is shown with its place, and is changed there alone.

use axum::Json;
use axum::response::{IntoResponse, Response};
use netwatch_api::history::storage::{KindRetention, StorageLimit, StorageRetention, StorageRetentionPut};
use netwatch_api::{Problem, ProblemCode};
use netwatch_entities::{Site, Writing};
use netwatch_identity::audit::Entry;
use netwatch_model::people::{Action, Fields, ObjectKind, ObjectRef};
use netwatch_storage::Kind;

use super::asker::{Asker, ask, change};
use crate::access::record;
use crate::app::App;
use crate::etag::{ETag, Preconditions};
use crate::fault::Fault;
use crate::history::convert::storage_kind;
use crate::history::limits::{Chosen, LimitKey, StorageRules, TheOne, in_force};
use crate::params::{Body, Params};
use crate::routes::NoParams;

/// How much telemetry is kept
#[utoipa::path(
    get, path = "/api/v1/storage/retention", operation_id = "get_retention", tag = "system",
    responses((status = 200, description = "Every limit, and where it is set", body = StorageRetention))
)]
pub(super) async fn show(app: App, asked: Preconditions, _: Params<NoParams>) -> Result<Response, Fault> {
    let rules = app.storage_rules();
    let chosen = ask(&app, |tx| Ok(tx.find::<Chosen>(Site, TheOne)?.map(|stored| stored.value))).await?;
    let body = view(&rules, &chosen.unwrap_or_default());
    Ok(ETag::of(&body)?.tagged(&asked, &body))
}

/// Keep more or less
///
/// Needs `If-Match`. What is too much then goes within a minute, oldest first. What a file of the configuration says is changed there.
#[utoipa::path(
    put, path = "/api/v1/storage/retention", operation_id = "set_retention", tag = "system", request_body = StorageRetentionPut,
    responses((status = 200, description = "What holds now", body = StorageRetention),
              (status = 409, description = "A limit is set in the configuration"), (status = 412, description = "Changed meanwhile"))
)]
pub(super) async fn set(
    app: App,
    asker: Asker,
    asked: Preconditions,
    Body(wanted): Body<StorageRetentionPut>,
) -> Result<Response, Fault> {
    let (rules, wanted) = (app.storage_rules(), values(&wanted)?);
    let done = change(&app, move |tx| {
        let stored = tx.find::<Chosen>(Site, TheOne)?;
        let is_new = stored.is_none();
        let before = stored.map(|stored| stored.value).unwrap_or_default();
        asked.require(&ETag::of(&view(&rules, &before))?)?;
        let after = chosen(&wanted, &rules, &before)?;
        if after != before {
            save(tx, &after, is_new)?;
            let (old, new) = Fields::changed(&fields(&rules, &before), &fields(&rules, &after));
            let object = ObjectRef::new(ObjectKind::Configuration, "", "retention");
            let did = asker.by().did(Action::ConfigChanged, object);
            record(tx, Entry { before: Some(old), after: Some(new), ..did })?;
        }
        Ok(view(&rules, &after))
    });
    let body = done.await?;
    let with = app.clone();
    app.blocking(move || with.apply_storage_limits()).await?;
    Ok((ETag::of(&body)?.header(), Json(body)).into_response())
}

fn save(tx: &Writing<'_>, after: &Chosen, is_new: bool) -> Result<(), Fault> {
    if is_new {
        tx.insert(after)?
    } else {
        tx.update(after, None)?
    };
    Ok(())
}

/// What is chosen when `wanted` is wanted.
fn chosen(wanted: &[(LimitKey, u64)], rules: &StorageRules, before: &Chosen) -> Result<Chosen, Fault> {
    let mut after = Chosen::default();
    for key in LimitKey::all() {
        let value = wanted.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
        match (rules.get(key), value) {
            (Some((is, origin)), Some(value)) if is != value => {
                let detail = format!("{} is set in {origin}: change it there", key.word());
                return Err(Problem::new(ProblemCode::ManagedByFile, detail).parameter(place(key)).into());
            }
            // What was chosen before the configuration said it comes back when it says it no more.
            (Some(_), _) => after.set(key, before.get(key).unwrap_or_else(|| key.default())),
            (None, value) => after.set(key, value.unwrap_or_else(|| key.default())),
        }
    }
    let (warn, stop) = (LimitKey::WarnPercent, LimitKey::StopPercent);
    if in_force(warn, rules, &after) < in_force(stop, rules, &after) {
        let detail = "the warning must come before storing stops: make `warn_percent` at least `stop_percent`";
        return Err(Fault::parameter("warn_percent", detail.to_owned()));
    }
    Ok(after)
}

/// The values of a request; absent ones are left out.
fn values(wanted: &StorageRetentionPut) -> Result<Vec<(LimitKey, u64)>, Fault> {
    let mut all: Vec<(LimitKey, u64)> = Vec::new();
    for one in &wanted.kinds {
        let kind = Kind::ALL.into_iter().find(|kind| storage_kind(*kind) == one.kind);
        let Some(kind) = kind else { continue };
        if wanted.kinds.iter().filter(|other| other.kind == one.kind).count() > 1 {
            return Err(Fault::parameter("kinds", format!("`{}` is there twice", kind.as_str())));
        }
        all.extend(one.age_seconds.map(|age| (LimitKey::Age(kind), age)));
        all.extend(one.bytes.map(|bytes| (LimitKey::Size(kind), bytes)));
    }
    all.extend(wanted.warn_percent.map(|n| (LimitKey::WarnPercent, n)));
    all.extend(wanted.stop_percent.map(|n| (LimitKey::StopPercent, n)));
    all.extend(wanted.stop_bytes.map(|n| (LimitKey::StopSize, n)));
    for (key, value) in &all {
        let bounds = key.bounds();
        if !bounds.contains(value) {
            let (low, high) = bounds.into_inner();
            let detail = format!("{value} is out of range for {}: expected {low} to {high}", key.word());
            return Err(Problem::new(ProblemCode::InvalidParameter, detail).parameter(place(*key)).into());
        }
    }
    Ok(all)
}

/// Where a limit stands in the body.
fn place(key: LimitKey) -> String {
    let at = |kind: Kind, field: &str| format!("kinds[{}].{field}", kind.as_str());
    match key {
        LimitKey::Age(kind) => at(kind, "age_seconds"),
        LimitKey::Size(kind) => at(kind, "bytes"),
        LimitKey::WarnPercent => "warn_percent".to_owned(),
        LimitKey::StopPercent => "stop_percent".to_owned(),
        LimitKey::StopSize => "stop_bytes".to_owned(),
    }
}

fn view(rules: &StorageRules, chosen: &Chosen) -> StorageRetention {
    let limit = |key: LimitKey| {
        let (min, max) = key.bounds().into_inner();
        let managed_by = rules.get(key).map(|(_, origin)| origin.to_owned());
        StorageLimit { value: in_force(key, rules, chosen), default: key.default(), min, max, managed_by }
    };
    let kind = |kind| KindRetention {
        kind: storage_kind(kind),
        age_seconds: limit(LimitKey::Age(kind)),
        bytes: limit(LimitKey::Size(kind)),
    };
    StorageRetention {
        kinds: Kind::ALL.map(kind).to_vec(),
        warn_percent: limit(LimitKey::WarnPercent),
        stop_percent: limit(LimitKey::StopPercent),
        stop_bytes: limit(LimitKey::StopSize),
    }
}

fn fields(rules: &StorageRules, chosen: &Chosen) -> Fields {
    LimitKey::all().fold(Fields::new(), |fields, key| fields.with(&key.word(), in_force(key, rules, chosen)))
}
