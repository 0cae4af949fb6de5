//! A capture file through the flow engine: the same code as live capture, with time taken from the packets.

use std::path::Path;
use std::sync::Arc;

use netwatch_api::flow::Flow;
use netwatch_capture::apps::AppTable;
use netwatch_capture::bpf::BpfError;
use netwatch_capture::config::Budget;
use netwatch_capture::file::{FileError, FileOptions, FileSource, FrameSink, Progress};
use netwatch_capture::frame::{Frame, InterfaceIndex};
use netwatch_capture::worker::Worker;
use netwatch_capture::worker::shared::Shared;
use netwatch_model::filter::Filter;
use netwatch_model::{Record, Timestamp, Untrusted};

use super::rows::Rows;
use crate::args::SortColumn;
use crate::config::Settings;
use crate::engine::{self, flow_config};
use crate::failure::Failure;

/// What came out of a file.
pub struct Read {
    /// In order.
    pub flows: Vec<Flow>,
    /// What ended the reading before the end of the file.
    pub damage: Option<FileError>,
}

/// Opens a capture file; a bad capture filter is a wrong question.
pub fn open(path: &Path, settings: &Settings) -> Result<FileSource, Failure> {
    super::check_capture_filter(&settings.capture_filter)?;
    let filter = Some(settings.capture_filter.clone()).filter(|f| !f.is_empty());
    FileSource::open(path, FileOptions { filter, ..FileOptions::default() }).map_err(refused)
}

/// Reads a whole file.
pub fn read(
    path: &Path,
    settings: &Settings,
    filter: Filter,
    sort: SortColumn,
    limit: Option<u64>,
) -> Result<Read, Failure> {
    let mut source = open(path, settings)?;
    let mut replay = Replay::new(settings, Rows::new(filter, sort, limit))?;
    let damage = loop {
        match source.next_batch(Timestamp::MAX, &mut replay) {
            Ok(Progress::End) => break None,
            Ok(Progress::Frames | Progress::Waiting(_)) => {}
            Err(error @ (FileError::Filter { .. } | FileError::LinkType { .. })) => return Err(refused(error)),
            Err(error) => break Some(error),
        }
    };
    Ok(Read { flows: replay.finish(), damage })
}

fn refused(error: FileError) -> Failure {
    let wrong =
        matches!(&error, FileError::Filter { source: BpfError::Invalid { .. } | BpfError::LiveOnly { .. }, .. });
    if wrong { Failure::Usage(anyhow::Error::new(error)) } else { Failure::Other(anyhow::Error::new(error)) }
}

/// One worker that takes the frames of a file.
struct Replay {
    worker: Worker,
    capture_length: usize,
    records: Vec<Record>,
    rows: Rows,
}

impl Replay {
    fn new(settings: &Settings, rows: Rows) -> Result<Self, Failure> {
        let config = flow_config(settings, Budget::EVERYTHING);
        let shared = Arc::new(Shared::new(Arc::new(AppTable::load(None).map_err(anyhow::Error::new)?)));
        let worker = Worker::new(0, 1, config, shared, engine::seed()?);
        let capture_length = usize::try_from(settings.capture_length).unwrap_or(usize::MAX);
        Ok(Self { worker, capture_length, records: Vec::new(), rows })
    }

    fn take_records(&mut self) {
        for record in self.records.drain(..) {
            if let Record::Flow(flow) = record {
                self.rows.add(*flow);
            }
        }
    }

    fn finish(mut self) -> Vec<Flow> {
        self.worker.finish(&mut self.records);
        self.take_records();
        self.rows.finish()
    }
}

impl FrameSink for Replay {
    fn point(&mut self, interface: InterfaceIndex, name: &Untrusted) {
        self.worker.interface(interface, name);
    }

    fn frames(&mut self, frames: &[Frame<'_>]) {
        let cut = |f: &Frame<'_>| f.data.len() > self.capture_length;
        if frames.iter().any(cut) {
            let short: Vec<Frame<'_>> = frames
                .iter()
                .map(|f| Frame { data: f.data.get(..self.capture_length).unwrap_or(f.data), ..*f })
                .collect();
            self.worker.replay(&short, &mut self.records);
        } else {
            self.worker.replay(frames, &mut self.records);
        }
        self.take_records();
    }
}
