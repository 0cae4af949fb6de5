//! HTTP/2 and HTTP/3, agreed on and asked for.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::*;
use crate::connect::testing::Identity;

async fn greet(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let said = format!("{:?} {} {}", request.version(), request.uri(), request.headers().contains_key("host"));
    Ok(Response::new(Full::new(Bytes::from(said))))
}

/// A server of HTTP/2; under TLS with a certificate, else in plain text.
async fn two(identity: Option<&Identity>) -> SocketAddr {
    let acceptor = identity.map(|identity| identity.acceptor(&[b"h2"]));
    serve(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ended = match acceptor {
                None => builder.serve_connection(TokioIo::new(stream), service_fn(greet)).await,
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => builder.serve_connection(TokioIo::new(stream), service_fn(greet)).await,
                    Err(_) => return,
                },
            };
        }
    })
    .await
}

#[tokio::test]
async fn http_2_is_agreed_on() {
    let authority = Authority::new();
    let server = two(Some(&authority.issue(&["127.0.0.1"], |_| ()))).await;
    for version in ["auto", "2"] {
        let options = [
            (&AUTHORITY, text(&authority.pem)),
            (&VERSION, text(version)),
            (&CONTAINS, text("HTTP/2.0 https://127.0.0.1")),
        ];
        let result = get(format!("https://{server}/x"), &options).await;
        assert_well(&result);
        assert_eq!(detail(&result).hops[0].version.as_deref(), Some("HTTP/2"));
        assert!(
            detail(&result)
                .tls
                .as_ref()
                .is_some_and(|tls| tls.trusted && tls.alpn.as_ref().is_some_and(|alpn| alpn.raw() == "h2"))
        );
        assert_sums(&result);
    }
    let options = [(&AUTHORITY, text(&authority.pem)), (&VERSION, text("1.1"))];
    assert_eq!(
        failure(&get(format!("https://{server}/"), &options).await).0,
        FailureReason::Tls,
        "it agrees to nothing but h2"
    );
}

#[tokio::test]
async fn http_2_in_plain_text_is_spoken_when_the_probe_knows_of_it() {
    let server = two(None).await;
    let result = get(format!("http://{server}/x"), &[(&VERSION, text("2")), (&CONTAINS, text("HTTP/2.0"))]).await;
    assert_well(&result);
}

#[tokio::test]
async fn a_server_without_http_2_is_said_to_be_without() {
    let authority = Authority::new();
    let acceptor = authority.issue(&["127.0.0.1"], |_| ()).acceptor(&[]);
    let server = serve(move |stream, _| {
        let acceptor = acceptor.clone();
        async move { drop(acceptor.accept(stream).await) }
    })
    .await;
    let options = [(&AUTHORITY, text(&authority.pem)), (&VERSION, text("2"))];
    let (reason, message) = failure(&get(format!("https://{server}/"), &options).await);
    assert_eq!(reason, FailureReason::Unexpected);
    assert!(message.contains("HTTP/2"), "{message}");
}

/// A server of HTTP/3 that says what it was asked, or more than anybody reads.
fn three(identity: &Identity) -> SocketAddr {
    let config = quinn::crypto::rustls::QuicServerConfig::try_from(identity.config(&[b"h3"])).expect("a configuration");
    let config = quinn::ServerConfig::with_crypto(Arc::new(config));
    let endpoint =
        quinn::Endpoint::server(config, "127.0.0.1:0".parse().expect("an address")).expect("the loopback is there");
    let address = endpoint.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            tokio::spawn(async move {
                let Ok(connection) = incoming.await else { return };
                let Ok(mut connection) =
                    h3::server::Connection::<_, Bytes>::new(h3_quinn::Connection::new(connection)).await
                else {
                    return;
                };
                while let Ok(Some(resolver)) = connection.accept().await {
                    let Ok((request, mut stream)) = resolver.resolve_request().await else { return };
                    let _gone = stream.send_response(Response::new(())).await;
                    let said = Bytes::from(format!("{} {}", request.method(), request.uri()));
                    let many = if request.uri().path() == "/endless" { 1_000_000 } else { 1 };
                    for _ in 0..many {
                        if stream.send_data(said.clone()).await.is_err() {
                            return;
                        }
                    }
                    let _gone = stream.finish().await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn http_3_is_spoken_from_the_source_of_the_probe() {
    let authority = Authority::new();
    let server = three(&authority.issue(&["127.0.0.1"], |_| ()));
    let options =
        [(&AUTHORITY, text(&authority.pem)), (&VERSION, text("3")), (&CONTAINS, text("GET https://127.0.0.1"))];
    let spec = options.iter().fold(spec(ProbeKind::Http, format!("https://{server}/x")), |spec, (field, value)| {
        with(spec, field, value.clone())
    });
    let bound = ProbeSpec {
        source: Some(netwatch_model::probe::Source::from("127.0.0.9".to_owned())),
        dscp: 46,
        ..spec.clone()
    };
    let result = probe(&bound).await;
    assert_well(&result);
    assert_eq!(result.source, Some("127.0.0.9".parse().expect("an address")));
    let http = detail(&result);
    assert_eq!((http.hops[0].version.as_deref(), http.hops[0].phases.tls), (Some("HTTP/3"), 0.0));
    assert!(http.hops[0].phases.connect > 0.0);
    assert!(http.tls.as_ref().is_some_and(|tls| tls.trusted && tls.version == "TLS 1.3" && tls.chain.len() == 2));
    assert_sums(&result);
    let untrusted = with(spec.clone(), &AUTHORITY, text(&Authority::new().pem));
    assert_eq!(failure(&probe(&untrusted).await).0, FailureReason::Tls);
    let endless = ProbeSpec { target: format!("https://{server}/endless"), ..spec };
    let result = probe(&with(endless, &MAX_BODY, OptionValue::Whole(5000))).await;
    assert_well(&result);
    assert_eq!((detail(&result).body_octets, detail(&result).body_cut), (5000, true));
}

#[tokio::test]
async fn quic_to_a_closed_port_refuses_at_once() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("the loopback is there");
    let address = socket.local_addr().expect("it is bound");
    drop(socket);
    let result = get(format!("https://{address}/"), &[(&VERSION, text("3"))]).await;
    assert_eq!(failure(&result).0, FailureReason::Refused, "{result:?}");
    assert!(result.duration < 5.0);
}
