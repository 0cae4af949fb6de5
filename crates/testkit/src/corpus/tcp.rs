//! TCP: who began, where it stands, how well it went.

use super::Capture;
use super::tape::{Talk, Tape, ms, request, secs};
use crate::frames::{ethernet, flags};

const ACK: u8 = flags::ACK;
const DATA: u8 = flags::ACK | flags::PSH;

/// A closed conversation, and a new one with the same addresses and ports.
pub fn reused_five_tuple() -> Capture {
    let mut first = talk();
    let open = first.open();
    let data = first.client(DATA, 100);
    let close = first.close();
    let mut second = talk().with_sequence(900_000, 700_000);
    let again = second.open();
    let more = second.client(DATA, 50);
    Tape::new()
        .put_all(ms(0), ms(1), open.into_iter().chain([data]).chain(close))
        .put_all(secs(1), ms(1), again.into_iter().chain([more]))
        .into()
}

/// A conversation that was reset, and a new one with the same addresses and ports.
pub fn syn_after_rst() -> Capture {
    let mut first = talk();
    let open = first.open();
    let reset = first.client(flags::RST | ACK, 0);
    let again = talk().with_sequence(900_000, 700_000).open();
    Tape::new().put_all(ms(0), ms(1), open.into_iter().chain([reset])).put_all(secs(1), ms(1), again).into()
}

/// Capture began in the middle; the client speaks first.
pub fn mid_stream_start() -> Capture {
    let mut talk = Talk::new(50_000, 443);
    let frames = [talk.client(DATA, 100), talk.server(ACK, 0), talk.client(DATA, 100)];
    Tape::new().put_all(ms(0), ms(1), frames).into()
}

/// Capture began in the middle; the server, known by its port, speaks first.
pub fn mid_stream_responder() -> Capture {
    let mut talk = Talk::new(50_000, 443);
    let frames = [talk.server(DATA, 500), talk.client(ACK, 0)];
    Tape::new().put_all(ms(0), ms(1), frames).into()
}

/// The SYN was missed; its answer tells who is the responder though both ports are high.
pub fn syn_ack_first() -> Capture {
    let mut talk = talk();
    let [_, answer, ack] = talk.open();
    let data = talk.client(DATA, 10);
    Tape::new().put_all(ms(0), ms(1), [answer, ack, data]).into()
}

/// A SYN that is answered with a reset, whose window of zero is no announcement.
pub fn refused() -> Capture {
    let mut talk = talk();
    let ask = talk.client(flags::SYN, 0);
    let mut answer = talk.server(flags::RST | ACK, 0);
    // Window and checksum: what a kernel sends has a window of zero; its checksum is not looked at.
    answer[48..52].fill(0);
    Tape::new().put_all(ms(0), ms(1), [ask, answer]).into()
}

/// A SYN that nobody answers, with its repetitions, and a later packet of others that lets time pass.
pub fn half_open() -> Capture {
    let syn = talk().client(flags::SYN, 0);
    let times = [secs(0), secs(1), secs(3), secs(7)];
    let tape = times.into_iter().fold(Tape::new(), |tape, at| tape.put(at, syn.clone()));
    tape.put(secs(60), ethernet(request(40_001, 9001, 100)).build()).into()
}

/// A segment that is sent again after 300 ms because nobody acknowledged it.
pub fn retransmission() -> Capture {
    let mut talk = talk();
    let open = talk.open();
    let data = talk.client(DATA, 100);
    let ack = talk.server(ACK, 0);
    Tape::new().put_all(ms(0), ms(10), open).put(ms(30), data.clone()).put(ms(330), data).put(ms(340), ack).into()
}

/// Three segments of which the second comes last, one millisecond late.
pub fn out_of_order() -> Capture {
    let mut talk = talk();
    let open = talk.open();
    let [first, second, third] = [(); 3].map(|()| talk.client(DATA, 100));
    let ack = talk.server(ACK, 0);
    Tape::new().put_all(ms(0), ms(10), open).put_all(ms(30), ms(1), [first, third, second]).put(ms(40), ack).into()
}

/// A segment that comes again after it was acknowledged.
pub fn duplicate() -> Capture {
    let mut talk = talk();
    let open = talk.open();
    let data = talk.client(DATA, 100);
    let ack = talk.server(ACK, 0);
    Tape::new()
        .put_all(ms(0), ms(10), open)
        .put(ms(30), data.clone())
        .put(ms(40), ack.clone())
        .put(ms(330), data)
        .put(ms(340), ack)
        .into()
}

/// A server that closes its window twice and opens it again.
pub fn zero_window() -> Capture {
    let mut talk = talk();
    let open = talk.open();
    let round = |talk: &mut Talk| [talk.client(DATA, 1000), talk.server_window(0), talk.server_window(64_240)];
    let rounds = [round(&mut talk), round(&mut talk)].concat();
    Tape::new().put_all(ms(0), ms(10), open).put_all(ms(30), ms(10), rounds).into()
}

/// 10 ms to the server and back, 3 ms to the client and back, 40 ms in the application.
pub fn handshake_times() -> Capture {
    let mut talk = talk();
    let [syn, answer, ack] = talk.open();
    let ask = talk.client(DATA, 20);
    let response = talk.server(DATA, 500);
    let last = talk.client(ACK, 0);
    [(0, syn), (10, answer), (13, ack), (14, ask), (64, response), (65, last)]
        .into_iter()
        .fold(Tape::new(), |tape, (at, frame)| tape.put(ms(at), frame))
        .into()
}

const fn talk() -> Talk {
    Talk::new(40_000, 8443)
}
