//! Brings a program from the server to the disk.
//!
//! One task takes parts from the connection, one thread checks and writes them; between them wait [`PARTS`] parts. Dropping the task, as
//! the end of a session does, ends the thread, which removes what it wrote; the next fetch waits for that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netwatch_api::agent::v1;
use tokio::sync::mpsc;
use tonic::Status;

use super::files::{Files, ProgramError};
use super::signature::Key;
use super::state::Release;
use crate::session::Client;

/// Parts that wait to be written.
const PARTS: usize = 2;
/// The largest part that is taken, octets: four times what the server promises.
const LARGEST_PART: usize = 1 << 20;
/// How long the next part may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long all of them may take.
const WHOLE: Duration = Duration::from_hours(1);

/// Why a program was not fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The server.
    #[error("the server broke off: {}", netwatch_model::Untrusted::message(.0.message()))]
    Server(Status),
    /// It took too long.
    #[error("the server did not send it in time")]
    Late,
    /// Parts without content go on for ever.
    #[error("the server sent a part with nothing in it")]
    Empty,
    /// The end of the stream did not come.
    #[error("it was broken off")]
    Broken,
    /// The program.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The thread.
    #[error("writing it ended by a defect")]
    Thread,
}

/// Fetches one program at a time.
#[derive(Clone, Debug)]
pub(crate) struct Fetcher {
    pub(super) files: Files,
    pub(super) keys: Arc<[Key]>,
    pub(super) turn: Arc<Mutex<()>>,
}

impl Fetcher {
    /// Fetches a release; it is verified and durable then.
    pub(crate) async fn fetch(self, client: Client, release: Release) -> Result<(), FetchError> {
        let request = v1::ReleaseRequest {
            version: release.version.to_string(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
        };
        let (parts, taken) = mpsc::channel(PARTS);
        let writing = tokio::task::spawn_blocking(move || self.write(&release, taken));
        let brought = tokio::time::timeout(WHOLE, bring(client, request, parts)).await;
        let written = writing.await.map_err(|_| FetchError::Thread)?;
        brought.map_err(|_| FetchError::Late)??;
        written
    }

    fn write(&self, release: &Release, mut taken: mpsc::Receiver<Option<v1::ReleasePart>>) -> Result<(), FetchError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.files.receive(release, &self.keys, || match taken.blocking_recv() {
            Some(part) => Ok(part.map(|part| part.content)),
            None => Err(FetchError::Broken),
        })
    }
}

/// Gives each part on, and at the end none.
async fn bring(
    client: Client,
    request: v1::ReleaseRequest,
    parts: mpsc::Sender<Option<v1::ReleasePart>>,
) -> Result<(), FetchError> {
    let mut client = client.max_decoding_message_size(LARGEST_PART);
    let begun = tokio::time::timeout(PATIENCE, client.release(request)).await;
    let mut stream = begun.map_err(|_| FetchError::Late)?.map_err(FetchError::Server)?.into_inner();
    loop {
        let next = tokio::time::timeout(PATIENCE, stream.message()).await.map_err(|_| FetchError::Late)?;
        let part = next.map_err(FetchError::Server)?;
        if part.as_ref().is_some_and(|part| part.content.is_empty()) {
            return Err(FetchError::Empty);
        }
        let is_end = part.is_none();
        // Without a writer the reason is the writer's.
        if parts.send(part).await.is_err() || is_end {
            return Ok(());
        }
    }
}
