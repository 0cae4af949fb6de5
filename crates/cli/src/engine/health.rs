//! How the parts of this process are, for `/readyz`.

use netwatch_capture::driver::CaptureError;
use netwatch_telemetry::clock::now;
use netwatch_telemetry::health::{Component, Health, Importance, State};

use crate::failure::one_line;

/// Watches the parts.
#[derive(Clone, Debug)]
pub struct Watch {
    /// What the server reports.
    pub health: Health,
    capture: Component,
    from_file: bool,
}

impl Watch {
    /// Everything is well so far, unless the right to capture is `missing`: the command that grants it.
    ///
    /// # Errors
    /// When there are too many components, which is a defect.
    pub fn new(from_file: bool, missing: Option<&str>) -> anyhow::Result<Self> {
        let health = Health::new();
        let capture = health.component("capture", Importance::Optional, now())?;
        let grant = |command| State::Degraded(format!("capturing is not allowed: run {command} and start again"));
        capture.set(missing.map_or(State::Ok, grant), now());
        Ok(Self { health, capture, from_file })
    }

    /// Capture has ended: a file may, an interface should not.
    pub fn capture_ended(&self, result: &Result<(), CaptureError>) {
        let state = match result {
            Ok(()) => State::Ok,
            Err(error) if self.from_file => State::Degraded(one_line(error)),
            Err(error) => State::Failed(one_line(error)),
        };
        self.capture.set(state, now());
    }
}
