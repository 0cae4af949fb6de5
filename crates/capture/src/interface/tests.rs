//! Lives of interfaces, told as the kernel tells them.

use super::link::MadeOf;
use super::*;
use crate::frame::LinkType;
use netwatch_model::Timestamp;

fn link(index: u32, name: &str, up: bool) -> Link {
    Link {
        index,
        name: Untrusted::new(name),
        up,
        running: up,
        loopback: false,
        mtu: 1500,
        station: None,
        link: Some(LinkType::Ethernet),
        hardware: 1,
        made_of: MadeOf::default(),
    }
}

const fn at(millis: u64) -> Reading {
    Reading { wall: Timestamp::from_secs(1_000_000), monotonic: Duration::from_millis(millis) }
}

const SLOT: InterfaceIndex = InterfaceIndex(0);

/// What the actions do, in few words.
fn words(actions: &[Action]) -> Vec<String> {
    let word = |action: &Action| match action {
        Action::Open { link, .. } => format!("open {}", link.index),
        Action::Close(_) => "close".to_owned(),
        Action::Emit(event) => format!("{:?}", event.kind),
    };
    actions.iter().map(word).collect()
}

fn texts(actions: &[Action]) -> Vec<String> {
    actions
        .iter()
        .filter_map(|a| if let Action::Emit(event) = a { Some(event.text.to_string()) } else { None })
        .collect()
}

/// A life cycle that captures link 5, `eth0`.
fn capturing() -> Lifecycle {
    let mut life = Lifecycle::new(&[Untrusted::new("eth0")]);
    let snapshot = vec![link(1, "lo", true), link(5, "eth0", true)];
    assert_eq!(words(&life.news(at(0), News::Snapshot(snapshot))), ["open 5"]);
    assert_eq!(words(&life.opened(at(0), SLOT)), ["CaptureStarted"]);
    life
}

#[test]
fn a_flap_keeps_the_ring_and_tells_the_gap() {
    let mut life = capturing();
    let down = life.news(at(1000), News::Present(link(5, "eth0", false)));
    assert_eq!(words(&down), ["InterfaceDown", "CaptureInterrupted"]);
    assert!(!life.is_capturing(SLOT));
    let up = life.news(at(2500), News::Present(link(5, "eth0", true)));
    assert_eq!(words(&up), ["InterfaceUp", "CaptureResumed"]);
    assert_eq!(texts(&up)[1], "eth0: is captured again after a gap of 1.500 s");
    assert!(life.is_capturing(SLOT));
}

#[test]
fn a_lost_carrier_is_an_event_and_no_gap() {
    let mut life = capturing();
    let lost = Link { running: false, ..link(5, "eth0", true) };
    assert_eq!(words(&life.news(at(1), News::Present(lost))), ["InterfaceDown"]);
    assert_eq!(words(&life.news(at(2), News::Present(link(5, "eth0", true)))), ["InterfaceUp"]);
}

#[test]
fn a_renamed_link_goes_on_and_its_old_name_is_free_only_after_it_is_deleted() {
    let mut life = capturing();
    assert_eq!(words(&life.news(at(1), News::Present(link(5, "wan0", true)))), ["InterfaceRenamed"]);
    assert_eq!(words(&life.news(at(2), News::Present(link(6, "eth0", true)))), [""; 0]);
    let gone = life.news(at(3), News::Gone(5));
    assert_eq!(words(&gone), ["InterfaceDeleted", "CaptureInterrupted", "close", "InterfaceCreated", "open 6"]);
    assert_eq!(words(&life.opened(at(13), SLOT)), ["CaptureResumed"]);
}

