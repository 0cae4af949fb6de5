//! What scrapes share: the modules, the places for those that are under way, and the longest time that one may take.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Modules;

/// Scrapes under way at once; more are answered 503, and counted by the scraper.
const PLACES: usize = 512;
/// What is kept back of a scrape's time, so that the answer comes before the scraper gives up. Seconds.
const KEPT_BACK: f64 = 0.5;
/// Seconds of a scrape that says none, as upstream.
const UNSAID: f64 = 120.0;
/// The shortest time of a probe, seconds.
const SHORTEST: f64 = 0.001;

/// See the module.
pub(crate) struct Desk {
    modules: ArcSwap<Modules>,
    places: Semaphore,
    /// Seconds after which the server answers in any case.
    longest: f64,
}

impl Desk {
    /// With the modules that are there without a file; `request_timeout` is how long any request may take.
    pub(crate) fn new(request_timeout: Duration) -> Self {
        let modules = ArcSwap::from_pointee(Modules::built_in());
        Self { modules, places: Semaphore::new(PLACES), longest: request_timeout.as_secs_f64() }
    }

    /// These are the modules from here on.
    pub(crate) fn set(&self, modules: Modules) {
        self.modules.store(Arc::new(modules));
    }

    /// The modules.
    pub(crate) fn modules(&self) -> Arc<Modules> {
        self.modules.load_full()
    }

    /// A place for a scrape, while it is held; none when all are taken.
    pub(crate) fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.try_acquire().ok()
    }

    /// How long a probe may take: what the scraper says less what is kept back, or what the module says when that is less. Seconds.
    pub(crate) fn timeout(&self, said: Option<f64>, module: Option<f64>) -> f64 {
        let said = said.filter(|said| *said > 0.0).unwrap_or(UNSAID).min(self.longest);
        let most = said - KEPT_BACK;
        let chosen = match module {
            Some(module) if module < most || most < 0.0 => module,
            _ => most,
        };
        chosen.clamp(SHORTEST, (self.longest - KEPT_BACK).max(SHORTEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_scrape_less_half_a_second() {
        let desk = Desk::new(Duration::from_secs(15));
        for (said, module, must) in [
            (Some(10.0), None, 9.5),
            (Some(10.0), Some(5.0), 5.0),
            (Some(3.0), Some(5.0), 2.5),
            (Some(0.25), Some(5.0), 5.0),
            (Some(0.25), None, 0.001),
            (None, None, 14.5),
            (None, Some(60.0), 14.5),
            (Some(0.0), Some(2.0), 2.0),
        ] {
            assert_eq!(desk.timeout(said, module), must, "{said:?} {module:?}");
        }
    }

    #[test]
    fn places_are_bounded() {
        let desk = Desk::new(Duration::from_secs(15));
        let held: Vec<_> = std::iter::from_fn(|| desk.place()).collect();
        assert_eq!(held.len(), PLACES);
        drop(held);
        assert!(desk.place().is_some());
    }
}
