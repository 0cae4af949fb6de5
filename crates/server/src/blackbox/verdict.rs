//! Whether a run is a success as its module sees it: what our probe says, and what only the module knows.

use netwatch_model::Untrusted;
use netwatch_model::probe::kind::dns::{Dns, DnsAnswer};
use netwatch_model::probe::kind::http::{FORBIDS, Http, MATCHES};
use netwatch_model::probe::{Detail, FailureReason, ProbeResult};

use super::module::{Module, Records};

/// What became of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Verdict {
    /// Why it is none; absent for a success.
    pub(super) why: Option<String>,
    /// A body that does or does not match an expression is why.
    pub(super) by_expression: bool,
}

/// Judges a run; none when there was no time to end it.
pub(super) fn judge(module: &Module, result: Option<&ProbeResult>) -> Verdict {
    let Some(result) = result else {
        return Verdict { why: Some("it took longer than the scrape may".to_owned()), by_expression: false };
    };
    let said = result.failure.as_ref().map(|failure| failure.message.to_string());
    match &result.detail {
        Some(Detail::Http(http)) => {
            let by_expression = is_by_expression(module, result, http);
            Verdict { why: said.or_else(|| of_http(module, http).err()), by_expression }
        }
        // What our probe thinks of the answer does not count: the module says what is well.
        Some(Detail::Dns(dns)) => Verdict { why: of_dns(module, dns, said).err(), by_expression: false },
        _ => Verdict { why: said, by_expression: false },
    }
}

/// Whether an answer with a right status failed by what was in it: a module's probes expect nothing else of it.
fn is_by_expression(module: &Module, result: &ProbeResult, http: &Http) -> bool {
    let has_some = !module.options.text(&FORBIDS).is_empty() || !module.options.text(&MATCHES).is_empty();
    let is_unexpected = result.failure.as_ref().is_some_and(|failure| failure.reason == FailureReason::Unexpected);
    let is_well = |status: u16| {
        let codes = module.options.texts(&netwatch_model::probe::kind::http::STATUS);
        if codes.is_empty() { (200..300).contains(&status) } else { codes.contains(&status.to_string()) }
    };
    has_some && is_unexpected && http.hops.last().and_then(|hop| hop.status).is_some_and(is_well)
}

fn of_http(module: &Module, http: &Http) -> Result<(), String> {
    let (checks, last) = (&module.checks, http.hops.last());
    let version = last.and_then(|hop| hop.version.as_deref()).map(proto).unwrap_or_default();
    if !checks.versions.is_empty() && !checks.versions.iter().any(|known| known == version) {
        return Err(format!("the answer is {version}, which is not among the versions that the module wants"));
    }
    let is_secure = last.is_some_and(|hop| hop.url.raw().starts_with("https://"));
    if checks.forbids_tls && is_secure {
        return Err("the last request was over TLS".to_owned());
    }
    if checks.needs_tls && !is_secure {
        return Err("the last request was not over TLS".to_owned());
    }
    if checks.has_limit && http.body_cut {
        return Err("the body is longer than the module allows".to_owned());
    }
    Ok(())
}

/// The version as the exporter writes it.
pub(super) fn proto(version: &str) -> &str {
    match version {
        "HTTP/2" => "HTTP/2.0",
        "HTTP/3" => "HTTP/3.0",
        other => other,
    }
}

fn of_dns(module: &Module, dns: &Dns, said: Option<String>) -> Result<(), String> {
    let answered = dns.servers.first().and_then(|server| Some((server, server.code?)));
    let Some((server, code)) = answered else {
        return Err(said.unwrap_or_else(|| "there was no answer".to_owned()));
    };
    let codes: &[u16] = if module.checks.codes.is_empty() { &[0] } else { &module.checks.codes };
    if !codes.contains(&code) {
        return Err(format!("the response code is {code}, which is not among those that the module wants"));
    }
    of_records(&module.checks.answer, &server.answers)
}

fn of_records(wanted: &Records, answers: &[DnsAnswer]) -> Result<(), String> {
    if wanted.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = answers.iter().map(line).collect();
    if lines.is_empty() && !(wanted.all_match.is_empty() && wanted.some_match.is_empty()) {
        return Err("there are no records, and the module wants some that match".to_owned());
    }
    let shown = |line: &str| Untrusted::message(line).to_string();
    for line in &lines {
        let matches = |one: &regex::bytes::Regex| one.is_match(line.as_bytes());
        if let Some(one) = wanted.none_matches.iter().find(|one| matches(one)) {
            return Err(format!("the record `{}` matches `{one}`", shown(line)));
        }
        if let Some(one) = wanted.all_match.iter().find(|one| !matches(one)) {
            return Err(format!("the record `{}` does not match `{one}`", shown(line)));
        }
    }
    let every = |one: &regex::bytes::Regex| lines.iter().all(|line| one.is_match(line.as_bytes()));
    // Upstream fails when one of these expressions is not matched by some record.
    if !wanted.not_all_match.is_empty() && !wanted.not_all_match.iter().all(every) {
        return Err("not all records match what the module wants of all".to_owned());
    }
    let some = |one: &regex::bytes::Regex| lines.iter().any(|line| one.is_match(line.as_bytes()));
    if !wanted.some_match.is_empty() && !wanted.some_match.iter().any(some) {
        return Err("no record matches what the module wants of one".to_owned());
    }
    Ok(())
}

/// A record as a zone file has it (RFC 1035, 5.1), fields apart by tabs.
fn line(answer: &DnsAnswer) -> String {
    let value = answer.value.raw();
    let quoted = answer.record == "TXT" && !value.starts_with('"');
    let value = if quoted { format!("\"{value}\"") } else { value.to_owned() };
    format!("{}\t{}\tIN\t{}\t{value}", answer.name.raw(), answer.ttl, answer.record)
}
