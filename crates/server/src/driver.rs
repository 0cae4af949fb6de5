//! Connections: accepted, limited, served, drained.
//!
//! Tasks: the accept loop (this one), one task for each connection, one that clears ended sessions away every minute. A connection beyond the
//! limit is closed at once and counted. A head must come within ten seconds and fit into 16 KiB (else 431); HTTP/1.1 only, which is
//! all that browsers speak without TLS. When told to stop it accepts nothing more, ends the streams, lets answers finish for five
//! seconds.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{interval, sleep, timeout};
use tower::ServiceExt;

use crate::app::App;
use crate::config::Config;

/// Most connections that can be configured.
const MAX_CONNECTIONS: u32 = 1 << 20;
/// Largest head of a request, bytes.
const MAX_HEAD: usize = 16 * 1024;
/// Longest time for a head to arrive, and for a kept connection to stay silent.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time for answers and streams to end.
const DRAIN: Duration = Duration::from_secs(5);
/// How often ended sessions are cleared away.
const TIDY: Duration = Duration::from_secs(60);
/// How long to wait when no connection can be accepted (no file descriptors left).
const RETRY: Duration = Duration::from_millis(100);

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Serves until `shutdown` is ready.
pub(crate) async fn run(
    config: &Config,
    app: App,
    router: Router,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) {
    let tidier = tokio::spawn(tidy_now_and_then(app.clone()));
    let most = u32::try_from(config.max_connections).unwrap_or(u32::MAX).clamp(1, MAX_CONNECTIONS);
    let places = Arc::new(Semaphore::new(most as usize));
    let accept = async {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => match Arc::clone(&places).try_acquire_owned() {
                    Ok(place) => serve(stream, Peer(peer), &app, router.clone(), place),
                    Err(_) => _ = app.metrics().connections_refused.inc(),
                },
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(RETRY).await;
                }
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = shutdown => {}
    }
    drop(listener);
    app.hub().stopping.cancel();
    let drained = async {
        let _all_places = places.acquire_many(most).await;
        app.hub().emptied().await;
    };
    if timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("some connections did not end in time and are cut");
    }
    // A clearing away that has begun ends first: the data directory is free when this returns.
    let _ended = tidier.await;
}

/// Serves one connection in a task of its own.
fn serve(stream: TcpStream, peer: Peer, app: &App, router: Router, place: OwnedSemaphorePermit) {
    // Frames and answers are written whole: waiting for more would only delay them.
    let _delayed_at_worst = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD);
    let mut connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let stopping = app.hub().stopping.clone();
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = stopping.cancelled() => {
                Pin::new(&mut connection).graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, peer = %peer.0, "a connection ended early");
        }
        drop(place);
    });
}

async fn tidy_now_and_then(app: App) {
    let mut ticks = interval(TIDY);
    loop {
        tokio::select! {
            _ = ticks.tick() => app.tidy_people().await,
            () = app.hub().stopping.cancelled() => return,
        }
    }
}
