//! Datagrams, answers, and what is none.

use netwatch_model::probe::{OptionValue, ProbeKind, ProbeResult};

use super::*;
use crate::connect::testing::{answer, assert_well, failure, probe, spec, text, with};

fn detail(result: &ProbeResult) -> &Udp {
    match &result.detail {
        Some(Detail::Udp(udp)) => udp,
        other => panic!("no datagrams: {other:?}"),
    }
}

#[tokio::test]
async fn lost_answers_are_counted() {
    let address = answer(|said, number| if number % 2 == 0 { vec![said.to_vec()] } else { Vec::new() }).await;
    let spec = ProbeSpec { count: 4, timeout: 0.3, ..spec(ProbeKind::Udp, address) };
    let result = probe(&with(spec, &SEND, text("hello"))).await;
    assert_well(&result);
    let udp = detail(&result);
    assert_eq!((udp.sent, udp.received), (4, 2));
    assert_eq!(udp.rtt.as_ref().map(|rtt| rtt.count), Some(2));
}

#[tokio::test]
async fn an_answer_that_is_not_expected_does_not_count_and_a_later_one_does() {
    let address = answer(|_, _| vec![b"noise".to_vec(), b"+pong".to_vec()]).await;
    let pong = with(spec(ProbeKind::Udp, address), &EXPECT, text("pong"));
    assert_well(&probe(&pong).await);
    let other = ProbeSpec { timeout: 0.2, ..with(spec(ProbeKind::Udp, address), &EXPECT, text("ping")) };
    let (reason, message) = failure(&probe(&other).await);
    assert_eq!(reason, FailureReason::Unexpected, "{message}");
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("the loopback is there");
    let address = socket.local_addr().expect("it is bound");
    drop(socket);
    let result = probe(&spec(ProbeKind::Udp, address)).await;
    assert_eq!(failure(&result).0, FailureReason::Refused);
    assert_eq!((detail(&result).sent, detail(&result).received), (1, 0));
}

#[tokio::test]
async fn octets_can_be_said_in_hexadecimal() {
    let address = answer(|said, _| if said == [0xde, 0xad, 0x00] { vec![vec![1]] } else { Vec::new() }).await;
    assert_well(&probe(&with(spec(ProbeKind::Udp, address), &SEND_HEX, text("de:ad 00"))).await);
    let wrong = with(spec(ProbeKind::Udp, address), &SEND_HEX, OptionValue::Text("dea".to_owned()));
    let (reason, message) = failure(&probe(&wrong).await);
    assert_eq!(reason, FailureReason::Agent);
    assert!(message.contains("send_hex"), "{message}");
}
