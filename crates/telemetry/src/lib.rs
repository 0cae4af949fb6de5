//! Netwatch's own metrics, logs, traces and health, as types.
//!
//! Why: a program that watches others must be watched itself, and in one way everywhere. What:
//! - [`clock`] is the only reader of the clock;
//! - [`logs`] writes log lines that are safe to look at;
//! - [`traces`] collects spans of its work, for whoever wants them;
//! - [`metrics`] is the registry behind `/metrics`;
//! - [`health`] is what works and what does not.
//!
//! Limits: nothing here sends anything anywhere; a surface above renders what these types hold.

pub mod clock;
pub mod health;
pub mod logs;
pub mod metrics;
pub mod traces;
