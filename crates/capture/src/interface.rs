//! The life of the interfaces that are to be captured: absent, down, capturing, and back again.
//!
//! [`Lifecycle`] is told what the kernel says about links ([`monitor`]) and how opening a ring went, and answers with
//! [`Action`]s. It reads no clock and opens nothing.
//!
//! ```text
//!             name appears          up             opened
//!   Absent ───────────────► Down ───────► Opening ─────────► Capturing ◄──┐
//!     ▲                      ▲            │    ▲                 │ down   │ up
//!     │                      └── down ────┤    │ retry           ▼        │
//!     │                                   └► Refused          Paused ─────┘
//!     └── deleted (from every state; the ring is closed) ────────┘
//! ```
//!
//! Rules:
//! - A slot is bound to a link by index. A renamed link goes on under the name that was asked for; whoever takes that name while
//!   the link lives is not captured. After the link is deleted, the next link of the wanted name is.
//! - A ring stays open while its link is down: the kernel goes on by itself, so that not a frame is lost when it is up again.
//! - A refused ring is asked for again after 0.25, 0.5 and then each second; only the first refusal in a row is an event.
//! - A gap is from the moment when nothing could be captured any more to the moment when it could be again, by the monotonic clock.
//!
//! Limits: 256 slots (the size of [`InterfaceIndex`]); 16 384 known links, beyond which new ones are not seen until others go.

use std::collections::BTreeMap;
use std::time::Duration;

use netwatch_model::{Event, EventKind, Severity, Untrusted};
use netwatch_telemetry::clock::Reading;

use crate::frame::InterfaceIndex;
use link::Link;
use monitor::News;

pub mod link;
pub mod monitor;

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Open rings on a link, then call [`Lifecycle::opened`] or [`Lifecycle::refused`].
    Open {
        /// For which slot.
        interface: InterfaceIndex,
        /// On what.
        link: Link,
    },
    /// Read what is left in the rings of a slot and close them.
    Close(InterfaceIndex),
    /// Tell.
    Emit(Event),
}

/// Why a ring could not be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// No right: the text tells the command that grants it.
    Denied,
    /// Anything else, which may pass.
    Failed,
}

/// The wanted interfaces and what is known of them.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    slots: Vec<Slot>,
    links: BTreeMap<u32, Link>,
    /// Whether the first snapshot has come: what is there then was not created now.
    settled: bool,
}

/// More links than this are not remembered.
const MAX_LINKS: usize = 16_384;
/// Waiting times after a first, second and later refusal in a row.
const RETRY: [Duration; 3] = [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1)];

impl Lifecycle {
    /// Wants the interfaces of these names; the slot of each is its place in the list. Names after the 256th are not wanted.
    #[must_use]
    pub fn new(names: &[Untrusted]) -> Self {
        let slot = |(index, name): (u8, &Untrusted)| Slot::new(InterfaceIndex(index), name.clone());
        Self { slots: (0..=u8::MAX).zip(names).map(slot).collect(), links: BTreeMap::new(), settled: false }
    }

    /// The kernel told something.
    pub fn news(&mut self, now: Reading, news: News) -> Vec<Action> {
        let mut actions = Vec::new();
        match news {
            News::Present(link) => self.present(now, link, &mut actions),
            News::Gone(index) => self.gone(now, index, &mut actions),
            News::Snapshot(links) => {
                let missing = |index: &&u32| !links.iter().any(|link| link.index == **index);
                let gone: Vec<u32> = self.links.keys().filter(missing).copied().collect();
                gone.into_iter().for_each(|index| self.gone(now, index, &mut actions));
                links.into_iter().for_each(|link| self.present(now, link, &mut actions));
                if !self.settled {
                    self.settled = true;
                    self.slots.iter_mut().for_each(|slot| slot.missing_at_start(now, &mut actions));
                }
            }
        }
        actions
    }

    /// The rings of a slot are open.
    pub fn opened(&mut self, now: Reading, interface: InterfaceIndex) -> Vec<Action> {
        self.slot(interface).map_or_else(Vec::new, |slot| slot.opened(now))
    }

    /// The rings of a slot could not be opened; `text` says why and what to do.
    pub fn refused(&mut self, now: Reading, interface: InterfaceIndex, refusal: Refusal, text: &str) -> Vec<Action> {
        self.slot(interface).map_or_else(Vec::new, |slot| slot.refused(now, refusal, text))
    }

    /// A ring of a slot is bound to nothing any more: the link was deleted. Netlink tells that too, soon or never; until then the
    /// ring is asked for again on the same number.
    pub fn ring_lost(&mut self, now: Reading, interface: InterfaceIndex) -> Vec<Action> {
        self.slot(interface).map_or_else(Vec::new, |slot| slot.ring_lost(now))
    }

    /// Asks again for rings that were refused, when it is time.
    pub fn tick(&mut self, now: Reading) -> Vec<Action> {
        self.slots.iter_mut().filter_map(|slot| slot.retry(now)).collect()
    }

