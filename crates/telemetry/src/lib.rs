//! Netwatch's own metrics, logs and health, as types
