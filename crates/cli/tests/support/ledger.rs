//! What programs have sent to a server, what of it was acknowledged, and whether history has that, once.
//!
//! A sample is known by its second, an event by its subject. What was sent and not acknowledged may be there, once at most; nothing is
//! sent twice.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use netwatch_model::Timestamp;
use netwatch_telemetry::clock::now;
use serde_json::json;

use crate::durable::Running;

/// Programs that send samples, and those that send events.
const SAMPLERS: usize = 3;
const REPORTERS: usize = 2;
/// The first samples are so old: what is sent comes into the files of two days, and late into hours that are rolled up already.
const AGE: Duration = Duration::from_secs(26 * 3600);
/// Samples of a program, so that none is in the future.
const MOST: u64 = 90_000;
/// Steps of one question.
const STEPS: u64 = 10_800;

/// All that was sent.
pub struct Ledger {
    base: i64,
    lanes: Vec<Mutex<Lane>>,
    acked: AtomicUsize,
}

/// What one program has sent: whether each of its records was acknowledged.
type Lane = Vec<bool>;

/// What was acknowledged at a moment; what was sent later may be there.
pub struct Moment(Vec<Lane>);

impl Default for Ledger {
    fn default() -> Self {
        let lanes = (0..SAMPLERS + REPORTERS).map(|_| Mutex::default()).collect();
        Self { base: now().secs() - AGE.as_secs().cast_signed(), lanes, acked: AtomicUsize::new(0) }
    }
}

impl Ledger {
    /// Sends from all programs until the server is gone or `stop` is set; meanwhile `during` runs.
    pub fn send<T>(&self, server: &Running, during: impl FnOnce() -> T) -> T {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for lane in 0..self.lanes.len() {
                let stop = &stop;
                scope.spawn(move || while !stop.load(Ordering::Relaxed) && self.send_one(server, lane).is_some() {});
            }
            let done = during();
            stop.store(true, Ordering::Relaxed);
            done
        })
    }

    /// Batches that were acknowledged.
    pub fn acked(&self) -> usize {
        self.acked.load(Ordering::Relaxed)
    }

    /// Records that were acknowledged.
    pub fn records(&self) -> usize {
        self.now().records()
    }

    /// Waits until so many more batches are acknowledged.
    #[track_caller]
    pub fn wait_for(&self, server: &Running, more: usize) {
        let goal = self.acked() + more;
        server.until("acknowledging", |_| self.acked() >= goal);
    }

    /// What is acknowledged now.
    pub fn now(&self) -> Moment {
        Moment(self.lanes.iter().map(|lane| lane.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect())
    }

    /// Sends the next batch of a program; none when there is no answer, or nothing left to send.
    fn send_one(&self, server: &Running, number: usize) -> Option<()> {
        let mut lane = self.lanes[number].lock().unwrap_or_else(PoisonError::into_inner);
        let first = lane.len() as u64;
        let count = if number < SAMPLERS { 1 + first * 7 % 30 } else { 1 + first % 3 };
        if first + count > MOST {
            return None;
        }
        lane.resize((first + count) as usize, false);
        drop(lane);
        let numbers = first..first + count;
        let answer = if number < SAMPLERS {
            let samples = numbers.map(|n| {
                let time = Timestamp::from_secs(self.base + n.cast_signed()).to_string();
                json!({"name": "crash", "labels": {"lane": number.to_string()}, "time": time, "value": value(n)})
            });
            server.post("/api/v1/ingest/samples", &json!({"samples": samples.collect::<Vec<_>>()}).to_string())
        } else {
            let events = numbers.map(|n| json!({"subject": subject(number, n), "text": "crash", "severity": "info"}));
            server.post("/api/v1/ingest/events", &json!({"events": events.collect::<Vec<_>>()}).to_string())
        };
        match answer {
            Ok((200, report)) if report["accepted"] == count => {
                let mut lane = self.lanes[number].lock().unwrap_or_else(PoisonError::into_inner);
                lane[first as usize..].fill(true);
                self.acked.fetch_add(1, Ordering::Relaxed);
                Some(())
            }
            // Refused, for want of room: not acknowledged.
            Ok((503 | 507, _)) => Some(()),
            Ok((status, report)) => panic!("{status}: {report}"),
            Err(_) => None,
        }
    }

    /// Everything acknowledged at that moment is in history, and nothing twice. Tells what is missing.
    pub fn missing(&self, server: &Running, moment: &Moment) -> Vec<String> {
        let mut missing = Vec::new();
        for (number, (acked, lane)) in moment.0.iter().zip(&self.lanes).enumerate() {
            let sent = lane.lock().unwrap_or_else(PoisonError::into_inner).len();
            let found =
                if number < SAMPLERS { self.samples(server, number, sent) } else { events(server, number, sent) };
            assert!(found.iter().all(|times| *times <= 1), "lane {number}: a record is there more than once");
            let lost = acked.iter().zip(&found).enumerate().filter(|(_, (acked, times))| **acked && **times == 0);
            missing.extend(lost.map(|(n, _)| format!("lane {number} record {n}")));
        }
        missing
    }

    /// How often each sample is there.
    fn samples(&self, server: &Running, number: usize, sent: usize) -> Vec<u32> {
        let mut found = Vec::new();
        for first in (0..sent as u64).step_by(STEPS as usize) {
            let [from, to] = [first, first + STEPS].map(|n| Timestamp::from_secs(self.base + n.cast_signed()));
            let chart = answer(
                server,
                &format!(
                    "/api/v1/history/chart?metric=crash&labels=lane={number}&aggregate=sum&step=1&from={from}&to={to}"
                ),
            );
            // While raw samples are made anew after damage, rollups by minute answer.
            let is_raw = chart["resolution"] == "raw";
            let points = chart["lines"][0]["points"].as_array().filter(|_| is_raw).cloned().unwrap_or_default();
            let times =
                |(n, point): (u64, &serde_json::Value)| (point.as_f64().unwrap_or(0.0) / value(n)).round() as u32;
            let mut counts: Vec<u32> = (first..).zip(&points).map(times).collect();
            counts.resize(STEPS as usize, 0);
            found.extend(counts);
        }
        found
    }
}

impl Moment {
    /// Records that were acknowledged.
    pub fn records(&self) -> usize {
        self.0.iter().flatten().filter(|acked| **acked).count()
    }
}

/// How often each event is there.
fn events(server: &Running, number: usize, sent: usize) -> Vec<u32> {
    let (mut times, mut cursor) = (HashMap::<String, u32>::new(), String::new());
    loop {
        let page = answer(server, &format!("/api/v1/history/events?subject=lane{number}-*&limit=500{cursor}"));
        for event in page["items"].as_array().into_iter().flatten() {
            *times.entry(event["event"]["subject"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    (0..sent as u64).map(|n| times.get(&subject(number, n)).copied().unwrap_or(0)).collect()
}

/// What history says; nothing when it finds damage just now.
fn answer(server: &Running, target: &str) -> serde_json::Value {
    match server.get(target).unwrap_or_else(|error| panic!("{target}: {error}")) {
        (200, body) => body,
        (status, body) => {
            assert_eq!(status, 503, "{target}: {body}");
            serde_json::Value::Null
        }
    }
}

fn subject(number: usize, n: u64) -> String {
    format!("lane{number}-{n}")
}

/// Each sample has a value of its own.
fn value(n: u64) -> f64 {
    (n + 1) as f64
}
