//! One-time codes: each is good once, and not for long.

use std::collections::VecDeque;
use std::time::Duration;

use super::secret::Digest;

/// How long a code can be used.
pub const CODE_LIFE: Duration = Duration::from_secs(15 * 60);
/// Most codes at once; the oldest goes.
const MAX_CODES: usize = 8;

/// The codes that can be used, oldest first, with the monotonic time at which each ends.
#[derive(Default)]
pub(super) struct Codes(VecDeque<(Digest, Duration)>);

impl Codes {
    pub(super) fn add(&mut self, code: Digest, now: Duration) {
        if self.0.len() >= MAX_CODES {
            self.0.pop_front();
        }
        self.0.push_back((code, now + CODE_LIFE));
    }

    /// Uses a code up; false when there is none such.
    pub(super) fn take(&mut self, code: &Digest, now: Duration) -> bool {
        self.0.retain(|(_, ends)| *ends > now);
        let before = self.0.len();
        self.0.retain(|(known, _)| !known.same(code));
        self.0.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_once_and_for_fifteen_minutes() {
        let mut codes = Codes::default();
        let [a, b] = ["a", "b"].map(Digest::of);
        codes.add(a, Duration::ZERO);
        codes.add(b, Duration::ZERO);
        assert!(codes.take(&a, CODE_LIFE - Duration::from_nanos(1)));
        assert!(!codes.take(&a, CODE_LIFE - Duration::from_nanos(1)), "used");
        assert!(!codes.take(&b, CODE_LIFE), "too old");
    }

    #[test]
    fn the_oldest_of_too_many_goes() {
        let mut codes = Codes::default();
        let all: Vec<_> = (0..=MAX_CODES).map(|i| Digest::of(&i.to_string())).collect();
        all.iter().for_each(|c| codes.add(*c, Duration::ZERO));
        assert!(!codes.take(&all[0], Duration::ZERO));
        assert!(codes.take(&all[1], Duration::ZERO));
    }
}
