//! Tells when capture runs, or why it does not: the link is shown no earlier, so that nothing that happens after it is missed.

use netwatch_model::{EventKind, Record, Untrusted};
use tokio::sync::oneshot;

/// What the interfaces that are not captured yet said of it.
pub type Refusals = Vec<Untrusted>;

/// Looks for the first word of each interface among the records of capture.
#[derive(Debug)]
pub struct Starting {
    waiting: Vec<Untrusted>,
    refusals: Refusals,
    tell: Option<oneshot::Sender<Refusals>>,
}

impl Starting {
    /// Waits for these interfaces; a capture file has none. Nothing comes out when capture ends before all have spoken.
    pub fn new(waiting: Vec<Untrusted>) -> (Self, oneshot::Receiver<Refusals>) {
        let (tell, told) = oneshot::channel();
        let mut starting = Self { waiting, refusals: Vec::new(), tell: Some(tell) };
        starting.tell_when_all_spoke();
        (starting, told)
    }

    /// Records of capture.
    pub fn see(&mut self, records: &[Record]) {
        if self.tell.is_none() {
            return;
        }
        for record in records {
            let Record::Event(event) = record else { continue };
            let refused = match event.kind {
                EventKind::CaptureStarted => false,
                EventKind::CaptureDenied | EventKind::CaptureInterrupted => true,
                _ => continue,
            };
            let before = self.waiting.len();
            self.waiting.retain(|name| *name != event.subject);
            // The command that grants a missing right is told once, for all.
            if refused && self.waiting.len() < before && event.kind != EventKind::CaptureDenied {
                self.refusals.push(event.text.clone());
            }
        }
        self.tell_when_all_spoke();
    }

    fn tell_when_all_spoke(&mut self) {
        if self.waiting.is_empty()
            && let Some(tell) = self.tell.take()
        {
            // Nobody waits any more when the process is ending.
            let _ = tell.send(std::mem::take(&mut self.refusals));
        }
    }
}

#[cfg(test)]
mod tests {
    use netwatch_model::{Event, Severity, Timestamp};

    use super::*;

    fn event(kind: EventKind, name: &str) -> Record {
        let (time, severity) = (Timestamp::ZERO, Severity::Info);
        Record::Event(Event {
            time,
            kind,
            severity,
            subject: name.into(),
            text: format!("{name}: said").as_str().into(),
        })
    }

    #[test]
    fn it_is_told_when_each_has_spoken_once() {
        let (mut starting, mut told) = Starting::new(vec!["a".into(), "b".into(), "c".into()]);
        starting.see(&[event(EventKind::CaptureInterrupted, "a"), event(EventKind::InterfaceUp, "b")]);
        starting.see(&[event(EventKind::CaptureStarted, "a"), event(EventKind::CaptureDenied, "c")]);
        assert!(told.try_recv().is_err(), "b has said nothing");
        starting.see(&[event(EventKind::CaptureStarted, "b"), event(EventKind::CaptureInterrupted, "b")]);
        assert_eq!(told.try_recv(), Ok(vec!["a: said".into()]));
    }

    #[test]
    fn a_file_runs_at_once_and_an_early_end_tells_nothing() {
        assert_eq!(Starting::new(Vec::new()).1.try_recv(), Ok(Vec::new()));
        let (starting, mut told) = Starting::new(vec!["a".into()]);
        drop(starting);
        assert_eq!(told.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }
}
