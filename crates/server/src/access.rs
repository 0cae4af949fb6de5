//! Who may come in: one-time codes, sessions of browsers, the bearer token of programs.
//!
//! A code of 128 random bits is printed, can be used once within 15 minutes, and becomes a session. A session is a random reference
//! of 256 bits that only the browser holds: the server keeps its SHA-256, in memory and in `sessions.json` of the data directory, so
//! that a restart signs nobody out. The token of the data directory serves programs; it is compared by hash in constant time.
//!
//! Limits: 8 codes and 1024 sessions at once (the oldest goes), 12 hours without use and 7 days in all for a session, and few failed
//! attempts a minute (the throttle). There are no users yet: everybody who is in may see everything.

mod codes;
mod file;
mod secret;
mod sessions;
mod throttle;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_telemetry::clock::{ClockSource, Reading};

use codes::Codes;
use secret::Digest;
use sessions::Sessions;
use throttle::Throttle;

pub use codes::CODE_LIFE;
pub use file::AccessError;
pub use secret::Secret;
pub(crate) use sessions::ABSOLUTE_LIFE;

/// Failed sign-ins with a code before an address has to wait, and how long one more takes.
const CODE_FAILURES: (u32, Duration) = (10, Duration::from_secs(6));
/// The same for different wrong tokens. Cookies do not count: nobody guesses 256 random bits.
const TOKEN_FAILURES: (u32, Duration) = (60, Duration::from_secs(1));
/// So many wrong tokens are remembered: a program that goes on sending an old one guesses nothing, and locks nobody out.
const WRONG_TOKENS: usize = 16;

/// What a request showed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Credential<'a> {
    /// `Authorization: Bearer`.
    Token(&'a str),
    /// The session cookie.
    Cookie(&'a str),
}

/// Who asks. Cheap to clone; kept by streams to ask again whether it still holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Identity {
    /// A program with the token.
    Token,
    /// A browser with a session.
    Session(Digest),
}

/// Why nobody was let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// Wrong, used or too old.
    Wrong,
    /// Too many failures from that address: come again after this time.
    Wait(Duration),
}

/// Codes, sessions and the token of one data directory.
pub struct Access {
    state: Mutex<State>,
    token: Digest,
    clock: Arc<dyn ClockSource>,
    sessions_path: PathBuf,
    /// Held while the file is written, so that the newest state is written last.
    writing: Mutex<()>,
}

struct State {
    codes: Codes,
    sessions: Sessions,
    code_failures: Throttle,
    token_failures: Throttle,
    wrong_tokens: VecDeque<Digest>,
}

impl Access {
    /// Reads token and sessions of `data_dir`; makes directory and token when they are missing.
    ///
    /// `token` becomes the token of a directory that has none; otherwise one is drawn.
    ///
    /// # Errors
    /// When the directory cannot be read or written, or the token is too weak.
    pub fn open(data_dir: &Path, token: Option<&str>, clock: Arc<dyn ClockSource>) -> Result<Self, AccessError> {
        file::make_directory(data_dir)?;
        let token = file::token(&data_dir.join("token"), token)?;
        let sessions_path = data_dir.join("sessions.json");
        let sessions = Sessions::restore(&file::sessions(&sessions_path)?, clock.now());
        let state = State {
            codes: Codes::default(),
            sessions,
            code_failures: Throttle::new(CODE_FAILURES.0, CODE_FAILURES.1),
            token_failures: Throttle::new(TOKEN_FAILURES.0, TOKEN_FAILURES.1),
            wrong_tokens: VecDeque::new(),
        };
        let token = Digest::of(&token);
        Ok(Self { state: Mutex::new(state), token, clock, sessions_path, writing: Mutex::new(()) })
    }

    /// A new one-time code; older ones stay good until they are used or too old.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn invite(&self) -> Result<Secret, AccessError> {
        let code = Secret::code()?;
        let now = self.clock.monotonic();
        self.lock().codes.add(Digest::of(code.as_str()), now);
        Ok(code)
    }

    /// Trades a code for a session: the secret of the cookie, and when the session ends by itself.
    ///
    /// Writes the sessions to disk: not for the threads of the runtime.
    pub(crate) fn sign_in(
        &self,
        peer: IpAddr,
        code: &str,
    ) -> Result<Result<(Secret, Timestamp), Refused>, AccessError> {
        let secret = Secret::session()?;
        let now = self.clock.reading();
        let expires = {
            let mut state = self.lock();
            if let Some(wait) = state.code_failures.wait(peer, now.monotonic) {
                return Ok(Err(Refused::Wait(wait)));
            }
            if !state.codes.take(&Digest::of(code), now.monotonic) {
                state.code_failures.fail(peer, now.monotonic);
                return Ok(Err(Refused::Wrong));
            }
            state.sessions.add(Digest::of(secret.as_str()), now.wall)
        };
        self.save()?;
        Ok(Ok((secret, expires)))
    }

    /// Who `credential` is.
    pub(crate) fn identify(&self, peer: IpAddr, credential: Credential<'_>) -> Result<Identity, Refused> {
        let now = self.clock.reading();
        let mut state = self.lock();
        match credential {
            Credential::Token(text) => state.check_token(peer, Digest::of(text), &self.token, now.monotonic),
            Credential::Cookie(text) => {
                let digest = Digest::of(text);
                state.sessions.touch(&digest, now.wall).then_some(Identity::Session(digest)).ok_or(Refused::Wrong)
            }
        }
    }

    /// Whether somebody who came in earlier is still welcome. An open stream counts as use of its session.
    pub(crate) fn still_holds(&self, identity: Identity) -> bool {
        let Reading { wall, .. } = self.clock.reading();
        match identity {
            Identity::Token => true,
            Identity::Session(digest) => self.lock().sessions.touch(&digest, wall),
        }
    }

    /// When the session of `identity` ends unless it is used again; none for the token.
    pub(crate) fn expires(&self, identity: Identity) -> Option<Timestamp> {
        match identity {
            Identity::Token => None,
            Identity::Session(digest) => self.lock().sessions.expires(&digest),
        }
    }

    /// Ends a session. Writes to disk: not for the threads of the runtime.
    pub(crate) fn sign_out(&self, identity: Identity) -> Result<(), AccessError> {
        if let Identity::Session(digest) = identity
            && self.lock().sessions.remove(&digest)
        {
            return self.save();
        }
        Ok(())
    }

    /// Writes the sessions when something changed since the last time: called now and then, and at the end.
    pub(crate) fn save_if_changed(&self) -> Result<(), AccessError> {
        if self.lock().sessions.is_changed() { self.save() } else { Ok(()) }
    }

    fn save(&self) -> Result<(), AccessError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let stored = self.lock().sessions.store(now);
        file::write_sessions(&self.sessions_path, &stored)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change of the state is whole before the next begins, so that a poisoned lock guards nothing broken.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check_token(&mut self, peer: IpAddr, shown: Digest, right: &Digest, now: Duration) -> Result<Identity, Refused> {
        if self.wrong_tokens.contains(&shown) {
            return Err(Refused::Wrong);
        }
        if let Some(wait) = self.token_failures.wait(peer, now) {
            return Err(Refused::Wait(wait));
        }
        if shown.same(right) {
            return Ok(Identity::Token);
        }
        self.token_failures.fail(peer, now);
        if self.wrong_tokens.len() >= WRONG_TOKENS {
            self.wrong_tokens.pop_front();
        }
        self.wrong_tokens.push_back(shown);
        Err(Refused::Wrong)
    }
}
