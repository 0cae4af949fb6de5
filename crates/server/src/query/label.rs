//! What talkers are called, and the filters that select them.

use netwatch_api::traffic::Talker;
use netwatch_model::filter::quote;
use netwatch_model::{Protocol, Untrusted};

use netwatch_api::traffic::Dimension;

use crate::store::{Key, Tally, Words};

/// A talker's three texts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Label {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) filter: String,
}

impl Label {
    /// Those of a key in a dimension.
    pub(super) fn of(by: Dimension, key: Key, words: &Words) -> Self {
        match key {
            Key::Host(address) => Self::plain(address.to_string(), |text| format!("host {text}")),
            Key::Pair(a, b) if a == b => Self::plain(format!("{a} {b}"), |_| format!("src {a} and dst {a}")),
            Key::Pair(a, b) => Self {
                key: format!("{a} {b}"),
                label: format!("{a} \u{2194} {b}"),
                filter: format!("host {a} and host {b}"),
            },
            Key::Port(protocol, port) => {
                Self::plain(format!("{port}/{protocol}"), |_| format!("{} and dport {port}", is_protocol(protocol)))
            }
            Key::Protocol(protocol) => Self::plain(protocol.to_string(), |_| is_protocol(protocol)),
            Key::Vlan(stack) => {
                let ids: Vec<String> = stack.as_slice().iter().map(ToString::to_string).collect();
                let filter = ids.iter().map(|id| format!("vlan {id}")).collect::<Vec<_>>().join(" and ");
                Self { key: ids.join("."), label: ids.join("."), filter }
            }
            Key::Text(id) => Self::text(by, words.text(id)),
        }
    }

    /// Those of a word that a rate counts by.
    pub(super) fn word(by: Dimension, word: &str) -> Self {
        Self::text(by, Some(&Untrusted::new(word)))
    }

    fn text(by: Dimension, text: Option<&Untrusted>) -> Self {
        let Some(text) = text else { return Self::default() };
        let field = match by {
            Dimension::Application => "application",
            Dimension::Process => "process",
            Dimension::Interface => "interface",
            Dimension::Protocol => "protocol",
            _ => "name",
        };
        let quoted = quote(text.raw());
        Self { key: text.to_string(), label: text.to_string(), filter: format!("{field} = {quoted}") }
    }

    fn plain(text: String, filter: impl FnOnce(&str) -> String) -> Self {
        let filter = filter(&text);
        Self { key: text.clone(), label: text, filter }
    }
}

/// The filter of a protocol, by keyword where there is one.
fn is_protocol(protocol: Protocol) -> String {
    format!("protocol = {protocol}")
}

/// A row of talkers.
pub(super) fn talker(label: Label, tally: &Tally, flows: u64) -> Talker {
    let Label { key, label, filter } = label;
    let [octets_in, octets_out] = tally.ways;
    Talker { key, label, filter, octets: tally.octets, packets: tally.packets, octets_in, octets_out, flows }
}

#[cfg(test)]
mod tests {
    use netwatch_model::VlanStack;
    use netwatch_model::filter::Filter;

    use super::*;
    use crate::query::{LiveStore, StoreConfig};

    #[test]
    fn every_filter_can_be_parsed() {
        let store = LiveStore::new(StoreConfig::default());
        let view = store.view(netwatch_model::Timestamp::ZERO);
        let ip = |t: &str| t.parse().unwrap();
        let keys = [
            (Dimension::Host, Key::Host(ip("2001:db8::1"))),
            (Dimension::Pair, Key::pair(ip("10.0.0.2"), ip("10.0.0.1"))),
            (Dimension::Pair, Key::pair(ip("::1"), ip("::1"))),
            (Dimension::Port, Key::Port(Protocol::UDP, 53)),
            (Dimension::Protocol, Key::Protocol(Protocol(200))),
            (Dimension::Vlan, Key::Vlan(VlanStack::from_iter([100, 200]))),
        ];
        for (by, key) in keys {
            let label = Label::of(by, key, view.words());
            assert!(Filter::parse(&label.filter).is_ok(), "{label:?}");
        }
        for hostile in ["<b>x", "$(reboot)", "\u{202e}evil\x1b[31m", "a\"b\\", ""] {
            for by in [Dimension::Name, Dimension::Process, Dimension::Application, Dimension::Interface] {
                let label = Label::word(by, hostile);
                assert!(Filter::parse(&label.filter).is_ok(), "{label:?}");
                assert!(!label.label.contains(['\u{202e}', '\x1b']), "{label:?}");
            }
        }
    }
}
