//! The window over a simulated connection of one rate.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

fn sent(line: Line, bytes: u64, at: Duration) -> Sent {
    Sent { position: Position(1), records: 1, bytes, line, at }
}

#[test]
fn acks_are_counted_once_and_strange_ones_not_at_all() {
    let mut window = Window::new(Limits::default());
    window.sent((1, 1), sent(Line::Live, 10, Duration::ZERO));
    assert!(window.acked((1, 2), Duration::ZERO).is_none());
    assert!(window.acked((1, 1), Duration::ZERO).is_some());
    assert!(window.acked((1, 1), Duration::ZERO).is_none());
    assert!(window.is_empty() && window.live_bytes == 0);
}

#[test]
fn the_line_that_catches_up_waits_while_new_batches_are_held_up() {
    let mut window = Window::new(Limits::default());
    window.sent((1, 1), sent(Line::Live, 10, Duration::ZERO));
    assert!(window.may_send(Line::CatchUp, Duration::from_secs(1)));
    assert!(!window.may_send(Line::CatchUp, Duration::from_secs(2)));
    assert!(window.may_send(Line::Live, Duration::from_secs(2)));
    window.acked((1, 1), Duration::from_secs(3));
    assert!(window.may_send(Line::CatchUp, Duration::from_secs(3)));
}

#[test]
fn what_is_under_way_is_limited() {
    let limits = Limits { live: 100, catch_up: 100 };
    let mut window = Window::new(limits);
    for n in 0..10 {
        if window.may_send(Line::Live, Duration::ZERO) {
            window.sent((1, n), sent(Line::Live, 60, Duration::ZERO));
        }
        if window.may_send(Line::CatchUp, Duration::ZERO) {
            window.sent((2, n), sent(Line::CatchUp, 60, Duration::ZERO));
        }
    }
    assert_eq!(window.len(), 4, "one batch may go beyond each limit");
}

/// A connection of one rate, on which bytes leave in order; the server answers after the round trip.
struct Pipe {
    /// Octets a second.
    rate: u64,
    round_trip: Duration,
    free_at: Duration,
    acks: VecDeque<(Duration, Key)>,
}

impl Pipe {
    /// When the last byte is at the server.
    fn send(&mut self, key: Key, bytes: u64, now: Duration) -> Duration {
        let takes = Duration::from_secs_f64(bytes as f64 / self.rate as f64);
        self.free_at = self.free_at.max(now) + takes;
        self.acks.push_back((self.free_at + self.round_trip, key));
        self.free_at + self.round_trip / 2
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// New batches come within five seconds, whatever waited; what waited gets there all the same.
    #[test]
    fn catching_up_never_holds_up_what_is_new(
        rate in 40_000_u64..20_000_000,
        round_trip in 1_u64..800,
        batch in 1_000_u64..60_000,
        live_share in 0.05..0.5_f64,
    ) {
        let mut pipe = Pipe { rate, round_trip: Duration::from_millis(round_trip), free_at: Duration::ZERO, acks: VecDeque::new() };
        let mut window = Window::new(Limits::default());
        let step = Duration::from_millis(20);
        let live_batch = ((rate as f64 * live_share) as u64 / 2).clamp(1, 64 << 10);
        let mut waiting: VecDeque<Duration> = VecDeque::new();
        let (mut number, mut caught_up, mut worst) = (0_u64, 0_u64, Duration::ZERO);
        for tick in 0..3000_u32 {
            let now = step * tick;
            while let Some((_, key)) = pipe.acks.pop_front_if(|(at, _)| *at <= now) {
                window.acked(key, now);
            }
            if tick % 25 == 0 {
                waiting.push_back(now);
            }
            while window.may_send(Line::Live, now) && let Some(made) = waiting.pop_front() {
                number += 1;
                worst = worst.max(pipe.send((1, number), live_batch, now) - made);
                window.sent((1, number), sent(Line::Live, live_batch, now));
            }
            while window.may_send(Line::CatchUp, now) {
                number += 1;
                caught_up += batch;
                pipe.send((2, number), batch, now);
                window.sent((2, number), sent(Line::CatchUp, batch, now));
            }
        }
        prop_assert!(worst < Duration::from_secs(5), "a new batch took {worst:?}");
        // Of what the connection carries besides, a good part is used, unless the allowance cannot fill it.
        let spare = rate as f64 * (1.0 - live_share);
        let fills = (4_u64 << 20) as f64 / (round_trip as f64 / 1000.0);
        prop_assert!(caught_up as f64 > 0.3 * spare.min(fills) * 60.0, "only {caught_up} octets caught up");
    }
}
