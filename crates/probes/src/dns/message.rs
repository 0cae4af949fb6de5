//! Messages of DNS: the question that is asked, and what an answer to it says.
//!
//! An answer counts only when its id, its question and its direction are right (RFC 5452, 9.1).

use std::net::IpAddr;

use hickory_proto::op::{Edns, Message, MessageType, Query};
use hickory_proto::rr::{DNSClass, Name, RecordType};
use netwatch_model::Untrusted;
use netwatch_model::probe::kind::dns::{DnsAnswer, DnsSections, MAX_RECORDS};
use netwatch_model::probe::{Failure, FailureReason};

/// What we can take by UDP, octets: what passes without fragments (DNS flag day 2020).
const PAYLOAD: u16 = 1232;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) record: RecordType,
}

/// What a server answered.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Content {
    pub(super) code: u16,
    pub(super) truncated: bool,
    pub(super) authenticated: bool,
    pub(super) authoritative: bool,
    pub(super) answers: Vec<DnsAnswer>,
    pub(super) sections: DnsSections,
}

/// A message that is no answer to the question.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum MessageError {
    /// It cannot be read.
    #[error("a message that does not follow DNS")]
    Malformed,
    /// It has another id or question, or asks itself.
    #[error("an answer to another question")]
    NotOurs,
}

impl Question {
    /// The question for the records of a type of a target; the reverse name of an address for PTR (RFC 1035, 3.5).
    pub(super) fn new(target: &str, record: &str) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::new(FailureReason::Agent, &format!("`{target}` cannot be asked for: {what}"));
        let record: RecordType = record.parse().map_err(|_| wrong("the type of record is not known"))?;
        let name = match (record, target.parse::<IpAddr>()) {
            (RecordType::PTR, Ok(address)) => Name::from(address),
            _ => Name::from_utf8(target).map_err(|error| wrong(&error.to_string()))?,
        };
        let mut name = name;
        name.set_fqdn(true);
        Ok(Self { name, record })
    }

    /// The message that asks it. The AD bit says that we want to know whether the answer was validated (RFC 6840, 5.7).
    pub(super) fn message(&self, id: u16) -> Result<Vec<u8>, Failure> {
        let mut message = Message::query();
        message.metadata.id = id;
        message.metadata.recursion_desired = true;
        message.metadata.authentic_data = true;
        message.add_query(Query::query(self.name.clone(), self.record));
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD);
        message.set_edns(edns);
        message
            .to_vec()
            .map_err(|error| Failure::new(FailureReason::Agent, &format!("the question cannot be written: {error}")))
    }

    /// Reads an answer to the question that was asked with this id.
    pub(super) fn read(&self, octets: &[u8], id: u16) -> Result<Content, MessageError> {
        let message = Message::from_vec(octets).map_err(|_| MessageError::Malformed)?;
        let head = &message.metadata;
        if head.id != id || head.message_type != MessageType::Response || !self.is_asked_in(&message) {
            return Err(MessageError::NotOurs);
        }
        let of_interest = |record: RecordType| record == self.record || record == RecordType::CNAME;
        let answers = message
            .answers
            .iter()
            .filter(|record| record.dns_class == DNSClass::IN && of_interest(record.record_type()));
        let answer = |record: &hickory_proto::rr::Record| DnsAnswer {
            name: Untrusted::new(&record.name.to_string()),
            record: record.record_type().to_string(),
            value: Untrusted::message(&record.data.to_string()),
            ttl: record.ttl,
        };
        Ok(Content {
            code: u16::from(head.response_code),
            truncated: head.truncation,
            authenticated: head.authentic_data,
            authoritative: head.authoritative,
            answers: answers.take(MAX_RECORDS).map(answer).collect(),
            sections: DnsSections {
                answer: count(message.answers.len()),
                authority: count(message.authorities.len()),
                additional: count(message.additionals.len()),
            },
        })
    }

    /// Whether an answer repeats our question. A server that refuses may leave it out.
    fn is_asked_in(&self, message: &Message) -> bool {
        match message.queries.as_slice() {
            [query] => query.name == self.name && query.query_type == self.record && query.query_class == DNSClass::IN,
            [] => u16::from(message.metadata.response_code) != 0 && message.answers.is_empty(),
            _ => false,
        }
    }
}

fn count(records: usize) -> u16 {
    u16::try_from(records).unwrap_or(u16::MAX)
}

/// The name of a response code (RFC 6895, 2.3).
pub(super) fn code_name(code: u16) -> String {
    match code {
        1 => "FORMERR (the question is not understood)".to_owned(),
        2 => "SERVFAIL (the server could not find out)".to_owned(),
        3 => "NXDOMAIN (there is no such name)".to_owned(),
        4 => "NOTIMP (the server does not do this)".to_owned(),
        5 => "REFUSED (the server does not answer us)".to_owned(),
        other => format!("the response code {other}"),
    }
}

#[cfg(test)]
mod tests;
