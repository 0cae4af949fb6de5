//! Frames from an AF_PACKET ring or a capture file to flow records, rates and talkers.

pub mod apps;
pub mod bpf;
pub mod config;
pub mod dissect;
pub mod driver;
pub mod file;
pub mod fragment;
pub mod frame;
pub mod inspect;
pub mod interface;
pub mod names;
mod os;
pub mod process;
pub mod rates;
pub mod ring;
pub mod source;
pub mod table;
pub mod tcp;
pub mod worker;
pub mod writer;
