//! Between the types of the contract and those of the port.

use netwatch_api::event::Event as ApiEvent;
use netwatch_api::flow::Flow;
use netwatch_api::history::Resolution as ApiResolution;
use netwatch_api::history::explore::{
    Exploration, HistoryDimension, HistoryEdge, HistoryGroup, HistoryMeasure, HistorySummary, HistoryValue,
};
use netwatch_api::history::list::{HistoryEvent, HistoryFlow};
use netwatch_api::history::series::{ChartLine, SeriesAggregate, SeriesChart, SeriesLabel, SeriesName};
use netwatch_api::history::storage::{Storage, StorageKind, StorageState, StorageUsage};
use netwatch_model::filter::quote;
use netwatch_model::{AgentId, FlowRecord, Label, Timestamp};
use netwatch_storage::{
    Aggregate, Chart, Dimension, DiskState, Explored, Group, Kind, Measure, Resolution, SeriesKey, StoredEvent, Usage,
    Value,
};

/// Makes a function between two enumerations of the same words.
macro_rules! same_words {
    ($name:ident, $from:ident => $to:ident { $($word:ident)* }) => {
        pub(crate) const fn $name(from: $from) -> $to {
            match from { $($from::$word => $to::$word,)* }
        }
    };
}

same_words!(dimension, HistoryDimension => Dimension {
    Host Source Destination SourcePort Port Protocol Application Name Process User Container Interface Vlan Agent
    SourceCountry DestinationCountry SourceAsn DestinationAsn SourceNetwork DestinationNetwork
});
same_words!(measure, HistoryMeasure => Measure { Octets L2Octets Packets Flows });
same_words!(aggregate, SeriesAggregate => Aggregate { Min Max Avg Sum Count Last Rate P50 P95 P99 });
same_words!(resolution, Resolution => ApiResolution { Raw Minute Hour });
same_words!(storage_kind, Kind => StorageKind { Samples SampleMinutes SampleHours Flows FlowMinutes FlowHours Events ProbeResults });
same_words!(storage_state, DiskState => StorageState { Normal Warning ReadOnly });

/// An answer of the flow explorer.
pub(crate) fn exploration(
    from: Explored,
    by: Vec<HistoryDimension>,
    measure: HistoryMeasure,
    complete_until: Timestamp,
) -> Exploration {
    let group = |g: Group| history_group(g, &by);
    let edge = |e: netwatch_storage::Edge| HistoryEdge {
        level: u32::try_from(e.level).unwrap_or(u32::MAX),
        source: value(by.get(e.level).copied(), &e.from),
        target: value(by.get(e.level + 1).copied(), &e.to),
        total: e.total,
    };
    Exploration {
        from: from.from,
        to: from.to,
        step: from.step.map(|s| s.as_secs_f64()),
        resolution: resolution(from.resolution),
        measure,
        groups: from.groups.into_iter().map(group).collect(),
        other: group(from.other),
        total: group(from.total),
        complete_until,
        observed: from.observed.iter().map(|millis| std::time::Duration::from_millis(*millis).as_secs_f64()).collect(),
        previous: from.previous,
        edges: from.edges.into_iter().map(edge).collect(),
        short_by: from.short_by,
        partial_first: from.partial_first,
        partial_last: from.partial_last,
        by,
    }
}

fn history_group(g: Group, by: &[HistoryDimension]) -> HistoryGroup {
    HistoryGroup {
        key: g.key.iter().zip(by).map(|(v, dimension)| value(Some(*dimension), v)).collect(),
        total: g.total,
        octets_in: g.octets_in,
        octets_out: g.octets_out,
        points: g.points,
        points_in: g.points_in,
        points_out: g.points_out,
        summary: g.summary.map(|s| HistorySummary { min: s.min, avg: s.avg, p95: s.p95, max: s.max }),
        previous: g.previous,
    }
}

fn value(dimension: Option<HistoryDimension>, from: &Value) -> HistoryValue {
    let dimension = dimension.unwrap_or(HistoryDimension::Host);
    let (label, filter) = texts(dimension, from);
    HistoryValue { dimension, label, filter }
}

/// What people read, and the filter that selects it.
fn texts(dimension: HistoryDimension, value: &Value) -> (String, Option<String>) {
    let field = field(dimension);
    let is = |text: String| {
        let filter = field.map(|f| format!("{f} = {text}"));
        (text, filter)
    };
    match value {
        Value::Absent => ("none".to_owned(), field.map(|f| format!("{f} != any"))),
        Value::Address(address) => is(address.to_string()),
        Value::AnyPort(port) => is(port.to_string()),
        Value::Protocol(protocol) => is(protocol.to_string()),
        Value::Port(protocol, port) => {
            (format!("{port}/{protocol}"), Some(format!("protocol = {protocol} and dport = {port}")))
        }
        Value::Vlan(ids) if ids.is_empty() => ("none".to_owned(), Some("vlan != any".to_owned())),
        Value::Vlan(ids) => {
            let text = |between, write: fn(&u16) -> String| ids.iter().map(write).collect::<Vec<_>>().join(between);
            (text(".", ToString::to_string), Some(text(" and ", |id| format!("vlan = {id}"))))
        }
        Value::Agent(id) => (id.to_string(), None),
        Value::Text(text) => (text.to_string(), field.map(|f| format!("{f} = {}", quote(text.raw())))),
    }
}

