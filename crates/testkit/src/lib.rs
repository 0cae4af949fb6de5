//! Fake clock, frame builders, the network lab in namespaces

pub mod netns;
