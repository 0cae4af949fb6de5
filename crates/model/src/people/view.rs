//! Saved views: a question that somebody put to a page, kept under a name.
//!
//! A view is the page and the query of its URL, and nothing that the URL could not carry: who opens it asks anew, with their own
//! permissions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::{UserId, ViewId, WorkspaceId};
use super::text::{DisplayName, InvalidText};
use super::words::{text_form, words};
use crate::Timestamp;

/// A saved view. It goes with the workspace, and with its owner if it has one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Its identity.
    pub id: ViewId,
    /// Whose data it shows.
    pub workspace: WorkspaceId,
    /// Who saved it; nobody when a file did: then it is shared.
    pub owner: Option<UserId>,
    /// What it is called.
    pub name: DisplayName,
    /// Where it is opened.
    pub page: ViewPage,
    /// What the page is asked.
    pub query: ViewQuery,
    /// Whether all members see it, or its owner alone.
    pub shared: bool,
    /// When it was saved first.
    pub created: Timestamp,
}

impl View {
    /// Views that one user has, over all workspaces.
    pub const MAX_PER_USER: u64 = 200;
    /// Views that one workspace has.
    pub const MAX_PER_WORKSPACE: u64 = 2000;
}

words! {
    /// A page that has saved views.
    pub enum ViewPage ("page with saved views") {
        /// Traffic: now and the last hour.
        Traffic = "traffic",
        /// History of flows.
        History = "history",
        /// History of series.
        Series = "series",
    }
}

/// The query of a URL (RFC 3986, section 3.4), without its `?`: at most 4096 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ViewQuery(String);

impl ViewQuery {
    /// Longest query, bytes.
    pub const MAX: usize = 4096;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ViewQuery {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let query = text.strip_prefix('?').unwrap_or(text);
        let may_stand = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&b);
        if query.len() <= Self::MAX && query.bytes().all(may_stand) {
            return Ok(Self(query.to_owned()));
        }
        let rule = "must be what stands after the ? of a URL, percent-encoded, in at most 4096 bytes";
        Err(InvalidText::new("query of a view", text, rule))
    }
}

impl fmt::Display for ViewQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_form!(ViewQuery, "query of a view");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_what_a_url_can_carry() {
        let good = "?dims=source,port&filter=sni+%7E+%22*.example.com%22&from=-24h";
        assert_eq!(good.parse::<ViewQuery>().unwrap().as_str(), &good[1..]);
        assert_eq!("".parse::<ViewQuery>().unwrap().as_str(), "");
        for bad in ["a b", "a#b", "a=<b>", "a=\"", "a\r\nb", "é=1", "javascript\\", &"x".repeat(4097)] {
            assert!(bad.parse::<ViewQuery>().is_err(), "{bad:?}");
        }
    }
}
