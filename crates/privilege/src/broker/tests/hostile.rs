//! Each side against a hostile other side, on a real socketpair.

use std::io::{IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::net::{RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use rustix::net::{recvmsg, send, sendmsg};

use crate::broker::channel::{Answer, Channel};
use crate::broker::protocol::{Failure, Kind, Operation, PART_BYTES, Reply, Request};
use crate::broker::tests::{PATIENCE, done};
use crate::broker::*;
use crate::testing::in_child;

/// A broker whose socket we hold bare, after its greeting.
fn bare_broker() -> OwnedFd {
    let (ours, theirs) = pair().unwrap();
    let parent = rustix::process::getpid();
    let owners = Box::new(|out: &mut Vec<u8>| out.extend(*b"owners"));
    fork::run_in_child(theirs, move |socket| child::run(&socket, parent, owners)).unwrap();
    assert!(matches!(Reply::decode(&receive(&ours)).unwrap().kind, Kind::Ready));
    ours
}

fn receive(socket: &OwnedFd) -> Vec<u8> {
    let ready =
        rustix::event::poll(&mut [rustix::event::PollFd::new(socket, rustix::event::PollFlags::IN)], Some(&PATIENCE));
    assert_eq!(ready, Ok(1), "no answer");
    let mut bytes = vec![0; 64 * 1024];
    let mut none = RecvAncillaryBuffer::default();
    let got = recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut none, RecvFlags::empty()).unwrap();
    bytes.truncate(got.bytes);
    bytes
}

#[test]
fn the_broker_refuses_what_is_no_request_and_goes_on() {
    in_child(|| {
        let socket = bare_broker();
        let good = Request { sequence: 9, operation: Operation::Owners }.encode();
        let with = |index: usize, value: u8| {
            let mut bad = good;
            bad[index] = value;
            bad.to_vec()
        };
        let mut hostile = vec![with(0, 0), with(0, 2), with(1, 0), with(1, 7), with(1, 255), with(2, 1), with(3, 1)];
        hostile.extend((1..8).map(|length| good[..length].to_vec()));
        hostile.push([&good[..], &[0]].concat());
        hostile.push([&good[..], &good].concat());
        hostile.push(vec![1; 100_000]);
        for message in &hostile {
            send(&socket, message, SendFlags::NOSIGNAL).unwrap();
            let answer = receive(&socket);
            let kind = Reply::decode(&answer).unwrap().kind;
            assert_eq!(kind, Kind::Failed(Failure::Refused), "{:?}", &message[..message.len().min(16)]);
        }
        send(&socket, &good, SendFlags::NOSIGNAL).unwrap();
        let answer = receive(&socket);
        assert_eq!(Reply::decode(&answer), Some(Reply { sequence: 9, kind: Kind::Last, payload: b"owners" }));
        done()
    });
}

#[test]
fn the_broker_takes_no_descriptors() {
    in_child(|| {
        let socket = bare_broker();
        let request = Request { sequence: 1, operation: Operation::Owners }.encode();
        let (mut read, write) = std::io::pipe().unwrap();
        for _ in 0..50 {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            let gift = [write.as_fd()];
            assert!(control.push(SendAncillaryMessage::ScmRights(&gift)));
            sendmsg(&socket, &[IoSlice::new(&request)], &mut control, SendFlags::NOSIGNAL).unwrap();
            let answer = receive(&socket);
            assert_eq!(Reply::decode(&answer).unwrap().kind, Kind::Failed(Failure::Refused));
        }
        drop(write);
        // End of file: nobody else holds the writing end.
        let mut byte = [0];
        assert_eq!(read.read(&mut byte).unwrap(), 0);
        done()
    });
}

/// What Netwatch makes of a broker that answers with `script`.
fn asked(script: impl FnOnce(&OwnedFd) + 'static) -> Result<Answer, BrokerError> {
    let (ours, theirs) = pair().unwrap();
    let child = fork::run_in_child(theirs, move |socket| {
        receive(&socket);
        script(&socket);
        receive(&socket); // Until the other side hangs up.
        fork::exit(0)
    });
    let mut channel = Channel::new(ours, child.unwrap()).unwrap();
    channel.call(Operation::Owners, Duration::from_secs(10)).map(Result::unwrap)
}

fn answer(socket: &OwnedFd, message: &[u8]) {
    // Fails when the other side has hung up, as it should.
    let _ = send(socket, message, SendFlags::NOSIGNAL);
}

#[test]
fn netwatch_takes_no_damaged_answer() {
    in_child(|| {
        let header = |kind| Reply::new(1, kind).header().to_vec();
        let mut of_other_version = header(Kind::Last);
        of_other_version[0] = 9;
        let mut of_unknown_kind = header(Kind::Last);
        of_unknown_kind[1] = 200;
        let messages = [
            vec![1],
            header(Kind::Last)[..11].to_vec(),
            of_other_version,
            of_unknown_kind,
            header(Kind::Socket),
            header(Kind::Ready),
            [header(Kind::Last), vec![0; 60_000]].concat(),
        ];
        for message in messages {
            let text = format!("{:?}", &message[..message.len().min(16)]);
            let error = asked(move |socket| answer(socket, &message)).unwrap_err();
            assert!(matches!(error, BrokerError::Damaged(_)), "{text}: {error}");
        }
        done()
    });
}

#[test]
fn an_endless_answer_ends_at_the_limit() {
    in_child(|| {
        let error = asked(|socket| {
            let part = [&Reply::new(1, Kind::Part).header()[..], &vec![0; PART_BYTES]].concat();
            for _ in 0..=MAX_OWNERS_BYTES / PART_BYTES + 1 {
                answer(socket, &part);
            }
        });
        assert!(matches!(error, Err(BrokerError::Damaged("more bytes than agreed"))), "{error:?}");
        done()
    });
}

#[test]
fn answers_to_other_questions_are_passed_over() {
    in_child(|| {
        let bytes = asked(|socket| {
            for sequence in [0, 2, u32::MAX] {
                answer(socket, &Reply::new(sequence, Kind::Failed(Failure::Panicked)).header());
            }
            answer(socket, &[&Reply::new(1, Kind::Last).header()[..], b"x"].concat());
        });
        assert!(matches!(&bytes, Ok(Answer::Bytes(b)) if b == b"x"), "{bytes:?}");
        done()
    });
}
