//! Shared by tests: nothing of it is part of a lane.
//!
//! The data folder that `LANEMESH_DATA` names holds files that are not the project's own; tests use
//! them where they are there and say so where they are not.

pub mod scenario;
pub mod sums;
pub mod words;

use std::path::PathBuf;

/// The folder with the data files, if `LANEMESH_DATA` names one. Tells on standard error what is
/// left out without it.
pub fn data_folder(left_out: &str) -> Option<PathBuf> {
    match std::env::var_os("LANEMESH_DATA") {
        Some(folder) if !folder.is_empty() => Some(PathBuf::from(folder)),
        _ => {
            eprintln!(
                "LANEMESH_DATA is not set: {left_out}. crates/testkit/fetch-data.py makes the files."
            );
            None
        }
    }
}
