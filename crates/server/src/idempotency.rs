//! `Idempotency-Key`: a change that is sent twice happens once.
//!
//! Who does not know whether a `POST` or `PATCH` arrived sends it again with the same key: the first answer comes again, marked with
//! `Idempotency-Replayed: true`. The key belongs to one credential, method and path; with another body it is refused (422), and while
//! the first request still runs it is too (409). Only answers of success are kept: what changed nothing may be tried again.
//!
//! Limits: 4096 keys and 8 MiB of answers, for 24 hours, in memory: when full, the oldest go; a restart forgets them. An answer above
//! 64 KiB is not kept. A key has 1 to 255 visible ASCII characters.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use netwatch_api::{Problem, ProblemCode};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::fault::Fault;
use crate::params::MaxBody;

/// The header.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Keys that are kept.
const MAX_KEYS: usize = 4096;
/// Bytes of answers that are kept, and of one.
const MAX_BYTES: usize = 8 << 20;
const MAX_ANSWER: usize = 64 << 10;
/// How long an answer is kept.
const LIFE: Duration = Duration::from_secs(24 * 3600);
/// Longest key, in characters.
const MAX_KEY: usize = 255;

type Digest = [u8; 32];

/// Requests with keys, and what they were answered.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    entries: HashMap<Digest, Entry>,
    /// Keys of answers with the time of the answer, oldest first.
    order: VecDeque<(Digest, Duration)>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    body: Digest,
    /// None while the first request runs.
    answer: Option<Answer>,
}

/// An answer that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

/// What to do with a request.
#[derive(PartialEq, Eq, Debug)]
enum Verdict {
    /// It is the first: let it run.
    First,
    /// The first still runs.
    Running,
    /// It is another request.
    Other,
    /// Answered before.
    Again(Answer),
}

impl Answers {
    fn begin(&self, key: Digest, body: Digest, now: Duration) -> Verdict {
        let mut known = self.lock();
        known.expire(now);
        match known.entries.get(&key) {
            Some(entry) if entry.body != body => return Verdict::Other,
            Some(Entry { answer: Some(answer), .. }) => return Verdict::Again(answer.clone()),
            Some(_) => return Verdict::Running,
            None => {}
        }
        // Each request that runs holds a connection, of which there are few: only answers must be bounded.
        known.entries.insert(key, Entry { body, answer: None });
        Verdict::First
    }

    fn keep(&self, key: Digest, answer: Answer, now: Duration) {
        let mut known = self.lock();
        known.bytes += answer.body.len();
        known.order.push_back((key, now));
        if let Some(entry) = known.entries.get_mut(&key) {
            entry.answer = Some(answer);
        }
        while known.order.len() > MAX_KEYS || known.bytes > MAX_BYTES {
            known.drop_oldest();
        }
    }

    /// The first request ended without an answer that is kept.
    fn forget(&self, key: &Digest) {
        let mut known = self.lock();
        if known.entries.get(key).is_some_and(|entry| entry.answer.is_none()) {
            known.entries.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Each change is whole before the next begins, so that a poisoned lock guards nothing broken.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn expire(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(_, at)| now.saturating_sub(*at) >= LIFE) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((key, _)) = self.order.pop_front() else { return };
        let gone = self.entries.remove(&key).and_then(|entry| entry.answer);
        self.bytes = self.bytes.saturating_sub(gone.map_or(0, |answer| answer.body.len()));
    }
}

/// The middleware: inside the gate, so that only those who may come in have keys.
pub(crate) async fn once(State(app): State<App>, request: Request, next: Next) -> Result<Response, Fault> {
    if !matches!(*request.method(), Method::POST | Method::PATCH) || !request.headers().contains_key(KEY) {
        return Ok(next.run(request).await);
    }
    let Some(key) = key(&request)? else { return Ok(next.run(request).await) };
    let most = request.extensions().get().copied().unwrap_or(MaxBody::DEFAULT);
    let (parts, body) = request.into_parts();
    let body = most.read(body).await?;
    let answers = Arc::clone(app.answers());
    match answers.begin(key, Sha256::digest(&body).into(), app.monotonic()) {
        Verdict::First => {}
        Verdict::Running => return Err(running()),
        Verdict::Other => return Err(other()),
        Verdict::Again(answer) => return Ok(answer.again()),
    }
    // When the one who asked goes away, the request ends without an answer.
    let open = Open { answers, key };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    Ok(open.close(response, app.monotonic()).await)
}

/// A first request that runs.
struct Open {
    answers: Arc<Answers>,
    key: Digest,
}

impl Open {
    async fn close(self, response: Response, now: Duration) -> Response {
        let small = response.body().size_hint().upper().is_some_and(|n| n <= MAX_ANSWER as u64);
        if !response.status().is_success() || !small {
            return response;
        }
        let (parts, body) = response.into_parts();
        let Ok(body) = to_bytes(body, MAX_ANSWER).await else {
            return Fault::new(ProblemCode::Internal, "the answer could not be read").into_response();
        };
        let kept = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];
        let headers = kept.into_iter().filter_map(|name| Some((name.clone(), parts.headers.get(&name)?.clone())));
        let answer = Answer { status: parts.status, headers: headers.collect(), body: body.clone() };
        self.answers.keep(self.key, answer, now);
        Response::from_parts(parts, Body::from(body))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.answers.forget(&self.key);
    }
}