#[test]
fn deleted_and_created_again_resumes() {
    let mut life = capturing();
    let deleted = life.news(at(1000), News::Gone(5));
    assert_eq!(words(&deleted), ["InterfaceDeleted", "CaptureInterrupted", "close"]);
    assert_eq!(words(&life.news(at(1900), News::Present(link(9, "eth0", false)))), ["InterfaceCreated"]);
    assert_eq!(words(&life.news(at(2000), News::Present(link(9, "eth0", true)))), ["InterfaceUp", "open 9"]);
    let resumed = life.opened(at(2010), SLOT);
    assert_eq!(texts(&resumed), ["eth0: is captured again after a gap of 1.010 s"]);
}

#[test]
fn a_snapshot_tells_what_went_while_nobody_listened() {
    let mut life = capturing();
    let actions = life.news(at(10), News::Snapshot(vec![link(1, "lo", true), link(7, "eth0", true)]));
    assert_eq!(words(&actions), ["InterfaceDeleted", "CaptureInterrupted", "close", "InterfaceCreated", "open 7"]);
    let mut life = capturing();
    assert!(life.news(at(10), News::Snapshot(vec![link(5, "eth0", true)])).is_empty(), "nothing has changed");
}

#[test]
fn a_refused_ring_is_asked_for_again_and_told_once() {
    let mut life = Lifecycle::new(&[Untrusted::new("eth0")]);
    life.news(at(0), News::Snapshot(vec![link(5, "eth0", true)]));
    assert_eq!(words(&life.refused(at(0), SLOT, Refusal::Denied, "no right")), ["CaptureDenied"]);
    assert!(!life.is_capturing(SLOT));
    assert_eq!(life.next_deadline(), Some(Duration::from_millis(250)));
    assert!(life.tick(at(249)).is_empty());
    assert_eq!(words(&life.tick(at(250))), ["open 5"]);
    assert!(life.refused(at(250), SLOT, Refusal::Denied, "no right").is_empty(), "told once");
    assert_eq!(words(&life.tick(at(750))), ["open 5"]);
    assert_eq!(words(&life.opened(at(750), SLOT)), ["CaptureStarted"]);
    assert_eq!(life.next_deadline(), None);
}

#[test]
fn a_lost_ring_is_opened_again_when_netlink_says_nothing() {
    let mut life = capturing();
    assert_eq!(words(&life.ring_lost(at(0), SLOT)), ["CaptureInterrupted", "close"]);
    assert_eq!(words(&life.tick(at(250))), ["open 5"]);
    assert_eq!(words(&life.opened(at(260), SLOT)), ["CaptureResumed"]);
    assert_eq!(words(&life.ring_lost(at(300), SLOT)), ["CaptureInterrupted", "close"]);
    assert_eq!(words(&life.news(at(301), News::Gone(5))), ["InterfaceDeleted"], "the ring is closed already");
}

#[test]
fn absent_down_or_unreadable_at_the_start_is_told() {
    let mut life = Lifecycle::new(&["gone0", "down0", "wifi0"].map(Untrusted::new));
    let monitor = Link { link: None, hardware: 803, ..link(3, "wifi0", true) };
    let actions = life.news(at(0), News::Snapshot(vec![link(2, "down0", false), monitor]));
    assert_eq!(
        texts(&actions),
        [
            "down0: is down; capture begins when it is up",
            "wifi0: is of a kind (803) whose frames cannot be read",
            "gone0: is not there; capture begins when it is",
        ]
    );
    assert_eq!(words(&life.news(at(5), News::Present(link(2, "down0", true)))), ["InterfaceUp", "open 2"]);
}

#[test]
fn a_link_that_goes_down_while_its_ring_is_opened_is_paused() {
    let mut life = Lifecycle::new(&[Untrusted::new("eth0")]);
    life.news(at(0), News::Snapshot(vec![link(5, "eth0", true)]));
    assert_eq!(words(&life.news(at(1), News::Present(link(5, "eth0", false)))), ["InterfaceDown"]);
    assert_eq!(words(&life.opened(at(2), SLOT)), ["CaptureStarted", "CaptureInterrupted"]);
    assert_eq!(words(&life.news(at(3), News::Present(link(5, "eth0", true)))), ["InterfaceUp", "CaptureResumed"]);
}
