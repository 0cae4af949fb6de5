//! The keys of a module as blackbox_exporter knows them, each with what it means for our probes: one list for each prober.
//!
//! A key that is not in a list is no key of the exporter either.

use std::path::Path;

use netwatch_model::filter::nearest;
use netwatch_model::probe::kind::{dns, http, ping, tls};
use netwatch_model::probe::option::{MAX_TEXTS, OptionForm};
use netwatch_model::probe::{Family, OptionField, OptionValue, Options, ProbeKind, Source};
use regex::bytes::Regex;

use super::module::{Module, Records, host_of};
use super::values::{
    Taken, Why, expression, expressions, file, flag, octets, seconds, text, texts, unable, whole, wrong,
};
use super::yaml::{Fault, Node};

/// Reads the value of a key into a module; relative files are in the folder.
type Take = fn(&mut Module, &Node, &Path) -> Taken;
type Keys = &'static [(&'static str, Take)];

/// What was found wrong with a module: the first list spoils the file, the second only the module.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) wrong: Vec<Fault>,
    pub(super) unable: Vec<Fault>,
}

impl Found {
    fn note(&mut self, place: serde_saphyr::Location, key: &str, why: Why) {
        match why {
            Why::Wrong(message) => self.wrong.push(Fault::at(place, format!("{key}: {message}"))),
            Why::Unable(message) => self.unable.push(Fault::at(place, format!("{key}: {message}"))),
        }
    }
}

const MODULE: [&str; 9] = ["prober", "timeout", "http", "tcp", "icmp", "dns", "grpc", "unix", "websocket"];

/// Reads a module. What cannot be read is noted, and the rest is read all the same.
pub(super) fn module(node: &Node, folder: &Path, found: &mut Found) -> Option<Module> {
    for (key, _) in node.value.pairs().iter().filter(|(key, _)| !MODULE.contains(&key.value.as_str())) {
        found.wrong.push(Fault::at(key.referenced, unknown(&key.value, MODULE.into_iter())));
    }
    let Some(prober) = node.value.get("prober") else {
        found.wrong.push(Fault::at(node.referenced, "a module needs the key `prober`"));
        return None;
    };
    let (kind, keys) = match prober.value.text().unwrap_or_default() {
        "http" => (ProbeKind::Http, HTTP),
        "tcp" => (ProbeKind::Tcp, TCP),
        "icmp" => (ProbeKind::Ping, ICMP),
        "dns" => (ProbeKind::Dns, DNS),
        other @ ("grpc" | "unix" | "websocket") => {
            let message = format!("there is no probe of Netwatch for the prober `{other}`");
            found.unable.push(Fault::at(prober.referenced, message));
            return None;
        }
        other => {
            let known = MODULE.into_iter().skip(2);
            found.wrong.push(Fault::at(prober.referenced, unknown(other, known)));
            return None;
        }
    };
    let mut module = Module::new(kind);
    if let Some(timeout) = node.value.get("timeout") {
        match seconds(timeout) {
            Ok(seconds) => module.timeout = Some(seconds).filter(|seconds| *seconds > 0.0),
            Err(why) => found.note(timeout.referenced, "timeout", why),
        }
    }
    let section = prober.value.text().and_then(|prober| node.value.get(prober));
    if let Some(section) = section {
        read(&mut module, section, keys, folder, found);
    }
    if let Err(why) = finish(&mut module) {
        found.note(section.map_or(node.referenced, |section| section.referenced), "the module", why);
    }
    Some(module)
}

fn read(module: &mut Module, section: &Node, keys: Keys, folder: &Path, found: &mut Found) {
    for (key, value) in section.value.pairs() {
        match keys.iter().find(|(name, _)| *name == key.value) {
            None => {
                let known = keys.iter().map(|(name, _)| *name);
                found.wrong.push(Fault::at(key.referenced, unknown(&key.value, known)));
            }
            Some((name, take)) => {
                if let Err(why) = take(module, value, folder) {
                    found.note(key.referenced, name, why);
                }
            }
        }
    }
}

fn unknown(word: &str, known: impl Iterator<Item = &'static str>) -> String {
    let shown: String = netwatch_model::Untrusted::new(word).to_string().chars().take(60).collect();
    match nearest(word, known) {
        Some(near) => format!("unknown key `{shown}`: did you mean `{near}`?"),
        None => format!("unknown key `{shown}`"),
    }
}

