//! Logs: to files in the lane's folder, rotated by day; the terminal stays readable.

use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::EnvFilter;

/// Days of logs kept.
const FILES_KEPT: usize = 14;
/// Our own at `info`, the libraries' at `warn`; `LANEMESH_LOG` overrides.
const DEFAULT_FILTER: &str =
    "warn,node=info,consensus=info,storage=info,mesh=info,sync=info,hq=info";

/// Sends this process's log to `<folder>/logs/<name>.<date>.log`. The guard flushes when dropped.
/// A folder that cannot be written leaves the process without a log, and says so once.
pub fn to_files(folder: &Path, name: &str) -> Option<WorkerGuard> {
    // The appender would make it, too, after complaining that it is not there.
    let made = std::fs::create_dir_all(folder.join("logs"));
    let appender = Builder::new()
        .rotation(Rotation::DAILY)
        .filename_prefix(name)
        .filename_suffix("log")
        .max_log_files(FILES_KEPT)
        .build(folder.join("logs"))
        .map_err(|error| error.to_string());
    let appender = match made.map_err(|error| error.to_string()).and(appender) {
        Ok(appender) => appender,
        Err(error) => {
            eprintln!("no log is written: {error}");
            return None;
        }
    };
    let (writer, guard) = tracing_appender::non_blocking(appender);
    let filter =
        EnvFilter::try_from_env("LANEMESH_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(writer)
        .finish();
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        eprintln!("a log is being written already");
    }
    Some(guard)
}
