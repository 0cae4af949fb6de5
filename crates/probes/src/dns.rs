//! DNS: one question to one or several name servers, their answers, and whether they agree (RFC 1035).
//!
//! All servers are asked at once ([`ask`]), each over its own socket and port; messages are ours ([`message`]), so that times are those of
//! the network and not of a resolver's cache or retries. Whom to ask says [`servers`].
//!
//! Limits: `MAX_SERVERS` servers, `MAX_RECORDS` records of an answer, 65 535 octets of a message.

use std::collections::BTreeSet;

use hickory_proto::rr::RecordType;
use netwatch_model::Untrusted;
use netwatch_model::probe::kind::dns::{DNSSEC, Dns, DnsServer, EXPECT, RECORD};
use netwatch_model::probe::{Detail, Failure, FailureReason, ProbeSpec};

use crate::run::Ran;
use crate::tools::Tools;

mod ask;
mod message;
mod servers;

#[cfg(test)]
mod tests;

use ask::{Asked, Reply};
use message::{Question, code_name};

pub(crate) async fn run(spec: &ProbeSpec, tools: &Tools) -> Ran {
    let (question, servers) = match prepare(spec, tools).await {
        Ok(prepared) => prepared,
        Err(failure) => return failure.into(),
    };
    let asked = servers.iter().map(|server| ask::ask(server, &question, spec));
    let asked = futures_util::future::join_all(asked).await;
    let first = asked.first();
    let (address, source) = (first.and_then(|asked| asked.address), first.and_then(|asked| asked.source));
    let expect =
        Expect { question: &question, values: spec.options.texts(&EXPECT), is_signed: spec.options.flag(&DNSSEC) };
    let told: Vec<(DnsServer, Option<Failure>)> =
        servers.iter().zip(asked).map(|(server, asked)| expect.tell(server, asked)).collect();
    let failure = told.iter().find_map(|(_, failure)| failure.clone());
    let servers: Vec<DnsServer> = told.into_iter().map(|(server, _)| server).collect();
    let detail = Dns { record: question.record.to_string(), agree: agree(&servers, question.record), servers };
    Ran { address, source, detail: Some(Detail::Dns(Box::new(detail))), failure, ..Ran::default() }
}

async fn prepare(spec: &ProbeSpec, tools: &Tools) -> Result<(Question, Vec<servers::Server>), Failure> {
    let question = Question::new(&spec.target, spec.options.text(&RECORD))?;
    Ok((question, servers::find(spec, tools).await?))
}

/// What must come from every server.
struct Expect<'a> {
    question: &'a Question,
    values: &'a [String],
    is_signed: bool,
}

impl Expect<'_> {
    /// The answer of one server as the result has it, and why it is not the expected one.
    fn tell(&self, asked_of: &servers::Server, asked: Asked) -> (DnsServer, Option<Failure>) {
        let name = asked_of.name.as_str();
        let mut server = DnsServer {
            server: name.to_owned(),
            time: None,
            connect: None,
            lookup: asked_of.lookup,
            code: None,
            answers: Vec::new(),
            sections: None,
            authenticated: false,
            authoritative: false,
            truncated: asked.truncated,
            problem: None,
        };
        let failure = match asked.reply {
            Err(failure) => Some(failure),
            Ok(reply) => {
                let failure = self.judge(name, &reply).err();
                server.time = Some(reply.time);
                server.connect = Some(reply.connect);
                server.sections = Some(reply.sections);
                server.code = Some(reply.code);
                server.authenticated = reply.authenticated;
                server.authoritative = reply.authoritative;
                server.answers = reply.answers;
                failure
            }
        };
        server.problem = failure.as_ref().map(|failure| failure.message.clone());
        (server, failure)
    }

    fn judge(&self, name: &str, reply: &Reply) -> Result<(), Failure> {
        let unexpected = |message: String| Err(Failure::new(FailureReason::Unexpected, &message));
        let asked = &self.question.name;
        let record = self.question.record;
        if reply.code != 0 {
            return unexpected(format!("{name} answered {} for {asked}", code_name(reply.code)));
        }
        if !reply.answers.iter().any(|answer| answer.record == record.to_string()) {
            return unexpected(format!("{name} has no record of type {record} for {asked}"));
        }
        let is_there = |value: &String| reply.answers.iter().any(|answer| is_same(&answer.value, value, record));
        if let Some(missing) = self.values.iter().find(|value| !is_there(value)) {
            return unexpected(format!("{name} does not answer `{missing}` for {asked}"));
        }
        if self.is_signed && !reply.authenticated {
            return unexpected(format!(
                "{name} does not say that it has validated the answer for {asked} (AD, RFC 4035)"
            ));
        }
        Ok(())
    }
}

/// Whether an answer is what somebody wrote: names without regard to case and the last dot, text without its quotes.
fn is_same(answer: &Untrusted, wanted: &str, record: RecordType) -> bool {
    let plain = |text: &str| {
        if record == RecordType::TXT {
            text.trim_matches('"').to_owned()
        } else {
            text.trim_end_matches('.').to_ascii_lowercase()
        }
    };
    plain(answer.raw()) == plain(wanted)
}

/// Whether all servers that answered gave the same code and values.
fn agree(servers: &[DnsServer], record: RecordType) -> bool {
    let record = record.to_string();
    let values = |server: &DnsServer| -> (Option<u16>, BTreeSet<String>) {
        let of_type = server.answers.iter().filter(|answer| answer.record == record);
        (server.code, of_type.map(|answer| answer.value.raw().to_ascii_lowercase()).collect())
    };
    let mut said = servers.iter().filter(|server| server.code.is_some()).map(values);
    let first = said.next();
    said.all(|other| Some(&other) == first.as_ref())
}
