//! Where data comes from: interfaces and files, as their events tell.

use std::sync::Arc;

use netwatch_api::interface::CaptureState;
use netwatch_model::{Event, EventKind, Untrusted};

/// Interfaces and files that are remembered.
const MOST: usize = 1024;

/// An interface or file.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its name.
    pub(crate) name: Untrusted,
    /// Whether frames arrive.
    pub(crate) state: CaptureState,
    /// Why not, and what to do.
    pub(crate) detail: Option<Untrusted>,
}

/// All of them, in the order in which they were first heard of.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources(Arc<Vec<Source>>);

impl Sources {
    /// For readers.
    pub(super) fn view(&self) -> Arc<Vec<Source>> {
        Arc::clone(&self.0)
    }

    /// Notes what an event tells.
    pub(super) fn note(&mut self, event: &Event) {
        let state = match event.kind {
            EventKind::CaptureStarted | EventKind::CaptureResumed => CaptureState::Capturing,
            EventKind::CaptureInterrupted => CaptureState::Interrupted,
            EventKind::CaptureDenied => CaptureState::Denied,
            EventKind::CaptureStopped => CaptureState::Ended,
            _ => return,
        };
        let detail = (state != CaptureState::Capturing).then(|| event.text.clone());
        let sources = Arc::make_mut(&mut self.0);
        if let Some(known) = sources.iter_mut().find(|s| s.name == event.subject) {
            (known.state, known.detail) = (state, detail);
        } else if sources.len() < MOST {
            sources.push(Source { name: event.subject.clone(), state, detail });
        }
    }
}
