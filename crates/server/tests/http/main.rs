//! The whole server over real TCP: every route, every refusal, the stream.

mod api;
mod contract;
mod data;
mod declare;
mod gate;
mod hostile;
mod oidc;
mod programs;
mod session;
mod stream;
mod support;
mod web;
