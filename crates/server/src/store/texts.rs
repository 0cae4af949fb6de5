//! Texts and processes by number: each is kept once, whatever names it.
//!
//! Numbers are given out, remembered with the minute of their last use, and given out anew when that is longer ago than anything is
//! kept. When all numbers are in use, a new text gets none and is counted. Readers hold pages that never change under them.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use netwatch_model::{Process, Untrusted};

/// Values in a page: what is copied when a page changes that a reader holds.
const PAGE: usize = 256;

/// The number of a text or process. Zero: none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct TextId(pub(crate) u32);

impl TextId {
    /// No text.
    pub(crate) const NONE: Self = Self(0);

    /// Whether there is none.
    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// A dictionary's values as they were at one time.
#[derive(Clone, Debug)]
pub(crate) struct Pages<T>(Vec<Arc<Vec<Option<T>>>>);

impl<T> Pages<T> {
    /// The value of that number.
    pub(crate) fn get(&self, id: TextId) -> Option<&T> {
        let at = (id.0 as usize).checked_sub(1)?;
        self.0.get(at / PAGE)?.get(at % PAGE)?.as_ref()
    }
}

/// Values by number and numbers by value.
#[derive(Debug)]
pub(crate) struct Dictionary<T> {
    pages: Pages<T>,
    /// Hash and number.
    numbers: HashTable<(u64, u32)>,
    hasher: RandomState,
    /// Minute of the last use, by number.
    used: Vec<i32>,
    free: Vec<u32>,
    capacity: usize,
    lost: u64,
}

/// Texts.
pub(crate) type Texts = Dictionary<Untrusted>;
/// Processes, with the number of their name among the texts.
pub(crate) type Processes = Dictionary<(Arc<Process>, TextId)>;

impl<T: Clone> Dictionary<T> {
    /// An empty dictionary for that many values.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            pages: Pages(Vec::new()),
            numbers: HashTable::new(),
            hasher: RandomState::default(),
            used: Vec::new(),
            free: Vec::new(),
            capacity: capacity.min(u32::MAX as usize - 1),
            lost: 0,
        }
    }

    /// What a reader may hold.
    pub(crate) fn pages(&self) -> Pages<T> {
        self.pages.clone()
    }

    /// The value of that number.
    pub(crate) fn get(&self, id: TextId) -> Option<&T> {
        self.pages.get(id)
    }

    /// Values that got no number.
    pub(crate) const fn lost(&self) -> u64 {
        self.lost
    }

    /// Notes that a number is in use.
    #[inline]
    pub(crate) fn touch(&mut self, id: TextId, minute: i32) {
        if let Some(used) = (id.0 as usize).checked_sub(1).and_then(|at| self.used.get_mut(at)) {
            *used = minute;
        }
    }

    fn number(&mut self, hash: u64, minute: i32, same: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> TextId {
        let pages = &self.pages;
        let known = self.numbers.find(hash, |(h, id)| *h == hash && pages.get(TextId(*id)).is_some_and(&same));
        if let Some((_, id)) = known.copied() {
            self.touch(TextId(id), minute);
            return TextId(id);
        }
        let Some(id) = self.place() else {
            self.lost += 1;
            return TextId::NONE;
        };
        self.touch(TextId(id), minute);
        self.set(id, Some(make()));
        self.numbers.insert_unique(hash, (hash, id), |(h, _)| *h);
        TextId(id)
    }

    /// A number that is not in use.
    fn place(&mut self) -> Option<u32> {
        if let Some(id) = self.free.pop() {
            return Some(id);
        }
        if self.used.len() >= self.capacity {
            return None;
        }
        self.used.push(i32::MIN);
        let id = u32::try_from(self.used.len()).ok()?;
        if self.used.len() > self.pages.0.len() * PAGE {
            self.pages.0.push(Arc::new(vec![None; PAGE]));
        }
        Some(id)
    }

    fn set(&mut self, id: u32, value: Option<T>) {
        let at = id as usize - 1;
        if let Some(place) = self.pages.0.get_mut(at / PAGE).and_then(|page| Arc::make_mut(page).get_mut(at % PAGE)) {
            *place = value;
        }
    }

    /// Takes back the numbers that were last used before that minute.
    pub(crate) fn forget(&mut self, before: i32) {
        for at in 0..self.used.len() {
            if self.used[at] == i32::MIN || self.used[at] >= before {
                continue;
            }
            let Ok(id) = u32::try_from(at + 1) else { return };
            self.used[at] = i32::MIN;
            self.set(id, None);
            self.free.push(id);
        }
        let pages = &self.pages;
        self.numbers.retain(|(_, id)| pages.get(TextId(*id)).is_some());
    }
}

impl Texts {
    /// The number of a text, given out when it is new; [`TextId::NONE`] when all are in use.
    pub(crate) fn id(&mut self, text: &str, minute: i32) -> TextId {
        let hash = self.hasher.hash_one(text);
        self.number(hash, minute, |known| known.raw() == text, || Untrusted::new(text))
    }

    /// Like [`Texts::id`], faster when the text is most likely that of number `likely`.
    #[inline]
    pub(crate) fn same_or_id(&mut self, likely: TextId, text: &str, minute: i32) -> TextId {
        if self.get(likely).is_some_and(|known| known.raw() == text) {
            self.touch(likely, minute);
            return likely;
        }
        self.id(text, minute)
    }
}

impl Processes {
    /// The number of a process whose name has that number.
    pub(crate) fn same_or_id(&mut self, likely: TextId, process: &Arc<Process>, name: TextId, minute: i32) -> TextId {
        let same = |known: &(Arc<Process>, TextId)| Arc::ptr_eq(&known.0, process) || known.0 == *process;
        if self.get(likely).is_some_and(same) {
            self.touch(likely, minute);
            return likely;
        }
        let hash = self.hasher.hash_one(process);
        self.number(hash, minute, same, || (Arc::clone(process), name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_number_and_full_is_counted() {
        let mut texts = Texts::new(2);
        let a = texts.id("a", 0);
        assert_eq!(texts.id("a", 5), a);
        let b = texts.id("b", 1);
        assert_ne!(a, b);
        assert_eq!((texts.id("c", 1), texts.lost()), (TextId::NONE, 1));
        let pages = texts.pages();
        texts.forget(3);
        let c = texts.id("c", 6);
        assert_eq!(c, b, "the number that was free is given out again");
        assert_eq!(pages.get(b).map(Untrusted::raw), Some("b"), "a reader's pages do not change");
        assert_eq!(texts.get(a).map(Untrusted::raw), Some("a"));
        assert_eq!(texts.get(c).map(Untrusted::raw), Some("c"));
    }
}
