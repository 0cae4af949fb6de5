//! One client of the stream: reads what it asks for, sends what waits in its mailbox.
//!
//! One task a client. It sends one message at a time and waits for the socket to take it; meanwhile newer frames replace older ones in
//! the mailbox. Nothing is queued here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use netwatch_api::stream::ClientMessage;
use netwatch_api::{Problem, ProblemCode};
use netwatch_model::Timestamp;
use netwatch_model::people::Permission::TrafficRead;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::feed::Feed;
use super::hub::Membership;
use super::mailbox::{Delivery, Frame, Mailbox, Mark, Slot};
use super::message;
use super::pace::Pace;
use crate::access::Identity;
use crate::app::App;
use crate::fault::Fault;

/// Most subscriptions of one client.
const MAX_SUBSCRIPTIONS: usize = 32;
/// Longest time that a client may take to accept a message.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// How often it is asked whether the client may still see this; with what is remembered for three seconds it stays below five.
const RECHECK: Duration = Duration::from_millis(1500);
/// How often a ping goes out; three without an answer end the stream.
const PING: Duration = Duration::from_secs(20);
const MAX_UNANSWERED: u32 = 3;
/// How long the client may take to answer a close.
const GOODBYE: Duration = Duration::from_secs(2);

/// Why a stream ends: close code and a word for people.
type Ending = (u16, &'static str);

const LEFT: Ending = (close_code::NORMAL, "");
const STOPPING: Ending = (close_code::AWAY, "the server stops: connect again");
const BINARY: Ending = (close_code::UNSUPPORTED, "messages are text");
const SIGNED_OUT: Ending = (close_code::POLICY, "the session or the permission ended: sign in again");
const TOO_OFTEN: Ending = (close_code::POLICY, "too many messages");
const TOO_LARGE: Ending = (close_code::SIZE, "a message has at most 16 KiB");
const TOO_SLOW: Ending = (close_code::AGAIN, "nothing was read for 30 seconds");

/// Serves one client until it leaves or has to.
pub(super) async fn serve(app: App, mut socket: WebSocket, identity: Identity) {
    let mut client = Client::new(app, identity);
    let (code, reason) = client.run(&mut socket).await;
    drop(client);
    let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }));
    let goodbye = async {
        // Reads on until the other side has closed too, so that the close is not lost in a reset.
        if socket.send(close).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _gone_in_any_case = timeout(GOODBYE, goodbye).await;
}

struct Client {
    app: App,
    identity: Identity,
    mailbox: Arc<Mailbox>,
    subscriptions: HashMap<Slot, Subscription>,
    next_slot: Slot,
    pace: Pace,
    unanswered: u32,
}

struct Subscription {
    id: String,
    feed: Feed,
    /// What was sent so far, for feeds whose frames tell only what is new.
    position: Mark,
    _membership: Membership,
}

impl Client {
    fn new(app: App, identity: Identity) -> Self {
        let (mailbox, subscriptions) = (Arc::default(), HashMap::new());
        let pace = Pace::new(app.monotonic());
        Self { app, identity, mailbox, subscriptions, next_slot: 0, pace, unanswered: 0 }
    }

    async fn run(&mut self, socket: &mut WebSocket) -> Ending {
        match self.serve(socket).await {
            Ok(never) => match never {},
            Err(ending) => ending,
        }
    }

    async fn serve(&mut self, socket: &mut WebSocket) -> Result<std::convert::Infallible, Ending> {
        let (app, mailbox) = (self.app.clone(), Arc::clone(&self.mailbox));
        let [mut recheck, mut ping] = [RECHECK, PING].map(interval);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.tick().await;
        let mut waiting = Vec::new();
        loop {
            tokio::select! {
                received = socket.recv() => self.receive(socket, received).await?,
                () = mailbox.filled() => {
                    mailbox.take(&mut waiting);
                    for (slot, delivery) in waiting.drain(..) {
                        self.deliver(socket, slot, delivery).await?;
                    }
                }
                _ = recheck.tick() => if !app.still_may(&self.identity, TrafficRead).await { return Err(SIGNED_OUT) },
                _ = ping.tick() => self.ping(socket).await?,
                () = app.hub().stopping.cancelled() => return Err(STOPPING),
            }
        }
    }

