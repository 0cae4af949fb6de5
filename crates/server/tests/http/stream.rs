//! The WebSocket stream: subscriptions, resuming, slow clients, limits.

use std::time::Duration;

use futures_util::SinkExt;
use netwatch_model::Record;
use netwatch_server::Config;
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::data::{self, SECONDS};
use crate::support::{PATIENCE, Stream, TOKEN, TestServer, at};

fn seconds(frame: &Value, field: &str) -> netwatch_model::Timestamp {
    frame["data"]["value"][field].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn talkers_come_four_times_a_second() {
    let server = TestServer::start().await;
    let mut stream = server.stream().await;
    stream.subscribe("t", json!({"name": "talkers", "by": "host", "window": 60})).await;
    let first = stream.frame("t").await;
    assert_eq!((first["missed"].as_u64(), first["data"]["name"].as_str()), (Some(0), Some("talkers")));
    assert!(first["data"]["value"]["total"]["octets"].as_u64() > Some(0), "{first}");
    let begun = netwatch_telemetry::clock::monotonic();
    for _ in 0..8 {
        stream.frame("t").await;
    }
    let took = netwatch_telemetry::clock::monotonic() - begun;
    assert!(took > Duration::from_millis(1700), "eight frames in {took:?} are too many");
}

#[tokio::test]
async fn rates_go_on_where_they_stopped() {
    let server = TestServer::start().await;
    let mut stream = server.stream().await;
    stream.subscribe("r", json!({"name": "rates", "by": "interface"})).await;
    let first = stream.frame("r").await;
    assert!(seconds(&first, "from") <= at(0) && seconds(&first, "to") == at(SECONDS), "{first}");
    let (mut reached, mut last) = (seconds(&first, "to"), first);
    for second in SECONDS + 1..SECONDS + 4 {
        server.pass_a_second(second);
        last = stream
            .frame_where("r", |next| {
                assert!(seconds(next, "from") <= reached, "no second is left out");
                reached = seconds(next, "to");
                reached == at(second)
            })
            .await;
    }
    let octets = last["data"]["value"]["series"][0]["in"]["octets"].as_array().unwrap();
    assert!(octets.len() < 10 && octets.iter().all(|o| *o == 1000), "only the newest seconds come: {last}");
}

#[tokio::test]
async fn after_a_break_the_missing_seconds_come_first() {
    let server = TestServer::start().await;
    let mut stream = server.stream().await;
    let since = at(20).to_string();
    stream.send(&json!({"type": "subscribe", "id": "r", "topic": {"name": "rates"}, "since": since})).await;
    let frame = stream.frame("r").await;
    assert!(seconds(&frame, "from") <= at(20) && seconds(&frame, "from") > at(10), "{frame}");
    assert_eq!(seconds(&frame, "to"), at(SECONDS));
}

#[tokio::test]
async fn new_events_come_once() {
    let server = TestServer::start().await;
    let mut stream = server.stream().await;
    stream.subscribe("e", json!({"name": "events"})).await;
    let mut since = server.stream().await;
    since.send(&json!({"type": "subscribe", "id": "e", "topic": {"name": "events"}, "since": at(2).to_string()})).await;
    assert_eq!(stream.frame("e").await["data"]["value"], json!([]), "nothing new yet");
    assert_eq!(since.frame("e").await["data"]["value"][0]["id"], 3, "those after that time");
    for number in 4..8 {
        server.observe(vec![Record::Event(data::event(number))]);
        for client in [&mut stream, &mut since] {
            let events = |frame: &Value| frame["data"]["value"].as_array().unwrap().clone();
            let frame = client.frame_where("e", |frame| !events(frame).is_empty()).await;
            let numbers: Vec<_> = events(&frame).iter().map(|e| e["id"].as_u64().unwrap()).collect();
            assert_eq!(numbers, [number]);
        }
    }
}

#[tokio::test]
async fn flows_come_when_they_change() {
    let server = TestServer::start().await;
    let mut stream = server.stream().await;
    let topic = json!({"name": "flows", "filter": "dport = 443", "limit": 5});
    stream.subscribe("f", topic).await;
    assert_eq!(stream.frame("f").await["data"]["value"].as_array().unwrap().len(), 5);
    let mut changed = data::flow(1);
    changed.forward.octets = 77_000_000;
    server.observe(vec![Record::Flow(Box::new(changed))]);
    stream.frame_where("f", |frame| frame["data"]["value"][0]["octets"] == 77_000_000).await;
    stream.subscribe("s", json!({"name": "statistics"})).await;
    let statistics = stream.frame("s").await;
    assert_eq!(statistics["data"]["value"]["stream"]["clients"], 1, "{statistics}");
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_id() {
    let server = TestServer::start().await;
    let mut stream = server.stream().await;
    for (message, id, code) in [
        (
            json!({"type": "subscribe", "id": "a", "topic": {"name": "rates", "filter": "port ="}}),
            json!("a"),
            "invalid_filter",
        ),
        (
            json!({"type": "subscribe", "id": "b", "topic": {"name": "talkers", "limit": 101}}),
            json!("b"),
            "invalid_parameter",
        ),
        (
            json!({"type": "subscribe", "id": "c", "topic": {"name": "events"}, "interval": 1}),
            json!("c"),
            "invalid_parameter",
        ),
        (json!({"type": "subscribe", "id": "", "topic": {"name": "events"}}), json!(""), "invalid_parameter"),
        (json!({"type": "subscribe", "id": "d", "topic": {"name": "weather"}}), json!(null), "invalid_parameter"),
        (json!({"type": "shout"}), json!(null), "invalid_parameter"),
        (json!([]), json!(null), "invalid_parameter"),
    ] {
        stream.send(&message).await;
        let answer = stream.next().await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &id), "{answer}");
        assert_eq!(answer["problem"]["code"], code, "{answer}");
    }
    stream.subscribe("still here", json!({"name": "statistics"})).await;
    stream.frame("still here").await;
}

