//! The whole server over real TCP: every route, every refusal, the stream.

mod agents;
mod api;
mod blackbox;
mod contract;
mod data;
mod declare;
mod gate;
mod hostile;
mod manage;
mod matrix;
mod network_map;
mod networks;
mod oidc;
mod passkeys;
mod people;
mod probes;
mod programs;
mod session;
mod storage;
mod stream;
mod support;
mod traces;
mod uptime;
mod views;
mod web;
