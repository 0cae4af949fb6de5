//! What `netwatch quality` and `netwatch reflector` can be told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use netwatch_egress::Network;
use netwatch_model::filter::{Kind, parse_value};
use netwatch_model::voice::Codec;

use super::Format;

/// `netwatch quality`
#[derive(Args, Debug)]
pub struct QualityArgs {
    /// One-way delay from mouth to ear, with a unit: network, packetisation and jitter buffer
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = duration)]
    pub delay: Duration,
    /// Packets that the listener does not hear, in per cent
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = percent)]
    pub loss: f64,
    /// Mean length of a run of lost packets over that of random loss; at least 1
    #[arg(long, value_name = "RATIO", default_value = "1", value_parser = burst_ratio)]
    pub burst_ratio: f64,
    /// g711-plc, g711, g729a, g723.1 or gsm-efr
    #[arg(long, value_name = "CODEC", default_value = "g711-plc")]
    pub codec: Codec,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: Format,
}

/// `netwatch reflector`
#[derive(Args, Debug)]
pub struct ReflectorArgs {
    /// Addresses with ports, separated by commas; 862 is the port of STAMP
    #[arg(long, value_name = "ADDR:PORT", value_delimiter = ',', default_value = "127.0.0.1:862")]
    pub listen: Vec<SocketAddr>,
    /// Networks whose packets are answered, separated by commas [default: this host alone]
    #[arg(long, value_name = "NET", value_delimiter = ',')]
    pub allow: Vec<Network>,
    /// File with the shared key; packets that are not authentic are not answered
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Packets a second of one source that are answered
    #[arg(long, value_name = "N", default_value = "5000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate: u32,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_value(Kind::Duration, text).map(Duration::from_nanos)
}

/// A share, from a number with a per cent sign.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').or_else(|| (text == "0").then_some(text));
    let number = number.and_then(|number| number.trim().parse::<f64>().ok()).filter(|n| (0.0..=100.0).contains(n));
    number.map(|n| n / 100.0).ok_or_else(|| "expected per cent from 0 % to 100 %, for example 1%".to_owned())
}

fn burst_ratio(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 1.0);
    number.ok_or_else(|| "expected a number of at least 1, which is random loss".to_owned())
}
