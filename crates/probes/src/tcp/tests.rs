//! Connections and the reasons for which there are none.

use netwatch_egress::Policy;
use netwatch_model::probe::{FailureReason, ProbeKind, ProbeMetric, ProbeResult};
use std::sync::Arc;

use super::*;
use crate::connect::testing::{assert_well, closed_port, failure, probe, probe_with, serve, spec, tools};

fn detail(result: &ProbeResult) -> &Tcp {
    match &result.detail {
        Some(Detail::Tcp(tcp)) => tcp,
        other => panic!("no connections: {other:?}"),
    }
}

#[tokio::test]
async fn connections_are_counted_and_timed() {
    let address = serve(|stream, _| async move { drop(stream) }).await;
    let result = probe(&ProbeSpec { count: 5, ..spec(ProbeKind::Tcp, address) }).await;
    assert_well(&result);
    let tcp = detail(&result);
    assert_eq!((tcp.tried, tcp.connected), (5, 5));
    assert_eq!(tcp.lookup, None, "an address needs no resolver");
    let connect = tcp.connect.as_ref().expect("there are times");
    assert_eq!(connect.count, 5);
    assert!(connect.min > 0.0 && connect.max < 5.0);
    assert_eq!(result.source, Some("127.0.0.1".parse().expect("an address")));
    assert!(result.measures().iter().any(|measure| measure.metric == ProbeMetric::Loss && measure.value == 0.0));
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let result = probe(&ProbeSpec { count: 3, ..spec(ProbeKind::Tcp, closed_port().await) }).await;
    let (reason, message) = failure(&result);
    assert_eq!(reason, FailureReason::Refused, "{message}");
    assert_eq!((detail(&result).tried, detail(&result).connected), (3, 0));
}

#[tokio::test]
async fn who_does_not_answer_is_waited_for_until_the_timeout() {
    // A listener whose queue is full drops what comes (listen(2)): nobody takes the first connections from it.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("it is bound");
    let address = socket.local_addr().expect("it is bound");
    let _listener = socket.listen(0).expect("it listens");
    let spec = ProbeSpec { timeout: 0.2, ..spec(ProbeKind::Tcp, address) };
    let mut result = probe(&spec).await;
    for _ in 0..64 {
        if result.failure.is_some() {
            break;
        }
        result = probe(&spec).await;
    }
    let (reason, message) = failure(&result);
    assert_eq!(reason, FailureReason::Timeout, "{message}");
    assert!(message.contains("0.2 s"), "{message}");
    assert!(result.duration >= 0.2);
}

#[tokio::test]
async fn what_the_policy_forbids_is_not_connected_to() {
    let address = closed_port().await;
    let strict = crate::Tools { policy: Arc::new(Policy::default()), ..tools() };
    let result = probe_with(&spec(ProbeKind::Tcp, address), &strict).await;
    assert_eq!(failure(&result).0, FailureReason::Forbidden);
    assert!(result.measures().is_empty(), "nothing is known of the target");
}

#[tokio::test]
async fn ipv6_is_the_same() {
    let listener = tokio::net::TcpListener::bind("[::1]:0").await.expect("the loopback is there");
    let address = listener.local_addr().expect("it is bound");
    let result = probe(&ProbeSpec { dscp: 10, ..spec(ProbeKind::Tcp, address) }).await;
    assert_well(&result);
    assert_eq!(result.address, Some("::1".parse().expect("an address")));
}
