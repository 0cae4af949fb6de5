//! The connection to the server: one runtime thread, two tasks.
//!
//! - `stream`: the WebSocket. It says what is wanted whenever that changes, hands frames over, and comes again 0.25 s to 2 s after a
//!   break, asking for the rates since then.
//! - `interfaces`: asks for the interfaces every second while their page is open.
//!
//! Frames go through a bounded queue of [`QUEUE`]; when the terminal is slow they are skipped. Dropping the [`Link`] ends both.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use netwatch_api::interface::Interfaces;
use netwatch_api::stream::{ClientMessage, ServerMessage, Topic};
use netwatch_model::Timestamp;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::state::{Input, LinkState};
use crate::client::Endpoint;
use crate::failure::Failure;

/// Inputs that may wait for the terminal.
const QUEUE: usize = 64;
/// Largest message of the server.
const MAX_MESSAGE: usize = 8 << 20;
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(2);
/// Longest time for a connection to stand.
const PATIENCE: Duration = Duration::from_secs(5);
/// Milliseconds between frames.
const INTERVAL: u32 = 500;

/// Subscriptions by id.
pub type Wishes = Vec<(&'static str, Topic)>;

/// A connection that keeps itself up.
pub struct Link {
    wishes: watch::Sender<Wishes>,
    page: watch::Sender<bool>,
    // Dropped last: ends the tasks.
    _runtime: Runtime,
}

impl Link {
    /// Connects, and goes on connecting.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(endpoint: Endpoint, wishes: Wishes) -> anyhow::Result<(Self, Receiver<Input>)> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.context("cannot start the thread of the connection")?;
        let (sender, inputs) = sync_channel(QUEUE);
        let (wishes, wanted) = watch::channel(wishes);
        let (page, open) = watch::channel(false);
        runtime.spawn(interfaces(endpoint.clone(), open, sender.clone()));
        runtime.spawn(stream(endpoint, wanted, sender.clone()));
        runtime.spawn(signals(sender));
        Ok((Self { wishes, page, _runtime: runtime }, inputs))
    }

    /// Asks for something else; `interfaces` tells whether their page is open.
    pub fn ask(&self, wishes: Wishes, interfaces: bool) {
        self.page.send_replace(interfaces);
        self.wishes.send_if_modified(|before| {
            let changed = *before != wishes;
            *before = wishes;
            changed
        });
    }
}

/// A terminal that is closed, or a service manager, asks to end.
///
/// Of a terminal that was closed every read says at once that there is nothing, and what reads keys (crossterm) tries again
/// for ever: who does not end in time is ended here.
#[expect(clippy::exit, reason = "the thread that could return never does")]
async fn signals(sender: SyncSender<Input>) {
    let kinds = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit()];
    let mut watched: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    futures_util::future::select_all(watched.iter_mut().map(|s| Box::pin(s.recv()))).await;
    while let Err(std::sync::mpsc::TrySendError::Full(_)) = sender.try_send(Input::Quit) {
        tokio::time::sleep(FIRST_RETRY).await;
    }
    tokio::time::sleep(LAST_RETRY).await;
    std::process::exit(1);
}

