//! Events: something happened.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, Untrusted};

/// How much it matters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Data is incomplete, or soon will be.
    Warning,
    /// Something does not work.
    Critical,
}

/// What happened. The word in `snake_case` is the event's type in every surface.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Capture runs on an interface or file.
    CaptureStarted,
    /// Capture ended, because it was told to or the file is at its end.
    CaptureStopped,
    /// Nothing can be captured until the interface is back.
    CaptureInterrupted,
    /// Capture runs again; the text tells how long the gap was.
    CaptureResumed,
    /// The interface went down.
    InterfaceDown,
    /// The interface came up.
    InterfaceUp,
    /// The interface has a new name.
    InterfaceRenamed,
    /// The interface is gone.
    InterfaceDeleted,
    /// The interface, or one of its name, is there again.
    InterfaceCreated,
    /// Netwatch may not capture: the text tells the command that grants it.
    CaptureDenied,
    /// The kernel dropped frames.
    FramesDropped,
    /// The flow table is full: new conversations are counted in "other".
    FlowTableFull,
    /// Records were thrown away on the way to the server.
    RecordsDropped,
    /// The wall clock was stepped by more than two seconds.
    ClockStepped,
    /// A capture file has a damaged or cut part.
    FileDamaged,
    /// The configuration was read again; the text tells what changed, and what waits for a restart.
    ConfigurationReloaded,
    /// A configuration was refused; everything stays as it was.
    ConfigurationRefused,
    /// A program reported it.
    External,
    /// A file of the store was damaged and set aside; the text tells what is lost.
    StoreDamaged,
    /// The disk of the store is filling up.
    DiskLow,
    /// The disk of the store is nearly full: nothing new is stored.
    DiskFull,
    /// The disk of the store has room again.
    DiskRecovered,
    /// The route of a probe to its target is another one; the subject is the probe's id.
    RouteChanged,
    /// Two processes use the key of an agent at once.
    AgentCloned,
    /// An agent was not heard of for longer than it may.
    AgentOffline,
    /// An agent that was offline is heard of again.
    AgentOnline,
}

/// Something that happened to a subject.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// What.
    pub kind: EventKind,
    /// How much it matters.
    pub severity: Severity,
    /// To what: an interface, a file.
    pub subject: Untrusted,
    /// One sentence for people, which may carry names from the network.
    pub text: Untrusted,
}