    async fn receive(
        &mut self,
        socket: &mut WebSocket,
        received: Option<Result<Message, axum::Error>>,
    ) -> Result<(), Ending> {
        let message = match received {
            None => return Err(LEFT),
            Some(Err(error)) if message::is_too_large(&error) => return Err(TOO_LARGE),
            Some(Err(_)) => return Err(LEFT),
            Some(Ok(message)) => message,
        };
        self.unanswered = 0;
        if !self.pace.allows(self.app.monotonic()) {
            return Err(TOO_OFTEN);
        }
        match message {
            Message::Text(text) => self.read(socket, &text).await,
            Message::Binary(_) => Err(BINARY),
            Message::Close(_) => Err(LEFT),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    async fn read(&mut self, socket: &mut WebSocket, text: &str) -> Result<(), Ending> {
        match message::read(text) {
            Ok(ClientMessage::Unsubscribe { id }) => {
                self.subscriptions.retain(|_, s| s.id != id);
                Ok(())
            }
            Ok(ClientMessage::Subscribe { id, topic, interval, since }) => {
                self.subscriptions.retain(|_, s| s.id != id);
                match Feed::new(topic, interval) {
                    Ok(feed) => self.subscribe(socket, id, feed, since).await,
                    Err(fault) => self.refuse(socket, Some(&id), fault).await,
                }
            }
            Err(fault) => self.refuse(socket, None, fault).await,
        }
    }

    async fn subscribe(
        &mut self,
        socket: &mut WebSocket,
        id: String,
        feed: Feed,
        since: Option<Timestamp>,
    ) -> Result<(), Ending> {
        if let Some(fault) = self.wrong_id(&id) {
            return self.refuse(socket, Some(&id), fault).await;
        }
        let position = match self.app.start_of(&feed, since).await {
            Ok(position) => position,
            Err(fault) => return self.refuse(socket, Some(&id), fault).await,
        };
        let slot = self.next_slot;
        self.next_slot += 1;
        let membership = match self.app.hub().join(&self.app, &feed, &self.mailbox, slot) {
            Ok(membership) => membership,
            Err(fault) => return self.refuse(socket, Some(&id), fault).await,
        };
        let incremental = feed.is_incremental();
        self.subscriptions.insert(slot, Subscription { id, feed, position, _membership: membership });
        if incremental { self.catch_up(socket, slot, 0).await } else { Ok(()) }
    }

    fn wrong_id(&self, id: &str) -> Option<Fault> {
        if id.is_empty() || id.chars().count() > 64 {
            return Some(Fault::parameter("id", "`id` must have 1 to 64 characters"));
        }
        (self.subscriptions.len() >= MAX_SUBSCRIPTIONS).then(|| {
            let detail = format!("a client has at most {MAX_SUBSCRIPTIONS} subscriptions: end one first");
            Fault::new(ProblemCode::TooManyRequests, detail)
        })
    }

    async fn deliver(&mut self, socket: &mut WebSocket, slot: Slot, delivery: Delivery) -> Result<(), Ending> {
        let Some(subscription) = self.subscriptions.get_mut(&slot) else { return Ok(()) };
        match delivery {
            Delivery::End(problem) => {
                let Some(ended) = self.subscriptions.remove(&slot) else { return Ok(()) };
                self.send(socket, message::error_of_json(Some(&ended.id), &problem)).await
            }
            Delivery::Frame(frame, missed) => {
                if !subscription.feed.fits(&frame, subscription.position) {
                    return self.catch_up(socket, slot, missed).await;
                }
                subscription.position = frame.until;
                let text = message::frame(&subscription.id, &frame, missed);
                self.send_frame(socket, text).await
            }
        }
    }

    /// Sends what the subscription does not have yet, made for it alone: at its begin, and after frames that it missed.
    async fn catch_up(&mut self, socket: &mut WebSocket, slot: Slot, missed: u64) -> Result<(), Ending> {
        let Some(subscription) = self.subscriptions.get_mut(&slot) else { return Ok(()) };
        let made: Result<Frame, Fault> = self.app.produce(&subscription.feed, subscription.position).await;
        match made {
            Ok(frame) => {
                subscription.position = frame.until;
                let text = message::frame(&subscription.id, &frame, missed);
                self.send_frame(socket, text).await
            }
            Err(fault) => {
                let Some(ended) = self.subscriptions.remove(&slot) else { return Ok(()) };
                self.refuse(socket, Some(&ended.id), fault).await
            }
        }
    }

    async fn send_frame(&self, socket: &mut WebSocket, text: String) -> Result<(), Ending> {
        let bytes = text.len();
        self.send(socket, text).await?;
        self.app.metrics().frame_sent(bytes);
        Ok(())
    }

    async fn refuse(&self, socket: &mut WebSocket, id: Option<&str>, fault: Fault) -> Result<(), Ending> {
        let problem: Problem = fault.into_problem();
        self.send(socket, message::error(id, &problem)).await
    }

    async fn ping(&mut self, socket: &mut WebSocket) -> Result<(), Ending> {
        if self.unanswered >= MAX_UNANSWERED {
            return Err(LEFT);
        }
        self.unanswered += 1;
        put(socket, Message::Ping(axum::body::Bytes::new())).await
    }

    async fn send(&self, socket: &mut WebSocket, text: String) -> Result<(), Ending> {
        put(socket, Message::Text(Utf8Bytes::from(text))).await
    }
}

async fn put(socket: &mut WebSocket, message: Message) -> Result<(), Ending> {
    match timeout(SEND_LIMIT, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(LEFT),
        Err(_) => Err(TOO_SLOW),
    }
}
