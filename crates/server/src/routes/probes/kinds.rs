//! `GET /api/v1/probe-kinds`: everything that forms and documentation need, from the descriptors.

use axum::Json;
use netwatch_api::probe::{KindDescription, MetricDescription, OptionDescription};
use netwatch_model::probe::pair::may_measure_agents;
use netwatch_model::probe::{OptionField, OptionForm, OptionValue, ProbeKind, ProbeMetric, TargetForm};

use crate::params::Params;
use crate::routes::NoParams;

/// The kinds of probes
///
/// Those that a probe may be made of, their options with units and ranges, and the numbers that they give.
#[utoipa::path(
    get, path = "/api/v1/probe-kinds", operation_id = "list_probe_kinds", tag = "probes",
    responses((status = 200, description = "All kinds", body = [KindDescription]))
)]
pub(super) async fn list(_: Params<NoParams>) -> Json<Vec<KindDescription>> {
    Json(ProbeKind::offered().map(described).collect())
}

fn described(kind: ProbeKind) -> KindDescription {
    let descriptor = kind.descriptor();
    let (target, port) = match descriptor.target {
        TargetForm::Host => ("host", None),
        TargetForm::HostPort { port } => ("host_port", port),
        TargetForm::Url => ("url", None),
        TargetForm::Own => ("own", None),
        TargetForm::Agent => ("agent", None),
    };
    KindDescription {
        kind,
        help: descriptor.help.to_owned(),
        target: target.to_owned(),
        agent_target: may_measure_agents(kind),
        port,
        interval: descriptor.interval,
        least_interval: descriptor.least_interval,
        timeout: descriptor.timeout,
        count: descriptor.count,
        spacing: descriptor.spacing,
        options: descriptor.options.iter().map(|field| option(field)).collect(),
        metrics: descriptor.metrics.iter().map(|metric| described_metric(*metric)).collect(),
    }
}

fn described_metric(metric: ProbeMetric) -> MetricDescription {
    MetricDescription { name: metric.name().to_owned(), unit: metric.unit(), help: metric.help().to_owned() }
}

#[expect(clippy::cast_precision_loss, reason = "ranges are far below 2^53")]
fn option(field: &OptionField) -> OptionDescription {
    let (form, default) = match field.form {
        OptionForm::Flag(on) => ("flag", Some(OptionValue::Flag(on))),
        OptionForm::Whole { default, .. } => ("whole", Some(OptionValue::Whole(default))),
        OptionForm::Seconds { default, .. } => ("seconds", Some(OptionValue::Number(default))),
        OptionForm::Text(default) => ("text", Some(OptionValue::Text(default.to_owned()))),
        OptionForm::Secret => ("secret", None),
        OptionForm::Choice(words) => ("choice", words.first().map(|word| OptionValue::Text((*word).to_owned()))),
        OptionForm::Texts => ("texts", None),
    };
    let (min, max) = match field.form {
        OptionForm::Whole { min, max, .. } => (Some(min as f64), Some(max as f64)),
        OptionForm::Seconds { min, max, .. } => (Some(min), Some(max)),
        _ => (None, None),
    };
    let choices = match field.form {
        OptionForm::Choice(words) => words.iter().map(|word| (*word).to_owned()).collect(),
        _ => Vec::new(),
    };
    OptionDescription {
        name: field.name.to_owned(),
        help: field.help.to_owned(),
        form: form.to_owned(),
        min,
        max,
        choices,
        default,
    }
}
