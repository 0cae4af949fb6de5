//! What the datagrams of a stream say of loss, order and jitter, as iperf3 counts them. Plain logic.
//!
//! A datagram begins with the seconds and microseconds of its sender's clock and its number, which begins at 1 and has 32 or 64 bits.
//! A gap in the numbers is loss until one of it comes after all; jitter is that of RFC 3550, 6.4.1.

use std::time::Duration;

use netwatch_model::Timestamp;

/// Octets of the head of a datagram with a number of 64 bits.
pub(super) const HEAD: usize = 16;

/// What was seen of the datagrams of a stream.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Datagrams {
    /// The highest number.
    pub highest: u64,
    /// Numbers that did not come.
    pub lost: u64,
    /// Datagrams that came after one with a higher number.
    pub reordered: u64,
    /// Seconds.
    pub jitter: f64,
    /// Nanoseconds.
    transit: Option<i64>,
}

impl Datagrams {
    /// Takes a datagram that arrived at `at`. One that is too short says nothing.
    pub(super) fn arrived(&mut self, bytes: &[u8], wide: bool, at: Timestamp) {
        let Some((sent, number)) = read(bytes, wide) else { return };
        if number > self.highest {
            self.lost = self.lost.saturating_add(number - self.highest - 1);
            self.highest = number;
        } else {
            self.reordered = self.reordered.saturating_add(1);
            self.lost = self.lost.saturating_sub(1);
        }
        // A clock that stands elsewhere adds a constant, which the difference takes away.
        let transit = at.nanos().wrapping_sub(sent.nanos());
        if let Some(before) = self.transit.replace(transit) {
            let difference = Duration::from_nanos(transit.abs_diff(before)).as_secs_f64();
            self.jitter += (difference - self.jitter) / 16.0;
        }
    }

    /// What counts from now on, after a warm-up: the jitter begins anew.
    pub(super) const fn begin_anew(&mut self) {
        self.jitter = 0.0;
    }
}

/// When a datagram was sent, and its number.
fn read(bytes: &[u8], wide: bool) -> Option<(Timestamp, u64)> {
    let word = |at: usize| bytes.get(at..)?.first_chunk::<4>().map(|octets| u32::from_be_bytes(*octets));
    let number = if wide { u64::from(word(8)?) << 32 | u64::from(word(12)?) } else { u64::from(word(8)?) };
    let nanos = i64::from(word(0)?) * 1_000_000_000 + i64::from(word(4)?) * 1000;
    Some((Timestamp::from_nanos(nanos), number))
}

/// Writes the head of a datagram to its beginning, as far as it has room.
pub(super) fn write(bytes: &mut [u8], wide: bool, now: Timestamp, number: u64) {
    let seconds = u32::try_from(now.secs()).unwrap_or(0).to_be_bytes();
    let micros = u32::try_from(now.nanos().rem_euclid(1_000_000_000) / 1000).unwrap_or(0).to_be_bytes();
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    let number = if wide { [a, b, c, d, e, f, g, h] } else { [e, f, g, h, 0, 0, 0, 0] };
    let head = seconds.into_iter().chain(micros).chain(number).take(if wide { HEAD } else { HEAD - 4 });
    bytes.iter_mut().zip(head).for_each(|(place, octet)| *place = octet);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn datagram(wide: bool, sent: i64, number: u64) -> Vec<u8> {
        let mut bytes = vec![0; 32];
        write(&mut bytes, wide, Timestamp::from_nanos(sent), number);
        bytes
    }

    #[test]
    fn a_gap_is_loss_until_it_is_filled() {
        for wide in [false, true] {
            let mut seen = Datagrams::default();
            let times = [1, 2, 5, 4, 6];
            for number in times {
                seen.arrived(&datagram(wide, 0, number), wide, Timestamp::from_nanos(1000));
            }
            assert_eq!((seen.highest, seen.lost, seen.reordered), (6, 1, 1));
        }
    }

    #[test]
    fn jitter_is_that_of_rfc_3550_whatever_the_clocks_say() {
        // Transits of 10, 26, 26 ms by a clock that is an hour behind: J = 16/16 ms, then 1 − 1/16 ms.
        let mut seen = Datagrams::default();
        let hour = 3_600_000_000_000;
        for (number, (sent, transit)) in (1..).zip([(0, 10), (20, 26), (40, 26)]) {
            let at = Timestamp::from_nanos((sent + transit) * 1_000_000);
            seen.arrived(&datagram(true, sent * 1_000_000 + hour, number), true, at);
        }
        assert!((seen.jitter - 0.000_937_5).abs() < 1e-9, "{}", seen.jitter);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_whatever_comes_is_survived(
            wide: bool, sent in 0_i64..4_000_000_000_000, number: u32, bytes in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let sent = sent * 1000;
            let read = read(&datagram(wide, sent, u64::from(number)), wide);
            prop_assert_eq!(read, Some((Timestamp::from_nanos(sent), u64::from(number))));
            Datagrams::default().arrived(&bytes, wide, Timestamp::ZERO);
        }
    }
}
