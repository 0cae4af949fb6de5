//! From what somebody wrote to a probe that can be run.

use std::collections::BTreeMap;

use netwatch_api::probe::ProbeDraft;
use netwatch_model::people::AgentSelector;
use netwatch_model::probe::spec::{MAX_LABEL, MAX_LABELS};
use netwatch_model::probe::{OptionField, OptionForm, OptionValue, Options, ProbeSpec, Source, SpecError};
use netwatch_model::untrusted::is_deceptive;

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

/// Which agents run it, as somebody wrote it. Whether they exist is not asked: one that is gone runs nothing.
pub(in crate::routes::manage) fn agents(selector: AgentSelector) -> Result<AgentSelector, Fault> {
    if selector.ids.len() > AgentSelector::MAX_IDS {
        let detail = format!("at most {} agents can be named: choose them by labels", AgentSelector::MAX_IDS);
        return Err(Fault::parameter("agents.ids", detail));
    }
    labels("agents.labels", &selector.labels)?;
    Ok(selector)
}

/// Labels that people chose: few, short, and with names.
pub(in crate::routes::manage) fn labels(field: &str, labels: &BTreeMap<String, String>) -> Result<(), Fault> {
    let is_good = |(name, value): (&String, &String)| {
        !name.is_empty()
            && name.len() <= MAX_LABEL
            && value.len() <= MAX_LABEL
            && !name.chars().chain(value.chars()).any(is_deceptive)
    };
    if labels.len() <= MAX_LABELS && labels.iter().all(is_good) {
        return Ok(());
    }
    let detail = format!(
        "there are at most {MAX_LABELS} labels; a name and a value have at most {MAX_LABEL} bytes, none hidden"
    );
    Err(Fault::parameter(field, detail))
}

/// For the audit log.
pub(super) fn agents_text(selector: &AgentSelector) -> String {
    let AgentSelector { all, ids, labels } = selector;
    let all = all.then(|| "all".to_owned());
    let labels = labels.iter().map(|(name, value)| format!("{name}={value}"));
    let words: Vec<_> = all.into_iter().chain(ids.iter().map(ToString::to_string)).chain(labels).collect();
    if words.is_empty() { "the server's own".to_owned() } else { words.join(" ") }
}

/// What a run on demand of a saved probe measures. Its secrets go only where the probe takes them: whoever may run probes may not read them,
/// and would have them sent elsewhere otherwise.
pub(in crate::routes) fn run_of(draft: &ProbeDraft, saved: &ProbeSpec) -> Result<ProbeSpec, Fault> {
    let spec = written(draft);
    spec.check().map_err(|error| fault(&error))?;
    let filled = with_secrets(spec.clone(), saved);
    let adds_secrets = filled.options != spec.options;
    if adds_secrets && !goes_the_same_way(&filled, saved) {
        let detail = "the secrets of a saved probe are used only with its own target, source and options: save the changes first,                       or give the secrets again";
        return Err(Fault::parameter("probe", detail));
    }
    Ok(filled)
}

/// Whether two probes send the same to the same place; how often and how long does not matter.
fn goes_the_same_way(one: &ProbeSpec, other: &ProbeSpec) -> bool {
    let way = |spec: &ProbeSpec| (spec.kind, spec.target.clone(), spec.source.clone(), spec.family);
    let is_said = |field: &OptionField| effective(&one.options, field) == effective(&other.options, field);
    way(one) == way(other) && one.kind.descriptor().options.iter().all(|field| is_said(field))
}

/// What holds of an option, said or not.
fn effective(options: &Options, field: &OptionField) -> OptionValue {
    match field.form {
        OptionForm::Flag(_) => OptionValue::Flag(options.flag(field)),
        OptionForm::Whole { .. } => OptionValue::Whole(options.whole(field)),
        OptionForm::Seconds { .. } => OptionValue::Number(options.seconds(field)),
        OptionForm::Text(_) | OptionForm::Secret | OptionForm::Choice(_) => {
            OptionValue::Text(options.text(field).to_owned())
        }
        OptionForm::Texts => OptionValue::Texts(options.texts(field).to_vec()),
    }
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
        SpecError::BuiltIn(_) => "kind".to_owned(),
        SpecError::Target { .. } => "target".to_owned(),
        SpecError::Range { name, .. } => (*name).to_owned(),
        SpecError::Option(error) => format!("options.{}", error.name()),
    };
    Fault::parameter(&format!("spec.{name}"), error.to_string())
}
