//! Answers to questions that are asked again and again, computed once for each state of the store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::QueryError;

/// Answers by question. Those who ask the same at the same time wait for the first.
#[derive(Debug)]
pub(super) struct Answers<T> {
    kept: Mutex<HashMap<String, Arc<Slot<T>>, RandomState>>,
    capacity: usize,
    turn: AtomicU64,
}

#[derive(Debug)]
struct Slot<T> {
    /// The version of the store for which it holds, and the answer.
    answer: Mutex<Option<(u64, T)>>,
    used: AtomicU64,
}

impl<T: Clone> Answers<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { kept: Mutex::default(), capacity: capacity.max(1), turn: AtomicU64::new(0) }
    }

    /// The answer of that version, computed if nobody has yet.
    pub(super) fn get(
        &self,
        question: String,
        version: u64,
        compute: impl FnOnce() -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let slot = self.slot(question);
        let mut answer = slot.answer.lock().unwrap_or_else(PoisonError::into_inner);
        match &*answer {
            Some((of, known)) if *of == version => Ok(known.clone()),
            _ => {
                let fresh = compute()?;
                *answer = Some((version, fresh.clone()));
                Ok(fresh)
            }
        }
    }

    fn slot(&self, question: String) -> Arc<Slot<T>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= self.capacity && !kept.contains_key(&question) {
            let oldest = turn.saturating_sub(self.capacity as u64 / 2);
            kept.retain(|_, slot| slot.used.load(Ordering::Relaxed) >= oldest);
        }
        let new = || Arc::new(Slot { answer: Mutex::new(None), used: AtomicU64::new(turn) });
        let slot = kept.entry(question).or_insert_with(new);
        slot.used.store(turn, Ordering::Relaxed);
        Arc::clone(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_answered_once_for_each_version() {
        let answers = Answers::new(4);
        let ask = |version, value: u32| answers.get("q".to_owned(), version, || Ok(value));
        assert_eq!(ask(1, 10), Ok(10));
        assert_eq!(ask(1, 20), Ok(10));
        assert_eq!(ask(2, 30), Ok(30));
        assert_eq!(answers.get("e".to_owned(), 1, || Err(QueryError::Gone)), Err(QueryError::Gone));
        assert_eq!(answers.get("e".to_owned(), 1, || Ok(5)), Ok(5), "a failure is not kept");
    }

    #[test]
    fn the_number_of_answers_is_bounded() {
        let answers = Answers::new(8);
        for n in 0..1000 {
            let _ = answers.get(n.to_string(), 1, || Ok(n));
        }
        assert!(answers.kept.lock().unwrap().len() <= 8);
    }
}
