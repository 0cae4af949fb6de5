//! How often somebody may ask: a token bucket (GCRA) for each address, and one for each credential.
//!
//! Addresses are counted before the gate, so that guessing and knocking cost the guesser; credentials behind it, so that one program
//! that runs wild leaves the others their share. Who asks too often gets 429 with `Retry-After`. Files of the web app are not counted.
//!
//! Limits: 16 384 addresses and as many credentials; when there are more, those whose bucket is full again are forgotten, and if that is
//! not enough the rest share one bucket. IPv6 addresses count by their /64, which is what one customer gets.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use governor::clock::{Clock, Reference as _};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use netwatch_telemetry::clock::ClockSource;
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::driver::Peer;
use crate::fault::Fault;
use crate::gate::is_api;

/// Keys of one table.
const MAX_KEYS: usize = 16_384;

/// How many requests at once, and how many in a second after that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Requests in a second, lasting.
    pub per_second: NonZeroU32,
    /// Requests at once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// So many in a second, ten times as many at once.
    #[must_use]
    pub const fn per_second(n: NonZeroU32) -> Self {
        Self { per_second: n, burst: n.saturating_mul(NonZeroU32::MIN.saturating_add(9)) }
    }
}

/// The limits of the API.
pub(crate) struct Limits {
    addresses: ArcSwapOption<Table<IpAddr>>,
    credentials: ArcSwapOption<Table<[u8; 32]>>,
    clock: Arc<dyn ClockSource>,
}

impl Limits {
    /// With a rate for each address and each credential; none is no limit.
    pub(crate) fn new(address: Option<Rate>, credential: Option<Rate>, clock: &Arc<dyn ClockSource>) -> Self {
        let limits = Self { addresses: None.into(), credentials: None.into(), clock: Arc::clone(clock) };
        limits.set(address, credential);
        limits
    }

    /// Other rates from here on. All buckets are full then.
    pub(crate) fn set(&self, address: Option<Rate>, credential: Option<Rate>) {
        self.addresses.store(address.map(|rate| Arc::new(Table::new(rate, Arc::clone(&self.clock)))));
        self.credentials.store(credential.map(|rate| Arc::new(Table::new(rate, Arc::clone(&self.clock)))));
    }
}

/// Before the gate: how often an address asks.
pub(crate) async fn by_address(State(app): State<App>, request: Request, next: Next) -> Result<Response, Fault> {
    if let (Some(table), Some(Peer(peer))) = (&*app.limits().addresses.load(), request.extensions().get::<Peer>())
        && is_api(request.uri().path())
        && let Err(wait) = table.ask(&network(peer.ip()), &OVERFLOW)
    {
        return Err(too_many(&app, "this address", wait));
    }
    Ok(next.run(request).await)
}

/// Behind the gate: how often a credential asks.
pub(crate) async fn by_credential(State(app): State<App>, request: Request, next: Next) -> Result<Response, Fault> {
    let headers = request.headers();
    let shown = headers.get(header::AUTHORIZATION).or_else(|| headers.get(header::COOKIE));
    if let (Some(table), Some(shown)) = (&*app.limits().credentials.load(), shown)
        && is_api(request.uri().path())
        && let Err(wait) = table.ask(&Sha256::digest(shown.as_bytes()).into(), &[0; 32])
    {
        return Err(too_many(&app, "this session or token", wait));
    }
    Ok(next.run(request).await)
}

fn too_many(app: &App, who: &str, wait: Duration) -> Fault {
    app.metrics().requests_limited.inc();
    let detail = format!("too many requests from {who}: come again after the time in `Retry-After`");
    // RFC 9110, section 10.2.3: whole seconds.
    Fault::too_many(detail, wait.as_secs() + 1)
}

/// What shares a bucket when the table of addresses is full: the unspecified address, which nobody has.
const OVERFLOW: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// A bucket for each key.
pub(crate) struct Table<K: Hash + Eq + Clone> {
    buckets: RateLimiter<K, HashMapStateStore<K>, OurClock, NoOpMiddleware<Duration>>,
    clock: OurClock,
    /// When silent keys were last forgotten, in seconds: looking at all of them is too dear for every request of a flood.
    swept: AtomicU64,
}

impl<K: Hash + Eq + Clone> Table<K> {
    pub(crate) fn new(rate: Rate, clock: Arc<dyn ClockSource>) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let clock = OurClock(clock);
        Self { buckets: RateLimiter::hashmap_with_clock(quota, clock.clone()), clock, swept: AtomicU64::default() }
    }

    /// Takes one request out of the bucket of `key`, or tells how long to wait.
    pub(crate) fn ask(&self, key: &K, overflow: &K) -> Result<(), Duration> {
        if self.buckets.len() >= MAX_KEYS {
            let second = self.clock.now().as_secs();
            if self.swept.swap(second, Relaxed) != second {
                self.buckets.retain_recent();
            }
        }
        let key = if self.buckets.len() >= MAX_KEYS { overflow } else { key };
        let asked = self.buckets.check_key(key);
        asked.map_err(|not_until| not_until.earliest_possible().duration_since(self.clock.now()).into())
    }
}

/// The clock of the server, as the buckets want it.
#[derive(Clone)]
struct OurClock(Arc<dyn ClockSource>);

impl Clock for OurClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

/// What counts as one customer: an IPv4 address, or a /64.
pub(crate) fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(a) => IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use netwatch_model::Timestamp;
    use netwatch_telemetry::clock::ManualClock;

    use super::*;

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate { per_second: NonZeroU32::new(per_second).unwrap(), burst: NonZeroU32::new(burst).unwrap() }
    }

    #[test]
    fn who_asks_too_often_waits_and_others_do_not() {
        let clock = ManualClock::at(Timestamp::from_secs(1000));
        let table: Table<u32> = Table::new(rate(2, 3), Arc::new(clock.clone()));
        assert!((0..3).all(|_| table.ask(&1, &0).is_ok()));
        assert_eq!(table.ask(&1, &0), Err(Duration::from_millis(500)));
        assert_eq!(table.ask(&2, &0), Ok(()));
        clock.advance(Duration::from_millis(500));
        assert_eq!(table.ask(&1, &0), Ok(()));
        assert!(table.ask(&1, &0).is_err());
    }

    #[test]
    fn the_table_does_not_grow() {
        let clock = ManualClock::at(Timestamp::from_secs(1000));
        let table: Table<u32> = Table::new(rate(1, 2), Arc::new(clock.clone()));
        let refused = (1..100_000_u32).filter(|n| table.ask(n, &0).is_err()).count();
        assert!(table.buckets.len() <= MAX_KEYS + 1 && refused > 50_000, "{refused}");
        clock.advance(Duration::from_secs(10));
        assert_eq!(table.ask(&200_000, &0), Ok(()), "those who were silent are forgotten");
        assert!(table.buckets.len() <= 2);
    }

    #[test]
    fn a_network_counts_once() {
        let [a, b, c, d] = ["2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1", "::ffff:10.0.0.1"]
            .map(|a| network(a.parse().unwrap()));
        assert!(a == b && a != c && d == "10.0.0.1".parse::<IpAddr>().unwrap());
    }
}