/// What several keys decide together.
fn finish(module: &mut Module) -> Taken {
    match module.kind {
        // It has no options: those of TLS without TLS are as good as none.
        ProbeKind::Tcp => module.options = Options::default(),
        ProbeKind::Http => {
            if let Some(host) = host_of(module.options.texts(&http::HEADERS)).map(str::to_owned) {
                module.name_server(&http::SERVER_NAME, &host);
            }
        }
        ProbeKind::Dns => finish_dns(module)?,
        _ => {}
    }
    let sample = match module.kind {
        ProbeKind::Tcp | ProbeKind::Tls => "192.0.2.1:1",
        _ => "192.0.2.1",
    };
    module.probe(sample, 1.0).check().or_else(|error| unable(error.to_string()))
}

fn finish_dns(module: &mut Module) -> Taken {
    if module.query.is_empty() {
        return wrong("`query_name` is missing");
    }
    let is_tls = module.options.text(&dns::TRANSPORT) == "tls";
    if is_tls && (!module.options.flag(&tls::VERIFY) || !module.options.text(&tls::SERVER_NAME).is_empty()) {
        return unable("the certificate of a name server is always verified, and for the name of the target");
    }
    if !module.options.iter().any(|(name, _)| name == dns::RECORD.name) {
        return unable("`query_type` is missing, which asks for ANY: Netwatch asks for one type of record");
    }
    let known = ProbeKind::Dns.descriptor().options;
    let said: Vec<_> = module.options.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    module.options = Options::default();
    for (name, value) in said {
        if let Some(field) = known.iter().find(|field| field.name == name) {
            module.options.set(field, value);
        }
    }
    Ok(())
}

const PREFER: Take = |module, node, _| {
    module.family = match text(node)? {
        "ip4" => Family::V4,
        "ip6" | "" => Family::V6,
        _ => return wrong("expected ip4 or ip6"),
    };
    Ok(())
};
const FALLBACK: Take = |module, node, _| {
    module.has_fallback = flag(node)?;
    Ok(())
};
const SOURCE: Take = |module, node, _| {
    let said = text(node)?;
    module.source = match said.parse() {
        Ok(address) => Some(Source::Address(address)),
        Err(_) if said.is_empty() => None,
        Err(_) => return wrong("expected an address"),
    };
    Ok(())
};

static HTTP: Keys = &[
    ("valid_status_codes", |m, n, _| several(m, &http::STATUS, texts(n)?)),
    ("valid_http_versions", |m, n, _| {
        m.checks.versions = texts(n)?;
        Ok(())
    }),
    ("preferred_ip_protocol", PREFER),
    ("ip_protocol_fallback", FALLBACK),
    ("skip_resolve_phase_with_proxy", |_, n, _| only(n, "false", "probes use no proxy")),
    ("no_follow_redirects", |m, n, _| put(m, &http::REDIRECTS, OptionValue::Flag(!flag(n)?))),
    ("follow_redirects", |m, n, _| put(m, &http::REDIRECTS, OptionValue::Flag(flag(n)?))),
    ("fail_if_ssl", |m, n, _| {
        m.checks.forbids_tls = flag(n)?;
        Ok(())
    }),
    ("fail_if_not_ssl", |m, n, _| {
        m.checks.needs_tls = flag(n)?;
        Ok(())
    }),
    ("method", |m, n, _| match text(n)? {
        "" => Ok(()),
        method => choose(m, &http::METHOD, method),
    }),
    ("headers", |m, n, _| headers(m, n)),
    ("http_headers", |_, _, _| unable("use `headers`")),
    ("fail_if_body_matches_regexp", |m, n, _| {
        let any: Vec<String> = expressions(n)?.iter().map(|one| format!("(?:{one})")).collect();
        put(m, &http::FORBIDS, OptionValue::Text(any.join("|")))
    }),
    ("fail_if_body_not_matches_regexp", |m, n, _| match &expressions(n)?[..] {
        [] => Ok(()),
        [one] => put(m, &http::MATCHES, OptionValue::Text(one.to_string())),
        _ => unable("a probe takes one expression that the body must match"),
    }),
    ("fail_if_body_json_matches_cel", |_, _, _| unable("CEL is not understood")),
    ("fail_if_body_json_not_matches_cel", |_, _, _| unable("CEL is not understood")),
    ("fail_if_header_matches", |_, _, _| unable("header fields of answers are not matched")),
    ("fail_if_header_not_matches", |_, _, _| unable("header fields of answers are not matched")),
    ("body", |m, n, _| put(m, &http::BODY, OptionValue::Text(text(n)?.to_owned()))),
    ("body_file", |m, n, folder| put(m, &http::BODY, OptionValue::Text(file(n, folder)?))),
    ("compression", |_, n, _| only(n, "identity", "bodies are measured as they come")),
    ("body_size_limit", |m, n, _| limit(m, octets(n)?)),
    ("tls_config", tls_config),
    ("basic_auth", |m, n, folder| {
        let part = |plain, stored| secret(n, plain, stored, folder);
        let (user, password) = (part("username", "username_file")?, part("password", "password_file")?);
        put(m, &http::BASIC, OptionValue::Text(format!("{user}:{password}")))
    }),
    ("authorization", |m, n, folder| {
        if n.value.get("type").is_some_and(|kind| !text(kind).is_ok_and(|kind| kind.eq_ignore_ascii_case("bearer"))) {
            return unable("only the type Bearer can be sent");
        }
        put(m, &http::BEARER, OptionValue::Text(secret(n, "credentials", "credentials_file", folder)?))
    }),
    ("bearer_token", |m, n, _| put(m, &http::BEARER, OptionValue::Text(text(n)?.to_owned()))),
    ("bearer_token_file", |m, n, folder| put(m, &http::BEARER, OptionValue::Text(file(n, folder)?.trim().to_owned()))),
    ("oauth2", |_, _, _| unable("tokens are not fetched: use `authorization`")),
    ("proxy_url", |_, _, _| unable("probes use no proxy")),
    ("no_proxy", |_, _, _| Ok(())),
    ("proxy_from_environment", |_, n, _| only(n, "false", "probes use no proxy")),
    ("proxy_connect_header", |_, _, _| unable("probes use no proxy")),
    ("enable_http2", |m, n, _| if flag(n)? { Ok(()) } else { version(m, "1.1") }),
    (
        "enable_http3",
        |m, n, _| {
            if flag(n)? { put(m, &http::VERSION, OptionValue::Text("3".to_owned())) } else { Ok(()) }
        },
    ),
];

