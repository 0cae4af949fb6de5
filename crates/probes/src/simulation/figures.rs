//! From the packets of a session to its figures: the round trip first, then each direction.
//!
//! The reflector's numbers say how many packets had reached it when it sent each answer. A number that no answer has was given to an
//! answer that was lost on the way back; a packet without answer that no such number stands for was lost on the way there. Both counts
//! are exact up to the last answer. In a gap where both happened, which of its packets was lost where is not known: the earlier ones are
//! taken to have reached the reflector. What was lost after the last answer is counted, and belongs to no direction.

mod way;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use netwatch_model::probe::Delays;
use netwatch_model::probe::kind::simulation::{Simulation, Voice, Way};
use netwatch_model::voice::Call;

use self::way::{Arrival, Trip, reordered};
use super::session::{FIRST, Kept, Session};

/// What a listener's end needs beside the packets.
#[derive(Clone, Copy)]
struct Listener {
    /// The network's share of the delay, when the one-way delay is not known: half of the shortest round trip. Seconds.
    estimate: f64,
    /// Both clocks together are wrong by at most this, seconds.
    clock_error: Option<f64>,
}

pub(super) fn simulation(session: &Session, own_error: Option<f64>, lookup: Option<f64>) -> Simulation {
    let stream = FIRST..session.end();
    let of_stream = |kept: &&Kept| stream.contains(&kept.sequence);
    let sent = count(stream.clone().filter(|sequence| session.is_sent(*sequence)));
    let mut heard = BTreeSet::new();
    // Of a packet that was answered twice, the first answer counts.
    let firsts: Vec<&Kept> = session.answers.iter().filter(of_stream).filter(|k| heard.insert(k.sequence)).collect();
    let in_time: Vec<&Kept> = firsts.iter().copied().filter(|kept| !kept.is_late).collect();
    let round_trips: Vec<f64> = in_time.iter().map(|kept| seconds(kept.round_trip)).collect();
    let clock_error = own_error.zip(session.remote_error).map(|(own, remote)| own + remote);
    let shortest = round_trips.iter().copied().fold(f64::INFINITY, f64::min);
    let listener = Listener { estimate: shortest / 2.0, clock_error };
    let is_stateful = session.answers.iter().any(|kept| kept.number != kept.sequence);
    let ways = is_stateful.then(|| Numbers::of(session)).flatten();
    let answers = count(session.answers.iter().filter(of_stream));
    Simulation {
        lookup,
        sent,
        received: count(&in_time),
        late: count(&firsts).saturating_sub(count(&in_time)),
        duplicates: session.repeated.saturating_add(answers.saturating_sub(count(&firsts))),
        reordered: reordered(firsts.iter().map(|kept| kept.sequence)),
        lost_somewhere: ways.as_ref().map_or(0, |ways| ways.lost_somewhere),
        rtt: Delays::of(&round_trips),
        stateful: is_stateful,
        forward: ways.as_ref().and_then(|ways| direction(&ways.forward, session, listener)),
        reverse: ways.as_ref().and_then(|ways| direction(&ways.reverse, session, listener)),
        clock_error,
        dscp_there: session.dscp_there,
        dscp_back: session.dscp_back,
    }
}

/// One direction, with the voice quality at its end.
fn direction(trip: &Trip, session: &Session, listener: Listener) -> Option<Way> {
    let mut way = trip.figures(listener.clock_error)?;
    let buffer = session.plan.buffer;
    let (loss, burst_ratio) = trip.for_listener(buffer);
    let network = way.delay.as_ref().map(|delay| delay.min);
    let packet = session.plan.codec.packetisation(session.plan.spacing);
    let network_share = Duration::try_from_secs_f64(network.unwrap_or(listener.estimate)).unwrap_or_default();
    let delay = network_share + buffer + packet;
    let rating = Call { codec: session.plan.codec, delay, loss, burst_ratio }.rate();
    way.voice = Some(Voice {
        codec: session.plan.codec.name().to_owned(),
        r_factor: rating.r_factor,
        mos: rating.mos(),
        grade: rating.grade(),
        delay: delay.as_secs_f64(),
        delay_estimated: network.is_none(),
        loss,
        burst_ratio,
        delay_impairment: rating.delay.total(),
        equipment_impairment: rating.equipment,
    });
    Some(way)
}

/// What the numbers of both sides say of each direction.
struct Numbers {
    forward: Trip,
    reverse: Trip,
    lost_somewhere: u32,
}

