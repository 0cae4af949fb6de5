//! Where traces of Netwatch's own work go, as the configuration says.

use netwatch_server::{Network, Policy, TraceExport};

use super::settings::Typed;
use super::sign_in::port;
use super::{ConfigError, Key, Layers};

/// Traces of our own work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Telemetry {
    /// The collector; none when nothing is collected.
    pub export: Option<TraceExport>,
    /// Percentage of traces that are collected.
    pub sample_percent: u8,
    port: Option<u16>,
}

impl Telemetry {
    /// Resolves what was written.
    ///
    /// # Errors
    /// What is wrong, and where it was written.
    pub fn resolve(layers: &Layers) -> Result<Self, ConfigError> {
        let get = Typed(layers);
        let sample_percent = u8::try_from(get.number(Key::OtlpSample)).unwrap_or(100);
        let endpoint = get.text(Key::OtlpEndpoint);
        if endpoint.is_empty() {
            return Ok(Self { export: None, sample_percent, port: None });
        }
        let Some(port) = port(&endpoint) else {
            return Err(ConfigError::of(
                layers,
                Key::OtlpEndpoint,
                "the address must begin with https:// or http:// and name a host",
            ));
        };
        // The text of the error names no value.
        let headers = TraceExport::headers(&get.text(Key::OtlpHeaders));
        let headers = headers.map_err(|e| ConfigError::of(layers, Key::OtlpHeaders, e.to_string()))?;
        let allow =
            |text: &String| text.parse::<Network>().map_err(|e| ConfigError::of(layers, Key::OtlpAllow, e.to_string()));
        let allow = get.list(Key::OtlpAllow).iter().map(allow).collect::<Result<_, _>>()?;
        let outgoing = Policy { allow, deny: Vec::new() };
        Ok(Self { export: Some(TraceExport { endpoint, headers, outgoing }), sample_percent, port: Some(port) })
    }

    /// Ports to which the server must be able to connect.
    pub fn ports(&self) -> Vec<u16> {
        self.port.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Layers, render};
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Layers {
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (format!("NETWATCH_TELEMETRY__{name}"), (*value).to_owned()))
            .collect();
        Layers::load(Some(Path::new("/dev/null")), &variables, &[])
    }

    #[test]
    fn nothing_is_collected_unless_it_is_asked_for() {
        let telemetry = Telemetry::resolve(&Layers::default()).unwrap();
        assert_eq!((telemetry.export.clone(), telemetry.ports()), (None, Vec::new()));
    }

    #[test]
    fn a_collector_is_read_and_its_headers_are_never_shown() {
        let layers = with(&[
            ("OTLP_ENDPOINT", "http://127.0.0.1:4318"),
            ("OTLP_HEADERS", "authorization=Bearer hunter2,x-tenant=a"),
            ("OTLP_SAMPLE_PERCENT", "5"),
        ]);
        let telemetry = Telemetry::resolve(&layers).unwrap();
        let export = telemetry.export.as_ref().unwrap();
        assert_eq!((telemetry.sample_percent, telemetry.ports()), (5, vec![4318]));
        assert_eq!(export.headers[0].1.reveal(), "Bearer hunter2");
        assert_eq!(export.outgoing.allow.len(), 2, "a collector on this machine needs no permission");
        for text in [format!("{telemetry:?}"), render::show(&layers, true)] {
            assert!(!text.contains("hunter2"), "{text}");
        }
        assert!(render::show(&layers, false).contains("otlp_headers: (hidden)"));
    }

    #[test]
    fn what_is_wrong_is_placed_and_shows_no_secret() {
        for (name, value, why) in [
            ("OTLP_ENDPOINT", "127.0.0.1:4318", "must begin with https:// or http://"),
            ("OTLP_HEADERS", "hunter2", "header 1 is not written as NAME=VALUE"),
            ("OTLP_ALLOW", "here", "here"),
        ] {
            let mut variables = vec![("OTLP_ENDPOINT", "http://127.0.0.1:4318")];
            variables.retain(|(known, _)| *known != name);
            variables.push((name, value));
            let error = Telemetry::resolve(&with(&variables)).unwrap_err().to_string();
            assert!(error.contains(&format!("variable NETWATCH_TELEMETRY__{name}")) && error.contains(why), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
