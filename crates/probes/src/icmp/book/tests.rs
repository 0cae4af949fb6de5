//! To whom an arrival belongs, and in which order jobs are looked at.

use std::net::SocketAddr;

use netwatch_wire::icmp::Quote;
use tokio::sync::oneshot;

use super::*;
use crate::icmp::echoes::Plan;
use crate::icmp::job::{Task, Waiting};
use crate::icmp::packet;

fn waiting() -> Waiting {
    oneshot::channel().0
}

fn ping(book: &mut Book, to: [u8; 4], start: u64) {
    let plan = Plan {
        count: 5,
        spacing: Duration::ZERO,
        timeout: Duration::from_secs(1),
        start: Duration::from_secs(start),
        ttl: None,
    };
    book.insert(|generation, base| Job {
        generation,
        to: SocketAddr::from((to, 0)),
        local: None,
        traffic_class: None,
        octets: 56,
        work: Work::new(Task::Ping(plan)),
        base,
        roads: vec![0],
        errors: None,
        kernel_stamps: true,
        wake: Duration::from_secs(start),
        waiting: waiting(),
    });
}

fn token(book: &mut Book, slot: u32, number: u32) -> [u8; token::LENGTH] {
    let (generation, to) = book.job(slot).map(|job| (job.generation, job.to.ip())).expect("a job");
    book.key.token(Ticket { slot, generation, number }, to)
}

#[test]
fn jobs_are_looked_at_in_time_and_stale_entries_are_not() {
    let mut book = Book::default();
    ping(&mut book, [192, 0, 2, 1], 5);
    ping(&mut book, [192, 0, 2, 2], 3);
    book.look_at(0, Duration::from_secs(2));
    assert_eq!(book.due(Duration::from_secs(1)), None);
    assert_eq!(book.due(Duration::from_secs(9)), Some(0));
    assert_eq!(book.due(Duration::from_secs(9)), Some(1));
    assert_eq!(book.due(Duration::from_secs(9)), None, "the first look of job 0 is stale");
}

#[test]
fn an_answer_belongs_to_who_sent_its_token() {
    let mut book = Book::default();
    ping(&mut book, [192, 0, 2, 1], 0);
    let data = token(&mut book, 0, 3);
    let target = IpAddr::from([192, 0, 2, 1]);
    assert_eq!(book.by_token(&data, target), Some(Found { slot: 0, number: 3 }));
    assert_eq!(book.by_token(&data, [192, 0, 2, 2].into()), None, "from elsewhere");
    assert_eq!(book.by_token(&data[..13], target), None, "cut");
    book.remove(0).expect("the job");
    ping(&mut book, [192, 0, 2, 1], 0);
    assert_eq!(book.by_token(&data, target), None, "of the job that had the place before");
}

#[test]
fn a_short_quote_belongs_to_the_request_with_its_sequence_number() {
    let mut book = Book::default();
    ping(&mut book, [192, 0, 2, 1], 0);
    let job = book.job(0).expect("the job");
    (0..3).for_each(|_| _ = job.work.send(Duration::ZERO));
    let base = job.base;
    let mut request = Vec::new();
    let [.., high, low] = base.wrapping_add(2).to_be_bytes();
    let foreign = [0_u8; token::LENGTH];
    packet::echo(false, 7, u16::from_be_bytes([high, low]), &foreign, 56, &mut request);
    let quote = |transport| Quote {
        source: [10, 0, 0, 1].into(),
        destination: [192, 0, 2, 1].into(),
        protocol: 1,
        ttl: 1,
        transport,
    };
    assert_eq!(book.by_quote(&quote(&request[..8])), Some(Found { slot: 0, number: 2 }));
    assert_eq!(book.by_quote(&quote(&request)), None, "the token is quoted, and it is not ours");
}
