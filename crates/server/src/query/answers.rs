//! Answers to questions that are asked again and again.
//!
//! An answer holds for one state of the store. Of a large store it also holds for a quarter of a second, and while one thread finds the
//! next, all others that ask the same get it: nobody waits for what somebody else computes, unless there is nothing yet.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use netwatch_model::Timestamp;

use super::QueryError;
use crate::store::{LARGE_INTERVAL, View};

/// How old an answer may be while the next is found.
const STALE: Duration = Duration::from_secs(1);

/// For which state of the store a question is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) version: u64,
    pub(super) now: Timestamp,
    /// Where the range begins; that of a relative one moves.
    pub(super) from: Timestamp,
    /// Whether an answer may be a quarter of a second old.
    pub(super) may_age: bool,
}

impl State {
    pub(super) fn of(view: &View, from: Timestamp, now: Timestamp) -> Self {
        Self { version: view.version().unwrap_or_default(), now, from, may_age: view.may_age() }
    }
}

/// Answers by question.
#[derive(Debug)]
pub(super) struct Answers<T> {
    kept: Mutex<HashMap<String, Arc<Slot<T>>, RandomState>>,
    capacity: usize,
    turn: AtomicU64,
}

#[derive(Debug)]
struct Slot<T> {
    answer: Mutex<Option<Answer<T>>>,
    /// Held by the one who computes.
    work: Mutex<()>,
    busy: AtomicBool,
    used: AtomicU64,
}

#[derive(Clone, Debug)]
struct Answer<T> {
    version: u64,
    made: Timestamp,
    from: Timestamp,
    value: T,
}

impl<T: Clone> Answers<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { kept: Mutex::default(), capacity: capacity.max(1), turn: AtomicU64::new(0) }
    }

    /// The answer for that state, computed if there is none.
    pub(super) fn get(
        &self,
        question: String,
        state: State,
        compute: impl FnOnce() -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let slot = self.slot(question);
        if let Some(known) = slot.known(state) {
            return Ok(known);
        }
        let _work = slot.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = slot.known(state) {
            return Ok(known);
        }
        slot.busy.store(true, Ordering::Release);
        let computed = compute();
        if let Ok(value) = &computed {
            let answer = Answer { version: state.version, made: state.now, from: state.from, value: value.clone() };
            *slot.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
        slot.busy.store(false, Ordering::Release);
        computed
    }

    fn slot(&self, question: String) -> Arc<Slot<T>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= self.capacity && !kept.contains_key(&question) {
            let oldest = turn.saturating_sub(self.capacity as u64 / 2);
            kept.retain(|_, slot| slot.used.load(Ordering::Relaxed) >= oldest);
        }
        let slot = kept.entry(question).or_insert_with(|| Arc::new(Slot::new(turn)));
        slot.used.store(turn, Ordering::Relaxed);
        Arc::clone(slot)
    }
}

impl<T: Clone> Slot<T> {
    fn new(turn: u64) -> Self {
        let used = AtomicU64::new(turn);
        Self { answer: Mutex::new(None), work: Mutex::new(()), busy: AtomicBool::new(false), used }
    }

    /// The answer, if it is good enough.
    fn known(&self, state: State) -> Option<T> {
        let answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let known = answer.as_ref()?;
        let most = if self.busy.load(Ordering::Acquire) { STALE } else { LARGE_INTERVAL };
        let is_young = state.may_age && state.now >= known.made && state.now.since(known.made) < most;
        ((known.version, known.from) == (state.version, state.from) || is_young).then(|| known.value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(version: u64, millis: i64, may_age: bool) -> State {
        State { version, now: Timestamp::from_millis(millis), from: Timestamp::ZERO, may_age }
    }

    #[test]
    fn a_question_is_answered_once_for_each_version() {
        let answers = Answers::new(4);
        let ask = |version, value: u32| answers.get("q".to_owned(), state(version, 0, false), || Ok(value));
        assert_eq!(ask(1, 10), Ok(10));
        assert_eq!(ask(1, 20), Ok(10));
        assert_eq!(ask(2, 30), Ok(30));
        let fails = || Err(QueryError::Gone);
        assert_eq!(answers.get("e".to_owned(), state(1, 0, false), fails), Err(QueryError::Gone));
        assert_eq!(answers.get("e".to_owned(), state(1, 0, false), || Ok(5)), Ok(5), "a failure is not kept");
    }

    #[test]
    fn the_last_minute_of_a_small_store_moves_though_nothing_comes() {
        let answers = Answers::new(4);
        let state = |second| State { from: Timestamp::from_secs(second), ..state(1, 0, false) };
        assert_eq!(answers.get("-60".to_owned(), state(1), || Ok(10)), Ok(10));
        assert_eq!(answers.get("-60".to_owned(), state(1), || Ok(20)), Ok(10));
        assert_eq!(answers.get("-60".to_owned(), state(2), || Ok(20)), Ok(20));
    }

    #[test]
    fn a_large_store_answers_anew_four_times_a_second() {
        let answers = Answers::new(4);
        let ask = |version, millis, value: u32| answers.get("q".to_owned(), state(version, millis, true), || Ok(value));
        assert_eq!(ask(1, 0, 10), Ok(10));
        assert_eq!(ask(2, 249, 20), Ok(10));
        assert_eq!(ask(2, 250, 20), Ok(20));
    }

    #[test]
    fn the_number_of_answers_is_bounded() {
        let answers = Answers::new(8);
        for n in 0..1000 {
            let _ = answers.get(n.to_string(), state(1, 0, false), || Ok(n));
        }
        assert!(answers.kept.lock().unwrap().len() <= 8);
    }
}