async fn interfaces(endpoint: Endpoint, mut open: watch::Receiver<bool>, sender: SyncSender<Input>) {
    while open.wait_for(|open| *open).await.is_ok() {
        let asked = endpoint.clone();
        let answer = tokio::task::spawn_blocking(move || asked.get::<Interfaces>("/api/v1/interfaces", &[])).await;
        if let Ok(Ok(interfaces)) = answer {
            // When the terminal is slow this answer is skipped.
            let _ = sender.try_send(Input::Interfaces(interfaces.items));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn stream(endpoint: Endpoint, mut wanted: watch::Receiver<Wishes>, sender: SyncSender<Input>) {
    let (mut wait, mut newest) = (FIRST_RETRY, None);
    loop {
        let tell = |state| _ = sender.try_send(Input::Link(state));
        match connect(&endpoint).await {
            Ok(socket) => {
                wait = FIRST_RETRY;
                tell(LinkState::Live);
                match converse(socket, &mut wanted, &sender, &mut newest).await {
                    Ok(()) => return,
                    Err(error) => tell(LinkState::Lost(format!("{error:#}"))),
                }
            }
            Err(error) => tell(LinkState::Lost(format!("{error:#}"))),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LAST_RETRY);
    }
}

type Socket = WebSocketStream<TcpStream>;

async fn connect(endpoint: &Endpoint) -> anyhow::Result<Socket> {
    let authority = &endpoint.authority;
    let mut request = format!("ws://{authority}/api/v1/stream").into_client_request()?;
    let mut token = HeaderValue::from_str(&format!("Bearer {}", endpoint.token))?;
    token.set_sensitive(true);
    request.headers_mut().insert(header::AUTHORIZATION, token);
    let open = async {
        let tcp = TcpStream::connect(authority).await?;
        let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
        anyhow::Ok(client_async_with_config(request, tcp, Some(config)).await?.0)
    };
    match tokio::time::timeout(PATIENCE, open).await {
        Ok(socket) => socket.with_context(|| format!("no server answers at {authority}; trying again")),
        Err(_) => bail!("no server answers at {authority} in time; trying again"),
    }
}

/// Talks until the connection breaks; returns when nobody listens here any more.
async fn converse(
    mut socket: Socket,
    wanted: &mut watch::Receiver<Wishes>,
    sender: &SyncSender<Input>,
    newest: &mut Option<Timestamp>,
) -> anyhow::Result<()> {
    let mut said = Wishes::new();
    wanted.mark_changed();
    loop {
        tokio::select! {
            changed = wanted.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let now = wanted.borrow_and_update().clone();
                for message in changes(&said, &now, *newest) {
                    let text = serde_json::to_string(&message)?;
                    socket.send(Message::text(text)).await.context("the connection broke")?;
                }
                said = now;
            }
            message = socket.next() => match message {
                None => bail!("the server has ended the connection; trying again"),
                Some(message) => receive(&message.context("the connection broke")?, sender, newest)?,
            }
        }
    }
}

/// What must be said to come from the subscriptions `before` to those that are wanted now.
fn changes(
    before: &[(&'static str, Topic)],
    now: &[(&'static str, Topic)],
    newest: Option<Timestamp>,
) -> Vec<ClientMessage> {
    let changed = now.iter().filter(|wish| !before.contains(wish));
    changed
        .map(|(id, topic)| {
            let since = newest.filter(|_| before.is_empty() && matches!(topic, Topic::Rates { .. }));
            ClientMessage::Subscribe { id: (*id).to_owned(), topic: topic.clone(), interval: Some(INTERVAL), since }
        })
        .collect()
}

fn receive(message: &Message, sender: &SyncSender<Input>, newest: &mut Option<Timestamp>) -> anyhow::Result<()> {
    let Message::Text(text) = message else { return Ok(()) };
    let message = serde_json::from_str(text).context("the server does not speak this version's language")?;
    let input = match message {
        ServerMessage::Frame { time, data, .. } => {
            *newest = Some(time);
            Input::Data(Box::new(data))
        }
        ServerMessage::Error { problem, .. } => Input::Refused(problem.detail),
    };
    // When the terminal is slow this frame is skipped; the next one tells the newest state.
    let _ = sender.try_send(input);
    Ok(())
}

/// Asks once whether a server is there and lets us in.
///
/// # Errors
/// As [`Endpoint::get`].
pub fn probe(endpoint: &Endpoint) -> Result<(), Failure> {
    endpoint.get::<Interfaces>("/api/v1/interfaces", &[]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_changed_is_said_and_after_a_break_everything() {
        let events = ("events", Topic::Events {});
        let rates = |filter: Option<&str>| {
            let filter = filter.map(str::to_owned);
            ("rates", Topic::Rates { by: Default::default(), filter, limit: None, interface: None })
        };
        let (before, now) = (vec![events.clone(), rates(None)], vec![events, rates(Some("tcp"))]);
        let ids = |messages: Vec<ClientMessage>| {
            let id = |m| {
                if let ClientMessage::Subscribe { id, since, .. } = m { (id, since) } else { (String::new(), None) }
            };
            messages.into_iter().map(id).collect::<Vec<_>>()
        };
        let time = Some(Timestamp::from_secs(5));
        assert_eq!(ids(changes(&before, &now, time)), [("rates".to_owned(), None)]);
        assert_eq!(ids(changes(&[], &now, time)), [("events".to_owned(), None), ("rates".to_owned(), time)]);
    }
}
