//! The WebSocket stream: typed subscriptions, produced once for all who ask the same.
//!
//! ```text
//! store ──question──► producer (one for each distinct topic and interval) ──frame, serialised once──► mailbox of each client
//!                                                                                                        │ newest frame wins
//! socket ◄──one message at a time── client task ◄─────────────────────────────────────────────────────────┘
//! ```
//!
//! - **Tasks**: one for each producer ([`hub`]), one for each client ([`client`]). Both end by themselves; a stopping server cancels
//!   them between two messages.
//! - **A slow client** costs one shared pointer a subscription. It loses frames, is told how many, and gets what it missed in one piece
//!   for topics that tell only what is new.
//! - **Limits**: clients (the configuration's `max_stream_clients`), 32 subscriptions a client, 16 KiB a message, 100 messages at once
//!   and 20 a second, 256 distinct feeds, 30 seconds for a message to be taken, three pings without answer.
//! - **Permission** is asked again every one and a half seconds: a session, token or role that ended ends its streams within five.

mod client;
mod feed;
mod hub;
mod mailbox;
mod message;
mod pace;

use axum::Extension;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Identity;
use crate::app::App;
use crate::fault::Fault;
use crate::params::Params;

pub(crate) use feed::Feed;
pub(crate) use hub::Hub;
pub(crate) use mailbox::{Frame, Mark};

/// Largest message of a client, bytes.
const MAX_MESSAGE: usize = 16 * 1024;
/// What a client's socket may buffer; reading needs little, and each write is flushed.
const BUFFER: usize = 4 * 1024;

/// Where the stream is opened: browsers cannot set a header on a WebSocket.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamQuery {
    /// Id of the workspace; the one that is open in the session when left out. The gate reads it.
    #[serde(default)]
    #[expect(dead_code, reason = "read by the gate before the route; here it is only a known name")]
    workspace: Option<String>,
}

/// Live data
///
/// A WebSocket (RFC 6455). The client sends `ClientMessage`, the server `ServerMessage`, each as one text message of JSON. Frames come
/// four times a second unless asked otherwise, and at least every five seconds (or interval, when longer) even if nothing changed; a
/// client that does not read loses frames and is told how many. Frames of rates repeat the newest seconds: a point that comes again
/// replaces the one before. Close codes: 1000 the client left, 1001 the server stops, 1003 a binary message, 1008 the session ended or
/// too many messages, 1009 a message of more than 16 KiB, 1013 nothing was read for 30 seconds.
#[utoipa::path(
    get, path = "/api/v1/stream", operation_id = "open_stream", tag = "stream", params(StreamQuery),
    responses((status = 101, description = "The stream is open"))
)]
pub(crate) async fn open(
    app: App,
    Extension(identity): Extension<Identity>,
    _: Params<StreamQuery>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Fault> {
    let upgrade = upgrade.map_err(|e| {
        let detail = format!("this route is a WebSocket (RFC 6455): {e}");
        Fault::new(netwatch_api::ProblemCode::InvalidParameter, detail)
    })?;
    let Some(place) = app.hub().place() else {
        app.metrics().stream_clients_refused.inc();
        return Err(Fault::unavailable("the stream has as many clients as it may have: come back later"));
    };
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    let upgrade = upgrade.read_buffer_size(BUFFER).write_buffer_size(0);
    Ok(upgrade.on_upgrade(async move |socket| {
        let clients = app.metrics().stream_clients.clone();
        clients.inc();
        client::serve(app, socket, identity).await;
        clients.dec();
        drop(place);
    }))
}
