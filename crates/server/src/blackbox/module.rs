//! A module: how a target becomes a probe of ours, and what is looked at afterwards.

use netwatch_model::probe::kind::{dns, http, tls};
use netwatch_model::probe::{Family, OptionField, OptionForm, OptionValue, Options, ProbeKind, ProbeSpec, Source};
use regex::bytes::Regex;

/// A module that can be run.
#[derive(Clone, Debug)]
pub struct Module {
    pub(super) kind: ProbeKind,
    /// Seconds; none is as long as the scrape may take.
    pub(super) timeout: Option<f64>,
    /// Which family of addresses is tried first.
    pub(super) family: Family,
    /// Whether the other one is tried when a name has no address of the first.
    pub(super) has_fallback: bool,
    pub(super) source: Option<Source>,
    pub(super) options: Options,
    /// The name that name servers are asked for.
    pub(super) query: String,
    pub(super) checks: Checks,
}

/// What our probes do not judge themselves, and is judged when they have run.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks {
    /// Versions of HTTP that are well, as `HTTP/1.1`; all when there is none.
    pub(super) versions: Vec<String>,
    /// The last request must not be over TLS.
    pub(super) forbids_tls: bool,
    /// The last request must be over TLS.
    pub(super) needs_tls: bool,
    /// A body that was cut is a failure.
    pub(super) has_limit: bool,
    /// Response codes of DNS that are well; 0 when there is none.
    pub(super) codes: Vec<u16>,
    /// What must hold of the records of an answer.
    pub(super) answer: Records,
}

/// Expressions for records, each written as a line of a zone file.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    pub(super) none_matches: Vec<Regex>,
    pub(super) not_all_match: Vec<Regex>,
    pub(super) all_match: Vec<Regex>,
    pub(super) some_match: Vec<Regex>,
}

impl Module {
    pub(super) fn new(kind: ProbeKind) -> Self {
        Self {
            kind,
            timeout: None,
            // As upstream: "ip6" is preferred.
            family: Family::V6,
            has_fallback: true,
            source: None,
            options: Options::default(),
            query: String::new(),
            checks: Checks::default(),
        }
    }

    /// How it measures.
    #[must_use]
    pub const fn kind(&self) -> ProbeKind {
        self.kind
    }

    /// Longest wait, seconds, if it says one.
    #[must_use]
    pub const fn timeout(&self) -> Option<f64> {
        self.timeout
    }

    /// Whether an address of the other family will do.
    #[must_use]
    pub const fn has_fallback(&self) -> bool {
        self.has_fallback
    }

    /// What it looks at beyond what a probe of ours can be told: an imported probe will not.
    #[must_use]
    pub fn beyond(&self) -> Vec<&'static str> {
        let Checks { versions, forbids_tls, needs_tls, has_limit, codes, answer } = &self.checks;
        let said = [
            (!versions.is_empty(), "valid_http_versions"),
            (*forbids_tls, "fail_if_ssl"),
            (*needs_tls, "fail_if_not_ssl"),
            (*has_limit, "body_size_limit"),
            (!codes.is_empty() && *codes != [0], "valid_rcodes"),
            (!answer.is_empty(), "validate_answer_rrs"),
        ];
        said.into_iter().filter(|(is_said, _)| *is_said).map(|(_, name)| name).collect()
    }

    /// The probe that measures a target, of the preferred family. It may be none that can be run: that is a failure of the probe.
    #[must_use]
    pub fn probe(&self, target: &str, timeout: f64) -> ProbeSpec {
        let mut options = self.options.clone();
        let target = match self.kind {
            ProbeKind::Http => self.url(target),
            ProbeKind::Dns => {
                options.set(&dns::SERVERS, OptionValue::Texts(vec![target.to_owned()]));
                self.query.clone()
            }
            _ => target.to_owned(),
        };
        ProbeSpec {
            timeout,
            count: 1,
            spacing: 0.0,
            source: self.source.clone(),
            family: self.family,
            options,
            ..ProbeSpec::new(self.kind, &target)
        }
    }

    /// The same for a scrape, which reads as much of a body as a probe can.
    pub(crate) fn scrape(&self, target: &str, timeout: f64) -> ProbeSpec {
        let mut spec = self.probe(target, timeout);
        if let (ProbeKind::Http, false, OptionForm::Whole { max, .. }) =
            (self.kind, self.checks.has_limit, http::MAX_BODY.form)
        {
            spec.options.set(&http::MAX_BODY, OptionValue::Whole(max));
        }
        spec
    }

    /// The same module for another virtual host.
    ///
    /// # Errors
    /// When the module names one itself, which is another.
    pub(crate) fn for_host(&self, host: &str) -> Result<Self, String> {
        let mut module = self.clone();
        match self.kind {
            ProbeKind::Http => {
                let mut headers = module.options.texts(&http::HEADERS).to_vec();
                if let Some(other) = host_of(&headers).filter(|other| *other != host) {
                    return Err(format!("the module says the host `{other}` already: leave out `hostname`"));
                }
                headers.retain(|header| host_of(std::slice::from_ref(header)).is_none());
                headers.push(format!("Host: {host}"));
                module.options.set(&http::HEADERS, OptionValue::Texts(headers));
                module.name_server(&http::SERVER_NAME, host);
            }
            ProbeKind::Tls => module.name_server(&tls::SERVER_NAME, host),
            _ => {}
        }
        Ok(module)
    }

    /// The name that TLS asks for, unless the module says one.
    pub(super) fn name_server(&mut self, field: &OptionField, host: &str) {
        if self.options.text(field).is_empty() {
            let name = netwatch_model::probe::spec::split_port(host, Some(443)).map_or(host, |(name, _)| name);
            self.options.set(field, OptionValue::Text(name.to_owned()));
        }
    }

    /// The target of HTTP: `http://` when it says nothing else, and `https://` for HTTP/3 in any case.
    fn url(&self, target: &str) -> String {
        let begins = |scheme: &str| target.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
        let is_three = self.options.text(&http::VERSION) == "3";
        let rest = ["http://", "https://"].into_iter().find(|scheme| begins(scheme));
        let bare = rest.and_then(|scheme| target.get(scheme.len()..)).unwrap_or(target);
        let scheme = if is_three { "https://" } else { rest.unwrap_or("http://") };
        format!("{scheme}{bare}")
    }
}

impl Records {
    pub(super) const fn is_empty(&self) -> bool {
        self.none_matches.is_empty()
            && self.not_all_match.is_empty()
            && self.all_match.is_empty()
            && self.some_match.is_empty()
    }
}

/// The host that header fields name.
pub(super) fn host_of(headers: &[String]) -> Option<&str> {
    let fields = headers.iter().filter_map(|header| header.split_once(':'));
    fields.filter(|(name, _)| name.trim().eq_ignore_ascii_case("host")).map(|(_, value)| value.trim()).next()
}
