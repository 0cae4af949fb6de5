//! Questions, and what counts as an answer to them.

use hickory_proto::op::{OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, TXT};
use hickory_proto::rr::{RData, Record};
use proptest::prelude::*;

use super::*;

fn question() -> Question {
    Question::new("www.example.org", "A").expect("it can be asked")
}

fn answer(id: u16, change: impl FnOnce(&mut Message)) -> Vec<u8> {
    let question = question();
    let mut message = Message::response(id, OpCode::Query);
    message.add_query(Query::query(question.name.clone(), question.record));
    message.add_answer(Record::from_rdata(question.name, 60, RData::A(A::new(192, 0, 2, 1))));
    change(&mut message);
    message.to_vec().expect("it can be written")
}

#[test]
fn a_question_is_written_with_recursion_edns_and_the_wish_to_know_of_validation() {
    let message = Message::from_vec(&question().message(7).expect("it can be written")).expect("it can be read");
    assert_eq!(
        (message.metadata.id, message.metadata.recursion_desired, message.metadata.authentic_data),
        (7, true, true)
    );
    assert_eq!(message.edns.as_ref().map(Edns::max_payload), Some(PAYLOAD));
    assert_eq!(message.queries[0].name.to_string(), "www.example.org.");
}

#[test]
fn an_address_is_asked_for_by_its_reverse_name() {
    let name = |target| Question::new(target, "PTR").expect("it can be asked").name.to_string();
    assert_eq!(name("192.0.2.1"), "1.2.0.192.in-addr.arpa.");
    assert!(name("2001:db8::1").ends_with("8.b.d.0.1.0.0.2.ip6.arpa."));
    assert_eq!(name("host.example"), "host.example.");
}

#[test]
fn an_answer_must_be_one_to_the_question() {
    let read = |octets: &[u8]| question().read(octets, 7);
    assert_eq!(read(&answer(7, |_| ())).expect("it is ours").answers[0].value.raw(), "192.0.2.1");
    let not_ours: [fn(&mut Message); 4] = [
        |message| message.metadata.id = 8,
        |message| message.metadata.message_type = MessageType::Query,
        |message| message.queries[0].name = Name::from_ascii("evil.example.").expect("a name"),
        |message| message.queries.clear(),
    ];
    for change in not_ours {
        assert_eq!(read(&answer(7, change)), Err(MessageError::NotOurs));
    }
    let upper: fn(&mut Message) =
        |message| message.queries[0].name = Name::from_ascii("WWW.example.ORG.").expect("a name");
    assert!(read(&answer(7, upper)).is_ok(), "names have no case");
    let refusal = answer(7, |message| {
        (message.queries, message.answers) = (Vec::new(), Vec::new());
        message.metadata.response_code = ResponseCode::Refused;
    });
    assert_eq!(read(&refusal).expect("a refusal may leave the question out").code, 5);
    assert_eq!(read(b"short"), Err(MessageError::Malformed));
}

#[test]
fn an_answer_is_cut_at_so_many_records() {
    let many = answer(7, |message| {
        let record = message.answers[0].clone();
        message.answers = vec![record; MAX_RECORDS + 10];
        message.add_answer(Record::from_rdata(question().name, 1, RData::TXT(TXT::new(vec!["other".to_owned()]))));
    });
    let answers = question().read(&many, 7).expect("it is ours").answers;
    assert_eq!(answers.len(), MAX_RECORDS);
    assert!(answers.iter().all(|answer| answer.record == "A"));
}

proptest! {
    #[test]
    fn no_octets_break_it(octets in prop::collection::vec(any::<u8>(), 0..600), id: u16) {
        let _read = question().read(&octets, id);
    }

    #[test]
    fn no_damage_breaks_it(at: usize, octet: u8) {
        let mut octets = answer(7, |_| ());
        let at = at % octets.len();
        octets[at] = octet;
        let _read = question().read(&octets, 7);
    }

    #[test]
    fn no_target_breaks_it(target in "\\PC{1,80}") {
        let _asked = Question::new(&target, "A");
    }
}
