//! What listens for other agents, and only while the assignment names some.

use std::sync::Arc;
use std::time::Duration;

use netwatch_model::Assignment;
use tokio::sync::watch;

/// How long a port that cannot be listened at is left alone, and the longest pause after an end.
const RETRY: Duration = Duration::from_secs(60);
/// The first pause after what listened has ended by itself; each one after it is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// What has listened for so long was well: the next pause is a first one.
const STEADY: Duration = RETRY;

/// Opens and serves while the assignment is such that `is_wanted`; closes otherwise. What cannot be opened is told, tried again every
/// minute, and told again when it can. What ends by itself is opened again after a pause, which grows up to a minute. Ends when nobody says
/// anything new any more.
pub(crate) async fn serve_while<T, E, F: Future<Output = ()>>(
    mut assigned: watch::Receiver<Arc<Assignment>>,
    is_wanted: fn(&Assignment) -> bool,
    open: impl Fn() -> Result<T, E>,
    serve: impl Fn(T, watch::Receiver<Arc<Assignment>>) -> F,
    mut tell: impl FnMut(Result<(), E>),
) {
    let mut is_blocked = false;
    let mut pauses = Pauses::default();
    loop {
        if is_blocked {
            tokio::time::sleep(RETRY).await;
        } else if assigned.wait_for(|assignment| is_wanted(assignment)).await.is_err() {
            return;
        }
        match open() {
            Ok(opened) => {
                if std::mem::take(&mut is_blocked) {
                    tell(Ok(()));
                }
                let serving = end_of(serve(opened, assigned.clone()));
                let served = while_wanted(serving, &mut assigned, is_wanted).await;
                let Ok(ended) = served else { return };
                let Some(was_steady) = ended else { continue };
                let pause = pauses.after_end(was_steady);
                tracing::warn!(
                    ?pause,
                    "what listens for other agents ended by itself: it is opened again after a pause"
                );
                if while_wanted(tokio::time::sleep(pause), &mut assigned, is_wanted).await.is_err() {
                    return;
                }
            }
            Err(error) if !is_blocked => {
                is_blocked = true;
                tell(Err(error));
            }
            Err(_) => {}
        }
    }
}

/// What comes of it; none when it is wanted no more, and an error when nobody says anything new any more.
async fn while_wanted<T>(
    what: impl Future<Output = T>,
    assigned: &mut watch::Receiver<Arc<Assignment>>,
    is_wanted: fn(&Assignment) -> bool,
) -> Result<Option<T>, watch::error::RecvError> {
    tokio::select! {
        done = what => Ok(Some(done)),
        changed = assigned.wait_for(|assignment| !is_wanted(assignment)) => changed.map(|_| None),
    }
}

/// Waits for the end; whether it was steady before.
async fn end_of(serving: impl Future<Output = ()>) -> bool {
    tokio::pin!(serving);
    if tokio::time::timeout(STEADY, &mut serving).await.is_ok() {
        return false;
    }
    serving.await;
    true
}

/// How long is waited after each end. Pure.
#[derive(Debug, Default)]
struct Pauses(Option<Duration>);

impl Pauses {
    /// The pause now; whether what ended was steady.
    fn after_end(&mut self, was_steady: bool) -> Duration {
        let last = self.0.filter(|_| !was_steady);
        let pause = last.map_or(FIRST_PAUSE, |last| (last * 2).min(RETRY));
        self.0 = Some(pause);
        pause
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;

    use tokio::time::Instant;

    use super::*;

    fn wanted(assignment: &Assignment) -> bool {
        assignment.revision > 0
    }

    fn assignment(revision: u64) -> Arc<Assignment> {
        Arc::new(Assignment { revision, ..Assignment::default() })
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_begin_anew_after_a_steady_time() {
        let mut pauses = Pauses::default();
        let seconds: Vec<u64> = (0..9).map(|_| pauses.after_end(false).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!([true, false].map(|steady| pauses.after_end(steady).as_secs()), [1, 2]);
    }

    /// Seconds at which it was opened within ten minutes, when each time it lives for so long.
    async fn opened_at(lives: &'static [u64]) -> Vec<u64> {
        let (_assign, assigned) = watch::channel(assignment(1));
        let (begin, times) = (Instant::now(), Mutex::new(Vec::new()));
        let open = || {
            let mut times = times.lock().unwrap();
            times.push(begin.elapsed().as_secs());
            Ok::<_, Infallible>(times.len())
        };
        let serve = |turn: usize, _| async move {
            let life = lives.get(turn - 1).or(lives.last()).copied().unwrap_or(0);
            // waits: on paused time, for as long as what is opened lives.
            tokio::time::sleep(Duration::from_secs(life)).await;
        };
        let running = serve_while(assigned, wanted, open, serve, |_| ());
        assert!(tokio::time::timeout(Duration::from_mins(10), running).await.is_err(), "it goes on");
        times.into_inner().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn what_ends_at_once_is_opened_again_with_growing_pauses() {
        assert_eq!(opened_at(&[0]).await, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363, 423, 483, 543]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_steady_is_opened_again_soon() {
        assert_eq!(opened_at(&[0, 0, 200, 900]).await, [0, 1, 3, 204]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_with_the_need_and_with_the_assignments() {
        let (assign, assigned) = watch::channel(assignment(1));
        let (opened, mut seen) = watch::channel(0_u32);
        let open = move || {
            opened.send_modify(|count| *count += 1);
            Ok::<_, Infallible>(())
        };
        let running = tokio::spawn(serve_while(assigned, wanted, open, |(), _| std::future::ready(()), |_| ()));
        seen.wait_for(|count| *count == 6).await.unwrap();
        let at = Instant::now();
        assign.send_replace(assignment(0));
        tokio::task::yield_now().await;
        assign.send_replace(assignment(2));
        seen.wait_for(|count| *count == 7).await.unwrap();
        assert!(at.elapsed() < Duration::from_secs(1), "it is wanted anew: no pause is left");
        drop(assign);
        running.await.unwrap();
        assert!(at.elapsed() < Duration::from_secs(1), "nobody says anything new any more");
    }
}
