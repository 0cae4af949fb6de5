//! The numbers that come out of probes: their names, units and meaning.
//!
//! Names follow the Prometheus conventions: base units, one meaning each. Every consumer (store, alerts, charts, scraping) takes them from
//! [`ProbeResult::measures`](super::ProbeResult::measures), never from a field by a string.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The unit of a metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProbeUnit)]
pub enum Unit {
    /// 0 or 1.
    Flag,
    /// A share, 0 to 1.
    Ratio,
    /// Seconds.
    Seconds,
    /// A number of things, or a code.
    Count,
    /// Octets.
    Octets,
    /// Bits per second.
    BitsPerSecond,
    /// A mean opinion score, 1 to 4.5.
    Score,
}

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $variant:ident = $name:literal, $unit:ident;)+) => {
        /// What a probe measures.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
        pub enum ProbeMetric {
            $($(#[doc = $help])+ #[serde(rename = $name)] $variant,)+
        }

        impl ProbeMetric {
            /// Every metric.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As Prometheus names it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Its unit.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$variant => Unit::$unit,)+ }
            }

            /// What it means.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => concat!($($help),+).trim_ascii_start(),)+ }
            }
        }
    };
}

metrics! {
    /// Whether the run succeeded.
    Success = "probe_success", Flag;
    /// The run says nothing about the target; such runs alone have it.
    Unknown = "probe_unknown", Flag;
    /// The run succeeded with a loss of 5 per cent or more; such runs alone have it.
    Degraded = "probe_degraded", Flag;
    /// How long the run took.
    Duration = "probe_duration_seconds", Seconds;
    /// How long the name of the target took to resolve.
    Lookup = "probe_dns_lookup_time_seconds", Seconds;
    /// Share of packets without an answer in time (RFC 6673).
    Loss = "probe_loss_ratio", Ratio;
    /// Packets sent.
    Sent = "probe_packets_sent", Count;
    /// Answers that came twice.
    Duplicates = "probe_duplicates", Count;
    /// Answers that came out of order (RFC 4737).
    Reordered = "probe_reordered", Count;
    /// Shortest round-trip time (RFC 2681).
    RttMin = "probe_rtt_min_seconds", Seconds;
    /// Mean round-trip time.
    RttMean = "probe_rtt_mean_seconds", Seconds;
    /// Median round-trip time.
    RttMedian = "probe_rtt_median_seconds", Seconds;
    /// 95th percentile of the round-trip time.
    RttP95 = "probe_rtt_p95_seconds", Seconds;
    /// Longest round-trip time.
    RttMax = "probe_rtt_max_seconds", Seconds;
    /// Standard deviation of the round-trip time.
    RttDeviation = "probe_rtt_deviation_seconds", Seconds;
    /// Interarrival jitter of the round trip (RFC 3550).
    Jitter = "probe_jitter_seconds", Seconds;
    /// 95th percentile of the delay variation (RFC 5481).
    PdvP95 = "probe_pdv_p95_seconds", Seconds;
    /// Hops to the target, or to the last hop that answered.
    Hops = "probe_trace_hops", Count;
    /// Whether the target itself answered the trace.
    Reached = "probe_trace_reached", Flag;
    /// Paths that the trace told apart.
    Paths = "probe_trace_paths", Count;
    /// Records in the answer of a name server.
    Answers = "probe_dns_answer_rrs", Count;
    /// Response code of a name server (RFC 1035, 4.1.1).
    ResponseCode = "probe_dns_rcode", Count;
    /// How long the query took.
    QueryTime = "probe_dns_query_seconds", Seconds;
    /// Status code of the last answer of HTTP.
    StatusCode = "probe_http_status_code", Count;
    /// HTTP: seconds to resolve.
    HttpResolve = "probe_http_resolve_seconds", Seconds;
    /// HTTP: seconds to connect.
    HttpConnect = "probe_http_connect_seconds", Seconds;
    /// HTTP: seconds of the TLS handshake.
    HttpTls = "probe_http_tls_seconds", Seconds;
    /// HTTP: seconds from the request to the head of the answer.
    HttpFirstByte = "probe_http_processing_seconds", Seconds;
    /// HTTP: seconds of the transfer of the answer.
    HttpTransfer = "probe_http_transfer_seconds", Seconds;
    /// HTTP: redirects that were followed.
    Redirects = "probe_http_redirects", Count;
    /// HTTP: octets of the body that were read.
    BodyOctets = "probe_http_body_bytes", Octets;
    /// Seconds until the certificate that expires first does so; negative when it has.
    CertificateExpiry = "probe_tls_expiry_seconds", Seconds;
    /// Seconds of the TLS handshake.
    TlsHandshake = "probe_tls_handshake_seconds", Seconds;
    /// Seconds to connect by TCP.
    Connect = "probe_connect_seconds", Seconds;
    /// How far the clock of the time server is ahead of ours (RFC 5905).
    ClockOffset = "probe_ntp_offset_seconds", Seconds;
    /// Stratum of the time server.
    Stratum = "probe_ntp_stratum", Count;
    /// Root distance of the time server (RFC 5905, 11.1).
    RootDistance = "probe_ntp_root_distance_seconds", Seconds;
    /// Numbers in the answer of an SNMP agent.
    SnmpValues = "probe_snmp_values", Count;
    /// Share of packets lost on the way there (RFC 7680).
    ForwardLoss = "probe_forward_loss_ratio", Ratio;
    /// Share of packets lost on the way back.
    ReverseLoss = "probe_reverse_loss_ratio", Ratio;
    /// Interarrival jitter on the way there (RFC 3550).
    ForwardJitter = "probe_forward_jitter_seconds", Seconds;
    /// Interarrival jitter on the way back.
    ReverseJitter = "probe_reverse_jitter_seconds", Seconds;
    /// Median one-way delay there (RFC 7679); only when the error of the clocks is known.
    ForwardDelay = "probe_forward_delay_seconds", Seconds;
    /// Median one-way delay back.
    ReverseDelay = "probe_reverse_delay_seconds", Seconds;
    /// Longest run of packets lost in a row on the way there.
    ForwardBurst = "probe_forward_loss_burst", Count;
    /// Longest run of packets lost in a row on the way back.
    ReverseBurst = "probe_reverse_loss_burst", Count;
    /// Voice quality there (ITU-T G.107).
    ForwardMos = "probe_forward_mos", Score;
    /// Voice quality back.
    ReverseMos = "probe_reverse_mos", Score;
    /// Payload carried to the target.
    ForwardRate = "probe_forward_bits_per_second", BitsPerSecond;
    /// Payload carried from the target.
    ReverseRate = "probe_reverse_bits_per_second", BitsPerSecond;
    /// TCP segments sent again.
    Retransmits = "probe_retransmits", Count;
    /// Round-trip time while the link was busy.
    LoadedRtt = "probe_loaded_rtt_seconds", Seconds;
    /// Share of the processors' time in which they were busy.
    HostCpu = "host_cpu_busy_ratio", Ratio;
    /// Tasks that ran or waited, mean over a minute.
    HostLoad = "host_load1", Count;
    /// Share of memory that is used.
    HostMemory = "host_memory_used_ratio", Ratio;
    /// Memory that is used.
    HostMemoryUsed = "host_memory_used_bytes", Octets;
    /// Swap space that is used.
    HostSwapUsed = "host_swap_used_bytes", Octets;
    /// Time since the host started.
    HostUptime = "host_uptime_seconds", Seconds;
    /// Share of a file system that is used, by `mount`.
    HostDisk = "host_disk_used_ratio", Ratio;
    /// What of a file system is used, by `mount`.
    HostDiskUsed = "host_disk_used_bytes", Octets;
    /// Octets received, by `interface`; grows until the interface is made anew.
    HostReceived = "host_network_receive_bytes_total", Octets;
    /// Octets sent, by `interface`.
    HostSent = "host_network_transmit_bytes_total", Octets;
    /// Packets with errors or dropped, by `interface`.
    HostFaults = "host_network_faults_total", Count;
    /// Interfaces that are up.
    HostInterfacesUp = "host_interfaces_up", Count;
    /// Routes of the main table.
    HostRoutes = "host_routes", Count;
}

/// One number of one run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Measure {
    /// What is measured.
    pub metric: ProbeMetric,
    /// How much, in the metric's unit.
    pub value: f64,
}

impl Measure {
    /// A number of a metric.
    #[must_use]
    pub const fn new(metric: ProbeMetric, value: f64) -> Self {
        Self { metric, value }
    }
}
