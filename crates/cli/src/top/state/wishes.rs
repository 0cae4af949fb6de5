//! What the server is asked for, as it follows from the state.

use netwatch_api::stream::Topic;
use netwatch_api::traffic::Dimension;

use super::State;

/// Flows and talkers that are asked for: more than fit on a screen.
const FLOWS: u32 = 200;
const TALKERS: u32 = 100;
/// Seconds that talkers are summed over.
pub const WINDOW: u32 = 60;

impl State {
    /// The subscriptions, each under an id of its own.
    pub fn subscriptions(&self) -> Vec<(&'static str, Topic)> {
        let filter = Some(self.filter.clone()).filter(|f| !f.is_empty());
        let flows = match (&filter, self.ended) {
            (filter, true) => filter.clone(),
            (None, false) => Some("active".to_owned()),
            (Some(filter), false) => Some(format!("active and ({filter})")),
        };
        let rates = Topic::Rates { by: Dimension::Interface, filter: filter.clone(), limit: Some(50), interface: None };
        let talkers = Topic::Talkers {
            by: self.group,
            filter,
            limit: Some(TALKERS),
            window: Some(WINDOW),
            sort: self.talker_sort,
        };
        let flows = Topic::Flows { filter: flows, sort: self.flow_sort, limit: Some(FLOWS), window: Some(300) };
        vec![
            ("rates", rates),
            ("talkers", talkers),
            ("flows", flows),
            ("events", Topic::Events {}),
            ("statistics", Topic::Statistics {}),
        ]
    }
}
