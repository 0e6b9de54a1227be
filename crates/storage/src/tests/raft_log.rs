//! The Raft log and vote.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use futures::future::join_all;
use tokio::sync::oneshot;

use super::Folder;
use crate::database::Limits;
use crate::{RaftLogDb, RaftWrite, StorageError};

fn open(folder: &Folder) -> RaftLogDb {
    let (log, set_aside) = RaftLogDb::open(folder.disk()).unwrap();
    assert_eq!(set_aside, None);
    log
}

async fn write(log: &RaftLogDb, write: RaftWrite) -> Result<(), StorageError> {
    let (done, outcome) = oneshot::channel();
    log.submit(write, |result| done.send(result).unwrap()).await;
    outcome.await.unwrap()
}

fn append(range: Range<u64>) -> RaftWrite {
    RaftWrite::Append(
        range
            .map(|i| (i, format!("entry {i}").into_bytes()))
            .collect(),
    )
}

fn indexes(log: &RaftLogDb) -> Vec<u64> {
    let entries = log.read(0..u64::MAX, usize::MAX).unwrap();
    for (index, bytes) in &entries {
        assert_eq!(*bytes, format!("entry {index}").into_bytes());
    }
    entries.into_iter().map(|(index, _)| index).collect()
}

#[test]
fn writes_are_there_after_an_abrupt_drop() {
    let folder = Folder::new();
    let log = open(&folder);
    assert_eq!(log.last_index().unwrap(), None);
    block_on(async {
        write(&log, RaftWrite::Set("vote", b"one".to_vec()))
            .await
            .unwrap();
        write(&log, append(0..6)).await.unwrap();
        write(&log, RaftWrite::TruncateFrom(4)).await.unwrap();
        write(&log, append(4..5)).await.unwrap();
        write(&log, RaftWrite::Set("vote", b"two".to_vec()))
            .await
            .unwrap();
        write(&log, RaftWrite::SetLazily("committed", b"3".to_vec()))
            .await
            .unwrap();
    });
    drop(log);
    let log = open(&folder);
    assert_eq!(log.value("vote").unwrap(), Some(b"two".to_vec()));
    assert_eq!(log.value("committed").unwrap(), Some(b"3".to_vec()));
    assert_eq!(indexes(&log), [0, 1, 2, 3, 4]);
    assert_eq!(log.read(1..3, usize::MAX).unwrap().len(), 2);
    assert_eq!(log.read(1..5, 16).unwrap().len(), 2);
    assert_eq!(log.read(1..5, 0).unwrap().len(), 1);
    assert_eq!(log.last_index().unwrap(), Some(4));
}

#[test]
fn writes_are_done_in_the_order_of_their_submission() {
    let folder = Folder::new();
    let log = open(&folder);
    let order = Arc::new(Mutex::new(Vec::new()));
    block_on(async {
        let writes = (0..500).map(|i| {
            let (order, log) = (order.clone(), &log);
            async move {
                let (done, outcome) = oneshot::channel();
                log.submit(append(i..i + 1), move |result| {
                    order.lock().unwrap().push(i);
                    done.send(result).unwrap();
                })
                .await;
                outcome.await.unwrap().unwrap();
            }
        });
        join_all(writes).await;
    });
    assert_eq!(*order.lock().unwrap(), (0..500).collect::<Vec<_>>());
    assert_eq!(indexes(&log).len(), 500);
}

#[test]
fn a_purge_hides_at_once_and_frees_in_time() {
    let folder = Folder::new();
    let log = open(&folder);
    block_on(async {
        write(&log, append(0..5000)).await.unwrap();
        let purge = RaftWrite::PurgeTo(4989, "purged", b"id".to_vec());
        write(&log, purge).await.unwrap();
        assert_eq!(indexes(&log), (4990..5000).collect::<Vec<_>>());
        assert_eq!(log.value("purged").unwrap(), Some(b"id".to_vec()));
        write(&log, append(5000..5001)).await.unwrap();
        let all = RaftWrite::PurgeTo(6000, "purged", b"id".to_vec());
        write(&log, all).await.unwrap();
        assert_eq!(log.last_index().unwrap(), None);
        write(&log, append(6001..6002)).await.unwrap();
    });
    drop(log);
    let log = open(&folder);
    assert_eq!(indexes(&log), [6001]);
    assert_eq!(log.last_index().unwrap(), Some(6001));
}

#[test]
fn after_a_failed_write_nothing_more_is_written() {
    let folder = Folder::new();
    let limits = Limits { pages_max: Some(8) };
    let (log, _) = RaftLogDb::open_limited(folder.disk(), limits).unwrap();
    let large = |index| RaftWrite::Append(vec![(index, vec![0; 6000])]);
    block_on(async {
        let mut index = 0;
        let error = loop {
            match write(&log, large(index)).await {
                Ok(()) => index += 1,
                Err(error) => break error,
            }
        };
        assert!(
            matches!(
                error,
                StorageError::NotDurable {
                    disk_full: true,
                    ..
                }
            ),
            "{error}"
        );
        // One that would fit must not leave a hole before it.
        let later = write(&log, RaftWrite::Append(vec![(index + 1, vec![])])).await;
        assert_eq!(later, Err(error));
        assert_eq!(log.last_index().unwrap(), index.checked_sub(1));
    });
}
