//! Enrolment: a token and the agent's own key become an agent of the server.

use std::time::Duration;

use netwatch_api::agent::v1;
use netwatch_model::AgentId;
use netwatch_model::people::Digest;
use netwatch_telemetry::clock::ClockSource;
use tonic::Code;

use super::dial::{DialError, Dialer};
use super::{About, Chance, chain};
use crate::identity::{Enrolled, Token};
use crate::link::course::{Course, End, Next};

/// How long the server may take.
const ANSWER: Duration = Duration::from_secs(30);

/// The agent is not enrolled, and trying again with this token is of no use.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The token.
    #[error("the server {server} does not take the token: {message}")]
    Token {
        /// Host and port.
        server: String,
        /// What it says.
        message: String,
    },
    /// Another server.
    #[error(transparent)]
    WrongServer(DialError),
}

/// What one try gave.
enum Tried {
    Enrolled(Enrolled),
    Later(String),
}

/// Enrols, however long the server cannot be reached: an unattended start must not depend on what starts first.
///
/// # Errors
/// When the server does not take the token, or is another.
pub async fn enrol(
    dialer: &Dialer,
    pin: Digest,
    token: &Token,
    about: &About,
    clock: &dyn ClockSource,
    chance: Chance,
) -> Result<Enrolled, EnrolError> {
    let mut course = Course::default();
    loop {
        match attempt(dialer, pin, token, about, clock).await? {
            Tried::Enrolled(enrolled) => return Ok(enrolled),
            Tried::Later(why) => {
                let now = clock.monotonic();
                let Next::ConnectAt(at) = course.ended(End::Unreachable, now, chance()) else { continue };
                let wait = at.saturating_sub(now);
                tracing::warn!(why, seconds = wait.as_secs(), "not enrolled yet: the server is asked again");
                tokio::time::sleep(wait).await;
            }
        }
    }
}

async fn attempt(
    dialer: &Dialer,
    pin: Digest,
    token: &Token,
    about: &About,
    clock: &dyn ClockSource,
) -> Result<Tried, EnrolError> {
    let mut client = match dialer.open().await {
        Ok(client) => client,
        Err(error @ DialError::WrongServer { .. }) => return Err(EnrolError::WrongServer(error)),
        Err(error) => return Ok(Tried::Later(chain(&error))),
    };
    let request = v1::EnrolRequest { token: token.reveal().to_owned(), info: Some(about.info().await) };
    let server = || dialer.server().to_owned();
    let enrolled = |agent: Option<String>, name: String, workspace: String| Enrolled {
        server: server(),
        pin,
        agent,
        name,
        workspace,
        enrolled: clock.now(),
        deleted: None,
    };
    let answer = match tokio::time::timeout(ANSWER, client.enrol(request)).await {
        Ok(Ok(reply)) => {
            let reply = reply.into_inner();
            enrolled(Some(AgentId(reply.agent).to_string()), reply.name, reply.workspace)
        }
        // The answer to an earlier try was lost: the first session says who it is.
        Ok(Err(status)) if status.code() == Code::AlreadyExists => enrolled(None, String::new(), String::new()),
        Ok(Err(status)) if matches!(status.code(), Code::Unauthenticated | Code::InvalidArgument) => {
            return Err(EnrolError::Token { server: server(), message: status.message().to_owned() });
        }
        Ok(Err(status)) => return Ok(Tried::Later(status.message().to_owned())),
        Err(_) => return Ok(Tried::Later("the server does not answer in time".to_owned())),
    };
    Ok(Tried::Enrolled(answer))
}
