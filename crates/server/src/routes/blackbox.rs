//! `GET /probe`: a measurement as blackbox_exporter answers it, see [`blackbox`](crate::blackbox).
//!
//! It is a run on demand by the agent of this machine, within what the workspace may measure. A scrape comes every few seconds for each
//! target: it is not in the audit log. Parameters that are not known are passed over, as scrape configurations may have them for others.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use netwatch_api::ProblemCode;
use netwatch_model::Untrusted;
use netwatch_model::assignment::NarrowedRun;
use netwatch_model::probe::{FailureReason, Family, OptionForm, ProbeResult, ProbeSpec};
use utoipa::IntoParams;

use super::manage::asker::{Asker, ask};
use crate::app::App;
use crate::blackbox::{Module, Modules, Scrape, write};
use crate::fault::Fault;
use crate::probes::networks;

/// How long the scraper is ready to wait, seconds.
const TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";
/// The module when none is said.
const USUAL: &str = "http_2xx";
/// How much later than its timeout a run that does not end by itself is given up.
const GRACE: Duration = Duration::from_millis(250);

/// A run on its way.
type Measuring = Pin<Box<dyn Future<Output = Option<ProbeResult>> + Send>>;

/// What a scrape asks for.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ProbeQuery {
    /// What to measure, as the module wants it: a URL, host:port, a host, a name server.
    #[param(max_length = 2048)]
    target: String,
    /// How, by the name of a module. Default `http_2xx`.
    module: Option<String>,
    /// The virtual host to ask for, of HTTP and TLS.
    hostname: Option<String>,
    /// Tell how it went instead of metrics.
    debug: Option<bool>,
}

/// Measure as blackbox_exporter does
///
/// In the text format of Prometheus, with the exporter's metric names. The header `X-Prometheus-Scrape-Timeout-Seconds` says how long the
/// scraper waits; the probe ends half a second before. A target that does not answer is a success of the request: `probe_success` is 0.
#[utoipa::path(
    get, path = "/probe", operation_id = "scrape_probe", tag = "probes", params(ProbeQuery),
    responses((status = 200, description = "Metrics, version 0.0.4", body = String, content_type = "text/plain"),
              (status = 400, description = "No target, or a module that is not there or cannot be run"),
              (status = 503, description = "No agent is there, or it is busy"))
)]
pub(super) async fn probe(app: App, asker: Asker, uri: Uri, headers: HeaderMap) -> Result<Response, Fault> {
    let query = read(uri.query().unwrap_or_default())?;
    let desk = app.blackbox();
    let modules = desk.modules();
    let name = query.module.as_deref().unwrap_or(USUAL);
    let module = choose(&modules, name, query.hostname.as_deref())?;
    let timeout = desk.timeout(patience(&headers)?, module.timeout());
    if app.is_elsewhere() {
        return Err(Fault::unavailable("this workspace has no agent that could measure"));
    }
    let prober = app.prober().get();
    let prober = prober.ok_or_else(|| Fault::unavailable("no agent of this server measures"))?;
    let _place = desk.place().ok_or_else(|| Fault::unavailable("as many probes are under way as may be"))?;
    let workspace = asker.workspace()?;
    let to = ask(&app, move |tx| Ok(networks::of(tx, workspace)?)).await?;
    let begun = app.monotonic();
    let narrowed = |spec| prober.run(NarrowedRun { to: to.clone(), spec });
    let result = run(narrowed, &module, &query.target, timeout, || app.monotonic()).await?;
    let duration = (app.monotonic().saturating_sub(begun)).as_secs_f64();
    let scrape = Scrape { module: &module, result: result.as_ref(), duration, timeout, now: app.now() };
    let (media, text, why) = write(&scrape);
    if query.debug == Some(true) {
        let told = told(name, &module.scrape(&query.target, timeout), result.as_ref(), why.as_deref(), &text);
        return Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], told).into_response());
    }
    Ok(([(header::CONTENT_TYPE, media)], text).into_response())
}

