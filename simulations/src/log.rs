//! The node code's log as part of a simulation's timeline.

use std::io;
use std::sync::Arc;

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::timeline::Timeline;

/// Who speaks in the timeline where it is the log.
pub const WHO: &str = "log";
/// What is logged unless `RUST_LOG` says otherwise.
const DEFAULT_FILTER: &str = "warn,node=debug,consensus=info,sync=info,storage=info,openraft=error";

/// Sends this thread's log to the timeline until the guard is dropped.
pub fn into(timeline: Arc<Timeline>) -> DefaultGuard {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| DEFAULT_FILTER.into());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .without_time()
        .with_writer(Lines(timeline))
        .finish();
    tracing::subscriber::set_default(subscriber)
}

struct Lines(Arc<Timeline>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

struct Line<'a>(&'a Timeline);

impl io::Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in String::from_utf8_lossy(bytes).lines() {
            self.0.note(WHO, line.trim());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
