//! Comma-separated values (RFC 4180), safe to open in a spreadsheet.

use std::io::{self, Write};

/// The columns of a flow, by their path in the API's JSON.
#[cfg(feature = "server")]
pub const FLOW: &[&str] = &[
    "id",
    "source",
    "source_port",
    "destination",
    "destination_port",
    "protocol",
    "vlan",
    "packets",
    "reverse_packets",
    "octets",
    "reverse_octets",
    "l2_octets",
    "reverse_l2_octets",
    "octets_in",
    "octets_out",
    "start",
    "end",
    "end_reason",
    "state",
    "application",
    "name",
    "name_source",
    "interface",
    "icmp_id",
    "tunnel.kind",
    "tunnel.id",
    "tcp.flags",
    "tcp.reverse_flags",
    "tcp.server_rtt",
    "tcp.client_rtt",
    "tcp.response_time",
    "tcp.retransmitted",
    "tcp.reverse_retransmitted",
    "process.pid",
    "process.name",
    "process.user",
    "process.container",
    "conversations",
];

/// Writes one line.
///
/// # Errors
/// When the output cannot be written.
pub fn line<T: AsRef<str>>(out: &mut impl Write, cells: impl IntoIterator<Item = T>) -> io::Result<()> {
    for (i, cell) in cells.into_iter().enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        out.write_all(field(cell.as_ref()).as_bytes())?;
    }
    out.write_all(b"\r\n")
}

/// One cell: quoted when it must be; what a spreadsheet would run as a formula gets an apostrophe in front.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !formula && !text.contains([',', '"', '\r', '\n']) {
        return text.to_owned();
    }
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_defused() {
        assert_eq!(field("plain 1=1"), "plain 1=1");
        assert_eq!(field("a,\"b\"\r\n"), "\"a,\"\"b\"\"\r\n\"");
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(field(text), format!("\"'{text}\""));
        }
    }
}