/// Runs a module: over addresses of its family, and over others when there is none and they will do.
async fn run(
    measure: impl Fn(ProbeSpec) -> Measuring,
    module: &Module,
    target: &str,
    timeout: f64,
    now: impl Fn() -> Duration,
) -> Result<Option<ProbeResult>, Fault> {
    let end = now() + Duration::try_from_secs_f64(timeout).unwrap_or_default();
    let first = once(measure(module.scrape(target, timeout)), timeout).await?;
    let is_unresolved = |result: &ProbeResult| {
        result.address.is_none() && result.failure.as_ref().is_some_and(|f| f.reason == FailureReason::Unresolved)
    };
    let left = end.saturating_sub(now()).as_secs_f64();
    if !module.has_fallback() || left <= 0.0 || !first.as_ref().is_some_and(is_unresolved) {
        return Ok(first);
    }
    let spec = module.scrape(target, left);
    let family = if spec.family == Family::V4 { Family::V6 } else { Family::V4 };
    once(measure(ProbeSpec { family, ..spec }), left).await
}

/// One run; none when it does not end in time.
async fn once(measuring: Measuring, timeout: f64) -> Result<Option<ProbeResult>, Fault> {
    let limit = Duration::try_from_secs_f64(timeout).unwrap_or_default() + GRACE;
    match tokio::time::timeout(limit, measuring).await {
        Ok(Some(result)) => Ok(Some(result)),
        Ok(None) => Err(Fault::unavailable("the agent measures as much as it can: ask again a little later")),
        Err(_) => Ok(None),
    }
}

/// Reads the parameters; the first of a name counts.
fn read(query: &str) -> Result<ProbeQuery, Fault> {
    let mut read = ProbeQuery::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let empty = |place: &Option<String>| place.is_none() && !value.is_empty();
        match &*name {
            "target" if read.target.is_empty() => read.target = value.trim().to_owned(),
            "module" if empty(&read.module) => read.module = Some(value.into_owned()),
            "hostname" if empty(&read.hostname) => read.hostname = Some(value.into_owned()),
            "debug" if read.debug.is_none() => read.debug = Some(value == "true"),
            _ => {}
        }
    }
    if read.target.is_empty() {
        return Err(Fault::parameter("target", "say what to measure: `target=…`"));
    }
    if read.target.len() > netwatch_model::probe::spec::MAX_TARGET {
        return Err(Fault::parameter("target", "the target is too long"));
    }
    Ok(read)
}

fn choose(modules: &Modules, name: &str, host: Option<&str>) -> Result<Module, Fault> {
    let shown = || Untrusted::new(&name.chars().take(64).collect::<String>()).to_string();
    let module = match modules.get(name) {
        Some(Ok(module)) => module,
        Some(Err(why)) => {
            let why = why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            return Err(Fault::parameter("module", format!("the module `{}` cannot be run: {why}", shown())));
        }
        None => {
            let known = modules.names().take(20).collect::<Vec<_>>().join(", ");
            return Err(Fault::parameter("module", format!("there is no module `{}`: known are {known}", shown())));
        }
    };
    match host {
        Some(host) => module.for_host(host).map_err(|why| Fault::parameter("hostname", why)),
        None => Ok(module.clone()),
    }
}

/// How long the scraper waits, if it says so.
fn patience(headers: &HeaderMap) -> Result<Option<f64>, Fault> {
    let Some(value) = headers.get(TIMEOUT) else { return Ok(None) };
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse::<f64>().ok()).filter(|s| s.is_finite());
    let wrong = || Fault::new(ProblemCode::InvalidParameter, format!("`{TIMEOUT}` must be seconds"));
    seconds.map(Some).ok_or_else(wrong)
}

/// How it went, for people. Secrets of the module are not shown.
fn told(name: &str, spec: &ProbeSpec, result: Option<&ProbeResult>, why: Option<&str>, metrics: &str) -> String {
    let fields = spec.kind.descriptor().options;
    let is_secret = |name: &str| fields.iter().any(|field| field.name == name && field.form == OptionForm::Secret);
    let options = spec.options.iter().map(|(name, value)| {
        let shown = serde_json::to_string(value).unwrap_or_default();
        format!("  {name}: {}\n", if is_secret(name) { "(hidden)" } else { &shown })
    });
    let options: String = options.collect();
    let address = result.and_then(|result| result.address).map_or_else(|| "none".to_owned(), |a| a.to_string());
    let outcome = why.map_or_else(|| "it succeeded".to_owned(), |why| format!("it failed: {why}"));
    let (kind, target, timeout) = (spec.kind, Untrusted::new(&spec.target), spec.timeout);
    let name = Untrusted::new(&name.chars().take(64).collect::<String>());
    format!(
        "Logs for the probe:\n{outcome}\naddress: {address}\n\n\nMetrics that would have been returned:\n{metrics}\n\n\n\
         Module configuration:\n{name}: kind {kind}, target {target}, timeout {timeout} s\n{options}"
    )
}
