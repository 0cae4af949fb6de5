//! What each page looks like at 80x24, and what each key does.

use std::time::Duration;

use netwatch_api::event::Event;
use netwatch_api::flow::{Flow, FlowProcess, FlowSort};
use netwatch_api::interface::{CaptureState, Interface};
use netwatch_api::statistics::Statistics;
use netwatch_api::stream::{Data, Topic};
use netwatch_api::traffic::{Dimension, Layer, Points, RateSeries, Rates, Talker, Top, TopSort};
use netwatch_model::{EventKind, Severity, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::state::{Input, Key, LinkState, Reaction, State, Tab};
use super::theme::{Depth, Theme};
use super::view::render;

const NOW: i64 = 1_700_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(NOW + second)
}

/// The screen as text, one line a row.
fn screen(state: &State, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|f| render(f, state, &Theme::new(Depth::None))).unwrap();
    let buffer = terminal.backend().buffer();
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(row).collect::<Vec<_>>().join("\n")
}

fn flow(n: u8, application: &str, name: Option<&str>, end_reason: Option<&str>) -> Flow {
    Flow {
        id: format!("{n:016x}"),
        source: format!("10.0.0.{n}"),
        destination: if n == 3 { "2001:db8::1".into() } else { "192.0.2.1".into() },
        source_port: 40_000 + u16::from(n),
        destination_port: 443,
        protocol: 6,
        vlan: vec![],
        packets: 10,
        reverse_packets: 20,
        octets: 1000 * u64::from(n),
        reverse_octets: 1_234_567,
        l2_octets: 0,
        reverse_l2_octets: 0,
        start: at(-30),
        end: at(if n == 2 { -20 } else { -1 }),
        end_reason: end_reason.map(str::to_owned),
        application: application.into(),
        name: name.map(str::to_owned),
        name_source: None,
        interface: "eth0".into(),
        state: "established".into(),
        icmp_id: None,
        tunnel: None,
        tcp: None,
        process: Some(FlowProcess { pid: 1, name: "curl".into(), user: "root".into(), container: None }),
        octets_in: 0,
        octets_out: 0,
        conversations: 1,
    }
}

fn talker(label: &str, octets: u64) -> Talker {
    let (octets_in, octets_out) = (octets / 4 * 3, octets / 4);
    Talker {
        key: label.into(),
        label: label.into(),
        octets,
        packets: octets / 1000,
        octets_in,
        octets_out,
        flows: 3,
        ..Talker::default()
    }
}

fn rates() -> Rates {
    let points = |scale: u64| Points { octets: (0..60).map(|i| Some(i * scale)).collect(), packets: vec![] };
    let series = RateSeries {
        key: "eth0".into(),
        label: "eth0".into(),
        other: false,
        inbound: points(20_000),
        outbound: points(5_000),
    };
    Rates {
        from: at(-60),
        to: at(0),
        step: 1.0,
        by: Dimension::Interface,
        layer: Layer::L2,
        series: vec![series],
        losses: Default::default(),
        incomplete: false,
        oldest: None,
    }
}

fn interface(name: &str, state: CaptureState, kernel_drops: u64) -> Interface {
    Interface {
        name: name.into(),
        state,
        detail: (state == CaptureState::Denied).then(|| "run `sudo setcap …`".to_owned()),
        frames: 123_456,
        octets_in: 1,
        octets_out: 1,
        packets_in: 1,
        packets_out: 1,
        rate_in: 1_180_000,
        rate_out: 295_000,
        kernel_drops,
        ring_fill: 0.07,
        last_seen: None,
    }
}

fn statistics() -> Statistics {
    let mut s = Statistics { now: at(0), sources: vec!["eth0".into(), "wlan0".into()], ..Statistics::default() };
    (s.capture.packets, s.capture.kernel_drops) = (1_234_567, 42);
    (s.table.active, s.table.capacity, s.store.archived_flows) = (1500, 1_000_000, 98_765);
    s.process.resident_bytes = 43_000_000;
    s
}

/// A state as it is after some frames, with hostile names among them.
fn filled() -> State {
    let mut state = State::new(String::new());
    let now = Duration::from_secs(100);
    let top = Top {
        by: Dimension::Host,
        from: at(-60),
        to: at(0),
        items: vec![
            talker("10.0.0.1 (laptop)", 70_000_000),
            talker("<b>x\u{202e}\x1b[31m", 1_200_000),
            talker("2001:db8::1", 999),
        ],
        other: talker("", 5000),
        total: talker("", 71_205_999),
        error_octets: 0,
    };
    let event = |id, severity, text: &str| Event {
        id,
        time: at(-10),
        kind: EventKind::CaptureStarted,
        severity,
        subject: "eth0".into(),
        text: text.into(),
    };
    let events = vec![
        event(1, Severity::Info, "capture started"),
        event(2, Severity::Warning, "12 frames were dropped $(reboot)"),
    ];
    let flows = vec![
        flow(1, "https", Some("www.example.com"), None),
        flow(2, "https", Some("evil\u{202e}\x1b]0;x"), None),
        flow(3, "unknown", None, Some("idle_timeout")),
    ];
    for data in [
        Data::Rates(rates()),
        Data::Talkers(top),
        Data::Flows(flows),
        Data::Events(events),
        Data::Statistics(Box::new(statistics())),
    ] {
        state.update(now, Input::Data(Box::new(data)));
    }
    state.update(now, Input::Link(LinkState::Live));
    let interfaces =
        vec![interface("eth0", CaptureState::Capturing, 42), interface("$(reboot)", CaptureState::Denied, 0)];
    state.update(now, Input::Interfaces(interfaces));
    state
}

