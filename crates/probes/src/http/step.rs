//! One request of a journey, and where an answer sends it next (RFC 9110, 15.4).

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use netwatch_egress::{Scheme, Target};
use netwatch_model::Untrusted;
use netwatch_model::probe::{Failure, FailureReason};
use url::Url;

use super::exchange::Message;
use super::plan::Plan;

/// What the probe calls itself.
const USER_AGENT: &str = concat!("netwatch/", env!("CARGO_PKG_VERSION"));
/// The probe's own fields that another origin may see.
const HARMLESS: [HeaderName; 3] = [header::ACCEPT, header::ACCEPT_LANGUAGE, header::USER_AGENT];

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Step {
    url: Url,
    pub(super) target: Target,
    method: Method,
    /// The body goes with it.
    has_body: bool,
    /// Every step before it went to the same origin: credentials go with it.
    is_own: bool,
}

impl Step {
    /// The request that the probe names.
    pub(super) fn first(target: &str, plan: &Plan) -> Result<Self, Failure> {
        // What stands before the host may be a password: the target is not repeated.
        let wrong = |why: &str| Failure::new(FailureReason::Agent, &format!("the target cannot be requested: {why}"));
        let url = Url::parse(target).map_err(|error| wrong(&error.to_string()))?;
        let read = read(&url).map_err(|why| wrong(&why))?;
        Ok(Self { url, target: read, method: plan.method.clone(), has_body: !plan.body.is_empty(), is_own: true })
    }

    /// Where an answer sends the request; `None` when it is the last one.
    pub(super) fn next(&self, status: StatusCode, headers: &HeaderMap) -> Result<Option<Self>, Failure> {
        if !is_redirect(status, headers) {
            return Ok(None);
        }
        let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wrong = |why: &str| {
            let message = format!("{} redirects to a place that is not followed: {why}", self.url());
            Failure::new(FailureReason::Unexpected, &message)
        };
        let url = self.url.join(location).map_err(|error| wrong(&error.to_string()))?;
        let target = read(&url).map_err(|why| wrong(&why))?;
        let is_own = self.is_own && url.origin() == self.url.origin();
        let (method, has_body) = self.rewritten(status);
        if has_body && !is_own {
            return Err(wrong("it would give the body of the request to another host"));
        }
        Ok(Some(Self { url, target, method, has_body, is_own }))
    }

    /// Method and body after a redirect: as browsers do it, POST becomes GET but for 307 and 308 (RFC 9110, 15.4.2, 15.4.3).
    fn rewritten(&self, status: StatusCode) -> (Method, bool) {
        let is_kept = matches!(status.as_u16(), 307 | 308);
        let becomes_get =
            (status == StatusCode::SEE_OTHER && self.method != Method::HEAD) || self.method == Method::POST;
        if !is_kept && becomes_get { (Method::GET, false) } else { (self.method.clone(), self.has_body) }
    }

    /// For people.
    pub(super) fn url(&self) -> Untrusted {
        Untrusted::message(self.url.as_str())
    }

    /// Without brackets.
    pub(super) fn host(&self) -> String {
        self.target.host.to_string().trim_start_matches('[').trim_end_matches(']').to_owned()
    }

    /// Whom TLS asks for: what the probe says, as long as it is at the origin of its target.
    pub(super) fn server_name(&self, plan: &Plan) -> String {
        if self.is_own && !plan.server_name.is_empty() { plan.server_name.clone() } else { self.host() }
    }

    pub(super) fn is_secure(&self) -> bool {
        self.target.scheme == Scheme::Https
    }

    /// What is sent.
    pub(super) fn message(&self, plan: &Plan) -> Message {
        let mut headers: HeaderMap = plan.headers.clone();
        if !self.is_own {
            headers =
                HARMLESS.iter().filter_map(|name| Some((name.clone(), plan.headers.get(name)?.clone()))).collect();
        }
        let host = headers.remove(header::HOST).and_then(|host| host.to_str().map(str::to_owned).ok());
        headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT));
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        if let Some(authorization) = plan.authorization.clone().filter(|_| self.is_own) {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        Message {
            method: self.method.clone(),
            scheme: if self.is_secure() { "https" } else { "http" },
            authority: host.unwrap_or_else(|| self.authority()),
            path: self.target.path.clone(),
            headers,
            body: if self.has_body { plan.body.clone() } else { bytes::Bytes::new() },
        }
    }

    /// Host, and port if it is not the usual one (RFC 9110, 7.2).
    fn authority(&self) -> String {
        let usual = if self.is_secure() { 443 } else { 80 };
        let Target { host, port, .. } = &self.target;
        if *port == usual { host.to_string() } else { format!("{host}:{port}") }
    }
}

/// Whether an answer sends the request somewhere.
pub(super) fn is_redirect(status: StatusCode, headers: &HeaderMap) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) && headers.contains_key(header::LOCATION)
}

/// The place as the guard reads it, of a URL in its normal form.
fn read(url: &Url) -> Result<Target, String> {
    let mut text = String::with_capacity(url.as_str().len());
    // The guard takes no characters that other parts of the way may read otherwise; in a path and a query they can be encoded.
    for c in url.as_str().chars() {
        match c {
            '\\' => text.push_str("%5C"),
            '^' => text.push_str("%5E"),
            '`' => text.push_str("%60"),
            '{' => text.push_str("%7B"),
            '|' => text.push_str("%7C"),
            '}' => text.push_str("%7D"),
            c => text.push(c),
        }
    }
    Target::parse(&text).map_err(|error| error.to_string())
}