    /// When [`Lifecycle::tick`] has something to do, on the monotonic clock.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Duration> {
        self.slots.iter().filter_map(Slot::deadline).min()
    }

    /// Whether frames of a slot can arrive: its rings are open and its link is up.
    #[must_use]
    pub fn is_capturing(&self, interface: InterfaceIndex) -> bool {
        let slot = self.slots.get(usize::from(interface.0));
        slot.is_some_and(|slot| matches!(slot.state, State::Capturing(_)))
    }

    fn slot(&mut self, interface: InterfaceIndex) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(interface.0))
    }

    fn present(&mut self, now: Reading, link: Link, actions: &mut Vec<Action>) {
        if self.links.len() >= MAX_LINKS && !self.links.contains_key(&link.index) {
            return;
        }
        for slot in &mut self.slots {
            slot.see(now, &link, self.settled, actions);
        }
        self.links.insert(link.index, link);
    }

    fn gone(&mut self, now: Reading, index: u32, actions: &mut Vec<Action>) {
        self.links.remove(&index);
        let bound = |slot: &&mut Slot| slot.bound().is_some_and(|link| link.index == index);
        let mut freed = Vec::new();
        for slot in self.slots.iter_mut().filter(bound) {
            slot.deleted(now, actions);
            freed.push(slot.interface);
        }
        // Another link may have taken the name while this one lived under a new name.
        freed.into_iter().for_each(|interface| self.adopt(now, interface, actions));
    }

    fn adopt(&mut self, now: Reading, interface: InterfaceIndex, actions: &mut Vec<Action>) {
        let Some(slot) = self.slots.get_mut(usize::from(interface.0)) else { return };
        if let Some(link) = self.links.values().find(|link| link.name == slot.name) {
            slot.see(now, link, self.settled, actions);
        }
    }
}

/// Where a slot stands.
#[derive(Clone, Debug)]
enum State {
    Absent,
    Down(Link),
    Opening(Link, usize),
    Refused(Link, usize, Duration),
    Capturing(Link),
    Paused(Link),
}

#[derive(Clone, Debug)]
struct Slot {
    interface: InterfaceIndex,
    name: Untrusted,
    state: State,
    /// Since when nothing is captured that was captured before.
    gap: Option<Duration>,
    started: bool,
}

impl Slot {
    const fn new(interface: InterfaceIndex, name: Untrusted) -> Self {
        Self { interface, name, state: State::Absent, gap: None, started: false }
    }

    const fn bound(&self) -> Option<&Link> {
        match &self.state {
            State::Absent => None,
            State::Down(link)
            | State::Opening(link, _)
            | State::Refused(link, _, _)
            | State::Capturing(link)
            | State::Paused(link) => Some(link),
        }
    }

    fn see(&mut self, now: Reading, link: &Link, settled: bool, actions: &mut Vec<Action>) {
        match self.bound() {
            Some(old) if old.index == link.index => {
                let old = old.clone();
                self.tell_changes(now, &old, link, actions);
            }
            None if link.name == self.name => {
                if settled {
                    actions.push(self.event(now, EventKind::InterfaceCreated, Severity::Info, "is there"));
                }
                if link.link.is_none() {
                    let text = format!("is of a kind ({}) whose frames cannot be read", link.hardware);
                    actions.push(self.event(now, EventKind::CaptureInterrupted, Severity::Critical, &text));
                } else if !link.up && !self.started {
                    let text = "is down; capture begins when it is up";
                    actions.push(self.event(now, EventKind::CaptureInterrupted, Severity::Warning, text));
                }
                self.state = State::Down(link.clone());
            }
            _ => return,
        }
        self.follow(now, link, actions);
    }

    fn tell_changes(&self, now: Reading, old: &Link, link: &Link, actions: &mut Vec<Action>) {
        if old.name != link.name {
            let text = format!("is now named {}; capture goes on", link.name);
            let event = self.event_of(now, EventKind::InterfaceRenamed, Severity::Info, &old.name, &text);
            actions.push(event);
        }
        let change = match ((old.up, old.running), (link.up, link.running)) {
            ((true, _), (false, _)) => Some((EventKind::InterfaceDown, "was taken down")),
            ((false, _), (true, _)) => Some((EventKind::InterfaceUp, "is up")),
            ((true, true), (true, false)) => Some((EventKind::InterfaceDown, "has lost its carrier")),
            ((true, false), (true, true)) => Some((EventKind::InterfaceUp, "has a carrier")),
            _ => None,
        };
        if let Some((kind, text)) = change {
            let severity = if kind == EventKind::InterfaceDown { Severity::Warning } else { Severity::Info };
            actions.push(self.event(now, kind, severity, text));
        }
    }