fn press(state: &mut State, keys: &str) -> Reaction {
    keys.chars().fold(Reaction::Draw, |_, c| state.key(Duration::from_secs(100), Key::Char(c)))
}

#[test]
fn overview() {
    insta::assert_snapshot!(screen(&filled(), 80, 24));
}

#[test]
fn talkers() {
    let mut state = filled();
    press(&mut state, "2j");
    insta::assert_snapshot!(screen(&state, 80, 24));
}

#[test]
fn flows() {
    let mut state = filled();
    press(&mut state, "3");
    insta::assert_snapshot!(screen(&state, 80, 24));
}

#[test]
fn flows_on_a_wide_terminal() {
    let mut state = filled();
    press(&mut state, "3Sb");
    insta::assert_snapshot!(screen(&state, 140, 12));
}

#[test]
fn interfaces() {
    let mut state = filled();
    press(&mut state, "4j");
    insta::assert_snapshot!(screen(&state, 80, 24));
}

#[test]
fn help_over_the_page() {
    let mut state = filled();
    press(&mut state, "?");
    insta::assert_snapshot!(screen(&state, 80, 24));
}

#[test]
fn before_the_first_frame_and_after_a_break() {
    insta::assert_snapshot!("connecting", screen(&State::new("tcp".into()), 80, 14));
    let mut state = filled();
    let why = "no server answers at 127.0.0.1:8470; trying again".to_owned();
    state.update(Duration::from_secs(101), Input::Link(LinkState::Lost(why)));
    insta::assert_snapshot!("lost", screen(&state, 80, 14));
    assert!(screen(&state, 40, 5).contains("too small"));
}

#[test]
fn typing_a_filter_shows_what_is_wrong_and_applies_what_is_right() {
    let mut state = filled();
    press(&mut state, "/prot 443");
    let foot = |state: &State| screen(state, 80, 24).lines().last().unwrap_or_default().to_owned();
    assert_eq!(foot(&state), "/prot 443   ▲ there is no field `prot`: did you mean `port`?");
    assert_eq!(state.key(Duration::ZERO, Key::Enter), Reaction::Draw, "a wrong filter is not applied");
    for _ in 0..4 {
        state.key(Duration::ZERO, Key::Left);
    }
    state.key(Duration::ZERO, Key::Backspace);
    state.key(Duration::ZERO, Key::Backspace);
    press(&mut state, "rt\u{202e}");
    assert_eq!(state.key(Duration::ZERO, Key::Enter), Reaction::Draw, "prrt");
    state.key(Duration::ZERO, Key::Control('u'));
    press(&mut state, "port 443");
    assert_eq!(state.key(Duration::ZERO, Key::Enter), Reaction::Ask);
    assert_eq!(foot(&state), "filter: port = 443  Esc: all");
    assert_eq!(state.key(Duration::ZERO, Key::Escape), Reaction::Ask);
    assert!(state.filter.is_empty());
}

#[test]
fn keys_change_what_is_asked_for() {
    let topic = |state: &State, id: &str| state.subscriptions().into_iter().find(|(i, _)| *i == id).unwrap().1;
    let mut state = State::new("tcp".into());
    assert_eq!(press(&mut state, "3s"), Reaction::Ask);
    let Topic::Flows { filter, sort, .. } = topic(&state, "flows") else { panic!() };
    assert_eq!((filter.as_deref(), sort), (Some("active and (tcp)"), FlowSort::Packets));
    assert_eq!(press(&mut state, "t"), Reaction::Ask);
    let Topic::Flows { filter, .. } = topic(&state, "flows") else { panic!() };
    assert_eq!(filter.as_deref(), Some("tcp"));
    assert_eq!(press(&mut state, "a"), Reaction::Ask);
    assert_eq!(state.tab, Tab::Talkers);
    press(&mut state, "s");
    let Topic::Talkers { by, sort, .. } = topic(&state, "talkers") else { panic!() };
    assert_eq!((by, sort), (Dimension::Process, TopSort::Packets));
    assert_eq!(press(&mut state, "S"), Reaction::Draw);
}

#[test]
fn quitting_asks_once() {
    let mut state = filled();
    assert_eq!(press(&mut state, "q"), Reaction::Draw);
    assert!(screen(&state, 80, 24).contains("Quit?"));
    assert_eq!(press(&mut state, "j"), Reaction::Draw);
    assert_eq!(press(&mut state, "q"), Reaction::Draw, "another key has taken it back");
    assert_eq!(press(&mut state, "q"), Reaction::Quit);
    assert_eq!(state.key(Duration::ZERO, Key::Control('c')), Reaction::Quit);
    assert!(state.update(Duration::ZERO, Input::Quit));
}

#[test]
fn a_paused_page_stands_still() {
    let mut state = filled();
    press(&mut state, "p");
    let before = state.flows.clone();
    state.update(Duration::from_secs(101), Input::Data(Box::new(Data::Flows(vec![]))));
    assert_eq!(state.flows, before);
    assert!(screen(&state, 80, 24).contains("‖ paused"));
}

#[test]
fn silence_is_shown() {
    let mut state = filled();
    assert!(!state.is_stale());
    state.now += Duration::from_secs(4);
    assert!(screen(&state, 80, 24).contains("◌ no data"));
}
