//! The Raft log and vote.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::executor::block_on;
use futures::future::{BoxFuture, join_all, ready};
use providers::Clock;
use tokio::sync::oneshot;

use super::Folder;
use crate::database::Limits;
use crate::{RaftLogDb, RaftWrite, Room, StorageError};

fn open(folder: &Folder) -> RaftLogDb {
    let (log, set_aside) = RaftLogDb::open(folder.disk(), Room::never_waited_for()).unwrap();
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

/// A clock whose sleepers wake at once, and which closes the lane after some sleeps.
struct ClosingClock {
    sleeps_left: AtomicU32,
    room: Mutex<Room>,
}

impl Clock for ClosingClock {
    fn wall_ms(&self) -> u64 {
        0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        if self.sleeps_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.room.lock().unwrap().give_up();
        }
        Box::pin(ready(()))
    }
}

#[test]
fn on_a_full_disk_a_write_waits_until_the_lane_closes() {
    let folder = Folder::new();
    let clock = Arc::new(ClosingClock {
        sleeps_left: AtomicU32::new(3),
        room: Mutex::new(Room::never_waited_for()),
    });
    let room = Room::new(clock.clone());
    *clock.room.lock().unwrap() = room.clone();
    let limits = Limits { pages_max: Some(8) };
    let (log, _) = RaftLogDb::open_limited(folder.disk(), room, limits).unwrap();
    let written = block_on(write(&log, append_large(0)));
    let failed = block_on(async {
        let mut index = 1;
        while write(&log, append_large(index)).await.is_ok() {
            index += 1;
        }
        index
    });
    assert_eq!(written, Ok(()));
    assert_eq!(clock.sleeps_left.load(Ordering::Relaxed), 0);
    assert_eq!(log.last_index().unwrap(), Some(failed - 1));
}

fn append_large(index: u64) -> RaftWrite {
    RaftWrite::Append(vec![(index, vec![0; 6000])])
}

#[test]
fn after_a_failed_write_nothing_more_is_written() {
    let folder = Folder::new();
    let limits = Limits { pages_max: Some(8) };
    let (log, _) =
        RaftLogDb::open_limited(folder.disk(), Room::never_waited_for(), limits).unwrap();
    block_on(async {
        let mut index = 0;
        let error = loop {
            match write(&log, append_large(index)).await {
                Ok(()) => index += 1,
                Err(error) => break error,
            }
        };
        assert!(
            matches!(error, StorageError::NotDurable { may_pass: true, .. }),
            "{error}"
        );
        // One that would fit must not leave a hole before it.
        let later = write(&log, RaftWrite::Append(vec![(index + 1, vec![])])).await;
        assert_eq!(later, Err(error));
        assert_eq!(log.last_index().unwrap(), index.checked_sub(1));
    });
}