impl Numbers {
    /// `None` when nothing that belongs to the stream is known.
    fn of(session: &Session) -> Option<Self> {
        // The answers in the order in which the reflector sent them.
        let sent_back: BTreeMap<u32, &Kept> = session.answers.iter().map(|kept| (kept.number, kept)).collect();
        let replies = assign(session, &sent_back);
        let stream = FIRST..session.end();
        let last_known = session.answers.iter().map(|kept| kept.sequence).max()?;
        let reached: BTreeSet<u32> = replies.values().filter_map(|reply| reply.of).collect();
        let sent = || stream.clone().filter(|sequence| session.is_sent(*sequence));
        let known = || sent().take_while(|sequence| *sequence <= last_known);
        let mut forward = Trip::default();
        let mut arrived = BTreeSet::new();
        for kept in sent_back.values().filter(|kept| stream.contains(&kept.sequence)) {
            let is_new = arrived.insert(kept.sequence);
            forward.arrive(Arrival { number: kept.sequence, transit: kept.forward, is_new });
        }
        let blame = Blame::of(session);
        forward.sent = known().map(|sequence| (sequence, reached.contains(&sequence))).collect();
        for kept in session.answers.iter().filter(|kept| kept.is_late && blame.is_forward(kept)) {
            forward.lose(kept.sequence);
        }
        let mut reverse = Trip::with_duplicates(session.repeated);
        let is_of_stream = |reply: &&Reply| reply.of.is_none_or(|sequence| stream.contains(&sequence));
        reverse.sent =
            replies.iter().filter(|(_, reply)| is_of_stream(reply)).map(|(n, reply)| (*n, reply.is_back)).collect();
        for kept in session.answers.iter().filter(|kept| stream.contains(&kept.sequence)) {
            reverse.arrive(Arrival { number: kept.number, transit: kept.reverse, is_new: true });
            if kept.is_late && !blame.is_forward(kept) {
                reverse.lose(kept.number);
            }
        }
        let lost_somewhere = count(sent()).saturating_sub(count(known()));
        Some(Self { forward, reverse, lost_somewhere })
    }
}

/// An answer that the reflector sent.
struct Reply {
    /// To which packet; not known when the answer is lost and no packet without answer is left for it (it was to a duplicate).
    of: Option<u32>,
    is_back: bool,
}

/// Every number up to the highest that came back, with the packet that it answers.
fn assign(session: &Session, sent_back: &BTreeMap<u32, &Kept>) -> BTreeMap<u32, Reply> {
    let answered: BTreeSet<u32> = session.answers.iter().map(|kept| kept.sequence).collect();
    let last = answered.last().copied().unwrap_or(0);
    let mut open: BTreeSet<u32> = (0..=last).filter(|s| session.is_sent(*s) && !answered.contains(s)).collect();
    let mut replies = BTreeMap::new();
    let (mut next, mut above) = (0, 0);
    // More answers than packets and duplicates could have are not of this session.
    let limit =
        u32::try_from(session.answers.len()).unwrap_or(u32::MAX).saturating_add(session.end()).saturating_mul(2);
    for (number, kept) in sent_back.range(..limit) {
        for lost in next..*number {
            let nearest = open.range(above.min(kept.sequence)..kept.sequence).next().or_else(|| open.first()).copied();
            let of = nearest.filter(|sequence| *sequence < kept.sequence);
            if let Some(sequence) = of {
                open.remove(&sequence);
            }
            replies.insert(lost, Reply { of, is_back: false });
        }
        replies.insert(*number, Reply { of: Some(kept.sequence), is_back: true });
        (next, above) = (number.saturating_add(1), kept.sequence);
    }
    replies
}

/// Which direction made an answer late: the one that took longer than its own shortest time.
struct Blame {
    forward: i64,
    reverse: i64,
}

impl Blame {
    fn of(session: &Session) -> Self {
        let shortest = |of: fn(&Kept) -> i64| session.answers.iter().map(of).min().unwrap_or(0);
        Self { forward: shortest(|kept| kept.forward), reverse: shortest(|kept| kept.reverse) }
    }

    const fn is_forward(&self, kept: &Kept) -> bool {
        kept.forward.saturating_sub(self.forward) > kept.reverse.saturating_sub(self.reverse)
    }
}

fn count<T>(things: impl IntoIterator<Item = T>) -> u32 {
    u32::try_from(things.into_iter().count()).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "delays are far below 2^53 ns")]
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

#[cfg(test)]
mod tests;