static TCP: Keys = &[
    ("preferred_ip_protocol", PREFER),
    ("ip_protocol_fallback", FALLBACK),
    ("source_ip_address", SOURCE),
    ("query_response", |_, n, _| {
        if n.value.elements().is_empty() {
            return Ok(());
        }
        unable("nothing is sent or expected over a connection: use probes of the kind smtp, imap or udp")
    }),
    ("tls", |m, n, _| {
        m.kind = if flag(n)? { ProbeKind::Tls } else { ProbeKind::Tcp };
        Ok(())
    }),
    ("tls_config", tls_config),
];

static ICMP: Keys = &[
    ("preferred_ip_protocol", PREFER),
    ("ip_protocol_fallback", FALLBACK),
    ("source_ip_address", SOURCE),
    ("dont_fragment", |m, n, _| put(m, &ping::DONT_FRAGMENT, OptionValue::Flag(flag(n)?))),
    ("payload_size", |m, n, _| number(m, &ping::SIZE, whole(n)?)),
    ("ttl", |m, n, _| number(m, &ping::TTL, whole(n)?)),
];

static DNS: Keys = &[
    ("preferred_ip_protocol", PREFER),
    ("ip_protocol_fallback", FALLBACK),
    ("source_ip_address", SOURCE),
    ("transport_protocol", |m, n, _| match text(n)? {
        "" => Ok(()),
        said @ ("udp" | "tcp") if m.options.text(&dns::TRANSPORT) != "tls" => choose(m, &dns::TRANSPORT, said),
        "udp" => wrong("`dns_over_tls` needs tcp"),
        "tcp" => Ok(()),
        _ => wrong("expected udp or tcp"),
    }),
    ("dns_over_tls", |m, n, _| if flag(n)? { choose(m, &dns::TRANSPORT, "tls") } else { Ok(()) }),
    ("tls_config", tls_config),
    ("query_name", |m, n, _| {
        text(n)?.clone_into(&mut m.query);
        Ok(())
    }),
    ("query_type", |m, n, _| choose(m, &dns::RECORD, text(n)?)),
    ("query_class", |_, n, _| only(n, "IN", "only the class IN is asked for")),
    ("recursion_desired", |_, n, _| only(n, "true", "recursion is always asked for")),
    ("valid_rcodes", |m, n, _| {
        m.checks.codes = texts(n)?.iter().map(|name| code(name)).collect::<Taken<_>>()?;
        Ok(())
    }),
    ("validate_answer_rrs", |m, n, _| {
        m.checks.answer = records(n)?;
        Ok(())
    }),
    ("validate_authority_rrs", |_, _, _| unable("only the records of the answer are looked at")),
    ("validate_additional_rrs", |_, _, _| unable("only the records of the answer are looked at")),
];

