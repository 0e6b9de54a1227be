//! A lane's folder belongs where it was made: a copy of it, file by file, does not start.
//!
//! Two processes with one lane's key and journal would be one lane that says two things. What is
//! remembered is which file `lane.key` is: its number in the file system and when it was made. Copying
//! makes another file, moving the folder within its file system does not. Device numbers are not
//! looked at, because some machines give them out anew at every start; and a folder counts as a copy
//! only if everything that can be told of the file differs, so that a file system which keeps no
//! numbers keeps no lane from selling.
//!
//! A whole disk that was copied block by block looks the same from here: the siblings find that out.

use std::fs::Metadata;
use std::path::Path;
use std::time::UNIX_EPOCH;

use providers::{DiskError, SharedDisk};
use serde::{Deserialize, Serialize};

use super::KEY_FILE;

/// Which file this lane's key was when the folder was bound.
pub const PLACE_FILE: &str = "place.json";

/// Whether a folder is taken to be where it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    AsMade,
    /// A person says that the folder was moved here, and that its old place is not used any more.
    Moved,
}

#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(
        "this folder is a copy of a lane's folder, and two registers must not work as one lane. \
         Nothing was changed. If the lane was moved here and its old folder is never started again, \
         say so once: add --moved. To make this machine a lane of its own, run `lanemesh invite` on \
         a lane of the store and `lanemesh join` with another folder here"
    )]
    Copied,
}

/// What tells one file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileMark {
    /// Format of this file; this release writes and reads 1.
    format: u32,
    /// Its number in the file system, where there is one.
    inode: Option<u64>,
    /// When it was made, in milliseconds since 1970, where the file system keeps that.
    born_ms: Option<u64>,
}

impl FileMark {
    fn of(metadata: &Metadata) -> FileMark {
        let born = metadata.created().ok();
        let born = born.and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        FileMark {
            format: 1,
            inode: inode(metadata),
            born_ms: born.and_then(|since| u64::try_from(since.as_millis()).ok()),
        }
    }

    /// Whether nothing that is known of both is equal, and something is.
    fn is_another(self, other: FileMark) -> bool {
        let differ = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a != b);
        let told = [
            differ(self.inode, other.inode),
            differ(self.born_ms, other.born_ms),
        ];
        let mut told = told.into_iter().flatten().peekable();
        told.peek().is_some() && told.all(|differs| differs)
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::ino(metadata))
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> Option<u64> {
    None
}

/// Makes sure that `folder`, whose disk and key exist, is where it was made, and binds a folder that
/// was not bound yet.
pub fn check(folder: &Path, disk: &SharedDisk, place: Place) -> Result<(), PlaceError> {
    let failed = |source| DiskError {
        action: "look at",
        file: KEY_FILE.to_owned(),
        source,
    };
    let metadata = std::fs::metadata(folder.join(KEY_FILE)).map_err(failed)?;
    let found = FileMark::of(&metadata);
    let bound = disk.read(PLACE_FILE)?;
    // A mark that cannot be read tells nothing; it is written anew.
    let bound = bound.and_then(|bytes| serde_json::from_slice::<FileMark>(&bytes).ok());
    match bound {
        Some(bound) if place == Place::AsMade && bound.is_another(found) => {
            return Err(PlaceError::Copied);
        }
        Some(bound) if bound == found => return Ok(()),
        _ => {}
    }
    let mark = serde_json::to_vec(&found).unwrap_or_default();
    Ok(disk.write(PLACE_FILE, &mark)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use storage::FileDisk;

    #[test]
    fn a_file_is_another_one_if_nothing_that_is_known_of_it_is_equal() {
        let mark = |(inode, born_ms)| FileMark {
            format: 1,
            inode,
            born_ms,
        };
        let check = |bound, found, expected| {
            assert_eq!(
                mark(bound).is_another(mark(found)),
                expected,
                "{bound:?} {found:?}"
            );
        };
        check((Some(1), Some(10)), (Some(1), Some(10)), false);
        check((Some(1), Some(10)), (Some(2), Some(20)), true);
        check((Some(1), Some(10)), (Some(1), Some(20)), false);
        check((Some(1), Some(10)), (Some(2), Some(10)), false);
        check((Some(1), None), (Some(2), Some(20)), true);
        check((None, Some(10)), (Some(2), Some(20)), true);
        check((None, None), (Some(2), Some(20)), false);
        check((Some(1), None), (None, Some(20)), false);
    }

    #[test]
    fn a_copied_folder_is_told_from_one_that_was_moved() {
        let root = tempfile::tempdir().unwrap();
        let open = |name: &str, place| {
            let folder = root.path().join(name);
            let disk: SharedDisk = Arc::new(FileDisk::new(&folder).unwrap());
            if disk.read(KEY_FILE).unwrap().is_none() {
                disk.write(KEY_FILE, b"key").unwrap();
            }
            check(&folder, &disk, place)
        };
        let path = |name: &str| root.path().join(name);
        open("lane", Place::AsMade).unwrap();
        open("lane", Place::AsMade).unwrap();
        std::fs::rename(path("lane"), path("renamed")).unwrap();
        open("renamed", Place::AsMade).unwrap();
        std::fs::create_dir(path("copy")).unwrap();
        for file in [KEY_FILE, PLACE_FILE] {
            std::fs::copy(path("renamed").join(file), path("copy").join(file)).unwrap();
        }
        let refused = open("copy", Place::AsMade).unwrap_err();
        assert!(matches!(refused, PlaceError::Copied));
        open("copy", Place::Moved).unwrap();
        open("copy", Place::AsMade).unwrap();
        open("renamed", Place::AsMade).unwrap();
    }
}