/// The field of the filter language with the values of a dimension.
const fn field(dimension: HistoryDimension) -> Option<&'static str> {
    Some(match dimension {
        HistoryDimension::Host => "host",
        HistoryDimension::Source => "src",
        HistoryDimension::Destination => "dst",
        HistoryDimension::SourcePort => "sport",
        HistoryDimension::Port => "dport",
        HistoryDimension::Protocol => "protocol",
        HistoryDimension::Application => "application",
        HistoryDimension::Name => "name",
        HistoryDimension::Process => "process",
        HistoryDimension::User => "user",
        HistoryDimension::Container => "container",
        HistoryDimension::Interface => "interface",
        HistoryDimension::Vlan => "vlan",
        _ => return None,
    })
}

/// A stored flow record.
pub(crate) fn flow((by, record): &(AgentId, FlowRecord)) -> HistoryFlow {
    HistoryFlow { agent: by.to_string(), flow: Flow::from(record) }
}

/// A stored event.
pub(crate) fn event(from: &StoredEvent) -> HistoryEvent {
    HistoryEvent { agent: from.agent.to_string(), event: ApiEvent::new(0, &from.event) }
}

/// A series by name.
pub(crate) fn series(id: u32, key: &SeriesKey) -> SeriesName {
    let label = |label: &Label| {
        let (name, value) = match label {
            Label::Interface(name) => ("interface", name.to_string()),
            Label::Direction(direction) => ("direction", direction.as_str().to_owned()),
            Label::Protocol(word) => ("protocol", word.to_string()),
            Label::Application(word) => ("application", word.to_string()),
            Label::Reason(word) => ("reason", word.to_string()),
            Label::Name(_) => return None,
            Label::Other(name, value) => (&**name, value.to_string()),
        };
        Some(SeriesLabel { name: name.to_owned(), value })
    };
    SeriesName {
        id,
        metric: key.metric(),
        agent: key.agent.to_string(),
        labels: key.series.labels.iter().filter_map(label).collect(),
    }
}

/// A chart.
pub(crate) fn chart(from: Chart, aggregate: SeriesAggregate) -> SeriesChart {
    let line = |l: netwatch_storage::Line| ChartLine { series: series(l.number, &l.key), points: l.points };
    SeriesChart {
        from: from.from,
        step: from.step.as_secs_f64(),
        aggregate,
        resolution: resolution(from.resolution),
        lines: from.lines.into_iter().map(line).collect(),
        more: from.more,
        partial_first: from.partial_first,
        partial_last: from.partial_last,
    }
}

/// The room that everything takes.
pub(crate) fn storage(from: &Usage) -> Storage {
    let kind = |k: &netwatch_storage::KindUsage| StorageUsage {
        kind: storage_kind(k.kind),
        files: k.files,
        bytes: k.bytes,
        oldest: k.oldest,
        keep_seconds: k.keep.age.as_secs_f64(),
        keep_bytes: k.keep.bytes,
        bytes_per_day: k.bytes_per_day,
    };
    Storage {
        kinds: from.kinds.iter().map(kind).collect(),
        state: storage_state(from.disk.state),
        disk_total: from.disk.total,
        disk_free: from.disk.free,
        full_in_seconds: from.disk.full_in.map(|d| d.as_secs_f64()),
        series: from.series as u64,
        waiting: from.waiting as u64,
        set_aside: from.set_aside,
    }
}

#[cfg(test)]
mod tests {
    use netwatch_model::filter::Filter;
    use netwatch_model::{Protocol, Untrusted};

    use super::*;

    #[test]
    fn every_filter_can_be_parsed() {
        let values = [
            (HistoryDimension::Host, Value::Address("2001:db8::1".parse().unwrap())),
            (HistoryDimension::Port, Value::Port(Protocol(200), 53)),
            (HistoryDimension::SourcePort, Value::AnyPort(53)),
            (HistoryDimension::Protocol, Value::Protocol(Protocol::TCP)),
            (HistoryDimension::Vlan, Value::Vlan(vec![1, 2])),
            (HistoryDimension::Vlan, Value::Vlan(vec![])),
            (HistoryDimension::Process, Value::Absent),
            (HistoryDimension::User, Value::Text(Untrusted::new("a\"b\\ \u{202e}"))),
            (HistoryDimension::Name, Value::Text(Untrusted::new("<b>"))),
        ];
        for (dimension, of) in values {
            let made = value(Some(dimension), &of);
            let filter = made.filter.unwrap();
            assert!(Filter::parse(&filter).is_ok(), "{filter}");
            assert!(!made.label.contains('\u{202e}'));
        }
        assert_eq!(value(Some(HistoryDimension::SourceAsn), &Value::Absent).filter, None);
    }
}
