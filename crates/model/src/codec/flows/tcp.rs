//! What TCP tells, as bytes: times, then flags, then counts, those of the responder after those of the initiator.

use super::super::DecodeError;
use super::super::bytes::{Reader, put};
use super::{put_time, time};
use crate::TcpMetrics;

pub(super) fn put_metrics(out: &mut Vec<u8>, m: &TcpMetrics) {
    [m.server_rtt, m.client_rtt, m.response_time].into_iter().for_each(|time| put_time(out, time));
    out.extend([m.flags, m.reverse_flags]);
    let counts = [
        m.retransmitted,
        m.reverse_retransmitted,
        m.out_of_order,
        m.reverse_out_of_order,
        m.duplicates,
        m.reverse_duplicates,
        m.zero_windows,
        m.reverse_zero_windows,
    ];
    counts.into_iter().for_each(|count| put(out, count.into()));
}

pub(super) fn metrics(reader: &mut Reader<'_>) -> Result<TcpMetrics, DecodeError> {
    Ok(TcpMetrics {
        server_rtt: time(reader)?,
        client_rtt: time(reader)?,
        response_time: time(reader)?,
        flags: reader.byte()?,
        reverse_flags: reader.byte()?,
        retransmitted: reader.small()?,
        reverse_retransmitted: reader.small()?,
        out_of_order: reader.small()?,
        reverse_out_of_order: reader.small()?,
        duplicates: reader.small()?,
        reverse_duplicates: reader.small()?,
        zero_windows: reader.small()?,
        reverse_zero_windows: reader.small()?,
    })
}
