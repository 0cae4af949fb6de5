//! From what somebody wrote to a probe that can be run.

use netwatch_api::probe::ProbeDraft;
use netwatch_model::probe::{OptionForm, OptionValue, ProbeSpec, Source, SpecError};

use crate::fault::Fault;

/// A probe as it was written, with the defaults of its kind.
pub(in crate::routes) fn spec_of(draft: &ProbeDraft) -> Result<ProbeSpec, Fault> {
    let spec = written(draft);
    spec.check_offered().map_err(|error| fault(&error))?;
    Ok(spec)
}

/// The same; secret options that are left out are those of before, an empty one is none.
pub(super) fn changed(draft: &ProbeDraft, before: &ProbeSpec) -> Result<ProbeSpec, Fault> {
    let spec = with_secrets(written(draft), before);
    spec.check_offered().map_err(|error| fault(&error))?;
    Ok(spec)
}

/// What is measured, with the secrets of before where it says nothing of them.
pub(in crate::routes::manage) fn with_secrets(mut spec: ProbeSpec, before: &ProbeSpec) -> ProbeSpec {
    let is_same = spec.kind == before.kind;
    for field in spec.kind.descriptor().options.iter().filter(|field| field.form == OptionForm::Secret) {
        let old = before.options.text(field);
        let is_new = spec.options.iter().any(|(name, _)| name == field.name);
        if is_same && !is_new && !old.is_empty() {
            spec.options.set(field, OptionValue::Text(old.to_owned()));
        }
    }
    spec
}

fn written(draft: &ProbeDraft) -> ProbeSpec {
    let default = ProbeSpec::new(draft.kind, draft.target.trim());
    let source = draft.source.as_deref().map(str::trim).filter(|source| !source.is_empty());
    ProbeSpec {
        interval: draft.interval.unwrap_or(default.interval),
        timeout: draft.timeout.unwrap_or(default.timeout),
        count: draft.count.unwrap_or(default.count),
        spacing: draft.spacing.unwrap_or(default.spacing),
        source: source.map(|source| Source::from(source.to_owned())),
        family: draft.family.unwrap_or_default(),
        dscp: draft.dscp.unwrap_or(0),
        options: draft.options.clone(),
        labels: draft.labels.clone(),
        ..default
    }
}

fn fault(error: &SpecError) -> Fault {
    let name = match error {
        SpecError::BuiltIn(_) => "kind",
        SpecError::Target { .. } => "target",
        SpecError::Range { name, .. } => name,
        SpecError::Option(_) => "options",
    };
    Fault::parameter(&format!("spec.{name}"), error.to_string())
}
