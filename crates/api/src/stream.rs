//! The WebSocket stream: `GET /api/v1/stream`.
//!
//! A client subscribes with an id of its own choice; every frame carries that id. Frames come four times a second unless asked
//! otherwise. A client that does not read loses frames: the next frame's `missed` tells how many. After a break the client connects
//! again and subscribes with `since`; rates are then filled in from there.

use netwatch_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::event::Event;
use crate::flow::{Flow, FlowSort};
use crate::problem::Problem;
use crate::statistics::Statistics;
use crate::traffic::{Dimension, Rates, Top, TopSort};

/// What a client says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Start sending.
    Subscribe {
        /// Chosen by the client, 1 to 64 characters; an id in use is replaced.
        id: String,
        /// What to send.
        topic: Topic,
        /// Milliseconds between frames, 250 to 10000. Default 250.
        #[serde(default)]
        interval: Option<u32>,
        /// For rates: first send what happened since then, at most an hour.
        #[serde(default)]
        #[schema(value_type = Option<String>, format = DateTime)]
        since: Option<Timestamp>,
    },
    /// Stop sending.
    Unsubscribe {
        /// The id of the subscription.
        id: String,
    },
}

/// What can be subscribed to.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Topic {
    /// The newest seconds of rates.
    Rates {
        /// What the series are.
        #[serde(default)]
        by: Dimension,
        /// Filter text over flows.
        #[serde(default)]
        filter: Option<String>,
        /// Series, 1 to 50, default 8.
        #[serde(default)]
        limit: Option<u32>,
        /// Only this interface.
        #[serde(default)]
        interface: Option<String>,
    },
    /// Top talkers of the last `window` seconds.
    Talkers {
        /// What to group by.
        #[serde(default)]
        by: Dimension,
        /// Filter text over flows.
        #[serde(default)]
        filter: Option<String>,
        /// Rows, 1 to 100, default 10.
        #[serde(default)]
        limit: Option<u32>,
        /// Seconds, 1 to 3600, default 10.
        #[serde(default)]
        window: Option<u32>,
        /// Order.
        #[serde(default)]
        sort: TopSort,
    },
    /// The first rows of a flow list, whenever they change.
    Flows {
        /// Filter text.
        #[serde(default)]
        filter: Option<String>,
        /// Order.
        #[serde(default)]
        sort: FlowSort,
        /// Rows, 1 to 200, default 50.
        #[serde(default)]
        limit: Option<u32>,
        /// Seconds to look back, 1 to 3600, default 300.
        #[serde(default)]
        window: Option<u32>,
    },
    /// New events.
    Events {},
    /// Statistics, once a second at most.
    Statistics {},
}

/// What the server says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// Data of a subscription.
    Frame {
        /// The subscription.
        id: String,
        /// Time of the server.
        #[schema(value_type = String, format = DateTime)]
        time: Timestamp,
        /// Frames of this subscription that were skipped since the last one because the client was slow.
        missed: u64,
        /// The data.
        data: Data,
    },
    /// The subscription is refused, or ends.
    Error {
        /// The subscription, when one is meant.
        id: Option<String>,
        /// Why.
        problem: Problem,
    },
}

/// Data of a frame.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "name", content = "value", rename_all = "snake_case")]
pub enum Data {
    /// The newest full seconds since the last frame of this subscription (the first frame: since `since`, or the last 60 s).
    Rates(Rates),
    /// Top talkers of the window.
    Talkers(Top),
    /// Rows of the list.
    Flows(Vec<Flow>),
    /// New events, oldest first.
    Events(Vec<Event>),
    /// Statistics.
    Statistics(Box<Statistics>),
}