fn tls_config(module: &mut Module, node: &Node, folder: &Path) -> Taken {
    for (key, value) in node.value.pairs() {
        match key.value.as_str() {
            "insecure_skip_verify" => put(module, &tls::VERIFY, OptionValue::Flag(!flag(value)?))?,
            "server_name" => put(module, &tls::SERVER_NAME, OptionValue::Text(text(value)?.to_owned()))?,
            "ca" => put(module, &tls::AUTHORITY, OptionValue::Text(text(value)?.to_owned()))?,
            "ca_file" => put(module, &tls::AUTHORITY, OptionValue::Text(file(value, folder)?))?,
            "cert" | "key" | "cert_file" | "key_file" => return unable("probes show no certificate of their own"),
            "min_version" => match text(value)? {
                "" | "TLS10" | "TLS11" | "TLS12" => {}
                _ => return unable("min_version: TLS 1.2 and 1.3 are spoken, as the server wants"),
            },
            "max_version" => match text(value)? {
                "" | "TLS13" => {}
                _ => return unable("max_version: TLS 1.2 and 1.3 are spoken, as the server wants"),
            },
            other => return wrong(format!("unknown key `{}`", netwatch_model::Untrusted::new(other))),
        }
    }
    Ok(())
}

fn put(module: &mut Module, field: &OptionField, value: OptionValue) -> Taken {
    module.options.set(field, value);
    Ok(())
}

fn several(module: &mut Module, field: &OptionField, said: Vec<String>) -> Taken {
    if said.len() > MAX_TEXTS {
        return unable(format!("a probe takes at most {MAX_TEXTS}"));
    }
    put(module, field, OptionValue::Texts(said))
}

fn choose(module: &mut Module, field: &OptionField, said: &str) -> Taken {
    match field.form {
        OptionForm::Choice(words) if !words.contains(&said) => {
            unable(format!("`{}` is not one of {}", netwatch_model::Untrusted::new(said), words.join(", ")))
        }
        _ => put(module, field, OptionValue::Text(said.to_owned())),
    }
}

fn number(module: &mut Module, field: &OptionField, said: i64) -> Taken {
    match field.form {
        OptionForm::Whole { min, max, .. } if !(min..=max).contains(&said) => {
            unable(format!("a probe takes {min} to {max}"))
        }
        _ => put(module, field, OptionValue::Whole(said)),
    }
}

/// A key that our probes have no choice about.
fn only(node: &Node, one: &str, why: &str) -> Taken {
    let said = text(node)?;
    if said.is_empty() || said == one { Ok(()) } else { unable(why) }
}

fn version(module: &mut Module, version: &str) -> Taken {
    // HTTP/3 is asked for by a key of its own, which may stand before.
    if module.options.text(&http::VERSION) == "3" {
        return Ok(());
    }
    put(module, &http::VERSION, OptionValue::Text(version.to_owned()))
}

fn limit(module: &mut Module, octets: u64) -> Taken {
    let most = i64::try_from(octets).unwrap_or(i64::MAX);
    if most == 0 {
        return Ok(());
    }
    module.checks.has_limit = true;
    number(module, &http::MAX_BODY, most)
}

fn headers(module: &mut Module, node: &Node) -> Taken {
    let pairs = node.value.pairs().iter();
    let said = pairs.map(|(name, value)| Ok(format!("{}: {}", name.value, text(value)?))).collect::<Taken<_>>()?;
    several(module, &http::HEADERS, said)
}

/// A secret that stands in the file, or in one that it names.
fn secret(node: &Node, plain: &str, stored: &str, folder: &Path) -> Taken<String> {
    match (node.value.get(plain), node.value.get(stored)) {
        (Some(said), _) => text(said).map(str::to_owned),
        (None, Some(place)) => Ok(file(place, folder)?.trim_end_matches(['\r', '\n']).to_owned()),
        (None, None) => Ok(String::new()),
    }
}

fn records(node: &Node) -> Taken<Records> {
    let mut records = Records::default();
    for (key, value) in node.value.pairs() {
        let all: Vec<Regex> = texts(value)?.iter().map(|text| expression(text)).collect::<Taken<_>>()?;
        match key.value.as_str() {
            "fail_if_matches_regexp" => records.none_matches = all,
            "fail_if_all_match_regexp" => records.not_all_match = all,
            "fail_if_not_matches_regexp" => records.all_match = all,
            "fail_if_none_matches_regexp" => records.some_match = all,
            other => return wrong(format!("unknown key `{}`", netwatch_model::Untrusted::new(other))),
        }
    }
    Ok(records)
}

/// Response codes by name (RFC 6895, 2.3).
fn code(name: &str) -> Taken<u16> {
    const CODES: [&str; 11] = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
        "NOTZONE",
    ];
    let found = CODES.iter().position(|known| *known == name).and_then(|place| u16::try_from(place).ok());
    found.map_or_else(|| wrong(format!("`{}` is no response code", netwatch_model::Untrusted::new(name))), Ok)
}
