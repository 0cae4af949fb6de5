//! `GET /api/v1/events/stream`: events as they happen, as server-sent events.
//!
//! A client that comes again says what it had last (`Last-Event-ID`) and gets everything after it; what is not kept any more is told by a
//! message `gap`. The id names the run of the server too, because numbers begin anew with each run: after a restart all events that are
//! kept come.
//!
//! Limits: clients count among those of the stream. The session is asked again every four seconds. New events are looked for twice a
//! second; a comment goes out every 15 seconds, so that dead connections are noticed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};
use netwatch_api::event::{Event, EventGap, EventStreamQuery};
use netwatch_api::ingest::EventSeverity;
use netwatch_model::Severity;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use netwatch_model::people::Permission::TrafficRead;

use crate::access::Identity;
use crate::app::App;
use crate::fault::Fault;
use crate::params::Params;

/// How often new events are looked for.
const LOOK: Duration = Duration::from_millis(500);
/// Looks between two questions whether the session still holds.
const RECHECK: u32 = 3;
/// How long a client waits before it comes again.
const RETRY: Duration = Duration::from_secs(2);

/// Events as they happen
///
/// Server-sent events (`text/event-stream`). Messages `event` carry an `Event`, messages `gap` an `EventGap`. `Last-Event-ID` resumes
/// after that event; without it the stream begins with what happens next.
#[utoipa::path(
    get, path = "/api/v1/events/stream", operation_id = "follow_events", tag = "system",
    params(EventStreamQuery, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received")),
    responses((status = 200, description = "The stream", body = String, content_type = "text/event-stream"))
)]
pub(super) async fn follow(
    app: App,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    Params(query): Params<EventStreamQuery>,
) -> Result<Response, Fault> {
    let Some(place) = app.hub().place() else {
        app.metrics().stream_clients_refused.inc();
        return Err(Fault::unavailable("the stream has as many clients as it may have: come back later"));
    };
    let after = start(&app, &headers)?;
    let least = query.severity.unwrap_or_default();
    let follower = Follower { app, identity, after, least, waiting: VecDeque::new(), looks: 0, _place: place };
    let messages = stream::unfold(follower, async |mut follower| Some((follower.next().await?, follower))).fuse();
    let keep = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(messages).keep_alive(keep).into_response())
}

/// One client.
struct Follower {
    app: App,
    identity: Identity,
    /// Number of the last event that was looked at.
    after: u64,
    least: EventSeverity,
    waiting: VecDeque<Message>,
    looks: u32,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    /// The next message; none when the stream ends.
    async fn next(&mut self) -> Option<Result<Message, Infallible>> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Some(Ok(message));
            }
            self.look();
            if !self.waiting.is_empty() {
                continue;
            }
            tokio::select! {
                () = sleep(LOOK) => {}
                () = self.app.hub().stopping.cancelled() => return None,
            }
            self.looks = self.looks.wrapping_add(1);
            if self.looks.is_multiple_of(RECHECK) && !self.app.still_may(&self.identity, TrafficRead).await {
                return None;
            }
        }
    }

    fn look(&mut self) {
        let events = self.app.store().events_after(self.after);
        let Some((first, last)) = events.first().zip(events.last()) else { return };
        let missed = first.id.saturating_sub(self.after + 1);
        if missed > 0 {
            self.waiting.extend(message("gap", &EventGap { missed }));
        }
        self.after = last.id;
        let run = run(&self.app);
        let wanted = events.iter().filter(|e| severity(e) >= rank(self.least));
        self.waiting.extend(wanted.filter_map(|e| Some(message("event", e)?.id(format!("{run}-{}", e.id)))));
    }
}

fn message(name: &str, data: &impl serde::Serialize) -> Option<Message> {
    // Types of the contract always can be written.
    Message::default().event(name).retry(RETRY).json_data(data).ok()
}

/// Where the stream begins: after the event that the client names, else after the newest.
fn start(app: &App, headers: &HeaderMap) -> Result<u64, Fault> {
    let Some(id) = headers.get("last-event-id") else {
        return Ok(app.store().events(1, None).items.first().map_or(0, |newest| newest.id));
    };
    let parts = id.to_str().ok().and_then(|text| text.split_once('-'));
    let parts = parts.and_then(|(run, number)| Some((u64::from_str_radix(run, 16).ok()?, number.parse::<u64>().ok()?)));
    match parts {
        Some((of, number)) if format!("{of:x}") == run(app) => Ok(number),
        Some(_) => Ok(0),
        None => Err(Fault::parameter("Last-Event-ID", "`Last-Event-ID` must be the id of an event of this stream")),
    }
}

/// The name of this run of the server.
fn run(app: &App) -> String {
    format!("{:x}", app.started().millis())
}

fn severity(event: &Event) -> u8 {
    match event.severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Critical => 2,
    }
}

const fn rank(severity: EventSeverity) -> u8 {
    severity as u8
}
