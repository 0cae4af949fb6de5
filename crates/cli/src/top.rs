//! `netwatch top`: the web app's Overview and Traffic in a terminal.
//!
//! ```text
//! server ─WebSocket─► link (one runtime thread) ─► bounded queue ─► State::update ─► view::render
//! keyboard ─────────────────────────────────────────────────────► State::key ──► what is subscribed ─► link
//! ```
//!
//! [`state`] is plain: inputs in, the wanted subscriptions out; [`view`] draws a state and nothing else, so that both are tested
//! without a terminal. [`shell`] owns the terminal and puts it back on return, panic and signals. [`link`] owns the connection.
//!
//! Limits: 120 seconds of rates, 200 flows, 100 talkers, 20 events; when the terminal is slow, frames are skipped, never queued.

pub mod link;
pub mod shell;
pub mod state;
pub mod theme;
pub mod view;

#[cfg(test)]
mod tests;