impl Answer {
    fn again(self) -> Response {
        let mut response = (self.status, Body::from(self.body)).into_response();
        response.headers_mut().extend(self.headers.into_iter().map(|(name, value)| (Some(name), value)));
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

/// What the key of a request stands for; none for those who show no credential.
fn key(request: &Request) -> Result<Option<Digest>, Fault> {
    let headers = request.headers();
    let mut all = headers.get_all(KEY).iter();
    let text = all.next().map(HeaderValue::as_bytes).unwrap_or_default();
    if text.is_empty() || text.len() > MAX_KEY || !text.iter().all(u8::is_ascii_graphic) || all.next().is_some() {
        let detail = "`Idempotency-Key` must be one text of 1 to 255 visible ASCII characters: a UUID is a good one";
        return Err(Fault::parameter("Idempotency-Key", detail));
    }
    let Some(credential) = credential(headers) else { return Ok(None) };
    let mut digest = Sha256::new();
    for part in [credential.as_bytes(), request.method().as_str().as_bytes(), target(request).as_bytes(), text] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    Ok(Some(digest.finalize().into()))
}

fn target(request: &Request) -> &str {
    request.uri().path_and_query().map_or("/", |target| target.as_str())
}

fn credential(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(header::AUTHORIZATION).or_else(|| headers.get(header::COOKIE))
}

fn running() -> Fault {
    let detail = "the first request with this `Idempotency-Key` still runs: send it again in a second";
    Problem::new(ProblemCode::RequestInProgress, detail).parameter("Idempotency-Key").into()
}

fn other() -> Fault {
    let detail = "this `Idempotency-Key` came before with another body: use a new key for a new request";
    Problem::new(ProblemCode::KeyReused, detail).parameter("Idempotency-Key").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(size: usize) -> Answer {
        Answer { status: StatusCode::CREATED, headers: Vec::new(), body: Bytes::from(vec![b'x'; size]) }
    }

    fn digest(n: usize) -> Digest {
        Sha256::digest(n.to_be_bytes()).into()
    }

    #[test]
    fn the_second_request_gets_the_first_answer() {
        let (answers, now) = (Answers::default(), Duration::from_secs(5));
        assert_eq!(answers.begin(digest(1), digest(10), now), Verdict::First);
        assert_eq!(answers.begin(digest(1), digest(10), now), Verdict::Running);
        assert_eq!(answers.begin(digest(1), digest(11), now), Verdict::Other);
        answers.keep(digest(1), answer(3), now);
        answers.forget(&digest(1));
        assert_eq!(answers.begin(digest(1), digest(10), now), Verdict::Again(answer(3)));
        assert_eq!(answers.begin(digest(1), digest(11), now), Verdict::Other);
        assert_eq!(answers.begin(digest(1), digest(10), now + LIFE), Verdict::First, "it is forgotten after a day");
    }

    #[test]
    fn a_request_that_failed_may_be_tried_again() {
        let (answers, now) = (Answers::default(), Duration::ZERO);
        assert_eq!(answers.begin(digest(1), digest(10), now), Verdict::First);
        answers.forget(&digest(1));
        assert_eq!(answers.begin(digest(1), digest(11), now), Verdict::First);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (answers, now) = (Answers::default(), Duration::ZERO);
        for n in 0..2 * MAX_KEYS {
            answers.begin(digest(n), digest(0), now);
            answers.keep(digest(n), answer(8), now);
        }
        let counted = |known: &Known| (known.entries.len(), known.order.len(), known.bytes);
        assert_eq!(counted(&answers.lock()), (MAX_KEYS, MAX_KEYS, 8 * MAX_KEYS));
        for n in 0..MAX_BYTES / MAX_ANSWER * 2 {
            answers.begin(digest(100_000 + n), digest(0), now);
            answers.keep(digest(100_000 + n), answer(MAX_ANSWER), now);
        }
        let (entries, order, bytes) = counted(&answers.lock());
        assert!(bytes <= MAX_BYTES && entries == order, "{entries} {order} {bytes}");
    }
}