    /// Moves on with what is now known of the bound link.
    fn follow(&mut self, now: Reading, link: &Link, actions: &mut Vec<Action>) {
        let link = link.clone();
        self.state = match std::mem::replace(&mut self.state, State::Absent) {
            State::Down(_) if link.up && link.link.is_some() => {
                actions.push(Action::Open { interface: self.interface, link: link.clone() });
                State::Opening(link, 0)
            }
            State::Absent | State::Down(_) => State::Down(link),
            State::Refused(..) if !link.up => State::Down(link),
            State::Opening(_, attempt) => State::Opening(link, attempt),
            State::Refused(_, attempt, at) => State::Refused(link, attempt, at),
            State::Capturing(_) if !link.up => {
                self.interrupted(now, "nothing can be captured while it is down", actions);
                State::Paused(link)
            }
            State::Paused(_) if link.up => {
                actions.push(self.resumed(now));
                State::Capturing(link)
            }
            State::Capturing(_) => State::Capturing(link),
            State::Paused(_) => State::Paused(link),
        };
    }

    fn opened(&mut self, now: Reading) -> Vec<Action> {
        let State::Opening(link, _) = &self.state else { return Vec::new() };
        let link = link.clone();
        let mut actions = vec![if self.started {
            self.resumed(now)
        } else {
            self.event(now, EventKind::CaptureStarted, Severity::Info, "is captured")
        }];
        self.started = true;
        self.gap = None;
        // It may have gone down while the ring was being opened.
        let up = link.up;
        self.state = State::Capturing(link.clone());
        if !up {
            self.follow(now, &link, &mut actions);
        }
        actions
    }

    fn refused(&mut self, now: Reading, refusal: Refusal, text: &str) -> Vec<Action> {
        let State::Opening(link, attempt) = &self.state else { return Vec::new() };
        let (link, attempt) = (link.clone(), *attempt);
        let wait = RETRY.get(attempt).or(RETRY.last()).copied().unwrap_or_default();
        self.state = State::Refused(link, attempt + 1, now.monotonic + wait);
        if attempt > 0 {
            return Vec::new();
        }
        let (kind, severity) = match refusal {
            Refusal::Denied => (EventKind::CaptureDenied, Severity::Critical),
            Refusal::Failed => (EventKind::CaptureInterrupted, Severity::Warning),
        };
        vec![self.event(now, kind, severity, &format!("cannot be captured: {text}"))]
    }

    fn deleted(&mut self, now: Reading, actions: &mut Vec<Action>) {
        let state = std::mem::replace(&mut self.state, State::Absent);
        if matches!(state, State::Absent) {
            return;
        }
        actions.push(self.event(now, EventKind::InterfaceDeleted, Severity::Warning, "was deleted"));
        match state {
            State::Capturing(_) => {
                self.interrupted(now, "capture resumes when an interface of this name is there", actions);
                actions.push(Action::Close(self.interface));
            }
            State::Paused(_) | State::Opening(..) => actions.push(Action::Close(self.interface)),
            State::Absent | State::Down(_) | State::Refused(..) => {}
        }
    }

    fn ring_lost(&mut self, now: Reading) -> Vec<Action> {
        let link = match &self.state {
            State::Capturing(link) | State::Paused(link) => link.clone(),
            _ => return Vec::new(),
        };
        let mut actions = Vec::new();
        if matches!(self.state, State::Capturing(_)) {
            self.interrupted(now, "its packet socket is bound to nothing any more", &mut actions);
        }
        actions.push(Action::Close(self.interface));
        self.state = State::Refused(link, 1, now.monotonic + RETRY[0]);
        actions
    }

    fn retry(&mut self, now: Reading) -> Option<Action> {
        let State::Refused(link, attempt, at) = &self.state else { return None };
        if now.monotonic < *at {
            return None;
        }
        let (link, attempt) = (link.clone(), *attempt);
        self.state = State::Opening(link.clone(), attempt);
        Some(Action::Open { interface: self.interface, link })
    }

    const fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Refused(_, _, at) => Some(at),
            _ => None,
        }
    }

    fn missing_at_start(&mut self, now: Reading, actions: &mut Vec<Action>) {
        if matches!(self.state, State::Absent) {
            let text = "is not there; capture begins when it is";
            actions.push(self.event(now, EventKind::CaptureInterrupted, Severity::Warning, text));
        }
    }

    fn interrupted(&mut self, now: Reading, text: &str, actions: &mut Vec<Action>) {
        self.gap = Some(now.monotonic);
        actions.push(self.event(now, EventKind::CaptureInterrupted, Severity::Warning, text));
    }

    fn resumed(&mut self, now: Reading) -> Action {
        let gap = self.gap.take().map_or(Duration::ZERO, |since| now.monotonic.saturating_sub(since));
        let text = format!("is captured again after a gap of {:.3} s", gap.as_secs_f64());
        self.event(now, EventKind::CaptureResumed, Severity::Info, &text)
    }

    fn event(&self, now: Reading, kind: EventKind, severity: Severity, text: &str) -> Action {
        self.event_of(now, kind, severity, &self.name, text)
    }

    fn event_of(&self, now: Reading, kind: EventKind, severity: Severity, name: &Untrusted, text: &str) -> Action {
        let text = Untrusted::message(&format!("{name}: {text}"));
        Action::Emit(Event { time: now.wall, kind, severity, subject: self.name.clone(), text })
    }
}

#[cfg(test)]
mod tests;
