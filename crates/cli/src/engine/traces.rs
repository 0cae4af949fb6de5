//! The task that sends traces of our own work, if they are wanted.

use std::sync::Arc;

use netwatch_server::TraceExport;
use netwatch_telemetry::clock::SystemClock;
use netwatch_telemetry::traces::EndedSpans;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A collector, and the spans for it.
pub type Tracing = (TraceExport, EndedSpans);

/// The task.
pub struct TraceTask {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl TraceTask {
    /// Starts it. Call it on the runtime of the server.
    pub fn start((export, ended): Tracing) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(export.run(ended, Arc::new(SystemClock), async { _ = stopped.await }));
        Self { stop, task }
    }

    /// Has it send what is left, and waits for that.
    pub async fn stop(self) {
        // The receiver is gone only when the task has ended already.
        let _ = self.stop.send(());
        if self.task.await.is_err() {
            tracing::error!("sending traces ended by a defect");
        }
    }
}
