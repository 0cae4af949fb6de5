//! What was found in sealed segments: they never change, so it stays true.

use std::sync::{Arc, Mutex, PoisonError};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Finds by segment and question, within a byte budget; the longest unused half goes when it is used up.
#[derive(Debug)]
pub(super) struct Selections<T> {
    kept: Mutex<Kept<T>>,
    budget: usize,
}

#[derive(Debug)]
struct Kept<T> {
    finds: HashMap<(u32, Arc<str>), Find<T>, RandomState>,
    bytes: usize,
    turn: u64,
}

#[derive(Debug)]
struct Find<T> {
    value: Arc<T>,
    bytes: usize,
    used: u64,
}

impl<T> Selections<T> {
    pub(super) fn new(budget: usize) -> Self {
        Self { kept: Mutex::new(Kept { finds: HashMap::default(), bytes: 0, turn: 0 }), budget }
    }

    /// What was found in that segment for that question, found now if nobody has yet.
    pub(super) fn get(&self, segment: u32, question: &Arc<str>, find: impl FnOnce() -> (T, usize)) -> Arc<T> {
        let key = (segment, Arc::clone(question));
        if let Some(known) = self.lock().recall(&key) {
            return known;
        }
        // Not under the lock: two may find the same at the same time, which is rare and harmless.
        let (value, bytes) = find();
        let value = Arc::new(value);
        let mut kept = self.lock();
        let used = kept.turn;
        let bytes = bytes + size_of::<Find<T>>() + question.len();
        if let Some(twice) = kept.finds.insert(key, Find { value: Arc::clone(&value), bytes, used }) {
            kept.bytes -= twice.bytes;
        }
        kept.bytes += bytes;
        if kept.bytes > self.budget {
            kept.shrink(self.budget / 2);
        }
        value
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Kept<T> {
    fn recall(&mut self, key: &(u32, Arc<str>)) -> Option<Arc<T>> {
        self.turn += 1;
        let turn = self.turn;
        let find = self.finds.get_mut(key)?;
        find.used = turn;
        Some(Arc::clone(&find.value))
    }

    fn shrink(&mut self, budget: usize) {
        let mut by_use: Vec<(u64, usize)> = self.finds.values().map(|f| (f.used, f.bytes)).collect();
        by_use.sort_unstable_by_key(|(used, _)| std::cmp::Reverse(*used));
        let mut sum = 0;
        let fits = by_use.iter().take_while(|(_, bytes)| {
            sum += bytes;
            sum <= budget
        });
        let oldest = fits.last().map_or(u64::MAX, |(used, _)| *used);
        self.finds.retain(|_, find| find.used >= oldest);
        self.bytes = self.finds.values().map(|f| f.bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_are_kept_within_the_budget() {
        let finds = Selections::new(10_000);
        let question: Arc<str> = "q".into();
        for segment in 0..100 {
            finds.get(segment, &question, || (segment, 1000));
            assert_eq!(*finds.get(segment, &question, || unreachable!("it is kept")), segment);
            assert!(finds.lock().bytes <= 10_000);
        }
    }
}
