//! The link to the server, as logic alone: takes times and what happened, says what to do next.
//!
//! - [`course`]: when to connect, how long to wait after an end, and when to give up.
//! - [`window`]: which batches may be sent, so that what waited on disk never holds up what is new.
//! - [`clock`]: how far this host's clock is from the server's.
//!
//! No socket, no clock, no task: the shell around it is [`session`](crate::session).

pub mod clock;
pub mod course;
pub mod window;
