//! Saved views of the workspace of the request: `/api/v1/views`.

use netwatch_model::Timestamp;
use netwatch_model::people::{UserId, ViewId, ViewPage};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A saved view: a page and what it is asked. To open it is to ask anew, with one's own permissions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct View {
    /// Identity.
    #[schema(value_type = String)]
    pub id: ViewId,
    /// What it is called.
    pub name: String,
    /// Where it is opened: `traffic`, `history` or `series`.
    #[schema(value_type = String, pattern = "^(traffic|history|series)$")]
    pub page: ViewPage,
    /// The query of the page's URL, without its `?`.
    pub query: String,
    /// Whether all members see it, or its owner alone.
    pub shared: bool,
    /// Who saved it; null when a file did.
    #[schema(value_type = Option<String>)]
    pub owner: Option<UserId>,
    /// The owner's name.
    pub owner_name: Option<String>,
    /// Grows by one with every change, from 1.
    pub revision: u64,
    /// When it was saved first.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// The file that owns it; then it cannot be edited but there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}

/// `GET /api/v1/views`: one's own and those that are shared, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ViewsQuery {
    /// Rows, 1 to 500. Default 50.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before; all other parameters unchanged.
    pub cursor: Option<String>,
    /// Only those with this text in their name.
    pub search: Option<String>,
}

/// `POST /api/v1/views`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewCreate {
    /// What it is called, 1 to 100 characters. No two that all members see on a page have the same name.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Where it is opened: `traffic`, `history` or `series`.
    #[schema(pattern = "^(traffic|history|series)$")]
    pub page: String,
    /// The query of the page's URL, percent-encoded.
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub query: String,
    /// Whether all members see it: needs `views.write`.
    #[serde(default)]
    pub shared: bool,
}

/// `PATCH /api/v1/views/{view}`: fields that are left out stay as they are. What all members see is changed with `views.write` alone.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewPatch {
    /// What it is called, 1 to 100 characters.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// The query of the page's URL, percent-encoded.
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub query: Option<String>,
    /// Whether all members see it.
    #[serde(default)]
    pub shared: Option<bool>,
}
