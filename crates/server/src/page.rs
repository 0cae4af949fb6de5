//! Pages of lists, and the cursors between them.
//!
//! A cursor is the place after which the next page begins: the sort key of the last row, so that rows that come and go meanwhile
//! neither repeat nor hide others. It checks itself: it names its list and the question (filter, order, workspace) that it belongs to,
//! and is refused with `invalid_cursor` anywhere else. It is no secret and no permission: what may be seen is decided anew for every
//! page. It survives restarts.
//!
//! ```ignore
//! let pager = Pager::new("members", &(workspace, &query.role))?;
//! let after: Option<(String, Uuid)> = pager.after(query.cursor.as_deref())?;
//! let rows = store.members(after, limit + 1);       // one more than is shown tells whether there is a next page
//! Ok(Json(pager.page(rows, limit, |m| (m.name.clone(), m.id))?))
//! ```
//!
//! Limits: a cursor has at most 1 KiB.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use netwatch_api::page::Page;
use netwatch_api::{Problem, ProblemCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::app::to_json;
use crate::fault::Fault;

/// Longest cursor, in characters.
const MAX_CURSOR: usize = 1024;
/// Bytes of the check at the beginning of a cursor.
const CHECK: usize = 8;

/// Writes and reads the cursors of one list for one question.
#[derive(Clone, Debug)]
pub(crate) struct Pager {
    question: Sha256,
}

impl Pager {
    /// Of the list of that name; `question` is everything that chooses and orders its rows.
    pub(crate) fn new<Q: Serialize>(list: &str, question: &Q) -> Result<Self, Fault> {
        let question = to_json(&(list, question))?;
        Ok(Self { question: Sha256::new().chain_update(question) })
    }

    /// Where the page begins: none for the first one.
    pub(crate) fn after<K: DeserializeOwned>(&self, cursor: Option<&str>) -> Result<Option<K>, Fault> {
        cursor.map(|text| self.read(text).ok_or_else(refused)).transpose()
    }

    /// A page of `rows`, of which one more than `limit` was asked for if there are so many.
    pub(crate) fn page<T, K: Serialize>(
        &self,
        mut rows: Vec<T>,
        limit: usize,
        key: impl Fn(&T) -> K,
    ) -> Result<Page<T>, Fault> {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next_cursor = last.map(|row| self.write(&key(row))).transpose()?;
        Ok(Page { items: rows, next_cursor })
    }

    /// The cursor after a key.
    pub(crate) fn write<K: Serialize>(&self, key: &K) -> Result<String, Fault> {
        let key = to_json(key)?;
        let mut bytes = self.check(&key).to_vec();
        bytes.extend_from_slice(&key);
        Ok(BASE64.encode(bytes))
    }

    fn read<K: DeserializeOwned>(&self, text: &str) -> Option<K> {
        let bytes =
            BASE64.decode(text.get(..text.len().min(MAX_CURSOR + 1)).filter(|t| t.len() <= MAX_CURSOR)?).ok()?;
        let (check, key) = bytes.split_at_checked(CHECK)?;
        (check == self.check(key)).then(|| serde_json::from_slice(key).ok()).flatten()
    }

    fn check(&self, key: &[u8]) -> [u8; CHECK] {
        let digest = self.question.clone().chain_update([0]).chain_update(key).finalize();
        let mut check = [0; CHECK];
        check.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        check
    }
}

fn refused() -> Fault {
    let detail = "the cursor does not belong to this list and these parameters: take `next_cursor` of the page before and \
                  change nothing else, or leave it out";
    Problem::new(ProblemCode::InvalidCursor, detail).parameter("cursor").into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pager(list: &str, filter: &str) -> Pager {
        Pager::new(list, &filter).unwrap()
    }

    #[test]
    fn pages_follow_each_other() {
        let all: Vec<u32> = (0..10).collect();
        let (pager, mut seen, mut cursor) = (pager("numbers", ""), Vec::new(), None);
        loop {
            let after: Option<u32> = pager.after(cursor.as_deref()).unwrap();
            let rows: Vec<u32> = all.iter().copied().filter(|n| after.is_none_or(|a| *n > a)).take(4).collect();
            let page = pager.page(rows, 3, |n| *n).unwrap();
            seen.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_cursor_belongs_to_its_list_and_question() {
        let cursor = pager("members", "a").write(&("x", 7)).unwrap();
        let read = |p: Pager, text: &str| p.after::<(String, u32)>(Some(text)).map_err(|f| f.into_problem().code);
        assert_eq!(read(pager("members", "a"), &cursor), Ok(Some(("x".to_owned(), 7))));
        for other in [pager("tokens", "a"), pager("members", "b")] {
            assert_eq!(read(other, &cursor), Err(ProblemCode::InvalidCursor));
        }
        for bad in ["", "x", "=", &cursor[1..], &format!("{cursor}A"), &"A".repeat(5000), "é"] {
            assert_eq!(read(pager("members", "a"), bad), Err(ProblemCode::InvalidCursor), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_cursor_by_chance(text in ".{0,200}", flip in 0_usize..40) {
            let pager = pager("members", "a");
            prop_assert!(pager.after::<serde_json::Value>(Some(&text)).is_err());
            let mut cursor = pager.write(&("name", 12_345_u64)).unwrap().into_bytes();
            let at = flip % cursor.len();
            cursor[at] = if cursor[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(cursor).unwrap();
            prop_assert!(pager.after::<(String, u64)>(Some(&changed)).is_err());
        }
    }
}
