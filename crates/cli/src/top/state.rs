//! What is known and what is wanted: the pure part.

mod editor;
mod keys;
mod wishes;

use std::collections::BTreeMap;
use std::time::Duration;

use netwatch_api::event::Event;
use netwatch_api::flow::{Flow, FlowSort};
use netwatch_api::interface::Interface;
use netwatch_api::statistics::Statistics;
use netwatch_api::stream::Data;
use netwatch_api::traffic::{Dimension, Rates, Top, TopSort};
use netwatch_model::Timestamp;

pub use editor::Editor;
pub use keys::{Key, Reaction};
pub use wishes::WINDOW;

/// Seconds of rates that are kept.
pub const HISTORY: usize = 120;
/// Events that are kept, newest first.
const EVENTS: usize = 20;
/// Without a frame for so long, what is shown is stale.
pub const STALE: Duration = Duration::from_secs(3);

/// A page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tab {
    /// Rate now, newest events, losses, top five.
    #[default]
    Overview,
    /// Who carries how much.
    Talkers,
    /// Conversations.
    Flows,
    /// Where it is captured.
    Interfaces,
}

impl Tab {
    /// In the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Overview, Self::Talkers, Self::Flows, Self::Interfaces];

    /// What stands in its tab.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "1 Overview",
            Self::Talkers => "2 Talkers",
            Self::Flows => "3 Flows",
            Self::Interfaces => "4 Interfaces",
        }
    }
}

/// How the connection is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum LinkState {
    /// Not there yet.
    #[default]
    Connecting,
    /// Frames come.
    Live,
    /// Lost: why; it is tried again.
    Lost(String),
}

/// What the link tells.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// The connection changed.
    Link(LinkState),
    /// A frame.
    Data(Box<Data>),
    /// The interfaces.
    Interfaces(Vec<Interface>),
    /// The server refused a subscription.
    Refused(String),
    /// A signal asks to end.
    Quit,
}

/// Octets of one second.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Second {
    /// Received.
    pub inbound: u64,
    /// Sent.
    pub outbound: u64,
}

/// Everything that is shown.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Which page.
    pub tab: Tab,
    /// Whether frames are ignored.
    pub paused: bool,
    /// Bytes instead of bits in rates.
    pub bytes: bool,
    /// Whether the help is open.
    pub help: bool,
    /// Whether `q` was pressed once.
    pub leaving: bool,
    /// The filter in force, canonical; empty selects everything.
    pub filter: String,
    /// The filter that is being typed.
    pub editor: Option<Editor>,
    /// Order of flows.
    pub flow_sort: FlowSort,
    /// Order of talkers.
    pub talker_sort: TopSort,
    /// Whether the smallest stand first.
    pub ascending: bool,
    /// What talkers are grouped by.
    pub group: Dimension,
    /// Whether ended flows are shown.
    pub ended: bool,
    /// The selected row of the page.
    pub row: usize,
    /// The connection.
    pub link: LinkState,
    /// Monotonic time of the newest frame.
    pub heard: Duration,
    /// Monotonic time now.
    pub now: Duration,
    /// Octets by second since 1970.
    pub rates: BTreeMap<i64, Second>,
    /// The list of talkers.
    pub talkers: Option<Top>,
    /// The list of flows.
    pub flows: Vec<Flow>,
    /// The interfaces.
    pub interfaces: Vec<Interface>,
    /// How Netwatch is doing.
    pub statistics: Option<Statistics>,
    /// Newest first.
    pub events: Vec<Event>,
    /// The server's last refusal.
    pub refused: Option<String>,
    /// What the server calls now.
    pub server_time: Option<Timestamp>,
}

impl State {
    /// A first state, with a filter that has been parsed.
    pub fn new(filter: String) -> Self {
        Self { filter, ..Self::default() }
    }

    /// Takes in what the link tells; true when it is to end.
    pub fn update(&mut self, now: Duration, input: Input) -> bool {
        self.now = now;
        match input {
            Input::Quit => return true,
            Input::Link(link) => self.link = link,
            Input::Refused(why) => self.refused = Some(why),
            _ if self.paused => self.heard = now,
            Input::Interfaces(interfaces) => self.interfaces = interfaces,
            Input::Data(data) => {
                self.heard = now;
                self.refused = None;
                self.take(*data);
            }
        }
        false
    }

    /// Whether what is shown is older than it looks.
    pub fn is_stale(&self) -> bool {
        self.link != LinkState::Live || self.now.saturating_sub(self.heard) > STALE
    }

    /// The last full second.
    pub fn rate_now(&self) -> Second {
        self.rates.last_key_value().map(|(_, s)| *s).unwrap_or_default()
    }

    /// Octets of both directions of the last `seconds`, oldest first; zero where nothing is known.
    pub fn history(&self, seconds: usize) -> Vec<Second> {
        let Some((last, _)) = self.rates.last_key_value() else { return vec![Second::default(); seconds] };
        let first = last - i64::try_from(seconds).unwrap_or(0) + 1;
        (first..=*last).map(|t| self.rates.get(&t).copied().unwrap_or_default()).collect()
    }

    /// Rows of the page's list.
    pub fn rows(&self) -> usize {
        match self.tab {
            Tab::Overview => self.events.len(),
            Tab::Talkers => self.talkers.as_ref().map_or(0, |t| t.items.len()),
            Tab::Flows => self.flows.len(),
            Tab::Interfaces => self.interfaces.len(),
        }
    }

    fn take(&mut self, data: Data) {
        match data {
            Data::Rates(rates) => self.take_rates(&rates),
            Data::Talkers(top) => self.talkers = Some(top),
            Data::Flows(flows) => self.flows = flows,
            Data::Events(events) => {
                for event in events {
                    if self.events.iter().all(|known| known.id != event.id) {
                        self.events.insert(0, event);
                    }
                }
                self.events.truncate(EVENTS);
            }
            Data::Statistics(statistics) => {
                self.server_time = Some(statistics.now);
                self.statistics = Some(*statistics);
            }
        }
        self.row = self.row.min(self.rows().saturating_sub(1));
    }

    fn take_rates(&mut self, rates: &Rates) {
        let steps = rates.series.iter().flat_map(|s| [s.inbound.octets.len(), s.outbound.octets.len()]).max();
        let step = rates.step.max(1.0);
        for at in 0..steps.unwrap_or(0) {
            let sum = |points: &dyn Fn(&netwatch_api::traffic::RateSeries) -> Option<u64>| {
                rates.series.iter().filter_map(points).fold(0_u64, u64::saturating_add)
            };
            let second = Second {
                inbound: per_second(sum(&|s| s.inbound.octets.get(at).copied().flatten()), step),
                outbound: per_second(sum(&|s| s.outbound.octets.get(at).copied().flatten()), step),
            };
            let offset = Duration::try_from_secs_f64(f64::from(u32::try_from(at).unwrap_or(0)) * step);
            self.rates.insert((rates.from + offset.unwrap_or_default()).secs(), second);
        }
        while self.rates.len() > HISTORY {
            self.rates.pop_first();
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shown with three figures"
)]
fn per_second(octets: u64, step: f64) -> u64 {
    (octets as f64 / step) as u64
}
