//! Sees that files of the configuration change.
//!
//! Directories are watched, not files: editors and package managers put a new file in the place of the old one. A burst of changes counts
//! once, when it has been quiet for half a second. Where nothing can be watched (no inotify instances left), SIGHUP still works.

use std::path::PathBuf;
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long it must be quiet.
const QUIET: Duration = Duration::from_millis(500);

/// Watches; ends when dropped.
pub struct Changes {
    _watcher: Option<RecommendedWatcher>,
    seen: mpsc::Receiver<()>,
}

impl Changes {
    /// Watches these directories, and those of these files.
    pub fn watch(places: &[PathBuf]) -> Self {
        let (tell, seen) = mpsc::channel(1);
        let made = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|e| concerns(&e)) {
                // One that waits stands for all.
                let _ = tell.try_send(());
            }
        });
        let watcher = made.and_then(|mut watcher| {
            for place in places {
                let folder = if place.is_dir() { place.as_path() } else { place.parent().unwrap_or(place) };
                watcher.watch(folder, RecursiveMode::NonRecursive)?;
                let drop_ins = folder.join("conf.d");
                if drop_ins.is_dir() {
                    watcher.watch(&drop_ins, RecursiveMode::NonRecursive)?;
                }
            }
            Ok(watcher)
        });
        if let Err(error) = &watcher {
            tracing::info!(%error, "changes of the configuration are not seen by themselves: send SIGHUP after one");
        }
        Self { _watcher: watcher.ok(), seen }
    }

    /// Waits until something has changed and it is quiet again; for ever when nothing can be watched.
    pub async fn next(&mut self) {
        if self.seen.recv().await.is_none() {
            return std::future::pending().await;
        }
        while let Ok(Some(())) = timeout(QUIET, self.seen.recv()).await {}
    }
}

/// Whether a file that is read may be another one now. Reading them is an event, too.
fn concerns(event: &Event) -> bool {
    let yaml = |path: &PathBuf| path.extension().is_some_and(|e| e == "yaml" || e == "yml") || path.ends_with("..data");
    matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_))
        && event.paths.iter().any(yaml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_replaced_is_seen_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("conf.d")).unwrap();
        let mut changes = Changes::watch(&[folder.path().to_owned()]);
        std::fs::write(folder.path().join("new"), "a").unwrap();
        std::fs::rename(folder.path().join("new"), folder.path().join("netwatch.yaml")).unwrap();
        std::fs::write(folder.path().join("conf.d/10.yaml"), "a").unwrap();
        timeout(Duration::from_secs(20), changes.next()).await.expect("the change is seen");
        std::fs::read(folder.path().join("netwatch.yaml")).unwrap();
        assert!(timeout(QUIET * 2, changes.next()).await.is_err(), "reading is no change");
    }
}