#[tokio::test]
async fn a_client_has_so_many_subscriptions_and_no_more() {
    let server = TestServer::start().await;
    let mut stream = server.stream().await;
    for i in 0..33 {
        stream.subscribe(&i.to_string(), json!({"name": "statistics"})).await;
    }
    let refused = loop {
        let message = stream.next().await;
        if message["type"] == "error" {
            break message;
        }
    };
    assert_eq!((&refused["id"], &refused["problem"]["code"]), (&json!("32"), &json!("too_many_requests")));
    stream.send(&json!({"type": "unsubscribe", "id": "0"})).await;
    stream.subscribe("1", json!({"name": "talkers"})).await;
    stream.subscribe("32", json!({"name": "statistics"})).await;
    stream.frame("32").await;
    assert_eq!(stream.frame("1").await["data"]["name"], "talkers", "an id in use is replaced");
}

#[tokio::test]
async fn a_slow_client_loses_frames_and_is_told() {
    let server = TestServer::start().await;
    let mut slow = narrow_stream(&server).await;
    for i in 0..32 {
        slow.subscribe(&i.to_string(), json!({"name": "talkers", "by": "host", "limit": 100, "window": 60})).await;
    }
    let mut quick = server.stream().await;
    quick.subscribe("q", json!({"name": "talkers", "window": 60})).await;
    let dropped =
        async |server: &TestServer| server.json("/api/v1/statistics").await["stream"]["frames_dropped"].as_u64();
    let stuck = async {
        while dropped(&server).await < Some(64) {
            quick.frame("q").await;
        }
    };
    timeout(PATIENCE, stuck).await.expect("frames of the slow client are dropped while the quick one gets its own");
    let told = timeout(PATIENCE, async {
        loop {
            match slow.next().await["missed"].as_u64().unwrap() {
                0 => {}
                missed => break missed,
            }
        }
    });
    let missed = told.await.expect("the slow client is told");
    assert!(missed < 1000, "{missed}");
}

/// A stream whose socket takes little.
async fn narrow_stream(server: &TestServer) -> Stream {
    use tokio_tungstenite::client_async;
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    let tcp = socket.connect(server.address).await.unwrap();
    let mut request = format!("ws://{}/api/v1/stream", server.address).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    Stream(client_async(request, tcp).await.unwrap().0)
}

#[tokio::test]
async fn who_breaks_the_rules_is_told_why_it_ends() {
    let server = TestServer::start().await;
    let mut stream = server.stream().await;
    stream.0.send(Message::text("x".repeat(16 * 1024 + 1))).await.unwrap();
    assert_eq!(stream.closed().await, 1009);

    let mut stream = server.stream().await;
    stream.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(stream.closed().await, 1003);

    let mut stream = server.stream().await;
    for _ in 0..200 {
        if stream.0.send(Message::text("{}")).await.is_err() {
            break;
        }
    }
    assert_eq!(stream.closed().await, 1008);
}

#[tokio::test]
async fn there_are_so_many_places_for_clients() {
    let config = Config { max_stream_clients: 1, ..Config::default() };
    let server = TestServer::start_with(config, data::store()).await;
    let held = server.stream().await;
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(server.stream_with(&[("authorization", &bearer)]).await.err(), Some(503));
    drop(held);
    while server.stream_with(&[("authorization", &bearer)]).await.is_err() {
        // waits: for the server to notice that the place is free.
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_stream_stands_behind_the_gate() {
    let server = TestServer::start().await;
    let cookie = server.sign_in().await;
    let own = format!("http://{}", server.address);
    assert_eq!(server.stream_with(&[]).await.err(), Some(401));
    assert_eq!(server.stream_with(&[("cookie", &cookie), ("origin", "http://evil.example")]).await.err(), Some(403));
    assert_eq!(server.stream_with(&[("cookie", &cookie), ("sec-fetch-site", "same-site")]).await.err(), Some(403));
    assert!(server.stream_with(&[("cookie", &cookie), ("origin", &own)]).await.is_ok());
    server.problem("/api/v1/stream", "invalid_parameter").await;
}
